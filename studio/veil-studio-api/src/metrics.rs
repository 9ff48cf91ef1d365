//! Figures of requests and of this process.
//!
//! Owns: counters by route pattern (whatever clients send, there are as many as routes), times in steps of a quarter octave, the last slow
//! requests, and what `/proc` says of this process and of those below it. Refuses to know: who asked.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::wire::desk::{ChildProcess, RouteFigures, SlowRequest};

/// The first step of times, in seconds, and how many there are: up to five minutes.
const STEP_FIRST_S: f64 = 20e-6;
const STEPS: usize = 96;
/// How many slow requests are kept, and what is slow.
const SLOW_MAX: usize = 50;
const SLOW: Duration = Duration::from_millis(500);
/// Most routes that are counted.
const ROUTES_MAX: usize = 128;
/// Ticks of a second in `/proc` (`USER_HZ` of every Linux).
const TICKS_A_SECOND: u64 = 100;
/// The size of a page of memory where `/proc` counts pages.
const PAGE_BYTES: u64 = 4096;

/// Figures of requests.
pub(crate) struct Metrics {
    began: Instant,
    routes: Mutex<BTreeMap<String, Route>>,
    slow: Mutex<VecDeque<SlowRequest>>,
}

struct Route {
    count: u64,
    errors: u64,
    max: Duration,
    steps: [u64; STEPS],
}

impl Default for Route {
    fn default() -> Self {
        Self { count: 0, errors: 0, max: Duration::ZERO, steps: [0; STEPS] }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self { began: Instant::now(), routes: Mutex::default(), slow: Mutex::default() }
    }
}

impl Metrics {
    /// Seconds since the beginning.
    pub(crate) fn uptime_s(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    /// Counts a request that was answered after `took`.
    pub(crate) fn count(&self, route: &str, status: u16, took: Duration) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if !routes.contains_key(route) && routes.len() >= ROUTES_MAX {
            return;
        }
        let one = routes.entry(route.to_owned()).or_default();
        one.count += 1;
        one.errors += u64::from(status >= 500);
        one.max = one.max.max(took);
        if let Some(step) = one.steps.get_mut(step(took)) {
            *step += 1;
        }
        drop(routes);
        if took >= SLOW {
            let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let mut slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
            slow.truncate(SLOW_MAX - 1);
            slow.push_front(SlowRequest { route: route.to_owned(), at, status, ms: ms(took) });
        }
    }

    /// All routes, by name.
    pub(crate) fn routes(&self) -> Vec<RouteFigures> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = |(name, one): (&String, &Route)| RouteFigures {
            route: name.clone(),
            count: one.count,
            errors: one.errors,
            p50_ms: one.quantile(0.5),
            p95_ms: one.quantile(0.95),
            p99_ms: one.quantile(0.99),
            max_ms: ms(one.max),
        };
        routes.iter().map(figures).collect()
    }

    /// The last slow requests, newest first.
    pub(crate) fn slow(&self) -> Vec<SlowRequest> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Route {
    /// The end of the step in which the quantile lies, in milliseconds; no more than the longest.
    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    fn quantile(&self, part: f64) -> f64 {
        let wanted = self.count as f64 * part;
        let mut seen = 0;
        for (at, count) in self.steps.iter().enumerate() {
            seen += count;
            if seen as f64 >= wanted && seen > 0 {
                return (end_s(at) * 1e3).min(ms(self.max));
            }
        }
        ms(self.max)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn step(took: Duration) -> usize {
    let steps = (took.as_secs_f64() / STEP_FIRST_S).log2() * 4.0;
    steps.ceil().clamp(0.0, (STEPS - 1) as f64) as usize
}

fn end_s(step: usize) -> f64 {
    STEP_FIRST_S * (f64::from(u32::try_from(step).unwrap_or(0)) / 4.0).exp2()
}

fn ms(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}

/// What `/proc` says of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) name: String,
    parent: u32,
    pub(crate) cpu_ms: u64,
    pub(crate) children_cpu_ms: u64,
    pub(crate) threads: u64,
    pub(crate) rss_bytes: u64,
}

impl Process {
    /// One line of `/proc/<pid>/stat` (proc(5)); the name is in brackets and may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let (_, rest) = stat.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let cpu = |at: usize| Some((number(at)? + number(at + 1)?) * 1000 / TICKS_A_SECOND);
        Some(Self {
            name: name.to_owned(),
            parent: u32::try_from(number(1)?).ok()?,
            cpu_ms: cpu(11)?,
            children_cpu_ms: cpu(13)?,
            threads: number(17)?,
            rss_bytes: number(21)? * PAGE_BYTES,
        })
    }

    /// This process, and the most memory that it held.
    pub(crate) fn own() -> (Self, u64) {
        let own = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| Self::parse(&stat));
        let own = own.unwrap_or_default();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak =
            peak.and_then(|text| text.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        let peak = peak.map_or(own.rss_bytes, |kib| kib << 10);
        (own, peak)
    }

    /// All that runs below this process.
    pub(crate) fn below() -> Vec<ChildProcess> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let all: BTreeMap<u32, Self> = entries
            .filter_map(|entry| {
                let pid = entry.file_name().to_str()?.parse().ok()?;
                let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
                Some((pid, Self::parse(&stat)?))
            })
            .collect();
        let own = std::process::id();
        let is_below = |pid: &u32| {
            let mut at = all.get(pid).map(|one| one.parent);
            // No chain of parents is longer than all processes are.
            (0..all.len()).any(|_| {
                let found = at == Some(own);
                at = at.and_then(|pid| all.get(&pid)).map(|one| one.parent);
                found
            })
        };
        let below = all.iter().filter(|(pid, _)| is_below(pid));
        let child = |(_, one): (&u32, &Self)| ChildProcess {
            name: one.name.clone(),
            rss_bytes: one.rss_bytes,
            cpu_ms: one.cpu_ms,
        };
        below.map(child).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_within_a_fifth_of_what_was_counted() {
        let metrics = Metrics::default();
        for number in 1..=100 {
            metrics.count("GET /a", 200, Duration::from_millis(number));
        }
        metrics.count("GET /a", 500, Duration::from_millis(700));
        let [route] = &metrics.routes()[..] else { panic!() };
        assert_eq!((route.count, route.errors), (101, 1));
        let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 0.2;
        assert!(near(route.p50_ms, 51.0) && near(route.p95_ms, 96.0), "{route:?}");
        assert!((route.max_ms - 700.0).abs() < 0.01);
        assert_eq!(metrics.slow().len(), 1);
    }

    #[test]
    fn routes_and_slow_requests_are_bounded() {
        let metrics = Metrics::default();
        for number in 0..ROUTES_MAX + 9 {
            metrics.count(&format!("GET /{number}"), 200, SLOW);
        }
        assert_eq!((metrics.routes().len(), metrics.slow().len()), (ROUTES_MAX, SLOW_MAX));
    }

    #[test]
    fn this_process_holds_memory_and_a_child_is_below_it() {
        let (own, peak) = Process::own();
        assert!(own.rss_bytes > 1 << 20 && peak >= own.rss_bytes && own.threads > 0);
    }
}
