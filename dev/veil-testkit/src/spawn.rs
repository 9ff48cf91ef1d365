//! Child processes of a test: started in a group of their own, waited for with a time limit, never left behind.
//!
//! Waiting uses a pidfd, so a wait ends at the moment when the child does. What a child writes is always read, so
//! that it never blocks on a full pipe; what is kept of it is bounded.

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};
use serde_json::Value;

use crate::proc::descendants;
use crate::tail::Tail;

/// Longest line of standard output that is kept whole; a longer one is cut.
const LINE_LIMIT_BYTES: u64 = 1024 * 1024;

/// Lines of standard output that wait for the test; later ones are dropped until it reads.
const LINE_QUEUE: usize = 1024;

/// Most that [`run`] keeps of a standard output; more is an error, so that no test holds a video in a `Vec`.
const OUTPUT_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// How long the end of a standard error may come after its process; something else may still hold it open.
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(1);

/// How long a killed process may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// A running child with a process group of its own; dropping it kills the group and everything below it.
pub struct Spawned {
    child: Child,
    name: String,
    lines: Receiver<String>,
    stderr: Tail,
}

impl Spawned {
    /// Starts `command` with no standard input and with both outputs read.
    ///
    /// # Errors
    ///
    /// When the program can't be started; the error names it.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        Self::start_with_stderr(command, Stdio::piped())
    }

    /// Starts `command` as [`Spawned::start`] does, but with its standard error going elsewhere: to a log file, or to
    /// the terminal for a person to see. [`Spawned::stderr`] is empty then.
    ///
    /// # Errors
    ///
    /// When the program can't be started; the error names it.
    pub fn start_with_stderr(command: &mut Command, stderr: Stdio) -> io::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = spawn_in_group(command, &name, stderr)?;
        let stderr = Tail::default();
        match child.stderr.take() {
            Some(stream) => stderr.follow(stream),
            None => stderr.follow(io::empty()),
        }
        let lines = follow_lines(child.stdout.take().expect("standard output is a pipe"));
        Ok(Self { child, name, lines, stderr })
    }

    /// Returns the process id of the child.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the end of what the child has written on standard error so far; all of it once the child has ended.
    pub fn stderr(&mut self) -> String {
        match self.child.try_wait() {
            Ok(Some(_)) => self.stderr.text_at_end(LAST_WORDS_LIMIT),
            _ => self.stderr.text(),
        }
    }

    /// Returns the next line of standard output.
    ///
    /// # Errors
    ///
    /// `TimedOut` when none comes within `limit`, `UnexpectedEof` when the output has ended; both with the
    /// end of standard error.
    pub fn next_line(&mut self, limit: Duration) -> io::Result<String> {
        self.lines.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                self.failed(ErrorKind::TimedOut, &format!("wrote no line within {limit:?}"))
            }
            RecvTimeoutError::Disconnected => {
                let _ = wait_child(&mut self.child, LAST_WORDS_LIMIT);
                self.failed(ErrorKind::UnexpectedEof, "ended its standard output")
            }
        })
    }

    /// Reads standard output until a JSON line whose `event` is `event`, and returns that line.
    ///
    /// # Errors
    ///
    /// As [`Spawned::next_line`]; `limit` is for all lines together.
    pub fn ready(&mut self, event: &str, limit: Duration) -> io::Result<Value> {
        let end = Instant::now() + limit;
        loop {
            let line = self.next_line(end.saturating_duration_since(Instant::now()))?;
            match serde_json::from_str::<Value>(&line) {
                Ok(value) if value["event"] == event => return Ok(value),
                _ => {}
            }
        }
    }

    /// Waits for the child to end by itself.
    ///
    /// # Errors
    ///
    /// `TimedOut` after `limit`, with the end of standard error; the child still runs then.
    pub fn wait(&mut self, limit: Duration) -> io::Result<ExitStatus> {
        match wait_child(&mut self.child, limit)? {
            Some(status) => Ok(status),
            None => Err(self.failed(ErrorKind::TimedOut, &format!("still runs after {limit:?}"))),
        }
    }

    /// Tells whether the child has ended, without waiting.
    ///
    /// # Errors
    ///
    /// When the kernel doesn't say.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Sends the child alone a signal; one that has ended gets none.
    ///
    /// # Errors
    ///
    /// When the kernel refuses it.
    pub fn signal(&mut self, signal: Signal) -> io::Result<()> {
        if self.child.try_wait()?.is_none() {
            kill_process(pid_of(&self.child), signal)?;
        }
        Ok(())
    }

    /// Asks the child alone to end (SIGTERM) and waits for it.
    ///
    /// # Errors
    ///
    /// As [`Spawned::wait`].
    pub fn terminate(&mut self, limit: Duration) -> io::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.wait(limit)
    }

    /// Kills the child alone (SIGKILL), as a crash or the kernel would, and waits for it: what it started
    /// is left for the test to look at.
    ///
    /// # Errors
    ///
    /// As [`Spawned::wait`].
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        self.signal(Signal::KILL)?;
        self.wait(KILL_LIMIT)
    }

    fn failed(&mut self, kind: ErrorKind, what: &str) -> Error {
        let stderr = self.stderr();
        Error::new(kind, format!("{} {what}\n{stderr}", self.name))
    }
}

