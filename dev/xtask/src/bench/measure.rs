//! Measuring a program while it runs: wall time, the peak memory of its own processes, and the FFmpeg commands it gives.
//!
//! Everything is read from `/proc` at intervals. Peaks are the kernel's own high-water marks (`VmHWM`), so one that
//! falls between two looks is not missed. A child that was forked and has not become another program yet
//! shares its parent's memory; it is told by its command line, which is still the parent's, and not counted twice.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, getpriority_process};
use veil_testkit::{Process, Spawned, descendants, process};

use crate::failure::{During, Outcome};
use crate::stop::{Ended, Stop};

/// Between two looks: each costs about a millisecond, and both sides of a comparison pay it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Programs that are FFmpeg's and not ours.
const FFMPEG: [&str; 2] = ["ffmpeg", "ffprobe"];

/// What was seen of a run.
#[derive(Debug)]
pub(super) struct Measured {
    /// From start to end.
    pub(super) wall: Duration,
    /// Sum of the peaks of our processes, FFmpeg's aside.
    pub(super) peak_bytes: u64,
    /// The FFmpeg processes.
    pub(super) ffmpeg: Vec<Given>,
    /// How it ended.
    pub(super) status: ExitStatus,
}

/// What FFmpeg was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// Its command line, without the program's name.
    pub(super) words: Vec<String>,
    /// How much nicer than we are it was told to be: its priority (nice value) less our own.
    pub(super) nicer: i32,
}

/// Runs `command` to its end; `None` when someone asked to stop.
pub(super) fn measure(command: &mut Command, stop: &Stop) -> Outcome<Option<Measured>> {
    let start = Instant::now();
    let mut program = Spawned::start_with_stderr(command, Stdio::inherit()).during("measuring")?;
    let id = program.id();
    let over = AtomicBool::new(false);
    let (ended, seen) = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(id, &over));
        let ended = stop.wait(&mut program).map(|ended| (ended, start.elapsed()));
        over.store(true, Ordering::Release);
        (ended, watcher.join().unwrap_or_default())
    });
    let (ended, wall) = ended?;
    let Ended::Child(status) = ended else { return Ok(None) };
    let peak_bytes = seen.peaks.values().sum();
    Ok(Some(Measured { wall, peak_bytes, ffmpeg: seen.ffmpeg.into_values().collect(), status }))
}

/// Processes by id and start time.
type ByProcess<T> = HashMap<(u32, u64), T>;

#[derive(Default)]
struct Seen {
    peaks: ByProcess<u64>,
    ffmpeg: ByProcess<Given>,
}

fn watch(id: u32, over: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    while !over.load(Ordering::Acquire) {
        let main = process(id);
        for one in main.into_iter().chain(descendants(id)) {
            seen.look(&one);
        }
        thread::sleep(LOOK_EVERY);
    }
    seen
}

impl Seen {
    fn look(&mut self, one: &Process) {
        let key = (one.pid, one.started_ticks);
        let Some(words) = words_of(one.pid) else { return };
        if FFMPEG.contains(&one.name.as_str()) {
            let words = words.into_iter().skip(1).collect();
            self.ffmpeg.entry(key).or_insert_with(|| Given { words, nicer: nicer(one.pid) });
            self.peaks.remove(&key);
        } else if words_of(one.parent).as_ref() != Some(&words) {
            let peak = self.peaks.entry(key).or_default();
            *peak = (*peak).max(peak_bytes(one.pid).unwrap_or(0));
        }
    }
}

/// Zero for a process that has gone.
fn nicer(pid: u32) -> i32 {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let theirs = pid.map(|pid| getpriority_process(Some(pid)));
    match (theirs, getpriority_process(None)) {
        (Some(Ok(theirs)), Ok(ours)) => theirs - ours,
        _ => 0,
    }
}

fn words_of(pid: u32) -> Option<Vec<String>> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words =
        line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let mut words: Vec<String> = words.collect();
    words.pop();
    Some(words)
}

fn peak_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Returns the middle value; of an even number of values the upper of the two in the middle.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    ranked(values, |count| count / 2)
}

/// Returns the smallest value that nine of ten do not exceed.
pub(super) fn upper_tenth(values: impl IntoIterator<Item = f64>) -> f64 {
    percentile(values, 90)
}

/// Returns the smallest value that so many of a hundred do not exceed.
pub(super) fn percentile(values: impl IntoIterator<Item = f64>, percent: usize) -> f64 {
    ranked(values, |count| (count * percent).div_ceil(100).saturating_sub(1))
}

/// The value at a rank among the sorted ones, from 0; not a number where there are none.
fn ranked(values: impl IntoIterator<Item = f64>, rank: impl FnOnce(usize) -> usize) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(rank(values.len())).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_ffmpeg_commands_of_a_tree_are_seen() {
        // The shell stays, holds 20 MB in a variable, and runs FFmpeg below itself.
        let script = "a=$(head -c 20000000 /dev/zero | tr '\\0' x); \
            nice -n 3 ffmpeg -nostdin -loglevel error -re -f lavfi -i anullsrc -t 1 -f null -; echo ${#a}";
        let mut shell = Command::new("sh");
        let stop = Stop::listen().unwrap();
        let measured = measure(shell.args(["-c", script]), &stop).unwrap().unwrap();
        assert!(measured.status.success());
        assert!(measured.wall >= Duration::from_millis(900), "{measured:?}");
        assert!((20_000_000..200_000_000).contains(&measured.peak_bytes), "{measured:?}");
        let [ffmpeg] = measured.ffmpeg.as_slice() else { panic!("{measured:?}") };
        let Given { words, nicer } = ffmpeg;
        assert_eq!((words[0].as_str(), words.last().unwrap().as_str()), ("-nostdin", "-"));
        assert_eq!(*nicer, 3);
    }

    #[test]
    fn the_median_is_not_moved_by_an_outlier() {
        assert!((median([3.0, 1.0, 99.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median([]).is_nan());
    }

    #[test]
    fn nine_of_ten_values_are_within_the_upper_tenth() {
        let upto = |last: u32| upper_tenth((1..=last).map(f64::from));
        assert_eq!([upto(1), upto(10), upto(15), upto(20)], [1.0, 9.0, 14.0, 18.0]);
        assert!(upper_tenth([]).is_nan());
    }
}
