//! How much a video carries through encoding.
//!
//! Owns: how many slots there are, and for each profile the grid and how much of its slots is asked for (decision 59). Refuses to know:
//! keys and bytes.

use veil_ffmpeg::carrier::Carrier;
use veil_stego::Picture;
use veil_stego::robust::{PACKET_BYTES, Profile, SLOT_US, Shape, Spread, packet_count};

/// The longest message behind its head: it is kept in memory.
const BODY_BYTES_MAX: u64 = 4 << 20;

/// Where a file doesn't tell how long it lasts, its frames are taken to last so long.
const FRAME_US: u64 = 16_667;

/// What a message is made to survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RobustProfile {
    /// Encoding again at the same size.
    SameSize,
    /// Scaling down to 480 lines and encoding.
    Scaled,
    /// More than that.
    Hard,
}

impl RobustProfile {
    /// All of them, the one that holds most first.
    pub const ALL: [Self; 3] = [Self::SameSize, Self::Scaled, Self::Hard];

    /// The grid for a picture, and the thousandths of a slot's bits there that are a message's. Encoders keep patterns of some eight samples and
    /// more.
    fn grid(self, picture: Picture) -> (Profile, u64) {
        const MEDIUM: u32 = 1600 * 900;
        const COARSE: u32 = 1000 * 560;
        match (self, picture.sample_count()) {
            (Self::SameSize, MEDIUM..) => (Profile::Fine, 480),
            (Self::SameSize, COARSE..) => (Profile::Medium, 360),
            (Self::SameSize, _) => (Profile::Coarse, 300),
            (Self::Scaled, MEDIUM..) => (Profile::Medium, 270),
            (Self::Scaled, COARSE..) => (Profile::Medium, 160),
            (Self::Scaled, _) => (Profile::Coarse, 300),
            (Self::Hard, MEDIUM..) => (Profile::Coarse, 300),
            (Self::Hard, _) => (Profile::Coarse, 220),
        }
    }

    /// The grid for a picture.
    pub(super) fn shape(self, picture: Picture) -> Shape {
        Shape::new(self.grid(picture).0, picture)
    }
}

/// Slots of a video, those that are whole.
pub(in super::super) fn slots(carrier: &Carrier) -> u64 {
    let duration = carrier.duration_us.unwrap_or(carrier.packet_count * FRAME_US);
    (duration / SLOT_US).max(1)
}

/// The most bytes of a message behind its head.
pub(in super::super) fn body_bytes_max(
    profile: RobustProfile,
    picture: Picture,
    slots: u64,
) -> u64 {
    let (shape, share) = (profile.shape(picture), profile.grid(picture).1);
    let bits = slots.saturating_mul(shape.data_bits() as u64);
    let bits = u128::from(bits) * u128::from(share) / 1000;
    let packets = u64::try_from(bits / 2080).unwrap_or(u64::MAX);
    // Of seventeen packets, one is for those that are lost.
    let sources = packets - packets / 17;
    let bytes = sources.saturating_mul(PACKET_BYTES as u64).min(BODY_BYTES_MAX);
    debug_assert!(bytes == 0 || packet_count(bytes).1 <= packets);
    if Spread::new(shape, bytes, slots).is_some() { bytes } else { 0 }
}
