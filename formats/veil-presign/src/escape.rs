//! Percent-encoding as S3's canonical request wants it.
//!
//! Owns the two encodings (path and query) and their strict inverse. Every byte but
//! `A-Za-z0-9-._~` (and `/` in paths) becomes `%XX` in upper case, once. Refuses to normalise dot
//! segments or double slashes: in S3 they are part of the key.

use std::collections::BTreeSet;

/// Longest query that is read, in bytes: a session token of 2 KiB, encoded, fits twice.
pub const QUERY_BYTES_MAX: usize = 8192;

/// Most query parameters that are read; S3's own are fewer than 20. Each one costs an allocation.
const PARAMETER_COUNT_MAX: usize = 32;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `text` to `out`, encoded as a path: slashes stay.
pub(crate) fn path(text: &str, out: &mut String) {
    encode(text, true, out);
}

/// Appends `text` to `out`, encoded as a query name or value: slashes are encoded too.
pub(crate) fn query(text: &str, out: &mut String) {
    encode(text, false, out);
}

fn encode(text: &str, keep_slash: bool, out: &mut String) {
    let stays = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (keep_slash && byte == b'/')
    };
    if text.bytes().all(stays) {
        out.push_str(text);
        return;
    }
    for byte in text.bytes() {
        if stays(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// Undoes percent-encoding. `None` when an escape is cut or not hex, or the result is no UTF-8.
///
/// A `+` stays a plus sign: AWS encodes a space as `%20`, never as `+`.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = hex_value(bytes.next()?)?;
            let low = hex_value(bytes.next()?)?;
            out.push(high << 4 | low);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// Splits and decodes a query: names and values. A name may stand once: two readers must not see two values.
///
/// `None` when it is over 8 KiB or 32 parameters, repeats a name, or has an escape that is cut, not hex or no UTF-8.
#[must_use]
pub fn parse_query(query: &str) -> Option<Vec<(String, String)>> {
    if query.len() > QUERY_BYTES_MAX {
        return None;
    }
    let mut seen = BTreeSet::new();
    let mut parameters = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if parameters.len() == PARAMETER_COUNT_MAX || !seen.insert(name.clone()) {
            return None;
        }
        parameters.push((name, value));
    }
    Some(parameters)
}

/// The value of one hex digit of either case.
fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_unreserved_bytes_stay_and_a_slash_stays_in_paths() {
        let mut text = String::new();
        path("/a b/~é+%2F", &mut text);
        assert_eq!(text, "/a%20b/~%C3%A9%2B%252F");
        text.clear();
        query("a/b=&", &mut text);
        assert_eq!(text, "a%2Fb%3D%26");
    }

    #[test]
    fn cut_and_foreign_escapes_are_refused() {
        for text in ["%", "%2", "%zz", "%C3", "%ff", "a%+1"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode("a+%2b"), Some("a++".to_owned()));
    }

    proptest! {
        #[test]
        fn decoding_undoes_both_encodings(text in any::<String>()) {
            let (mut a, mut b) = (String::new(), String::new());
            path(&text, &mut a);
            query(&text, &mut b);
            prop_assert_eq!(decode(&a), Some(text.clone()));
            prop_assert_eq!(decode(&b), Some(text));
        }
    }
}
