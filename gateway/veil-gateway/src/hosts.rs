//! For whom this gateway answers: the hosts of its own URLs and nobody else's.
//!
//! Owns the allow-list against DNS rebinding: a page of `evil.example` whose name suddenly resolves
//! to 127.0.0.1 sends `Host: evil.example` and gets nothing. Invariant: behind [`Hosts::admit`], every
//! request carries one [`Host`], which is an entry of the list and not the client's spelling of it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{Uri, Version, header};

use crate::problem::Problem;
use crate::ready::PROBE_PATHS;

/// The host that a request is for, as URLs are signed for it.
#[derive(Clone)]
pub(crate) struct Host(pub(crate) Arc<str>);

impl From<&str> for Host {
    fn from(host: &str) -> Self {
        Self(host.into())
    }
}

/// The hosts that a gateway answers for.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// What may stand in `Host`, in lower case, and the form that URLs are signed for.
    /// Shared, since every request has a copy.
    entries: Arc<Vec<(String, Arc<str>)>>,
    /// Whether a name was added by which others may reach this gateway.
    has_public: bool,
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown: Vec<&str> = self.entries.iter().map(|(_, signed)| &**signed).collect();
        shown.dedup();
        f.write_str(&shown.join(", "))
    }
}

/// Why a public URL was not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicUrlError {
    /// It is no URL with scheme `https` or `http` and a host.
    #[error("a public URL begins with https:// or http:// and a host")]
    NotHttp,
    /// It has a path, a query or a user.
    #[error("a public URL has no path, query or user: the gateway answers at the root")]
    NotRoot,
}

impl Hosts {
    /// The hosts of a gateway that listens on `address`: on a loopback address, its usual names. Port
    /// 443 is taken for TLS.
    #[must_use]
    pub fn listening_on(address: SocketAddr) -> Self {
        let mut hosts = Self { entries: Arc::default(), has_public: false };
        if address.ip().is_loopback() {
            let port = address.port();
            let default_port = if port == 443 { ":443" } else { ":80" };
            for host in [
                format!("127.0.0.1:{port}"),
                format!("localhost:{port}"),
                format!("[::1]:{port}"),
                address.to_string(),
            ] {
                hosts.add(host, default_port);
            }
        }
        hosts
    }

    /// Adds the host of a public URL (`https://videos.example.org`).
    ///
    /// # Errors
    /// A URL that is not http or https, or that names more than a host.
    pub fn add_public_url(&mut self, url: &str) -> Result<(), PublicUrlError> {
        let uri: Uri = url.parse().map_err(|_| PublicUrlError::NotHttp)?;
        let default_port = match uri.scheme_str() {
            Some("https") => ":443",
            Some("http") => ":80",
            _ => return Err(PublicUrlError::NotHttp),
        };
        let authority = uri.authority().ok_or(PublicUrlError::NotHttp)?.as_str();
        let is_root = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if !is_root || authority.contains('@') || url.contains('#') {
            return Err(PublicUrlError::NotRoot);
        }
        self.add(authority.to_ascii_lowercase(), default_port);
        self.has_public = true;
        Ok(())
    }

    /// Whether no host at all is answered for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether only this machine is answered: a loopback address, and no name for anybody else.
    pub(crate) fn are_local(&self) -> bool {
        !self.is_empty() && !self.has_public
    }

    /// Adds a host with and without its scheme's default port.
    fn add(&mut self, host: String, default_port: &str) {
        let bare = host.strip_suffix(default_port).unwrap_or(&host);
        let signed: Arc<str> = bare.into();
        let entries = Arc::make_mut(&mut self.entries);
        entries.push((format!("{bare}{default_port}"), Arc::clone(&signed)));
        entries.push((bare.to_owned(), signed));
    }

