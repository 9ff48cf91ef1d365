//! `veilcast stress`: many people hide and reveal at once; a report, a chart, and a verdict on memory.

use std::ffi::OsString;
use std::fs;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::stress::{Resolution, StressArgs};
use crate::commands::import::encoder;
use crate::commands::stop_signal;
use crate::error::CliError;
use crate::output::{self, Format, note};
use crate::stress::memory::Memory;
use crate::stress::report::{Machine, Report};
use crate::stress::{Plan, Row, Watcher, chart, run};
use crate::turns;

/// How long processes may take to end when the test is stopped.
const STOP_LIMIT: Duration = Duration::from_secs(10);

const TEMPLATE: &str = "{msg:18} {wide_bar} {percent:>3}%  {prefix} left";

pub(crate) async fn run_stress(
    args: &StressArgs,
    data: Option<&Path>,
    format: Format,
) -> Result<(), CliError> {
    let turns = turns::open(&args.budget, false, data)?;
    let encoder = encoder().await?;
    let program = std::env::current_exe()
        .map_err(|error| CliError::new(format!("cannot find this program's own file: {error}")))?;
    let plan = Plan {
        resolutions: args.resolutions.clone(),
        users: args.users.clone(),
        repeats: Plan::repeats_of(args.minutes),
        threads: args.threads.get(),
        budget: turns.budget(),
        program,
        sharing: sharing(&turns),
    };
    let was_there = args.output.is_dir();
    let stopped = work(args, &plan, &encoder).await;
    let rows = match stopped {
        Ok(rows) => rows,
        Err(error) => {
            if !was_there {
                // It holds nothing; where it does, it stays.
                let _ = fs::remove_dir(&args.output);
            }
            return Err(error);
        }
    };
    let machine = Machine { processors: encoder.processors, ffmpeg: encoder.tools.version };
    let report = Report::new(&plan, machine, rows);
    write(&args.output, &report)?;
    format.answer(&report, || text(&report, &args.output));
    if report.held {
        return Ok(());
    }
    Err(CliError::new("a bound broke, or somebody's payload did not come out again")
        .hint(format!("{} says which", args.output.join("report.md").display())))
}

async fn work(
    args: &StressArgs,
    plan: &Plan,
    encoder: &veil_studio::pipeline::Encoder,
) -> Result<Vec<Row>, CliError> {
    let unusable = |error: std::io::Error| {
        CliError::new(format!("cannot use {}: {error}", args.output.display()))
    };
    fs::create_dir_all(&args.output).map_err(unusable)?;
    let folder = args.output.canonicalize().map_err(unusable)?;
    let room = tempfile::Builder::new().prefix(".stress-").tempdir_in(&folder);
    let room = room.map_err(unusable)?;
    let stat = rustix::fs::statvfs(&folder).map_err(|error| unusable(error.into()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if free < plan.disk_bytes() {
        let bytes = |count: u64| output::bytes(i64::try_from(count).unwrap_or(i64::MAX));
        let (needed, free) = (bytes(plan.disk_bytes()), bytes(free));
        return Err(CliError::new(format!(
            "the clips may need {needed}, and {} has {free}",
            folder.display()
        ))
        .hint("name another folder with -o, or take fewer --users or --minutes"));
    }
    let memory = Arc::new(Memory::new());
    let shown = Arc::new(Shown::new(plan));
    let watcher: Arc<dyn Watcher> = Arc::clone(&shown) as _;
    let rows = tokio::select! {
        rows = run(plan, encoder, room.path(), &memory, &watcher) => Some(rows),
        _ = stop_signal() => None,
    };
    shown.bar.finish_and_clear();
    // Nothing is removed under the hands of a process that still writes.
    memory.wait_gone(STOP_LIMIT).await;
    room.close().map_err(unusable)?;
    rows.ok_or_else(|| CliError::new("the stress test was stopped; nothing was kept"))?
}

/// The same budget and the same line for all runs, and for whoever else uses the machine.
fn sharing(turns: &veil_studio::turns::Turns) -> Vec<OsString> {
    let budget = turns.budget();
    vec![
        "--budget-dir".into(),
        turns.folder().into(),
        "--memory-budget".into(),
        budget.memory_bytes.to_string().into(),
        "--core-budget".into(),
        budget.cores.to_string().into(),
    ]
}

fn write(folder: &Path, report: &Report) -> Result<(), CliError> {
    let json = serde_json::to_string_pretty(report).unwrap_or_default();
    let files = [
        ("report.json", json),
        ("report.md", report.markdown()),
        ("chart.svg", chart::svg(&report.rows)),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text)
            .map_err(|error| CliError::new(format!("cannot write {}: {error}", path.display())))?;
    }
    Ok(())
}

fn text(report: &Report, folder: &Path) -> String {
    let verdict = if report.held { "every bound held" } else { "not every bound held" };
    format!("{}\n{verdict}; the report is in {}", report.table(), folder.display())
}

/// Progress: a bar on a terminal, and a line for each combination in any case.
struct Shown {
    bar: ProgressBar,
    total: u64,
    done: AtomicU64,
    begun: Instant,
}

impl Shown {
    fn new(plan: &Plan) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(plan.work()), target);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        bar.set_prefix("?");
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, total: plan.work(), done: AtomicU64::new(0), begun: Instant::now() }
    }

    /// How long the rest takes if it goes on like this.
    fn left(&self) -> String {
        let done = self.done.load(Ordering::Relaxed);
        if done == 0 {
            return "?".to_owned();
        }
        let left = self.total.saturating_sub(done) as f64 / done as f64;
        let seconds = (self.begun.elapsed().as_secs_f64() * left).round();
        #[expect(clippy::cast_possible_truncation, reason = "weeks at most")]
        let us = (seconds * 1e6) as i64;
        output::duration(us)
    }
}

impl Watcher for Shown {
    fn making(&self, resolution: Resolution) {
        self.bar.set_message(format!("{resolution}: a clip"));
    }

    fn did(&self, work: u64) {
        let done = self.done.fetch_add(work, Ordering::Relaxed) + work;
        self.bar.set_position(done);
        self.bar.set_prefix(self.left());
    }

    fn finished(&self, row: &Row) {
        let Row { resolution, users, carried, .. } = row;
        let verdict = if row.failures.is_empty() { "" } else { ", FAILED" };
        self.bar.set_message(format!("{resolution}, {users} users"));
        self.bar.suspend(|| {
            note(&format!(
                "{resolution}, {users} users: {carried} carried, {:.0} frames/s, {} MB a process{verdict}; about {} left",
                row.hide.frames_per_s,
                row.hide.own_bytes.div_ceil(1_000_000),
                self.left(),
            ));
        });
    }
}
