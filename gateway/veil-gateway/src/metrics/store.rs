//! What the store takes, and how it fails.
//!
//! Owns the counters of reads by how they ended. Refuses to know which object was read.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::family::{Families, In, Value};
use super::histogram::{Histogram, Snapshot};

/// How a read of the store ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreRead {
    /// With an object.
    Found,
    /// There is no such object.
    Absent,
    /// With an error.
    Failed,
    /// Not within its time.
    Late,
    /// The object began and was cut short.
    Broken,
}

impl StoreRead {
    const ALL: [Self; 5] = [Self::Found, Self::Absent, Self::Failed, Self::Late, Self::Broken];

    /// The word in labels and JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Absent => "absent",
            Self::Failed => "failed",
            Self::Late => "late",
            Self::Broken => "broken",
        }
    }
}

/// Counts reads of one bucket.
#[derive(Debug, Default)]
pub(crate) struct StoreMeter {
    reads: [AtomicU64; StoreRead::ALL.len()],
    answers: Histogram,
}

impl StoreMeter {
    /// Counts an answer, or that there was none, after `took`.
    pub(crate) fn answered(&self, read: StoreRead, took: Duration) {
        self.reads[read as usize].fetch_add(1, Relaxed);
        self.answers.record(took);
    }

    /// Counts a body that did not keep its promise.
    pub(crate) fn broken(&self) {
        self.reads[StoreRead::Broken as usize].fetch_add(1, Relaxed);
    }

    /// Reads by how they ended.
    pub(crate) fn reads(&self) -> [(StoreRead, u64); StoreRead::ALL.len()] {
        StoreRead::ALL.map(|read| (read, self.reads[read as usize].load(Relaxed)))
    }

    /// How long the store took to begin to answer.
    pub(crate) fn answers(&self) -> Snapshot {
        self.answers.snapshot()
    }

    /// Adds these counters.
    #[allow(clippy::cast_precision_loss, reason = "counts, far below 2⁵²")]
    pub(crate) fn collect(&self, families: &mut Families) {
        let what = ("veilcast_store_reads", In::Count, "Reads of the bucket, by how they ended.");
        let read = |(read, count): (StoreRead, u64)| {
            (vec![("outcome", read.word().to_owned())], Value::Counter(count as f64))
        };
        families.add(what, self.reads().map(read));
        let help = "Time until the bucket began to answer.";
        let what = ("veilcast_store_answer_duration", In::Seconds, help);
        families.add(what, [(Vec::new(), Value::Histogram(self.answers()))]);
    }
}
