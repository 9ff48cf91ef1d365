//! Forensic variants: a mark key, the slot keys that it gives, and the list of them that one viewer
//! gets.
//!
//! Specification: `docs/format/key-schedule.md`, "Variants". Knows nothing of marks or codewords:
//! which variant of a slot a viewer gets is the caller's choice. Invariant: a slot key names and
//! opens one variant of one slot, and nothing gives another one but the mark key.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::SealError;
use crate::derive::expand_key;
use crate::id::{ObjectName, TitleId};
use crate::object::{self, Kind, Role, Variant};
use crate::schedule::{ObjectKey, key_under, name_under};
use crate::secret::Secret;

/// The most slots that a list may hold: two days of 2-second segments. It bounds what a reader
/// keeps.
pub const MAX_SLOTS: usize = 100_000;
/// Bytes of an entry: slot, variant and slot key.
pub const ENTRY_BYTES: usize = 4 + 1 + 32;

const SLOT_KEY: &[u8] = b"veilcast/slot-key/v1\0";
const WHAT: &str = "the variant list";
const MALFORMED: SealError = SealError::Malformed { what: WHAT };

/// The second secret of a marked title: whoever holds it can open every variant, so it is never
/// granted.
pub struct MarkKey(Secret<32>);

/// The key of one variant of one slot, in every rendition.
pub struct SlotKey {
    title: TitleId,
    slot: u32,
    variant: Variant,
    secret: Secret<32>,
}

/// The slot keys of one viewer, at most one a slot.
pub struct VariantList {
    title: TitleId,
    keys: Vec<SlotKey>,
}

/// The key of one grant's variant list.
pub struct ListKey(Secret<32>);

impl MarkKey {
    /// Draws a fresh mark key.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self(Secret::random(rng))
    }

    /// Wraps bytes that were kept.
    #[must_use]
    pub fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The bytes, to be kept.
    #[must_use]
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// The key of one variant of a slot.
    #[must_use]
    pub fn slot_key(&self, title: TitleId, slot: u32, variant: Variant) -> SlotKey {
        let place: [&[u8]; 4] = [SLOT_KEY, &title.0, &slot.to_be_bytes(), &[variant as u8]];
        SlotKey { title, slot, variant, secret: expand_key(&self.0, &place) }
    }

    /// The slot keys of a viewer, chosen slot by slot in rising order.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when there is no slot or they do not rise, [`SealError::TooLarge`]
    /// beyond [`MAX_SLOTS`].
    pub fn list(
        &self,
        title: TitleId,
        chosen: impl IntoIterator<Item = (u32, Variant)>,
    ) -> Result<VariantList, SealError> {
        let chosen: Vec<_> = chosen.into_iter().take(MAX_SLOTS + 1).collect();
        let key = |(slot, variant)| Ok(self.slot_key(title, slot, variant));
        VariantList::gather(title, chosen.into_iter().map(key))
    }
}

impl SlotKey {
    /// The slot: the index of the segment.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.slot
    }

    /// Which of the two variants it opens.
    #[must_use]
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// The role of this variant of the slot's segment in a rendition.
    #[must_use]
    pub fn role(&self, rendition: u16) -> Role {
        let variant = Some(self.variant);
        Role { title: self.title, kind: Kind::Segment, rendition, index: self.slot, variant }
    }

    /// The key of this variant of the slot's segment in a rendition.
    #[must_use]
    pub fn object_key(&self, rendition: u16) -> ObjectKey {
        key_under(&self.secret, &self.role(rendition))
    }

    /// The name of this variant of the slot's segment in a rendition.
    #[must_use]
    pub fn object_name(&self, rendition: u16) -> ObjectName {
        name_under(&self.secret, &self.role(rendition))
    }
}