    fn find(&self, shown: &str) -> Option<Host> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|(accepted, _)| accepted.eq_ignore_ascii_case(shown));
        entry.map(|(_, signed)| Host(Arc::clone(signed)))
    }

    /// Lets a request for a known host through, with its [`Host`]; refuses the rest.
    pub(crate) fn admit(&self, request: &mut Request) -> Result<(), Problem> {
        if PROBE_PATHS.contains(&request.uri().path()) {
            return Ok(());
        }
        let host = self.find(shown_host(request)?).ok_or(Problem::host_unknown())?;
        request.extensions_mut().insert(host);
        Ok(())
    }
}

/// The one host that a request shows: in `Host` and (RFC 9112 §3.2.2) an absolute-form target, or in
/// HTTP/2's `:authority`, which stands for `Host` (RFC 9113 §8.3.1).
fn shown_host(request: &Request) -> Result<&str, Problem> {
    let authority = request.uri().authority().map(Authority::as_str);
    let mut values = request.headers().get_all(header::HOST).iter();
    let host = match (values.next(), values.next()) {
        (None, _) if request.version() == Version::HTTP_2 => authority,
        (Some(value), None) => Some(
            value.to_str().map_err(|_| Problem::bad_request("the Host header is not readable"))?,
        ),
        _ => None,
    };
    let host = host.ok_or(Problem::bad_request("a request has exactly one Host header"))?;
    match authority {
        Some(authority) if !authority.eq_ignore_ascii_case(host) => {
            Err(Problem::bad_request("the target and the Host header name different hosts"))
        }
        _ => Ok(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(hosts: &Hosts, shown: &str) -> Option<String> {
        hosts.find(shown).map(|host| host.0.to_string())
    }

    #[test]
    fn a_loopback_listener_answers_for_its_loopback_names_with_its_port() {
        let hosts = Hosts::listening_on("127.0.0.2:8787".parse().unwrap());
        for host in ["127.0.0.1:8787", "localhost:8787", "LOCALHOST:8787", "[::1]:8787"] {
            assert_eq!(signed(&hosts, host), Some(host.to_lowercase()));
        }
        for host in
            ["127.0.0.1", "localhost", "localhost:1", "evil.example:8787", "", "127.0.0.1:8787."]
        {
            assert_eq!(signed(&hosts, host), None, "{host}");
        }
        assert!(Hosts::listening_on("0.0.0.0:8787".parse().unwrap()).is_empty());
    }

    #[test]
    fn a_public_url_is_answered_with_and_without_its_default_port_as_one_host() {
        let mut hosts = Hosts::listening_on("0.0.0.0:80".parse().unwrap());
        hosts.add_public_url("https://Videos.example.org/").unwrap();
        hosts.add_public_url("http://plain.example:80").unwrap();
        hosts.add_public_url("https://odd.example:8443").unwrap();
        let videos = Some("videos.example.org".to_owned());
        assert_eq!(signed(&hosts, "videos.example.org"), videos);
        assert_eq!(signed(&hosts, "videos.example.org:443"), videos);
        assert_eq!(signed(&hosts, "videos.example.org:80"), None);
        assert_eq!(signed(&hosts, "plain.example"), Some("plain.example".to_owned()));
        assert_eq!(signed(&hosts, "odd.example:8443"), Some("odd.example:8443".to_owned()));
        assert_eq!(signed(&hosts, "odd.example"), None);
    }

    #[test]
    fn a_public_url_that_names_more_than_a_host_is_refused() {
        let mut hosts = Hosts::listening_on("0.0.0.0:80".parse().unwrap());
        for (url, expected) in [
            ("videos.example.org", PublicUrlError::NotHttp),
            ("ftp://videos.example.org", PublicUrlError::NotHttp),
            ("https://", PublicUrlError::NotHttp),
            ("https://videos.example.org/sub", PublicUrlError::NotRoot),
            ("https://videos.example.org/?a", PublicUrlError::NotRoot),
            ("https://user@videos.example.org", PublicUrlError::NotRoot),
        ] {
            assert_eq!(hosts.add_public_url(url), Err(expected), "{url}");
        }
    }
}
