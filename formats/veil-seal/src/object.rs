//! The role of an object, and sealing and opening it whole.
//!
//! Specification: `docs/format/sealed-object.md`. A role is what makes a swapped, reordered or
//! replayed object fail to open.

use rand_core::CryptoRng;

use crate::SealError;
use crate::chunks::{self, SALT_BYTES};
use crate::id::TitleId;
use crate::schedule::ObjectKey;

/// Bytes of a role's encoding.
pub const ROLE_BYTES: usize = 43;

const LABEL: &[u8; 18] = b"veilcast/object/v1";

/// What kind of object a role names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// The title manifest.
    Manifest = 0,
    /// A rendition's initialisation segment.
    Init = 1,
    /// A media segment: CMAF, or WebVTT for subtitles.
    Segment = 2,
    /// The poster image.
    Poster = 3,
    /// A sheet of the storyboard.
    Storyboard = 4,
    /// A media playlist; it has a name, but is not sealed.
    MediaPlaylist = 5,
    /// The multivariant playlist; it has a name, but is not sealed.
    MultivariantPlaylist = 6,
    /// The slot keys of one grant.
    VariantList = 7,
    /// A rendition's objects one after the other; it has a name, what is sealed are the objects.
    RenditionFile = 8,
}

/// One of the two forms of a media segment that differ in their mark.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Variant {
    /// The first.
    A = 1,
    /// The second.
    B = 2,
}

impl Variant {
    /// The variant of a number in a role or a list; 0 is none.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::A, Self::B].into_iter().find(|variant| *variant as u8 == number)
    }
}

/// The immutable facts of an object: which title, what, where in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Role {
    /// The title that it belongs to.
    pub title: TitleId,
    /// What it is.
    pub kind: Kind,
    /// The rendition's number in the title manifest; 0 where an object has none.
    pub rendition: u16,
    /// Its place in the rendition or storyboard, from 0.
    pub index: u32,
    /// Which variant of a marked segment; `None` for what exists once.
    pub variant: Option<Variant>,
}

impl Role {
    /// The role of an object that exists once in a title.
    #[must_use]
    pub fn single(title: TitleId, kind: Kind) -> Self {
        Self { title, kind, rendition: 0, index: 0, variant: None }
    }

    /// Encodes the role: fixed widths, so no two roles share an encoding. The last byte is the
    /// variant, 0 for none.
    #[must_use]
    pub fn encode(&self) -> [u8; ROLE_BYTES] {
        let mut role = [0; ROLE_BYTES];
        role[..18].copy_from_slice(LABEL);
        role[19..35].copy_from_slice(&self.title.0);
        role[35] = self.kind as u8;
        role[36..38].copy_from_slice(&self.rendition.to_be_bytes());
        role[38..42].copy_from_slice(&self.index.to_be_bytes());
        role[42] = self.variant.map_or(0, |variant| variant as u8);
        role
    }
}

/// Seals a whole object under its key and role, with a fresh salt.
///
/// # Errors
/// [`SealError::TooLarge`] when the plaintext needs more than 2³² chunks.
pub fn seal(
    key: &ObjectKey,
    role: &Role,
    plaintext: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let mut salt = [0; SALT_BYTES];
    rng.fill_bytes(&mut salt);
    chunks::seal(key.secret(), &role.encode(), &salt, plaintext)
}

/// Opens a whole object.
///
/// # Errors
/// [`SealError::WrongKey`], [`SealError::Tampered`] or [`SealError::Truncated`]; no plaintext is
/// returned with an error.
pub fn open(key: &ObjectKey, role: &Role, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    chunks::open(key.secret(), &role.encode(), sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_role_changes_its_encoding() {
        let role = Role {
            title: TitleId([1; 16]),
            kind: Kind::Init,
            rendition: 2,
            index: 3,
            variant: None,
        };
        let others = [
            Role { title: TitleId([2; 16]), ..role },
            Role { kind: Kind::Segment, ..role },
            Role { rendition: 3, ..role },
            Role { index: 2, ..role },
            Role { variant: Some(Variant::A), ..role },
            Role { variant: Some(Variant::B), ..role },
        ];
        for other in others {
            assert_ne!(role.encode(), other.encode());
        }
        assert_eq!((role.encode()[18], role.encode()[42]), (0, 0));
        assert_eq!(others.map(|role| role.encode()[42]), [0, 0, 0, 0, 1, 2]);
    }

    #[test]
    fn a_variant_has_the_number_that_its_role_says() {
        let numbers = [0, 1, 2, 3, 255].map(Variant::from_number);
        assert_eq!(numbers, [None, Some(Variant::A), Some(Variant::B), None, None]);
    }
}
