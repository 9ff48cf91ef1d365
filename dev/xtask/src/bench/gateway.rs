//! `gateway`: signed playlists over loopback, both ends on this machine's cores.
//!
//! A bucket of 10,000 titles ([`bucket`]) behind the release gateway, its access log written to a file. Measured are the
//! most playlists a second, times at half the rate that is aimed at, the time of one answer after the other on one
//! connection, and what the process takes: idle, and when every title has been asked for.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use veil_testkit::Spawned;

use super::awake::Awake;
use super::measure::median;
use super::verdict;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::failure::{During, Outcome, fail};
use crate::repo::Repo;
use crate::stop::Stop;
use load::{Figures, Load};

mod bucket;
mod floor;
mod load;

/// Turns of each load unless the command line says otherwise.
const TURNS: usize = 3;

/// How long a load runs, in seconds.
const LOAD_S: u32 = 8;

/// How long an idle process is watched.
const IDLE: Duration = Duration::from_secs(10);

/// How long the gateway may take to start, or to end.
const PATIENCE: Duration = Duration::from_secs(40);

/// Compressed playlists from the cache, a second.
const AIM_RATE: f64 = 15_000.0;

/// The slowest hundredth at half that rate, in microseconds.
const AIM_P99_US: f64 = 20_000.0;

/// Half of all answers on one connection, in microseconds.
const AIM_ONE_US: f64 = 60.0;

/// Memory, in MiB: idle, and with every title in play.
const AIM_IDLE_MIB: f64 = 20.0;
const AIM_FULL_MIB: f64 = 64.0;

/// Processor time of an idle process, in hundredths of one core.
const AIM_IDLE_CPU: f64 = 0.5;

const ADMIN: &str = "bench-bench-bench-bench-bench-bench";

/// Measures one gateway process from its start to its end.
pub(super) fn run(repo: &Repo, options: &BenchOptions, _: &Stop) -> Outcome<Value> {
    let oha = load::install(repo)?;
    let bucket = bucket::written(repo)?;
    let (mut gateway, address) = start(repo, &bucket)?;
    let load = Load::new(repo, oha, address);
    let idle = idle(gateway.id())?;
    let answer = load.hot()?;
    if answer.status != 200 {
        return Err(fail(format!("the gateway answers {}", answer.status)));
    }
    let bytes = answer.body.len();
    note(format_args!("the playlist: {bytes} bytes, {}", answer.encoding));
    let count = options.runs.unwrap_or(TURNS);
    let bare = load.at(floor::echo(bytes)?);
    let turns: Vec<Turn> =
        (1..=count).map(|turn| loads(&load, &bare, turn, count)).collect::<Outcome<_>>()?;
    let hot_mib = resident_mib(gateway.id())?;
    let walk = load.walk()?;
    let full_mib = resident_mib(gateway.id())?;
    let after_gc = collect_garbage(&load)?;
    gateway.terminate(PATIENCE).during("ending the gateway")?;
    let seen = Seen { turns, idle, hot_mib, full_mib, walk, after_gc };
    table(&rows(&seen));
    verdicts(&seen);
    Ok(figures(&seen, &answer.encoding, bytes))
}

/// The loads of one turn.
struct Turn {
    most: Figures,
    steady: Figures,
    awake: One,
    asleep: One,
}

/// One connection: of the gateway, and of a bare echo.
struct One {
    gateway: Figures,
    bare: Figures,
}

/// What an idle process takes.
struct Idle {
    mib: f64,
    cpu_percent: f64,
}

struct Seen {
    turns: Vec<Turn>,
    idle: Idle,
    hot_mib: f64,
    full_mib: f64,
    walk: Figures,
    after_gc: f64,
}

impl Seen {
    fn over(&self, figure: fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().map(figure))
    }
}

