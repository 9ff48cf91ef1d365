//! The Viterbi algorithm with 16 or 32 states in a vector.
//!
//! **Why unsafe.** A processor's instructions may only be used where it has them, and vectors are loaded from memory and
//! stored to it through pointers. In this crate both happen here and in `cost/x86.rs` alone: calls that are allowed by values which
//! exist only after the processor has been asked, and loads and stores of arrays that have exactly the vector's size. All
//! arithmetic is safe code. **What checks it.** `trellis/tests.rs` holds each way against the portable one over random
//! costs, messages and columns (Miri can't run these instructions).
#![allow(unsafe_code, reason = "the processor's vector instructions; see above")]

use super::Viterbi;

mod avx2;
mod avx512;

/// Proof that this processor has AVX2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Asks the processor.
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// As [`super::portable::walk`], in `VECTORS` vectors of 16 states.
    pub(super) fn walk<const VECTORS: usize>(self, walk: Viterbi<'_>) -> usize {
        // SAFETY: `self` exists, so this processor has the instructions (`detect`).
        unsafe { avx2::walk::<VECTORS>(walk) }
    }
}

/// Proof that this processor has AVX-512 F and BW.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx512(());

impl Avx512 {
    /// Asks the processor.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        has_all.then_some(Self(()))
    }

    /// As [`super::portable::walk`], in `VECTORS` vectors of 32 states.
    pub(super) fn walk<const VECTORS: usize>(self, walk: Viterbi<'_>) -> usize {
        // SAFETY: `self` exists, so this processor has the instructions (`detect`).
        unsafe { avx512::walk::<VECTORS>(walk) }
    }
}
