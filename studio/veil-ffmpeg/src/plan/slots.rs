//! Slots: how a marked picture is divided, in frames.
//!
//! Owns the rule by which keyframes are forced and marks change, so that both agree to the frame. Refuses to know marks.
//! Decision: `docs/decisions/0104-slots-are-frames.md`. Invariant: a slot is a whole number of closed GOPs, and all slots but the
//! last have the same number of frames.

use crate::probe::Rate;

/// The most slots for which a viewer's list of keys stays below 160 kB: 37 bytes each, sealed.
pub const SHORT_SLOTS_MAX: u64 = 4_300;

/// How a marked picture is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// Frames of a GOP: about a second.
    gop_frames: u32,
    /// GOPs of a slot.
    gops: u32,
    rate: Rate,
}

impl Slots {
    /// Slots of a second, or of two where a picture of this length has too many of those or nobody knows its length.
    #[must_use]
    pub fn new(rate: Rate, duration_us: Option<u64>) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "5 to 61")]
        let gop_frames = (rate.fps().round() as u32).max(1);
        let short = Self { gop_frames, gops: 1, rate };
        let fits = |duration_us: u64| duration_us.div_ceil(short.duration_us()) <= SHORT_SLOTS_MAX;
        if duration_us.is_some_and(fits) { short } else { Self { gops: 2, ..short } }
    }

    /// Frames of a slot.
    #[must_use]
    pub fn frames(self) -> u32 {
        self.gop_frames * self.gops
    }

    /// How long a slot lasts, in microseconds, rounded down: segments that are cut at keyframes at or after multiples of it are
    /// slots, since the rounding of a day of slots is shorter than a GOP.
    #[must_use]
    pub fn duration_us(self) -> u64 {
        let Rate { num, den } = self.rate;
        u64::from(self.frames()) * u64::from(den) * 1_000_000 / u64::from(num.max(1))
    }

    /// When a frame is shown, in microseconds, rounded down; frames are counted from 0.
    #[must_use]
    pub fn time_us(self, frame: u64) -> u64 {
        let Rate { num, den } = self.rate;
        frame.saturating_mul(u64::from(den) * 1_000_000) / u64::from(num.max(1))
    }

    /// The slot of a frame, both counted from 0.
    #[must_use]
    pub fn slot_of(self, frame: u64) -> u64 {
        frame / u64::from(self.frames().max(1))
    }

    /// FFmpeg's rule for keyframes, and the longest distance between them.
    pub(crate) fn keyframes(self) -> (String, u32) {
        (format!("expr:gte(n,n_forced*{})", self.gop_frames), self.gop_frames + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_US: u64 = 3_600_000_000;

    fn slots(num: u32, den: u32, duration_us: Option<u64>) -> Slots {
        Slots::new(Rate { num, den }, duration_us)
    }

    #[test]
    fn a_slot_is_about_a_second_of_whole_frames() {
        let check = |num, den, frames, duration_us| {
            let slots = slots(num, den, Some(HOUR_US));
            assert_eq!((slots.frames(), slots.duration_us()), (frames, duration_us), "{num}/{den}");
        };
        check(24, 1, 24, 1_000_000);
        check(24_000, 1001, 24, 1_001_000);
        check(30_000, 1001, 30, 1_001_000);
        check(60_000, 1001, 60, 1_001_000);
        check(25, 2, 13, 1_040_000);
        check(5, 1, 5, 1_000_000);
    }

    #[test]
    fn a_long_picture_and_one_of_unknown_length_have_slots_of_two_seconds() {
        assert_eq!(slots(24, 1, Some(SHORT_SLOTS_MAX * 1_000_000)).frames(), 24);
        assert_eq!(slots(24, 1, Some(SHORT_SLOTS_MAX * 1_000_000 + 1)).frames(), 48);
        assert_eq!(slots(24, 1, None).duration_us(), 2_000_000);
        assert_eq!(slots(24, 1, Some(2 * HOUR_US)).keyframes().0, "expr:gte(n,n_forced*24)");
    }

    #[test]
    fn the_slots_of_a_day_are_cut_where_they_end() {
        for (num, den) in [(24_000, 1001), (2997, 100), (37, 3), (61, 1), (5, 1)] {
            let slots = slots(num, den, None);
            let day = 24 * 3600 * u64::from(num) / u64::from(den) / u64::from(slots.frames());
            let frame_us = |frame: u64| frame * u64::from(den) * 1_000_000 / u64::from(num);
            for slot in [1, day / 2, day] {
                let target_us = slot * slots.duration_us();
                let first = slot * u64::from(slots.frames());
                let before = first - u64::from(slots.frames() / 2);
                assert!(
                    frame_us(first) >= target_us && frame_us(before) < target_us,
                    "{num}/{den}"
                );
                assert_eq!((slots.slot_of(first), slots.slot_of(first - 1)), (slot, slot - 1));
            }
        }
    }
}
