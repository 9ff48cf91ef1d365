//! Drives FFmpeg: the only crate that spawns processes.
mod child;
mod error;
pub mod sandbox;
mod stderr;
mod supervisor;
pub use child::{Child, Exit, Invocation, Launcher};
pub use error::{Error, Refusal};
