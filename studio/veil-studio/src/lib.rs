//! The studio: imports videos, seals and publishes them, and grants people the right to watch.
//!
//! Trusted: it sees plaintext, keys and the bucket's write credential. It spawns no process itself
//! (`veil-ffmpeg` does), prints nothing, and never exits; the command line is `apps/veil-cli`.
//!
//! A title may lie in several places ([`place`], [`relocate`]): the data folder's own bucket, folders, S3 stores.
//!
//! Invariants: only `stages::seal` makes a [`stages::seal::SealedObject`], and only such objects
//! and playlists can be published; a title is listed when its last object is in place; whatever a
//! killed import left is swept by the next command.

pub mod bucket;
pub mod catalogue;
pub mod data;
pub mod gateway;
pub mod hide;
pub mod jobs;
pub mod keystore;
pub mod library;
pub mod make;
pub mod manifest;
pub mod marking;
pub mod pipeline;
pub mod place;
mod poster;
pub mod relocate;
pub mod share;
pub mod stages;
pub mod sweep;
pub mod trace;
pub mod transfer;
pub mod turns;
pub mod watch;

mod error;
mod studio;
mod time;
mod tracks;

pub use error::StudioError;
pub use studio::Studio;
