//! A title as one viewer sees it: what the grant's keys open of it.
//!
//! Owns which object plays which role, under which key. Invariant: an object is released when all of it was verified.

use std::ops::Range;

use veil_seal::chunks;
use veil_seal::grant::{GrantBinding, open_payload};
use veil_seal::id::{KeyId, ObjectName, TitleId};
use veil_seal::identity::Identity;
use veil_seal::object::{self, Kind, Role};
use veil_seal::rendition_file::Places;
use veil_seal::schedule::{ObjectKey, TitleKey};
use veil_seal::variants::{ENTRY_BYTES, ListKey, MAX_SLOTS, VariantList};
use veil_studio::manifest::{Media, Rendition, TitleManifest};

use super::door::{Answer, Door};
use crate::error::CliError;

/// Longest manifest (`docs/format/title-manifest.md`).
const MAX_MANIFEST_BYTES: u64 = 16 << 20;

/// A title that is open to a viewer.
pub(crate) struct Opened {
    /// What it is made of.
    pub(crate) manifest: TitleManifest,
    id: TitleId,
    key: TitleKey,
    slots: Option<VariantList>,
}

/// An object of a rendition: its initialisation segment, or a media segment.
pub(crate) struct Piece {
    role: Role,
    key: ObjectKey,
    /// The name of what it lies in.
    name: ObjectName,
    /// Where it lies in a rendition file.
    range: Option<Range<u64>>,
    sealed_bytes: u64,
}

impl Opened {
    /// Opens a grant with the identity that it is for, and the title's description with that.
    pub(crate) fn new(door: &Door, answer: &Answer, identity: &Identity) -> Result<Self, CliError> {
        let record = &answer.record;
        let recipient = record.recipient.as_deref().unwrap_or_default();
        let binding = GrantBinding {
            grant: record.id.parse().map_err(|_| tampered("the grant"))?,
            title: record.title.parse().map_err(|_| tampered("the grant"))?,
            epoch: record.epoch,
            recipient: recipient.parse::<KeyId>().map_err(|_| tampered("the grant"))?,
        };
        let envelope = record.envelope_bytes().map_err(|_| tampered("the grant"))?;
        let payload = open_payload(identity, &binding, &envelope)
            .map_err(|error| CliError::new(format!("the grant cannot be opened: {error}")))?;
        let (id, key) = (binding.title, payload.key);
        let role = Role::single(id, Kind::Manifest);
        let sealed = whole(door, answer, key.object_name(&role), MAX_MANIFEST_BYTES)?;
        let json = object::open(&key.object_key(&role), &role, &sealed);
        let json = json.map_err(|_| tampered("the description"))?;
        let manifest: TitleManifest =
            serde_json::from_slice(&json).map_err(|_| tampered("the description"))?;
        let slots = payload.variants.map(|key| slots(door, answer, id, &key)).transpose()?;
        Ok(Self { manifest, id, key, slots })
    }

    /// The largest picture and the default sound.
    pub(crate) fn best(&self) -> Vec<&Rendition> {
        let size = |rendition: &&Rendition| match rendition.media {
            Media::Video { width, height, .. } => Some(u64::from(width) * u64::from(height)),
            _ => None,
        };
        let sounds = || {
            let all = self.manifest.renditions.iter();
            all.filter_map(|rendition| match &rendition.media {
                Media::Audio { label, .. } => Some((rendition, label.default)),
                _ => None,
            })
        };
        let picture =
            self.manifest.renditions.iter().filter(|it| size(it).is_some()).max_by_key(size);
        let sound = sounds().find(|(_, default)| *default).or_else(|| sounds().next());
        picture.into_iter().chain(sound.map(|(rendition, _)| rendition)).collect()
    }

    /// The name of a rendition's playlist.
    pub(crate) fn playlist(&self, rendition: &Rendition) -> ObjectName {
        self.key.object_name(&self.role(Kind::MediaPlaylist, rendition.id, 0))
    }

