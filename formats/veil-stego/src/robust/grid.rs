//! Frames on a grid that doesn't depend on their size.
//!
//! Owns the master grid, of which the profiles' grids are parts of a whole number of cells, and the averages over its cells.
//! Refuses to know: what is in them. Invariant: of a picture that was scaled by averaging, the grid is the same.

use super::Shape;
use crate::plane::{Depth, Picture};

/// Columns and rows of the master grid, lying.
const MASTER: (usize, usize) = (480, 288);

/// Whether a picture is higher than wide.
pub(super) fn is_upright(picture: Picture) -> bool {
    picture.height() > picture.width()
}

/// Columns and rows of the master grid.
pub(super) fn master_size(upright: bool) -> (usize, usize) {
    if upright { (MASTER.1, MASTER.0) } else { MASTER }
}

/// Levels on the master grid, of eight bits, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Master {
    columns: usize,
    pub(crate) cells: Vec<f32>,
}

/// Averages of frames over the cells of the master grid.
pub struct Means {
    columns: Axis,
    rows: Axis,
    depth: Depth,
    width: usize,
    row: Vec<f32>,
    sum: Vec<f32>,
    frames: u32,
}

/// Which samples of a row or column a cell covers, and how much of each; together they are one.
pub(super) struct Axis {
    spans: Vec<(usize, Vec<f32>)>,
}

impl Axis {
    /// `cells` cells of the same width over `samples` samples.
    pub(super) fn new(samples: usize, cells: usize) -> Self {
        // In units of which a sample has `cells` and a cell has `samples`.
        let span = |cell: usize| {
            let (from, to) = (cell * samples, (cell + 1) * samples);
            let first = from / cells;
            let covered = |sample: usize| {
                let low = from.max(sample * cells);
                let high = to.min((sample + 1) * cells);
                (high - low) as f32 / samples as f32
            };
            (first, (first..to.div_ceil(cells)).map(covered).collect())
        };
        Self { spans: (0..cells).map(span).collect() }
    }

    /// For each cell, its first sample and the weights of it and those behind.
    pub(super) fn spans(&self) -> &[(usize, Vec<f32>)] {
        &self.spans
    }
}

impl Means {
    /// For frames of `picture`.
    #[must_use]
    pub fn new(picture: Picture) -> Self {
        let (columns, rows) = master_size(is_upright(picture));
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        Self {
            columns: Axis::new(width, columns),
            rows: Axis::new(height, rows),
            depth: picture.depth(),
            width,
            row: vec![0.0; width],
            sum: vec![0.0; columns * rows],
            frames: 0,
        }
    }

    /// Adds a frame's luma plane, in bytes as raw video has them.
    pub fn add(&mut self, luma: &[u8]) {
        match self.depth {
            Depth::Eight => self.add_levels(luma, 1.0, |level| f32::from(*level)),
            Depth::Ten => self.add_levels(luma.as_chunks::<2>().0, 0.25, |level| {
                f32::from(u16::from_le_bytes(*level))
            }),
        }
        self.frames += 1;
    }

    fn add_levels<S>(&mut self, plane: &[S], scale: f32, level: impl Fn(&S) -> f32 + Copy) {
        let cells = self.columns.spans.len();
        for ((first, weights), sums) in self.rows.spans.iter().zip(self.sum.chunks_exact_mut(cells))
        {
            self.row.fill(0.0);
            let rows = plane[first * self.width..].chunks_exact(self.width);
            for (weight, row) in weights.iter().zip(rows) {
                let weight = weight * scale;
                for (sum, sample) in self.row.iter_mut().zip(row) {
                    *sum += weight * level(sample);
                }
            }
            for (sum, (first, weights)) in sums.iter_mut().zip(&self.columns.spans) {
                let samples = &self.row[*first..*first + weights.len()];
                *sum +=
                    samples.iter().zip(weights).map(|(level, weight)| level * weight).sum::<f32>();
            }
        }
    }

    /// Frames since the sum or the mean was last taken.
    #[must_use]
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// The sum of the frames' grids, and begins anew.
    pub(crate) fn take_sum(&mut self) -> (Vec<f32>, u32) {
        let empty = vec![0.0; self.sum.len()];
        (std::mem::replace(&mut self.sum, empty), std::mem::take(&mut self.frames))
    }

    /// The mean of the frames' grids, and begins anew; `None` where there was none.
    pub fn take(&mut self) -> Option<Master> {
        let (mut cells, frames) = self.take_sum();
        if frames == 0 {
            return None;
        }
        cells.iter_mut().for_each(|cell| *cell /= frames as f32);
        Some(Master { columns: self.columns.spans.len(), cells })
    }
}

impl Master {
    /// A sum of grids of `frames` frames, as a mean.
    pub(crate) fn of_sum(mut cells: Vec<f32>, frames: u32, columns: usize) -> Self {
        cells.iter_mut().for_each(|cell| *cell /= frames.max(1) as f32);
        Self { columns, cells }
    }

    /// The grid of a shape, each cell the mean of cells of this one.
    pub(crate) fn on(&self, shape: Shape) -> Vec<f32> {
        let side = shape.profile.coarser();
        let mut grid = vec![0.0; shape.columns() * shape.rows()];
        let lines = self.cells.chunks_exact(self.columns * side);
        for (line, out) in lines.zip(grid.chunks_exact_mut(shape.columns())) {
            for row in line.chunks_exact(self.columns) {
                for (cell, part) in out.iter_mut().zip(row.chunks_exact(side)) {
                    *cell += part.iter().sum::<f32>();
                }
            }
        }
        let cells = (side * side) as f32;
        grid.iter_mut().for_each(|cell| *cell /= cells);
        grid
    }
}
