//! Uploads: tus 1.0.0 (<https://tus.io/protocols/resumable-upload>), with creation, termination, expiration and checksum.
//!
//! Owns: the protocol's headers. A file that has arrived is probed and taken into the library before the answer, which names it in
//! `Veilcast-Media`; its thumbnail and waveform are made after it.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::Timestamp;

use super::media;
use crate::app::Api;
use crate::problem::Problem;
use crate::random;
use crate::uploads::{ARRIVED_HOURS, CHECKSUMS, Checksum, Known, expiry};

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const MEDIUM: HeaderName = HeaderName::from_static("veilcast-media");

/// The longest `Upload-Metadata`, in bytes.
const METADATA_BYTES_MAX: usize = 4096;

/// Around every route here: the version that a request must speak, and that every answer names.
pub(crate) async fn resumable(request: Request, next: Next) -> Response {
    let speaks = request.method() == axum::http::Method::OPTIONS
        || request.headers().get(RESUMABLE) == Some(&VERSION);
    let mut response = if speaks {
        next.run(request).await
    } else {
        let mut refused =
            Problem::edited().detail("this speaks tus 1.0.0: Tus-Resumable").into_response();
        refused.headers_mut().insert("tus-version", VERSION);
        refused
    };
    response.headers_mut().insert(RESUMABLE, VERSION);
    response
}

/// Tells what of tus there is.
#[utoipa::path(options, path = "/v1/uploads", tag = "media", responses((status = 204, description = "in headers")))]
pub(crate) async fn options(State(api): State<Api>) -> Response {
    let most = api.settings().upload_bytes_max.to_string();
    let headers = [
        ("tus-version", "1.0.0"),
        ("tus-extension", "creation,termination,expiration,checksum"),
        ("tus-checksum-algorithm", CHECKSUMS),
        ("tus-max-size", &most),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Begins an upload.
#[utoipa::path(post, path = "/v1/uploads", tag = "media",
    params(("Tus-Resumable" = String, Header), ("Upload-Length" = u64, Header), ("Upload-Metadata" = Option<String>, Header)),
    responses((status = 201, description = "its address is in Location", headers(("Location" = String))),
        (status = 413, description = "too large"), (status = 507, description = "no room")))]
pub(crate) async fn create(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wrong = |what: &str| Problem::bad_request().detail(what.to_owned());
    let length = number(&headers, &LENGTH).ok_or(wrong("Upload-Length is a number of bytes"))?;
    let metadata = headers.get(METADATA).map_or(Ok(""), HeaderValue::to_str);
    let metadata = metadata.map_err(|_| wrong("Upload-Metadata is not what tus has there"))?;
    if metadata.len() > METADATA_BYTES_MAX {
        return Err(Problem::too_large());
    }
    let (settings, now) = (api.settings(), Timestamp::now());
    api.uploads().sweep(now);
    let expires = expiry(now, settings.upload_hours);
    let named = (filename(metadata), metadata.to_owned());
    let id = api.uploads().begin((length, settings.upload_bytes_max), named, expires)?;
    let location = format!("/v1/uploads/{id}");
    let headers = [(header::LOCATION, location), (EXPIRES, http_date(expires))];
    Ok((StatusCode::CREATED, headers).into_response())
}

/// Tells how much of an upload has arrived.
#[utoipa::path(head, path = "/v1/uploads/{id}", tag = "media", params(("id" = String, Path), ("Tus-Resumable" = String, Header)),
    responses((status = 200, description = "in headers", headers(("Upload-Offset" = u64), ("Upload-Length" = u64), ("Veilcast-Media" = String))),
        (status = 404, description = "no such upload")))]
pub(crate) async fn head(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (known, offset) = api.uploads().find(&id)?;
    let mut response = StatusCode::OK.into_response();
    let head = response.headers_mut();
    head.insert(OFFSET, HeaderValue::from(offset));
    head.insert(LENGTH, HeaderValue::from(known.length));
    if let Ok(metadata) = HeaderValue::try_from(&known.metadata) {
        head.insert(METADATA, metadata);
    }
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    told(&mut response, &known);
    Ok(response)
}

/// Sends a part of an upload. The last one answers with the file's id in `Veilcast-Media`.
#[utoipa::path(patch, path = "/v1/uploads/{id}", tag = "media", request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    params(("id" = String, Path), ("Tus-Resumable" = String, Header), ("Upload-Offset" = u64, Header), ("Upload-Checksum" = Option<String>, Header)),
    responses((status = 204, description = "arrived", headers(("Upload-Offset" = u64), ("Veilcast-Media" = String))),
        (status = 404, description = "no such upload"), (status = 409, description = "not at this offset"),
        (status = 422, description = "all of it has arrived, and it is no media"), (status = 460, description = "not what its checksum says")))]
