//! How much a video carries through encoding.
//!
//! Owns: how many slots there are, and how much of them each profile asks for (decision 59). Refuses to know: keys and bytes.

use veil_ffmpeg::carrier::Carrier;
use veil_stego::Picture;
use veil_stego::robust::{PACKET_BYTES, Profile, SLOT_US, Shape, Spread, packet_count};

/// The longest message behind its head: it is kept in memory.
const BODY_BYTES_MAX: u64 = 4 << 20;

/// Where a file doesn't tell how long it lasts, its frames are taken to last so long.
const FRAME_US: u64 = 16_667;

/// Slots of a video, those that are whole.
pub(in super::super) fn slots(carrier: &Carrier) -> u64 {
    let duration = carrier.duration_us.unwrap_or(carrier.packet_count * FRAME_US);
    (duration / SLOT_US).max(1)
}

/// The part of a slot's bits that are a message's, in thousandths, for a picture of 1920 × 1080 or more.
fn share(profile: Profile) -> u64 {
    match profile {
        Profile::SameSize => 430,
        Profile::Scaled => 215,
        Profile::Hard => 300,
    }
}

/// The most bytes of a message behind its head.
pub(in super::super) fn body_bytes_max(profile: Profile, picture: Picture, slots: u64) -> u64 {
    const FULL: u64 = 1920 * 1080;
    let shape = Shape::new(profile, picture);
    let samples = u64::from(picture.sample_count()).min(FULL);
    let size = match profile {
        Profile::SameSize => samples * 1000 / FULL,
        Profile::Scaled | Profile::Hard => (samples * 1_000_000 / FULL).isqrt(),
    };
    let bits = slots.saturating_mul(shape.data_bits() as u64);
    let bits = u128::from(bits) * u128::from(share(profile) * size) / 1_000_000;
    let packets = u64::try_from(bits / 2080).unwrap_or(u64::MAX);
    // Of seventeen packets, one is for those that are lost.
    let sources = packets - packets / 17;
    let bytes = sources.saturating_mul(PACKET_BYTES as u64).min(BODY_BYTES_MAX);
    debug_assert!(bytes == 0 || packet_count(bytes).1 <= packets);
    if Spread::new(shape, bytes, slots).is_some() { bytes } else { 0 }
}
