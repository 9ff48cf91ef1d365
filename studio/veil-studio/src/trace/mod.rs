//! Traces: whose copy a leak was made of.
//!
//! The order is `examine`'s: what the file is (`leak`), which title it may be of (`scout`, by `likeness` and `matching`), what its mark says
//! (`hearing`), whom that accuses, and a [`Report`], which `page` makes a document of. Guide: `docs/guides/tracing.md`.
//!
//! Refuses to know: how marks are made and read (`veil-stego`), FFmpeg (`veil-ffmpeg`), the command line.
//!
//! Invariants: nobody is named but below the bound that was asked for; memory doesn't grow with the length of a leak but by what a reader
//! keeps of it; the leak is only read, and dropping the future stops everything.

mod bars;
mod examine;
mod hearing;
mod leak;
pub mod likeness;
pub mod matching;
pub mod page;
pub mod report;
mod scout;
mod stills;

use std::path::PathBuf;
use std::time::Duration;

pub use report::{Report, Verdict};
pub use stills::Still;

/// The usual bound: one in a million.
pub const EPSILON: f64 = 1e-6;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// What is to be traced.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceRequest {
    /// The leak; it is only read.
    pub leak: PathBuf,
    /// The title that it is of, by name or id; `None` to find out.
    pub title: Option<String>,
    /// The highest probability with which an innocent viewer may be named, above 0 and at most [`EPSILON_MAX`].
    pub epsilon: f64,
}

/// The weakest bound: nobody is to be named by a coin.
pub const EPSILON_MAX: f64 = 0.01;

/// How far a trace is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceProgress {
    /// What is being done, for a person.
    pub step: &'static str,
    /// Microseconds of the leak that are done in this step.
    pub done_us: u64,
    /// Microseconds of the leak that there are to do in it; 0 where that isn't known.
    pub total_us: u64,
}
