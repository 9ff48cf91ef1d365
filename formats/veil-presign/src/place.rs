//! Where objects lie: an S3 endpoint, and a folder of a bucket in path style.
//!
//! Owns what a URL's text before the name may be. Refuses what a client would send otherwise than it was signed: an
//! upper-case host, a default port, dot segments. Knows no configuration: it is given text.

/// Longest bucket name, in bytes (S3's limit).
const BUCKET_BYTES_MAX: usize = 63;

/// Longest key of S3, in bytes.
const KEY_BYTES_MAX: usize = 1024;

/// The address of a store: scheme and host, with a port unless it is the scheme's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    scheme: &'static str,
    host: String,
}

/// Why a place is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaceError {
    /// The endpoint does not begin with `https://` or `http://`.
    #[error("the endpoint does not begin with https:// or http://")]
    Scheme,
    /// The endpoint has more than a host and a port, or none.
    #[error("the endpoint is not a host, or a host and a port")]
    Host,
    /// The bucket's name has a character that none has, or is too long or empty.
    #[error("the bucket's name is empty, too long or has a character that none has")]
    Bucket,
    /// The prefix has an empty or a dot segment, which clients take out of a URL, or is too long.
    #[error("the prefix is too long or has an empty segment, `.` or `..`")]
    Prefix,
}

impl Endpoint {
    /// Reads `https://host`, `http://host:port`, with a slash at the end or without.
    ///
    /// # Errors
    /// Another scheme, a path, a query, a user, no host, or a port that is no number up to 65535.
    pub fn parse(url: &str) -> Result<Self, PlaceError> {
        let (scheme, rest) = url.split_once("://").ok_or(PlaceError::Scheme)?;
        let (scheme, own_port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => ("https", 443),
            "http" => ("http", 80),
            _ => return Err(PlaceError::Scheme),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (authority.as_str(), None),
        };
        if !is_host(name) {
            return Err(PlaceError::Host);
        }
        let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let port: Option<u16> = match port {
            None => None,
            Some(text) if is_number(text) => Some(text.parse().map_err(|_| PlaceError::Host)?),
            Some(_) => return Err(PlaceError::Host),
        };
        let host = match port {
            Some(port) if port != own_port => format!("{name}:{port}"),
            _ => name.to_owned(),
        };
        Ok(Self { scheme, host })
    }

    /// The HTTPS address of a host that is known to be one.
    pub(crate) fn https(host: String) -> Self {
        Self { scheme: "https", host }
    }

    /// The address of a host below this one, as stores give one to each bucket.
    pub(crate) fn below(&self, label: &str) -> Self {
        Self { scheme: self.scheme, host: format!("{label}.{}", self.host) }
    }

    /// `https` or `http`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The `Host` header of requests to it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl core::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)
    }
}

/// Whether a bucket can have this name.
pub(crate) fn is_bucket(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let is_dots = name.bytes().all(|b| b == b'.');
    !is_dots && name.len() <= BUCKET_BYTES_MAX && name.bytes().all(plain)
}

/// Whether this is a name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(name: &str) -> bool {
    if let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<core::net::Ipv6Addr>().is_ok();
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    !name.is_empty() && name.bytes().all(plain)
}

/// The path of a folder of a bucket in path style, not percent-encoded: `/bucket/prefix/`.
///
/// `prefix` may end in a slash, and be empty.
///
/// # Errors
/// A bucket or prefix whose URL a client would send otherwise than it was signed.
pub fn folder_path(bucket: &str, prefix: &str) -> Result<String, PlaceError> {
    if !is_bucket(bucket) {
        return Err(PlaceError::Bucket);
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    if prefix.is_empty() {
        return Ok(format!("/{bucket}/"));
    }
    let is_bad = |segment: &str| matches!(segment, "" | "." | "..");
    if prefix.len() > KEY_BYTES_MAX || prefix.split('/').any(is_bad) {
        return Err(PlaceError::Prefix);
    }
    Ok(format!("/{bucket}/{prefix}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_what_a_client_sends_as_host() {
        let check = |url: &str, scheme: &str, host: &str| {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!((endpoint.scheme(), endpoint.host()), (scheme, host), "{url}");
        };
        check("https://s3.eu-west-1.amazonaws.com", "https", "s3.eu-west-1.amazonaws.com");
        check("HTTPS://S3.Example.org:443/", "https", "s3.example.org");
        check("http://127.0.0.1:80", "http", "127.0.0.1");
        check("http://localhost:443", "http", "localhost:443");
        check("http://[::1]:9000", "http", "[::1]:9000");
        check("https://[2001:DB8::1]/", "https", "[2001:db8::1]");
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        let check = |url: &str, expected| {
            assert_eq!(Endpoint::parse(url), Err(expected), "{url}");
        };
        for url in ["", "s3.example.org", "ftp://a", "//a", "https:/a"] {
            check(url, PlaceError::Scheme);
        }
        for url in [
            "https://",
            "https:///",
            "https://a/b",
            "https://a//",
            "https://u@a",
            "https://a?b",
            "https://a#b",
            "https://a:b",
            "https://a:",
            "https://a:65536",
            "https://a b",
            "https://é",
            "https://[::1",
            "https://[a]",
            "https://:80",
            "https://a:+1",
        ] {
            check(url, PlaceError::Host);
        }
    }

    #[test]
    fn a_folder_has_one_slash_between_its_parts_and_none_that_clients_resolve() {
        let good = |bucket: &str, prefix: &str, path: &str| {
            assert_eq!(folder_path(bucket, prefix).as_deref(), Ok(path));
        };
        good("videos", "", "/videos/");
        good("videos", "/", "/videos/");
        good("videos", "v/a b", "/videos/v/a b/");
        good("my.videos", "v/", "/my.videos/v/");
        for bucket in ["", ".", "..", "a/b", "a b", &"b".repeat(64)] {
            assert_eq!(folder_path(bucket, "v"), Err(PlaceError::Bucket), "{bucket}");
        }
        for prefix in ["/v", "v//a", "v//", "v/../a", ".", "v/.", &"v".repeat(1025)] {
            assert_eq!(folder_path("videos", prefix), Err(PlaceError::Prefix), "{prefix}");
        }
    }
}
