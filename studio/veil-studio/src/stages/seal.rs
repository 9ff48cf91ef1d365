//! Seal: plaintext in, [`SealedObject`] out.
//!
//! Invariant: this is the only file that can make a [`SealedObject`], and the bucket takes no
//! other object, so unsealed bytes can't be uploaded.

use bytes::Bytes;
use veil_seal::id::{ObjectName, TitleId};
use veil_seal::object::{self, Kind, Role};
use veil_seal::schedule::TitleKey;

use crate::StudioError;
use crate::keystore::os_rng;

/// A sealed object with its opaque name.
#[derive(Debug)]
pub struct SealedObject {
    name: ObjectName,
    body: Bytes,
}

impl SealedObject {
    /// Its name in the title's folder.
    #[must_use]
    pub fn name(&self) -> ObjectName {
        self.name
    }

    /// The sealed bytes.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

/// Seals the objects of one title.
pub struct Sealer {
    title: TitleId,
    key: TitleKey,
}

impl Sealer {
    /// A sealer for a title under its key.
    #[must_use]
    pub fn new(title: TitleId, key: TitleKey) -> Self {
        Self { title, key }
    }

    /// The title.
    #[must_use]
    pub fn title(&self) -> TitleId {
        self.title
    }

    /// The role of an object in this title.
    #[must_use]
    pub fn role(&self, kind: Kind, rendition: u16, index: u32) -> Role {
        Role { title: self.title, kind, rendition, index, variant: None }
    }

    /// The opaque name of an object in this title.
    #[must_use]
    pub fn name(&self, kind: Kind, rendition: u16, index: u32) -> ObjectName {
        self.key.object_name(&self.role(kind, rendition, index))
    }

    /// Seals one object under its own key, bound to its role.
    ///
    /// # Errors
    /// [`StudioError::Seal`] when it is larger than a sealed object can be.
    pub fn seal(
        &self,
        kind: Kind,
        rendition: u16,
        index: u32,
        plaintext: &[u8],
    ) -> Result<SealedObject, StudioError> {
        let role = self.role(kind, rendition, index);
        let body = object::seal(&self.key.object_key(&role), &role, plaintext, &mut os_rng())?;
        Ok(SealedObject { name: self.key.object_name(&role), body: body.into() })
    }
}