fn start(repo: &Repo, bucket: &Path) -> Outcome<(Spawned, SocketAddr)> {
    let dir = repo.target.join("bench");
    let credentials = dir.join("gateway-credentials.toml");
    private(
        &credentials,
        "access_key_id = \"BENCH\"\nsecret_access_key = \"0123456789abcdef0123456789abcdef\"\n",
    )?;
    let admin = dir.join("gateway-admin");
    private(&admin, ADMIN)?;
    // One grant is asked for thousands of times a second, which is what the limit is there to refuse.
    let config = dir.join("gateway.toml");
    private(&config, "[rate]\ngrant_per_s = 0\n")?;
    let log = dir.join("gateway.log");
    let log = File::create(&log).during(format_args!("making {}", log.display()))?;
    let mut command = repo.command(repo.bin_dir("release").join("veilcast-gateway"));
    command.args(["--listen", "127.0.0.1:0", "--bucket"]).arg(bucket).arg("--config").arg(config);
    command.arg("--credentials").arg(credentials).arg("--admin-token").arg(admin);
    let mut gateway =
        Spawned::start_with_stderr(&mut command, log.into()).during("starting the gateway")?;
    let ready = gateway.ready("listening", PATIENCE).during("starting the gateway")?;
    let url = ready["url"].as_str().and_then(|url| url.strip_prefix("http://"));
    let address = url.and_then(|address| address.parse().ok());
    Ok((gateway, address.ok_or_else(|| fail("the gateway names no address"))?))
}

fn private(path: &Path, text: &str) -> Outcome {
    let during = format!("writing {}", path.display());
    fs::write(path, text).during(&during)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).during(&during)
}

fn loads(load: &Load, bare: &Load, turn: usize, count: usize) -> Outcome<Turn> {
    note(format_args!("turn {turn} of {count}"));
    let most = load.most(LOAD_S)?;
    // A gateway that can't reach the aim would only queue at half of it.
    let steady = load.steady(AIM_RATE.min(most.rate) / 2.0, LOAD_S)?;
    let one =
        || Ok(One { gateway: load.one_by_one(LOAD_S / 2)?, bare: bare.one_by_one(LOAD_S / 2)? });
    let asleep = one()?;
    let awake = Awake::keep()?;
    let turn = Turn { most, steady, awake: one()?, asleep };
    drop(awake);
    Ok(turn)
}

/// Watches a process that nobody asks for anything.
fn idle(pid: u32) -> Outcome<Idle> {
    thread::sleep(Duration::from_secs(2));
    let (started, before) = (Instant::now(), cpu_s(pid)?);
    thread::sleep(IDLE);
    let cpu_percent = 100.0 * (cpu_s(pid)? - before) / started.elapsed().as_secs_f64();
    Ok(Idle { mib: resident_mib(pid)?, cpu_percent })
}

/// Processor time of all threads that there are, in seconds.
fn cpu_s(pid: u32) -> Outcome<f64> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).during("looking at the gateway")?;
    let texts =
        tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
    let nanoseconds = texts.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok());
    Ok(nanoseconds.sum::<f64>() / 1e9)
}

fn resident_mib(pid: u32) -> Outcome<f64> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).during("looking at the gateway")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| fail("the gateway's memory can't be read"))
}

/// Has the gateway give memory back, and returns what it keeps, in MiB.
fn collect_garbage(load: &Load) -> Outcome<f64> {
    let token = format!("Authorization: Bearer {ADMIN}");
    let answer = load.ask("POST /performance/gc", &[&token, "Content-Length: 0"])?;
    let said: Value = serde_json::from_slice(&answer.body).during("reading what was given back")?;
    let bytes = said["resident_bytes_after"].as_f64();
    bytes.map(|bytes| bytes / 1048576.0).ok_or_else(|| fail("/performance/gc tells no memory"))
}

fn rows(seen: &Seen) -> Vec<Vec<String>> {
    let row = |what: &str, value: String, aim: String| vec![what.to_owned(), value, aim];
    vec![
        row("", "median".into(), "aim".into()),
        row(
            "playlists a second, 64 connections",
            format!("{:.0}", seen.over(|turn| turn.most.rate)),
            format!("{AIM_RATE:.0}"),
        ),
        row(
            "at a steady rate of",
            format!("{:.0}", seen.over(|turn| turn.steady.rate)),
            format!("{:.0}", AIM_RATE / 2.0),
        ),
        row(
            "  nine hundred and ninety of a thousand within",
            format!("{:.2} ms", seen.over(|turn| turn.steady.p99_us) / 1e3),
            format!("{:.0} ms", AIM_P99_US / 1e3),
        ),
        row(
            "one connection, half within",
            microseconds(seen.over(|turn| turn.awake.gateway.p50_us)),
            microseconds(AIM_ONE_US),
        ),
        row("  a bare echo", microseconds(seen.over(|turn| turn.awake.bare.p50_us)), String::new()),
        row(
            "  cores asleep",
            microseconds(seen.over(|turn| turn.asleep.gateway.p50_us)),
            String::new(),
        ),
        row(
            "  a bare echo, cores asleep",
            microseconds(seen.over(|turn| turn.asleep.bare.p50_us)),
            String::new(),
        ),
        row("memory, idle", mib(seen.idle.mib), mib(AIM_IDLE_MIB)),
        row("memory after the loads", mib(seen.hot_mib), String::new()),
        row("memory, every title asked for", mib(seen.full_mib), mib(AIM_FULL_MIB)),
        row("memory, given back", mib(seen.after_gc), String::new()),
        row(
            "processor, idle",
            format!("{:.2} %", seen.idle.cpu_percent),
            format!("{AIM_IDLE_CPU} %"),
        ),
        row(
            "grants and playlists a second, every title once",
            format!("{:.0}", seen.walk.rate),
            String::new(),
        ),
    ]
}

