//! What is added to the frames of a slot.
//!
//! Owns moving carriers onto their lattices, bringing the change of the grid to the frames' size (Keys's bicubic
//! interpolation, a = -0.75), and rounding it so that changes of less than a level are there on average (Bayer's 8 × 8 matrix).
//! Invariant: the averages over the grid of what is added are the change that was asked for, but for what is clipped.

use super::blocks::Blocks;
use super::codewords::{Codewords, HeadBits};
use super::grid::{Axis, Master};
use super::places::{Front, Place, Rest};
use super::{CYCLE, Shape};
use crate::plane::{Depth, Picture};
use crate::stream::StructuralKey;

/// Rounds of asking for what the interpolation has lost.
const ROUNDS: usize = 3;

/// Makes patterns. One for a video.
pub struct Hider {
    shape: Shape,
    picture: Picture,
    blocks: Blocks,
    columns: Smooth,
    rows: Smooth,
    fronts: Vec<Front>,
    body: StructuralKey,
    head: HeadBits,
    codewords: Codewords,
}

/// What every frame of a slot is given: a change for each sample.
pub struct Pattern {
    depth: Depth,
    changes: Vec<i8>,
}

impl Hider {
    /// Puts the head and the codewords into slots whose front is `lane`'s.
    #[must_use]
    pub fn new(
        (picture, shape): (Picture, Shape),
        (find, lane, body): (&StructuralKey, u16, StructuralKey),
        head: HeadBits,
        codewords: Codewords,
    ) -> Self {
        Self {
            shape,
            picture,
            blocks: Blocks::new(shape),
            columns: Smooth::new(picture.width() as usize, shape.columns()),
            rows: Smooth::new(picture.height() as usize, shape.rows()),
            fronts: (0..CYCLE).map(|class| Front::new(find, shape, lane, class)).collect(),
            body,
            head,
            codewords,
        }
    }

    /// The pattern of a slot whose frames have this mean.
    #[must_use]
    pub fn pattern(&self, slot: u64, mean: &Master) -> Pattern {
        let carriers = self.blocks.forward(&mean.on(self.shape));
        let mut change = vec![0.0; carriers.len()];
        let class = slot % CYCLE;
        let front = &self.fronts[class as usize];
        let rest = Rest::new(&self.body, self.shape, front, slot);
        let step = self.shape.profile.step();
        let mut put = |place: &Place, dither: u8| {
            let carrier = usize::from(place.carrier);
            change[carrier] = to_lattice(carriers[carrier], dither, step);
        };
        front
            .pilots
            .iter()
            .chain(&rest.pilots)
            .for_each(|place| put(place, place.dither_of(false)));
        for (at, place) in front.head.iter().enumerate() {
            put(place, place.dither_of(self.head.bit(class, at)));
        }
        for (at, place) in rest.data.iter().enumerate() {
            put(place, place.dither_of(self.codewords.bit(slot, at)));
        }
        self.enlarge(&self.blocks.inverse(&change))
    }

    fn enlarge(&self, target: &[f32]) -> Pattern {
        let mut grid = target.to_vec();
        for _ in 0..ROUNDS {
            let seen = self.rows.seen_down(&self.columns.seen_across(&grid), self.columns.cells());
            for ((cell, target), seen) in grid.iter_mut().zip(target).zip(&seen) {
                *cell += target - seen;
            }
        }
        let width = self.picture.width() as usize;
        let lines = self.columns.enlarge(&grid);
        let fine = match self.picture.depth() {
            Depth::Eight => 1.0,
            Depth::Ten => 4.0,
        };
        let mut changes = vec![0; width * self.picture.height() as usize];
        for (y, (out, taps)) in changes.chunks_exact_mut(width).zip(&self.rows.taps).enumerate() {
            let thresholds = BAYER[y % 8].map(|rank| (f32::from(rank) + 0.5) / 64.0);
            let line = |cell: usize| &lines[cell * width..(cell + 1) * width];
            let [a, b, c, d] = taps.cells.map(line);
            let weights = taps.weights;
            for (x, out) in out.iter_mut().enumerate() {
                let sum =
                    a[x] * weights[0] + b[x] * weights[1] + c[x] * weights[2] + d[x] * weights[3];
                // Truncating a positive number is the floor, and quicker.
                let up = (fine * (sum + thresholds[x % 8]) + 1024.0) as i32 - 1024;
                *out = up.clamp(-127, 127) as i8;
            }
        }
        Pattern { depth: self.picture.depth(), changes }
    }
}

/// How far a value is from the nearest point of its lattice.
pub(super) fn to_lattice(value: f32, dither: u8, step: f32) -> f32 {
    let offset = f32::from(dither) / 256.0 * step;
    ((value - offset) / step).round() * step + offset - value
}

