//! Black bars around a picture.
//!
//! Owns: where they are, by the brightest that each row and column ever was. Refuses to know: what is between them. A title may have bars of its own, so
//! that what is found here is a guess that the mark decides.

use veil_ffmpeg::sight::{HEIGHT, Part, WIDTH};

const ACROSS: usize = WIDTH as usize;
const DOWN: usize = HEIGHT as usize;

/// Levels up to this are black: 16, and what encoding adds.
const BLACK_MAX: u8 = 28;

/// The smallest part of a side that counts as a bar.
const BAR_MIN: f64 = 0.02;

/// The smallest part of a side that is left between bars.
const LEFT_MIN: f64 = 0.2;

/// Looks for bars.
#[derive(Clone, Debug)]
pub(super) struct Bars {
    rows: [u8; DOWN],
    columns: [u8; ACROSS],
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { rows: [0; DOWN], columns: [0; ACROSS] }
    }

    /// Looks at a picture.
    pub(super) fn push(&mut self, picture: &[u8]) {
        for (line, row) in picture.chunks_exact(ACROSS).zip(&mut self.rows) {
            *row = line.iter().copied().fold(*row, u8::max);
            for (level, column) in line.iter().zip(&mut self.columns) {
                *column = (*column).max(*level);
            }
        }
    }

    /// What lies between bars; `None` where there are none.
    pub(super) fn between(&self) -> Option<Part> {
        let (y, height) = lit(&self.rows)?;
        let (x, width) = lit(&self.columns)?;
        let is_cut = (1.0 - width).max(1.0 - height) >= BAR_MIN;
        let is_left = width >= LEFT_MIN && height >= LEFT_MIN;
        (is_cut && is_left).then_some(Part { x, y, width, height })
    }
}

/// From the first to the last that isn't black, as fractions.
fn lit(levels: &[u8]) -> Option<(f64, f64)> {
    let is_lit = |level: &u8| *level > BLACK_MAX;
    let (first, last) = (levels.iter().position(is_lit)?, levels.iter().rposition(is_lit)?);
    // What lies half on a bar is left to it.
    let first = if first > 0 { first + 1 } else { first };
    let last = if last + 1 < levels.len() { last.checked_sub(1)? } else { last };
    #[expect(clippy::cast_precision_loss, reason = "at most 256")]
    let fraction = |count: usize| count as f64 / levels.len() as f64;
    (last >= first).then(|| (fraction(first), fraction(last + 1 - first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lit: impl Fn(usize, usize) -> bool, expected: Option<[f64; 4]>) {
        let level = |place: usize| if lit(place % ACROSS, place / ACROSS) { 120 } else { 17 };
        let picture: Vec<u8> = (0..ACROSS * DOWN).map(level).collect();
        let mut bars = Bars::new();
        bars.push(&picture);
        let found = bars.between().map(|part| [part.x, part.y, part.width, part.height]);
        assert_eq!(found, expected);
    }

    #[test]
    fn bars_are_found_where_they_are() {
        check(|_, _| true, None);
        check(|_, y| (20..140).contains(&y), Some([0.0, 21.0 / 160.0, 1.0, 118.0 / 160.0]));
        check(|x, _| x >= 64, Some([65.0 / 256.0, 0.0, 191.0 / 256.0, 1.0]));
        check(|_, y| y > 0, None);
    }

    #[test]
    fn a_black_picture_and_a_sliver_are_no_pictures_between_bars() {
        check(|_, _| false, None);
        check(|_, y| (70..80).contains(&y), None);
    }
}
