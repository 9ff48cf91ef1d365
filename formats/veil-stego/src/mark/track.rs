//! Which window of a leak shows which part of which slot.
//!
//! Owns: the likeliest way through slots and their quarters (Viterbi 1967), through cuts, trims and other speeds, with no prior. Refuses
//! to know: symbols. Invariant: memory grows with the square root of the number of windows times that of slots.

use super::{MACROS, PHASES};

/// What a quarter costs that is shown twice, or not at all.
const SLIP: f32 = 3.0;
/// What it costs to go on anywhere else.
const JUMP: f32 = 14.0;

/// Where a state came from.
const ADVANCED: u8 = 0;
const STAYED: u8 = 1;
const SKIPPED: u8 = 2;
const JUMPED: u8 = 3;

/// Scores of a window, one for each row.
pub(super) type Scores = [f32; MACROS];

/// A walk's step: what it came from, for each state, and the best state before.
struct Step {
    from: Vec<u8>,
    best: usize,
}

/// For each window, its slot and quarter. `rows` are those of the title's slots; there is at least one.
pub(super) fn align(scores: &[Scores], rows: &[u8]) -> Vec<(u32, u8)> {
    if scores.is_empty() || rows.is_empty() {
        return Vec::new();
    }
    let length = scores.len().isqrt().max(1);
    let mut walk = Walk::new(rows);
    // The costs at the beginning of each block, so that a block's steps can be taken again.
    let mut starts = Vec::new();
    for block in scores.chunks(length) {
        starts.push(walk.totals.clone());
        block.iter().for_each(|scores| drop(walk.step(scores, false)));
    }
    let mut state = highest(&walk.totals);
    let mut path = Vec::with_capacity(scores.len());
    for (block, start) in scores.chunks(length).zip(starts).rev() {
        walk.totals = start;
        let steps: Vec<Step> = block.iter().map(|scores| walk.step(scores, true)).collect();
        for step in steps.iter().rev() {
            path.push(((state / PHASES) as u32, (state % PHASES) as u8));
            state = match step.from[state] {
                ADVANCED => state.saturating_sub(1),
                STAYED => state,
                SKIPPED => state.saturating_sub(2),
                _ => step.best,
            };
        }
    }
    path.reverse();
    path
}

struct Walk<'a> {
    rows: &'a [u8],
    /// The best way's sum to each state, against the best of all.
    totals: Vec<f32>,
    next: Vec<f32>,
}

impl<'a> Walk<'a> {
    fn new(rows: &'a [u8]) -> Self {
        let states = rows.len() * PHASES;
        Self { rows, totals: vec![0.0; states], next: vec![0.0; states] }
    }

    /// Goes on by a window; says where from if that is asked for.
    fn step(&mut self, scores: &Scores, is_told: bool) -> Step {
        let best = highest(&self.totals);
        let top = self.totals[best];
        let mean = scores.iter().map(|score| score.abs()).sum::<f32>() / MACROS as f32;
        let given = scores.map(|score| score.abs() - mean);
        let mut from = Vec::new();
        if is_told {
            from.reserve(self.totals.len());
        }
        let (mut one, mut two) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        for (slot, row) in self.rows.iter().enumerate() {
            let given = given[usize::from(*row)];
            for state in slot * PHASES..(slot + 1) * PHASES {
                let here = self.totals[state] - top;
                let (mut sum, mut why) = (one, ADVANCED);
                for (other, reason) in
                    [(here - SLIP, STAYED), (two - SLIP, SKIPPED), (-JUMP, JUMPED)]
                {
                    if other > sum {
                        (sum, why) = (other, reason);
                    }
                }
                self.next[state] = sum + given;
                if is_told {
                    from.push(why);
                }
                (two, one) = (one, here);
            }
        }
        std::mem::swap(&mut self.totals, &mut self.next);
        Step { from, best }
    }
}

fn highest(values: &[f32]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::rows::rows;
    use super::*;
    use crate::stream::StructuralKey;

    /// Windows that show quarters of slots, with noise.
    fn windows(rows: &[u8], shown: &[(u32, u8)]) -> Vec<Scores> {
        let mut state = 1_u32;
        let mut noise = move || {
            let mut sum = 0.0;
            for _ in 0..4 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                sum += (state >> 8) as f32 / (1 << 24) as f32 - 0.5;
            }
            sum * 1.7
        };
        let window = |(slot, _): &(u32, u8)| {
            let mut scores: Scores = std::array::from_fn(|_| noise());
            scores[usize::from(rows[*slot as usize])] += 6.0;
            scores
        };
        shown.iter().map(window).collect()
    }

    fn quarters(slots: std::ops::Range<u32>) -> Vec<(u32, u8)> {
        slots.flat_map(|slot| (0..4).map(move |phase| (slot, phase))).collect()
    }

    fn check(shown: &[(u32, u8)], wrong_at_most: usize) {
        let rows = rows(&StructuralKey::new([3; 32]), 300);
        let found = align(&windows(&rows, shown), &rows);
        assert_eq!(found.len(), shown.len());
        let wrong = found.iter().zip(shown).filter(|(found, shown)| found.0 != shown.0).count();
        assert!(wrong <= wrong_at_most, "{wrong} of {}", shown.len());
    }

    #[test]
    fn a_trim_a_cut_and_another_speed_are_followed() {
        check(&quarters(0..300), 0);
        check(&quarters(117..150)[3..], 0);
        check(&[quarters(20..60), quarters(200..230), quarters(3..30)].concat(), 3);
        let fast: Vec<_> = quarters(50..250)
            .into_iter()
            .enumerate()
            .filter(|(at, _)| at % 17 != 0)
            .map(|(_, q)| q)
            .collect();
        check(&fast, 30);
        let slow: Vec<_> = quarters(50..250)
            .into_iter()
            .enumerate()
            .flat_map(|(at, q)| vec![q; 1 + usize::from(at % 17 == 0)])
            .collect();
        check(&slow, 30);
    }

    #[test]
    fn nothing_is_aligned_with_nothing() {
        assert!(align(&[], &[1]).is_empty());
        assert!(align(&[[0.0; MACROS]], &[]).is_empty());
        assert_eq!(align(&[[0.0; MACROS]; 3], &[1]).len(), 3);
    }
}
