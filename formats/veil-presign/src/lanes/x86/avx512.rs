//! Sixteen messages with AVX-512: a vector holds the same word of each.
#![forbid(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm_set_epi64x, _mm512_add_epi32, _mm512_broadcast_i32x4, _mm512_ror_epi32,
    _mm512_set1_epi32, _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_shuffle_i32x4,
    _mm512_srli_epi32, _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use super::{Avx512, SWAP, lanes_of, load_16, store_16};
use crate::form::{Form, ROUND_CONSTANTS, Schedule};
use crate::sha::{Block, Digest, Hex};

/// One word of each of sixteen messages, sixteen times; or the transposed: sixteen words of each message.
type Square = [__m512i; 16];

#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn hash<F: AsRef<[u8]>>(form: &Form, fillings: &[F], digests: &mut [Digest]) {
    const WIDTH: usize = Avx512::WIDTH;
    let mut blocks = lanes_of(form, WIDTH);
    for (fillings, digests) in fillings.chunks(WIDTH).zip(digests.chunks_mut(WIDTH)) {
        for (lane, filling) in fillings.iter().enumerate() {
            form.fill(filling.as_ref(), &mut blocks, lane, WIDTH);
        }
        let mut states = [_mm512_setzero_si512(); 8];
        for (state, word) in states.iter_mut().zip(form.start) {
            *state = _mm512_set1_epi32(word.cast_signed());
        }
        for blocks in blocks.as_chunks::<WIDTH>().0 {
            compress(&mut states, blocks);
        }
        for schedule in &form.schedules {
            compress_scheduled(&mut states, schedule);
        }
        store_digests(&states, digests);
    }
}

/// The compiler makes vectors of it.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn hex(digests: &[Digest], texts: &mut [Hex]) {
    super::super::hex(digests, texts);
}

/// Loads one block of each message, word by word.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn square_of(blocks: &[Block; 16]) -> Square {
    let swap = _mm512_broadcast_i32x4(_mm_set_epi64x(SWAP.0, SWAP.1));
    let mut rows = [_mm512_setzero_si512(); 16];
    for (row, block) in rows.iter_mut().zip(blocks) {
        *row = _mm512_shuffle_epi8(load_16(block), swap);
    }
    transposed(&rows)
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn store_digests(states: &[__m512i; 8], digests: &mut [Digest]) {
    let swap = _mm512_broadcast_i32x4(_mm_set_epi64x(SWAP.0, SWAP.1));
    let mut columns = [_mm512_setzero_si512(); 16];
    columns[..8].copy_from_slice(states);
    for (digest, row) in digests.iter_mut().zip(transposed(&columns)) {
        let mut bytes = [0; 64];
        store_16(_mm512_shuffle_epi8(row, swap), &mut bytes);
        digest.copy_from_slice(&bytes[..32]);
    }
}

/// Does what `$step` says for 0 to 15, unrolled: words and state stay in registers only where their places are constant.
macro_rules! sixteen_times {
    ($step:ident) => {
        $step!(0);
        $step!(1);
        $step!(2);
        $step!(3);
        $step!(4);
        $step!(5);
        $step!(6);
        $step!(7);
        $step!(8);
        $step!(9);
        $step!(10);
        $step!(11);
        $step!(12);
        $step!(13);
        $step!(14);
        $step!(15);
    };
}

/// Compresses one block of each; the schedules are expanded as the rounds go.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn compress(states: &mut [__m512i; 8], blocks: &[Block; 16]) {
    let before = *states;
    let mut words = square_of(blocks);
    let (parts, _) = ROUND_CONSTANTS.as_chunks::<16>();
    for (part, constants) in parts.iter().enumerate() {
        let is_last = part + 1 == parts.len();
        macro_rules! step {
            ($at:literal) => {
                let constant = _mm512_set1_epi32(constants[$at].cast_signed());
                round(states, _mm512_add_epi32(words[$at], constant));
                if !is_last {
                    words[$at] = expanded(
                        words[$at],
                        words[($at + 1) % 16],
                        words[($at + 9) % 16],
                        words[($at + 14) % 16],
                    );
                }
            };
        }
        sixteen_times!(step);
    }
    add(states, &before);
}

/// Compresses a block that is the same in all.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn compress_scheduled(states: &mut [__m512i; 8], schedule: &Schedule) {
    let before = *states;
    for scheduled in schedule.as_chunks::<16>().0 {
        macro_rules! step {
            ($at:literal) => {
                round(states, _mm512_set1_epi32(scheduled[$at].cast_signed()));
            };
        }
        sixteen_times!(step);
    }
    add(states, &before);
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn add(states: &mut [__m512i; 8], before: &[__m512i; 8]) {
    for (state, before) in states.iter_mut().zip(before) {
        *state = _mm512_add_epi32(*state, *before);
    }
}

