//! Playlists: fetched from the bucket, rewritten, signed.
//!
//! Owns what a URI of a title's playlist becomes. Refuses any that is not a bare name of the title's
//! own folder: sealed titles name nothing else, so anything else was put there by somebody else.

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use veil_hls::template::{Limits, Target, Template};
use veil_presign::{Batch, Lanes, Names};

use crate::bucket::ReadError;
use crate::gateway::Gateway;
use crate::grant::{self, Grant, PRIVATE};
use crate::hosts::Host;
use crate::names::{ObjectName, PlaylistName};
use crate::problem::Problem;

const MEDIA_TYPE: &str = "application/vnd.apple.mpegurl";

/// `GET /v1/grants/{grant}/{playlist}`
pub(crate) async fn show(
    State(gateway): State<Gateway>,
    Extension(host): Extension<Host>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let Path((id, name)) = path?;
    let name = PlaylistName::parse(&name)
        .ok_or(Problem::bad_request("a playlist's name is 32 lower-case hex digits and .m3u8"))?;
    let now = gateway.now();
    let grant = grant::authorize(&gateway, &id, &headers, now).await?;
    let template = fetch(&gateway, &grant, &name).await?;
    let batch = gateway.signer.batch(&host, &grant.title, now, grant.end);
    let batch = batch.map_err(|_| Problem::internal())?;
    let body = rewrite(&template, &grant, &batch, gateway.signer.lanes)?;
    gateway.metrics.signed(template.objects().count());
    Ok(([PRIVATE, (header::CONTENT_TYPE, header::HeaderValue::from_static(MEDIA_TYPE))], body))
}

async fn fetch(gateway: &Gateway, grant: &Grant, name: &PlaylistName) -> Result<Template, Problem> {
    let limits = Limits::default();
    let key = format!("t/{}/{}", grant.title.as_str(), name.as_str());
    match gateway.bucket.read(&key, limits.playlist_bytes as u64).await {
        Ok(text) => Template::parse(&text, limits).map_err(|_| Problem::playlist_invalid()),
        Err(ReadError::Unknown) => Err(Problem::object_unknown()),
        Err(ReadError::TooLarge) => Err(Problem::playlist_invalid()),
        Err(_) => Err(Problem::store_unavailable()),
    }
}

/// Writes a template out for a grant.
fn rewrite(
    template: &Template,
    grant: &Grant,
    batch: &Batch,
    lanes: Lanes,
) -> Result<Vec<u8>, Problem> {
    let playlist = |uri: &str| {
        let name = PlaylistName::parse(uri)?;
        Some(grant::playlist_url(&grant.id, name.as_str()))
    };
    let playlists: Option<Vec<String>> =
        template.playlists().map(|reference| playlist(reference.uri)).collect();
    let objects: Option<Vec<ObjectName>> =
        template.objects().map(|reference| ObjectName::parse(reference.uri)).collect();
    let (Some(playlists), Some(objects), 0) = (playlists, objects, template.foreign_count()) else {
        return Err(Problem::playlist_invalid());
    };
    let names = Names::new(objects.iter().map(ObjectName::as_str));
    let signatures = batch.sign(lanes, &names);
    let targets = batch.targets();
    let mut body = Vec::new();
    let emitted = template.emit(&[], &mut body, |target, out| match target {
        Target::Playlist(at) => out.extend_from_slice(playlists[at].as_bytes()),
        Target::Object(at) => targets.push(names.get(at), &signatures[at], out),
    });
    emitted.map_err(|_| Problem::playlist_invalid())?;
    Ok(body)
}
