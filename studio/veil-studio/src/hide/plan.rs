//! How thinly a message is spread: rates, codes, shares.
//!
//! Owns: the rate policy (decision 56). Refuses to know: keys and bytes. Invariant: what is planned fits if no frame is flat, and no frame
//! is asked for more than its samples hold.

use std::fmt;
use std::str::FromStr;

use veil_ffmpeg::carrier::Carrier;
use veil_seal::hidden::{HEAD_BYTES, Layout};
use veil_stego::lossless::{Code, SAMPLES_PER_BIT, Schedule};
use veil_stego::{Depth, Height, Picture};

use super::HideError;

/// Message bits for each luma sample of a video, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u32);

/// What hiding spends to stay unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Profile {
    /// Seven rows, up to 20 samples a bit: quick.
    #[default]
    Default,
    /// Ten rows, up to 80 samples a bit: fewer changes, and several times the work for each byte.
    Careful,
}

impl Rate {
    /// The most without being asked for more: 0.01 bits a sample.
    pub const DEFAULT: Self = Self(10_000);
    /// From here on hiding warns: 0.05.
    pub const WARN: Self = Self(50_000);
    /// More is never hidden: 0.4.
    pub const MAX: Self = Self(400_000);

    /// The rate of so many bytes in so many frames.
    #[must_use]
    pub fn of(bytes: u64, picture_samples: u64, frames: u64) -> Self {
        let samples = u128::from(picture_samples) * u128::from(frames);
        let rate = u128::from(bytes) * 8_000_000 / samples.max(1);
        Self(u32::try_from(rate).unwrap_or(u32::MAX))
    }

    /// Bytes that so many samples carry at this rate.
    pub(super) fn bytes(self, samples: u64) -> u64 {
        let bytes = u128::from(samples) * u128::from(self.0) / 8_000_000;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Bits for each sample.
    #[must_use]
    pub fn bits_per_sample(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bits_per_sample())
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no = || "a number of bits for each sample from 0.000001 to 0.4".to_owned();
        let rate: f64 = text.parse().map_err(|_| no())?;
        if !(1e-6..=Self::MAX.bits_per_sample()).contains(&rate) {
            return Err(no());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 400,000")]
        let millionths = (rate * 1e6).round() as u32;
        Ok(Self(millionths))
    }
}

impl Profile {
    fn height(self) -> Height {
        match self {
            Self::Default => Height::Seven,
            Self::Careful => Height::Ten,
        }
    }

    fn samples_per_bit_max(self) -> u64 {
        match self {
            Self::Default => 20,
            Self::Careful => 80,
        }
    }
}

/// The luma planes of a carrier's frames.
///
/// # Errors
/// [`HideError::TooSmall`] where a head and a byte of a body don't fit into a frame.
pub(super) fn picture(carrier: &Carrier) -> Result<Picture, HideError> {
    let (width, height) = (carrier.width, carrier.height);
    let depth = if carrier.depth == 8 { Depth::Eight } else { Depth::Ten };
    let needed = head_samples() + 8 * 80;
    let picture = Picture::new(width, height, depth, carrier.limited).ok();
    let picture = picture.filter(|picture| picture.sample_count() >= needed);
    picture.ok_or(HideError::TooSmall { width, height, needed })
}

/// Samples of a frame that a head takes.
pub(super) fn head_samples() -> u32 {
    u32::try_from(Code::HEAD.sample_count(HEAD_BYTES)).unwrap_or(u32::MAX)
}

/// The most bytes of a message behind its head.
pub(super) fn body_bytes_max(picture: Picture, frames: u64, rate: Rate) -> u64 {
    let samples = u64::from(picture.sample_count()) * frames;
    let room = u64::from(picture.sample_count() - head_samples());
    let each = room / (8 * u64::from(*SAMPLES_PER_BIT.start()));
    let by_rate = rate.bytes(samples).saturating_sub(HEAD_BYTES as u64);
    by_rate.min(each * frames)
}

/// How a body of so many bytes lies in the frames, of which `usable` are expected to carry.
///
/// # Errors
/// [`HideError::TooLarge`].
pub(super) fn layout(
    picture: Picture,
    (frames, usable): (u64, u64),
    (keyring_bytes, body_bytes): (u32, u64),
    profile: Profile,
) -> Result<(Layout, Code, Schedule), HideError> {
    let room = u128::from(picture.sample_count() - head_samples()) * u128::from(usable);
    let most = room / (u128::from(body_bytes.max(1)) * 8);
    let most = u64::try_from(most).unwrap_or(u64::MAX).clamp(2, profile.samples_per_bit_max());
    let mut samples_per_bit = u8::try_from(most).unwrap_or(20);
    loop {
        let code = Code::new(profile.height(), samples_per_bit);
        let planned = code.ok().and_then(|code| {
            let first = head_samples();
            let schedule = Schedule::new(body_bytes, frames, picture, code, first).ok()?;
            Some((code, schedule))
        });
        if let Some((code, schedule)) = planned {
            let rows = u8::try_from(code.height().rows()).unwrap_or(0);
            let frame_count = frames;
            let layout = Layout { rows, samples_per_bit, keyring_bytes, frame_count, body_bytes };
            return Ok((layout, code, schedule));
        }
        if samples_per_bit <= 2 {
            let capacity_bytes = body_bytes_max(picture, frames, Rate::MAX);
            return Err(HideError::TooLarge { capacity_bytes, frames, rate: Rate::MAX });
        }
        samples_per_bit -= 1;
    }
}

/// The code and the shares that a head tells; `None` for those that no writer makes of this picture.
pub(super) fn read_layout(layout: &Layout, picture: Picture) -> Option<(Code, Schedule)> {
    let height = match layout.rows {
        7 => Height::Seven,
        10 => Height::Ten,
        _ => return None,
    };
    let code = Code::new(height, layout.samples_per_bit).ok()?;
    let first = head_samples();
    let schedule = Schedule::new(layout.body_bytes, layout.frame_count, picture, code, first);
    Some((code, schedule.ok()?))
}
