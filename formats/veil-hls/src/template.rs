//! A playlist as a template: literal text, and slots where its URIs stand.
//!
//! Owns the rewriting of playlists: which lines and attributes carry a URI, and that everything else
//! survives byte for byte (line ends, byte order mark, unknown tags, a missing last line end). Refuses
//! to know what a URI becomes: the caller writes that (`template/emit.rs`). Specification: RFC 8216bis §4; the rules of
//! references are in `template/reference.rs`. Invariants: emitting each slot as itself gives the source back,
//! one URI is one target wherever it stands, and no slot's URI leaves the playlist's folder.

mod attribute;
mod emit;
mod limits;
mod reference;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

pub use attribute::AttributeFault;
pub use emit::Variable;
pub use limits::{Limits, PlaylistError};
use reference::{Kind, Local};
pub use reference::{ReferenceFault, local_path};

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

/// The tag that defines variables (RFC 8216bis §4.4.2.3).
const DEFINE: &str = "#EXT-X-DEFINE:";

/// The tag with the version that a reader must know (RFC 8216bis §4.4.1.2).
const VERSION: &str = "#EXT-X-VERSION:";

/// The tag with a segment's duration (RFC 8216bis §4.4.4.1).
const EXTINF: &str = "#EXTINF:";

/// What stands in a slot, by its number among its kind: [`Template::playlists`] or [`Template::objects`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Another playlist: its path ends in `.m3u8`.
    Playlist(usize),
    /// Anything else: a segment, an initialization section, a key, an image.
    Object(usize),
}

/// A URI that is rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The URI as it stands in the playlist.
    pub uri: &'a str,
    /// What it names in the playlist's folder: its path without percent-encoding.
    pub path: &'a str,
    /// Its query and fragment as they stand, with `?` or `#`; empty without.
    pub suffix: &'a str,
}

/// A parsed playlist, ready to be emitted any number of times.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    slots: Vec<(Range<usize>, Slot)>,
    playlists: Vec<Place>,
    objects: Vec<Place>,
    foreign_count: usize,
    duration_us: u64,
    has_version: bool,
    /// The lines that define variables.
    defines: Vec<Range<usize>>,
    emitted_bytes_max: usize,
}

/// What may become other text.
#[derive(Debug, Clone, Copy)]
enum Slot {
    /// Nothing, after the first line: variables are defined here.
    Head,
    /// The version's number: variables need a higher one.
    Version(u64),
    Uri(Target),
}

/// Where a [`Reference`] lies in the text.
#[derive(Debug, Clone)]
struct Place {
    uri: Range<usize>,
    local: Local,
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
        let start = text.len() - text.trim_start_matches('\u{feff}').len();
        if start > '\u{feff}'.len_utf8() || start == text.len() {
            return Err(PlaylistError::NoHeader);
        }
        let mut parser = Parser::new(text, limits);
        let mut at = start;
        for (index, raw) in text[start..].split_inclusive('\n').enumerate() {
            parser.read_line(raw, at, index + 1)?;
            at += raw.len();
        }
        let mut template = parser.template;
        template.text = text.to_owned();
        template.slots.shrink_to_fit();
        template.objects.shrink_to_fit();
        Ok(template)
    }

    /// The playlists that it names, each URI once, in order.
    pub fn playlists(&self) -> impl ExactSizeIterator<Item = Reference<'_>> {
        self.playlists.iter().map(|place| self.reference(place))
    }

    /// The objects that it names, each URI once, in order.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = Reference<'_>> {
        self.objects.iter().map(|place| self.reference(place))
    }

    /// How many URIs were left alone because they name another place (`https:`, `data:`, `skd:` …).
    #[must_use]
    pub fn foreign_count(&self) -> usize {
        self.foreign_count
    }

    /// How long its segments play together, in microseconds: the sum of `EXTINF` (RFC 8216bis §4.4.4.1). One that is no
    /// number counts nothing.
    #[must_use]
    pub fn duration_us(&self) -> u64 {
        self.duration_us
    }

    /// Memory that it takes, in bytes, to within what an allocator adds.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let places = self.playlists.iter().chain(&self.objects);
        let decoded: usize =
            places.filter_map(|place| place.local.decoded.as_ref()).map(String::capacity).sum();
        let lists = self.slots.capacity() * size_of::<(Range<usize>, Slot)>()
            + (self.playlists.capacity() + self.objects.capacity()) * size_of::<Place>()
            + self.defines.capacity() * size_of::<Range<usize>>();
        size_of::<Self>() + self.text.capacity() + lists + decoded
    }

    fn reference<'a>(&'a self, place: &'a Place) -> Reference<'a> {
        let uri = &self.text[place.uri.clone()];
        let (path, suffix) = uri.split_at(place.local.path_bytes);
        let path = place.local.decoded.as_deref().unwrap_or(path);
        Reference { uri, path, suffix }
    }
}

