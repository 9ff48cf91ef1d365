//! Messages in the frames of videos: hiding, revealing, and how much fits.
//!
//! [`hide`] and [`reveal`] do the work and know no command line. `payload` makes files one sealed message and `unpack` makes it files
//! again, `plan` says how thinly it is spread, `write` and `read` put it into frames and take it out. Specification:
//! `docs/format/stego.md`. `robust` does the same for messages that survive encoding. Owns the order of all that. Refuses to know: pixels (`veil-stego`), ciphers (`veil-seal`), FFmpeg
//! (`veil-ffmpeg`).
//!
//! Invariants: nothing of a payload touches a disk but sealed, until it is revealed; memory doesn't grow with video or payload; who has
//! the wrong key, no payload, or a damaged one, is told the same after the same work.

mod ahead;
mod capacity;
mod error;
mod hiding;
mod keys;
mod payload;
mod plan;
mod read;
mod revealing;
mod robust;
mod spool;
mod unpack;
mod write;

#[cfg(test)]
mod tests;

pub use capacity::{Capacity, Detectability, Room, capacity};
pub use error::HideError;
pub use hiding::{Hidden, HideRequest, hide};
pub use keys::{HideKeys, RevealKeys, StructuralSecret};
pub use payload::PayloadSource;
pub use plan::{Profile, Rate};
pub use revealing::{Revealed, reveal};
pub use robust::{RobustHidden, RobustProfile, RobustRequest, hide_robust};
pub use spool::{STDIN_BYTES_MAX, Spooled};

/// How far hiding or revealing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HideProgress {
    /// What is being done, for a person.
    pub step: &'static str,
    /// Frames that are done.
    pub frames: u64,
    /// Frames in all, if they are known.
    pub total_frames: u64,
}
