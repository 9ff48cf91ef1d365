//! Planes of samples, as decoders give them.
//!
//! Owns sizes, depths and what a sample may be. Refuses to know chroma, colour and pixel formats. Invariant: a [`Picture`]
//! has at least one sample, and few enough that places fit in 32 bits.

/// Widest and highest picture.
pub const SIDE_MAX: u32 = 16_384;

/// Size and levels of a luma plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    depth: Depth,
    /// Lowest and highest level that an encoder writes.
    levels: (u16, u16),
}

/// Bits in a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// 0 to 255, a byte.
    Eight,
    /// 0 to 1023, two bytes.
    Ten,
}

/// A picture of a size that can't be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a picture of {width}x{height} can't be worked on: from 1x1 to {SIDE_MAX}x{SIDE_MAX}")]
pub struct UnusableSize {
    /// Samples in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A sample's type: `u8`, or for more than eight bits `u16`, or two bytes as they lie in raw video, the low one first.
pub trait Sample: Copy + Default + Send + Sync + 'static {
    /// The sample's level.
    fn level(self) -> u16;
    /// The sample of a level, which fits.
    fn of_level(level: u16) -> Self;
    /// The sample one up or one down.
    #[must_use]
    fn moved(self, up: bool) -> Self;
}

impl Sample for u8 {
    #[inline(always)]
    fn level(self) -> u16 {
        u16::from(self)
    }

    #[inline(always)]
    fn of_level(level: u16) -> Self {
        level.to_le_bytes()[0]
    }

    #[inline]
    fn moved(self, up: bool) -> Self {
        if up { self.saturating_add(1) } else { self.saturating_sub(1) }
    }
}

impl Sample for u16 {
    #[inline(always)]
    fn level(self) -> u16 {
        self
    }

    #[inline(always)]
    fn of_level(level: u16) -> Self {
        level
    }

    #[inline]
    fn moved(self, up: bool) -> Self {
        if up { self.saturating_add(1) } else { self.saturating_sub(1) }
    }
}

impl Sample for [u8; 2] {
    #[inline(always)]
    fn level(self) -> u16 {
        u16::from_le_bytes(self)
    }

    #[inline(always)]
    fn of_level(level: u16) -> Self {
        level.to_le_bytes()
    }

    #[inline]
    fn moved(self, up: bool) -> Self {
        self.level().moved(up).to_le_bytes()
    }
}

impl Picture {
    /// A plane of `width` by `height` samples. With `limited` levels go from 16 to 235 (ITU-R BT.709; 64 to 940 at ten bits),
    /// else over all of the depth.
    ///
    /// # Errors
    /// [`UnusableSize`].
    pub fn new(width: u32, height: u32, depth: Depth, limited: bool) -> Result<Self, UnusableSize> {
        let fits = |side: u32| (1..=SIDE_MAX).contains(&side);
        if !fits(width) || !fits(height) {
            return Err(UnusableSize { width, height });
        }
        let levels = match (depth, limited) {
            (Depth::Eight, false) => (0, 255),
            (Depth::Eight, true) => (16, 235),
            (Depth::Ten, false) => (0, 1023),
            (Depth::Ten, true) => (64, 940),
        };
        Ok(Self { width, height, depth, levels })
    }

    /// Samples in a row.
    #[must_use]
    pub fn width(self) -> u32 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(self) -> u32 {
        self.height
    }

    /// Bits in a sample.
    #[must_use]
    pub fn depth(self) -> Depth {
        self.depth
    }

    /// Samples of the plane.
    #[must_use]
    pub fn sample_count(self) -> u32 {
        self.width * self.height
    }

    /// The highest level of the depth.
    pub(crate) fn highest(self) -> u16 {
        match self.depth {
            Depth::Eight => 255,
            Depth::Ten => 1023,
        }
    }

    /// Whether a level is one that has only one way to go: the ends of what an encoder writes, and of the depth.
    pub(crate) fn is_end(self, level: u16) -> bool {
        self.must_go_up(level) || self.must_go_down(level)
    }

    /// Whether a change of this level has to be upwards.
    pub(crate) fn must_go_up(self, level: u16) -> bool {
        level == 0 || level == self.levels.0
    }

    /// Whether a change of this level has to be downwards.
    pub(crate) fn must_go_down(self, level: u16) -> bool {
        level >= self.highest() || level == self.levels.1
    }
}
