//! Where a scene may be cut, and where in a film a frame of it lies.
//!
//! Owns: the borders of pieces ([`Scene::borders`]). Refuses to know: filters, encoders, what is kept of pieces.
//!
//! Invariant: a border depends on the scene's rate and its film alone, and not on how long the scene is: what is before a change is found again.

use super::{Backdrop, Scene};

/// How long a piece is, in seconds: a multiple of the two between key frames.
const PIECE_S: u32 = 16;

/// No piece at a scene's end is shorter than that, in seconds, unless the scene is: what is left over belongs to the piece before.
const REST_S: u32 = 4;

/// How much of a film is decoded before the first frame of a piece, in microseconds: pictures that stand over the cut are known then.
const LEAD_US: u64 = 1_000_000;

/// A film, as often as a scene shows it: first from where it starts, then from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Passes {
    /// Frames of the scene before it begins again.
    first: u32,
    /// Frames of each later pass.
    next: u32,
}

/// Where a piece's film begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seek {
    /// Microseconds that are left out of the file.
    pub(super) from_us: u64,
    /// Microseconds that are decoded and left out then.
    pub(super) lead_us: u64,
    /// It begins again before the piece ends. FFmpeg takes a frame away from a film's end for that.
    pub(super) again: bool,
}

impl Scene {
    /// The first frames of the scene's pieces behind `from`, in order: every 16 seconds; a film that begins again does so with a piece.
    #[must_use]
    pub fn borders(&self, from: u32) -> Vec<u32> {
        let (piece, rest) = (PIECE_S * self.fps, REST_S * self.fps);
        let mut borders = Vec::new();
        let mut at = 0;
        while at < self.frames {
            let end = self.stretch(at, piece).min(self.frames);
            let mut next = at + piece;
            while next + rest <= end {
                borders.push(next);
                next += piece;
            }
            borders.push(end);
            at = end;
        }
        borders.retain(|at| *at >= from + rest && *at + rest <= self.frames);
        borders
    }

    /// Where what begins at `at` ends of itself: as many passes of a film as a piece has room for, or the scene.
    fn stretch(&self, at: u32, piece: u32) -> u32 {
        match self.passes() {
            Some(Passes { first, .. }) if at < first => first,
            Some(Passes { next, .. }) => at.saturating_add(next * (piece / next).max(1)),
            None => self.frames,
        }
    }

    /// `None` for what never begins again, as far as is known.
    fn passes(&self) -> Option<Passes> {
        let Backdrop::Film(source, _, from_us) = &self.backdrop else { return None };
        let duration_us = source.duration_us?;
        let frames = |us: u64| {
            let frames = (us * u64::from(self.fps) + 500_000) / 1_000_000;
            u32::try_from(frames).unwrap_or(u32::MAX)
        };
        let (first, next) = (frames(duration_us.saturating_sub(*from_us)), frames(duration_us));
        (first > 0 && next > 0).then_some(Passes { first, next })
    }

    /// Where the film of so many frames from `frame` on, which may lie behind the scene's end, is begun to be read.
    pub(super) fn seek(&self, frame: u32, frames: u32, start_us: u64) -> Seek {
        let us = |frames: u32| u64::from(frames) * 1_000_000 / u64::from(self.fps);
        let (at_us, left) = match self.passes() {
            Some(Passes { first, next }) if frame >= first => {
                let at = (frame - first) % next;
                (us(at), next - at)
            }
            Some(Passes { first, .. }) => (start_us + us(frame), first - frame),
            None => (start_us + us(frame), 0),
        };
        let lead_us = if frame == 0 { 0 } else { at_us.min(LEAD_US) };
        Seek { from_us: at_us - lead_us, lead_us, again: frames > left }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Motion, Quality};
    use super::*;
    use crate::produce::still::Still;

    fn scene(frames: u32) -> Scene {
        let still = Still { path: "/p".into(), demuxer: "png_pipe" };
        Scene {
            width: 64,
            height: 64,
            fps: 25,
            frames,
            backdrop: Backdrop::Still(still, Motion::Still),
            fade_in: 0,
            fade_out: 0,
            watermark: None,
            quality: Quality::Draft,
        }
    }

    #[test]
    fn scenes_are_cut_every_sixteen_seconds_and_no_piece_is_short() {
        assert!(scene(25 * 19).borders(0).is_empty());
        assert_eq!(scene(25 * 20).borders(0), [400]);
        assert_eq!(scene(25 * 60).borders(0), [400, 800, 1200]);
        assert_eq!(scene(25 * 60).borders(25), [400, 800, 1200], "a dissolve changes none");
        assert_eq!(scene(25 * 50).borders(325), [800], "but what is too near to it");
        assert!(scene(1).borders(0).is_empty());
    }

    #[test]
    fn a_frame_of_no_film_is_where_it_is() {
        let seek = |frame, start_us| {
            let Seek { from_us, lead_us, again } = scene(100).seek(frame, 10, start_us);
            assert!(again, "nobody knows how long it is");
            (from_us, lead_us)
        };
        assert_eq!(seek(0, 7), (7, 0));
        assert_eq!(seek(10, 0), (0, 400_000));
        assert_eq!(seek(50, 0), (1_000_000, 1_000_000));
    }

    #[test]
    fn a_film_that_is_shorter_begins_again_with_a_piece() {
        let mut source = crate::probe::tests_support::picture(64, 64);
        source.duration_us = Some(26_000_000);
        let mut scene = scene(25 * 90);
        scene.backdrop = Backdrop::Film(Box::new(source), super::super::Fit::Crop, 6_000_000);
        // 20 s are left of it, then it has 26 s.
        assert_eq!(scene.borders(0), [400, 500, 900, 1150, 1550, 1800]);
        let seek = |frame, frames| {
            let Seek { from_us, lead_us, again } = scene.seek(frame, frames, 6_000_000);
            (from_us / 1000, lead_us / 1000, again)
        };
        assert_eq!(seek(0, 400), (6000, 0, false));
        assert_eq!(seek(400, 100), (21_000, 1000, false));
        assert_eq!(seek(500, 400), (0, 0, false));
        assert_eq!(seek(900, 251), (15_000, 1000, true));
        assert_eq!(seek(2250, 25), (17_000, 1000, false));
    }
}
