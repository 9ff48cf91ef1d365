//! What tests of several crates share: samples, generated clips, folders, child processes, `/proc`, oracles, an S3 store.
//!
//! It depends on no crate of ours, so that a test of the gateway can use it without pulling a key into the
//! gateway's build. It knows no format and no flag of the programs that it starts. It hands out no "free
//! port": a server under test listens on port 0 and says which port it got (Garage, which can't, is tried again).
//!
//! Helpers that return a path panic with a sentence when they can't, because a test without its input has
//! failed; helpers about processes return [`std::io::Result`], because an exit or a time-out is often what the
//! test is about. Linux only, as the product's sandbox is.

mod binary;
mod full;
mod garage;
mod media;
mod oracle;
mod place;
mod proc;
mod s3;
mod spawn;
mod tail;
mod vectors;

pub use binary::{BIN_DIR_VARIABLE, binary};
pub use full::{FULL_VARIABLE, is_full_run};
pub use garage::{GARAGE_VARIABLE, Garage};
pub use media::{ClipSpec, Codec, clip, make_clip, sample_or_clip, samples};
pub use oracle::{PYTHON_ORACLES, dependency_dir, oracle};
pub use place::{cache_dir, files_below, locked, profile_dir, tools_dir, workspace_root};
pub use proc::{Process, descendants, process, processes_named, wait_gone};
pub use s3::{Fault, S3Server, Trouble};
pub use spawn::{Finished, Spawned, run};
pub use vectors::{vectors, vectors_of};
