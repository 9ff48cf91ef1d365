//! Who sent a request: the other end of the connection, or whom a trusted proxy says it speaks for.
//!
//! Owns which networks are believed, and the reading of `X-Forwarded-For` and `Forwarded` (RFC 7239).
//! Invariant: a hop is believed only if the hop that tells of it is trusted, so what a client writes
//! into the header itself counts for nothing.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of a request's connection.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// A network in CIDR form, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

/// A text that names no network.
#[derive(Debug, thiserror::Error)]
#[error("a network is written as 10.0.0.0/8, 2001:db8::/32 or one address")]
pub struct NetworkError;

/// Proxies that are believed: the table `[proxy]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Proxies {
    /// Networks of proxies whose word on a client's address is taken. Default none.
    pub trusted: Vec<Network>,
    /// The header that they write: the other one is never read. Default `x-forwarded-for`.
    pub header: ForwardedHeader,
}

/// How a proxy tells whom it speaks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: addresses, nearest last.
    #[default]
    XForwardedFor,
    /// `Forwarded` of RFC 7239.
    Forwarded,
}

impl Network {
    /// The loopback network of an address family.
    pub(crate) fn loopback(of: IpAddr) -> Self {
        let prefix = if of.is_ipv4() { 8 } else { 128 };
        Self(IpNet::new_assert(of, prefix).trunc())
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let network = text.parse().or_else(|_| text.parse().map(|one: IpAddr| IpNet::from(one)));
        network.map(|network: IpNet| Self(network.trunc())).map_err(|_| NetworkError)
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Proxies {
    pub(crate) fn trust(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// The client behind `peer`: the nearest address that no trusted proxy has.
    pub(crate) fn client(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.0;
        if !self.trust(nearest) {
            return nearest;
        }
        let name = match self.header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => header::FORWARDED,
        };
        let read = |value: &str| match self.header {
            ForwardedHeader::XForwardedFor => list(value),
            ForwardedHeader::Forwarded => forwarded(value),
        };
        let values = headers.get_all(name).into_iter();
        let hops: Vec<Option<IpAddr>> =
            values.flat_map(|value| value.to_str().map_or_else(|_| vec![None], read)).collect();
        for hop in hops.into_iter().rev() {
            let (Some(hop), true) = (hop, self.trust(nearest)) else { break };
            nearest = hop;
        }
        nearest
    }
}

/// The addresses of an `X-Forwarded-For`; `None` for what is none.
fn list(value: &str) -> Vec<Option<IpAddr>> {
    value.split(',').map(|hop| address(hop.trim())).collect()
}

/// The `for` of each element of a `Forwarded`; `None` for one that has none, or no address in it.
fn forwarded(value: &str) -> Vec<Option<IpAddr>> {
    let is_for = |pair: &str| {
        let (name, node) = pair.split_once('=')?;
        let node = node.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("for").then(|| address(node))?
    };
    // A quoted node holds brackets and colons, and neither a comma nor a semicolon.
    value.split(',').map(|element| element.split(';').find_map(is_for)).collect()
}

/// An address, with or without a port, IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let found: Option<IpAddr> = text.parse().ok().or_else(bare);
    let found = found.or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()));
    found.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: ForwardedHeader, peer: &str, lines: &[&str], expected: &str) {
        let trusted = ["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"];
        let trusted = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            headers.append(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        let client = Proxies { trusted, header }.client(Peer(peer.parse().unwrap()), &headers);
        assert_eq!(client, expected.parse::<IpAddr>().unwrap(), "{lines:?}");
    }

    #[test]
    fn a_trusted_proxy_tells_the_nearest_address_that_is_no_proxy() {
        let check = |peer, lines: &[&str], expected| {
            check(ForwardedHeader::XForwardedFor, peer, lines, expected);
        };
        check("127.0.0.1", &["x-forwarded-for: 192.0.2.1"], "192.0.2.1");
        check("127.0.0.1", &["x-forwarded-for: 192.0.2.1, 10.1.1.1"], "192.0.2.1");
        check("127.0.0.1", &["x-forwarded-for: 198.51.100.9, 192.0.2.1, 10.1.1.1"], "192.0.2.1");
        check("10.2.2.2", &["x-forwarded-for: 9.9.9.9", "x-forwarded-for: 192.0.2.1"], "192.0.2.1");
        check("127.0.0.1", &["x-forwarded-for: 192.0.2.1:4711"], "192.0.2.1");
        check("127.0.0.1", &["x-forwarded-for: [2001:db9::1]:4711"], "2001:db9::1");
        check("127.0.0.1", &["x-forwarded-for: 2001:db9::1"], "2001:db9::1");
        check("127.0.0.1", &["x-forwarded-for: ::ffff:192.0.2.1"], "192.0.2.1");
        check("127.0.0.1", &["x-forwarded-for: 10.0.0.1, 10.0.0.2"], "10.0.0.1");
    }

    #[test]
    fn what_a_stranger_writes_or_nobody_can_read_counts_for_nothing() {
        let check = |peer, lines: &[&str], expected| {
            check(ForwardedHeader::XForwardedFor, peer, lines, expected);
        };
        check("192.0.2.7", &["x-forwarded-for: 192.0.2.1"], "192.0.2.7");
        check("127.0.0.1", &[], "127.0.0.1");
        check("127.0.0.1", &["x-forwarded-for: unknown"], "127.0.0.1");
        check("127.0.0.1", &["x-forwarded-for: 192.0.2.1, evil, 10.0.0.1"], "10.0.0.1");
        check("127.0.0.1", &["x-forwarded-for: \u{e9}"], "127.0.0.1");
        check("127.0.0.1", &["forwarded: for=192.0.2.1"], "127.0.0.1");
    }

    #[test]
    fn forwarded_is_read_where_it_is_the_header_that_counts() {
        let check = |lines: &[&str], expected| {
            check(ForwardedHeader::Forwarded, "127.0.0.1", lines, expected);
        };
        check(&["forwarded: for=192.0.2.43"], "192.0.2.43");
        check(&["forwarded: proto=https;For=\"192.0.2.43:80\";by=10.0.0.1"], "192.0.2.43");
        check(&["forwarded: for=192.0.2.43, for=\"[2001:db8:cafe::17]:4711\""], "192.0.2.43");
        check(&["forwarded: for=\"[2001:db9::17]\""], "2001:db9::17");
        check(&["forwarded: for=_hidden, for=10.0.0.3"], "10.0.0.3");
        check(&["forwarded: proto=https"], "127.0.0.1");
        check(&["x-forwarded-for: 192.0.2.1"], "127.0.0.1");
    }

    #[test]
    fn a_network_is_one_address_or_many_and_nothing_else() {
        let network = |text: &str| text.parse::<Network>();
        assert!(network("10.1.2.3/8").unwrap().contains("10.9.9.9".parse().unwrap()));
        assert_eq!(network("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert!(!network("::1").unwrap().contains("::2".parse().unwrap()));
        for text in ["", "10.0.0.0/33", "example.org", "10.0.0.0/8/8", "*"] {
            assert!(network(text).is_err(), "{text}");
        }
    }
}