    /// A rendition's objects, the initialisation segment first.
    pub(crate) fn pieces(&self, rendition: &Rendition) -> Result<Vec<Piece>, CliError> {
        if rendition.marked && self.slots.is_none() {
            return Err(tampered("the grant"));
        }
        let init = rendition.init_length.ok_or_else(|| tampered("the description"))?;
        let first = self.piece(rendition, Kind::Init, 0, init);
        let rest = (0..).zip(&rendition.segments);
        let rest =
            rest.map(|(index, (_, bytes))| self.piece(rendition, Kind::Segment, index, *bytes));
        let mut pieces: Vec<Piece> =
            std::iter::once(first).chain(rest).collect::<Result<_, _>>()?;
        if rendition.single_file {
            self.place(rendition, init, &mut pieces)?;
        }
        Ok(pieces)
    }

    fn piece(
        &self,
        rendition: &Rendition,
        kind: Kind,
        index: u32,
        bytes: u64,
    ) -> Result<Piece, CliError> {
        let sealed_bytes = chunks::sealed_len(bytes).ok_or_else(|| tampered("the description"))?;
        let slots = self.slots.as_ref().filter(|_| rendition.marked && kind == Kind::Segment);
        if let Some(slot) = slots.and_then(|slots| slots.get(index)) {
            let (role, key) = (slot.role(rendition.id), slot.object_key(rendition.id));
            let name = slot.object_name(rendition.id);
            return Ok(Piece { role, key, name, range: None, sealed_bytes });
        }
        let role = self.role(kind, rendition.id, index);
        let (key, name) = (self.key.object_key(&role), self.key.object_name(&role));
        Ok(Piece { role, key, name, range: None, sealed_bytes })
    }

    /// Says where the pieces lie in their rendition's file.
    fn place(
        &self,
        rendition: &Rendition,
        init: u64,
        pieces: &mut [Piece],
    ) -> Result<(), CliError> {
        let name = self.key.object_name(&self.role(Kind::RenditionFile, rendition.id, 0));
        let lengths =
            std::iter::once(init).chain(rendition.segments.iter().map(|(_, bytes)| *bytes));
        let mut places = Places::default();
        for (piece, bytes) in pieces.iter_mut().zip(lengths) {
            let range = places.next(bytes).map_err(|_| tampered("the description"))?;
            (piece.name, piece.range) = (name, Some(range));
        }
        Ok(())
    }

    fn role(&self, kind: Kind, rendition: u16, index: u32) -> Role {
        Role { title: self.id, kind, rendition, index, variant: None }
    }
}

impl Piece {
    /// Its length in the bucket.
    pub(crate) fn sealed_bytes(&self) -> u64 {
        self.sealed_bytes
    }

    /// Fetches it from where the playlist says it lies, and opens it.
    pub(crate) fn fetch(
        &self,
        door: &Door,
        listed: &(String, String),
    ) -> Result<Vec<u8>, CliError> {
        if listed.0 != self.name.to_string() {
            return Err(CliError::new("the gateway's playlist disagrees with the title")
                .hint("it is old, cut or forged; ask for another link"));
        }
        let range = self.range.as_ref();
        let sealed = match door.object(&listed.1, range, self.sealed_bytes)? {
            Some(sealed) => Some(sealed),
            // The address may have run out on the way.
            None => door.object(&door.sign(self.name)?, range, self.sealed_bytes)?,
        };
        let sealed = sealed.ok_or_else(|| CliError::new("the store refuses an object"))?;
        object::open(&self.key, &self.role, &sealed).map_err(|_| tampered("a part of the title"))
    }
}

fn slots(
    door: &Door,
    answer: &Answer,
    title: TitleId,
    key: &ListKey,
) -> Result<VariantList, CliError> {
    let most = (MAX_SLOTS * ENTRY_BYTES) as u64;
    let sealed = whole(door, answer, key.object_name(title), most)?;
    key.open(title, &sealed).map_err(|_| tampered("the grant"))
}

/// Fetches an object whose length nobody tells.
fn whole(door: &Door, answer: &Answer, name: ObjectName, most: u64) -> Result<Vec<u8>, CliError> {
    let limit = chunks::sealed_len(most).unwrap_or(most);
    let url = match answer.urls.get(&name.to_string()) {
        Some(url) => url.clone(),
        None => door.sign(name)?,
    };
    let found = door.object(&url, None, limit)?;
    found.ok_or_else(|| CliError::new("the store refuses an object").hint("ask for another link"))
}

fn tampered(what: &str) -> CliError {
    CliError::new(format!("{what} was changed, or is not what it should be"))
        .hint("ask who sent the link for another one")
}
