//! Which of two variants is a viewer's, slot by slot (`docs/format/grant.md`, `pattern`).
//!
//! Owns reading it. Refuses to know what variants differ in, and can't open either. Invariant: a pattern is for one number of
//! slots up to seven: bits behind the last slot are zero.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Most slots of a pattern.
const SLOTS_MAX: usize = veil_hls::marked::SLOTS_MAX;

/// A bit a slot, slot 0 first, most significant bit first; 1 is variant 2.
pub(crate) struct Pattern(Box<[u8]>);

impl Pattern {
    /// Reads base64url. `None` for what is none, empty, or longer than [`SLOTS_MAX`] bits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (1..=SLOTS_MAX / 8).contains(&bytes.len()).then(|| Self(bytes.into()))
    }

    /// Whether it can be a pattern of so many slots.
    pub(crate) fn fits(&self, slot_count: usize) -> bool {
        let spare = self.0.len() * 8 - slot_count.min(self.0.len() * 8);
        let is_zero = |last: &u8| spare < 8 && last.trailing_zeros() as usize >= spare;
        slot_count <= self.0.len() * 8 && self.0.last().is_some_and(is_zero)
    }

    /// Whether variant 2 of a slot is the viewer's. Beyond the pattern it is variant 1.
    pub(crate) fn is_second(&self, slot: usize) -> bool {
        self.0.get(slot / 8).is_some_and(|byte| byte >> (7 - slot % 8) & 1 == 1)
    }

    /// Adds it to what names a text.
    pub(crate) fn mark(&self, hash: &mut Sha256) {
        hash.update((self.0.len() as u64).to_be_bytes());
        hash.update(&self.0);
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(bytes: &[u8]) -> Option<Pattern> {
        Pattern::parse(&URL_SAFE_NO_PAD.encode(bytes))
    }

    #[test]
    fn bits_are_slots_from_the_most_significant_on() {
        let pattern = pattern(&[0b1010_0000, 0b0100_0000]).unwrap();
        let second: Vec<_> = (0..20).filter(|slot| pattern.is_second(*slot)).collect();
        assert_eq!(second, [0, 2, 9]);
    }

    #[test]
    fn a_pattern_fits_the_slots_that_its_bytes_are_for() {
        let fits = |bytes: &[u8]| -> Vec<usize> {
            let pattern = pattern(bytes).unwrap();
            (0..30).filter(|count| pattern.fits(*count)).collect()
        };
        assert_eq!(fits(&[0, 0]), (9..=16).collect::<Vec<_>>());
        assert_eq!(fits(&[0xff, 0b1010_0000]), (11..=16).collect::<Vec<_>>());
        assert_eq!(fits(&[1]), [8]);
    }

    #[test]
    fn no_bytes_too_many_and_other_spellings_are_none() {
        assert!(pattern(&[]).is_none());
        assert!(pattern(&vec![0; SLOTS_MAX / 8]).is_some());
        assert!(pattern(&vec![0; SLOTS_MAX / 8 + 1]).is_none());
        assert!(Pattern::parse("gA==").is_none());
    }
}
