//! Two messages with the SHA instructions: one's rounds run while the other's wait for their results.
//!
//! The instructions keep the eight words of the state as (a b e f) and (c d g h), highest first.
#![forbid(unsafe_code)]

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
    _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32,
    _mm_shuffle_epi8, _mm_shuffle_epi32,
};

use super::{SWAP, ShaNi, lanes_of, load_4};
use crate::form::{Form, ROUND_CONSTANTS, Schedule};
use crate::sha::{Block, Digest, digest_of};

/// The state of one message.
#[derive(Clone, Copy)]
struct Halves {
    abef: __m128i,
    cdgh: __m128i,
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
pub(super) fn hash<F: AsRef<[u8]>>(form: &Form, fillings: &[F], digests: &mut [Digest]) {
    let start = halves(&form.start);
    let mut blocks = lanes_of(form, ShaNi::WIDTH);
    let both = fillings.chunks(ShaNi::WIDTH).zip(digests.chunks_mut(ShaNi::WIDTH));
    for (fillings, digests) in both {
        for (lane, filling) in fillings.iter().enumerate() {
            form.fill(filling.as_ref(), &mut blocks, lane, ShaNi::WIDTH);
        }
        let mut states = [start; ShaNi::WIDTH];
        for pair in blocks.as_chunks::<{ ShaNi::WIDTH }>().0 {
            compress(&mut states, [words(&pair[0]), words(&pair[1])]);
        }
        for schedule in &form.schedules {
            compress_scheduled(&mut states, schedule);
        }
        for (digest, state) in digests.iter_mut().zip(states) {
            *digest = digest_of(&unhalved(state));
        }
    }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn halves(state: &[u32; 8]) -> Halves {
    let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
    Halves { abef: _mm_set_epi32(a, b, e, f), cdgh: _mm_set_epi32(c, d, g, h) }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn unhalved(state: Halves) -> [u32; 8] {
    let Halves { abef, cdgh } = state;
    [
        _mm_extract_epi32::<3>(abef),
        _mm_extract_epi32::<2>(abef),
        _mm_extract_epi32::<3>(cdgh),
        _mm_extract_epi32::<2>(cdgh),
        _mm_extract_epi32::<1>(abef),
        _mm_extract_epi32::<0>(abef),
        _mm_extract_epi32::<1>(cdgh),
        _mm_extract_epi32::<0>(cdgh),
    ]
    .map(i32::cast_unsigned)
}

/// The words of a block, four to a vector.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn words(block: &Block) -> [__m128i; 4] {
    let swap = _mm_set_epi64x(SWAP.0, SWAP.1);
    let mut words = [_mm_setzero_si128(); 4];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<16>().0) {
        *word = _mm_shuffle_epi8(load_4(bytes), swap);
    }
    words
}

/// Four rounds of one message; `scheduled` are four words of its schedule with their constants.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn four_rounds(state: &mut Halves, scheduled: __m128i) {
    state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, scheduled);
    let upper = _mm_shuffle_epi32::<0x0e>(scheduled);
    state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, upper);
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn add(states: &mut [Halves; 2], before: &[Halves; 2]) {
    for (state, before) in states.iter_mut().zip(before) {
        state.abef = _mm_add_epi32(state.abef, before.abef);
        state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
    }
}

/// Compresses one block of each; the schedules are expanded as the rounds go.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn compress(states: &mut [Halves; 2], mut words: [[__m128i; 4]; 2]) {
    let before = *states;
    for (round, constants) in ROUND_CONSTANTS.as_chunks::<16>().0.iter().enumerate() {
        for (quarter, constants) in constants.as_chunks::<4>().0.iter().enumerate() {
            let constants = four(constants);
            for (state, words) in states.iter_mut().zip(&mut words) {
                if round > 0 {
                    words[quarter] = expanded(words, quarter);
                }
                four_rounds(state, _mm_add_epi32(words[quarter], constants));
            }
        }
    }
    add(states, &before);
}

/// The four words of the schedule that take the place of those at `quarter` (FIPS 180-4 §6.2.2, step 1).
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn expanded(words: &[__m128i; 4], quarter: usize) -> __m128i {
    let at = |ahead: usize| words[(quarter + ahead) % 4];
    let sum = _mm_add_epi32(_mm_sha256msg1_epu32(at(0), at(1)), _mm_alignr_epi8::<4>(at(3), at(2)));
    _mm_sha256msg2_epu32(sum, at(3))
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn compress_scheduled(states: &mut [Halves; 2], schedule: &Schedule) {
    let before = *states;
    for scheduled in schedule.as_chunks::<4>().0 {
        let scheduled = four(scheduled);
        for state in states.iter_mut() {
            four_rounds(state, scheduled);
        }
    }
    add(states, &before);
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn four(words: &[u32; 4]) -> __m128i {
    let [a, b, c, d] = words.map(u32::cast_signed);
    _mm_set_epi32(d, c, b, a)
}
