//! A link on the command line: what a player does with it, without a player.
//!
//! Formats: `docs/format/link.md`, `grant.md`, `gateway-api.md`, `title-manifest.md`. Owns the way from a link to a title's opened
//! objects. Refuses to know what is done with them. Invariant: nothing of a gateway's word is believed but where objects lie; what they
//! are is told by the keys that open them.

pub(crate) mod door;
pub(crate) mod link;
pub(crate) mod title;
