//! Media playlists of marked renditions: each segment in two variants, of which a viewer gets one.
//!
//! Specification: `docs/format/bucket.md` (Playlists). Owns the tag that names the other variant, its writing and its
//! reading. Refuses to know whose variants are whose, and what a mark is. Invariant: what [`MarkedPlaylist::compose`] writes
//! is the playlist as it was read, without the tags, and with one of a segment's two names in place of each.

use std::fmt::Write as _;
use std::ops::Range;

use crate::write::{Extinf, media_head};

/// The tag before a segment's URI; its value is the name of variant 2, the URI that of variant 1.
const TAG: &str = "#EXT-X-VEILCAST-VARIANT:";

/// The most segments of a marked rendition: a viewer's choices take a bit each in a grant's record.
pub const SLOTS_MAX: usize = 1 << 16;

/// A media segment in two variants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarkedLine<'a> {
    /// URI of variant 1.
    pub first: &'a str,
    /// URI of variant 2.
    pub second: &'a str,
    /// Its duration in microseconds.
    pub duration_us: u64,
}

/// Writes a VOD media playlist whose segments exist twice; `map` is the URI of the initialisation segment.
#[must_use]
pub fn marked_playlist(map: &str, segments: &[MarkedLine<'_>]) -> String {
    let mut text = media_head(segments.iter().map(|segment| segment.duration_us));
    let _ = writeln!(text, "#EXT-X-MAP:URI=\"{map}\"");
    for MarkedLine { first, second, duration_us } in segments {
        let _ = writeln!(text, "{}\n{TAG}{second}\n{first}", Extinf(*duration_us));
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// A marked rendition's playlist, ready to be composed for any viewer.
#[derive(Clone, Debug)]
pub struct MarkedPlaylist {
    text: String,
    slots: Vec<Slot>,
}

/// A segment's names: where the tag's line begins, the name in it, and the URI behind it.
#[derive(Clone, Debug)]
struct Slot {
    tag_at: usize,
    second: Range<usize>,
    first: Range<usize>,
}

impl MarkedPlaylist {
    /// Whether a playlist is of a marked rendition.
    #[must_use]
    pub fn is_one(playlist: &str) -> bool {
        playlist.lines().any(|line| line.starts_with(TAG))
    }

    /// Reads a playlist in which every segment has two variants. `None` where one has not, or there are more than
    /// [`SLOTS_MAX`].
    #[must_use]
    pub fn parse(playlist: &str) -> Option<Self> {
        let mut slots = Vec::new();
        let mut tag = None;
        let mut at = 0;
        for raw in playlist.split_inclusive('\n') {
            let line = raw.trim_end_matches(['\n', '\r']);
            if let Some(name) = line.strip_prefix(TAG) {
                let second = at + TAG.len()..at + line.len();
                // What begins a tag would be none of a segment's names when it stands in its place.
                let is_name = !name.is_empty() && !name.starts_with('#');
                if !is_name || tag.replace((at, second)).is_some() {
                    return None;
                }
            } else if !line.is_empty() && !line.starts_with('#') {
                let (tag_at, second) = tag.take()?;
                slots.push(Slot { tag_at, second, first: at..at + line.len() });
            }
            at += raw.len();
        }
        let sound = tag.is_none() && (1..=SLOTS_MAX).contains(&slots.len());
        slots.shrink_to_fit();
        sound.then(|| Self { text: playlist.to_owned(), slots })
    }

    /// How many segments it has.
    #[must_use]
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// Writes the playlist of a viewer who gets variant 2 of the slots for which `is_second` says so.
    #[must_use]
    pub fn compose(&self, is_second: impl Fn(usize) -> bool) -> String {
        let mut composed = String::with_capacity(self.text.len());
        let mut from = 0;
        for (index, Slot { tag_at, second, first }) in self.slots.iter().enumerate() {
            composed.push_str(&self.text[from..*tag_at]);
            // Between the tag and the URI there may be other tags of the segment.
            let after_tag =
                self.text[second.end..].find('\n').map_or(first.start, |end| second.end + end + 1);
            composed.push_str(&self.text[after_tag..first.start]);
            composed.push_str(&self.text[if is_second(index) { second } else { first }.clone()]);
            from = first.end;
        }
        composed.push_str(&self.text[from..]);
        composed
    }

    /// Memory that it takes, in bytes, to within what an allocator adds.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.text.capacity() + self.slots.capacity() * size_of::<Slot>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::{SegmentLine, media_playlist};

    const LINES: [MarkedLine<'static>; 3] = [
        MarkedLine { first: "a1", second: "a2", duration_us: 1_000_000 },
        MarkedLine { first: "b1", second: "b2", duration_us: 1_000_000 },
        MarkedLine { first: "c1", second: "c2", duration_us: 480_000 },
    ];

    fn plain(second: [bool; 3]) -> String {
        let chosen = LINES.iter().zip(second);
        let segments: Vec<_> = chosen
            .map(|(line, second)| SegmentLine {
                uri: if second { line.second } else { line.first },
                duration_us: line.duration_us,
            })
            .collect();
        media_playlist(Some("ii"), &segments)
    }

    #[test]
    fn a_marked_playlist_names_both_variants_of_each_segment() {
        assert_eq!(
            marked_playlist("ii", &LINES[1..]),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n\
             #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"ii\"\n\
             #EXTINF:1.000000,\n#EXT-X-VEILCAST-VARIANT:b2\nb1\n\
             #EXTINF:0.480000,\n#EXT-X-VEILCAST-VARIANT:c2\nc1\n#EXT-X-ENDLIST\n"
        );
    }

    #[test]
    fn a_composed_playlist_is_what_a_rendition_without_marks_would_have() {
        let marked = MarkedPlaylist::parse(&marked_playlist("ii", &LINES)).unwrap();
        assert_eq!(marked.slot_count(), 3);
        for bits in 0..8 {
            let second = [0, 1, 2].map(|slot| bits >> slot & 1 == 1);
            assert_eq!(marked.compose(|slot| second[slot]), plain(second));
        }
    }

    #[test]
    fn other_tags_and_line_ends_stay_as_they_are() {
        let text = "#EXTM3U\r\n#EXT-X-VEILCAST-VARIANT:2\r\n#EXTINF:1,\r\n1\r\n# end";
        let marked = MarkedPlaylist::parse(text).unwrap();
        assert_eq!(marked.compose(|_| true), "#EXTM3U\r\n#EXTINF:1,\r\n2\r\n# end");
        assert_eq!(marked.compose(|_| false), "#EXTM3U\r\n#EXTINF:1,\r\n1\r\n# end");
    }

    #[test]
    fn a_segment_without_its_twin_or_a_twin_without_its_segment_makes_it_none() {
        let tag = "#EXT-X-VEILCAST-VARIANT:";
        for broken in [
            "#EXTM3U\n".to_owned(),
            "#EXTM3U\na\n".to_owned(),
            format!("#EXTM3U\n{tag}b\na\nc\n"),
            format!("#EXTM3U\n{tag}b\n{tag}b\na\n"),
            format!("#EXTM3U\n{tag}\na\n"),
            format!("#EXTM3U\n{tag}#b\na\n"),
            format!("#EXTM3U\n{tag}b\na\n{tag}c\n"),
        ] {
            assert!(MarkedPlaylist::parse(&broken).is_none(), "{broken}");
        }
        let many = |count| format!("#EXTM3U\n{}", format!("{tag}b\na\n").repeat(count));
        assert!(MarkedPlaylist::parse(&many(SLOTS_MAX)).is_some());
        assert!(MarkedPlaylist::parse(&many(SLOTS_MAX + 1)).is_none());
    }

    #[test]
    fn only_the_tag_makes_a_playlist_a_marked_one() {
        assert!(MarkedPlaylist::is_one(&marked_playlist("ii", &LINES)));
        assert!(!MarkedPlaylist::is_one(&plain([true; 3])));
    }
}