/// A template in the making, and the URIs that were met.
struct Parser<'t> {
    template: Template,
    limits: Limits,
    uri_count: usize,
    met: HashMap<&'t str, Target>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, limits: Limits) -> Self {
        // Most playlists have a URI for every two lines of some 20 bytes.
        let guess = (text.len() / 32).min(limits.slot_count);
        let template = Template {
            text: String::new(),
            slots: Vec::with_capacity(guess),
            playlists: Vec::new(),
            objects: Vec::with_capacity(guess),
            foreign_count: 0,
            duration_us: 0,
            has_version: false,
            defines: Vec::new(),
            emitted_bytes_max: limits.emitted_bytes,
        };
        Self { template, limits, uri_count: 0, met: HashMap::with_capacity(guess) }
    }

    /// Reads the line `raw` at byte `start`.
    fn read_line(&mut self, raw: &'t str, start: usize, line: usize) -> Result<(), PlaylistError> {
        let text = raw.strip_suffix('\n').unwrap_or(raw);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.len() > self.limits.line_bytes {
            return Err(PlaylistError::LineTooLong { line });
        }
        if line == 1 {
            return self.read_header(raw, text, start);
        }
        let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
        if has_ambiguous_byte(text) || (indent > 0 && text[indent..].starts_with('#')) {
            return Err(PlaylistError::AmbiguousLine { line });
        }
        let found = if text.starts_with('#') {
            self.read_tag(text, start);
            uri_of_tag(text).map_err(|fault| PlaylistError::Attribute { line, fault })?
        } else {
            let uri = text.trim_matches([' ', '\t']);
            (!uri.is_empty()).then(|| indent..indent + uri.len())
        };
        let Some(range) = found else { return Ok(()) };
        self.add_uri(&text[range.clone()], start + range.start, line)
    }

    fn read_header(&mut self, raw: &str, text: &str, start: usize) -> Result<(), PlaylistError> {
        if !is_header(text) {
            return Err(PlaylistError::NoHeader);
        }
        if has_ambiguous_byte(text) {
            return Err(PlaylistError::AmbiguousLine { line: 1 });
        }
        let end = start + raw.len();
        self.template.slots.push((end..end, Slot::Head));
        Ok(())
    }

    /// Takes what durations and variables need to know of a tag.
    fn read_tag(&mut self, text: &str, start: usize) {
        if let Some(seconds) = text.strip_prefix(EXTINF) {
            let total_us = &mut self.template.duration_us;
            *total_us = total_us.saturating_add(duration_us(seconds).unwrap_or(0));
        } else if let Some(number) = text.strip_prefix(VERSION) {
            self.template.has_version = true;
            if let Ok(version) = number.parse() {
                let range = start + VERSION.len()..start + text.len();
                self.template.slots.push((range, Slot::Version(version)));
            }
        } else if text.starts_with(DEFINE) {
            self.template.defines.push(start..start + text.len());
        }
    }

    fn add_uri(&mut self, uri: &'t str, start: usize, line: usize) -> Result<(), PlaylistError> {
        let range = start..start + uri.len();
        let target = match self.met.entry(uri) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let local = reference::classify(uri)
                    .map_err(|fault| PlaylistError::Reference { line, fault })?;
                let Some(local) = local else {
                    self.template.foreign_count += 1;
                    return Ok(());
                };
                let Template { playlists, objects, .. } = &mut self.template;
                let (list, target): (_, fn(usize) -> Target) = match local.kind {
                    Kind::Playlist => (playlists, Target::Playlist),
                    Kind::Object => (objects, Target::Object),
                };
                list.push(Place { uri: range.clone(), local });
                *new.insert(target(list.len() - 1))
            }
        };
        if self.uri_count == self.limits.slot_count {
            return Err(PlaylistError::TooManyUris { limit: self.limits.slot_count });
        }
        self.uri_count += 1;
        self.template.slots.push((range, Slot::Uri(target)));
        Ok(())
    }
}

/// Reads `<seconds>[.<fraction>][,<title>]`, rounded up to a microsecond.
fn duration_us(text: &str) -> Option<u64> {
    let number = text.split(',').next().unwrap_or_default().trim();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let (exact, rest) = fraction.split_at(fraction.len().min(6));
    let scale = 10u64.pow(6 - u32::try_from(exact.len()).ok()?);
    let part = if exact.is_empty() { 0 } else { exact.parse::<u64>().ok()? * scale };
    let up = u64::from(rest.bytes().any(|b| b != b'0'));
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(part + up)
}

/// Whether a line has a byte that some players end it at.
fn has_ambiguous_byte(line: &str) -> bool {
    line.bytes().any(|b| matches!(b, b'\r' | 0))
}

/// Whether a first line is `#EXTM3U`, alone or followed by white space.
fn is_header(line: &str) -> bool {
    line.strip_prefix("#EXTM3U")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// The bytes of a tag line that hold its URI, if the tag carries one.
fn uri_of_tag(line: &str) -> Result<Option<Range<usize>>, AttributeFault> {
    // Most tags of a long playlist are EXTINF.
    if line.starts_with(EXTINF) {
        return Ok(None);
    }
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
