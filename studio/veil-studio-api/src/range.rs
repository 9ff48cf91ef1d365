//! Files in parts: `Range`, `If-Range`, `If-None-Match` (RFC 9110 §13, §14).
//!
//! Owns: reading these headers, and answering with a file as it is read. Memory is one piece of it, whatever its size. Refuses several ranges at
//! once: such a request, like a malformed one, gets the whole file, as the RFC allows.

use std::io::SeekFrom;
use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::problem::Problem;

/// How much is read at once.
const PIECE_BYTES: usize = 256 << 10;

/// What is sent with a file.
pub(crate) struct Sent<'s> {
    /// Its media type.
    pub(crate) media_type: &'s str,
    /// Its entity tag, with its quotes.
    pub(crate) tag: &'s str,
    /// The name that a browser saves it by; `None` shows it.
    pub(crate) save_as: Option<&'s str>,
}

/// Answers with a file or the part that was asked for.
pub(crate) async fn file(
    path: &Path,
    headers: &HeaderMap,
    sent: &Sent<'_>,
) -> Result<Response, Problem> {
    let mut file = File::open(path).await.map_err(|error| gone(&error))?;
    let length = file.metadata().await.map_err(|error| gone(&error))?.len();
    let mut response = Response::new(Body::empty());
    let head = response.headers_mut();
    let value = |text: &str| HeaderValue::try_from(text).map_err(|_| Problem::internal());
    head.insert(header::ETAG, value(sent.tag)?);
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    head.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if none_match(headers, sent.tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    head.insert(header::CONTENT_TYPE, value(sent.media_type)?);
    if let Some(name) = sent.save_as {
        head.insert(header::CONTENT_DISPOSITION, value(&attachment(name))?);
    }
    let fits =
        headers.get(header::IF_RANGE).is_none_or(|tag| tag.as_bytes() == sent.tag.as_bytes());
    let (first, end) = match asked(headers).filter(|_| fits) {
        None => (0, length),
        Some(asked) => {
            let Some((first, end)) = within(asked, length) else {
                let mut refused =
                    axum::response::IntoResponse::into_response(Problem::range_unsatisfiable());
                refused
                    .headers_mut()
                    .insert(header::CONTENT_RANGE, value(&format!("bytes */{length}"))?);
                return Ok(refused);
            };
            let range = format!("bytes {first}-{}/{length}", end - 1);
            head.insert(header::CONTENT_RANGE, value(&range)?);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            (first, end)
        }
    };
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(end - first));
    file.seek(SeekFrom::Start(first)).await.map_err(|error| gone(&error))?;
    *response.body_mut() = Body::from_stream(pieces(file, end - first));
    Ok(response)
}

fn pieces(file: File, bytes: u64) -> impl stream::Stream<Item = std::io::Result<bytes::Bytes>> {
    stream::try_unfold((file, bytes), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let size = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        let mut piece = vec![0; size];
        let read = file.read(&mut piece).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        piece.truncate(read);
        Ok(Some((piece.into(), (file, left - read as u64))))
    })
}

fn gone(error: &std::io::Error) -> Problem {
    match error.kind() {
        std::io::ErrorKind::NotFound => Problem::gone(),
        _ => Problem::internal().detail(error.to_string()),
    }
}

/// `Content-Disposition` with any name (RFC 6266, RFC 8187).
fn attachment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let encoded: String = name
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("attachment; filename*=UTF-8''{encoded}")
}

/// The one range that a request asks for: first and last byte, or the number of last bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    From(u64, Option<u64>),
    Last(u64),
}

fn asked(headers: &HeaderMap) -> Option<Asked> {
    let mut values = headers.get_all(header::RANGE).iter();
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
    let (first, last) = value.strip_prefix("bytes=")?.trim().split_once('-')?;
    let number = |digits: &str| {
        let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        sound.then(|| digits.parse().unwrap_or(u64::MAX))
    };
    match (first, last) {
        ("", length) => Some(Asked::Last(number(length)?)),
        (first, "") => Some(Asked::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Asked::From(first, Some(last)))
        }
    }
}

/// First byte, and the one after the last.
fn within(asked: Asked, length: u64) -> Option<(u64, u64)> {
    match asked {
        Asked::From(first, last) if first < length => {
            let end = last.map_or(length, |last| last.saturating_add(1).min(length));
            Some((first, end))
        }
        Asked::Last(count) if count > 0 && length > 0 => {
            Some((length.saturating_sub(count), length))
        }
        _ => None,
    }
}

/// Whether `If-None-Match` names `tag` (weak comparison) or anything at all.
pub(crate) fn none_match(headers: &HeaderMap, tag: &str) -> bool {
    matches_any(headers.get_all(header::IF_NONE_MATCH), tag)
}

fn matches_any(values: header::GetAll<'_, HeaderValue>, tag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let all =
        values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    all.into_iter().any(|one| one.trim() == "*" || strong(one) == strong(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, length: u64, expected: Option<(u64, u64)>) {
        let headers = [(header::RANGE, text.parse().unwrap())].into_iter().collect();
        assert_eq!(asked(&headers).and_then(|asked| within(asked, length)), expected, "{text}");
    }

    #[test]
    fn a_range_is_read_in_its_three_forms_and_cut_at_the_end() {
        check("bytes=0-0", 10, Some((0, 1)));
        check("bytes=5-", 10, Some((5, 10)));
        check("bytes=5-99999999999999999999", 10, Some((5, 10)));
        check("bytes=-3", 10, Some((7, 10)));
        check("bytes=-30", 10, Some((0, 10)));
        for none in
            ["bytes=10-", "bytes=-0", "bytes=9-5", "bytes=a-b", "bytes=0-1,3-4", "items=0-1"]
        {
            check(none, 10, None);
        }
    }

    #[test]
    fn a_name_that_would_break_out_of_its_header_does_not() {
        assert_eq!(
            attachment("a\"\r\nb é.mp4"),
            "attachment; filename*=UTF-8''a%22%0D%0Ab%20%C3%A9.mp4"
        );
    }
}
