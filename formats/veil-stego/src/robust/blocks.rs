//! Frequencies of a grid's blocks.
//!
//! Owns the orthonormal cosine transform of 8 × 8 cells (type II; Ahmed, Natarajan and Rao 1974), and which frequencies
//! carry, in which order. Invariant: what [`Blocks::inverse`] makes of changes, [`Blocks::forward`] sees as those changes.

use super::Shape;

/// Cells in a row of a block.
const SIDE: usize = 8;

type Block = [[f32; SIDE]; SIDE];

/// The transform for a shape.
pub(super) struct Blocks {
    shape: Shape,
    /// Row k: the k-th wave.
    waves: Block,
    /// Row and column of the frequencies that carry.
    band: Vec<(usize, usize)>,
}

impl Blocks {
    pub(super) fn new(shape: Shape) -> Self {
        let wave = |k: usize, n: usize| {
            let scale = if k == 0 { 1.0_f64 } else { 2.0 } / SIDE as f64;
            let angle = (2 * n + 1) as f64 * k as f64 * std::f64::consts::PI / (2 * SIDE) as f64;
            (scale.sqrt() * angle.cos()) as f32
        };
        let waves = std::array::from_fn(|k| std::array::from_fn(|n| wave(k, n)));
        let band = zigzag()[shape.profile.band()].to_vec();
        Self { shape, waves, band }
    }

    /// What carries, block by block, in the order of the zigzag.
    pub(super) fn forward(&self, grid: &[f32]) -> Vec<f32> {
        let mut carriers = Vec::with_capacity(self.shape.carriers());
        for (row, column) in self.places() {
            let mut block = Block::default();
            for (line, cells) in block.iter_mut().enumerate() {
                let at = (row + line) * self.shape.columns() + column;
                cells.copy_from_slice(&grid[at..at + SIDE]);
            }
            let block = transposed(&times(&self.waves, &transposed(&times(&self.waves, &block))));
            carriers.extend(self.band.iter().map(|(down, across)| block[*down][*across]));
        }
        carriers
    }

    /// A grid that has these in its carriers and nothing else.
    pub(super) fn inverse(&self, carriers: &[f32]) -> Vec<f32> {
        let mut grid = vec![0.0; self.shape.columns() * self.shape.rows()];
        let waves = transposed(&self.waves);
        for ((row, column), values) in self.places().zip(carriers.chunks_exact(self.band.len())) {
            let mut block = Block::default();
            for ((down, across), value) in self.band.iter().zip(values) {
                block[*down][*across] = *value;
            }
            let block = transposed(&times(&waves, &transposed(&times(&waves, &block))));
            for (line, cells) in block.iter().enumerate() {
                let at = (row + line) * self.shape.columns() + column;
                grid[at..at + SIDE].copy_from_slice(cells);
            }
        }
        grid
    }

    /// First row and column of each block.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (columns, rows) = (self.shape.columns(), self.shape.rows());
        (0..rows)
            .step_by(SIDE)
            .flat_map(move |row| (0..columns).step_by(SIDE).map(move |column| (row, column)))
    }
}

/// Rows and columns of a block's frequencies: by their sum, then by the row.
fn zigzag() -> Vec<(usize, usize)> {
    let mut all: Vec<_> =
        (0..SIDE).flat_map(|row| (0..SIDE).map(move |column| (row, column))).collect();
    all.sort_by_key(|(row, column)| (row + column, *row));
    all
}

fn times(left: &Block, right: &Block) -> Block {
    let mut product = Block::default();
    for (out, factors) in product.iter_mut().zip(left) {
        for (factor, row) in factors.iter().zip(right) {
            for (cell, value) in out.iter_mut().zip(row) {
                *cell += factor * value;
            }
        }
    }
    product
}

fn transposed(block: &Block) -> Block {
    std::array::from_fn(|row| std::array::from_fn(|column| block[column][row]))
}
