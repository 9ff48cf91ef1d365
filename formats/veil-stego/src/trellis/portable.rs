//! The Viterbi algorithm, one state at a time: what every processor has, and what the other ways are held against.

use super::{BITS_BETWEEN_RESTS, UNREACHED, Viterbi};

/// Walks a trellis of `STATES` states, and returns the cheapest at its end.
pub(super) fn walk<const STATES: usize>(walk: Viterbi<'_>) -> usize {
    let Viterbi { cover, message, columns, path } = walk;
    let mut metrics = [UNREACHED; STATES];
    metrics[0] = 0;
    let samples = cover.bits.iter().zip(cover.costs);
    let mut samples = samples.zip(path.chunks_exact_mut(STATES / 32));
    for (number, bit) in message.iter().enumerate() {
        for column in columns {
            let Some(((value, cost), words)) = samples.next() else { break };
            let (to_zero, to_one) = if *value == 0 { (0, *cost) } else { (*cost, 0) };
            step(&mut metrics, usize::from(*column), to_zero, to_one, words);
        }
        keep(&mut metrics, usize::from(*bit));
        if number % BITS_BETWEEN_RESTS == BITS_BETWEEN_RESTS - 1 {
            rest(&mut metrics);
        }
    }
    cheapest(&metrics)
}

/// One sample: into each state from itself with bit 0, or from the one that differs by the column with bit 1.
fn step<const STATES: usize>(
    metrics: &mut [u16; STATES],
    column: usize,
    to_zero: u16,
    to_one: u16,
    words: &mut [u32],
) {
    words.fill(0);
    let before = *metrics;
    for (state, metric) in metrics.iter_mut().enumerate() {
        let zero = before[state].saturating_add(to_zero);
        let one = before[state ^ column].saturating_add(to_one);
        words[state / 32] |= u32::from(zero <= one) << (state % 32);
        *metric = zero.min(one);
    }
}

/// Keeps the states whose lowest bit is the message's, and lets the matrix go down by one row.
fn keep<const STATES: usize>(metrics: &mut [u16; STATES], bit: usize) {
    for state in 0..STATES / 2 {
        metrics[state] = metrics[2 * state + bit];
    }
    metrics[STATES / 2..].fill(UNREACHED);
}

/// Brings metrics down, so that the cheapest is 0.
fn rest<const STATES: usize>(metrics: &mut [u16; STATES]) {
    let least = metrics.iter().copied().min().unwrap_or(0);
    for metric in metrics.iter_mut().filter(|metric| **metric != UNREACHED) {
        *metric -= least;
    }
}

pub(super) fn cheapest(metrics: &[u16]) -> usize {
    let by_metric = metrics.iter().enumerate().min_by_key(|(_, metric)| **metric);
    by_metric.map_or(0, |(state, _)| state)
}
