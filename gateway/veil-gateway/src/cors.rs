//! Pages of other origins that may read this gateway's answers (Fetch standard, "CORS protocol").
//!
//! Owns the list of origins, preflights, and `Timing-Allow-Origin`. Refuses the wildcard: who may embed
//! a private video is a short list. Invariants: without a list nothing of this appears, and an origin
//! that is not on it, letter for letter, gets the same answer as none.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, in_range};

/// What may be read from elsewhere: data, never the watch page.
const PATHS: [&str; 3] = ["/v1/", "/o/", "/hls/"];

const METHODS: &str = "DELETE, GET, HEAD, POST";
const REQUEST_HEADERS: &str = "authorization, content-type, if-none-match, if-range, range";
const ANSWER_HEADERS: &str = "accept-ranges, content-length, content-range, etag, retry-after";
const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");

/// Pages of other origins that may play: the table `[cors]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cors {
    /// Origins, as browsers write them: `https://www.example.org`. Default none.
    pub origins: Vec<String>,
    /// Whether their pages may send cookies along. Default no.
    pub credentials: bool,
    /// How long a browser may remember a preflight, in seconds, 0 to 86,400. Default 7,200.
    pub max_age_s: u32,
}

/// What a request is to this protocol.
pub(crate) enum Asked {
    /// Nothing that pages of other origins may read.
    Nothing,
    /// A preflight, and the answer to it.
    Preflight(Response),
    /// Data, for a page of this origin if that is on the list.
    Data(Option<HeaderValue>),
}

impl Default for Cors {
    fn default() -> Self {
        Self { origins: Vec::new(), credentials: false, max_age_s: 7200 }
    }
}

impl Cors {
    /// Checks the ranges, and that each origin is one.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        for origin in &self.origins {
            if !is_origin(origin) {
                let wrong = format!("holds {origin:?}, which is no origin");
                let hint = "write scheme, host and port in lower case, without a path: \
                            https://www.example.org; * and null are not taken";
                return Err(ConfigError::value("cors.origins", &wrong, hint));
            }
        }
        in_range("cors.max_age_s", self.max_age_s.into(), 0..=86_400)
    }

    /// The origin of a request, if it is on the list.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.origins
            .iter()
            .any(|known| known.as_bytes() == origin.as_bytes())
            .then(|| origin.clone())
    }

    fn allow(&self, origin: HeaderValue, answered: &mut HeaderMap) {
        answered.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.credentials {
            let yes = HeaderValue::from_static("true");
            answered.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
    }

    /// Who asks for what; a preflight of a listed origin is answered here.
    pub(crate) fn ask(&self, request: &Request) -> Asked {
        let is_data = || PATHS.iter().any(|start| request.uri().path().starts_with(start));
        if self.origins.is_empty() || !is_data() {
            return Asked::Nothing;
        }
        let origin = self.allowed(request.headers());
        let is_preflight = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        match origin {
            Some(origin) if is_preflight => Asked::Preflight(self.preflight(origin)),
            origin => Asked::Data(origin),
        }
    }

    /// Lets the page of a listed origin read what is answered to it.
    pub(crate) fn answer(&self, origin: Option<HeaderValue>, answered: &mut HeaderMap) {
        answered.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = origin {
            answered.insert(TIMING_ALLOW_ORIGIN, origin.clone());
            let names = HeaderValue::from_static(ANSWER_HEADERS);
            answered.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, names);
            self.allow(origin, answered);
        }
    }

    fn preflight(&self, origin: HeaderValue) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answered = response.headers_mut();
        self.allow(origin, answered);
        answered.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        let names = HeaderValue::from_static(REQUEST_HEADERS);
        answered.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
        answered.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(self.max_age_s));
        answered.insert(header::VARY, HeaderValue::from_static("origin"));
        response
    }
}

/// Whether `text` is an origin as browsers send it.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let default_port = if scheme == "https" { 443 } else { 80 };
    matches!(scheme, "http" | "https")
        && authority.port_u16() != Some(default_port)
        && !authority.as_str().contains(['@', '*'])
        && text == format!("{scheme}://{}", authority.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for good in ["https://www.example.org", "http://localhost:5173", "https://[2001:db8::1]"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "*",
            "null",
            "",
            "www.example.org",
            "https://www.example.org/",
            "https://www.example.org/a",
            "https://Www.example.org",
            "https://www.example.org:443",
            "http://www.example.org:80",
            "https://a@www.example.org",
            "ftp://www.example.org",
            "https://*.example.org",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
