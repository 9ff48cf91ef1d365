//! Why a run may not begin.

use std::io;
use std::path::PathBuf;

/// Why a run may not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TurnError {
    /// It needs more than all runs together may have.
    #[error(
        "this run needs {} MB of memory, and all runs together may have {} MB",
        needed_bytes.div_ceil(1_000_000),
        budget_bytes / 1_000_000
    )]
    Budget {
        /// What it needs.
        needed_bytes: u64,
        /// What there is.
        budget_bytes: u64,
    },
    /// Others are before it, and it must not wait.
    #[error("{} this one", runs_before(*before))]
    Busy {
        /// How many.
        before: usize,
    },
    /// The folder in which runs tell each other of themselves.
    #[error("cannot line up with other runs in {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl TurnError {
    /// What a person can do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Budget { .. } => "take fewer --threads, or raise --memory-budget",
            Self::Busy { .. } => "try again later, or wait for them without --no-wait",
            Self::Folder { .. } => "name another folder with VEILCAST_BUDGET_DIR",
        }
    }
}

/// `1 run before`, `2 runs before`.
fn runs_before(count: usize) -> String {
    if count == 1 { "1 run before".to_owned() } else { format!("{count} runs before") }
}
