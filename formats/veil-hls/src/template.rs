//! A playlist as a template: literal text, and slots where its URIs stand.
//!
//! Owns the rewriting of playlists: which lines and attributes carry a URI, and that everything else
//! survives byte for byte (line ends, byte order mark, unknown tags, a missing last line end). Refuses
//! to know what a URI becomes: the caller writes that. Specification: RFC 8216bis §4; the rules of
//! references are in `template/reference.rs`. Invariants: rendering each slot as itself gives the source back,
//! and no slot's URI leaves the playlist's folder.

mod attribute;
mod reference;

use std::ops::Range;

pub use attribute::AttributeFault;
pub use reference::{ReferenceFault, SlotKind};

/// Tags that carry a URI, and the attribute that holds it (RFC 8216bis §4.4; IMAGE-STREAM-INF is
/// Roku's extension for thumbnails).
const URI_TAGS: [(&str, &str); 11] = [
    ("#EXT-X-MAP", "URI"),
    ("#EXT-X-KEY", "URI"),
    ("#EXT-X-SESSION-KEY", "URI"),
    ("#EXT-X-MEDIA", "URI"),
    ("#EXT-X-I-FRAME-STREAM-INF", "URI"),
    ("#EXT-X-IMAGE-STREAM-INF", "URI"),
    ("#EXT-X-PART", "URI"),
    ("#EXT-X-PRELOAD-HINT", "URI"),
    ("#EXT-X-RENDITION-REPORT", "URI"),
    ("#EXT-X-SESSION-DATA", "URI"),
    ("#EXT-X-CONTENT-STEERING", "SERVER-URI"),
];

/// Room that a rendered slot is given at first, in bytes: a presigned URL takes about 400.
const RENDERED_SLOT_BYTES: usize = 416;

/// What a playlist may cost before it is refused.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest playlist, in bytes.
    pub playlist_bytes: usize,
    /// Longest line, in bytes without its line end.
    pub line_bytes: usize,
    /// Most slots; each one costs a signature.
    pub slot_count: usize,
}

impl Default for Limits {
    /// 24 hours of 2-second segments fit: 43,200 slots, about 2.6 MB of text.
    fn default() -> Self {
        Self { playlist_bytes: 4 << 20, line_bytes: 16 << 10, slot_count: 50_000 }
    }
}

/// Why a text is no playlist that can be rewritten. Lines count from 1.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaylistError {
    /// The text is longer than [`Limits::playlist_bytes`].
    #[error("the playlist is longer than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: usize,
    },
    /// There are more slots than [`Limits::slot_count`].
    #[error("the playlist has more than {limit} URIs")]
    TooManyUris {
        /// The limit.
        limit: usize,
    },
    /// The line is longer than [`Limits::line_bytes`].
    #[error("line {line} of the playlist is too long")]
    LineTooLong {
        /// The line.
        line: usize,
    },
    /// The text is not UTF-8.
    #[error("the playlist is not UTF-8")]
    NotUtf8,
    /// The first line is not `#EXTM3U`.
    #[error("the playlist does not begin with #EXTM3U")]
    NoHeader,
    /// The line holds a carriage return that ends no line, a zero byte, or white space before `#`:
    /// readers disagree on what such a line is.
    #[error("line {line} of the playlist reads differently in different players")]
    AmbiguousLine {
        /// The line.
        line: usize,
    },
    /// The line's attribute list is broken where its URI should be.
    #[error("line {line} of the playlist: {fault}")]
    Attribute {
        /// The line.
        line: usize,
        /// What is wrong.
        fault: AttributeFault,
    },
    /// The line's URI leaves the playlist's folder or cannot be rewritten.
    #[error("line {line} of the playlist: {fault}")]
    Reference {
        /// The line.
        line: usize,
        /// What is wrong.
        fault: ReferenceFault,
    },
}

/// A parsed playlist, ready to be rendered any number of times.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    slots: Vec<(Range<usize>, SlotKind)>,
    foreign_count: usize,
}

