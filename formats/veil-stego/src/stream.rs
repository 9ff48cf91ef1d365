//! Keyed randomness: ChaCha20 keystreams (RFC 8439 §2.4), one for each purpose and frame.
//!
//! Owns the structural key and how streams are told apart (`docs/format/stego.md`, "Streams"). Refuses to seal anything:
//! what a stream gives decides where and how samples change, never what a message says. Invariant: two purposes, or two
//! frames, never share a byte of a stream.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use zeroize::ZeroizeOnDrop;

/// The key of a file's structure: it finds the samples that carry a message, and opens nothing.
///
/// 32 bytes, uniformly random or from a passphrase (Argon2id).
#[derive(ZeroizeOnDrop)]
pub struct StructuralKey([u8; Self::BYTES]);

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Purpose {
    /// The order of a frame's samples.
    Order = 1,
    /// The columns of a frame's parity-check matrix.
    Columns = 2,
    /// Up or down, for each sample that changes.
    Signs = 3,
    /// What a frame's bytes are hidden under.
    Mask = 4,
    /// The front of a slot.
    Front = 5,
    /// The rest of a slot.
    Rest = 6,
    /// A code's graph; everybody has it.
    Graph = 7,
    /// The order in which a codeword's bits travel; everybody has it.
    Travel = 8,
    /// A mark's template; those behind the first are decoys.
    Template = 9,
    /// The rows of a mark's slots.
    Rows = 10,
    /// The bias of a mark's slot, and which of its variants is which.
    Bias = 11,
    /// The key of a mark's codewords.
    Codewords = 12,
}

/// Bytes asked of the cipher at once.
const BLOCK_BYTES: usize = 256;

/// Random numbers of one purpose and frame.
pub(crate) struct Stream {
    cipher: ChaCha20,
    block: [u8; BLOCK_BYTES],
    used: usize,
}

impl StructuralKey {
    /// Length of a key.
    pub const BYTES: usize = 32;

    /// Takes a key's bytes.
    #[must_use]
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Adds (xor) the stream of a frame to the bytes that it carries, or carried: what has a form looks like chance then, and
    /// has its form again.
    pub fn mask(&self, frame: u64, bytes: &mut [u8]) {
        self.cipher(Purpose::Mask, frame).apply_keystream(bytes);
    }

    /// The stream of a purpose and frame: nonce = purpose (u32, little-endian) ‖ frame (u64, little-endian).
    pub(crate) fn stream(&self, purpose: Purpose, frame: u64) -> Stream {
        let cipher = self.cipher(purpose, frame);
        Stream { cipher, block: [0; BLOCK_BYTES], used: BLOCK_BYTES }
    }

    fn cipher(&self, purpose: Purpose, frame: u64) -> ChaCha20 {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&(purpose as u32).to_le_bytes());
        nonce[4..].copy_from_slice(&frame.to_le_bytes());
        ChaCha20::new(&self.0.into(), &nonce.into())
    }
}

impl Stream {
    /// The next 32 bytes.
    pub(crate) fn key(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.chunks_exact_mut(4).for_each(|four| four.copy_from_slice(&self.word().to_le_bytes()));
        bytes
    }

    /// The next four bytes, little-endian.
    pub(crate) fn word(&mut self) -> u32 {
        if self.used == BLOCK_BYTES {
            self.block.fill(0);
            self.cipher.apply_keystream(&mut self.block);
            self.used = 0;
        }
        let bytes = &self.block[self.used..self.used + 4];
        self.used += 4;
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// A number below `end`, by the high half of a product: uneven by less than `end` in 2³².
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        let product = u64::from(self.word()) * u64::from(end);
        u32::try_from(product >> 32).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8439 §2.4.2's key and nonce begin with other bytes than ours may; the keystream itself is the crate's. This
    /// holds what is ours: which bytes of which stream come, in which order.
    #[test]
    fn words_are_the_keystream_in_order_and_streams_differ() {
        let key = StructuralKey::new([7; 32]);
        let mut expected = [0_u8; 1024];
        let mut nonce = [0; 12];
        nonce[0] = 1;
        nonce[4] = 9;
        ChaCha20::new(&[7; 32].into(), &nonce.into()).apply_keystream(&mut expected);
        let mut stream = key.stream(Purpose::Order, 9);
        let words: Vec<u8> = (0..256).flat_map(|_| stream.word().to_le_bytes()).collect();
        assert_eq!(words, expected);
        assert_ne!(key.stream(Purpose::Signs, 9).word(), key.stream(Purpose::Order, 9).word());
        assert_ne!(key.stream(Purpose::Order, 8).word(), key.stream(Purpose::Order, 9).word());
    }

    #[test]
    fn a_mask_taken_twice_is_none_and_frames_have_different_ones() {
        let key = StructuralKey::new([7; 32]);
        let mut bytes = [0; 40];
        key.mask(5, &mut bytes);
        let mut other = [0; 40];
        key.mask(6, &mut other);
        assert_ne!(bytes, other);
        assert_ne!(bytes[..4], key.stream(Purpose::Signs, 5).word().to_le_bytes());
        key.mask(5, &mut bytes);
        assert_eq!(bytes, [0; 40]);
    }

    #[test]
    fn numbers_stay_below_their_end() {
        let mut stream = StructuralKey::new([1; 32]).stream(Purpose::Signs, 0);
        for end in [1, 2, 3, 1000, u32::MAX] {
            assert!((0..1000).all(|_| stream.below(end) < end), "{end}");
        }
    }
}
