//! The key schedule: title key → object keys and object names.
//!
//! Specification: `docs/format/key-schedule.md`.

use rand_core::CryptoRng;

use crate::derive::expand_sha512;
use crate::id::{ID_BYTES, ObjectName};
use crate::object::Role;
use crate::secret::Secret;

const OBJECT_KEY: &[u8] = b"veilcast/object-key/v1\0";
const OBJECT_NAME: &[u8] = b"veilcast/object-name/v1\0";

/// The key of a title: whoever holds it can open everything in the title.
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

    /// The key of the object with this role.
    #[must_use]
    pub fn object_key(&self, role: &Role) -> ObjectKey {
        let mut key = [0; 32];
        expand_sha512(self.0.expose(), &[OBJECT_KEY, &role.encode()], &mut key);
        ObjectKey(Secret::new(key))
    }

    /// The name in the bucket of the object with this role.
    #[must_use]
    pub fn object_name(&self, role: &Role) -> ObjectName {
        let mut name = [0; ID_BYTES];
        expand_sha512(self.0.expose(), &[OBJECT_NAME, &role.encode()], &mut name);
        ObjectName(name)
    }
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
