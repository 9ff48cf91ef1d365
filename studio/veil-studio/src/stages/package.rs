//! Package: the encoder's pipe in, initialisation segment and media segments out.
//!
//! The cutting is `veil_hls::cmaf`; this reads the pipe and hands pieces on, one at a time, so that
//! memory holds a segment and no more. Knows nothing of keys or of the bucket.

use std::collections::VecDeque;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use veil_hls::cmaf::{Piece, SEGMENT_TARGET_US, Splitter};

use crate::StudioError;
use crate::manifest::SegmentFacts;

/// Bytes read from a pipe at once: the size of a Linux pipe.
const READ_BYTES: usize = 64 * 1024;

/// The pieces of one rendition, as they come out of the encoder.
pub struct Pieces<R> {
    pipe: R,
    buffer: Box<[u8]>,
    splitter: Option<Splitter>,
    ready: Vec<Piece>,
    queue: VecDeque<Piece>,
}

impl<R: AsyncRead + Unpin> Pieces<R> {
    /// Cuts what comes out of `pipe` into segments of about `target_us`.
    #[must_use]
    pub fn new(pipe: R, target_us: u64) -> Self {
        Self {
            pipe,
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
            splitter: Some(Splitter::new(target_us)),
            ready: Vec::new(),
            queue: VecDeque::new(),
        }
    }

    /// The next piece, or `None` after the last.
    ///
    /// # Errors
    /// [`StudioError::Pipe`] when the pipe fails, [`StudioError::Cmaf`] when it carries no CMAF.
    pub async fn next(&mut self) -> Result<Option<Piece>, StudioError> {
        loop {
            if let Some(piece) = self.queue.pop_front() {
                return Ok(Some(piece));
            }
            let Some(splitter) = &mut self.splitter else { return Ok(None) };
            let count = self.pipe.read(&mut self.buffer).await.map_err(StudioError::Pipe)?;
            if count > 0 {
                splitter.push(&self.buffer[..count], &mut self.ready)?;
            } else if let Some(splitter) = self.splitter.take() {
                self.ready.push(splitter.finish()?);
            }
            self.queue.extend(self.ready.drain(..));
        }
    }
}

/// Peak and average bit rate of segments given as (duration in µs, bytes).
///
/// The peak is RFC 8216bis §4.4.6.2's: the largest rate of any run of segments that lasts between
/// half and one and a half of the target duration, so that a short last segment doesn't count alone.
#[must_use]
pub fn bit_rates(segments: &[SegmentFacts]) -> (u64, u64) {
    let (half_us, most_us) = (SEGMENT_TARGET_US / 2, SEGMENT_TARGET_US * 3 / 2);
    let total = segments.iter().fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
    let average_bps = rate_bps(total);
    let mut peak_bps = average_bps;
    for start in 0..segments.len() {
        let mut run = (0, 0);
        for segment in &segments[start..] {
            run = (run.0 + segment.0, run.1 + segment.1);
            if run.0 > most_us {
                break;
            }
            if run.0 >= half_us {
                peak_bps = peak_bps.max(rate_bps(run));
            }
        }
    }
    (peak_bps, average_bps)
}

fn rate_bps((duration_us, bytes): SegmentFacts) -> u64 {
    (bytes * 8 * 1_000_000).div_ceil(duration_us.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_of_a_run_not_of_a_short_last_segment() {
        let segments = [(2_000_000, 250_000), (2_000_000, 500_000), (40_000, 100_000)];
        let (peak, average) = bit_rates(&segments);
        assert_eq!(peak, rate_bps((2_040_000, 600_000)));
        assert_eq!(average, rate_bps((4_040_000, 850_000)));
    }

    #[test]
    fn a_single_short_segment_is_its_own_peak() {
        assert_eq!(bit_rates(&[(300_000, 30_000)]), (800_000, 800_000));
        assert_eq!(bit_rates(&[]), (0, 0));
    }
}
