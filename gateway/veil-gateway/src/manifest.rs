//! Signed playlists, as HTTP has them.
//!
//! Owns `GET /v1/grants/{grant}/{playlist}`, and for plain trees too which text a request gets, under what tag and in which
//! encoding. Refuses to know how a URL is made. Invariants: a tag names the bytes, so that it is the cache's key as
//! well and every gateway gives the same; no manifest holds a URL that ends before its video does, unless the right to it
//! ends first.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use veil_presign::Lanes;

use crate::cache::{Flights, Lost, Missing, Room};
use crate::conditions;
use crate::desk::{Desk, Undone};
use crate::encoding::{self, Encoding};
use crate::gateway::Gateway;
use crate::grant::{self, Grant, Pattern};
use crate::headers;
use crate::hosts::Host;
use crate::names::{self, PlaylistName};
use crate::performance::{Cache, CacheFigures};
use crate::playlist::Playlist;
use crate::problem::Problem;
use crate::signer::{Form, Purpose, Signer, Stamp, Urls};

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

/// Why there is no manifest.
#[derive(Clone, Copy)]
enum Unmade {
    /// The playlist can't be written with these URLs.
    Invalid,
    Undone(Undone),
}

impl From<Undone> for Unmade {
    fn from(undone: Undone) -> Self {
        Self::Undone(undone)
    }
}

/// Manifests that were signed and compressed.
#[derive(Clone)]
pub(crate) struct Manifests {
    room: Arc<Room<Tag, Manifest>>,
    flights: Arc<Flights<Tag, Result<Manifest, Unmade>>>,
    desk: Desk,
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
    request: Request,
) -> Result<Response, Problem> {
    let Path((id, name)) = path?;
    let name = PlaylistName::parse(&name)
        .ok_or(Problem::bad_request("a playlist's name is 32 lower-case hex digits and .m3u8"))?;
    let form = form(request.uri().query())?;
    let headers = request.headers();
    let now = gateway.now();
    let grant = grant::authorize(&gateway, &id, headers, now).await?;
    let folder = grant.title.folder();
    let found = gateway.playlists.get(&[&folder, name.as_str()].concat()).await;
    let playlist = found.map_err(|missing| match missing {
        Missing::Unknown => Problem::object_unknown(),
        Missing::Invalid => Problem::playlist_invalid(),
        Missing::Unavailable => Problem::store_unavailable(),
        Missing::Busy => Problem::busy(),
    })?;
    let duration_s = playlist.duration_s();
    let purpose = Purpose { host: &host, folder: &folder, duration_s, end: grant.end };
    let signing = Signing::new(gateway.signer(&grant.title), &playlist, &purpose, now)?;
    let cache = cache_control(signing.stamp, now);
    let pattern = pattern_for(&playlist, &grant)?;
    let signing = Some(signing);
    let order = Order { playlist, pattern, signing, form, headers, cache, vary: VARY };
    gateway.manifests.answer(&gateway, order, &purpose).await
}

/// What a marked playlist is composed by; other playlists need nothing.
fn pattern_for(playlist: &Playlist, grant: &Grant) -> Result<Option<Arc<Pattern>>, Problem> {
    let Some(slot_count) = playlist.slot_count() else { return Ok(None) };
    let pattern = grant.pattern.as_ref().filter(|pattern| pattern.fits(slot_count));
    pattern.map(|pattern| Some(Arc::clone(pattern))).ok_or_else(Problem::playlist_invalid)
}

/// Until when a title's playlist may be kept: until its URLs hold just as long as its video plays.
fn cache_control(stamp: Stamp, now: Timestamp) -> HeaderValue {
    let kept = stamp.spare_s(now).map(|spare_s| format!("private, max-age={spare_s}"));
    kept.and_then(|kept| HeaderValue::try_from(kept).ok()).unwrap_or(REVALIDATE)
}

/// Who signs a playlist's objects, from when to when.
pub(crate) struct Signing {
    signer: Arc<Signer>,
    stamp: Stamp,
}

impl Signing {
    /// What names no object needs no date.
    pub(crate) fn new(
        signer: Arc<Signer>,
        playlist: &Playlist,
        purpose: &Purpose<'_>,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let stamp = match playlist.object_count() {
            0 => Stamp::ALWAYS,
            _ => signer.stamp(purpose, now).ok_or_else(Problem::credential_ended)?,
        };
        Ok(Self { signer, stamp })
    }
}

/// A playlist to be written out for somebody.
pub(crate) struct Order<'a> {
    pub(crate) playlist: Arc<Playlist>,
    /// Which variants a marked playlist is composed of.
    pub(crate) pattern: Option<Arc<Pattern>>,
    /// `None` leaves every URI as it stands.
    pub(crate) signing: Option<Signing>,
    pub(crate) form: Form,
    pub(crate) headers: &'a HeaderMap,
    /// The answer's `Cache-Control`, and `Vary`.
    pub(crate) cache: HeaderValue,
    pub(crate) vary: HeaderValue,
}

