//! What a job did, line by line: its steps, the exact command lines, what FFmpeg said.
//!
//! Owns: a ring of lines and its copy on disk. Refuses to know: what lines mean. Invariant: bounded, however much is said.

use std::collections::VecDeque;
use std::fs;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};

use veil_ffmpeg::Witness;

use super::JobError;
use super::limits::{COMMANDS_MAX, LOG_LINE_BYTES_MAX, LOG_LINES_MAX};

/// FFmpeg's exit status after a signal that it obeys.
const FFMPEG_SIGNALLED: i32 = 255;

/// Signals that come from outside: somebody, or a system without memory.
const OUTSIDE: [i32; 5] = [1, 2, 3, 9, 15];

/// A job's log.
#[derive(Debug)]
pub(super) struct Journal {
    file: PathBuf,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    lines: VecDeque<String>,
    commands: VecDeque<String>,
    /// Whether the file lacks something.
    unwritten: bool,
    /// Processes that run.
    alive: usize,
    /// Rises with each process that begins or ends.
    turns: u64,
    /// Whether a process was killed, and not by us.
    killed: bool,
}

impl Journal {
    /// Goes on with the log of a file.
    pub(super) fn open(file: &Path) -> Self {
        let lines = read(file).unwrap_or_default().into();
        Self { file: file.to_owned(), told: Mutex::new(Told { lines, ..Told::default() }) }
    }

    /// A panic elsewhere leaves the ring whole.
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line.
    pub(super) fn say(&self, line: &str) {
        let mut told = self.told();
        if told.lines.len() == LOG_LINES_MAX {
            told.lines.pop_front();
        }
        told.lines.push_back(cut(line));
        told.unwritten = true;
    }

    /// All lines that are kept.
    pub(super) fn lines(&self) -> Vec<String> {
        self.told().lines.iter().cloned().collect()
    }

    /// The last command lines.
    pub(super) fn commands(&self) -> Vec<String> {
        self.told().commands.iter().cloned().collect()
    }

    /// Whether a process was killed, and not by us.
    pub(super) fn was_killed(&self) -> bool {
        self.told().killed
    }

    /// Processes that run.
    pub(super) fn alive(&self) -> usize {
        self.told().alive
    }

    /// Rises whenever a process begins or ends: a sign of life.
    pub(super) fn turns(&self) -> u64 {
        self.told().turns
    }

    /// Writes the file anew if it lacks something.
    pub(super) fn flush(&self) -> Result<(), JobError> {
        let text = {
            let mut told = self.told();
            if !std::mem::take(&mut told.unwritten) {
                return Ok(());
            }
            let mut text = String::new();
            for line in &told.lines {
                text.push_str(line);
                text.push('\n');
            }
            text
        };
        let beside = self.file.with_extension("part");
        let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, &self.file));
        written.map_err(JobError::file("cannot write", &self.file))
    }
}

/// The lines of a log that nobody adds to now.
pub(super) fn read(file: &Path) -> std::io::Result<Vec<String>> {
    let mut text = Vec::new();
    let most = (LOG_LINES_MAX * (LOG_LINE_BYTES_MAX + 1)) as u64;
    match fs::File::open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?.take(most).read_to_end(&mut text)?,
    };
    Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
}

/// A line without its end and without control characters, and not too long.
fn cut(line: &str) -> String {
    let mut line: String = line.trim_end().replace(char::is_control, " ");
    if line.len() > LOG_LINE_BYTES_MAX {
        let end = (0..=LOG_LINE_BYTES_MAX - 4).rev().find(|end| line.is_char_boundary(*end));
        line.truncate(end.unwrap_or(0));
        line.push('…');
    }
    line
}

impl Witness for Journal {
    fn started(&self, pid: Option<u32>, command: &str) {
        let pid = pid.map_or_else(String::new, |pid| format!("[{pid}] "));
        self.say(&format!("{pid}$ {command}"));
        let mut told = self.told();
        if told.commands.len() == COMMANDS_MAX {
            told.commands.pop_front();
        }
        told.commands.push_back(cut(command));
        told.alive += 1;
        told.turns += 1;
    }

    fn ended(&self, pid: Option<u32>, status: Option<ExitStatus>, ours: bool, stderr: &[String]) {
        let pid = pid.map_or_else(String::new, |pid| format!("[{pid}] "));
        let outside = |status: ExitStatus| {
            status.signal().is_some_and(|signal| OUTSIDE.contains(&signal))
                || status.code() == Some(FFMPEG_SIGNALLED)
        };
        let killed = !ours && status.is_some_and(outside);
        if !status.is_some_and(|status| status.success()) {
            for line in stderr {
                self.say(&format!("{pid}{line}"));
            }
            let how = status.map_or_else(|| "lost".to_owned(), |status| status.to_string());
            let why = if ours { ", stopped by us" } else { "" };
            self.say(&format!("{pid}ended: {how}{why}"));
        }
        let mut told = self.told();
        told.alive = told.alive.saturating_sub(1);
        told.turns += 1;
        told.killed |= killed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_bounded_and_survives() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        let journal = Journal::open(&file);
        for number in 0..LOG_LINES_MAX + 5 {
            journal.say(&format!("line {number}\x1b[0m"));
        }
        journal.say(&"é".repeat(LOG_LINE_BYTES_MAX));
        journal.flush().unwrap();
        let lines = journal.lines();
        assert_eq!((lines.len(), lines[0].as_str()), (LOG_LINES_MAX, "line 6 [0m"));
        assert!(lines.iter().all(|line| line.len() <= LOG_LINE_BYTES_MAX));
        assert_eq!(Journal::open(&file).lines(), lines);
        assert!(read(&folder.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn a_process_that_somebody_kills_is_told_from_one_that_we_stop() {
        let folder = tempfile::tempdir().unwrap();
        let check = |status: i32, ours: bool| {
            let journal = Journal::open(&folder.path().join("log"));
            journal.started(Some(7), "ffmpeg -i x");
            assert_eq!((journal.alive(), journal.commands().len()), (1, 1));
            journal.ended(Some(7), Some(ExitStatus::from_raw(status)), ours, &["bad".to_owned()]);
            assert_eq!(journal.alive(), 0);
            (journal.was_killed(), journal.lines().len())
        };
        assert_eq!(check(9, false), (true, 3));
        assert_eq!(check(255 << 8, false), (true, 3));
        assert_eq!(check(9, true), (false, 3));
        assert_eq!(check(1 << 8, false), (false, 3));
        assert_eq!(check(11, false), (false, 3));
        assert_eq!(check(0, false), (false, 1));
    }
}
