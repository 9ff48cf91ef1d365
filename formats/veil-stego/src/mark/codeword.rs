//! Which variant of each slot a viewer gets.
//!
//! Owns: the tracing key, biases of slots, codewords of viewers, and which variant carries which symbol. Refuses to know: viewers but
//! by their number of 16 bytes. Invariant: codewords of different viewers are independent of each other, and symbol 1 comes with the
//! slot's bias (Nuida et al. 2009, the distribution for four colluders).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::stream::{Purpose, StructuralKey};

/// The lower bias in 2^32: (3 - sqrt 3) / 6. The higher is what is left to one.
const LOW_BIAS: u32 = 907_633_385;
/// Slots whose symbols come out of one HMAC.
const SLOTS_OF_A_TAG: u32 = 8;

/// The secret of a title's marks: patterns, codewords and who has which. Whoever has it can name leakers, and frame viewers; it never
/// leaves the studio.
pub struct TracingKey(StructuralKey);

/// A variant of a slot, as the bucket numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// Variant 1.
    First,
    /// Variant 2.
    Second,
}

/// What is keyed of a slot, but its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Odds {
    /// Symbol 1 comes as often as this in 2^32.
    pub(super) one: u32,
    /// The symbol that variant 1 carries.
    pub(super) first: bool,
}

impl TracingKey {
    /// Length of a key.
    pub const BYTES: usize = 32;

    /// Takes a key's bytes, which are uniformly random.
    #[must_use]
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(StructuralKey::new(bytes))
    }

    /// The variant of a slot that a viewer gets. [`TracingKey::labels`] is faster for more than one.
    #[must_use]
    pub fn label(&self, viewer: &[u8; 16], slot: u32) -> Label {
        let odds = self.odds(slot);
        let is_one = Codewords::new(self).of(viewer).words(slot / SLOTS_OF_A_TAG)
            [(slot % SLOTS_OF_A_TAG) as usize]
            < odds.one;
        Label::of(is_one, odds)
    }

    /// The variants of the slots 0 to `slot_count` - 1 that a viewer gets.
    #[must_use]
    pub fn labels(&self, viewer: &[u8; 16], slot_count: u32) -> Vec<Label> {
        let codeword = Codewords::new(self).of(viewer);
        let mut words = [0; SLOTS_OF_A_TAG as usize];
        let label = |slot: u32| {
            if slot.is_multiple_of(SLOTS_OF_A_TAG) {
                words = codeword.words(slot / SLOTS_OF_A_TAG);
            }
            let odds = self.odds(slot);
            Label::of(words[(slot % SLOTS_OF_A_TAG) as usize] < odds.one, odds)
        };
        (0..slot_count).map(label).collect()
    }

    /// The symbol that a variant of a slot carries: true is 1.
    #[must_use]
    pub fn symbol(&self, slot: u32, label: Label) -> bool {
        (label == Label::First) == self.odds(slot).first
    }

    /// What is keyed of a slot, but its row.
    pub(super) fn odds(&self, slot: u32) -> Odds {
        let word = self.0.stream(Purpose::Bias, u64::from(slot)).word();
        let one = if word & 1 == 0 { LOW_BIAS } else { LOW_BIAS.wrapping_neg() };
        Odds { one, first: word & 2 != 0 }
    }

    pub(super) fn streams(&self) -> &StructuralKey {
        &self.0
    }
}

impl Label {
    fn of(symbol: bool, odds: Odds) -> Self {
        if symbol == odds.first { Self::First } else { Self::Second }
    }
}

impl Odds {
    /// The probability of symbol 1.
    pub(super) fn bias(self) -> f64 {
        f64::from(self.one) / 4_294_967_296.0
    }
}

/// Codewords of a title's viewers.
pub(super) struct Codewords(Hmac<Sha256>);

/// One viewer's codeword.
pub(super) struct Codeword(Hmac<Sha256>);

impl Codewords {
    pub(super) fn new(key: &TracingKey) -> Self {
        let secret = key.0.stream(Purpose::Codewords, 0).key();
        Self(keyed(&secret))
    }

    /// A viewer's codeword; its key is the tag of the viewer's number.
    pub(super) fn of(&self, viewer: &[u8; 16]) -> Codeword {
        Codeword(keyed(&self.0.clone().chain_update(viewer).finalize().into_bytes()))
    }
}

impl Codeword {
    /// Random words of the slots 8 · `eight` to 8 · `eight` + 7: the symbol is 1 where the word is below the slot's bias.
    pub(super) fn words(&self, eight: u32) -> [u32; SLOTS_OF_A_TAG as usize] {
        let tag = self.0.clone().chain_update(eight.to_le_bytes()).finalize().into_bytes();
        let word = |at: usize| {
            u32::from_le_bytes([tag[at * 4], tag[at * 4 + 1], tag[at * 4 + 2], tag[at * 4 + 3]])
        };
        std::array::from_fn(word)
    }

    /// Whether each of some slots, in order, has symbol 1.
    pub(super) fn symbols<'a>(
        &'a self,
        slots: impl Iterator<Item = (u32, u32)> + 'a,
    ) -> impl Iterator<Item = bool> + 'a {
        let mut last = None;
        slots.map(move |(slot, one)| {
            let eight = slot / SLOTS_OF_A_TAG;
            let words = match last {
                Some((number, words)) if number == eight => words,
                _ => self.words(eight),
            };
            last = Some((eight, words));
            words[(slot % SLOTS_OF_A_TAG) as usize] < one
        })
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[allow(clippy::expect_used, reason = "HMAC takes a key of any length")]
    Hmac::new_from_slice(key).expect("a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> TracingKey {
        TracingKey::new([9; 32])
    }

    #[test]
    fn symbols_come_with_the_bias_of_their_slot_and_labels_with_the_shuffle() {
        let key = key();
        let (mut ones, mut highs, mut firsts) = ([0_u32; 2], 0, 0);
        for slot in 0..4000 {
            let odds = key.odds(slot);
            let is_high = odds.one > 1 << 31;
            highs += u32::from(is_high);
            for viewer in 0..4 {
                let label = key.label(&[viewer; 16], slot);
                firsts += u32::from(label == Label::First);
                let is_one = (label == Label::First) == odds.first;
                ones[usize::from(is_high)] += u32::from(is_one);
            }
        }
        let share = |count: u32, of: u32| f64::from(count) / f64::from(of);
        assert!((share(highs, 4000) - 0.5).abs() < 0.03);
        assert!((share(firsts, 16_000) - 0.5).abs() < 0.02, "labels tell nothing of symbols");
        assert!((share(ones[0], 4 * (4000 - highs)) - 0.211_3).abs() < 0.02);
        assert!((share(ones[1], 4 * highs) - 0.788_7).abs() < 0.02);
        assert!(
            (key.odds(0).bias() - 0.211_324_865)
                .abs()
                .min((key.odds(0).bias() - 0.788_675_135).abs())
                < 1e-8
        );
    }

    #[test]
    fn labels_at_once_are_those_one_by_one() {
        let key = key();
        let labels = key.labels(&[4; 16], 100);
        assert!((0..100).all(|slot| labels[slot as usize] == key.label(&[4; 16], slot)));
        let codeword = Codewords::new(&key).of(&[4; 16]);
        let slots = || [3_u32, 4, 50, 98].into_iter();
        let symbols = codeword.symbols(slots().map(|slot| (slot, key.odds(slot).one)));
        for (slot, symbol) in slots().zip(symbols) {
            assert_eq!(Label::of(symbol, key.odds(slot)), labels[slot as usize]);
        }
        assert_ne!(key.labels(&[5; 16], 100), labels);
    }
}
