//! How many messages are hashed at a time: a choice made once, by what the processor can do.
//!
//! Owns the choice and the portable way; the others are in `lanes/x86.rs`. Refuses to know what is hashed. Invariant:
//! every choice gives the same hashes, which the tests below hold against `sha2` for every number of messages and
//! around every block border.

use sha2::block_api::compress256;

use crate::form::Form;
use crate::sha::{self, Digest, Hex, digest_of};

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

/// Fewest messages for which vectors of 16 are worth their set-up.
#[cfg(target_arch = "x86_64")]
const AVX512_MESSAGES_MIN: usize = 4;

/// A way to hash many messages, one at a time or several side by side.
///
/// A value exists only for what this processor can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lanes(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// One at a time, by `sha2`, which has its own ways to use a processor's instructions.
    Portable,
    /// Two at a time, so that one's rounds run while the other's wait for their results.
    #[cfg(target_arch = "x86_64")]
    ShaNi(x86::ShaNi),
    /// Sixteen at a time, one in each 32-bit lane.
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx512),
}

impl Lanes {
    /// The names of all ways, whether this processor has them or not, fastest first.
    pub const NAMES: [&str; 3] = ["avx512", "sha-ni", "portable"];

    /// The fastest way that this processor has. Ask once and keep the answer.
    #[must_use]
    pub fn detect() -> Self {
        Self::NAMES.into_iter().find_map(Self::named).unwrap_or(Self::portable())
    }

    /// The way that every processor has.
    #[must_use]
    pub fn portable() -> Self {
        Self(Kind::Portable)
    }

    /// The way of this name, if there is one and this processor has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "portable" => Some(Self::portable()),
            #[cfg(target_arch = "x86_64")]
            "sha-ni" => x86::ShaNi::detect().map(|lanes| Self(Kind::ShaNi(lanes))),
            #[cfg(target_arch = "x86_64")]
            "avx512" => x86::Avx512::detect().map(|lanes| Self(Kind::Avx512(lanes))),
            _ => None,
        }
    }

    /// One of [`Lanes::NAMES`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::ShaNi(_) => "sha-ni",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => "avx512",
        }
    }

    /// Hashes `form` once for each of `fillings`, each of which must have the hole's size.
    pub(crate) fn hash<F: AsRef<[u8]>>(self, form: &Form, fillings: &[F]) -> Vec<Digest> {
        let mut digests = vec![[0; 32]; fillings.len()];
        match self.0 {
            Kind::Portable => hash_one_by_one(form, fillings, &mut digests),
            #[cfg(target_arch = "x86_64")]
            Kind::ShaNi(lanes) => lanes.hash(form, fillings, &mut digests),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(lanes) => {
                let rest = fillings.len() % x86::Avx512::WIDTH;
                let few = if rest < AVX512_MESSAGES_MIN { rest } else { 0 };
                let (many, few) = fillings.split_at(fillings.len() - few);
                let (digests, last) = digests.split_at_mut(many.len());
                lanes.hash(form, many, digests);
                hash_one_by_one(form, few, last);
            }
        }
        digests
    }

    /// Hashes in lower-case hex.
    pub(crate) fn hex(self, digests: &[Digest]) -> Vec<Hex> {
        let mut texts = vec![[0; 64]; digests.len()];
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(lanes) => lanes.hex(digests, &mut texts),
            _ => hex(digests, &mut texts),
        }
        texts
    }
}

/// One hash after the other; whoever inlines this has it in the vectors that it may use.
#[inline]
fn hex(digests: &[Digest], texts: &mut [Hex]) {
    for (digest, text) in digests.iter().zip(texts) {
        *text = sha::hex(digest);
    }
}

fn hash_one_by_one<F: AsRef<[u8]>>(form: &Form, fillings: &[F], digests: &mut [Digest]) {
    let mut blocks = form.blocks.clone();
    for (filling, digest) in fillings.iter().zip(digests) {
        form.fill(filling.as_ref(), &mut blocks, 0, 1);
        let mut state = form.start;
        compress256(&mut state, &blocks);
        *digest = digest_of(&state);
    }
}