impl Template {
    /// Parses a playlist line by line.
    ///
    /// # Errors
    /// A text that is no playlist, is over a limit, or holds a URI that leaves its folder.
    pub fn parse(playlist: &[u8], limits: Limits) -> Result<Self, PlaylistError> {
        if playlist.len() > limits.playlist_bytes {
            return Err(PlaylistError::TooLong { limit_bytes: limits.playlist_bytes });
        }
        let text = std::str::from_utf8(playlist).map_err(|_| PlaylistError::NotUtf8)?;
        let mut template = Self { text: text.to_owned(), slots: Vec::new(), foreign_count: 0 };
        let mut start = text.len() - text.trim_start_matches('\u{feff}').len();
        if start > '\u{feff}'.len_utf8() || start == text.len() {
            return Err(PlaylistError::NoHeader);
        }
        for (index, raw) in text[start..].split_inclusive('\n').enumerate() {
            let line = index + 1;
            if let Some((range, kind)) = template.read_line(raw, start, line, limits)? {
                if template.slots.len() == limits.slot_count {
                    return Err(PlaylistError::TooManyUris { limit: limits.slot_count });
                }
                template.slots.push((range, kind));
            }
            start += raw.len();
        }
        Ok(template)
    }

    /// Reads the line `raw` at byte `start` and returns its slot, if it has one.
    fn read_line(
        &mut self,
        raw: &str,
        start: usize,
        line: usize,
        limits: Limits,
    ) -> Result<Option<(Range<usize>, SlotKind)>, PlaylistError> {
        let text = raw.strip_suffix('\n').unwrap_or(raw);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.len() > limits.line_bytes {
            return Err(PlaylistError::LineTooLong { line });
        }
        if line == 1 && !is_header(text) {
            return Err(PlaylistError::NoHeader);
        }
        let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
        if text.contains(['\r', '\0']) || (indent > 0 && text[indent..].starts_with('#')) {
            return Err(PlaylistError::AmbiguousLine { line });
        }
        let found = if text.starts_with('#') {
            uri_of_tag(text).map_err(|fault| PlaylistError::Attribute { line, fault })?
        } else {
            let uri = text.trim_matches([' ', '\t']);
            (!uri.is_empty()).then(|| indent..indent + uri.len())
        };
        let Some(range) = found else { return Ok(None) };
        let kind = reference::classify(&text[range.clone()])
            .map_err(|fault| PlaylistError::Reference { line, fault })?;
        self.foreign_count += usize::from(kind.is_none());
        Ok(kind.map(|kind| (start + range.start..start + range.end, kind)))
    }

    /// The URIs that are slots, in order, with their kinds.
    pub fn slots(&self) -> impl ExactSizeIterator<Item = (&str, SlotKind)> {
        self.slots.iter().map(|(range, kind)| (&self.text[range.clone()], *kind))
    }

    /// How many URIs were left alone because they name another place (`https:`, `data:`, `skd:` …).
    #[must_use]
    pub fn foreign_count(&self) -> usize {
        self.foreign_count
    }

    /// Renders into one buffer: literal text as it is, each slot as `write` appends it.
    ///
    /// # Errors
    /// The first error of `write`.
    pub fn render<E>(
        &self,
        mut write: impl FnMut(&str, SlotKind, &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Vec<u8>, E> {
        let room = self.text.len() + self.slots.len() * RENDERED_SLOT_BYTES;
        let mut out = Vec::with_capacity(room);
        let mut done = 0;
        for (range, kind) in &self.slots {
            out.extend_from_slice(&self.text.as_bytes()[done..range.start]);
            write(&self.text[range.clone()], *kind, &mut out)?;
            done = range.end;
        }
        out.extend_from_slice(&self.text.as_bytes()[done..]);
        Ok(out)
    }
}

/// Whether a first line is `#EXTM3U`, alone or followed by white space.
fn is_header(line: &str) -> bool {
    line.strip_prefix("#EXTM3U")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// The bytes of a tag line that hold its URI, if the tag carries one.
fn uri_of_tag(line: &str) -> Result<Option<Range<usize>>, AttributeFault> {
    let Some((tag, list)) = line.split_once(':') else { return Ok(None) };
    let Some((_, name)) = URI_TAGS.iter().find(|(known, _)| *known == tag) else {
        return Ok(None);
    };
    let from = tag.len() + 1;
    let found = attribute::find_quoted(list, name)?;
    Ok(found.map(|range| from + range.start..from + range.end))
}

#[cfg(test)]
mod tests;
