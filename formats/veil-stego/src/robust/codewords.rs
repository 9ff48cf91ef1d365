//! Where the bits of packets and of the head travel.
//!
//! Owns how packets are spread: every slot carries some bits of every packet, so that what is cut away costs each of them
//! a little. Refuses to know: carriers. Invariant: a reader who knows a slot's number and the [`Spread`] knows which bits it
//! carries, whatever else is missing.

use super::ldpc::{Ldpc, public_stream};
use super::packets::{PACKET_BITS, Packets, packet_count, to_bits, to_bytes};
use super::{CYCLE, HEAD_SLOT_BITS, Shape};
use crate::stream::{Purpose, StructuralKey};

/// Bits of a head, of its code.
const HEAD_BYTES: usize = 64;
const HEAD_CODE_BITS: usize = CYCLE as usize * HEAD_SLOT_BITS;
/// Longest codeword, in packets.
const LONGEST: u64 = 5;

/// How packets lie in slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Packets.
    packets: u64,
    /// Bits of a packet's codeword.
    code_bits: u64,
    /// Bits that a slot carries.
    slot_bits: u64,
}

impl Spread {
    /// Spreads a message of so many bytes over so many slots; `None` where that leaves less than a parity bit for every three
    /// bits of a packet.
    #[must_use]
    pub fn new(shape: Shape, body_bytes: u64, slots: u64) -> Option<Self> {
        let (_, packets) = packet_count(body_bytes);
        let slot_bits = shape.data_bits() as u64;
        let bits = PACKET_BITS as u64;
        let code_bits = (slots.checked_mul(slot_bits)? / packets).min(LONGEST * bits);
        (code_bits >= bits * 4 / 3 && packets <= u64::from(u16::MAX)).then_some(Self {
            packets,
            code_bits,
            slot_bits,
        })
    }

    /// Packets.
    #[must_use]
    pub fn packets(self) -> u64 {
        self.packets
    }

    /// The packet of a bit of a slot, and which of its bits in the order of travelling.
    pub(super) fn bit(self, slot: u64, at: usize) -> (usize, usize) {
        let number = slot * self.slot_bits + at as u64;
        let turn = number / self.packets % self.code_bits;
        ((number % self.packets) as usize, turn as usize)
    }

    pub(super) fn code(self) -> Ldpc {
        Ldpc::new(PACKET_BITS, self.code_bits as usize - PACKET_BITS)
    }
}

/// The order in which a codeword's bits travel: chance that everybody has, so that whatever is missing is missing everywhere.
pub(super) fn order(length: usize) -> Vec<u16> {
    let mut stream = public_stream(Purpose::Travel, length as u64);
    let mut order: Vec<u16> = (0..length as u16).collect();
    for at in 0..length {
        order.swap(at, at + stream.below((length - at) as u32) as usize);
    }
    order
}

/// The codewords of all packets.
pub struct Codewords {
    spread: Spread,
    /// For each packet its bits as they travel.
    travelling: Vec<Vec<u8>>,
}

impl Codewords {
    /// Encodes the packets of a message.
    #[must_use]
    pub fn new(packets: &Packets, spread: Spread, key: &StructuralKey) -> Self {
        let code = spread.code();
        let order = order(code.length());
        let word = |number| {
            let bits = code.encode(&packets.bits(key, number));
            let bits: Vec<bool> = order.iter().map(|at| bits[usize::from(*at)]).collect();
            to_bytes(&bits)
        };
        Self { spread, travelling: (0..packets.count()).map(word).collect() }
    }

    pub(super) fn bit(&self, slot: u64, at: usize) -> bool {
        let (packet, turn) = self.spread.bit(slot, at);
        self.travelling[packet][turn / 8] >> (turn % 8) & 1 == 1
    }
}

/// A head's codeword.
pub struct HeadBits(Vec<bool>);

impl HeadBits {
    /// Encodes a head.
    #[must_use]
    pub fn new(head: &[u8; HEAD_BYTES]) -> Self {
        let bits = Self::code().encode(&to_bits(head));
        Self(order(HEAD_CODE_BITS).iter().map(|at| bits[usize::from(*at)]).collect())
    }

    pub(super) fn bit(&self, class: u64, at: usize) -> bool {
        self.0[class as usize * HEAD_SLOT_BITS + at]
    }

    fn code() -> Ldpc {
        Ldpc::new(HEAD_BYTES * 8, HEAD_CODE_BITS - HEAD_BYTES * 8)
    }

    /// The head whose bits, as they travel, have these odds.
    pub(super) fn decode(odds: &[f32]) -> Option<[u8; HEAD_BYTES]> {
        let bits = Self::code().decode(&in_code_order(odds, &order(HEAD_CODE_BITS)))?;
        to_bytes(&bits).try_into().ok()
    }
}

/// Odds in the order of travelling, in that of the code.
pub(super) fn in_code_order(odds: &[f32], order: &[u16]) -> Vec<f32> {
    let mut sorted = vec![0.0; odds.len()];
    for (odds, at) in odds.iter().zip(order) {
        sorted[usize::from(*at)] = *odds;
    }
    sorted
}
