//! Drives FFmpeg: the only crate that spawns processes.
//!
//! Owns: what a source is ([`probe`](mod@probe)), what is made of it ([`Plan`]), the one process
//! that makes it ([`Packaging`]), the small things beside it ([`frames`]), what is made out of parts
//! ([`produce`]), and the sandbox in which all of that happens. Refuses to know: keys, storage, playlists, the boxes in the bytes that it
//! hands over.
//!
//! Invariants: FFmpeg runs as a child only, locked in ([`sandbox`]); it dies with this process and
//! with the handle that stands for it; nothing that it makes touches a disk; no argument of its
//! comes from a user.

pub mod carrier;
mod child;
pub mod clip;
mod error;
pub mod frames;
mod graph;
mod ladder;
mod language;
mod lines;
pub mod look;
mod matrix;
pub mod nut;
mod package;
mod pipe;
mod plan;
pub mod probe;
pub mod produce;
mod progress;
pub mod raw;
mod recode;
pub mod remux;
mod replace;
pub mod sandbox;
pub mod sight;
mod stderr;
pub mod storyboard;
mod supervisor;
mod tools;
mod witness;

pub use child::{Child, Exit, Invocation, Launcher};
pub use error::{Error, Refusal};
pub use ladder::{LadderRequest, Rung, ladder};
pub use package::{Output, Packaging, STALL_LIMIT, Summary};
pub use plan::{AUDIO_BPS, AUDIO_RATE_HZ, Plan, Role, SHORT_SLOTS_MAX, Slots};
pub use probe::{SourceInfo, probe};
pub use progress::Progress;
pub use replace::replace_process;
pub use tools::Tools;
pub use witness::Witness;
