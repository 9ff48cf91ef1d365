//! Whether there is a mark at all.
//!
//! Owns: decoys, templates that nobody ever marked with, and how far the title's own stands out from them. Invariant: what makes all
//! templates look well, decoys included, is not taken for a mark.

/// Decoys of a key.
pub(super) const DECOYS: usize = 24;

/// From this on there is a mark: so many standard deviations of the decoys, above their mean.
pub const PRESENCE_THRESHOLD: f64 = 8.0;

/// The least deviation of decoys that is believed, in deviations of a score.
const LEAST_SPREAD: f64 = 0.03;

/// How well templates look, the title's own before the decoys.
pub(super) struct Presence {
    sums: [f64; DECOYS + 1],
    windows: u32,
}

impl Presence {
    pub(super) fn new() -> Self {
        Self { sums: [0.0; DECOYS + 1], windows: 0 }
    }

    /// Adds the highest score that a row has in a window, of each template.
    pub(super) fn add(&mut self, highest: impl Iterator<Item = f32>) {
        self.sums.iter_mut().zip(highest).for_each(|(sum, score)| *sum += f64::from(score));
        self.windows += 1;
    }

    /// How many deviations of the decoys the title's own template is above them.
    pub(super) fn deviations(&self) -> f64 {
        let windows = f64::from(self.windows.max(1));
        let [own, decoys @ ..] = self.sums.map(|sum| sum / windows);
        let mean = decoys.iter().sum::<f64>() / DECOYS as f64;
        let squares: f64 = decoys.iter().map(|score| (score - mean) * (score - mean)).sum();
        let spread = (squares / (DECOYS - 1) as f64).sqrt();
        (own - mean) / spread.max(LEAST_SPREAD)
    }
}
