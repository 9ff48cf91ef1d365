//! Messages that survive encoding again: hidden in slots of time, and found there.
//!
//! `plan` says how much fits, `write` puts a message into frames, `read` takes it out. Owns the order of that. Refuses to know:
//! grids and codes (`veil-stego`'s `robust`). Invariants: as the folder's; memory doesn't grow with the size of frames or their number.

mod hiding;
mod hold;
pub(super) mod plan;
pub(super) mod read;
pub(super) mod run;
mod write;

pub use hiding::{RobustHidden, RobustRequest, hide_robust};
pub use plan::RobustProfile;
