//! Silences of a recording, cut short.
//!
//! Owns: what silence is, and where a moment of the recording lies in what is left. Refuses to know: files' formats (bare samples come and go).
//!
//! Silence is what has, in windows of 20 ms, 30 dB less than the recording's loud windows (the 95th percentile); this border lies between
//! −50 and −30 dBFS. So a recording with a hiss is cut as a clean one is, and one of noise alone is not.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use veil_ffmpeg::produce::sound::RATE_HZ;

use super::us;

/// Samples of a window: 20 ms.
const WINDOW: usize = RATE_HZ as usize / 50;

/// How much quieter than loud windows silence is, in decibels, and between which levels the border lies.
const BELOW_DB: f64 = 30.0;
const BORDER_DBFS: (f64, f64) = (-50.0, -30.0);

/// What was cut out of a recording, in microseconds of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// When it began.
    pub at_us: u64,
    /// How long it was.
    pub us: u64,
}

/// Shortens every silence of bare samples in a file to `longest_s`; at both ends half of that stays. Returns what was removed, in order.
///
/// # Errors
/// The system's.
pub fn cut(path: &Path, longest_s: f64) -> io::Result<Vec<Removed>> {
    let bytes = fs::read(path)?;
    let samples: Vec<i16> =
        bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let gaps = gaps(&samples, longest_s);
    if gaps.is_empty() {
        return Ok(Vec::new());
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for (start, end) in &gaps {
        kept.extend_from_slice(&bytes[from * 2..start * 2]);
        from = *end;
    }
    kept.extend_from_slice(&bytes[from * 2..samples.len() * 2]);
    fs::write(path, kept)?;
    let removed = |(start, end): (usize, usize)| Removed {
        at_us: us(start as u64),
        us: us((end - start) as u64),
    };
    Ok(gaps.into_iter().map(removed).collect())
}

/// When a moment of a recording is in what is left of it; a moment that was cut out is when the cut is.
#[must_use]
pub fn shifted(moment_us: u64, removed: &[Removed]) -> u64 {
    let before = removed.iter().filter(|gap| gap.at_us < moment_us);
    moment_us - before.map(|gap| gap.us.min(moment_us - gap.at_us)).sum::<u64>()
}

/// Samples to leave out, as beginnings and ends.
fn gaps(samples: &[i16], longest_s: f64) -> Vec<(usize, usize)> {
    let levels: Vec<f64> = samples.chunks(WINDOW).map(level_db).collect();
    let border = border_db(&levels);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some seconds")]
    let stays = (longest_s * f64::from(RATE_HZ)) as usize;
    let mut gaps = Vec::new();
    let mut at = 0;
    while at < levels.len() {
        let quiet = levels[at..].iter().take_while(|level| **level < border).count();
        let (start, end) = (at * WINDOW, ((at + quiet) * WINDOW).min(samples.len()));
        // Half of what stays is behind the sound before, half before the sound after; at the ends there is one of them.
        let head = if start == 0 { 0 } else { stays / 2 };
        let tail = if end == samples.len() { 0 } else { stays / 2 };
        // Nothing but silence is no recording of anything: it stays.
        let all = start == 0 && end == samples.len();
        if quiet > 0 && !all && end - start > head + tail {
            gaps.push((start + head, end - tail));
        }
        at += quiet.max(1);
    }
    gaps
}

/// The root mean square of a window, in decibels below full scale.
fn level_db(window: &[i16]) -> f64 {
    let sum: f64 = window.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    let mean = sum / window.len().max(1) as f64;
    10.0 * (mean.max(1e-3) / f64::from(i16::MAX).powi(2)).log10()
}

fn border_db(levels: &[f64]) -> f64 {
    let mut sorted = levels.to_vec();
    sorted.sort_by(f64::total_cmp);
    let loud = sorted.get(sorted.len() * 95 / 100).copied().unwrap_or(0.0);
    (loud - BELOW_DB).clamp(BORDER_DBFS.0, BORDER_DBFS.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tone and hiss of so many tenths of a second, one after the other, as bytes.
    fn recording(tenths: &[usize], loud: i16, hiss: i16) -> Vec<u8> {
        let tenth = RATE_HZ as usize / 10;
        let mut samples = Vec::new();
        for (at, count) in tenths.iter().enumerate() {
            let amplitude = if at % 2 == 0 { loud } else { hiss };
            let sign = |at: usize| if (at / 50).is_multiple_of(2) { amplitude } else { -amplitude };
            samples.extend((0..count * tenth).map(sign));
        }
        samples.into_iter().flat_map(i16::to_le_bytes).collect()
    }

    fn check(tenths: &[usize], loud: i16, hiss: i16, expected_ms: &[(u64, u64)]) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = recording(tenths, loud, hiss);
        fs::write(file.path(), &bytes).unwrap();
        let removed = cut(file.path(), 0.4).unwrap();
        let ms: Vec<_> = removed.iter().map(|gap| (gap.at_us / 1000, gap.us / 1000)).collect();
        assert_eq!(ms, expected_ms, "{tenths:?}");
        let left: u64 =
            bytes.len() as u64 / 2 - removed.iter().map(|gap| gap.us * 48 / 1000).sum::<u64>();
        assert_eq!(fs::metadata(file.path()).unwrap().len() / 2, left);
    }

    #[test]
    fn long_silences_are_shortened_and_short_ones_stay() {
        check(&[10, 20, 10, 3, 10], 8000, 0, &[(1200, 1600)]);
        check(&[10, 20, 10, 20, 0], 8000, 60, &[(1200, 1600), (4200, 1800)]);
        check(&[0, 10, 10, 0, 10], 300, 0, &[(0, 800)]);
        check(&[0, 50], 8000, 0, &[]);
        check(&[10, 20, 10], 8000, 2000, &[]);
    }

    #[test]
    fn moments_move_by_what_was_cut_before_them() {
        let gaps = [Removed { at_us: 100, us: 50 }, Removed { at_us: 200, us: 10 }];
        let moved = [0, 100, 120, 150, 199, 205, 300].map(|at| shifted(at, &gaps));
        assert_eq!(moved, [0, 100, 100, 100, 149, 150, 240]);
    }
}