pub(crate) async fn patch(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind != Some(b"application/offset+octet-stream") {
        return Err(Problem::unsupported_media());
    }
    let from = number(&headers, &OFFSET);
    let from = from.ok_or(Problem::bad_request().detail("Upload-Offset is a number of bytes"))?;
    let checksum = headers.get(CHECKSUM).map(checksum).transpose()?;
    api.uploads().find(&id)?;
    let writer = api.uploads().writer(&id).await?;
    let (mut known, offset) = api.uploads().find(&id)?;
    if from != offset {
        return Err(Problem::conflict().detail(format!("it is at {offset}")));
    }
    let mut arrived = offset;
    if known.medium.is_none() {
        arrived = writer.append((&known, offset), body, checksum).await?;
        known.expires = expiry(Timestamp::now(), api.settings().upload_hours);
        if arrived == known.length {
            known.medium = Some(take(&api, &id, &known).await?);
            known.expires = expiry(Timestamp::now(), ARRIVED_HOURS);
        }
        api.uploads().keep(&id, &known)?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(OFFSET, HeaderValue::from(arrived));
    told(&mut response, &known);
    Ok(response)
}

/// Forgets an upload.
#[utoipa::path(delete, path = "/v1/uploads/{id}", tag = "media", params(("id" = String, Path), ("Tus-Resumable" = String, Header)),
    responses((status = 204, description = "forgotten"), (status = 404, description = "no such upload")))]
pub(crate) async fn remove(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    api.uploads().find(&id)?;
    let _writer = api.uploads().writer(&id).await?;
    api.uploads().remove(&id);
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a file that has arrived into the library; what is no media is forgotten.
async fn take(api: &Api, id: &str, known: &Known) -> Result<String, Problem> {
    let path = api.uploads().arrived(id);
    let medium_id = random::id()?;
    let named = (medium_id.as_str(), known.name.as_str());
    let (encoder, now) = (api.shelf().encoder(), Timestamp::now());
    let added = match api.studio().add_medium(encoder, &path, named, now).await {
        Ok(added) => added,
        Err(error) => {
            api.uploads().remove(id);
            return Err(error.into());
        }
    };
    let id = added.medium.id.clone();
    media::arrived(api, added.medium);
    Ok(id)
}

fn told(response: &mut Response, known: &Known) {
    let head = response.headers_mut();
    if let Ok(expires) = HeaderValue::try_from(http_date(known.expires)) {
        head.insert(EXPIRES, expires);
    }
    if let Some(Ok(medium)) = known.medium.as_ref().map(HeaderValue::try_from) {
        head.insert(MEDIUM, medium);
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let text = headers.get(name)?.to_str().ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn checksum(value: &HeaderValue) -> Result<Checksum, Problem> {
    let wrong = || Problem::bad_request().detail("Upload-Checksum is sha1 or sha256 and Base64");
    let (name, sum) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(wrong)?;
    let sum = BASE64_STANDARD.decode(sum).map_err(|_| wrong())?;
    match name {
        "sha1" => Ok(Checksum::Sha1(sum)),
        "sha256" => Ok(Checksum::Sha256(sum)),
        _ => Err(wrong()),
    }
}

/// `filename` or `name` of `Upload-Metadata`: keys and Base64 values with commas between them.
fn filename(metadata: &str) -> String {
    let pairs = metadata.split(',').filter_map(|pair| pair.trim().split_once(' '));
    let mut named = pairs.filter(|(key, _)| ["filename", "name"].contains(key));
    let bytes = named.find_map(|(_, value)| BASE64_STANDARD.decode(value).ok()).unwrap_or_default();
    veil_studio::library::clean_name(&String::from_utf8_lossy(&bytes))
}

/// As HTTP writes a time (RFC 9110 §5.6.7).
fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_out_of_metadata_and_made_harmless() {
        let encode = |text: &str| BASE64_STANDARD.encode(text);
        let check = |metadata: &str, expected: &str| assert_eq!(filename(metadata), expected);
        check(&format!("filetype {},filename {}", encode("video/mp4"), encode("a.mp4")), "a.mp4");
        check(&format!("filename {}", encode("../../a.mp4")), "a.mp4");
        check("filename !!", "upload");
        check("", "upload");
        assert_eq!(http_date(Timestamp::UNIX_EPOCH), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
