//! Sealed files on web servers, read by HTTP range requests (RFC 9110 §14).
//!
//! What a range of the content needs is known before the first key is tried, so three requests are enough: the front, the last chunk, the
//! chunks of the range. Nothing that a server says is believed: what it sends is opened like a file, and its claims about lengths are checked
//! by opening the last chunk.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::header::{CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, LAST_MODIFIED, RANGE};
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body};
use veil_seal::SealError;
use veil_seal::chunks::{CHUNK_BYTES, HEADER_BYTES, chunk_offset, plaintext_len, sealed_range};
use veil_seal::file::MIN_HALF_BYTES;

use crate::error::CliError;
use crate::sealed::foreign::not_sealed;
use crate::sealed::range::ByteRange;
use crate::sealed::refusal::{refused, unreadable};
use crate::sealed::source::front_bytes;

/// The first request: the front of a file with up to three recipients, and the header of its body.
const FIRST_BYTES: u64 = 2 * MIN_HALF_BYTES as u64 + HEADER_BYTES as u64;
/// How often a server may send us elsewhere.
const MAX_REDIRECTS: u32 = 5;
/// The longest head of an answer.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long a server may take to be reached.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// How long a server may take to answer, and how long nothing may come of an answer.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// An address that begins with `http://` or `https://`.
pub(crate) struct Url(String);

impl Url {
    /// The URL that stands where a path could.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        let text = path.to_str()?;
        let scheme = text.split_once("://")?.0;
        let http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        http.then(|| Self(text.to_owned()))
    }

    /// The address without user, password and query, which may hold secrets.
    pub(crate) fn shown(&self) -> String {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.rsplit('@').next().unwrap_or_default();
        format!("{scheme}://{host}/{path}")
    }
}

/// All of a file, as it comes.
pub(crate) fn whole(url: &Url) -> Result<Box<dyn Read + Send>, CliError> {
    let answer = agent()?.get(&url.0).call().map_err(|error| unreachable(error, url))?;
    match answer.status() {
        StatusCode::OK => Ok(Box::new(answer.into_body().into_reader())),
        status => Err(refusal(status, url)),
    }
}

/// A file on a server that is read at any place.
pub(crate) struct Remote {
    agent: Agent,
    url: Url,
    version: Version,
    length: u64,
    position: u64,
    /// The file's first bytes.
    front: Vec<u8>,
    /// What one request shall fetch.
    plan: Vec<Range<u64>>,
    stream: Option<Stream>,
}

/// An answer that is being read.
struct Stream {
    at: u64,
    end: u64,
    body: Box<dyn Read + Send>,
}

/// What tells one state of a file from another.
#[derive(PartialEq, Eq, Debug, Default)]
struct Version {
    etag: Option<String>,
    modified: Option<String>,
}

impl Version {
    fn of(headers: &HeaderMap) -> Self {
        let text =
            |name| headers.get(name).and_then(|value| value.to_str().ok().map(str::to_owned));
        Self { etag: text(ETAG), modified: text(LAST_MODIFIED) }
    }

    /// What `If-Range` may carry: a strong tag.
    fn strong(&self) -> Option<&str> {
        self.etag.as_deref().filter(|tag| tag.starts_with('"'))
    }
}

impl Remote {
    /// Fetches the front of a file.
    pub(crate) fn open(url: Url) -> Result<Self, CliError> {
        let mut remote = Self {
            agent: agent()?,
            url,
            version: Version::default(),
            length: 0,
            position: 0,
            front: Vec::new(),
            plan: Vec::new(),
            stream: None,
        };
        let answer = remote.request(0..FIRST_BYTES)?;
        remote.version = Version::of(answer.headers());
        let told = content_range(&answer);
        let Some((_, length)) = told.filter(|(range, all)| *range == (0..FIRST_BYTES.min(*all)))
        else {
            return Err(remote.bad_answer());
        };
        remote.length = length;
        let mut body = answer.into_body().into_reader().take(FIRST_BYTES);
        let read = body.read_to_end(&mut remote.front);
        read.map_err(|error| CliError::new(format!("{}: {error}", remote.name())))?;
        Ok(remote)
    }

    /// What to call it.
    pub(crate) fn name(&self) -> String {
        self.url.shown()
    }

    /// Bytes of the file, as the server says.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Reads everything before the body.
    pub(crate) fn front(&mut self) -> Result<Vec<u8>, CliError> {
        let name = self.name();
        let bytes = front_bytes(&self.front, &name)?;
        self.plan.push(0..(bytes + HEADER_BYTES) as u64);
        let mut front = Vec::with_capacity(bytes);
        self.position = 0;
        let read = Read::by_ref(self).take(bytes as u64).read_to_end(&mut front);
        read.map_err(|error| unreadable(&error, &name))?;
        Ok(front)
    }

    /// Plans the requests for a range of the content of a file whose body begins at `body`.
    pub(crate) fn plan(&mut self, body: u64, range: ByteRange) -> Result<(), CliError> {
        let length = self.length.checked_sub(body).and_then(plaintext_len);
        let length = length.ok_or_else(|| refused(SealError::Truncated, &self.name()))?;
        let last = body + chunk_offset(length / CHUNK_BYTES as u64);
        let wanted = sealed_range(range.within(length)?);
        let wanted = body + wanted.start..self.length.min(body.saturating_add(wanted.end));
        self.plan.extend([last..self.length, wanted]);
        Ok(())
    }

    /// How far a request from `at` on shall go.
    fn end_from(&self, at: u64, wanted: usize) -> u64 {
        let planned = self.plan.iter().filter(|range| range.contains(&at)).map(|range| range.end);
        planned.max().unwrap_or(at + wanted as u64).min(self.length)
    }

