//! Signed playlists, as HTTP has them.
//!
//! Owns `GET /v1/grants/{grant}/{playlist}`: which text a request gets, under what tag, in which encoding, and for how long
//! it may be kept. Refuses to know how a URL is made. Invariants: a tag names the bytes, so that it is the cache's key as
//! well and every gateway gives the same; no manifest holds a URL that ends before its video does, unless the grant ends
//! first.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::cache::{Flights, Lost, Missing, Room};
use crate::conditions;
use crate::encoding::{self, Encoding};
use crate::gateway::Gateway;
use crate::grant;
use crate::hosts::Host;
use crate::names::PlaylistName;
use crate::performance::{Cache, CacheFigures};
use crate::playlist::Playlist;
use crate::problem::Problem;
use crate::signer::{Form, Purpose, Signer, Stamp};

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.apple.mpegurl");

/// What an answer depends on beside its URL.
const VARY: HeaderValue = HeaderValue::from_static("accept-encoding, authorization");

/// May be kept, and is asked for again each time.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// What makes another text of the same playlist and URLs: compressors and their levels, and this crate's version.
const TEXT_VERSION: &str = concat!("veilcast/manifest/v1/", env!("CARGO_PKG_VERSION"));

/// Digits of an entity tag: 128 bits.
const TAG_DIGITS: usize = 32;

/// An entity tag: names one body.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Tag([u8; TAG_DIGITS]);

/// A body, and what it needs beside it.
#[derive(Clone)]
struct Manifest {
    body: Bytes,
    cookies: Arc<[HeaderValue]>,
}

/// Manifests that were signed and compressed.
#[derive(Clone)]
pub(crate) struct Manifests {
    room: Arc<Room<Tag, Manifest>>,
    flights: Arc<Flights<Tag, Option<Manifest>>>,
}

/// The form that a playlist's URL asks for behind its `?`; other parameters are nobody's.
fn form(query: Option<&str>) -> Result<Form, Problem> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let mut forms = pairs.filter(|(name, _)| *name == "form").map(|(_, form)| form);
    match (forms.next(), forms.next()) {
        (None, _) => Ok(Form::Whole),
        (Some("compact"), None) => Ok(Form::Compact),
        _ => Err(Problem::bad_request("the one form to ask for is compact")),
    }
}

/// `GET /v1/grants/{grant}/{playlist}`
pub(crate) async fn show(
    State(gateway): State<Gateway>,
    Extension(host): Extension<Host>,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path((id, name)) = path?;
    let name = PlaylistName::parse(&name)
        .ok_or(Problem::bad_request("a playlist's name is 32 lower-case hex digits and .m3u8"))?;
    let form = form(query.as_deref())?;
    let now = gateway.now();
    let grant = grant::authorize(&gateway, &id, &headers, now).await?;
    let folder = format!("t/{}/", grant.title.as_str());
    let found = gateway.playlists.get(&format!("{folder}{}", name.as_str())).await;
    let playlist = found.map_err(|missing| match missing {
        Missing::Unknown => Problem::object_unknown(),
        Missing::Invalid => Problem::playlist_invalid(),
        Missing::Unavailable => Problem::store_unavailable(),
    })?;
    let duration_s = playlist.duration_s();
    let purpose = Purpose { host: &host, folder: &folder, duration_s, end: grant.end };
    let order = Order { playlist, signer: gateway.signer(&grant.title), form, headers: &headers };
    gateway.manifests.answer(&gateway, order, &purpose, now).await
}

/// A playlist to be written out for somebody.
pub(crate) struct Order<'a> {
    pub(crate) playlist: Arc<Playlist>,
    pub(crate) signer: Arc<Signer>,
    pub(crate) form: Form,
    pub(crate) headers: &'a HeaderMap,
}

impl Manifests {
    /// An empty cache of at most `limit_bytes`.
    pub(crate) fn new(limit_bytes: u64) -> Self {
        let weigh = |_: &Tag, manifest: &Manifest| {
            let cookies: usize = manifest.cookies.iter().map(HeaderValue::len).sum();
            manifest.body.len() + cookies
        };
        let room = Arc::new(Room::new("manifests", limit_bytes, weigh));
        Self { room, flights: Arc::new(Flights::new()) }
    }

