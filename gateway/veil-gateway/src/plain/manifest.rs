//! A plain tree's playlists as HTTP has them: the same caches, encodings and signer as sealed titles'.
//!
//! Owns how long an answer holds. Refuses what is no playlist, or leads out of its folder. Invariant: what is no URI of an
//! object leaves as it came, byte for byte.

use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use super::Asked;
use crate::cache::Missing;
use crate::gateway::Gateway;
use crate::hosts::Host;
use crate::manifest::{Order, Signing};
use crate::problem::Problem;
use crate::signer::{Form, Purpose};

/// For how long a playlist is used without asking the bucket again, in seconds: any of them may be live, and the bucket
/// says whether it has changed.
const FRESH_S: u32 = 1;

/// How long a playlist that may change is good, in seconds: live players ask every few seconds.
const LIVE_AGE_S: i64 = 1;

/// How long any other is, in seconds.
const STILL_AGE_S: i64 = 60;

/// What an answer depends on beside its URL.
const VARY: HeaderValue = HeaderValue::from_static("accept-encoding, authorization, cookie");

/// `GET /hls/{*path}.m3u8`
pub(super) async fn show(
    gateway: &Gateway,
    host: &Host,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let found = gateway.playlists.get_fresh(&asked.target.key, FRESH_S.into()).await;
    let playlist = found.map_err(|missing| match missing {
        Missing::Unknown => Problem::object_unknown(),
        Missing::Invalid => Problem::plain_playlist_invalid(),
        Missing::Unavailable => Problem::store_unavailable(),
        Missing::Busy => Problem::busy(),
    })?;
    let (folder, _) = asked.target.split();
    let duration_s = playlist.duration_s();
    let purpose = Purpose { host, folder, duration_s, end: asked.right.end };
    let signer = asked.tree.signer.clone();
    let sign = |signer| Signing::new(signer, &playlist, &purpose, asked.now);
    let signing = signer.map(sign).transpose()?;
    let age_s = if playlist.is_still { STILL_AGE_S } else { LIVE_AGE_S };
    let cache = asked.cache(age_s, signing.is_some())?;
    let order =
        Order { playlist, pattern: None, signing, form: Form::Whole, headers, cache, vary: VARY };
    gateway.manifests.answer(gateway, order, &purpose).await
}
