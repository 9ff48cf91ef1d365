//! A progress bar on standard error, when that is a terminal.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::watch;
use veil_studio::hide::HideProgress;
use veil_studio::make::MakeProgress;
use veil_studio::pipeline::ImportProgress;
use veil_studio::trace::TraceProgress;
use veil_studio::transfer::TransferProgress;

use crate::output::note;

const TEMPLATE: &str = "{msg:10} {wide_bar} {percent:>3}%  {prefix}  {eta_precise} left";

const TRACE_TEMPLATE: &str = "{msg:22} {wide_bar} {percent:>3}%  {eta_precise} left";

const BYTES_TEMPLATE: &str = "{msg:9} {wide_bar} {percent:>3}%  {decimal_bytes} of {decimal_total_bytes}  \
                              {decimal_bytes_per_sec}  {eta_precise} left";
const FRAMES_TEMPLATE: &str =
    "{msg:9} {wide_bar} {percent:>3}%  {pos} of {len} frames  {per_sec}  {eta_precise} left";
const STREAM_TEMPLATE: &str = "{msg:8} {spinner} {decimal_bytes}  {decimal_bytes_per_sec}";
/// How often the bar of a stream of bytes is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// Does work that counts the bytes it has moved, and shows how far it is.
pub(crate) fn moving<T>(
    what: &'static str,
    total: Option<u64>,
    work: impl FnOnce(&AtomicU64) -> T,
) -> T {
    let moved = AtomicU64::new(0);
    if !std::io::stderr().is_terminal() {
        return work(&moved);
    }
    let (done, ended) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(|| {
            let ended = ended;
            let mut bar = None;
            while ended.recv_timeout(DRAW_EVERY) == Err(RecvTimeoutError::Timeout) {
                let bar = bar.get_or_insert_with(|| bytes_bar(what, total));
                bar.set_position(moved.load(Ordering::Relaxed));
            }
            bar.iter().for_each(ProgressBar::finish_and_clear);
        });
        let result = work(&moved);
        drop(done);
        result
    })
}

fn bytes_bar(what: &'static str, total: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    let template = if total.is_some() { BYTES_TEMPLATE } else { STREAM_TEMPLATE };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}

/// Shows how far a copy is until it is done.
pub(crate) async fn show_transfer(mut updates: watch::Receiver<TransferProgress>) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let bar = bytes_bar("", Some(0));
    bar.enable_steady_tick(DRAW_EVERY);
    loop {
        let state = *updates.borrow_and_update();
        bar.set_message(state.step);
        bar.set_length(state.total_bytes.max(1));
        bar.set_position(state.done_bytes);
        if updates.changed().await.is_err() {
            break;
        }
    }
    bar.finish_and_clear();
}

/// Shows an import's progress until it is done.
pub(crate) async fn show(mut updates: watch::Receiver<ImportProgress>) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    loop {
        let state = *updates.borrow_and_update();
        bar.set_message(state.step.to_string());
        bar.set_length(state.duration_us.max(1));
        bar.set_position(state.done_us.min(state.duration_us));
        bar.set_prefix(format!("{:.0} fps", state.fps));
        if updates.changed().await.is_err() {
            break;
        }
    }
    bar.finish_and_clear();
}

/// Shows a trace's progress until it is done.
pub(crate) async fn show_trace(mut updates: watch::Receiver<TraceProgress>) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(TRACE_TEMPLATE) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    let mut step = "";
    loop {
        let state = *updates.borrow_and_update();
        if state.step != step {
            step = state.step;
            bar.set_message(step);
            bar.reset();
        }
        bar.set_length(state.total_us.max(1));
        bar.set_position(state.done_us.min(state.total_us));
        if updates.changed().await.is_err() {
            break;
        }
    }
    bar.finish_and_clear();
}

/// A run whose steps are counted in frames.
pub(crate) trait Frames: Copy {
    /// What is done.
    fn step(self) -> &'static str;
    /// Frames that are done, and all of them; 0 while their number isn't known.
    fn frames(self) -> (u64, u64);
}

impl Frames for HideProgress {
    fn step(self) -> &'static str {
        self.step
    }

    fn frames(self) -> (u64, u64) {
        (self.frames, self.total_frames)
    }
}

impl Frames for MakeProgress {
    fn step(self) -> &'static str {
        self.step
    }

    fn frames(self) -> (u64, u64) {
        (self.frames, self.total_frames)
    }
}

/// Shows how many frames are done until all are, and how many runs are before this one while it waits. Returns how long it waited for them.
pub(crate) async fn show_frames<P: Frames>(
    mut updates: watch::Receiver<P>,
    mut before: watch::Receiver<usize>,
) -> Duration {
    let shown = std::io::stderr().is_terminal();
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(FRAMES_TEMPLATE) {
        bar.set_style(style);
    }
    if shown {
        bar.enable_steady_tick(DRAW_EVERY);
    }
    let (mut step, mut told) = ("", 0);
    let (mut since, mut waited) = (None, Duration::ZERO);
    loop {
        let waiting = *before.borrow_and_update();
        if waiting > 0 && waiting != told {
            let runs = if waiting == 1 { "run" } else { "runs" };
            bar.suspend(|| note(&format!("waiting: {waiting} {runs} before this one")));
        }
        match (waiting, since) {
            (0, Some(begun)) => (waited, since) = (waited + Instant::elapsed(&begun), None),
            (1.., None) => since = Some(Instant::now()),
            _ => {}
        }
        told = waiting;
        let state = *updates.borrow_and_update();
        if state.step() != step {
            step = state.step();
            bar.set_message(step);
            bar.reset();
        }
        let (frames, total_frames) = state.frames();
        bar.set_length(total_frames.max(1));
        bar.set_position(frames);
        tokio::select! {
            changed = updates.changed() => if changed.is_err() { break },
            // It can't end before the run does.
            _ = before.changed() => {}
        }
    }
    bar.finish_and_clear();
    waited + since.map_or(Duration::ZERO, |begun| begun.elapsed())
}
