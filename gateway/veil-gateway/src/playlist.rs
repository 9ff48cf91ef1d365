//! A playlist as it lies in the bucket, parsed and ready to be written out for anyone.
//!
//! Owns what a playlist is written with: the names that are signed, its duration, the mark of its text. Refuses to know
//! who asks. A title's playlist may name nothing but its own folder's objects and playlists: sealed titles name nothing
//! else, so anything else was put there by somebody else. Invariant: a URI that names a playlist comes out as it stands,
//! relative, so that one text serves every grant.

use sha2::{Digest as _, Sha256};
use veil_hls::template::{Limits, Target, Template};
use veil_presign::{Lanes, Names};

use crate::cache::Kind;
use crate::names::{ObjectName, PlaylistName};
use crate::signer::{Form, Urls};

/// A playlist, parsed.
pub(crate) struct Playlist {
    template: Template,
    names: Names,
    /// SHA-256 of its text: the same on every gateway and every store.
    pub(crate) sha256: [u8; 32],
}

impl Playlist {
    /// How sealed titles' playlists are read.
    pub(crate) fn kind(limit_bytes: u64) -> Kind<Self> {
        Kind {
            name: "templates",
            limit_bytes,
            document_bytes_max: Limits::default().playlist_bytes as u64,
            parse: |_, text| Self::of_title(text),
            weigh: Self::size_bytes,
        }
    }

    /// Parses a sealed title's playlist. `None` when it is none, or names what no title of ours names.
    pub(crate) fn of_title(text: &[u8]) -> Option<Self> {
        let playlist = Self::parse(text)?;
        let Self { template, .. } = &playlist;
        let sound = template.foreign_count() == 0
            && template.playlists().all(|reference| PlaylistName::parse(reference.uri).is_some())
            && template.objects().all(|reference| ObjectName::parse(reference.uri).is_some());
        sound.then_some(playlist)
    }

    /// Parses any playlist, by the rules of [`Template`].
    fn parse(text: &[u8]) -> Option<Self> {
        let template = Template::parse(text, Limits::default()).ok()?;
        let names = Names::new(template.objects().map(|reference| reference.path));
        Some(Self { template, names, sha256: Sha256::digest(text).into() })
    }

    /// How many URLs it needs.
    pub(crate) fn object_count(&self) -> usize {
        self.names.len()
    }

    /// How long it plays, in whole seconds, rounded up.
    pub(crate) fn duration_s(&self) -> u32 {
        u32::try_from(self.template.duration_us().div_ceil(1_000_000)).unwrap_or(u32::MAX)
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.template.size_bytes() + self.names.size_bytes() + size_of::<Self>()
    }

    /// Writes it out with these URLs. `None` when what comes out would be longer than a playlist may be, or the playlist
    /// has variables of our names.
    pub(crate) fn write(&self, urls: &Urls, lanes: Lanes, form: Form) -> Option<Vec<u8>> {
        let written = urls.write(lanes, &self.names, form);
        let variables: Vec<(&str, &str)> =
            written.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let playlists: Vec<&str> =
            self.template.playlists().map(|reference| reference.uri).collect();
        let mut text = Vec::new();
        let emitted = self.template.emit(&variables, &mut text, |target, out| match target {
            Target::Playlist(at) => out.extend_from_slice(playlists[at].as_bytes()),
            Target::Object(at) => written.push(at, out),
        });
        emitted.is_ok().then_some(text)
    }
}