impl VariantList {
    fn gather(
        title: TitleId,
        given: impl ExactSizeIterator<Item = Result<SlotKey, SealError>>,
    ) -> Result<Self, SealError> {
        if given.len() > MAX_SLOTS {
            return Err(SealError::TooLarge);
        }
        // Made as long as it gets: growing would leave copies of keys behind.
        let mut keys: Vec<SlotKey> = Vec::with_capacity(given.len());
        for key in given {
            let key = key?;
            if keys.last().is_some_and(|last| last.slot >= key.slot) {
                return Err(MALFORMED);
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(MALFORMED) } else { Ok(Self { title, keys }) }
    }

    /// The key of a slot; `None` where its segment exists once.
    #[must_use]
    pub fn get(&self, slot: u32) -> Option<&SlotKey> {
        let at = self.keys.binary_search_by_key(&slot, SlotKey::slot).ok()?;
        self.keys.get(at)
    }

    /// All keys, in rising order of slots.
    #[must_use]
    pub fn keys(&self) -> &[SlotKey] {
        &self.keys
    }

    /// The bytes that are sealed: an entry a slot.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.keys.len() * ENTRY_BYTES));
        for key in &self.keys {
            bytes.extend_from_slice(&key.slot.to_be_bytes());
            bytes.push(key.variant as u8);
            bytes.extend_from_slice(key.secret.expose());
        }
        bytes
    }

    /// Reads the bytes that were sealed.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when the length is none of a list, an entry is out of order, or a
    /// variant is neither A nor B; [`SealError::TooLarge`] beyond [`MAX_SLOTS`].
    pub fn decode(title: TitleId, bytes: &[u8]) -> Result<Self, SealError> {
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        if !rest.is_empty() {
            return Err(MALFORMED);
        }
        Self::gather(title, entries.iter().map(|entry| SlotKey::decode(title, entry)))
    }
}

impl SlotKey {
    fn decode(title: TitleId, entry: &[u8; ENTRY_BYTES]) -> Result<Self, SealError> {
        let [a, b, c, d, variant, secret @ ..] = entry;
        let slot = u32::from_be_bytes([*a, *b, *c, *d]);
        let variant = Variant::from_number(*variant).ok_or(MALFORMED)?;
        Ok(Self { title, slot, variant, secret: Secret::from_slice(secret, WHAT)? })
    }
}

impl ListKey {
    /// Draws a fresh list key.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self(Secret::random(rng))
    }

    /// Wraps bytes that came out of a grant.
    #[must_use]
    pub fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The bytes, to be put into a grant.
    #[must_use]
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// The name of the list's object in its title's folder.
    #[must_use]
    pub fn object_name(&self, title: TitleId) -> ObjectName {
        name_under(&self.0, &list_role(title))
    }

    /// Seals a list.
    ///
    /// # Errors
    /// None of today's limits can be met by a list: [`SealError::TooLarge`] is that of any object.
    pub fn seal(&self, list: &VariantList, rng: &mut impl CryptoRng) -> Result<Vec<u8>, SealError> {
        let role = list_role(list.title);
        object::seal(&key_under(&self.0, &role), &role, &list.encode(), rng)
    }

    /// Opens a list.
    ///
    /// # Errors
    /// Those of [`object::open`] and of [`VariantList::decode`].
    pub fn open(&self, title: TitleId, sealed: &[u8]) -> Result<VariantList, SealError> {
        let role = list_role(title);
        let bytes = Zeroizing::new(object::open(&key_under(&self.0, &role), &role, sealed)?);
        VariantList::decode(title, &bytes)
    }
}

