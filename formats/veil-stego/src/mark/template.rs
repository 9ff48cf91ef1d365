//! The template of a title's marks, and its pattern at any size.
//!
//! Owns: the keyed cells, and how they are drawn at a picture's size. Invariant: as many cells are up as down.

use super::rows::is_minus;
use super::{CELLS, MACRO_SIDE};
use crate::stream::{Purpose, StructuralKey};

/// Cells of a template.
const COUNT: usize = CELLS.0 * CELLS.1;

/// Signs of cells, 1 or -1, row after row.
pub(super) struct Template(Vec<f32>);

/// Four cells' numbers and weights, for each sample of a row or column.
pub(super) struct Upscale(Vec<([usize; 4], [f32; 4])>);

impl Template {
    /// The title's template (number 0), or a decoy that nobody ever marked with.
    pub(super) fn new(key: &StructuralKey, number: u64) -> Self {
        let mut stream = key.stream(Purpose::Template, number);
        let mut cells: Vec<f32> =
            (0..COUNT).map(|at| if at < COUNT / 2 { 1.0 } else { -1.0 }).collect();
        for at in 0..COUNT {
            cells.swap(at, at + stream.below((COUNT - at) as u32) as usize);
        }
        Self(cells)
    }

    /// The cells themselves.
    pub(super) fn cells(&self) -> &[f32] {
        &self.0
    }

    /// The cells with the signs of a row on their macro cells.
    pub(super) fn signed(&self, row: u8) -> Vec<f32> {
        let (columns, rows) = (CELLS.0 / MACRO_SIDE, CELLS.1 / MACRO_SIDE);
        let sign = |(at, cell): (usize, &f32)| {
            let (x, y) = (at % CELLS.0 / columns, at / CELLS.0 / rows);
            if is_minus(row, y * MACRO_SIDE + x) { -cell } else { *cell }
        };
        self.0.iter().enumerate().map(sign).collect()
    }
}

impl Upscale {
    /// From `cells` cells to `samples` samples, by cubic convolution (Keys 1981, a = -1/2); what lies outside is like what is at
    /// the border.
    pub(super) fn new(cells: usize, samples: usize) -> Self {
        let weights = |sample: usize| {
            let place = (sample as f32 + 0.5) * cells as f32 / samples as f32 - 0.5;
            let (first, t) = (place.floor(), place - place.floor());
            let at = |by: f32| (first + by).clamp(0.0, cells as f32 - 1.0) as usize;
            let near = |d: f32| (1.5 * d - 2.5) * d * d + 1.0;
            let far = |d: f32| ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0;
            (
                [at(-1.0), at(0.0), at(1.0), at(2.0)],
                [far(1.0 + t), near(t), near(1.0 - t), far(2.0 - t)],
            )
        };
        Self((0..samples).map(weights).collect())
    }

    /// The four cells and weights of a sample.
    pub(super) fn at(&self, sample: usize) -> &([usize; 4], [f32; 4]) {
        &self.0[sample]
    }

    /// Samples of a row of cells.
    pub(super) fn row(&self, cells: &[f32]) -> Vec<f32> {
        let sample = |(at, weights): &([usize; 4], [f32; 4])| {
            at.iter().zip(weights).map(|(at, weight)| cells[*at] * weight).sum()
        };
        self.0.iter().map(sample).collect()
    }
}

/// Draws cells at a size; `line` is given each row of samples, from the first to the last.
pub(super) fn draw(cells: &[f32], width: usize, height: usize, mut line: impl FnMut(&[f32])) {
    let across = Upscale::new(CELLS.0, width);
    let down = Upscale::new(CELLS.1, height);
    let rows: Vec<Vec<f32>> = cells.chunks_exact(CELLS.0).map(|row| across.row(row)).collect();
    let mut samples = vec![0.0; width];
    for y in 0..height {
        let (at, weights) = down.at(y);
        let [a, b, c, d] = at.map(|at| rows[at].as_slice());
        for (x, sample) in samples.iter_mut().enumerate() {
            *sample = a[x] * weights[0] + b[x] * weights[1] + c[x] * weights[2] + d[x] * weights[3];
        }
        line(&samples);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_cells_are_up_as_down_and_decoys_are_others() {
        let key = StructuralKey::new([5; 32]);
        let template = Template::new(&key, 0);
        assert_eq!(template.cells().iter().sum::<f32>().to_bits(), 0.0_f32.to_bits());
        let decoy = Template::new(&key, 1);
        let same = template.cells().iter().zip(decoy.cells()).filter(|(a, b)| a == b).count();
        assert!((1150..1410).contains(&same), "{same} of 2560");
    }

    #[test]
    fn what_is_flat_stays_flat_and_cells_keep_their_sign_in_their_middle() {
        draw(&vec![1.0; COUNT], 641, 359, |line| {
            assert!(line.iter().all(|v| (v - 1.0).abs() < 1e-5));
        });
        let template = Template::new(&StructuralKey::new([5; 32]), 0);
        let mut y = 0;
        draw(&template.signed(9), 64 * 5, 40 * 3, |line| {
            if y % 3 == 1 {
                let cells = template.signed(9);
                for (x, cell) in cells[y / 3 * 64..][..64].iter().enumerate() {
                    assert!((line[x * 5 + 2] - cell).abs() < 1e-5);
                }
            }
            y += 1;
        });
        assert_eq!(y, 120);
    }
}
