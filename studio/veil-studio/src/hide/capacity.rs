//! How much a video carries, and how easily that is found.
//!
//! Owns: the classes of detectability, from what a detector found in our own output (`bench/stego-security`: SPAM features and a linear
//! discriminant, trained on other crops of the same films). Refuses to know: payloads.

use std::path::Path;

use veil_ffmpeg::carrier::Carrier;
use veil_seal::chunks::{CHUNK_BYTES, HEADER_BYTES, TAG_BYTES};

use super::HideError;
use super::plan::{self, Profile, Rate};
use super::robust;
use super::robust::RobustProfile;
use crate::pipeline::Encoder;

/// What a passphrase's keyring and an archive of one small file take.
const FIXED_BYTES: u64 = 268 + HEADER_BYTES as u64 + TAG_BYTES as u64 + 300;

/// The largest block of zstd, and what stands before one that it can't make smaller (RFC 8878 §3.1.1.2), rounded up.
const BLOCK_BYTES: u64 = 128 << 10;
const BLOCK_HEAD_BYTES: u64 = 4;

/// The zeros of an archive of one file: most of a header, the padding, and the end.
const ZERO_BYTES: u64 = 512 + 511 + 1024;

/// How likely a detector that was trained for it is to be wrong about a video; 0.5 is guessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detectability {
    /// Wrong about 45 times in 100 or more: hardly better than guessing.
    Low,
    /// Wrong about 40 times in 100.
    Moderate,
    /// Wrong about 25 to 40 times in 100.
    High,
    /// Wrong less than 25 times in 100.
    Severe,
}

/// What a video carries.
#[derive(Clone, Debug)]
pub struct Capacity {
    /// Frames, as packets are counted.
    pub frames: u64,
    /// Samples in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// By rate, the default first.
    pub rooms: Vec<Room>,
    /// What it carries through encoding, by profile: bytes of files as in [`Room`].
    pub robust: Vec<(RobustProfile, u64)>,
}

/// What it carries at a rate.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// The rate.
    pub rate: Rate,
    /// Bytes of one file that zstd makes no smaller, with a passphrase; it may be a few more. A recipient takes 1.1 kB more.
    pub payload_bytes: u64,
    /// The class with this profile.
    pub default: Detectability,
    /// The class with the careful profile.
    pub careful: Detectability,
}

impl Detectability {
    /// The class of a rate, read off straight lines between the rates that were measured: 0.01, 0.025, 0.05 and 0.1 (decision 56). Where
    /// there is room for its wider code, the careful profile changes fewer samples; at 0.05 there is none left.
    #[must_use]
    pub fn of(rate: Rate, profile: Profile) -> Self {
        let (low, moderate) = match profile {
            Profile::Default => (0.0101, 0.0251),
            Profile::Careful => (0.0151, 0.0301),
        };
        match rate.bits_per_sample() {
            bits if bits <= low => Self::Low,
            bits if bits <= moderate => Self::Moderate,
            bits if bits <= 0.0901 => Self::High,
            _ => Self::Severe,
        }
    }

    /// A word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Severe => "severe",
        }
    }
}

/// Tells what `video` carries.
///
/// # Errors
/// [`HideError::Ffmpeg`] for what is no carrier, [`HideError::TooSmall`].
pub async fn capacity(encoder: &Encoder, video: &Path) -> Result<Capacity, HideError> {
    let carrier = Carrier::inspect(&encoder.launcher, &encoder.tools, video).await?;
    let picture = plan::picture(&carrier)?;
    let frames = carrier.packet_count;
    let rooms = [Rate::DEFAULT, Rate::WARN, Rate::MAX].map(|rate| Room {
        rate,
        payload_bytes: payload_bytes(plan::body_bytes_max(picture, frames, rate)),
        default: Detectability::of(rate, Profile::Default),
        careful: Detectability::of(rate, Profile::Careful),
    });
    let slots = robust::plan::slots(&carrier);
    let robust = RobustProfile::ALL.map(|profile| {
        let most = robust::plan::body_bytes_max(profile, picture, slots);
        (profile, payload_bytes(most))
    });
    let (width, height) = (carrier.width, carrier.height);
    Ok(Capacity { frames, width, height, rooms: rooms.to_vec(), robust: robust.to_vec() })
}

/// What of a body is left for files.
fn payload_bytes(body_bytes: u64) -> u64 {
    let tags = body_bytes / CHUNK_BYTES as u64 * TAG_BYTES as u64;
    let blocks = body_bytes.div_ceil(BLOCK_BYTES) * BLOCK_HEAD_BYTES;
    // zstd leaves a block as it is where less than a 64th of it would be saved: the first and the last have zeros.
    let zeros = (body_bytes.min(BLOCK_BYTES) / 32).min(ZERO_BYTES);
    body_bytes.saturating_sub(FIXED_BYTES + tags + blocks + zeros)
}
