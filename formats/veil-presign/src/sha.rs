//! SHA-256 that can stop after whole blocks and go on from there many times.
//!
//! Owns the padding, the midstate and the two text forms of a hash, over `sha2`'s compression function. This is what
//! lets a batch hash what its URLs share once; what follows is [`crate::form`]'s.

use sha2::block_api::compress256;
use zeroize::Zeroize;

/// Bytes that one compression takes.
pub(crate) const BLOCK_BYTES: usize = 64;

/// What one compression takes.
pub(crate) type Block = [u8; BLOCK_BYTES];

/// A hash.
pub(crate) type Digest = [u8; 32];

/// A hash in lower-case hex.
pub(crate) type Hex = [u8; 64];

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

    /// Another that goes on from here.
    pub(crate) fn copied(&self) -> Self {
        Self { state: self.state, block_count: self.block_count }
    }

    /// The state as it is.
    pub(crate) fn state(&self) -> [u32; 8] {
        self.state
    }
}

impl Drop for Midstate {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}

/// The bytes of a last state.
#[inline]
pub(crate) fn digest_of(state: &[u32; 8]) -> Digest {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

/// A hash in lower-case hex, both digits of a byte at once and without a table, so that compilers make vectors of it.
#[inline]
pub(crate) fn hex(digest: &Digest) -> Hex {
    let mut text = [0; 64];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(digest) {
        let byte = u16::from(*byte);
        let digits = byte >> 4 | (byte & 15) << 8;
        let is_letter = (digits + 0x0606) >> 4 & 0x0101;
        *pair = (digits + 0x3030 + is_letter * u16::from(b'a' - b'9' - 1)).to_le_bytes();
    }
    text
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
    use super::*;

    #[test]
    fn every_byte_has_its_two_hex_digits() {
        for byte in 0..=255 {
            let text = hex(&[byte; 32]);
            let expected = format!("{byte:02x}").repeat(32);
            assert_eq!(std::str::from_utf8(&text), Ok(expected.as_str()));
        }
    }
}
