//! A gateway, as whoever has a link sees it.
//!
//! Specification: `docs/format/gateway-api.md`. Owns its requests and how long answers may be. Refuses to know keys but the bearer.

use std::collections::HashMap;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};
use veil_seal::grant::GrantRecord;
use veil_seal::id::ObjectName;
use zeroize::Zeroizing;

use super::link::Link;
use crate::error::CliError;
use crate::sealed::remote::{self, Url};

/// Longest answer with a grant or URLs.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;
/// Longest playlist, as the gateway writes them.
const MAX_PLAYLIST_BYTES: u64 = 64 << 20;

/// One grant at one gateway.
pub(crate) struct Door {
    agent: Agent,
    /// The grant's address.
    root: String,
    /// Scheme and host, for addresses that begin with a slash.
    origin: String,
    authorization: Zeroizing<String>,
}

/// What the gateway says of a grant.
pub(crate) struct Answer {
    /// The record, without what only the gateway needs.
    pub(crate) record: GrantRecord,
    /// Where objects lie that every playback needs.
    pub(crate) urls: HashMap<String, String>,
}

#[derive(Deserialize)]
struct WireAnswer {
    grant: serde_json::Value,
    urls: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Signed {
    urls: HashMap<String, String>,
}

#[derive(Deserialize)]
struct WireProblem {
    title: String,
}

impl Door {
    /// Knows where to knock; asks nothing yet.
    pub(crate) fn new(link: &Link) -> Result<Self, CliError> {
        let root = format!("{}/v1/grants/{}", link.base, link.grant);
        let (scheme, rest) = link.base.split_once("://").unwrap_or_default();
        let host = rest.split('/').next().unwrap_or_default();
        let origin = format!("{scheme}://{host}");
        let authorization = Zeroizing::new(format!("Bearer {}", *link.secret.bearer().to_text()));
        Ok(Self { agent: remote::agent()?, root, origin, authorization })
    }

    /// The grant.
    pub(crate) fn grant(&self) -> Result<Answer, CliError> {
        let body = self.ask("", MAX_ANSWER_BYTES)?;
        let wire: WireAnswer = serde_json::from_slice(&body).map_err(|_| broken())?;
        let mut record = wire.grant;
        if let Some(members) = record.as_object_mut() {
            members.insert("bearer_sha256".into(), json!(""));
        }
        let record = serde_json::from_value(record).map_err(|_| broken())?;
        Ok(Answer { record, urls: wire.urls })
    }

    /// The objects that a rendition's playlist names, in order, each once: their last names and their URLs.
    pub(crate) fn playlist(&self, name: ObjectName) -> Result<Vec<(String, String)>, CliError> {
        let body = self.ask(&format!("/{name}.m3u8"), MAX_PLAYLIST_BYTES)?;
        let text = std::str::from_utf8(&body).map_err(|_| broken())?;
        let mut listed: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let map =
                line.strip_prefix("#EXT-X-MAP:URI=\"").and_then(|rest| rest.split('"').next());
            let uri = map.or_else(|| (!line.starts_with('#') && !line.is_empty()).then_some(line));
            let Some(uri) = uri else { continue };
            if listed.last().is_none_or(|(_, url)| url != uri) {
                let path = uri.split(['?', '#']).next().unwrap_or_default();
                let name = path.rsplit('/').next().unwrap_or_default();
                listed.push((name.to_owned(), uri.to_owned()));
            }
        }
        Ok(listed)
    }

    /// Where an object lies now.
    pub(crate) fn sign(&self, name: ObjectName) -> Result<String, CliError> {
        let address = format!("{}/sign", self.root);
        let request = self.agent.post(&address).header(header::AUTHORIZATION, &*self.authorization);
        let body = json!({ "names": [name.to_string()] }).to_string();
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let answer = request.send(body).map_err(|error| self.unreachable(error))?;
        let body = self.read(answer, MAX_ANSWER_BYTES)?;
        let signed: Signed = serde_json::from_slice(&body).map_err(|_| broken())?;
        signed.urls.get(&name.to_string()).cloned().ok_or_else(broken)
    }

    /// An object, or a range of what it lies in, of `bytes` bytes; `None` where its address has run out.
    pub(crate) fn object(
        &self,
        url: &str,
        range: Option<&Range<u64>>,
        bytes: u64,
    ) -> Result<Option<Vec<u8>>, CliError> {
        let url =
            if url.starts_with('/') { format!("{}{url}", self.origin) } else { url.to_owned() };
        let mut request = self.agent.get(&url);
        if let Some(Range { start, end }) = range {
            request = request.header(header::RANGE, format!("bytes={start}-{}", end - 1));
        }
        let answer = request.call().map_err(|error| self.unreachable(error))?;
        match (answer.status(), range) {
            (StatusCode::OK, None) | (StatusCode::PARTIAL_CONTENT, Some(_)) => {}
            (StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST, _) => return Ok(None),
            (StatusCode::OK, Some(_)) => {
                return Err(CliError::new("the store doesn't serve parts of a file"));
            }
            (status, _) => return Err(CliError::new(format!("the store answers {status}"))),
        }
        let mut body = Vec::new();
        let mut limited = answer.into_body().into_reader().take(bytes.saturating_add(1));
        limited.read_to_end(&mut body).map_err(|error| {
            CliError::new(format!("the store stopped sending: {error}")).hint("try again")
        })?;
        Ok(Some(body))
    }

    fn ask(&self, path: &str, limit: u64) -> Result<Vec<u8>, CliError> {
        let address = format!("{}{path}", self.root);
        let request = self.agent.get(&address).header(header::AUTHORIZATION, &*self.authorization);
        let answer = request.call().map_err(|error| self.unreachable(error))?;
        self.read(answer, limit)
    }

    fn read(&self, answer: Response<Body>, limit: u64) -> Result<Vec<u8>, CliError> {
        let status = answer.status();
        let mut body = Vec::new();
        let mut limited = answer.into_body().into_reader().take(limit);
        limited.read_to_end(&mut body).map_err(|_| broken())?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        let said: Option<WireProblem> = serde_json::from_slice(&body).ok();
        let why = said.map_or_else(|| format!("it answers {status}"), |problem| problem.title);
        Err(CliError::new(format!("the gateway refuses: {why}")))
    }

    fn unreachable(&self, error: ureq::Error) -> CliError {
        match Url::of_path(Path::new(&self.root)) {
            Some(url) => remote::unreachable(error, &url),
            None => CliError::new(format!("the gateway cannot be reached: {error}")),
        }
    }
}

fn broken() -> CliError {
    CliError::new("the gateway's answer makes no sense").hint("check the link's address")
}
