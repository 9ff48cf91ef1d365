//! How much a picture hides of a mark, from place to place.
//!
//! Owns: amplitudes, from the picture's means of blocks: much where it is busy, little where it is flat, less where it is flat and
//! dark. Refuses to know: patterns. Invariant: what a frame is given depends on its samples alone.

use crate::plane::{Depth, Picture, Sample};

/// Samples in a row and in a column of a block.
const SIDE: usize = 8;
/// Rows that have the same amplitudes.
pub(super) const STRIPE: usize = 4;
/// An amplitude of one level of eight bits.
pub(super) const ONE: f32 = 32.0;

/// Mean level, of eight bits, below which flat places begin to be given less, and that at which they are given least.
const DARK: (f32, f32) = (48.0, 24.0);
/// What flat places are given in parts of the strength, where they are dark and elsewhere.
const FLAT: (f32, f32) = (0.65, 0.8);
/// The spread of means, in levels, that gives the whole strength more.
const BUSY: f32 = 8.0;
/// The most that a place is given, in parts of the strength.
const MOST: f32 = 2.0;

/// Amplitudes of a frame.
pub(super) struct Activity {
    columns: usize,
    rows: usize,
    width: usize,
    /// Levels of eight bits in the level of a sample.
    scale: f32,
    sums: Vec<u16>,
    means: Vec<f32>,
    spread: Vec<f32>,
    amplitudes: Vec<i16>,
    line: Vec<i16>,
    long: Vec<i16>,
}

impl Activity {
    pub(super) fn new(picture: Picture) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let (columns, rows) = (width.div_ceil(SIDE), height.div_ceil(SIDE));
        let scale = match picture.depth() {
            Depth::Eight => 1.0,
            Depth::Ten => 0.25,
        };
        Self {
            columns,
            rows,
            width,
            scale,
            sums: vec![0; columns * SIDE],
            means: vec![0.0; columns * rows],
            spread: vec![0.0; columns * rows],
            amplitudes: vec![0; columns * rows],
            line: vec![0; columns + 2],
            long: vec![0; (columns + 1) * SIDE],
        }
    }

    /// Looks at a frame, that is marked with `strength` levels.
    pub(super) fn look<S: Sample>(&mut self, luma: &[S], strength: f32) {
        self.mean(luma);
        let (columns, rows) = (self.columns, self.rows);
        around(&self.means, columns, rows, &mut self.spread, |near| {
            let count = near.len() as f32;
            let (sum, squares) = near.iter().fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
            let mean = sum / count;
            (squares / count - mean * mean).max(0.0).sqrt()
        });
        let spread = std::mem::take(&mut self.spread);
        let mut smooth = vec![0.0; columns * rows];
        around(&spread, columns, rows, &mut smooth, |near| {
            near.iter().sum::<f32>() / near.len() as f32
        });
        self.spread = spread;
        let given = self.amplitudes.iter_mut().zip(smooth.iter().zip(&self.means));
        for (amplitude, (spread, mean)) in given {
            let light = ((mean - DARK.1) / (DARK.0 - DARK.1)).clamp(0.0, 1.0);
            let flat = FLAT.0 + (FLAT.1 - FLAT.0) * light;
            *amplitude = (ONE * strength * (flat + spread / BUSY).min(MOST) + 0.5) as i16;
        }
    }

    /// Means of blocks, in levels of eight bits.
    fn mean<S: Sample>(&mut self, luma: &[S]) {
        let stripes = luma.chunks(self.width * SIDE).zip(self.means.chunks_exact_mut(self.columns));
        for (stripe, means) in stripes {
            self.sums.fill(0);
            for row in stripe.chunks_exact(self.width) {
                for (sum, sample) in self.sums.iter_mut().zip(row) {
                    *sum = sum.wrapping_add(sample.level());
                }
            }
            let rows = stripe.len() / self.width;
            for (at, (mean, block)) in
                means.iter_mut().zip(self.sums.chunks_exact(SIDE)).enumerate()
            {
                // 64 samples of ten bits are just below 2^16.
                let sum = block.iter().fold(0_u16, |sum, part| sum.wrapping_add(*part));
                let samples = rows * (self.width - at * SIDE).min(SIDE);
                *mean = f32::from(sum) * self.scale / samples as f32;
            }
        }
    }

    /// Amplitudes of the samples of a stripe of [`STRIPE`] rows.
    pub(super) fn stripe(&mut self, number: usize) -> &[i16] {
        // Stripes lie a quarter of a block above and below a block's middle.
        let row = number / 2;
        let other = if number.is_multiple_of(2) {
            row.saturating_sub(1)
        } else {
            (row + 1).min(self.rows - 1)
        };
        let of = |row: usize| &self.amplitudes[row * self.columns..][..self.columns];
        for ((out, near), far) in self.line[1..].iter_mut().zip(of(row)).zip(of(other)) {
            *out = (3 * near + far + 2) >> 2;
        }
        self.line[0] = self.line[1];
        self.line[self.columns + 1] = self.line[self.columns];
        for (pair, out) in self.line.windows(2).zip(self.long.chunks_exact_mut(SIDE)) {
            let (from, step) = (16 * pair[0] + 8, pair[1] - pair[0]);
            for (at, out) in out.iter_mut().enumerate() {
                *out = (from + step * (2 * at as i16 + 1)) >> 4;
            }
        }
        &self.long[SIDE / 2..][..self.width]
    }
}

/// Gives each cell what `of` makes of the cells around it, up to nine.
fn around(from: &[f32], columns: usize, rows: usize, to: &mut [f32], of: impl Fn(&[f32]) -> f32) {
    for (y, line) in to.chunks_exact_mut(columns).enumerate() {
        let above = y.saturating_sub(1)..(y + 2).min(rows);
        for (x, out) in line.iter_mut().enumerate() {
            let beside = x.saturating_sub(1)..(x + 2).min(columns);
            let mut near = [0.0; 9];
            let mut count = 0;
            for row in above.clone() {
                for value in &from[row * columns..][beside.clone()] {
                    near[count] = *value;
                    count += 1;
                }
            }
            *out = of(&near[..count]);
        }
    }
}
