//! What a client has already or wants only a part of: `Range`, `If-Range` and `If-None-Match` (RFC 9110 §13, §14).
//!
//! Owns reading these headers. Refuses to serve several ranges at once: such a request, like a
//! malformed one, gets the whole object, as the RFC allows. Never answers with an error of its own.

use axum::http::{HeaderMap, header};
use object_store::GetRange;

/// The one byte range that a request's headers ask for (RFC 9110 §14.2). `None` when they ask for none, several, or nonsense.
#[must_use]
pub fn parse_range(headers: &HeaderMap) -> Option<GetRange> {
    let mut values = headers.get_all(header::RANGE).iter();
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
    let (unit, spec) = value.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = spec.trim().split_once('-')?;
    match (first, last) {
        ("", length) => Some(GetRange::Suffix(position(length)?)),
        (first, "") => Some(GetRange::Offset(position(first)?)),
        (first, last) => {
            let (first, last) = (position(first)?, position(last)?);
            (first <= last).then(|| GetRange::Bounded(first..last + 1))
        }
    }
}

/// The last position that a range can begin at: beyond every object, and the one behind it is a number too.
const POSITION_MAX: u64 = u64::MAX - 1;

/// A run of digits; a number beyond [`POSITION_MAX`] means the same.
fn position(digits: &str) -> Option<u64> {
    let sound = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    sound.then(|| digits.parse().unwrap_or(POSITION_MAX).min(POSITION_MAX))
}

/// Whether `If-None-Match` names `etag` (weak comparison) or anything at all.
pub(crate) fn none_match(headers: &HeaderMap, etag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || strong(tag) == strong(etag))
}

/// Whether `If-Range` names another state of the object than `etag`, so that a range of it would not
/// fit what the client has. A date never matches: objects have tags.
pub(crate) fn is_stale(headers: &HeaderMap, etag: &str) -> bool {
    headers.get(header::IF_RANGE).is_some_and(|tag| tag.as_bytes() != etag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn one_byte_range_is_read_in_its_three_forms() {
        let check = |text: &str, expected| {
            assert_eq!(parse_range(&headers(header::RANGE, &[text])), expected, "{text}");
        };
        check("bytes=0-0", Some(GetRange::Bounded(0..1)));
        check("bytes=5-9", Some(GetRange::Bounded(5..10)));
        check("Bytes= 5-9 ", Some(GetRange::Bounded(5..10)));
        check("bytes=5-", Some(GetRange::Offset(5)));
        check("bytes=-5", Some(GetRange::Suffix(5)));
        check("bytes=99999999999999999999-", Some(GetRange::Offset(POSITION_MAX)));
        check("bytes=0-99999999999999999999", Some(GetRange::Bounded(0..u64::MAX)));
        let last = u64::MAX;
        check(&format!("bytes={last}-{last}"), Some(GetRange::Bounded(POSITION_MAX..last)));
    }

    #[test]
    fn nonsense_and_several_ranges_ask_for_the_whole_object() {
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=9-5",
            "bytes=+1-2",
            "items=0-1",
            "bytes=0-1,3-4",
        ] {
            assert_eq!(parse_range(&headers(header::RANGE, &[text])), None, "{text}");
        }
        assert_eq!(parse_range(&headers(header::RANGE, &["bytes=0-1", "bytes=2-3"])), None);
        assert_eq!(parse_range(&HeaderMap::new()), None);
    }

    #[test]
    fn an_entity_tag_is_found_in_a_list_and_compared_weakly() {
        let found = |values: &[&str]| none_match(&headers(header::IF_NONE_MATCH, values), "\"a\"");
        assert!(found(&["\"a\""]) && found(&["W/\"a\""]) && found(&["*"]));
        assert!(found(&["\"b\", \"a\""]) && found(&["\"b\"", "\"a\""]));
        assert!(!found(&["\"b\""]) && !found(&["a"]) && !found(&[]));
    }
}
