//! How much of a message each frame carries.
//!
//! A message goes evenly over the frames that can carry, since what a detector finds grows with the square of a frame's
//! share. Writer and reader count alike, from nothing but the frames themselves. Invariant: the shares of all frames are
//! the message, in order.

use std::ops::Range;

use crate::plane::{Picture, Sample};

use super::Code;

/// Of the samples beside each other at least one pair in so many differs, or the frame carries nothing.
const FLAT_PAIRS: usize = 16;

/// The shares of a message's frames, in order.
#[derive(Clone, Debug)]
pub struct Schedule {
    bytes: u64,
    /// The frames over which the message goes.
    frame_count: u64,
    /// The number of the frame that comes next.
    next: u64,
    /// What was carried, and by which frame's beginning: shares are counted anew after each flat frame.
    anchor: (u64, u64),
    carried: u64,
    /// Most bytes of a frame.
    frame_bytes_max: u64,
}

/// A message that its frames can't carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{bytes} bytes in {frames} frames are {each} bytes a frame, and a frame carries {most} at most"
)]
pub struct ScheduleError {
    /// Bytes of the message.
    pub bytes: u64,
    /// Frames over which it was to go.
    pub frames: u64,
    /// Bytes of each.
    pub each: u64,
    /// What a frame carries at most.
    pub most: u64,
}

/// Tells whether a frame carries nothing, because a change in it would be seen: fewer than one in sixteen of its samples
/// differ from the one before.
#[must_use]
pub fn is_flat<S: Sample>(picture: Picture, samples: &[S]) -> bool {
    let enough = samples.len() / FLAT_PAIRS;
    let mut differing = 0;
    for row in samples.chunks_exact(picture.width() as usize) {
        let pairs = row.iter().zip(&row[1..]);
        let row: u32 = pairs.map(|(a, b)| u32::from(a.level() != b.level())).sum();
        differing += row as usize;
        // Most frames have enough of them near the top.
        if differing >= enough {
            return false;
        }
    }
    differing < enough
}

impl Schedule {
    /// Plans `bytes` over `frame_count` frames of `picture`'s size in this code. The samples before `first` of each frame
    /// are left alone.
    ///
    /// # Errors
    /// [`ScheduleError`] where that is more than fits, even if no frame is flat.
    pub fn new(
        bytes: u64,
        frame_count: u64,
        picture: Picture,
        code: Code,
        first: u32,
    ) -> Result<Self, ScheduleError> {
        let samples = picture.sample_count().saturating_sub(first);
        let frame_bytes_max = u64::from(samples) / code.sample_count(1);
        let each = bytes.div_ceil(frame_count.max(1));
        if each > frame_bytes_max {
            let most = frame_bytes_max;
            return Err(ScheduleError { bytes, frames: frame_count, each, most });
        }
        Ok(Self { bytes, frame_count, next: 0, anchor: (0, 0), carried: 0, frame_bytes_max })
    }

    /// The share of the next frame, as a range of the message's bytes. A flat frame's is empty.
    pub fn share(&mut self, is_flat: bool) -> Range<u64> {
        let from = self.carried;
        let number = self.next;
        self.next += 1;
        if is_flat {
            self.anchor = (from, self.next);
            return from..from;
        }
        let (carried, since) = self.anchor;
        let (left, frames) = (self.bytes - carried, self.frame_count.saturating_sub(since).max(1));
        let passed = number + 1 - since;
        let end = u128::from(left) * u128::from(passed) / u128::from(frames);
        let end = carried + u64::try_from(end).unwrap_or(u64::MAX).min(left);
        self.carried = end.clamp(from, from + self.frame_bytes_max);
        from..self.carried
    }

    /// Bytes that no frame carries yet.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.bytes - self.carried
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Depth;
    use crate::trellis::Height;

    fn schedule(bytes: u64, frames: u64) -> Schedule {
        let picture = Picture::new(100, 16, Depth::Eight, false).unwrap();
        Schedule::new(bytes, frames, picture, Code::new(Height::Seven, 2).unwrap(), 0).unwrap()
    }

    fn shares(schedule: &mut Schedule, flat: impl Fn(u64) -> bool, frames: u64) -> Vec<u64> {
        (0..frames)
            .map(|number| schedule.share(flat(number)))
            .map(|share| share.end - share.start)
            .collect()
    }

    #[test]
    fn a_message_goes_evenly_over_its_frames() {
        assert_eq!(shares(&mut schedule(10, 5), |_| false, 5), [2; 5]);
        assert_eq!(shares(&mut schedule(2, 6), |_| false, 6), [0, 0, 1, 0, 0, 1]);
        assert_eq!(shares(&mut schedule(0, 3), |_| false, 3), [0; 3]);
    }

    #[test]
    fn what_a_flat_frame_does_not_carry_goes_over_the_rest() {
        let mut plan = schedule(60, 6);
        assert_eq!(shares(&mut plan, |number| number < 3, 6), [0, 0, 0, 20, 20, 20]);
        assert_eq!(plan.left(), 0);
    }

    #[test]
    fn the_last_frames_may_be_flat_and_what_is_left_is_told_or_carried_later() {
        let mut plan = schedule(60, 6);
        assert_eq!(shares(&mut plan, |number| number > 3, 6), [10, 10, 10, 10, 0, 0]);
        assert_eq!(plan.left(), 20);
        assert_eq!(plan.share(false), 40..60);
        assert_eq!(plan.left(), 0);
        assert_eq!(plan.share(false), 60..60);
    }

    #[test]
    fn a_frame_carries_no_more_than_it_holds() {
        // 1600 samples, 16 for a byte.
        let mut plan = schedule(600, 6);
        assert_eq!(shares(&mut plan, |number| number < 2, 8), [0, 0, 100, 100, 100, 100, 100, 100]);
        let picture = Picture::new(100, 16, Depth::Eight, false).unwrap();
        let refused = Schedule::new(601, 6, picture, Code::new(Height::Seven, 2).unwrap(), 0);
        assert_eq!(
            refused.unwrap_err(),
            ScheduleError { bytes: 601, frames: 6, each: 101, most: 100 }
        );
    }

    #[test]
    fn a_frame_is_flat_where_hardly_any_neighbours_differ() {
        let picture = Picture::new(32, 32, Depth::Eight, false).unwrap();
        let mut frame = vec![16_u8; 1024];
        assert!(is_flat(picture, &frame));
        for at in (0..31).map(|row| row * 33) {
            frame[at] = 17;
        }
        assert!(is_flat(picture, &frame), "61 of 1,024 differ");
        frame[900] = 18;
        assert!(is_flat(picture, &frame), "63 of 1,024 differ");
        frame[910] = 18;
        assert!(!is_flat(picture, &frame), "65 of 1,024 differ");
    }
}
