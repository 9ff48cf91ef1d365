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
use crate::cache::{Kind, Missing};
use crate::conditions;
use crate::gateway::Gateway;
use crate::origin::{Life, Origin};
use crate::problem::Problem;

pub(super) const MEDIA_TYPE: &str = "application/vnd.apple.mpegurl";

/// How long a playlist that may change is good, in seconds: live players ask every few seconds.
const LIVE_AGE_S: i64 = 1;

/// How long any other is, in seconds.
const STILL_AGE_S: i64 = 60;

/// Tags of playlists that do not change: an end, or renditions to choose from.
const STILL_TAGS: [&str; 2] = ["#EXT-X-ENDLIST", "#EXT-X-STREAM-INF:"];

/// A plain tree's playlist, parsed.
pub(crate) struct PlainPlaylist {
    template: Template,
    names: Names,
    sha256: [u8; 32],
    is_still: bool,
}

impl PlainPlaylist {
    /// How plain trees' playlists are read.
    pub(crate) fn kind(limit_bytes: u64) -> Kind<Self> {
        Kind {
            name: "plain",
            limit_bytes,
            document_bytes_max: Limits::default().playlist_bytes as u64,
            parse: |_, text| Self::parse(text),
            weigh: Self::size_bytes,
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let template = Template::parse(text, Limits::default()).ok()?;
        let names = Names::new(template.objects().map(|reference| reference.path));
        let (sha256, is_still) = (Sha256::digest(text).into(), is_still(text));
        Some(Self { template, names, sha256, is_still })
    }

    fn size_bytes(&self) -> usize {
        self.template.size_bytes() + self.names.size_bytes() + size_of::<Self>()
    }

    fn age_s(&self) -> i64 {
        if self.is_still { STILL_AGE_S } else { LIVE_AGE_S }
    }

    /// How long it plays, in whole seconds, rounded up; a live one, how much of it is there.
    fn duration_s(&self) -> u32 {
        u32::try_from(self.template.duration_us().div_ceil(1_000_000)).unwrap_or(u32::MAX)
    }

    /// Writes it out, each object as `push` does; playlists stay as they stand.
    fn write(&self, mut push: impl FnMut(usize, &mut Vec<u8>)) -> Result<Vec<u8>, Problem> {
        let playlists: Vec<&str> =
            self.template.playlists().map(|reference| reference.uri).collect();
        let mut body = Vec::new();
        let emitted = self.template.emit(&[], &mut body, |target, out| match target {
            Target::Playlist(at) => out.extend_from_slice(playlists[at].as_bytes()),
            Target::Object(at) => push(at, out),
        });
        emitted.map_err(|_| invalid())?;
        Ok(body)
    }

    /// As it lies in the bucket.
    fn unsigned(&self) -> Result<Vec<u8>, Problem> {
        let objects: Vec<&str> = self.template.objects().map(|reference| reference.uri).collect();
        self.write(|at, out| out.extend_from_slice(objects[at].as_bytes()))
    }

    /// With the presigned URL of each object.
    fn signed(&self, origin: &Origin, folder: &str, life: Life) -> Result<Vec<u8>, Problem> {
        let signed = origin.sign(folder, &self.names, life).map_err(|_| Problem::internal())?;
        self.write(|at, out| signed.push(at, out))
    }
}

pub(super) async fn show(
    gateway: &Gateway,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let found = gateway.plain_playlists.get(&asked.target.key).await;
    let playlist = found.map_err(|missing| match missing {
        Missing::Unknown => Problem::object_unknown(),
        Missing::Invalid => invalid(),
        Missing::Unavailable => Problem::store_unavailable(),
    })?;
    let Some(origin) = &asked.tree.origin else {
        let (cache, tag) = (asked.cache(playlist.age_s(), false), etag(&playlist, &[]));
        return answer(&cache, &tag, headers, || playlist.unsigned());
    };
    let (folder, _) = asked.target.split();
    let life = asked.tree.life(folder, asked.now, asked.right.end, playlist.duration_s());
    let signing =
        [origin.access_key_id().to_owned(), life.signed_at.to_string(), life.expires_s.to_string()];
    let (cache, tag) = (asked.cache(playlist.age_s(), true), etag(&playlist, &signing));
    answer(&cache, &tag, headers, || playlist.signed(origin, folder, life))
}

const fn invalid() -> Problem {
    Problem::plain_playlist_invalid()
}

/// Whether a playlist says of itself that it doesn't change.
fn is_still(playlist: &[u8]) -> bool {
    let is_tag = |line: &[u8]| STILL_TAGS.iter().any(|tag| line.starts_with(tag.as_bytes()));
    playlist.split(|byte| *byte == b'\n').any(is_tag)
}

/// The tag of a playlist as it leaves: of its text, and of what its URLs were signed with.
fn etag(playlist: &PlainPlaylist, signing: &[String]) -> String {
    let mut hash = Sha256::new();
    hash.update(playlist.sha256);
    for part in signing {
        hash.update([0]);
        hash.update(part);
    }
    let digits: String = hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// Builds the answer; a client that has it already costs no signature.
fn answer(
    cache: &str,
    etag: &str,
    headers: &HeaderMap,
    body: impl FnOnce() -> Result<Vec<u8>, Problem>,
) -> Result<Response, Problem> {
    let value = |text: &str| HeaderValue::try_from(text).map_err(|_| Problem::internal());
    let head = [(header::CACHE_CONTROL, value(cache)?), (header::ETAG, value(etag)?)];
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
