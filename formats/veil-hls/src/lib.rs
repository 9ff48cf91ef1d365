//! HLS playlists (RFC 8216bis) and CMAF fragments: bytes in, bytes out.
//!
//! Knows nothing of keys, buckets or URLs' signatures: what a URI becomes is the caller's. Does no
//! I/O, starts no thread, reads no clock.

pub mod cmaf;
pub mod marked;
pub mod template;
pub mod write;
