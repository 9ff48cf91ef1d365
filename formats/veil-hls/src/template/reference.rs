//! What a URI in a playlist refers to: this folder, another place, or a way out.
//!
//! Owns the rules by which a reference is rewritten, left alone or refused. Refuses to resolve: a
//! reference that needs resolving (`..`, a leading slash, variables) is refused. Invariant: what is
//! classified as local names something below the playlist's folder for every reader, however often
//! it decodes.

use std::borrow::Cow;

/// What a URI names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Another playlist: its path ends in `.m3u8`.
    Playlist,
    /// Anything else: a segment, an initialization section, a key, an image.
    Object,
}

/// A reference to something in the playlist's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Local {
    pub(crate) kind: Kind,
    /// Length of its path; what follows is query and fragment.
    pub(crate) path_bytes: usize,
    /// The path without percent-encoding, where it has any.
    pub(crate) decoded: Option<String>,
}

/// Why a reference is refused.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReferenceFault {
    /// The reference is empty or has only a query or fragment: it names the playlist itself.
    #[error("the URI names nothing")]
    Empty,
    /// The reference begins with a slash, or has a dot segment, plain or encoded.
    #[error("the URI leaves the playlist's folder")]
    Escape,
    /// A segment is empty: stores and browsers disagree on `//`.
    #[error("the URI has an empty path segment")]
    EmptySegment,
    /// A control character, a backslash or an encoded slash, which some readers take for a slash.
    #[error("the URI holds a character that reads differently in different players")]
    Ambiguous,
    /// A percent sign without two hex digits, or escapes that are no UTF-8, which names in a bucket are.
    #[error("the URI has a broken percent escape")]
    BrokenEscape,
    /// `{$name}`: the name's value is not known here, and the store would see another URL.
    #[error("the URI has a variable")]
    Variable,
}

/// Classifies a reference: what it names when it is a slot, `None` when it is left alone.
pub(crate) fn classify(uri: &str) -> Result<Option<Local>, ReferenceFault> {
    // Nearly all are plain ASCII, which needs no decoding.
    let is_plain = uri.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if !is_plain && uri.chars().any(|c| c.is_control() || c == '\\') {
        return Err(ReferenceFault::Ambiguous);
    }
    if uri.contains("{$") {
        return Err(ReferenceFault::Variable);
    }
    if has_scheme(uri) {
        return Ok(None);
    }
    let path = &uri[..uri.find(['?', '#']).unwrap_or(uri.len())];
    if path.is_empty() {
        return Err(ReferenceFault::Empty);
    }
    let decoded = local_path(path)?;
    let is_playlist =
        path.len() > 5 && path.as_bytes()[path.len() - 5..].eq_ignore_ascii_case(b".m3u8");
    let kind = if is_playlist { Kind::Playlist } else { Kind::Object };
    Ok(Some(Local { kind, path_bytes: path.len(), decoded }))
}

/// What a path without query or fragment names in its folder, without percent-encoding: `None` where it has none.
///
/// For whoever serves what playlists name, and must take for the same what a template takes for the same.
///
/// # Errors
/// A path that leaves the folder, or that readers take for different things.
pub fn local_path(path: &str) -> Result<Option<String>, ReferenceFault> {
    if path.is_empty() {
        return Err(ReferenceFault::Empty);
    }
    if path.starts_with('/') {
        return Err(ReferenceFault::Escape);
    }
    path.split('/').try_for_each(check_segment)?;
    decode(path)
}

/// Undoes percent-encoding; `None` where there is none.
fn decode(path: &str) -> Result<Option<String>, ReferenceFault> {
    match decode_bytes(path).ok_or(ReferenceFault::BrokenEscape)? {
        Cow::Borrowed(_) => Ok(None),
        Cow::Owned(decoded) => {
            String::from_utf8(decoded).map(Some).map_err(|_| ReferenceFault::BrokenEscape)
        }
    }
}

fn decode_bytes(text: &str) -> Option<Cow<'_, [u8]>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let value = if byte == b'%' { decode_escape([bytes.next(), bytes.next()])? } else { byte };
        decoded.push(value);
    }
    Some(Cow::Owned(decoded))
}

