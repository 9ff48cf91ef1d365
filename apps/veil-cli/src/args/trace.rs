//! The command line of traces.

use std::path::PathBuf;

use clap::Args;

use super::turns::TurnArgs;

pub(crate) const TRACE_EXAMPLES: &str = "\
Examples:
  veilcast trace leaked.mp4                        find the title, and whose copy it is
  veilcast trace leaked.mp4 --title Screener       of a title that you know
  veilcast trace leaked.mp4 -o report.html         with a report for others to read

Nobody is named but where the probability that anybody innocent is named is below --epsilon, whatever the file shows.";

/// `veilcast trace`.
#[derive(Args, Debug)]
pub(crate) struct TraceArgs {
    /// The leak; it is only read
    pub(crate) leak: PathBuf,
    /// The title that it is of, by name or id [default: the one that it looks like]
    #[arg(long, value_name = "T")]
    pub(crate) title: Option<String>,
    /// The highest probability with which an innocent viewer may be named, at most 0.01
    #[arg(long, value_name = "P", default_value_t = veil_studio::trace::EPSILON)]
    pub(crate) epsilon: f64,
    /// Write a report that needs nothing but a browser
    #[arg(short, long = "output", value_name = "OUT.html")]
    pub(crate) output: Option<PathBuf>,
    /// Overwrite OUT if it is there
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) turns: TurnArgs,
}
