//! A playlist as it lies in the bucket, parsed and ready to be written out for anyone.
//!
//! Owns what a playlist is written with: the names that are signed, its duration, whether it may change, the mark of its
//! text. Refuses to know who asks. A title's playlist may name nothing but its own folder's objects and playlists: sealed
//! titles name nothing else, so anything else was put there by somebody else. One of a plain tree names what it likes
//! below its folder, and other places. A marked rendition's names both variants of each segment, and is written out with
//! those of one pattern. Invariant: a URI that names a playlist comes out as it stands, relative, so that
//! one text serves every grant and token.

use sha2::{Digest as _, Sha256};
use veil_hls::marked::MarkedPlaylist;
use veil_hls::template::{Limits, Target, Template};
use veil_presign::{Lanes, Names};

use crate::cache::Kind;
use crate::grant::Pattern;
use crate::names::{ObjectName, PlaylistName, TITLES};
use crate::signer::{Form, Urls};

/// Tags of playlists that do not change: an end, or renditions to choose from.
const STILL_TAGS: [&str; 2] = ["#EXT-X-ENDLIST", "#EXT-X-STREAM-INF:"];

/// A playlist, parsed.
pub(crate) struct Playlist {
    template: Template,
    names: Names,
    /// What it is composed from, where it is a marked rendition's.
    marked: Option<MarkedPlaylist>,
    /// SHA-256 of its text: the same on every gateway and every store.
    pub(crate) sha256: [u8; 32],
    /// Whether it says of itself that it doesn't change.
    pub(crate) is_still: bool,
}

impl Playlist {
    /// How playlists are read: titles' by their rules, whatever else may be asked for by those of plain trees.
    pub(crate) fn kind(limit_bytes: u64) -> Kind<Self> {
        Kind {
            name: "templates",
            limit_bytes,
            document_bytes_max: Limits::default().playlist_bytes as u64,
            parse: |key, text| {
                if key.starts_with(TITLES) { Self::of_title(text) } else { Self::parse(text) }
            },
            weigh: Self::size_bytes,
        }
    }

    /// Parses a sealed title's playlist. `None` when it is none, or names what no title of ours names.
    fn of_title(text: &[u8]) -> Option<Self> {
        let mut playlist = Self::parse(text)?;
        let source = std::str::from_utf8(text).ok()?;
        if MarkedPlaylist::is_one(source) {
            playlist.marked = Some(MarkedPlaylist::parse(source)?);
        }
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
        let (sha256, is_still) = (Sha256::digest(text).into(), is_still(text));
        Some(Self { template, names, marked: None, sha256, is_still })
    }

    /// How many slots a pattern for it has; `None` where everyone gets the same segments.
    pub(crate) fn slot_count(&self) -> Option<usize> {
        self.marked.as_ref().map(MarkedPlaylist::slot_count)
    }

    /// The playlist of who has this pattern. `None` when it isn't marked, or names what no title of ours names.
    pub(crate) fn composed(&self, pattern: &Pattern) -> Option<Self> {
        let text = self.marked.as_ref()?.compose(|slot| pattern.is_second(slot));
        Self::of_title(text.as_bytes())
    }

    /// How many URLs it needs.
    pub(crate) fn object_count(&self) -> usize {
        self.names.len()
    }

    /// How long it plays, in whole seconds, rounded up; a live one, how much of it is there.
    pub(crate) fn duration_s(&self) -> u32 {
        u32::try_from(self.template.duration_us().div_ceil(1_000_000)).unwrap_or(u32::MAX)
    }

    /// Memory that it takes, in bytes.
    fn size_bytes(&self) -> usize {
        let marked = self.marked.as_ref().map_or(0, MarkedPlaylist::size_bytes);
        self.template.size_bytes() + self.names.size_bytes() + marked + size_of::<Self>()
    }

    /// Writes it out with these URLs. `None` when what comes out would be longer than a playlist may be, or the playlist
    /// has variables of our names.
    pub(crate) fn signed(&self, urls: &Urls, lanes: Lanes, form: Form) -> Option<Vec<u8>> {
        let written = urls.write(lanes, &self.names, form);
        let variables: Vec<(&str, &str)> =
            written.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.write(&variables, |at, out| written.push(at, out))
    }

