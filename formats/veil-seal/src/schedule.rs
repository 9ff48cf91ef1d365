//! The key schedule: title key → object keys and object names.
//!
//! Specification: `docs/format/key-schedule.md`. Variants have keys of their own: `variants`.

use rand_core::CryptoRng;

use crate::derive::{expand_key, expand_sha512};
use crate::id::{ID_BYTES, ObjectName};
use crate::object::Role;
use crate::secret::Secret;

const OBJECT_KEY: &[u8] = b"veilcast/object-key/v1\0";
const OBJECT_NAME: &[u8] = b"veilcast/object-name/v1\0";

/// The key of a title: whoever holds it can open everything in the title that exists once.
pub struct TitleKey(Secret<32>);

/// The key of one object.
pub struct ObjectKey(Secret<32>);

impl TitleKey {
    /// Draws a fresh title key.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self(Secret::random(rng))
    }

    /// Wraps bytes that came out of an envelope.
    #[must_use]
    pub fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The bytes, to be put into an envelope.
    #[must_use]
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// The key of the object with this role, which exists once.
    #[must_use]
    pub fn object_key(&self, role: &Role) -> ObjectKey {
        debug_assert!(role.variant.is_none(), "a variant is opened by its slot key alone");
        key_under(&self.0, role)
    }

    /// The name in the bucket of the object with this role, which exists once.
    #[must_use]
    pub fn object_name(&self, role: &Role) -> ObjectName {
        debug_assert!(role.variant.is_none(), "a variant is named by its slot key alone");
        name_under(&self.0, role)
    }
}

/// The key that `parent` (a title key, slot key or list key) gives the object with this role.
pub(crate) fn key_under(parent: &Secret<32>, role: &Role) -> ObjectKey {
    ObjectKey(expand_key(parent, &[OBJECT_KEY, &role.encode()]))
}

/// The name that `parent` (a title key, slot key or list key) gives the object with this role.
pub(crate) fn name_under(parent: &Secret<32>, role: &Role) -> ObjectName {
    let mut name = [0; ID_BYTES];
    expand_sha512(parent.expose(), &[OBJECT_NAME, &role.encode()], &mut name);
    ObjectName(name)
}

impl ObjectKey {
    /// Wraps the bytes of an object key.
    #[must_use]
    pub fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(crate) fn secret(&self) -> &Secret<32> {
        &self.0
    }
}
