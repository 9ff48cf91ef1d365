//! Cores that don't sleep, for benches of many short waits: under a hypervisor waking a core takes longer than the work.

use std::process::{Child, Command, Stdio};
use std::thread;

use crate::failure::{During, Outcome};

/// Keeps every core from sleeping, with loops that yield to whatever else wants to run; ends them when dropped.
pub(super) struct Awake(Vec<Child>);

impl Awake {
    pub(super) fn keep() -> Outcome<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let mut awake = Self(Vec::new());
        for _ in 0..cores {
            let mut command = Command::new("chrt");
            command.args(["--idle", "0", "sh", "-c", "while :; do :; done"]);
            awake.0.push(command.stdin(Stdio::null()).spawn().during("starting chrt")?);
        }
        Ok(awake)
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_cores_awake_ends_with_its_guard() {
        let awake = Awake::keep().unwrap();
        let ids: Vec<u32> = awake.0.iter().map(Child::id).collect();
        assert!(!ids.is_empty());
        drop(awake);
        for id in ids {
            assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
        }
    }
}