impl Pattern {
    /// Gives a frame's luma plane, in bytes as raw video has them, what it is given. At ten bits what comes out are levels of eight bits, in units of four.
    pub fn apply(&self, luma: &mut [u8]) {
        match self.depth {
            Depth::Eight => {
                for (sample, change) in luma.iter_mut().zip(&self.changes) {
                    *sample = (i16::from(*sample) + i16::from(*change)).clamp(0, 255) as u8;
                }
            }
            Depth::Ten => {
                for (sample, change) in luma.as_chunks_mut::<2>().0.iter_mut().zip(&self.changes) {
                    let level = i32::from(u16::from_le_bytes(*sample)) + i32::from(*change);
                    let level = (level >> 2).clamp(0, 255) << 2;
                    *sample = (level as u16).to_le_bytes();
                }
            }
        }
    }
}

/// The cells between which a sample lies, and their weights.
struct Taps {
    cells: [usize; 4],
    weights: [f32; 4],
}

/// Enlarging along one side, and what the averages over cells see of it.
struct Smooth {
    taps: Vec<Taps>,
    /// For each cell, the first cell that it sees something of, and how much of it and those behind.
    seen: Vec<(usize, Vec<f32>)>,
}

impl Smooth {
    fn new(samples: usize, cells: usize) -> Self {
        let taps: Vec<Taps> =
            (0..samples).map(|sample| Taps::new(sample, samples, cells)).collect();
        let axis = Axis::new(samples, cells);
        let seen = axis.spans().iter().map(|(first, parts)| {
            let taps = &taps[*first..*first + parts.len()];
            let low = taps.iter().flat_map(|taps| taps.cells).min().unwrap_or(0);
            let high = taps.iter().flat_map(|taps| taps.cells).max().unwrap_or(0);
            let mut weights = vec![0.0; high + 1 - low];
            for (part, taps) in parts.iter().zip(taps) {
                for (cell, weight) in taps.cells.iter().zip(taps.weights) {
                    weights[cell - low] += part * weight;
                }
            }
            (low, weights)
        });
        let seen = seen.collect();
        Self { taps, seen }
    }

    fn cells(&self) -> usize {
        self.seen.len()
    }

    /// Rows of cells as rows of samples.
    fn enlarge(&self, grid: &[f32]) -> Vec<f32> {
        let lines = grid.chunks_exact(self.cells());
        let sample = |row: &[f32], taps: &Taps| -> f32 {
            taps.cells.iter().zip(taps.weights).map(|(cell, weight)| row[*cell] * weight).sum()
        };
        lines.flat_map(|row| self.taps.iter().map(move |taps| sample(row, taps))).collect()
    }

    /// What averages of enlarged rows see.
    fn seen_across(&self, grid: &[f32]) -> Vec<f32> {
        let seen = |row: &[f32], (low, weights): &(usize, Vec<f32>)| -> f32 {
            row[*low..].iter().zip(weights).map(|(cell, weight)| cell * weight).sum()
        };
        let lines = grid.chunks_exact(self.cells());
        lines.flat_map(|row| self.seen.iter().map(move |span| seen(row, span))).collect()
    }

    /// What averages of enlarged columns see, in a grid of `columns` columns.
    fn seen_down(&self, grid: &[f32], columns: usize) -> Vec<f32> {
        let mut out = vec![0.0; grid.len()];
        for (out, (low, weights)) in out.chunks_exact_mut(columns).zip(&self.seen) {
            for (row, weight) in grid[low * columns..].chunks_exact(columns).zip(weights) {
                for (out, cell) in out.iter_mut().zip(row) {
                    *out += weight * cell;
                }
            }
        }
        out
    }
}

impl Taps {
    /// Keys 1981, equation 4 with a = -0.75; outside, the outermost cell is repeated.
    fn new(sample: usize, samples: usize, cells: usize) -> Self {
        const A: f64 = -0.75;
        let at = (sample as f64 + 0.5) * cells as f64 / samples as f64 - 0.5;
        let weight = |distance: f64| {
            let d = distance.abs();
            if d <= 1.0 {
                ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0
            } else {
                ((A * d - 5.0 * A) * d + 8.0 * A) * d - 4.0 * A
            }
        };
        let first = at.floor() as i64 - 1;
        let tap = |tap: usize| first + tap as i64;
        Self {
            cells: std::array::from_fn(|at| tap(at).clamp(0, cells as i64 - 1) as usize),
            weights: std::array::from_fn(|index| weight(at - tap(index) as f64) as f32),
        }
    }
}

/// Ranks of thresholds, from 0 to 63.
const BAYER: [[u8; 8]; 8] = [
    [0, 32, 8, 40, 2, 34, 10, 42],
    [48, 16, 56, 24, 50, 18, 58, 26],
    [12, 44, 4, 36, 14, 46, 6, 38],
    [60, 28, 52, 20, 62, 30, 54, 22],
    [3, 35, 11, 43, 1, 33, 9, 41],
    [51, 19, 59, 27, 49, 17, 57, 25],
    [15, 47, 7, 39, 13, 45, 5, 37],
    [63, 31, 55, 23, 61, 29, 53, 21],
];
