//! Bounds of the queue, each with what it keeps from happening.

use std::time::Duration;

/// Jobs that may wait: a client that submits in a loop fills no disk.
pub const PENDING_MAX: i64 = 10_000;

/// How often a job is begun before it has failed, where what stopped it may pass: a killed FFmpeg, the end of the program. What takes the
/// program down with it doesn't do so for ever.
pub const TRIES_MAX: i64 = 3;

/// How often a job that stood still is begun: a file on which FFmpeg hangs hangs again.
pub const STALLED_TRIES_MAX: i64 = 2;

/// Without any progress for so long a job stands still. FFmpeg's own bound is shorter; this one is for what surrounds it.
pub const STALL_LIMIT: Duration = Duration::from_secs(300);

/// Hiding, revealing and tracing, of one client, in a minute: each costs a quarter of a GiB for the passphrase alone.
pub const RATE_PER_MINUTE: i64 = 5;

/// The longest message that is typed, in bytes: what is longer is a file.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Free bytes of disk below which nothing new is begun, so that what runs can end.
pub const DISK_FREE_MIN_BYTES: u64 = 2_000_000_000;

/// Available bytes of memory below which nothing new is begun.
pub const MEMORY_FREE_MIN_BYTES: u64 = 300_000_000;

/// Ended jobs that are kept, with what they left.
pub const HISTORY_MAX: i64 = 2000;

/// Bytes that ended jobs may leave: of those that leave more, the oldest are forgotten.
pub const HISTORY_BYTES_MAX: u64 = 50_000_000_000;

/// How long ended jobs are kept, with what they left.
pub const HISTORY_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// However many there are, nothing that has just ended is forgotten.
pub const HISTORY_FRESH: Duration = Duration::from_secs(600);

/// Events that are kept for who comes back; beyond them, all jobs are to be asked for.
pub const EVENTS_MAX: i64 = 20_000;

/// Events that one who follows may be behind.
pub const EVENTS_BEHIND_MAX: usize = 1024;

/// Lines of a job's log, the last ones.
pub const LOG_LINES_MAX: usize = 400;

/// Length of such a line: FFmpeg's command lines are the longest, filters of captions and all.
pub const LOG_LINE_BYTES_MAX: usize = 8192;

/// Command lines in [`super::Job::commands`].
pub const COMMANDS_MAX: usize = 12;

/// Files that are listed of what a job left.
pub const OUTPUTS_MAX: usize = 1000;

/// Jobs or events in one answer.
pub const PAGE_MAX: i64 = 500;

/// Priorities, from and to.
pub const PRIORITY_MAX: i64 = 1000;

/// How often a job's progress is told.
pub const TELL_EVERY: Duration = Duration::from_millis(250);

/// How often workers look whether anything was asked of them by another process, and whether another worker has died.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a stopped job's processes may take to be gone before the job counts as stopped.
pub const GONE_LIMIT: Duration = Duration::from_secs(5);
