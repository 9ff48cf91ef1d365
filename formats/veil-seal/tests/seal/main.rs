//! The seal library against the vectors that it shares with the browser code, and the lock on them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lock;
mod vectors;
