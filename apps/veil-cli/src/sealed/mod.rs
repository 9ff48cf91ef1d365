//! What the commands on sealed files share: keys, inputs, outputs.
//!
//! Specification of the files: `docs/format/sealed-file.md`. Knows nothing of the studio: no data folder, no database, no
//! runtime, so that a file is sealed or opened in a few megabytes and at once.

pub(crate) mod ask;
pub(crate) mod change;
mod faults;
pub(crate) mod foreign;
pub(crate) mod identities;
mod pipe;
pub(crate) mod range;
pub(crate) mod recipients;
pub(crate) mod refusal;
pub(crate) mod remote;
pub(crate) mod source;
pub(crate) mod target;
pub(crate) mod unlock;

use getrandom::SysRng;
use rand_core::{CryptoRng, UnwrapErr};

/// The one source of keys and salts: the operating system. It panics only where the system has no generator.
pub(crate) fn rng() -> impl CryptoRng {
    UnwrapErr(SysRng)
}