/// Truth tables of three inputs, for the instruction that takes one.
mod of_three {
    pub(super) const XOR: i32 = 0x96;
    pub(super) const CHOOSE: i32 = 0xca;
    pub(super) const MAJORITY: i32 = 0xe8;
}

/// One round (FIPS 180-4 §6.2.2, step 3); `scheduled` is the schedule's word with its constant.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn round(states: &mut [__m512i; 8], scheduled: __m512i) {
    let [a, b, c, d, e, f, g, h] = *states;
    let sum1 = _mm512_ternarylogic_epi32::<{ of_three::XOR }>(
        _mm512_ror_epi32::<6>(e),
        _mm512_ror_epi32::<11>(e),
        _mm512_ror_epi32::<25>(e),
    );
    let choice = _mm512_ternarylogic_epi32::<{ of_three::CHOOSE }>(e, f, g);
    let first = _mm512_add_epi32(_mm512_add_epi32(h, scheduled), _mm512_add_epi32(sum1, choice));
    let sum0 = _mm512_ternarylogic_epi32::<{ of_three::XOR }>(
        _mm512_ror_epi32::<2>(a),
        _mm512_ror_epi32::<13>(a),
        _mm512_ror_epi32::<22>(a),
    );
    let majority = _mm512_ternarylogic_epi32::<{ of_three::MAJORITY }>(a, b, c);
    let second = _mm512_add_epi32(sum0, majority);
    *states = [_mm512_add_epi32(first, second), a, b, c, _mm512_add_epi32(d, first), e, f, g];
}

/// The next word of the schedule, of those 16, 15, 7 and 2 before it (FIPS 180-4 §6.2.2, step 1).
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn expanded(by_16: __m512i, by_15: __m512i, by_7: __m512i, by_2: __m512i) -> __m512i {
    let sigma0 = _mm512_ternarylogic_epi32::<{ of_three::XOR }>(
        _mm512_ror_epi32::<7>(by_15),
        _mm512_ror_epi32::<18>(by_15),
        _mm512_srli_epi32::<3>(by_15),
    );
    let sigma1 = _mm512_ternarylogic_epi32::<{ of_three::XOR }>(
        _mm512_ror_epi32::<17>(by_2),
        _mm512_ror_epi32::<19>(by_2),
        _mm512_srli_epi32::<10>(by_2),
    );
    _mm512_add_epi32(_mm512_add_epi32(by_16, sigma0), _mm512_add_epi32(by_7, sigma1))
}

/// Rows for columns: pairs of words, then fours, then quarters of a vector.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn transposed(rows: &Square) -> Square {
    let mut fours = [_mm512_setzero_si512(); 16];
    for at in (0..16).step_by(4) {
        let low = |one, other| _mm512_unpacklo_epi32(rows[at + one], rows[at + other]);
        let high = |one, other| _mm512_unpackhi_epi32(rows[at + one], rows[at + other]);
        let (a, b, c, d) = (low(0, 1), high(0, 1), low(2, 3), high(2, 3));
        fours[at] = _mm512_unpacklo_epi64(a, c);
        fours[at + 1] = _mm512_unpackhi_epi64(a, c);
        fours[at + 2] = _mm512_unpacklo_epi64(b, d);
        fours[at + 3] = _mm512_unpackhi_epi64(b, d);
    }
    // Quarter q of `fours[4 k + c]` holds word 4 q + c of messages 4 k to 4 k + 3.
    let mut columns = [_mm512_setzero_si512(); 16];
    for at in 0..4 {
        let [a, b, c, d] = [fours[at], fours[at + 4], fours[at + 8], fours[at + 12]];
        let (even_ab, odd_ab) = (even_quarters(a, b), odd_quarters(a, b));
        let (even_cd, odd_cd) = (even_quarters(c, d), odd_quarters(c, d));
        columns[at] = even_quarters(even_ab, even_cd);
        columns[at + 4] = even_quarters(odd_ab, odd_cd);
        columns[at + 8] = odd_quarters(even_ab, even_cd);
        columns[at + 12] = odd_quarters(odd_ab, odd_cd);
    }
    columns
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn even_quarters(a: __m512i, b: __m512i) -> __m512i {
    _mm512_shuffle_i32x4::<0b10_00_10_00>(a, b)
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn odd_quarters(a: __m512i, b: __m512i) -> __m512i {
    _mm512_shuffle_i32x4::<0b11_01_11_01>(a, b)
}
