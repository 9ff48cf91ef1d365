//! A plain tree's playlists: read, checked, signed where the store serves the objects.
//!
//! Owns what a URI of such a playlist becomes, and how long the answer holds. Refuses what is no playlist, or leads
//! out of its folder. Invariant: what is no URI of an object leaves as it came, byte for byte.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use veil_hls::template::{Limits, Target, Template};
use veil_presign::Names;

use super::Asked;
use crate::bucket::{Document, ReadError};
use crate::conditions;
use crate::gateway::Gateway;
use crate::origin::Origin;
use crate::problem::Problem;

pub(super) const MEDIA_TYPE: &str = "application/vnd.apple.mpegurl";

/// How long a playlist that may change is good, in seconds: live players ask every few seconds.
const LIVE_AGE_S: i64 = 1;

/// How long any other is, in seconds.
const STILL_AGE_S: i64 = 60;

/// Tags of playlists that do not change: an end, or renditions to choose from.
const STILL_TAGS: [&str; 2] = ["#EXT-X-ENDLIST", "#EXT-X-STREAM-INF:"];

pub(super) async fn show(
    gateway: &Gateway,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let limits = Limits::default();
    let read = gateway.bucket.read_changed(&asked.target.key, None, limits.playlist_bytes as u64);
    let document = read.await.map_err(read_problem)?;
    let template = Template::parse(&document.bytes, limits).map_err(|_| invalid())?;
    let age_s = if is_still(&document.bytes) { STILL_AGE_S } else { LIVE_AGE_S };
    match &asked.tree.origin {
        None => answer(asked.cache(age_s, false), &etag(&document, &[]), headers, || {
            Ok(document.bytes.to_vec())
        }),
        Some(origin) => {
            let (folder, _) = asked.target.split();
            let life = asked.tree.life(folder, asked.now, asked.right.end);
            let signing = [
                origin.access_key_id().to_owned(),
                life.signed_at.to_string(),
                life.expires_s.to_string(),
            ];
            answer(asked.cache(age_s, true), &etag(&document, &signing), headers, || {
                sign(&template, origin, folder, life)
            })
        }
    }
}

fn read_problem(error: ReadError) -> Problem {
    match error {
        ReadError::Unknown => Problem::object_unknown(),
        ReadError::TooLarge => invalid(),
        ReadError::Range { .. } | ReadError::Unchanged | ReadError::Unavailable => {
            Problem::store_unavailable()
        }
    }
}

const fn invalid() -> Problem {
    Problem::plain_playlist_invalid()
}

/// Writes a template out with the presigned URL of each object.
fn sign(
    template: &Template,
    origin: &Origin,
    folder: &str,
    life: crate::origin::Life,
) -> Result<Vec<u8>, Problem> {
    let names = Names::new(template.objects().map(|reference| reference.path));
    let signed = origin.sign(folder, names, life).map_err(|_| Problem::internal())?;
    let playlists: Vec<&str> = template.playlists().map(|reference| reference.uri).collect();
    let mut body = Vec::new();
    let emitted = template.emit(&[], &mut body, |target, out| match target {
        Target::Playlist(at) => out.extend_from_slice(playlists[at].as_bytes()),
        Target::Object(at) => signed.push(at, out),
    });
    emitted.map_err(|_| invalid())?;
    Ok(body)
}

/// Whether a playlist says of itself that it doesn't change.
fn is_still(playlist: &[u8]) -> bool {
    let is_tag = |line: &[u8]| STILL_TAGS.iter().any(|tag| line.starts_with(tag.as_bytes()));
    playlist.split(|byte| *byte == b'\n').any(is_tag)
}

/// The tag of a playlist as it leaves: of its text, and of what its URLs were signed with.
fn etag(document: &Document, signing: &[String]) -> String {
    let mut hash = Sha256::new();
    hash.update(&document.bytes);
    for part in signing {
        hash.update([0]);
        hash.update(part);
    }
    let digits: String = hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// Builds the answer; a client that has it already costs no signature.
fn answer(
    cache: String,
    etag: &str,
    headers: &HeaderMap,
    body: impl FnOnce() -> Result<Vec<u8>, Problem>,
) -> Result<Response, Problem> {
    let value = |text: &str| HeaderValue::try_from(text).map_err(|_| Problem::internal());
    let head = [(header::CACHE_CONTROL, value(&cache)?), (header::ETAG, value(etag)?)];
    if conditions::none_match(headers, etag) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    let media_type = (header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Ok((head, [media_type], body()?).into_response())
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
}
