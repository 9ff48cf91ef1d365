//! Sixteen states in a vector.

use std::arch::x86_64::{
    __m256i, _mm256_adds_epu16, _mm256_cmpeq_epi16, _mm256_loadu_si256, _mm256_min_epu16,
    _mm256_movemask_epi8, _mm256_packs_epi16, _mm256_permute2x128_si256, _mm256_permute4x64_epi64,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setr_epi8, _mm256_shuffle_epi8,
    _mm256_storeu_si256, _mm256_xor_si256,
};

use super::super::portable::cheapest;
use super::super::{BITS_BETWEEN_RESTS, UNREACHED, Viterbi};

/// States in a vector.
const WIDTH: usize = 16;

/// As `portable::walk`, over 16 · `VECTORS` states.
#[target_feature(enable = "avx2")]
pub(super) fn walk<const VECTORS: usize>(walk: Viterbi<'_>) -> usize {
    let Viterbi { cover, message, columns, path } = walk;
    let mut metrics = [[UNREACHED; WIDTH]; VECTORS];
    metrics[0][0] = 0;
    let samples = cover.bits.iter().zip(cover.costs);
    let mut samples = samples.zip(path.chunks_exact_mut(VECTORS / 2));
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

#[target_feature(enable = "avx2")]
#[inline]
fn step<const VECTORS: usize>(
    metrics: &mut [[u16; WIDTH]; VECTORS],
    column: u16,
    to_zero: u16,
    to_one: u16,
    words: &mut [u32],
) {
    let between = usize::from(column / 16);
    let bytes = byte_order(column);
    let crosses = column & 8 != 0;
    let (to_zero, to_one) = (spread(to_zero), spread(to_one));
    let mut after = [[0; WIDTH]; VECTORS];
    for (pair, word) in words.iter_mut().enumerate().take(VECTORS / 2) {
        let mut chosen = [spread(0); 2];
        for (number, chosen) in (2 * pair..).zip(&mut chosen) {
            let stay = _mm256_adds_epu16(load(&metrics[number]), to_zero);
            let partner = load(&metrics[(number ^ between) % VECTORS]);
            let partner = _mm256_shuffle_epi8(partner, bytes);
            let partner =
                if crosses { _mm256_permute2x128_si256(partner, partner, 1) } else { partner };
            let least = _mm256_min_epu16(stay, _mm256_adds_epu16(partner, to_one));
            store(least, &mut after[number]);
            *chosen = _mm256_cmpeq_epi16(least, stay);
        }
        // Packing puts the halves of both side by side; the middle two change places.
        let packed = _mm256_packs_epi16(chosen[0], chosen[1]);
        let packed = _mm256_permute4x64_epi64(packed, 0b11_01_10_00);
        *word = _mm256_movemask_epi8(packed).cast_unsigned();
    }
    *metrics = after;
}

/// The order of bytes that exchanges each state with its partner, within half a vector.
#[target_feature(enable = "avx2")]
#[inline]
fn byte_order(column: u16) -> __m256i {
    let iota = _mm256_setr_epi8(
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
        12, 13, 14, 15,
    );
    let offset = (column % 8 * 2).to_le_bytes()[0];
    _mm256_xor_si256(iota, _mm256_set1_epi8(offset.cast_signed()))
}

fn keep<const VECTORS: usize>(metrics: &mut [[u16; WIDTH]; VECTORS], bit: usize) {
    let flat = metrics.as_flattened_mut();
    for state in 0..flat.len() / 2 {
        flat[state] = flat[2 * state + bit];
    }
    metrics[VECTORS / 2..].fill([UNREACHED; WIDTH]);
}

fn rest<const VECTORS: usize>(metrics: &mut [[u16; WIDTH]; VECTORS]) {
    let flat = metrics.as_flattened_mut();
    let least = flat.iter().copied().min().unwrap_or(0);
    for metric in flat {
        *metric = if *metric == UNREACHED { UNREACHED } else { *metric - least };
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn spread(number: u16) -> __m256i {
    _mm256_set1_epi16(number.cast_signed())
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(numbers: &[u16; WIDTH]) -> __m256i {
    // SAFETY: the array has the vector's 32 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(vector: __m256i, numbers: &mut [u16; WIDTH]) {
    // SAFETY: the array has the vector's 32 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(numbers.as_mut_ptr().cast(), vector) }
}
