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
    // Vectors and not numbers: so they lie where vectors have to, and four of them in registers.
    let mut metrics = [spread(UNREACHED); VECTORS];
    let mut start = [UNREACHED; WIDTH];
    start[0] = 0;
    metrics[0] = load(&start);
    let samples = cover.bits.iter().zip(cover.costs);
    let mut samples = samples.zip(path.chunks_exact_mut(VECTORS));
    for (number, bit) in message.iter().enumerate() {
        for column in columns {
            let Some(((value, cost), words)) = samples.next() else { break };
            let (to_zero, to_one) = if *value == 0 { (0, *cost) } else { (*cost, 0) };
            metrics = step(&metrics, *column, to_zero, to_one, words);
        }
        keep(&mut metrics, usize::from(*bit));
        if number % BITS_BETWEEN_RESTS == BITS_BETWEEN_RESTS - 1 {
            rest(&mut metrics);
        }
    }
    cheapest(metrics.map(|vector| store(vector)).as_flattened())
}

/// What one sample does to all states.
struct Way {
    places: __m512i,
    to_zero: __m512i,
    to_one: __m512i,
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn step<const VECTORS: usize>(
    metrics: &[__m512i; VECTORS],
    column: u16,
    to_zero: u16,
    to_one: u16,
    words: &mut [u32],
) -> [__m512i; VECTORS] {
    let (within, between) = (column % 32, usize::from(column / 32));
    let way = Way {
        places: _mm512_xor_si512(load(&IOTA), spread(within)),
        to_zero: spread(to_zero),
        to_one: spread(to_one),
    };
    // Where vectors are four, how far partners are apart is known where it is compiled, and they need not go through memory: a column's last bit is
    // set, so it is two or three.
    match (VECTORS, between) {
        (4, 2) => step_by(metrics, |number| number ^ 2, &way, words),
        (4, _) => step_by(metrics, |number| number ^ 3, &way, words),
        _ => step_by(metrics, |number| (number ^ between) % VECTORS, &way, words),
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn step_by<const VECTORS: usize>(
    metrics: &[__m512i; VECTORS],
    partner_of: impl Fn(usize) -> usize,
    Way { places, to_zero, to_one }: &Way,
    words: &mut [u32],
) -> [__m512i; VECTORS] {
    let mut after = *metrics;
    for (number, word) in words.iter_mut().enumerate().take(VECTORS) {
        let stay = _mm512_adds_epu16(metrics[number], *to_zero);
        let partner = _mm512_permutexvar_epi16(*places, metrics[partner_of(number)]);
        let come = _mm512_adds_epu16(partner, *to_one);
        *word = _mm512_cmple_epu16_mask(stay, come);
        after[number] = _mm512_min_epu16(stay, come);
    }
    after
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn keep<const VECTORS: usize>(metrics: &mut [__m512i; VECTORS], bit: usize) {
    let places = load(&HALVES[bit]);
    for number in 0..VECTORS / 2 {
        let (low, high) = (metrics[2 * number], metrics[2 * number + 1]);
        metrics[number] = _mm512_permutex2var_epi16(low, places, high);
    }
    metrics[VECTORS / 2..].fill(spread(UNREACHED));
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn rest<const VECTORS: usize>(metrics: &mut [__m512i; VECTORS]) {
    let mut least = spread(UNREACHED);
    for vector in metrics.iter() {
        least = _mm512_min_epu16(least, *vector);
    }
    let least = spread(store(least).into_iter().min().unwrap_or(0));
    let unreached = spread(UNREACHED);
    for vector in metrics {
        let reached = _mm512_cmpneq_epi16_mask(*vector, unreached);
        *vector = _mm512_mask_sub_epi16(*vector, reached, *vector, least);
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
fn store(vector: __m512i) -> [u16; WIDTH] {
    let mut numbers = [0; WIDTH];
    // SAFETY: the array has the vector's 64 bytes; the store needs no alignment.
    unsafe { _mm512_storeu_si512(numbers.as_mut_ptr().cast(), vector) }
    numbers
}
