//! A progress bar on standard error, when that is a terminal.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::watch;
use veil_studio::pipeline::ImportProgress;

const TEMPLATE: &str = "{msg:10} {wide_bar} {percent:>3}%  {prefix}  {eta_precise} left";

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
