//! The seal library against the vectors that it shares with the browser code.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod vectors;
