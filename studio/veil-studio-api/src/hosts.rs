//! Whom this studio is: the hosts that it answers for, and the sites whose requests it takes.
//!
//! Owns: what stops DNS rebinding (a name that an attacker's page has is no name of ours, wherever it leads) and requests that another site's
//! page sends along. Refuses to know: sessions.

use std::net::SocketAddr;

use axum::http::{HeaderMap, Method, header};

/// The hosts, each with its port as browsers write it.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    names: Vec<String>,
    /// Whether the public address is one of TLS.
    pub(crate) is_tls: bool,
}

/// Why an address is none that a studio can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address such as https://studio.example.org")]
pub struct PublicUrlError(String);

impl Hosts {
    /// The hosts of a studio that listens on `address`, and is known to the outside by `public_url`.
    pub(crate) fn new(
        address: SocketAddr,
        public_url: Option<&str>,
    ) -> Result<Self, PublicUrlError> {
        let port = address.port();
        let mut names = vec![address.to_string()];
        if address.ip().is_loopback() || address.ip().is_unspecified() {
            names = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}")).into();
        }
        if port == 80 {
            let bare: Vec<String> = names
                .iter()
                .filter_map(|name| Some(name.strip_suffix(":80")?.to_owned()))
                .collect();
            names.extend(bare);
        }
        let mut hosts = Self { names, is_tls: false };
        if let Some(url) = public_url {
            hosts.add(url).ok_or_else(|| PublicUrlError(url.to_owned()))?;
        }
        Ok(hosts)
    }

    fn add(&mut self, url: &str) -> Option<()> {
        let url = url.trim_end_matches('/').to_ascii_lowercase();
        let (scheme, host) = url.split_once("://")?;
        let default = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return None,
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        if host.is_empty() || !host.chars().all(fits) {
            return None;
        }
        self.is_tls = scheme == "https";
        let bare = host.strip_suffix(default).unwrap_or(host);
        self.names.push(bare.to_owned());
        let has_port = bare.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
        if !has_port {
            self.names.push(format!("{bare}{default}"));
        }
        Some(())
    }

    /// Whether `Host` (or the authority of the target) is one of ours.
    pub(crate) fn knows(&self, host: &str) -> bool {
        self.names.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    /// Whether a request may come from where it says: our own page, or no page at all.
    pub(crate) fn is_own(&self, method: &Method, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).map(|value: &axum::http::HeaderValue| value.to_str());
        let from_origin = match text(header::ORIGIN) {
            None => true,
            Some(Ok(origin)) => {
                let host = origin.split_once("://").map(|(_, host)| host);
                host.is_some_and(|host| self.knows(host))
            }
            Some(Err(_)) => false,
        };
        // Browsers say how a page got here; to open ours from a link elsewhere is fine, to read from it isn't.
        let from_site = match text(header::HeaderName::from_static("sec-fetch-site")) {
            None | Some(Ok("same-origin" | "none")) => true,
            Some(Ok(_)) => *method == Method::GET && is_navigation(headers),
            Some(Err(_)) => false,
        };
        from_origin && from_site
    }
}

fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
        && headers.get("sec-fetch-dest").is_some_and(|dest| dest == "document")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(public_url: Option<&str>) -> Hosts {
        Hosts::new("127.0.0.1:4000".parse().unwrap(), public_url).unwrap()
    }

    #[test]
    fn a_name_that_merely_leads_here_is_none_of_ours() {
        let hosts = hosts(None);
        for host in ["127.0.0.1:4000", "localhost:4000", "LOCALHOST:4000", "[::1]:4000"] {
            assert!(hosts.knows(host), "{host}");
        }
        for host in ["evil.example:4000", "evil.example", "127.0.0.1", "127.0.0.1:4001", ""] {
            assert!(!hosts.knows(host), "{host}");
        }
    }

    #[test]
    fn a_public_address_is_known_with_and_without_its_default_port() {
        let hosts = hosts(Some("https://Studio.example.org/"));
        assert!(hosts.is_tls && hosts.knows("studio.example.org:443"));
        assert!(hosts.knows("studio.example.org") && !hosts.knows("studio.example.org:80"));
        for url in ["", "studio.example.org", "https://", "https://a/b", "https://a@b", "ftp://a"] {
            let made = Hosts::new("127.0.0.1:1".parse().unwrap(), Some(url));
            assert!(made.is_err(), "{url}");
        }
    }

    #[test]
    fn another_sites_page_is_told_by_what_its_browser_says() {
        let check = |method: Method, said: &[(&'static str, &str)], expected: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in said {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(hosts(None).is_own(&method, &headers), expected, "{method} {said:?}");
        };
        check(Method::POST, &[], true);
        check(Method::POST, &[("origin", "http://127.0.0.1:4000")], true);
        check(Method::POST, &[("origin", "http://evil.example:4000")], false);
        check(Method::POST, &[("origin", "null")], false);
        check(Method::GET, &[("sec-fetch-site", "same-origin")], true);
        check(
            Method::GET,
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
            false,
        );
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        check(Method::GET, &link, true);
        check(Method::POST, &link, false);
    }
}
