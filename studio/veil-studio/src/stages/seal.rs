//! Seal: plaintext in, [`SealedObject`] out.
//!
//! Invariant: this is the only file that can make a [`SealedObject`], and the bucket takes no
//! other object, so unsealed bytes can't be uploaded.

use bytes::Bytes;
use veil_seal::id::{ObjectName, TitleId};
use veil_seal::object::{self, Kind, Role, Variant};
use veil_seal::schedule::TitleKey;
use veil_seal::variants::{ListKey, MarkKey, SlotKey, VariantList};

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
    mark_key: Option<MarkKey>,
}

impl Sealer {
    /// A sealer for a title under its key.
    #[must_use]
    pub fn new(title: TitleId, key: TitleKey) -> Self {
        Self { title, key, mark_key: None }
    }

    /// A sealer for a marked title.
    #[must_use]
    pub fn marked(title: TitleId, key: TitleKey, mark_key: MarkKey) -> Self {
        Self { title, key, mark_key: Some(mark_key) }
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

    /// The key of a variant of a slot; `None` for a title that isn't marked.
    fn slot_key(&self, slot: u32, variant: Variant) -> Option<SlotKey> {
        self.mark_key.as_ref().map(|key| key.slot_key(self.title, slot, variant))
    }

    /// The opaque name of a variant of a slot's segment; `None` for a title that isn't marked.
    #[must_use]
    pub fn variant_name(&self, rendition: u16, slot: u32, variant: Variant) -> Option<ObjectName> {
        self.slot_key(slot, variant).map(|key| key.object_name(rendition))
    }

    /// Seals a variant of a slot's segment under a key of its own.
    ///
    /// # Errors
    /// [`StudioError::Unequal`] for a title that isn't marked; [`StudioError::Seal`] when it is larger than a sealed object can be.
    pub fn seal_variant(
        &self,
        rendition: u16,
        slot: u32,
        variant: Variant,
        plaintext: &[u8],
    ) -> Result<SealedObject, StudioError> {
        let key = self.slot_key(slot, variant).ok_or(StudioError::Unequal)?;
        let role = key.role(rendition);
        let body = object::seal(&key.object_key(rendition), &role, plaintext, &mut os_rng())?;
        Ok(SealedObject { name: key.object_name(rendition), body: body.into() })
    }

    /// Seals the list of slot keys that a viewer gets.
    ///
    /// # Errors
    /// [`StudioError::Seal`], which no list gives.
    pub fn seal_list(
        title: TitleId,
        key: &ListKey,
        list: &VariantList,
    ) -> Result<SealedObject, StudioError> {
        let body = key.seal(list, &mut os_rng())?;
        Ok(SealedObject { name: key.object_name(title), body: body.into() })
    }
}
