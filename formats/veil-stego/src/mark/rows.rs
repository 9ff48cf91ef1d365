//! The rows of the Hadamard matrix that slots have.
//!
//! Owns: signs of macro cells, and the keyed sequence that tells slots apart. Invariant: within forty slots no row comes twice.

use super::MACROS;
use crate::stream::{Purpose, StructuralKey};

/// Rows that a slot may have: all but the first, which has no sign in it.
const ROWS: usize = MACROS - 1;
/// For so many slots a row doesn't come again.
const REST: usize = 40;

/// The rows of a title's first `slot_count` slots, 1 to 63.
pub(super) fn rows(key: &StructuralKey, slot_count: u32) -> Vec<u8> {
    let mut stream = key.stream(Purpose::Rows, 0);
    let mut order: [u8; ROWS] = std::array::from_fn(|at| at as u8 + 1);
    for at in 0..ROWS {
        order.swap(at, at + stream.below((ROWS - at) as u32) as usize);
    }
    let (free, resting) = order.split_at_mut(ROWS - REST);
    let draw = |slot: u32| {
        let taken = &mut free[stream.below((ROWS - REST) as u32) as usize];
        let row = *taken;
        *taken = std::mem::replace(&mut resting[slot as usize % REST], row);
        row
    };
    (0..slot_count).map(draw).collect()
}

/// Whether a macro cell's sign is minus in a row (Sylvester's order).
pub(super) fn is_minus(row: u8, cell: usize) -> bool {
    (usize::from(row) & cell).count_ones() % 2 == 1
}

/// Sums of 64 numbers with the signs of each row, in place (fast Walsh-Hadamard transform).
pub(super) fn transform(values: &mut [f32; MACROS]) {
    let mut half = 1;
    while half < MACROS {
        for pair in values.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                (*low, *high) = (*low + *high, *low - *high);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_comes_again_within_forty_slots_and_all_come() {
        let rows = rows(&StructuralKey::new([3; 32]), 5000);
        for (at, row) in rows.iter().enumerate() {
            assert!((1..64).contains(row));
            assert!(!rows[at + 1..(at + 41).min(rows.len())].contains(row), "slot {at}");
        }
        assert!((1..64).all(|row| rows.iter().filter(|other| **other == row).count() > 40));
        // A longer title begins alike.
        assert_eq!(super::rows(&StructuralKey::new([3; 32]), 70), rows[..70]);
    }

    #[test]
    fn the_transform_adds_up_with_each_rows_signs() {
        let values: [f32; MACROS] = std::array::from_fn(|at| (at * at % 17) as f32);
        let mut sums = values;
        transform(&mut sums);
        for row in 0..64_u8 {
            let signed = values.iter().enumerate();
            let sum: f32 = signed.map(|(at, v)| if is_minus(row, at) { -v } else { *v }).sum();
            assert!((sum - sums[usize::from(row)]).abs() < 1e-3, "row {row}");
        }
    }
}