impl Manifests {
    /// An empty cache of at most `limit_bytes`.
    pub(crate) fn new(limit_bytes: u64, desk: Desk) -> Self {
        let weigh = |_: &Tag, manifest: &Manifest| {
            let cookies: usize = manifest.cookies.iter().map(HeaderValue::len).sum();
            manifest.body.len() + cookies
        };
        let room = Arc::new(Room::new("manifests", limit_bytes, weigh));
        Self { room, flights: Arc::new(Flights::new()), desk }
    }

    /// Answers with a playlist, from what is at hand if it can.
    pub(crate) async fn answer(
        &self,
        gateway: &Gateway,
        order: Order<'_>,
        purpose: &Purpose<'_>,
    ) -> Result<Response, Problem> {
        let encoding = encoding::choose(order.headers, |_| true);
        let tag = order.tag(purpose, encoding);
        let quoted = tag.quoted();
        let is_known = conditions::none_match(order.headers, &quoted);
        let has_cookies = order.signing.as_ref().is_some_and(|it| it.signer.has_cookies());
        let mut response = Response::new(Body::empty());
        let head = response.headers_mut();
        head.reserve(headers::ROOM);
        head.insert(header::CACHE_CONTROL, order.cache.clone());
        head.insert(header::VARY, order.vary.clone());
        if let Ok(value) = HeaderValue::try_from(quoted) {
            head.insert(header::ETAG, value);
        }
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            if !has_cookies {
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
                self.make(gateway, tag, order, purpose, encoding).await?
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
        gateway: &Gateway,
        tag: Tag,
        order: Order<'_>,
        purpose: &Purpose<'_>,
        encoding: Encoding,
    ) -> Result<Manifest, Problem> {
        let (room, desk) = (Arc::clone(&self.room), self.desk.clone());
        let flight = self.flights.join(&tag, || {
            let Order { playlist, pattern, signing, form, .. } = order;
            let work = signing.map(|Signing { signer, stamp }| {
                gateway.metrics.signed(playlist.object_count());
                let urls = match playlist.object_count() {
                    0 => Ok(Urls::none()),
                    _ => signer.urls(purpose, stamp),
                };
                urls.map(|urls| (urls, signer.lanes, form))
            });
            async move {
                let work = work.transpose().map_err(|_| Unmade::Invalid)?;
                let make = move || match pattern {
                    Some(pattern) => Manifest::of(&playlist.composed(&pattern)?, work, encoding),
                    None => Manifest::of(&playlist, work, encoding),
                };
                let manifest = desk.run(make).await?.ok_or(Unmade::Invalid)?;
                room.insert(tag, manifest.clone());
                Ok(manifest)
            }
        });
        match flight.await {
            Ok(Ok(manifest)) => Ok(manifest),
            Ok(Err(Unmade::Invalid)) => Err(Problem::playlist_invalid()),
            Ok(Err(Unmade::Undone(Undone::Busy))) => Err(Problem::busy()),
            Ok(Err(Unmade::Undone(Undone::Lost))) | Err(Lost) => Err(Problem::internal()),
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

impl Manifest {
    /// Signs, writes and compresses.
    fn of(
        playlist: &Playlist,
        work: Option<(Urls, Lanes, Form)>,
        encoding: Encoding,
    ) -> Option<Self> {
        let (text, cookies) = match work {
            Some((urls, lanes, form)) => (playlist.signed(&urls, lanes, form)?, urls.cookies),
            None => (playlist.unsigned()?, Vec::new()),
        };
        let body = encoding.encode(text).ok()?.into_boxed_slice();
        let cookies = cookies.into_iter().map(HeaderValue::try_from).collect::<Result<_, _>>();
        Some(Self { body: body.into(), cookies: cookies.ok()? })
    }
}

impl Order<'_> {
    /// Names the body by everything that it depends on.
    fn tag(&self, purpose: &Purpose<'_>, encoding: Encoding) -> Tag {
        let mut hash = Sha256::new();
        hash.update(TEXT_VERSION);
        hash.update([self.form as u8, encoding as u8]);
        hash.update(self.playlist.sha256);
        if let Some(pattern) = &self.pattern {
            pattern.mark(&mut hash);
        }
        // Playlists that name no object are the same for everyone.
        if let Some(Signing { signer, stamp }) = &self.signing
            && self.playlist.object_count() > 0
        {
            signer.mark(purpose, *stamp, &mut hash);
        }
        let mut digits = [0; TAG_DIGITS];
        names::hex(&hash.finalize(), &mut digits);
        Tag(digits)
    }
}

impl Tag {
    fn quoted(&self) -> String {
        ["\"", std::str::from_utf8(&self.0).unwrap_or_default(), "\""].concat()
    }
}

#[cfg(test)]
mod tests;
