//! Tests against the real FFmpeg, in the real sandbox. One binary, so that it is linked once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy knows functions with #[test], not those that they share"
)]

mod chapters;
mod children;
mod frames;
mod packaging;
mod raw;
mod refusals;
mod samples;
mod sandbox;
mod sight;
mod stalls;
mod support;
mod tools;
