//! The memory of processes, as the kernel tells it.
//!
//! Owns: who is looked at, how often, and the highest that was seen. Refuses to know: what the processes do. Invariant: the peak of a
//! process of ours is the kernel's own high-water mark, so that nothing between two looks is missed but what came in its last moment.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

/// How often processes are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// The most that was seen of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Peak {
    /// Of the process itself, its high-water mark in bytes.
    pub(crate) own_bytes: u64,
    /// Of it and all below it, resident at one moment, in bytes; what they share counts for each.
    pub(crate) run_bytes: u64,
}

#[derive(Debug, Default)]
struct Seen {
    runs: HashMap<u32, Peak>,
    /// All that was ever started.
    started: Vec<u32>,
    all_bytes: u64,
}

/// Looks at processes until it is dropped.
#[derive(Debug)]
pub(crate) struct Memory {
    seen: Arc<Mutex<Seen>>,
    looking: JoinHandle<()>,
}

impl Memory {
    /// Begins to look; at nothing yet.
    pub(crate) fn new() -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        let looking = tokio::spawn(async move {
            loop {
                look(&shared);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        Self { seen, looking }
    }

    /// Looks at a process from now on.
    pub(crate) fn follow(&self, pid: u32) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.runs.insert(pid, Peak::default());
        seen.started.push(pid);
    }

    /// Stops looking at a process; the most that was seen of it.
    pub(crate) fn leave(&self, pid: u32) -> Peak {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.runs.remove(&pid).unwrap_or_default()
    }

    /// The most that all processes together had at one moment since this was last asked, in bytes.
    pub(crate) fn take_all_bytes(&self) -> u64 {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut seen.all_bytes)
    }

    /// Waits until no process that was ever followed is there any more.
    pub(crate) async fn wait_gone(&self, limit: Duration) {
        let started = self.seen.lock().unwrap_or_else(PoisonError::into_inner).started.clone();
        let end = Instant::now() + limit;
        while started.iter().any(|pid| place(*pid).exists()) && Instant::now() < end {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

fn look(seen: &Mutex<Seen>) {
    let pids: Vec<u32> = {
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.runs.keys().copied().collect()
    };
    let looks: Vec<(u32, u64, u64)> =
        pids.into_iter().map(|pid| (pid, figure(pid, "VmHWM:"), resident(pid))).collect();
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.all_bytes = seen.all_bytes.max(looks.iter().map(|(_, _, run)| run).sum());
    for (pid, own, run) in looks {
        if let Some(peak) = seen.runs.get_mut(&pid) {
            peak.own_bytes = peak.own_bytes.max(own);
            peak.run_bytes = peak.run_bytes.max(run);
        }
    }
}

fn place(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

/// Resident bytes of a process and of all below it.
fn resident(pid: u32) -> u64 {
    let (mut bytes, mut left) = (0, vec![pid]);
    while let Some(pid) = left.pop() {
        bytes += figure(pid, "VmRSS:");
        let threads = fs::read_dir(place(pid).join("task")).into_iter().flatten().flatten();
        let lists = threads.map(|thread| fs::read_to_string(thread.path().join("children")));
        for list in lists.map(Result::unwrap_or_default) {
            left.extend(list.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    bytes
}

/// A figure of a process's status (proc(5)), in bytes; 0 for one that has ended.
fn figure(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(place(pid).join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_one_that_is_not_there_has_none() {
        let own = std::process::id();
        assert!(figure(own, "VmHWM:") >= 1 << 20);
        assert!(resident(own) >= 1 << 20);
        assert_eq!((figure(u32::MAX, "VmRSS:"), resident(u32::MAX)), (0, 0));
    }
}