fn microseconds(value: f64) -> String {
    format!("{value:.0} µs")
}

fn mib(value: f64) -> String {
    format!("{value:.1} MiB")
}

fn verdicts(seen: &Seen) {
    let rate = seen.over(|turn| turn.most.rate);
    verdict("playlists a second", rate >= AIM_RATE);
    let p99_us = seen.over(|turn| turn.steady.p99_us);
    verdict("times at half that rate", rate >= AIM_RATE && p99_us < AIM_P99_US);
    verdict("one connection", seen.over(|turn| turn.awake.gateway.p50_us) <= AIM_ONE_US);
    verdict("memory, idle", seen.idle.mib <= AIM_IDLE_MIB);
    verdict("memory, every title", seen.full_mib <= AIM_FULL_MIB);
    verdict("processor, idle", seen.idle.cpu_percent < AIM_IDLE_CPU);
}

fn figures(seen: &Seen, encoding: &str, bytes: usize) -> Value {
    json!({
        "bench": "gateway", "turns": seen.turns.len(),
        "playlist": { "encoding": encoding, "bytes": bytes },
        "median": {
            "rate": seen.over(|turn| turn.most.rate),
            "steady_rate": seen.over(|turn| turn.steady.rate),
            "steady_p50_us": seen.over(|turn| turn.steady.p50_us),
            "steady_p99_us": seen.over(|turn| turn.steady.p99_us),
            "one_p50_us": seen.over(|turn| turn.awake.gateway.p50_us),
            "one_p99_us": seen.over(|turn| turn.awake.gateway.p99_us),
            "one_bare_p50_us": seen.over(|turn| turn.awake.bare.p50_us),
            "one_asleep_p50_us": seen.over(|turn| turn.asleep.gateway.p50_us),
            "one_asleep_bare_p50_us": seen.over(|turn| turn.asleep.bare.p50_us)
        },
        "memory_mib": {
            "idle": seen.idle.mib, "after_loads": seen.hot_mib, "every_title": seen.full_mib,
            "given_back": seen.after_gc
        },
        "idle_cpu_percent": seen.idle.cpu_percent,
        "walk_rate": seen.walk.rate,
        "aim": {
            "rate": AIM_RATE, "steady_p99_us": AIM_P99_US, "one_p50_us": AIM_ONE_US,
            "idle_mib": AIM_IDLE_MIB, "every_title_mib": AIM_FULL_MIB, "idle_cpu_percent": AIM_IDLE_CPU
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processs_memory_and_time_are_read() {
        let pid = std::process::id();
        assert!(resident_mib(pid).unwrap() > 1.0);
        let before = cpu_s(pid).unwrap();
        let busy = Instant::now();
        while busy.elapsed() < Duration::from_millis(50) {}
        assert!(cpu_s(pid).unwrap() > before);
        assert!(cpu_s(u32::MAX).is_err());
    }

    #[test]
    fn every_figure_is_a_median_over_the_turns() {
        let figure = |rate| Figures { requests: 1.0, rate, p50_us: 10.0, p99_us: 20.0 };
        let one = || One { gateway: figure(2.0), bare: figure(2.0) };
        let turn =
            |rate| Turn { most: figure(rate), steady: figure(1.0), awake: one(), asleep: one() };
        let seen = Seen {
            turns: vec![turn(5.0), turn(90.0), turn(6.0)],
            idle: Idle { mib: 9.0, cpu_percent: 0.01 },
            hot_mib: 10.0,
            full_mib: 11.0,
            walk: figure(3.0),
            after_gc: 9.5,
        };
        let found = figures(&seen, "zstd", 7);
        assert_eq!(found["median"]["rate"], 6.0);
        assert_eq!(found["memory_mib"]["given_back"], 9.5);
        assert_eq!(rows(&seen)[1][1], "6");
    }
}
