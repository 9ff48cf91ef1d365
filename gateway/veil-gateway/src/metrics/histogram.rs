//! How long things take: counted into bins without a lock, read as buckets and as quantiles.
//!
//! Owns the bins: four to an octave from 16 µs to 67 s, so that a quantile is known to an eighth of
//! itself, and an addition to each of two atomics so that recording costs nanoseconds. Exporters get
//! one bucket an octave. Refuses to know what is measured.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The first octave begins at 2⁴ µs; what is shorter lies in bin 0.
const FIRST_OCTAVE: u32 = 4;

/// Octaves that have bins; the last ends at 2²⁶ µs (67 s), and what is longer is counted there.
const OCTAVE_COUNT: u32 = 22;

/// Bins of an octave, of equal width.
const BINS_PER_OCTAVE: u32 = 4;

const BIN_COUNT: usize = 1 + (OCTAVE_COUNT * BINS_PER_OCTAVE) as usize;

/// Durations, counted.
#[derive(Debug)]
pub(crate) struct Histogram {
    bins: [AtomicU64; BIN_COUNT],
    sum_us: AtomicU64,
}

/// What a histogram held at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    bins: Vec<u64>,
    sum_us: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { bins: [const { AtomicU64::new(0) }; BIN_COUNT], sum_us: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Counts one duration.
    pub(crate) fn record(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.bins[bin_of(us)].fetch_add(1, Relaxed);
        self.sum_us.fetch_add(us, Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            bins: self.bins.iter().map(|bin| bin.load(Relaxed)).collect(),
            sum_us: self.sum_us.load(Relaxed),
        }
    }
}

fn bin_of(us: u64) -> usize {
    if us < 1 << FIRST_OCTAVE {
        return 0;
    }
    let octave = us.ilog2();
    let within = (us >> (octave - 2)) & u64::from(BINS_PER_OCTAVE - 1);
    let bin = 1 + u64::from((octave - FIRST_OCTAVE) * BINS_PER_OCTAVE) + within;
    usize::try_from(bin).map_or(BIN_COUNT - 1, |bin| bin.min(BIN_COUNT - 1))
}

/// Where a bin ends, in seconds.
fn end_s(bin: usize) -> f64 {
    let Some(bin) = u32::try_from(bin).ok().and_then(|bin| bin.checked_sub(1)) else {
        return f64::from(1 << FIRST_OCTAVE) / 1e6;
    };
    let (octave, within) = (bin / BINS_PER_OCTAVE, bin % BINS_PER_OCTAVE);
    let begin_us = f64::from(1_u32 << (FIRST_OCTAVE + octave));
    begin_us * (1.0 + f64::from(within + 1) / f64::from(BINS_PER_OCTAVE)) / 1e6
}

impl Snapshot {
    /// How many durations were counted.
    pub(crate) fn count(&self) -> u64 {
        self.bins.iter().sum()
    }

    /// Their sum, in seconds.
    #[allow(clippy::cast_precision_loss, reason = "52 bits of microseconds are 142 years")]
    pub(crate) fn sum_s(&self) -> f64 {
        self.sum_us as f64 / 1e6
    }

    /// The ends of the buckets in seconds and how many durations fell into each; the last has no end.
    pub(crate) fn buckets(&self) -> Vec<(f64, u64)> {
        let per_bucket = BINS_PER_OCTAVE as usize;
        let (first, rest) = self.bins.split_at(1);
        let octaves = rest.chunks(per_bucket).enumerate();
        let octaves = octaves.map(|(at, bins)| (end_s((at + 1) * per_bucket), bins.iter().sum()));
        let mut buckets: Vec<_> = [(end_s(0), first[0])].into_iter().chain(octaves).collect();
        if let Some((end, _)) = buckets.last_mut() {
            *end = f64::INFINITY;
        }
        buckets
    }

    /// The duration that `share` (0 to 1) of all do not exceed, in seconds, to an eighth of itself;
    /// `None` where nothing was counted. Within a bin the durations are taken for evenly spread.
    #[allow(clippy::cast_precision_loss, reason = "counts stay far below 2⁵²")]
    pub(crate) fn quantile_s(&self, share: f64) -> Option<f64> {
        let rank = share * self.count() as f64;
        let mut below = 0.0;
        for (bin, count) in self.bins.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = *count as f64;
            if below + count >= rank {
                let begin = bin.checked_sub(1).map_or(0.0, end_s);
                return Some(begin + (end_s(bin) - begin) * ((rank - below) / count));
            }
            below += count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_follow_each_other_without_gap_and_every_duration_has_one() {
        let mut last = 0;
        for us in 0..200_000 {
            let bin = bin_of(us);
            assert!(bin == last || bin == last + 1, "{us}");
            last = bin;
            let seconds = Duration::from_micros(us).as_secs_f64();
            assert!(seconds < end_s(bin), "{us}");
            assert!(bin == 0 || seconds >= end_s(bin - 1), "{us}");
        }
        assert_eq!(bin_of(u64::MAX), BIN_COUNT - 1);
        assert!((end_s(BIN_COUNT - 1) - 67.108_864).abs() < 1e-9);
    }

    #[test]
    fn a_quantile_is_known_to_an_eighth() {
        let histogram = Histogram::default();
        assert_eq!(histogram.snapshot().quantile_s(0.5), None);
        for us in 1..=10_000 {
            histogram.record(Duration::from_micros(us));
        }
        let snapshot = histogram.snapshot();
        for (share, expected) in [(0.5, 0.005), (0.9, 0.009), (0.99, 0.0099)] {
            let found = snapshot.quantile_s(share).unwrap();
            assert!((found - expected).abs() < expected / 8.0, "{share}: {found}");
        }
        assert_eq!(snapshot.count(), 10_000);
        assert!((snapshot.sum_s() - 50.005).abs() < 1e-9);
    }

    #[test]
    fn buckets_count_everything_once() {
        let histogram = Histogram::default();
        for us in [0, 15, 16, 31, 32, 1 << 25, 1 << 26, u64::MAX >> 1] {
            histogram.record(Duration::from_micros(us));
        }
        let buckets = histogram.snapshot().buckets();
        assert_eq!(buckets.len(), 1 + OCTAVE_COUNT as usize);
        assert_eq!(buckets[..3].iter().map(|(_, count)| *count).collect::<Vec<_>>(), [2, 2, 1]);
        assert!((buckets[1].0 - 0.000_032).abs() < 1e-12);
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, 3)));
    }
}