    /// Answers with a playlist, from what is at hand if it can.
    pub(crate) async fn answer(
        &self,
        gateway: &Gateway,
        order: Order<'_>,
        purpose: &Purpose<'_>,
        now: Timestamp,
    ) -> Result<Response, Problem> {
        let Order { playlist, signer, form, headers } = order;
        let encoding = encoding::choose(headers, |_| true);
        let stamp = match playlist.object_count() {
            0 => Stamp::ALWAYS,
            _ => signer.stamp(purpose, now),
        };
        let tag = tag(&playlist, &signer, purpose, stamp, form, encoding);
        let mut response = Response::new(Body::empty());
        set_head(response.headers_mut(), &tag, stamp, now);
        let is_known = conditions::none_match(headers, tag.quoted().as_str());
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            if !signer.has_cookies() {
                self.room.count(true);
                return Ok(response);
            }
        }
        let manifest = match self.room.get(&tag) {
            Some(manifest) => {
                self.room.count(true);
                manifest
            }
            None => {
                self.room.count(false);
                gateway.metrics.signed(playlist.object_count());
                self.make(tag, playlist, signer, (purpose, stamp), form, encoding).await?
            }
        };
        for cookie in manifest.cookies.iter() {
            response.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        if !is_known {
            response.headers_mut().insert(header::CONTENT_TYPE, MEDIA_TYPE);
            if let Some(name) = encoding.name() {
                let name = HeaderValue::from_static(name);
                response.headers_mut().insert(header::CONTENT_ENCODING, name);
            }
            *response.body_mut() = Body::from(manifest.body);
        }
        Ok(response)
    }

    /// Signs, writes and compresses, once for all who wait for it, and where it keeps no other request waiting.
    async fn make(
        &self,
        tag: Tag,
        playlist: Arc<Playlist>,
        signer: Arc<Signer>,
        (purpose, stamp): (&Purpose<'_>, Stamp),
        form: Form,
        encoding: Encoding,
    ) -> Result<Manifest, Problem> {
        let room = Arc::clone(&self.room);
        let flight = self.flights.join(&tag, || {
            let urls = match playlist.object_count() {
                0 => Ok(crate::signer::Urls::none()),
                _ => signer.urls(purpose, stamp),
            };
            async move {
                let urls = urls.ok()?;
                let make = move || {
                    let text = playlist.write(&urls, signer.lanes, form)?;
                    let body = encoding.encode(text).ok()?.into_boxed_slice();
                    let cookies = urls.cookies.iter().map(HeaderValue::try_from);
                    let cookies = cookies.collect::<Result<_, _>>().ok()?;
                    Some(Manifest { body: body.into(), cookies })
                };
                let manifest = tokio::task::spawn_blocking(make).await.ok().flatten()?;
                room.insert(tag, manifest.clone());
                Some(manifest)
            }
        });
        match flight.await {
            Ok(Some(manifest)) => Ok(manifest),
            Ok(None) => Err(Problem::playlist_invalid()),
            Err(Lost) => Err(Problem::internal()),
        }
    }
}

impl Cache for Manifests {
    fn name(&self) -> &'static str {
        self.room.name()
    }

    fn figures(&self) -> CacheFigures {
        self.room.figures()
    }

    fn purge(&self) {
        self.room.purge();
    }
}

/// Names a body by everything that it depends on.
fn tag(
    playlist: &Playlist,
    signer: &Signer,
    purpose: &Purpose<'_>,
    stamp: Stamp,
    form: Form,
    encoding: Encoding,
) -> Tag {
    let mut hash = Sha256::new();
    hash.update(TEXT_VERSION);
    hash.update([form as u8, encoding as u8]);
    hash.update(playlist.sha256);
    // Playlists that name no object are the same for everyone.
    if playlist.object_count() > 0 {
        signer.mark(purpose, stamp, &mut hash);
    }
    let mut digits = [0; TAG_DIGITS];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(hash.finalize()) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    Tag(digits)
}

impl Tag {
    fn quoted(&self) -> String {
        format!("\"{}\"", std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

/// Says what every answer says, a `304` too.
fn set_head(headers: &mut HeaderMap, tag: &Tag, stamp: Stamp, now: Timestamp) {
    let kept = match stamp.spare_s(now) {
        None => Ok(REVALIDATE),
        Some(spare_s) => HeaderValue::try_from(format!("private, max-age={spare_s}")),
    };
    let values: [(HeaderName, Result<HeaderValue, _>); 3] = [
        (header::CACHE_CONTROL, kept),
        (header::VARY, Ok(VARY)),
        (header::ETAG, HeaderValue::try_from(tag.quoted())),
    ];
    for (name, value) in values {
        if let Ok(value) = value {
            headers.insert(name, value);
        }
    }
}