    /// As it lies in the bucket.
    pub(crate) fn unsigned(&self) -> Option<Vec<u8>> {
        let objects: Vec<&str> = self.template.objects().map(|reference| reference.uri).collect();
        self.write(&[], |at, out| out.extend_from_slice(objects[at].as_bytes()))
    }

    fn write(
        &self,
        variables: &[(&str, &str)],
        mut push: impl FnMut(usize, &mut Vec<u8>),
    ) -> Option<Vec<u8>> {
        let playlists: Vec<&str> =
            self.template.playlists().map(|reference| reference.uri).collect();
        let mut text = Vec::new();
        let emitted = self.template.emit(variables, &mut text, |target, out| match target {
            Target::Playlist(at) => out.extend_from_slice(playlists[at].as_bytes()),
            Target::Object(at) => push(at, out),
        });
        emitted.is_ok().then_some(text)
    }
}

fn is_still(playlist: &[u8]) -> bool {
    let is_tag = |line: &[u8]| STILL_TAGS.iter().any(|tag| line.starts_with(tag.as_bytes()));
    playlist.split(|byte| *byte == b'\n').any(is_tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playlist_with_an_end_or_with_renditions_is_still() {
        assert!(is_still(b"#EXTM3U\r\n#EXTINF:2,\r\na.ts\r\n#EXT-X-ENDLIST\r\n"));
        assert!(is_still(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"));
        assert!(!is_still(b"#EXTM3U\n#EXTINF:2,#EXT-X-ENDLIST\na.ts\n"));
    }

    #[test]
    fn a_titles_playlist_names_its_own_objects_alone_and_any_other_what_lies_below_its_folder() {
        let parse = Playlist::kind(0).parse;
        let title = "t/11111111111111111111111111111111/a.m3u8";
        let own = format!("#EXTM3U\n#EXTINF:2,\n{}\n", "a".repeat(32));
        assert!(parse(title, own.as_bytes()).is_some());
        for text in ["#EXTM3U\na.ts\n", "#EXTM3U\nhttps://cdn.example/a\n", "#EXTM3U\na/b.m3u8\n"] {
            assert!(parse(title, text.as_bytes()).is_none(), "{text}");
            let plain = parse("vod/a.m3u8", text.as_bytes()).unwrap();
            assert_eq!(plain.unsigned().as_deref(), Some(text.as_bytes()));
        }
        assert!(parse("vod/a.m3u8", b"#EXTM3U\n../a.ts\n").is_none());
    }

    #[test]
    fn a_marked_playlist_is_written_out_with_the_variants_of_one_pattern() {
        let parse = Playlist::kind(0).parse;
        let (key, names) =
            ("t/11111111111111111111111111111111/a.m3u8", ["a", "b"].map(|it| it.repeat(32)));
        let [first, second] = &names;
        let text = format!("#EXTM3U\n#EXTINF:1,\n#EXT-X-VEILCAST-VARIANT:{second}\n{first}\n");
        let marked = parse(key, text.as_bytes()).unwrap();
        assert_eq!(marked.slot_count(), Some(1));
        for (bits, name) in [("AA", first), ("gA", second)] {
            let composed = marked.composed(&Pattern::parse(bits).unwrap()).unwrap();
            assert_eq!(
                composed.unsigned().unwrap(),
                format!("#EXTM3U\n#EXTINF:1,\n{name}\n").into_bytes()
            );
            assert_eq!((composed.slot_count(), composed.object_count()), (None, 1));
        }
        let foreign = text.replace(second.as_str(), "https://cdn.example/b");
        let foreign = parse(key, foreign.as_bytes()).unwrap();
        assert!(foreign.composed(&Pattern::parse("gA").unwrap()).is_none());
        assert!(parse(key, format!("{text}{first}\n").as_bytes()).is_none());
        assert_eq!(parse("vod/a.m3u8", text.as_bytes()).unwrap().slot_count(), None);
    }
}
