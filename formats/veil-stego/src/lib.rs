//! Messages hidden in planes of samples, and forensic marks on them.
//!
//! Pure functions on the luma planes of frames: costs of changes, a keyed order of samples, syndrome-trellis codes; marks that tell
//! copies apart, and who they accuse. Owns where and how samples change (`docs/format/stego.md`, `docs/format/mark.md`). Refuses I/O, clocks, threads, and to know what a message says:
//! it comes sealed, as bytes like random ones, and goes so. Invariant: who lacks the structural key can't tell which
//! samples carry, and equal inputs give equal frames, on every processor and with any number of threads.

mod cost;
pub mod lossless;
pub mod mark;
mod order;
mod plane;
pub mod robust;
mod stream;
mod trellis;
// Reads files, which nothing in `src` does.
#[cfg(test)]
mod vectors;

pub use plane::{Depth, Picture, SIDE_MAX, Sample, UnusableSize};
pub use stream::StructuralKey;
pub use trellis::{Height, Walk};
