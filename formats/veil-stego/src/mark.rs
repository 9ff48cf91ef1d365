//! Forensic marks: every viewer's copy tells on its leaker.
//!
//! A marked title has two variants of each slot, the same pattern added to the one and taken from the other; which of them a viewer
//! gets is the viewer's codeword. Owns patterns, codewords, how they are read out of a leak, and whom they accuse
//! (`docs/format/mark.md`). Refuses to know: containers, encoders, threads, names of viewers. Invariants: an innocent is accused with a
//! probability below the bound that was asked for, whatever a leak shows; memory doesn't grow with the number of frames, but with
//! that of windows.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of cells, samples and slots are far below the limits of what they are turned into"
)]

mod accuse;
mod activity;
mod codeword;
mod geometry;
mod hear;
mod marker;
mod plane;
mod presence;
mod reader;
mod rows;
mod search;
mod sight;
mod template;
mod track;

#[cfg(test)]
mod simulations;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use accuse::{Accusation, Suspect, accuse};
pub use codeword::{Label, TracingKey};
pub use geometry::Geometry;
pub use hear::{Heard, Reading};
pub use marker::{Marker, Strength};
pub use presence::PRESENCE_THRESHOLD;
pub use reader::Reader;
pub use search::{Found, search};
pub use sight::{Sight, Window};

/// Most slots of a title.
pub const SLOTS_MAX: u32 = 65_536;

/// Samples in a row of what a reader looks at, whatever a leak's size.
pub const SIGHT_WIDTH: usize = 256;
/// Rows of what a reader looks at.
pub const SIGHT_HEIGHT: usize = 160;
/// Frames a second of what a reader looks at.
pub const SIGHT_FPS: u32 = 10;

/// Samples of what a reader looks at.
const SIGHT_SAMPLES: usize = SIGHT_WIDTH * SIGHT_HEIGHT;

/// Columns and rows of a template.
const CELLS: (usize, usize) = (64, 40);
/// Macro cells in a row and in a column; each has a sign of its own in a row of the Hadamard matrix.
const MACRO_SIDE: usize = 8;
/// Macro cells, and rows of the Hadamard matrix.
const MACROS: usize = MACRO_SIDE * MACRO_SIDE;
/// Windows of a slot.
const PHASES: usize = 4;
