//! One message in many versions: hashed up to a hole, filled, hashed on.
//!
//! Owns what SHA-256 of such a message can share: the state before the hole's block, the padding, and the message
//! schedules of the blocks after the hole, which are the same in every version. Refuses to know what fills the
//! hole, and how many versions are hashed at a time ([`crate::Lanes`]). Specification: FIPS 180-4.

use std::ops::Range;

use zeroize::Zeroize as _;

use crate::sha::{BLOCK_BYTES, Block, Midstate};

/// The round constants of FIPS 180-4 §4.2.2.
#[rustfmt::skip]
pub(crate) const ROUND_CONSTANTS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// A block's message schedule with the round constants added: all that a compression takes from its block.
pub(crate) type Schedule = [u32; 64];

/// A message with a hole of fixed size, padded, whose beginning is hashed already.
pub(crate) struct Form {
    /// The state before [`Form::blocks`]. Zeroized on drop: HMAC's are as good as its key.
    pub(crate) start: [u32; 8],
    /// The rest of the padded message, with zeros in the hole.
    pub(crate) blocks: Vec<Block>,
    /// Where the hole lies, in bytes of `blocks`.
    pub(crate) hole: Range<usize>,
    /// How many of `blocks`, from the first on, the hole reaches into.
    pub(crate) varying_count: usize,
    /// What the compressions of the other blocks take.
    pub(crate) schedules: Vec<Schedule>,
}

impl Form {
    /// The message of what `start` has absorbed, `head`, a hole of `hole_bytes`, and `tail`.
    pub(crate) fn new(start: &Midstate, head: &[u8], hole_bytes: usize, tail: &[u8]) -> Self {
        let mut start = start.copied();
        let mut message = start.absorb(head).to_vec();
        let hole = message.len()..message.len() + hole_bytes;
        message.resize(hole.end, 0);
        message.extend_from_slice(tail);
        start.pad(&mut message);
        let blocks = message.as_chunks::<BLOCK_BYTES>().0.to_vec();
        let varying_count = if hole.is_empty() { 0 } else { hole.end.div_ceil(BLOCK_BYTES) };
        let schedules = blocks[varying_count..].iter().map(schedule).collect();
        Self { start: start.state(), blocks, hole, varying_count, schedules }
    }

    /// Puts `filling` into message `lane`'s hole; `blocks` are the varying ones of `width` messages, block by block.
    ///
    /// Takes no more bytes than the hole has.
    #[inline]
    pub(crate) fn fill(&self, filling: &[u8], blocks: &mut [Block], lane: usize, width: usize) {
        // A hole that is a block is filled by one move, without a call.
        if self.hole == (0..BLOCK_BYTES)
            && let Ok(filling) = filling.try_into()
        {
            blocks[lane] = filling;
            return;
        }
        let mut at = self.hole.start;
        let mut rest = &filling[..filling.len().min(self.hole.len())];
        while !rest.is_empty() {
            let (block, offset) = (at / BLOCK_BYTES * width + lane, at % BLOCK_BYTES);
            let (now, later) = rest.split_at(rest.len().min(BLOCK_BYTES - offset));
            blocks[block][offset..offset + now.len()].copy_from_slice(now);
            at += now.len();
            rest = later;
        }
    }
}

impl Drop for Form {
    fn drop(&mut self) {
        self.start.zeroize();
    }
}

/// Expands a block (FIPS 180-4 §6.2.2, step 1) and adds the round constants.
fn schedule(block: &Block) -> Schedule {
    let mut words = [0; 64];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    for at in 16..64 {
        let (x, y): (u32, u32) = (words[at - 15], words[at - 2]);
        let sigma0 = x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
        let sigma1 = y.rotate_right(17) ^ y.rotate_right(19) ^ (y >> 10);
        let (far, near): (u32, u32) = (words[at - 16], words[at - 7]);
        words[at] = far.wrapping_add(sigma0).wrapping_add(near).wrapping_add(sigma1);
    }
    for (word, constant) in words.iter_mut().zip(ROUND_CONSTANTS) {
        *word = word.wrapping_add(constant);
    }
    words
}