/// Whether a reference begins with a scheme (RFC 3986 §3.1) and is thus absolute.
fn has_scheme(uri: &str) -> bool {
    let Some((scheme, _)) = uri.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn check_segment(segment: &str) -> Result<(), ReferenceFault> {
    if segment.is_empty() {
        return Err(ReferenceFault::EmptySegment);
    }
    let decoded = decode_bytes(segment).ok_or(ReferenceFault::BrokenEscape)?;
    if matches!(decoded.as_ref(), b"." | b"..") {
        return Err(ReferenceFault::Escape);
    }
    // A percent sign that was itself encoded would become an escape for who decodes twice.
    if decoded.iter().any(|b| matches!(b, b'/' | b'\\' | b'%' | 0..=0x1f | 0x7f)) {
        return Err(ReferenceFault::Ambiguous);
    }
    Ok(())
}

fn decode_escape(digits: [Option<u8>; 2]) -> Option<u8> {
    let value = |digit: Option<u8>| char::from(digit?).to_digit(16);
    u8::try_from(value(digits[0])? << 4 | value(digits[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(uri: &str, expected: ReferenceFault) {
        assert_eq!(classify(uri), Err(expected), "{uri}");
    }

    fn check(uri: &str, kind: Kind, path: &str, suffix: &str) {
        let local = classify(uri).unwrap().unwrap();
        let (before, after) = uri.split_at(local.path_bytes);
        let found = local.decoded.as_deref().unwrap_or(before);
        assert_eq!((local.kind, found, after), (kind, path, suffix), "{uri}");
    }

    #[test]
    fn the_extension_of_the_path_tells_playlists_from_objects() {
        for uri in ["a.m3u8", "a/b.M3U8", "_.m3u8"] {
            check(uri, Kind::Playlist, uri, "");
        }
        for uri in ["a.m4s", "a", "a.m3u", ".m3u8", "a b.ts", "é.ts", "1:2.ts"] {
            check(uri, Kind::Object, uri, "");
        }
    }

    #[test]
    fn path_and_suffix_are_told_apart_and_the_path_is_decoded() {
        check("a.m3u8?x=1", Kind::Playlist, "a.m3u8", "?x=1");
        check("a.m3u8#t", Kind::Playlist, "a.m3u8", "#t");
        check("a.ts?x=.m3u8", Kind::Object, "a.ts", "?x=.m3u8");
        check("a%20b", Kind::Object, "a b", "");
        check("%c3%A9/a?b=%20", Kind::Object, "é/a", "?b=%20");
    }

    #[test]
    fn another_place_is_left_alone() {
        for uri in
            ["https://example.com/a.ts", "data:text/plain,a", "skd://key", "urn:uuid:1", "HTTP:a"]
        {
            assert_eq!(classify(uri), Ok(None), "{uri}");
        }
    }

    #[test]
    fn every_way_out_of_the_folder_is_refused() {
        for uri in [
            "../a", "a/../b", "..", ".", "./a", "/a", "//host/a", "%2e%2e/a", "%2E./a", ".%2e/a",
            "a/%2e%2e", "%2e",
        ] {
            refused(uri, ReferenceFault::Escape);
        }
        for uri in [
            "a%2fb",
            "a%2Fb",
            "..%2fa",
            "a%5cb",
            "..\\a",
            "a%00",
            "a%0ab",
            "a\tb",
            "a\u{7f}",
            "%252e%252e/a",
            "a\u{85}b",
        ] {
            refused(uri, ReferenceFault::Ambiguous);
        }
    }

    #[test]
    fn what_names_nothing_or_cannot_be_known_is_refused() {
        refused("", ReferenceFault::Empty);
        refused("?a", ReferenceFault::Empty);
        refused("#a", ReferenceFault::Empty);
        refused("a//b", ReferenceFault::EmptySegment);
        refused("a/", ReferenceFault::EmptySegment);
        refused("a%2", ReferenceFault::BrokenEscape);
        refused("a%zz", ReferenceFault::BrokenEscape);
        refused("a%ff", ReferenceFault::BrokenEscape);
        refused("{$base}/a", ReferenceFault::Variable);
        refused("https://{$host}/a", ReferenceFault::Variable);
    }
}
