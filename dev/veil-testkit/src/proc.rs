//! Running processes as `/proc` lists them: who is whose child, and who is still there.
//!
//! A process is known by its id *and* its start time, so that a number that the kernel gives away again is
//! not mistaken for the old process. A zombie counts as gone: it runs nothing, and who reaps it is not ours to say.

use std::collections::HashMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Longest name that `/proc/<pid>/stat` gives (`TASK_COMM_LEN` less its zero).
const NAME_LIMIT_BYTES: usize = 15;

/// How often [`wait_gone`] looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// One process at the moment when it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Process id of the parent.
    pub parent: u32,
    /// Process group.
    pub group: u32,
    /// Start time in clock ticks since the machine started.
    pub started_ticks: u64,
    /// Name of the program, cut to 15 bytes by the kernel.
    pub name: String,
    zombie: bool,
}

impl Process {
    /// Tells whether this same process still runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        process(self.pid).is_some_and(|now| now.started_ticks == self.started_ticks)
    }

    /// Parses one `/proc/<pid>/stat` line (proc(5)); the name is in brackets and may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let (pid, rest) = stat.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Self {
            pid: pid.parse().ok()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            started_ticks: fields.get(19)?.parse().ok()?,
            name: name.to_owned(),
            zombie: matches!(*fields.first()?, "Z" | "X"),
        })
    }
}

/// Returns the running process with this id, if there is one.
#[must_use]
pub fn process(pid: u32) -> Option<Process> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    Process::parse(&String::from_utf8_lossy(&stat)).filter(|found| !found.zombie)
}

/// Returns the children of `pid`, their children and so on, parents first.
#[must_use]
pub fn descendants(pid: u32) -> Vec<Process> {
    let mut children: HashMap<u32, Vec<Process>> = HashMap::new();
    for found in processes() {
        children.entry(found.parent).or_default().push(found);
    }
    let mut found = children.remove(&pid).unwrap_or_default();
    let mut next = 0;
    while next < found.len() {
        found.extend(children.remove(&found[next].pid).unwrap_or_default());
        next += 1;
    }
    found
}

/// Returns every running process of this machine with this name.
///
/// Other tests, builds and people run programs too: prefer [`descendants`] where a parent is known.
#[must_use]
pub fn processes_named(name: &str) -> Vec<Process> {
    let wanted = name.as_bytes().get(..NAME_LIMIT_BYTES).unwrap_or(name.as_bytes());
    processes().filter(|found| found.name.as_bytes() == wanted).collect()
}

/// Waits until all of `processes` are gone, at most `limit`, and returns those that are not.
#[must_use]
pub fn wait_gone(processes: &[Process], limit: Duration) -> Vec<Process> {
    let end = Instant::now() + limit;
    loop {
        let left: Vec<_> = processes.iter().filter(|one| one.is_running()).cloned().collect();
        if left.is_empty() || Instant::now() >= end {
            return left;
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn processes() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(process)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_name_with_brackets_and_spaces_is_parsed() {
        let stat = "42 (a) b (c)) S 7 42 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 99 1 1";
        let parsed = Process::parse(stat).unwrap();
        assert_eq!((parsed.pid, parsed.parent, parsed.group), (42, 7, 42));
        assert_eq!((parsed.name.as_str(), parsed.started_ticks), ("a) b (c)", 99));
    }

    #[test]
    fn a_half_line_is_no_process() {
        assert_eq!(Process::parse("42 (sleep) S 7"), None);
    }

    #[test]
    fn a_child_of_a_child_is_listed_below_this_process_and_then_gone() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 60 & echo; wait"]).stdout(std::process::Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        std::io::Read::read_exact(shell.stdout.as_mut().unwrap(), &mut [0]).unwrap();

        let below = descendants_with("sleep", Duration::from_secs(5));
        let names: Vec<&str> = below.iter().map(|one| one.name.as_str()).collect();
        assert!(names.contains(&"sh") && names.contains(&"sleep"), "{names:?}");

        let sleeper = below.iter().find(|one| one.name == "sleep").unwrap();
        assert!(sleeper.is_running());
        Command::new("kill").arg(sleeper.pid.to_string()).status().unwrap();
        shell.wait().unwrap();
        assert_eq!(wait_gone(&below, Duration::from_secs(5)), []);
    }

    /// Looks until a child is there by this name: between fork and exec it still has its parent's.
    fn descendants_with(name: &str, limit: Duration) -> Vec<Process> {
        let end = Instant::now() + limit;
        loop {
            let below = descendants(std::process::id());
            if below.iter().any(|one| one.name == name) || Instant::now() >= end {
                return below;
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    #[test]
    fn an_unreaped_child_counts_as_gone() {
        let mut child = Command::new("true").spawn().unwrap();
        let listed = process(child.id());
        assert_eq!(wait_gone(&listed.into_iter().collect::<Vec<_>>(), Duration::from_secs(5)), []);
        child.wait().unwrap();
    }

    #[test]
    fn a_long_name_is_found_by_its_first_fifteen_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("veil-testkit-long-name");
        fs::copy("/bin/sleep", &program).unwrap();
        let mut child = Command::new(&program).arg("60").spawn().unwrap();
        let found = processes_named("veil-testkit-long-name");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.iter().any(|one| one.pid == child.id()), "{found:?}");
    }
}