impl Drop for Spawned {
    /// Kills what is left: first what the child started, in whatever group, then its own group.
    fn drop(&mut self) {
        // Once it is reaped, what it started belongs to init, and its number may be another's.
        let below = match self.child.try_wait() {
            Ok(None) => descendants(self.child.id()),
            _ => Vec::new(),
        };
        for pid in below.iter().filter_map(|one| raw_pid(one.pid)) {
            let _ = kill_process(pid, Signal::KILL);
        }
        // The kernel gives no new process the number of a group that still has members.
        let _ = kill_process_group(pid_of(&self.child), Signal::KILL);
        let _ = wait_child(&mut self.child, KILL_LIMIT);
    }
}

/// What a program left when it had run to its end.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// The end of its standard error.
    pub stderr: String,
}

impl Finished {
    /// Returns standard output as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns this when the program succeeded.
    ///
    /// # Errors
    ///
    /// With the exit status and the end of standard error when it did not.
    pub fn success(self) -> io::Result<Self> {
        if self.status.success() {
            return Ok(self);
        }
        Err(Error::other(format!("ended with {}\n{}", self.status, self.stderr)))
    }
}

/// Runs `command` to its end, at most `limit`, with no standard input.
///
/// # Errors
///
/// When it can't be started; `TimedOut` when it doesn't end (it and its group are killed then); when its output is
/// larger than 64 MiB.
pub fn run(command: &mut Command, limit: Duration) -> io::Result<Finished> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = spawn_in_group(command, &name, Stdio::piped())?;
    let stderr = Tail::default();
    stderr.follow(child.stderr.take().expect("standard error is a pipe"));
    let stdout = child.stdout.take().expect("standard output is a pipe");
    let (sender, read) = sync_channel(1);
    thread::spawn(move || sender.send(read_bounded(stdout)));

    let end = Instant::now() + limit;
    let ended = wait_child(&mut child, limit)?;
    let stdout = ended.and(read.recv_timeout(end.saturating_duration_since(Instant::now())).ok());
    let (Some(status), Some(stdout)) = (ended, stdout) else {
        let _ = kill_process_group(pid_of(&child), Signal::KILL);
        child.wait()?;
        let what = format!("{name}, or what it started, still ran after {limit:?}");
        return Err(Error::new(ErrorKind::TimedOut, format!("{what}\n{}", stderr.text())));
    };
    let stderr = stderr.text_at_end(LAST_WORDS_LIMIT);
    Ok(Finished { status, stdout: stdout?, stderr })
}

fn spawn_in_group(command: &mut Command, name: &str, stderr: Stdio) -> io::Result<Child> {
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    command.spawn().map_err(|error| Error::new(error.kind(), format!("starting {name}: {error}")))
}

fn follow_lines(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = sync_channel(LINE_QUEUE);
    thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        let mut line = Vec::new();
        while let Ok(1..) = (&mut stdout).take(LINE_LIMIT_BYTES).read_until(b'\n', &mut line) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            let _ = sender.try_send(text);
            line.clear();
        }
    });
    lines
}

fn read_bounded(stream: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut stream = stream.take(OUTPUT_LIMIT_BYTES + 1);
    stream.read_to_end(&mut bytes)?;
    if stream.limit() == 0 {
        return Err(Error::other("the program wrote more than 64 MiB"));
    }
    Ok(bytes)
}

/// Waits until the child ends, at most `limit`; `None` when it still runs.
fn wait_child(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    if let Some(status) = child.try_wait()? {
        return Ok(Some(status));
    }
    let fd = pidfd_open(pid_of(child), PidfdFlags::empty())?;
    let end = Instant::now() + limit;
    loop {
        let left = Timespec::try_from(end.saturating_duration_since(Instant::now()))
            .map_err(|_| Error::new(ErrorKind::InvalidInput, "the time limit is too long"))?;
        match poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&left)) {
            Ok(0) => return child.try_wait(),
            Ok(_) => return child.wait().map(Some),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn pid_of(child: &Child) -> Pid {
    raw_pid(child.id()).expect("a process id is a positive i32")
}

fn raw_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}
