//! What this process takes of its machine.
//!
//! Owns reading `/proc/self`, and the names that Prometheus's own clients give these figures. What
//! can't be read is left out: a figure that is missing is better than one that is made up.

use std::fs;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::family::{Families, In};

/// Memory, processor time and files of this process at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    /// Memory that is in RAM, in bytes.
    pub(crate) resident_bytes: Option<u64>,
    /// The largest `resident_bytes` so far, by the kernel's account.
    pub(crate) resident_peak_bytes: Option<u64>,
    /// Processor time of all threads, in seconds.
    pub(crate) cpu_s: f64,
    /// Open descriptors.
    pub(crate) open_fds: Option<u64>,
    /// Most descriptors that may be open.
    pub(crate) max_fds: Option<u64>,
    /// Threads.
    pub(crate) threads: Option<u64>,
}

impl Process {
    /// Looks at this process.
    #[allow(clippy::cast_precision_loss, reason = "seconds and nanoseconds, both far below 2⁵²")]
    pub(crate) fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let fds = fs::read_dir("/proc/self/fd").map(|fds| fds.count() as u64);
        Self {
            resident_bytes: field("VmRSS:").map(|kib| kib << 10),
            resident_peak_bytes: field("VmHWM:").map(|kib| kib << 10),
            cpu_s: cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9,
            // The one that reads the folder is not counted.
            open_fds: fds.ok().map(|count| count.saturating_sub(1)),
            max_fds: getrlimit(Resource::Nofile).current,
            threads: field("Threads:"),
        }
    }

    /// Adds the figures under Prometheus's names.
    #[allow(clippy::cast_precision_loss, reason = "bytes and counts, far below 2⁵²")]
    pub(crate) fn collect(&self, families: &mut Families) {
        let cpu = ("process_cpu", In::Seconds, "Processor time of all threads.");
        families
            .add(cpu, [(super::family::Labels::new(), super::family::Value::Counter(self.cpu_s))]);
        for (what, value) in [
            (("process_resident_memory", In::Bytes, "Memory in RAM."), self.resident_bytes),
            (("process_open_fds", In::Count, "Open file descriptors."), self.open_fds),
            (("process_max_fds", In::Count, "Most open file descriptors."), self.max_fds),
            (("process_threads", In::Count, "Threads."), self.threads),
        ] {
            if let Some(value) = value {
                families.gauge(what, value as f64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_time_files_and_threads() {
        let process = Process::now();
        assert!(process.resident_bytes.unwrap() > 1 << 20);
        assert!(process.resident_peak_bytes.unwrap() >= process.resident_bytes.unwrap() / 2);
        assert!(process.cpu_s > 0.0);
        assert!(process.open_fds.unwrap() >= 3);
        assert!(process.max_fds.unwrap() >= process.open_fds.unwrap());
        assert!(process.threads.unwrap() >= 1);
    }
}
