//! Thirty-two states in a vector.

use std::arch::x86_64::{
    __m512i, _mm512_adds_epu16, _mm512_cmple_epu16_mask, _mm512_cmpneq_epi16_mask,
    _mm512_loadu_si512, _mm512_mask_sub_epi16, _mm512_min_epu16, _mm512_permutex2var_epi16,
    _mm512_permutexvar_epi16, _mm512_set1_epi16, _mm512_storeu_si512, _mm512_xor_si512,
};

use super::super::portable::cheapest;
use super::super::{BITS_BETWEEN_RESTS, UNREACHED, Viterbi};

/// States in a vector.
const WIDTH: usize = 32;

/// The numbers 0 to 31.
const IOTA: [u16; WIDTH] = numbers(0, 1);
/// The even and the odd places of two vectors.
const HALVES: [[u16; WIDTH]; 2] = [numbers(0, 2), numbers(1, 2)];

const fn numbers(first: u16, step: u16) -> [u16; WIDTH] {
    let mut all = [first; WIDTH];
    let mut at = 1;
    while at < WIDTH {
        all[at] = all[at - 1] + step;
        at += 1;
    }
    all
}

/// As `portable::walk`, over 32 · `VECTORS` states.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn walk<const VECTORS: usize>(walk: Viterbi<'_>) -> usize {
    let Viterbi { cover, message, columns, path } = walk;
    let mut metrics = [[UNREACHED; WIDTH]; VECTORS];
    metrics[0][0] = 0;
    let samples = cover.bits.iter().zip(cover.costs);
    let mut samples = samples.zip(path.chunks_exact_mut(VECTORS));
    for (number, bit) in message.iter().enumerate() {
        for column in columns {
            let Some(((value, cost), words)) = samples.next() else { break };
            let (to_zero, to_one) = if *value == 0 { (0, *cost) } else { (*cost, 0) };
            step(&mut metrics, *column, to_zero, to_one, words);
        }
        keep(&mut metrics, usize::from(*bit));
        if number % BITS_BETWEEN_RESTS == BITS_BETWEEN_RESTS - 1 {
            rest(&mut metrics);
        }
    }
    cheapest(metrics.as_flattened())
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn step<const VECTORS: usize>(
    metrics: &mut [[u16; WIDTH]; VECTORS],
    column: u16,
    to_zero: u16,
    to_one: u16,
    words: &mut [u32],
) {
    let (within, between) = (column % 32, usize::from(column / 32));
    let places = _mm512_xor_si512(load(&IOTA), spread(within));
    let (to_zero, to_one) = (spread(to_zero), spread(to_one));
    let mut after = [[0; WIDTH]; VECTORS];
    for (number, word) in words.iter_mut().enumerate().take(VECTORS) {
        let stay = _mm512_adds_epu16(load(&metrics[number]), to_zero);
        let partner = load(&metrics[(number ^ between) % VECTORS]);
        let come = _mm512_adds_epu16(_mm512_permutexvar_epi16(places, partner), to_one);
        *word = _mm512_cmple_epu16_mask(stay, come);
        store(_mm512_min_epu16(stay, come), &mut after[number]);
    }
    *metrics = after;
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn keep<const VECTORS: usize>(metrics: &mut [[u16; WIDTH]; VECTORS], bit: usize) {
    let places = load(&HALVES[bit]);
    for number in 0..VECTORS / 2 {
        let (low, high) = (load(&metrics[2 * number]), load(&metrics[2 * number + 1]));
        store(_mm512_permutex2var_epi16(low, places, high), &mut metrics[number]);
    }
    metrics[VECTORS / 2..].fill([UNREACHED; WIDTH]);
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn rest<const VECTORS: usize>(metrics: &mut [[u16; WIDTH]; VECTORS]) {
    let least = metrics.as_flattened().iter().copied().min().unwrap_or(0);
    let (least, unreached) = (spread(least), spread(UNREACHED));
    for part in metrics {
        let vector = load(part);
        let reached = _mm512_cmpneq_epi16_mask(vector, unreached);
        store(_mm512_mask_sub_epi16(vector, reached, vector, least), part);
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn spread(number: u16) -> __m512i {
    _mm512_set1_epi16(number.cast_signed())
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn load(numbers: &[u16; WIDTH]) -> __m512i {
    // SAFETY: the array has the vector's 64 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn store(vector: __m512i, numbers: &mut [u16; WIDTH]) {
    // SAFETY: the array has the vector's 64 bytes; the store needs no alignment.
    unsafe { _mm512_storeu_si512(numbers.as_mut_ptr().cast(), vector) }
}
