//! The studio's page, as it was built into this program.
//!
//! Owns: which file answers which path, in which encoding, for how long it may be kept, and the policy that it runs under. Files lie in memory
//! from the start; a path is a key of a table and never one of the disk.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use crate::app::Api;
use crate::problem::Problem;
use crate::range::none_match;

/// The page's own file.
const INDEX: &str = "s/index.html";
/// The page may be kept, and asked for again each time: a new build shows at once.
const REVALIDATE: &str = "no-cache";
/// Assets have a hash in their name and never change.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// What the page and its Workers may do: nothing that isn't ours. Frames, forms and foreign origins are none.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; \
    img-src 'self' blob:; media-src 'self' blob:; style-src 'self'; font-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types veilcast-worker veilcast-shell default";

#[derive(RustEmbed)]
#[folder = "../../apps/web/dist-studio"]
#[allow_missing = true]
struct Built;

/// One file with its encodings.
struct File {
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
    media_type: &'static str,
    /// The beginning of the plain file's SHA-256, in hex.
    hash: String,
}

/// The page's files, by their names below its folder.
pub(crate) struct Page(BTreeMap<String, File>);

impl Page {
    /// The page of this program; without files where none was there when it was built.
    pub(crate) fn embedded() -> Self {
        let read = |name: &str| {
            Built::get(name).map(|file| match file.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            })
        };
        let names = Built::iter().filter(|name| !name.ends_with(".br") && !name.ends_with(".gz"));
        let files = names.filter_map(|name| {
            let plain = read(&name)?;
            let hash: [u8; 32] = Sha256::digest(&plain).into();
            let file = File {
                brotli: read(&format!("{name}.br")),
                gzip: read(&format!("{name}.gz")),
                media_type: media_type(&name),
                hash: hash[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
                plain,
            };
            Some((name.to_string(), file))
        });
        Self(files.collect())
    }

    /// The file that answers a path: its own, or the page for every address of the page.
    fn find(&self, path: &str) -> Result<(&File, &'static str), Problem> {
        let name = path.trim_start_matches('/');
        let is_page = name.is_empty() || name == "s" || name.starts_with("s/");
        match self.0.get(name) {
            Some(file) if name.starts_with("assets/") => Ok((file, IMMUTABLE)),
            Some(file) => Ok((file, REVALIDATE)),
            None if is_page => {
                let index = self.0.get(INDEX).ok_or(Problem::page_missing())?;
                Ok((index, REVALIDATE))
            }
            None => Err(Problem::not_found()),
        }
    }
}

/// What no route takes: the page's files.
pub(crate) async fn serve(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let path = request.uri().path();
    if ["/v1/", "/performance/"].iter().any(|below| path.starts_with(below)) {
        return Err(Problem::not_found());
    }
    if !request.method().is_safe() {
        return Err(Problem::method_not_allowed());
    }
    let (file, cache) = api.page().find(path)?;
    Ok(answer(file, request.headers(), cache))
}

fn answer(file: &File, headers: &HeaderMap, cache: &'static str) -> Response {
    let accepts = |name: &str| accepts(headers, name);
    let (encoding, bytes) = match (&file.brotli, &file.gzip) {
        (Some(bytes), _) if accepts("br") => (Some("br"), bytes),
        (_, Some(bytes)) if accepts("gzip") => (Some("gzip"), bytes),
        _ => (None, &file.plain),
    };
    let tag = format!("\"{}{}\"", file.hash, encoding.unwrap_or_default());
    let mut response = Response::new(Body::empty());
    let head = response.headers_mut();
    head.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    head.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::try_from(&tag) {
        head.insert(header::ETAG, tag);
    }
    if none_match(headers, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.media_type));
    if let Some(encoding) = encoding {
        head.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    *response.body_mut() = Body::from(bytes.clone());
    response
}

/// Whether a client takes an encoding (RFC 9110 §12.5.3).
fn accepts(headers: &HeaderMap, name: &str) -> bool {
    let all =
        headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut parts = all.flat_map(|value| value.split(','));
    parts.any(|part| {
        let (encoding, weight) = part.split_once(';').unwrap_or((part, ""));
        encoding.trim().eq_ignore_ascii_case(name)
            && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &'static str) -> File {
        let bytes = Bytes::from_static(text.as_bytes());
        File {
            brotli: Some(bytes.clone()),
            gzip: None,
            plain: bytes,
            media_type: "a/b",
            hash: "0".into(),
        }
    }

    #[test]
    fn every_address_of_the_page_is_the_page_and_nothing_else_is() {
        let page =
            Page([(INDEX.to_owned(), file("i")), ("assets/a.js".to_owned(), file("a"))].into());
        for path in ["/", "/s/", "/s/library", "/s/index.html"] {
            assert_eq!(page.find(path).unwrap().0.plain, "i", "{path}");
        }
        assert_eq!(page.find("/assets/a.js").unwrap().1, IMMUTABLE);
        for path in ["/assets/../s/index.html", "/assets/b.js", "/etc/passwd", "/%2e%2e/x"] {
            assert!(page.find(path).is_err(), "{path}");
        }
    }

    #[test]
    fn an_encoding_is_sent_to_whom_it_suits() {
        let headers =
            |value: &str| [(header::ACCEPT_ENCODING, value.parse().unwrap())].into_iter().collect();
        assert!(accepts(&headers("gzip, br"), "br") && accepts(&headers("BR;q=0.5"), "br"));
        assert!(!accepts(&headers("gzip"), "br") && !accepts(&headers("br;q=0"), "br"));
    }

    #[test]
    fn the_policy_allows_no_foreign_or_inline_script() {
        for never in ["unsafe", "*", "http", "data:", "eval"] {
            assert!(!POLICY.contains(never), "{never}");
        }
    }
}
