//! Seals: encrypts objects, derives their keys and names, wraps keys for people.
//!
//! Bytes in, bytes out: this crate does no I/O, reads no clock and no environment, and takes
//! randomness as an argument. The normative text is `docs/format/`; `vectors/` holds the vectors
//! that this crate and the browser player both run.
//!
//! Invariant: no function here returns a plaintext byte whose authentication tag it has not
//! verified.

pub mod cache;
pub mod chunks;
pub mod collection;
pub mod derive;
pub mod envelope;
pub mod file;
pub mod grant;
pub mod hidden;
pub mod id;
pub mod identity;
pub mod link;
pub mod object;
pub mod reader;
pub mod rendition_file;
pub mod schedule;
pub mod secret;
pub mod stream;
pub mod variants;

mod error;

pub use error::SealError;
