//! The same code, compiled for processors with wide vectors.
//!
//! **Why unsafe.** A function that was compiled for instructions may only be called where the processor has them: two
//! calls, allowed by values which exist only after the processor has been asked. **What checks it.** `cost/tests.rs` holds
//! each way against the portable one.
#![allow(unsafe_code, reason = "code for instructions that not every processor has; see above")]

use super::{Rows, Sample, Work};

/// Proof that this processor has AVX2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Asks the processor.
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    pub(super) fn fill<S: Sample>(self, work: &Work<'_, S>, rows: &mut Rows, map: &mut [u16]) {
        // SAFETY: `self` exists, so this processor has the instructions (`detect`).
        unsafe { fill_avx2(work, rows, map) }
    }
}

/// Proof that this processor has AVX-512 F, BW, DQ and VL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx512(());

impl Avx512 {
    /// Asks the processor.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        has_all.then_some(Self(()))
    }

    pub(super) fn fill<S: Sample>(self, work: &Work<'_, S>, rows: &mut Rows, map: &mut [u16]) {
        // SAFETY: `self` exists, so this processor has the instructions (`detect`).
        unsafe { fill_avx512(work, rows, map) }
    }
}

#[target_feature(enable = "avx2")]
fn fill_avx2<S: Sample>(work: &Work<'_, S>, rows: &mut Rows, map: &mut [u16]) {
    work.fill(rows, map);
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn fill_avx512<S: Sample>(work: &Work<'_, S>, rows: &mut Rows, map: &mut [u16]) {
    work.fill(rows, map);
}
