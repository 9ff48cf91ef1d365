//! Messages that survive encoding again, scaling, and cuts.
//!
//! Time is cut into slots. What a slot carries is in the mean of its frames, on a grid that doesn't depend on their size: the
//! frequencies of the grid's blocks are moved onto one of two lattices (dithered quantization index modulation, Chen and
//! Wornell 2001), and all frames of the slot are given the same pattern. Owns grids, lattices, pilots, codes and packets
//! (`docs/format/stego.md`, "Robust"), and how a reader finds slots whose beginning nobody knows. Refuses to know: containers,
//! threads, what a message says. Invariants: memory doesn't grow with the number of frames; a packet is right or it is none.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of cells, samples and levels are far below the limits of what they are turned into"
)]

use crate::plane::Picture;

mod blocks;
mod codewords;
mod find;
mod grid;
mod ldpc;
mod packets;
mod pattern;
mod places;
mod soft;
mod track;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use codewords::{Codewords, HeadBits, Spread};
pub use find::{Finding, Lock};
pub use grid::{Master, Means};
pub use packets::{Gathered, PACKET_BYTES, Packets, packet_count};
pub use pattern::{Hider, Pattern};
pub use soft::{Decoder, HeadSum, Listener, Words};
pub use track::{Run, Slot, Tracker, runs};

/// A slot lasts so long, in microseconds.
pub const SLOT_US: u64 = 480_000;
/// A reader looks for slots in steps of this, in microseconds: a twelfth of a slot.
pub const TICK_US: u64 = 40_000;
/// Ticks of a slot.
pub(crate) const TICKS: u64 = SLOT_US / TICK_US;
/// What containers round a time by, in microseconds: a frame that comes so little before a slot belongs to it.
const ROUNDING_US: u64 = 2_000;

/// Slots come in cycles of this many; the front of a slot depends on its number within the cycle.
pub const CYCLE: u64 = 16;
/// Fronts to choose from. A writer takes one by chance, so that no two videos need have the same.
pub const LANES: u16 = 256;
/// Bits of a head that a slot carries.
pub const HEAD_SLOT_BITS: usize = 160;

/// A grid, and what of it carries: the coarser, the more a message survives, and the shorter it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// 240 × 144 cells.
    Fine,
    /// 160 × 96 cells.
    Medium,
    /// 80 × 48 cells.
    Coarse,
}

/// A profile's grid, upright or lying as the picture does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    profile: Profile,
    upright: bool,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fine, Self::Medium, Self::Coarse];

    /// The number by which a head names it.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Medium => 1,
            Self::Coarse => 2,
        }
    }

    /// By how much the master grid is coarser.
    pub(crate) fn coarser(self) -> usize {
        match self {
            Self::Fine => 2,
            Self::Medium => 3,
            Self::Coarse => 6,
        }
    }

    /// The frequencies of a block that carry, by their number in its zigzag.
    pub(crate) fn band(self) -> std::ops::Range<usize> {
        match self {
            Self::Fine => 3..20,
            Self::Medium => 1..20,
            Self::Coarse => 1..28,
        }
    }

    /// The distance between two points of a lattice, in levels of eight bits.
    pub(crate) fn step(self) -> f32 {
        match self {
            Self::Fine | Self::Coarse => 8.0,
            Self::Medium => 10.0,
        }
    }
}

impl Shape {
    /// The shape for a picture.
    #[must_use]
    pub fn new(profile: Profile, picture: Picture) -> Self {
        Self { profile, upright: grid::is_upright(picture) }
    }

    /// The profile.
    #[must_use]
    pub fn profile(self) -> Profile {
        self.profile
    }

    pub(crate) fn columns(self) -> usize {
        grid::master_size(self.upright).0 / self.profile.coarser()
    }

    pub(crate) fn rows(self) -> usize {
        grid::master_size(self.upright).1 / self.profile.coarser()
    }

    /// Numbers that a slot carries something in.
    pub(crate) fn carriers(self) -> usize {
        self.columns() / 8 * (self.rows() / 8) * self.profile.band().len()
    }

    /// Carriers of a slot's front that carry nothing but known bits.
    pub(crate) fn front_pilots(self) -> usize {
        (self.carriers() / 32).max(96)
    }

    /// Carriers behind the front that carry nothing but known bits.
    pub(crate) fn rest_pilots(self) -> usize {
        self.carriers() / 32
    }

    /// Bits of a message that a slot carries.
    #[must_use]
    pub fn data_bits(self) -> usize {
        self.carriers() - self.front_pilots() - self.rest_pilots() - HEAD_SLOT_BITS
    }
}

/// The tick of a time since the first frame, in microseconds.
pub(crate) fn tick_of(time_us: u64) -> u64 {
    (time_us + ROUNDING_US) / TICK_US
}

/// The slot of a time since the first frame, in microseconds.
#[must_use]
pub fn slot_of(time_us: u64) -> u64 {
    tick_of(time_us) / TICKS
}
