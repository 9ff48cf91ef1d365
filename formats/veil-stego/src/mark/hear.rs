//! What a leak says of each slot.
//!
//! Owns: the probability of a symbol, from the scores of a slot's windows. Refuses to know: viewers. Invariant: a slot that shows
//! nothing, or another slot's pattern, is no evidence.

use super::MACROS;
use super::track::Scores;

/// What the first quarter of a slot counts: encoders keep showing what was there before.
const FIRST_WEIGHT: f32 = 0.5;
/// Windows that a slot has at least.
const LEAST_WINDOWS: u32 = 2;
/// Nothing is surer than this.
const SUREST: f64 = 0.995;
/// How often a slot that was found shows nothing of its mark, before anything is known.
const SILENT: f64 = 0.2;
/// How widely marks differ from slot to slot, in parts of their median.
const SPREAD: f64 = 0.5;
/// The median of the absolute values of normally distributed numbers, in deviations.
const MEDIAN: f32 = 0.6745;
/// What the highest of 63 of them comes to, in deviations.
const HIGHEST: f32 = 2.6;

/// What a leak says of its copy.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// How many deviations the title's template stands above those of decoys; a mark is there from [`super::PRESENCE_THRESHOLD`] on.
    pub presence: f64,
    /// Slots that were found, in order.
    pub slots: Vec<Heard>,
    /// Windows that were read.
    pub window_count: usize,
}

/// What a leak says of a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// Number of the slot in the title.
    pub slot: u32,
    /// Where it is first seen, in microseconds of the leak's time.
    pub leak_us: u64,
    /// The probability of symbol 1.
    pub one: f64,
    /// How sure that is: 0 for nothing known, 1 for certain.
    pub confidence: f64,
}

/// The windows of a slot, added up.
#[derive(Clone)]
struct Sum {
    slot: u32,
    leak_us: u64,
    scores: Scores,
    windows: u32,
}

/// Hears slots from windows' scores, beginnings and places. `rows` are those of the title's slots.
pub(super) fn hear(
    scores: &[Scores],
    starts_us: &[u64],
    path: &[(u32, u8)],
    rows: &[u8],
) -> Vec<Heard> {
    let mut sums: Vec<Option<Sum>> = vec![None; rows.len()];
    for ((scores, leak_us), (slot, phase)) in scores.iter().zip(starts_us).zip(path) {
        let new = Sum { slot: *slot, leak_us: *leak_us, scores: [0.0; MACROS], windows: 0 };
        let sum = sums[*slot as usize].get_or_insert(new);
        let weight = if *phase == 0 { FIRST_WEIGHT } else { 1.0 };
        sum.scores.iter_mut().zip(scores).for_each(|(sum, score)| *sum += weight * score);
        sum.windows += 1;
    }
    let sums = sums.into_iter().flatten().filter(|sum| sum.windows >= LEAST_WINDOWS);
    let found: Vec<(Sum, f64)> = sums
        .map(|sum| {
            let score = score(&sum.scores, rows[sum.slot as usize]);
            (sum, score)
        })
        .collect();
    let typical = typical(found.iter().map(|(_, score)| score.abs()).collect());
    let heard = |(sum, score): (Sum, f64)| {
        let one = probability(score, typical);
        Heard { slot: sum.slot, leak_us: sum.leak_us, one, confidence: (2.0 * one - 1.0).abs() }
    };
    found.into_iter().map(heard).collect()
}

/// The score of a slot's own row, in deviations of the others': by their median, or by their highest where that is out of proportion, as
/// it is where an encoder left only blocks or still shows another slot.
fn score(scores: &Scores, row: u8) -> f64 {
    let own = usize::from(row);
    let others = scores.iter().enumerate().filter(|(at, _)| *at != own);
    let mut others: Vec<f32> = others.map(|(_, score)| score.abs()).collect();
    others.sort_unstable_by(f32::total_cmp);
    let by_median = others[others.len() / 2] / MEDIAN;
    let by_highest = others[others.len() - 1] / HIGHEST;
    f64::from(scores[own] / by_median.max(by_highest).max(1e-6))
}

/// The median of slots' scores: how loud the leak's marks are.
fn typical(mut scores: Vec<f64>) -> f64 {
    scores.sort_unstable_by(f64::total_cmp);
    scores.get(scores.len() / 2).copied().unwrap_or(1.0).max(1.0)
}

/// The probability of symbol 1 by Bayes, where a mark gives scores about plus or minus `typical`, and silence scores about 0.
fn probability(score: f64, typical: f64) -> f64 {
    let deviation = 1.0 + SPREAD * SPREAD * typical * typical;
    let mark = |mean: f64| {
        (1.0 - SILENT) / deviation.sqrt()
            * (-(score - mean) * (score - mean) / (2.0 * deviation)).exp()
    };
    let silence = SILENT * (-score * score / 2.0).exp();
    let (one, zero) = (mark(typical) + silence, mark(-typical) + silence);
    let sum = one + zero;
    let sure = if sum > 0.0 { one / sum } else { f64::from(u8::from(score > 0.0)) };
    sure.clamp(1.0 - SUREST, SUREST)
}
