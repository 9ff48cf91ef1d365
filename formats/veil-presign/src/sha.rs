//! SHA-256 that can stop after whole blocks and go on from there many times.
//!
//! Owns the padding and the midstate, over `sha2`'s compression function. This is what lets a batch
//! hash what its URLs share once. Invariant: [`Midstate::finish`] equals SHA-256 of everything
//! absorbed followed by the tail, which a property test holds against `sha2`.

use sha2::block_api::compress256;
use zeroize::Zeroize;

/// Bytes that one compression takes.
pub(crate) const BLOCK_BYTES: usize = 64;

/// The initial hash value of FIPS 180-4 §5.3.3.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The state of SHA-256 after some whole blocks. Zeroized on drop: HMAC's are as good as its key.
pub(crate) struct Midstate {
    state: [u32; 8],
    block_count: u64,
}

impl Midstate {
    /// Before the first block.
    pub(crate) fn new() -> Self {
        Self { state: INITIAL, block_count: 0 }
    }

    /// Absorbs the whole blocks at the front of `bytes` and returns what is left, less than a block.
    pub(crate) fn absorb<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        compress256(&mut self.state, blocks);
        self.block_count += blocks.len() as u64;
        rest
    }

    /// Appends to `tail` the padding that ends a message of the absorbed blocks and `tail`.
    pub(crate) fn pad(&self, tail: &mut Vec<u8>) {
        let bit_count = (self.block_count * BLOCK_BYTES as u64 + tail.len() as u64) * 8;
        tail.push(0x80);
        let zeros = (BLOCK_BYTES + 56 - tail.len() % BLOCK_BYTES) % BLOCK_BYTES;
        tail.resize(tail.len() + zeros, 0);
        tail.extend_from_slice(&bit_count.to_be_bytes());
    }

    /// The hash of the absorbed blocks followed by `padded`, which [`Midstate::pad`] has ended.
    pub(crate) fn finish(&self, padded: &[u8]) -> [u8; 32] {
        let (blocks, _) = padded.as_chunks::<BLOCK_BYTES>();
        let mut state = self.state;
        compress256(&mut state, blocks);
        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        digest
    }
}

impl Drop for Midstate {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}

/// HMAC-SHA-256's inner and outer midstates: each has absorbed its padded key.
pub(crate) fn hmac_midstates(key: &[u8; 32]) -> (Midstate, Midstate) {
    let keyed = |pad: u8| {
        let mut block = [pad; BLOCK_BYTES];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        let mut state = Midstate::new();
        state.absorb(&block);
        block.zeroize();
        state
    };
    (keyed(0x36), keyed(0x5c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn every_length_around_a_block_border_pads_as_sha2_does() {
        for length in 0..300 {
            let message = vec![7; length];
            let mut state = Midstate::new();
            let mut tail = state.absorb(&message).to_vec();
            state.pad(&mut tail);
            let expected: [u8; 32] = Sha256::digest(&message).into();
            assert_eq!(state.finish(&tail), expected, "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn a_midstate_goes_on_as_sha2_does(
            head in proptest::collection::vec(any::<u8>(), 0..400),
            tail in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let mut state = Midstate::new();
            let mut rest = state.absorb(&head).to_vec();
            rest.extend_from_slice(&tail);
            state.pad(&mut rest);
            let expected: [u8; 32] = Sha256::digest([head, tail].concat()).into();
            prop_assert_eq!(state.finish(&rest), expected);
        }
    }
}