    fn request(&self, range: Range<u64>) -> Result<Response<Body>, CliError> {
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let mut request = self.agent.get(&self.url.0).header(RANGE, bytes);
        if let Some(tag) = self.version.strong() {
            request = request.header(IF_RANGE, tag);
        }
        let answer = request.call().map_err(|error| unreachable(error, &self.url))?;
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => Ok(answer),
            StatusCode::OK if self.front.is_empty() => Err(self.no_ranges()),
            StatusCode::OK | StatusCode::PRECONDITION_FAILED => Err(self.changed()),
            StatusCode::RANGE_NOT_SATISFIABLE if self.front.is_empty() => {
                Err(not_sealed(b"", &self.name()))
            }
            StatusCode::RANGE_NOT_SATISFIABLE => Err(self.changed()),
            status => Err(refusal(status, &self.url)),
        }
    }

    /// Begins to read at the position.
    fn fetch(&mut self, wanted: usize) -> io::Result<()> {
        let range = self.position..self.end_from(self.position, wanted);
        let answer = self.request(range.clone()).map_err(told)?;
        let told_range = content_range(&answer);
        if Version::of(answer.headers()) != self.version
            || told_range.as_ref().is_some_and(|(_, length)| *length != self.length)
        {
            return Err(told(self.changed()));
        }
        if told_range != Some((range.clone(), self.length)) {
            return Err(told(self.bad_answer()));
        }
        let body = Box::new(answer.into_body().into_reader());
        self.stream = Some(Stream { at: range.start, end: range.end, body });
        Ok(())
    }

    fn no_ranges(&self) -> CliError {
        CliError::new(format!("the server of {} does not serve ranges", self.name()))
            .hint("download the file first; `veilcast open` takes all of it without --range")
    }

    fn changed(&self) -> CliError {
        CliError::new(format!("{} changed while it was read", self.name())).hint("try again")
    }

    fn bad_answer(&self) -> CliError {
        CliError::new(format!(
            "the server of {} answers another range than it was asked for",
            self.name()
        ))
        .hint("download the file, and open that")
    }
}

impl Read for Remote {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.length || out.is_empty() {
            return Ok(0);
        }
        let known = usize::try_from(self.position).ok().and_then(|at| self.front.get(at..));
        if let Some(known) = known.filter(|known| !known.is_empty()) {
            let bytes = known.len().min(out.len());
            out[..bytes].copy_from_slice(&known[..bytes]);
            self.position += bytes as u64;
            return Ok(bytes);
        }
        if self
            .stream
            .as_ref()
            .is_none_or(|stream| stream.at != self.position || stream.at == stream.end)
        {
            self.fetch(out.len())?;
        }
        let Some(stream) = &mut self.stream else { return Ok(0) };
        let most = usize::try_from(stream.end - stream.at).unwrap_or(usize::MAX).min(out.len());
        let bytes = stream.body.read(&mut out[..most])?;
        stream.at += bytes as u64;
        self.position += bytes as u64;
        if bytes == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server sent too little"));
        }
        Ok(bytes)
    }
}

impl Seek for Remote {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Carries an error with its hint through `io::Error`.
fn told(error: CliError) -> io::Error {
    io::Error::other(error)
}

/// The range that an answer says it holds, and the length of the whole: `bytes 0-99/1234`.
fn content_range(answer: &Response<Body>) -> Option<(Range<u64>, u64)> {
    let text = answer.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
    let length = length.parse().ok()?;
    (first <= last && last < length).then_some((first..last + 1, length))
}

pub(crate) fn agent() -> Result<Agent, CliError> {
    let roots = rustls_native_certs::load_native_certs();
    let roots = roots.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::from(roots))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(MAX_REDIRECTS)
        .max_response_header_size(MAX_HEAD_BYTES)
        .user_agent(concat!("veilcast/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .timeout_resolve(Some(CONNECT_LIMIT))
        .timeout_connect(Some(CONNECT_LIMIT))
        .timeout_recv_response(Some(IDLE_LIMIT))
        .timeout_per_read(Some(IDLE_LIMIT));
    Ok(config.build().new_agent())
}

pub(crate) fn refusal(status: StatusCode, url: &Url) -> CliError {
    let error = CliError::new(format!("the server of {} answers {status}", url.shown()));
    match status.as_u16() {
        401 | 403 => error.hint("the link may have expired, or need a login"),
        404 | 410 => error.hint("check the address"),
        500.. => error.hint("try again later"),
        _ => error,
    }
}

pub(crate) fn unreachable(error: ureq::Error, url: &Url) -> CliError {
    let name = url.shown();
    match error {
        ureq::Error::TooManyRedirects => {
            CliError::new(format!("{name} leads on more than {MAX_REDIRECTS} times"))
                .hint("use the address that it leads to in the end")
        }
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            CliError::new(format!("{name} is not an address"))
                .hint("it looks like https://host/file")
        }
        error => CliError::new(format!("cannot fetch {name}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        let shown = |text: &str| Url::of_path(Path::new(text)).map(|url| url.shown());
        let expected = "https://example.org/a/b.veil";
        assert_eq!(
            shown("https://example.org/a/b.veil?X-Amz-Signature=1#x").as_deref(),
            Some(expected)
        );
        assert_eq!(shown("https://me:secret@example.org/a/b.veil").as_deref(), Some(expected));
        assert_eq!(shown("HTTP://h").as_deref(), Some("HTTP://h/"));
        for path in ["film.veil", "ftp://h/x", "/http://h", "https:/h"] {
            assert_eq!(shown(path), None, "{path}");
        }
    }
}