fn list_role(title: TitleId) -> Role {
    Role::single(title, Kind::VariantList)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;
    use crate::schedule::TitleKey;

    const TITLE: TitleId = TitleId([5; 16]);
    const RENDITIONS: [u16; 3] = [1, 2, 3];

    fn mark_key() -> MarkKey {
        MarkKey::new(Secret::new([6; 32]))
    }

    fn list(chosen: &[(u32, Variant)]) -> Result<VariantList, SealError> {
        mark_key().list(TITLE, chosen.iter().copied())
    }

    fn other(variant: Variant) -> Variant {
        if variant == Variant::A { Variant::B } else { Variant::A }
    }

    #[test]
    fn a_viewer_with_every_object_opens_one_variant_of_each_slot() {
        let mut rng = UnwrapErr(SysRng);
        let chosen = [(0, Variant::B), (1, Variant::A), (2, Variant::A), (7, Variant::B)];
        let list = list(&chosen).unwrap();
        for (slot, variant) in chosen {
            let hers = list.get(slot).unwrap();
            for rendition in RENDITIONS {
                for sealed_as in [variant, other(variant)] {
                    let sealing = mark_key().slot_key(TITLE, slot, sealed_as);
                    let (key, role) = (sealing.object_key(rendition), sealing.role(rendition));
                    let sealed = object::seal(&key, &role, b"picture", &mut rng).unwrap();
                    let opens = |key: &SlotKey| {
                        object::open(&key.object_key(rendition), &role, &sealed).is_ok()
                    };
                    assert_eq!(opens(hers), sealed_as == variant);
                    assert_eq!(list.keys().iter().any(opens), sealed_as == variant);
                }
            }
        }
        assert!(list.get(3).is_none());
    }

    #[test]
    fn no_two_variants_share_a_name_and_the_title_key_gives_none_of_them() {
        let title_key = TitleKey::new(Secret::new([6; 32]));
        let mut names = HashSet::new();
        for (slot, rendition) in (0..50).flat_map(|slot| RENDITIONS.map(|r| (slot, r))) {
            for variant in [Variant::A, Variant::B] {
                let key = mark_key().slot_key(TITLE, slot, variant);
                assert!(names.insert(key.object_name(rendition)));
            }
            let role = mark_key().slot_key(TITLE, slot, Variant::A).role(rendition);
            assert!(names.insert(title_key.object_name(&Role { variant: None, ..role })));
        }
    }

    #[test]
    fn another_title_has_other_slot_keys() {
        let here = mark_key().slot_key(TITLE, 1, Variant::A);
        let there = mark_key().slot_key(TitleId([7; 16]), 1, Variant::A);
        assert!(!here.secret.ct_eq(&there.secret));
    }

    #[test]
    fn a_list_opens_under_its_own_key_and_for_its_own_title() {
        let mut rng = UnwrapErr(SysRng);
        let (key, wrong) = (ListKey::random(&mut rng), ListKey::random(&mut rng));
        let list = list(&[(0, Variant::B), (3599, Variant::A)]).unwrap();
        let sealed = key.seal(&list, &mut rng).unwrap();
        let opened = key.open(TITLE, &sealed).unwrap();
        assert_eq!(*opened.encode(), *list.encode());
        assert_eq!(wrong.open(TITLE, &sealed).err(), Some(SealError::WrongKey));
        assert_eq!(key.open(TitleId([7; 16]), &sealed).err(), Some(SealError::WrongKey));
        assert_ne!(key.object_name(TITLE), wrong.object_name(TITLE));
    }

    #[test]
    fn a_list_that_does_not_rise_or_has_another_length_or_variant_is_refused() {
        assert_eq!(list(&[]).err(), Some(MALFORMED));
        assert_eq!(list(&[(1, Variant::A), (1, Variant::B)]).err(), Some(MALFORMED));
        assert_eq!(list(&[(2, Variant::A), (1, Variant::A)]).err(), Some(MALFORMED));
        let bytes = list(&[(1, Variant::A), (2, Variant::B)]).unwrap().encode();
        assert!(VariantList::decode(TITLE, &bytes).is_ok());
        for length in [0, 1, ENTRY_BYTES - 1, ENTRY_BYTES + 1, 2 * ENTRY_BYTES - 1] {
            let decoded = VariantList::decode(TITLE, &bytes[..length]).err();
            assert_eq!(decoded, Some(MALFORMED), "{length} bytes");
        }
        for variant in [0, 3, 255] {
            let mut changed = bytes.clone();
            changed[4] = variant;
            assert_eq!(VariantList::decode(TITLE, &changed).err(), Some(MALFORMED));
        }
    }

    #[test]
    fn a_list_has_a_most_of_slots() {
        let slots = |count: u32| (0..count).map(|slot| (slot, Variant::A));
        let most = u32::try_from(MAX_SLOTS).unwrap();
        assert!(mark_key().list(TITLE, slots(most)).is_ok());
        assert_eq!(mark_key().list(TITLE, slots(u32::MAX)).err(), Some(SealError::TooLarge));
        let long = vec![0; (MAX_SLOTS + 1) * ENTRY_BYTES];
        assert_eq!(VariantList::decode(TITLE, &long).err(), Some(SealError::TooLarge));
    }
}
