//! The keyed order in which a frame's samples carry a message.
//!
//! A Feistel network on the frame's own grid: a place is (column, row), and each round moves one of the two by a random
//! function of the other. Columns and rows are the two halves, so every round is a permutation of exactly this frame's
//! samples and nothing is walked around (Black and Rogaway, *Ciphers with arbitrary finite domains*, CT-RSA 2002,
//! method 3, with a = width and b = height). The functions are tables from the frame's stream, so they are as random as
//! it, and the four rounds give what Luby and Rackoff's theorem asks for. Invariant: the order depends on key, frame number and
//! size alone, never on a sample, so a reader needs no cost.

use crate::plane::Picture;
use crate::stream::{Purpose, StructuralKey};

/// A permutation of the samples of one frame.
pub(crate) struct Order {
    width: u32,
    height: u32,
    /// For each row, how far columns move; then for each column, how far rows move; twice.
    rounds: [Vec<u32>; 4],
}

impl Order {
    /// The order of a frame's samples.
    pub(crate) fn new(key: &StructuralKey, frame: u64, picture: Picture) -> Self {
        let (width, height) = (picture.width(), picture.height());
        let mut stream = key.stream(Purpose::Order, frame);
        let mut table = |inputs: u32, end: u32| (0..inputs).map(|_| stream.below(end)).collect();
        let rounds = [
            table(height, width),
            table(width, height),
            table(height, width),
            table(width, height),
        ];
        Self { width, height, rounds }
    }

    /// Writes the places (row · width + column) of the samples `first`, `first + 1` … into `places`. Numbers go up to
    /// width · height.
    pub(crate) fn places(&self, first: u32, places: &mut [u32]) {
        let [by_row, by_column, ..] = &self.rounds;
        let (mut column, mut row) = (first % self.width, first / self.width);
        let mut places = places;
        while !places.is_empty() {
            // Until the first round or the row begins again, columns follow each other.
            let x = wrap(column + by_row[row as usize], self.width);
            let count = places.len().min((self.width - column.max(x)) as usize);
            let (now, later) = places.split_at_mut(count);
            self.run((x, row), &by_column[x as usize..][..count], now);
            places = later;
            column += u32::try_from(count).unwrap_or(0);
            if column == self.width {
                column = 0;
                row += 1;
            }
        }
    }

    /// Writes the places of samples that the first round puts beside each other, the first at column `x`; `steps` are the second round's of
    /// these columns.
    fn run(&self, (x, row): (u32, u32), steps: &[u32], places: &mut [u32]) {
        let [_, _, by_row, by_column] = &self.rounds;
        for ((x, step), place) in (x..).zip(steps).zip(places) {
            let y = wrap(row + step, self.height);
            let x = wrap(x + by_row[y as usize], self.width);
            let y = wrap(y + by_column[x as usize], self.height);
            *place = y * self.width + x;
        }
    }
}

/// `sum`, below twice `end`, brought below it. Without a branch: half of them would be guessed wrongly.
#[inline]
fn wrap(sum: u32, end: u32) -> u32 {
    sum.min(sum.wrapping_sub(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Depth;

    fn order(width: u32, height: u32, frame: u64) -> Order {
        let picture = Picture::new(width, height, Depth::Eight, true).unwrap();
        Order::new(&StructuralKey::new([3; 32]), frame, picture)
    }

    fn all_places(width: u32, height: u32, frame: u64) -> Vec<u32> {
        let mut places = vec![0; (width * height) as usize];
        order(width, height, frame).places(0, &mut places);
        places
    }

    #[test]
    fn every_sample_comes_once() {
        for (width, height) in [(1, 1), (1, 7), (7, 1), (16, 16), (33, 50), (127, 3)] {
            let mut places = all_places(width, height, 5);
            places.sort_unstable();
            assert!(places.iter().copied().eq(0..width * height), "{width}x{height}");
        }
    }

    #[test]
    fn a_part_is_the_part_of_the_whole() {
        let whole = all_places(40, 30, 1);
        let mut part = [0; 100];
        order(40, 30, 1).places(77, &mut part);
        assert_eq!(part, whole[77..177]);
    }

    #[test]
    fn frames_and_neighbours_have_nothing_in_common() {
        let (one, other) = (all_places(256, 256, 0), all_places(256, 256, 1));
        let same = one.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!(same < 12, "{same} of 65,536 samples have the same place; chance gives about one");
        // Samples that follow each other lie a third of the frame apart, as those of a random order do.
        let distance =
            |pair: &[u32]| (i64::from(pair[0] / 256) - i64::from(pair[1] / 256)).unsigned_abs();
        let mean = one.windows(2).map(distance).sum::<u64>() / 65_535;
        assert!((80..91).contains(&mean), "mean distance {mean} rows");
    }
}
