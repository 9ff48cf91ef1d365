//! Planes as a reader looks at them: what is broad taken away, what is loud made quiet.
//!
//! Owns: the filters before correlation. Invariant: work and memory depend on the size of the sight alone.

use super::{SIGHT_HEIGHT, SIGHT_SAMPLES, SIGHT_WIDTH};

/// What is broader than about this many samples is taken away.
const SIGMA: f32 = 5.0;
/// Samples on each side of the middle of the filter.
const RADIUS: usize = 15;
/// Samples on each side over which loudness is measured.
const NEAR: usize = 9;
/// The most that a sample counts.
const CLIP: f32 = 2.5;

/// The filters and what they work in.
pub(super) struct Filters {
    kernel: [f32; 2 * RADIUS + 1],
    padded: Vec<f32>,
    across: Vec<f32>,
    broad: Vec<f32>,
    sums: Vec<f32>,
}

impl Filters {
    pub(super) fn new() -> Self {
        let weight = |at: usize| {
            let distance = at as f32 - RADIUS as f32;
            (-distance * distance / (2.0 * SIGMA * SIGMA)).exp()
        };
        let mut kernel: [f32; 2 * RADIUS + 1] = std::array::from_fn(weight);
        let sum: f32 = kernel.iter().sum();
        kernel.iter_mut().for_each(|weight| *weight /= sum);
        Self {
            kernel,
            padded: vec![0.0; SIGHT_WIDTH + 2 * RADIUS],
            across: vec![0.0; SIGHT_SAMPLES],
            broad: vec![0.0; SIGHT_SAMPLES],
            sums: vec![0.0; SIGHT_WIDTH],
        }
    }

    /// Takes from a plane what is broad in it.
    pub(super) fn sharpen(&mut self, plane: &mut [f32]) {
        let rows = plane.chunks_exact(SIGHT_WIDTH).zip(self.across.chunks_exact_mut(SIGHT_WIDTH));
        for (row, across) in rows {
            self.padded[..RADIUS].fill(row[0]);
            self.padded[RADIUS..][..SIGHT_WIDTH].copy_from_slice(row);
            self.padded[RADIUS + SIGHT_WIDTH..].fill(row[SIGHT_WIDTH - 1]);
            across.fill(0.0);
            for (at, weight) in self.kernel.iter().enumerate() {
                add(across, &self.padded[at..], *weight);
            }
        }
        self.broad.fill(0.0);
        for (y, out) in self.broad.chunks_exact_mut(SIGHT_WIDTH).enumerate() {
            for (at, weight) in self.kernel.iter().enumerate() {
                let row = (y + at).saturating_sub(RADIUS).min(SIGHT_HEIGHT - 1);
                add(out, &self.across[row * SIGHT_WIDTH..], *weight);
            }
        }
        for (sample, broad) in plane.iter_mut().zip(&self.broad) {
            *sample -= broad;
        }
    }

    /// Adds to `sum` a plane whose loudness is the same everywhere.
    pub(super) fn add_levelled(&mut self, plane: &[f32], sum: &mut [f32]) {
        self.sums.fill(0.0);
        let row = |y: usize| &plane[y * SIGHT_WIDTH..][..SIGHT_WIDTH];
        let mut count = 0.0;
        for y in 0..NEAR {
            row(y).iter().zip(&mut self.sums).for_each(|(v, sum)| *sum += v * v);
            count += 1.0;
        }
        for (y, out) in sum.chunks_exact_mut(SIGHT_WIDTH).enumerate() {
            if y + NEAR < SIGHT_HEIGHT {
                row(y + NEAR).iter().zip(&mut self.sums).for_each(|(v, sum)| *sum += v * v);
                count += 1.0;
            }
            if y > NEAR {
                row(y - NEAR - 1).iter().zip(&mut self.sums).for_each(|(v, sum)| *sum -= v * v);
                count -= 1.0;
            }
            level_row(row(y), &self.sums, count, out);
        }
    }
}

fn add(out: &mut [f32], row: &[f32], weight: f32) {
    for (out, sample) in out.iter_mut().zip(row) {
        *out += weight * sample;
    }
}

/// Levels a row, of which sums of squares over `rows` rows are given, and adds it to `out`.
fn level_row(row: &[f32], squares: &[f32], rows: f32, out: &mut [f32]) {
    let mut near: f32 = squares[..NEAR].iter().sum();
    for (x, (out, sample)) in out.iter_mut().zip(row).enumerate() {
        if x + NEAR < SIGHT_WIDTH {
            near += squares[x + NEAR];
        }
        if x > NEAR {
            near -= squares[x - NEAR - 1];
        }
        let columns = (x + NEAR).min(SIGHT_WIDTH - 1) - x.saturating_sub(NEAR) + 1;
        let loudness = (near.max(0.0) / (rows * columns as f32)).sqrt();
        *out += (sample / (loudness + 1.0)).clamp(-CLIP, CLIP);
    }
}
