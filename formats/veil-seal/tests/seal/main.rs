//! Is it true? The seal library against the vectors of others, and live against their programs.
//!
//! `vectors` and `sealed_file` are our own formats, and `lock` the lock on them; every other module holds one primitive, in the implementation that
//! this crate really runs, against Wycheproof or the drafts; `exchange` seals for and opens from two
//! foreign libraries. An oracle that is not installed fails its test by name.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod aes_gcm;
mod exchange;
mod hkdf;
mod hpke;
mod lock;
mod ml_kem;
mod sealed_file;
mod vectors;
mod x25519;
mod xwing;
