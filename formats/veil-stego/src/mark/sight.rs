//! What a reader looks at: frames of a leak, levelled, and their means over quarters of slots.
//!
//! Owns: windows and their times. Refuses to know: keys. Invariant: a window is 40 kB, whatever it was made of.

use super::plane::Filters;
use super::{PHASES, SIGHT_FPS, SIGHT_SAMPLES};

/// A window's levels have a unit of this.
pub(super) const UNIT: f32 = 50.0;

/// The mean of the levelled frames of a quarter of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub(super) levels: Vec<i8>,
    pub(super) start_us: u64,
}

/// Makes windows of a leak's frames.
pub struct Sight {
    window_us: u64,
    filters: Filters,
    plane: Vec<f32>,
    sum: Vec<f32>,
    frames: u32,
    /// Frames that came until now.
    seen: u64,
    /// Number of the window that is being summed.
    window: u64,
}

impl Window {
    /// Where it begins, in microseconds of the leak's time.
    #[must_use]
    pub fn start_us(&self) -> u64 {
        self.start_us
    }
}

impl Sight {
    /// For slots of `slot_us` microseconds: 400,000 and more.
    #[must_use]
    pub fn new(slot_us: u64) -> Self {
        Self {
            window_us: (slot_us / PHASES as u64).max(1),
            filters: Filters::new(),
            plane: vec![0.0; SIGHT_SAMPLES],
            sum: vec![0.0; SIGHT_SAMPLES],
            frames: 0,
            seen: 0,
            window: 0,
        }
    }

    /// Takes the next frame: luma of [`super::SIGHT_WIDTH`] by [`super::SIGHT_HEIGHT`] samples of eight bits, scaled by averaging, [`SIGHT_FPS`] a
    /// second. Gives the window before, if this frame begins another.
    pub fn push(&mut self, luma: &[u8]) -> Option<Window> {
        let window = self.seen * 1_000_000 / u64::from(SIGHT_FPS) / self.window_us;
        let done = if window == self.window { None } else { self.finish() };
        self.window = window;
        self.seen += 1;
        for (sample, level) in self.plane.iter_mut().zip(luma) {
            *sample = f32::from(*level);
        }
        self.filters.sharpen(&mut self.plane);
        self.filters.add_levelled(&self.plane, &mut self.sum);
        self.frames += 1;
        done
    }

    /// The last window, if a frame is in it.
    pub fn finish(&mut self) -> Option<Window> {
        if self.frames == 0 {
            return None;
        }
        let scale = UNIT / self.frames as f32;
        let levels = self.sum.iter().map(|sum| (sum * scale + 128.5) as i16 - 128);
        let levels = levels.map(|level| level as i8).collect();
        self.sum.fill(0.0);
        self.frames = 0;
        Some(Window { levels, start_us: self.window * self.window_us })
    }
}
