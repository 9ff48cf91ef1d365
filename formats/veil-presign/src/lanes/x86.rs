//! SHA-256 of several messages side by side: two with SHA-NI, sixteen with AVX-512.
//!
//! **Why unsafe.** A processor's instructions may only be used where it has them, and vectors are loaded from memory
//! and stored to it through pointers. Both happen here and nowhere else in the workspace: three calls that are allowed by
//! values which exist only after the processor has been asked, and three loads and stores of arrays that have exactly
//! the vector's size. All arithmetic is safe code, in the two files below this one. **What checks it.** `lanes/tests.rs`
//! holds each lane against `sha2` for every number of messages and around every block border (Miri can't run these
//! instructions).
#![allow(unsafe_code, reason = "the processor's vector instructions; see above")]

use std::arch::x86_64::{
    __m128i, __m512i, _mm_loadu_si128, _mm512_loadu_si512, _mm512_storeu_si512,
};

use crate::form::Form;
use crate::sha::{Block, Digest, Hex};

mod avx512;
mod sha_ni;

/// The order of bytes that turns big-endian words into this processor's, and back.
const SWAP: (i64, i64) = (0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);

/// Proof that this processor has the SHA instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ShaNi(());

impl ShaNi {
    /// Messages at a time.
    const WIDTH: usize = 2;

    /// Asks the processor.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("ssse3")
            && is_x86_feature_detected!("sse4.1");
        has_all.then_some(Self(()))
    }

    /// As [`super::Lanes::hash`]; there are as many `digests` as `fillings`.
    pub(super) fn hash<F: AsRef<[u8]>>(self, form: &Form, fillings: &[F], digests: &mut [Digest]) {
        // SAFETY: `self` exists, so this processor has the instructions (`detect`).
        unsafe { sha_ni::hash(form, fillings, digests) }
    }
}

/// Proof that this processor has AVX-512 F and BW.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Avx512(());

impl Avx512 {
    /// Messages at a time.
    pub(super) const WIDTH: usize = 16;

    /// Asks the processor.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        has_all.then_some(Self(()))
    }

    /// As [`super::Lanes::hash`]; there are as many `digests` as `fillings`.
    pub(super) fn hash<F: AsRef<[u8]>>(self, form: &Form, fillings: &[F], digests: &mut [Digest]) {
        // SAFETY: `self` exists, so this processor has the instructions (`detect`).
        unsafe { avx512::hash(form, fillings, digests) }
    }

    /// As [`super::Lanes::hex`]; there are as many `texts` as `digests`.
    pub(super) fn hex(self, digests: &[Digest], texts: &mut [Hex]) {
        // SAFETY: `self` exists, so this processor has the instructions (`detect`).
        unsafe { avx512::hex(digests, texts) }
    }
}

/// The varying blocks of `width` messages, block by block, and in each block message by message.
fn lanes_of(form: &Form, width: usize) -> Vec<Block> {
    let varying = &form.blocks[..form.varying_count];
    varying.iter().flat_map(|block| std::iter::repeat_n(*block, width)).collect()
}

#[inline]
fn load_4(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the array has the vector's 16 bytes; the load needs no alignment. SSE2 is part of x86-64.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn load_16(block: &Block) -> __m512i {
    // SAFETY: the array has the vector's 64 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn store_16(vector: __m512i, block: &mut Block) {
    // SAFETY: the array has the vector's 64 bytes; the store needs no alignment.
    unsafe { _mm512_storeu_si512(block.as_mut_ptr().cast(), vector) }
}
