//! A message in packets, of which as many are enough as it has.
//!
//! Owns: packets, their check and mask, and the fountain code across them (RFC 6330, one source block). Refuses to know: how
//! packets travel. Invariant: what [`Packets::open`] returns is a packet that was made, but for one time in 2³² of those that a code has let through.

use raptorq::{
    EncodingPacket, ObjectTransmissionInformation, PayloadId, SourceBlockDecoder,
    SourceBlockEncoder,
};

use crate::stream::StructuralKey;

/// Bytes of a message in a packet.
pub const PACKET_BYTES: usize = 256;
/// Bytes of its check.
const CHECK_BYTES: usize = 4;
/// Bits of a packet as it travels.
pub(super) const PACKET_BITS: usize = (PACKET_BYTES + CHECK_BYTES) * 8;
/// Packets of the message for which there is one more.
const SOURCES_PER_REPAIR: u64 = 16;

const CHECK: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

/// Packets that a message of so many bytes is, and packets that are made of it.
#[must_use]
pub fn packet_count(body_bytes: u64) -> (u64, u64) {
    let sources = body_bytes.div_ceil(PACKET_BYTES as u64).max(1);
    (sources, sources + sources / SOURCES_PER_REPAIR)
}

fn one_block(sources: u64) -> ObjectTransmissionInformation {
    ObjectTransmissionInformation::new(sources * PACKET_BYTES as u64, PACKET_BYTES as u16, 1, 1, 8)
}

/// The packets of a message.
pub struct Packets {
    packets: Vec<Vec<u8>>,
}

/// Packets that came through.
pub struct Gathered {
    body_bytes: u64,
    packets: Vec<EncodingPacket>,
}

impl Packets {
    /// Makes them.
    #[must_use]
    pub fn new(mut body: Vec<u8>) -> Self {
        let (sources, all) = packet_count(body.len() as u64);
        body.resize(sources as usize * PACKET_BYTES, 0);
        let encoder = SourceBlockEncoder::new(0, &one_block(sources), &body);
        let repairs = encoder.repair_packets(0, (all - sources) as u32);
        let packets = encoder.source_packets().into_iter().chain(repairs);
        Self { packets: packets.map(|packet| packet.split().1).collect() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.packets.len()
    }

    /// The bits of a packet as it travels, the lowest of a byte first.
    pub(super) fn bits(&self, key: &StructuralKey, number: usize) -> Vec<bool> {
        let mut bytes = self.packets[number].clone();
        bytes.extend(check(number as u32, &bytes).to_le_bytes());
        key.mask(number as u64, &mut bytes);
        to_bits(&bytes)
    }

    /// The bytes of a packet that travelled, if its check is right.
    pub(super) fn open(key: &StructuralKey, number: u32, bits: &[bool]) -> Option<Vec<u8>> {
        let mut bytes = to_bytes(bits);
        key.mask(number.into(), &mut bytes);
        let told = bytes.split_off(PACKET_BYTES);
        (told == check(number, &bytes).to_le_bytes()).then_some(bytes)
    }
}

fn check(number: u32, bytes: &[u8]) -> u32 {
    let mut digest = CHECK.digest();
    digest.update(&number.to_le_bytes());
    digest.update(bytes);
    digest.finalize()
}

/// The bits of bytes, the lowest of a byte first.
pub(super) fn to_bits(bytes: &[u8]) -> Vec<bool> {
    bytes.iter().flat_map(|byte| (0..8).map(move |at| byte >> at & 1 == 1)).collect()
}

/// As [`to_bits`], backwards.
pub(super) fn to_bytes(bits: &[bool]) -> Vec<u8> {
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    bits.chunks(8).map(byte).collect()
}

impl Gathered {
    /// For a message of so many bytes.
    #[must_use]
    pub fn new(body_bytes: u64) -> Self {
        Self { body_bytes, packets: Vec::new() }
    }

    /// Adds a packet.
    pub fn add(&mut self, number: u32, bytes: Vec<u8>) {
        self.packets.push(EncodingPacket::new(PayloadId::new(0, number), bytes));
    }

    /// Packets that came through.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.packets.len() as u64
    }

    /// The message, where there are enough.
    #[must_use]
    pub fn body(self) -> Option<Vec<u8>> {
        let (sources, _) = packet_count(self.body_bytes);
        if self.count() < sources {
            return None;
        }
        let length = sources * PACKET_BYTES as u64;
        let mut decoder = SourceBlockDecoder::new(0, &one_block(sources), length);
        let mut body = decoder.decode(self.packets)?;
        body.truncate(usize::try_from(self.body_bytes).ok()?);
        Some(body)
    }
}
