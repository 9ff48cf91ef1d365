//! How often somebody may ask.
//!
//! Owns the limits per address and per grant, and the answer `429`. The measure is the generic cell
//! rate algorithm (ITU-T I.371): a burst, then a steady rate; one number a subject. Memory is bounded:
//! a flood of addresses pushes out those that were seen once, and never those that come again and
//! again. An IPv6 client is its /64, which is what one subscriber gets. Invariant: a grant is counted
//! together with the bearer that was shown, so that who knows a grant's id but not its secret can't use
//! up its viewers' requests.

mod table;

use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, in_range};
use crate::peer::{Network, Peer, Proxies};
use crate::ready::PROBE_PATHS;
use table::{Quota, Table};
pub(crate) use table::{Refused, Subject};

/// Below it lies what a grant's bearer opens.
const GRANTS_PATH: &str = "/v1/grants/";

/// What a TLS handshake costs, in requests: both take about 0.3 ms.
const HANDSHAKE_COST: u32 = 4;

/// How often somebody may ask: the table `[rate]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimits {
    /// Requests a second of one address (IPv6: of a /64), 0 to 1,000,000; 0 is no limit. Default 200.
    pub address_per_s: u32,
    /// Requests that an address may make at once, 1 to 1,000,000. Default 2,000.
    pub address_burst: u32,
    /// Requests a second for one grant, 0 to 1,000,000; 0 is no limit. Default 20.
    pub grant_per_s: u32,
    /// Requests that may be made at once for one grant, 1 to 1,000,000. Default 600.
    pub grant_burst: u32,
    /// What a request with a missing or wrong bearer costs its address, in requests, 1 to 1,000.
    /// Default 20.
    pub failure_cost: u32,
    /// Addresses and grants that are remembered, 1,024 to 16,777,216; each takes about 120 bytes.
    /// Default 65,536.
    pub entries: usize,
    /// Networks without a limit per address. Default: this machine, behind whose address an
    /// undeclared proxy hides everybody.
    pub exempt: Vec<Network>,
}

impl Default for RateLimits {
    fn default() -> Self {
        let loopback = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        Self {
            address_per_s: 200,
            address_burst: 2000,
            grant_per_s: 20,
            grant_burst: 600,
            failure_cost: 20,
            entries: 1 << 16,
            exempt: loopback.map(Network::loopback).to_vec(),
        }
    }
}

impl RateLimits {
    /// Checks the ranges.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        in_range("rate.address_per_s", self.address_per_s.into(), 0..=1_000_000)?;
        in_range("rate.address_burst", self.address_burst.into(), 1..=1_000_000)?;
        in_range("rate.grant_per_s", self.grant_per_s.into(), 0..=1_000_000)?;
        in_range("rate.grant_burst", self.grant_burst.into(), 1..=1_000_000)?;
        in_range("rate.failure_cost", self.failure_cost.into(), 1..=1000)?;
        in_range("rate.entries", self.entries as u64, 1024..=1 << 24)
    }
}

/// Whom a request counts for; nobody where that is exempt.
#[derive(Clone, Copy)]
pub(crate) struct Client(Option<Subject>);

/// The limits at work, and the proxies that tell whose a request is.
pub(crate) struct Rates {
    table: Table,
    address: Option<Quota>,
    grant: Option<Quota>,
    failure_cost: u32,
    exempt: Vec<Network>,
    proxies: Proxies,
    hasher: RandomState,
    began: Instant,
}

impl Rates {
    pub(crate) fn new(limits: RateLimits, proxies: Proxies) -> Self {
        Self {
            table: Table::new(limits.entries),
            address: Quota::new(limits.address_per_s, limits.address_burst),
            grant: Quota::new(limits.grant_per_s, limits.grant_burst),
            failure_cost: limits.failure_cost,
            exempt: limits.exempt,
            proxies,
            hasher: RandomState::new(),
            began: Instant::now(),
        }
    }

    /// Whose connections and requests are counted: nobody's where the address is exempt or a proxy's.
    pub(crate) fn counted(&self, address: IpAddr) -> Option<Subject> {
        let free = self.proxies.trust(address)
            || self.exempt.iter().any(|network| network.contains(address));
        (!free).then(|| Subject::address(address))
    }

    /// Counts a handshake; `false` when the address has had too many.
    pub(crate) fn take_handshake(&self, peer: IpAddr) -> bool {
        let Some((subject, quota)) = self.counted(peer).zip(self.address) else { return true };
        self.table.take(subject, HANDSHAKE_COST, quota, self.began.elapsed()).is_ok()
    }

    /// The address that a request counts for. It is looked for once: the requests of a batch have the
    /// batch's extensions, and not its headers.
    fn client(&self, request: &mut Request) -> Client {
        if let Some(client) = request.extensions().get::<Client>() {
            return *client;
        }
        let peer = request.extensions().get::<Peer>();
        let address = peer.map(|peer| self.proxies.client(*peer, request.headers()));
        let client = Client(address.and_then(|address| self.counted(address)));
        request.extensions_mut().insert(client);
        client
    }

    /// The grant that a request counts for, with the bearer that it shows.
    fn grant(&self, path: &str, headers: &HeaderMap) -> Option<Subject> {
        let id = path.strip_prefix(GRANTS_PATH)?.split('/').next();
        let bearer = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
        Some(Subject::Grant(self.hasher.hash_one((id, bearer))))
    }

    /// Counts a request, or says how long to wait.
    fn take(&self, address: Option<Subject>, grant: Option<Subject>) -> Result<(), Refused> {
        let now = self.began.elapsed();
        for (subject, quota) in
            [address.zip(self.address), grant.zip(self.grant)].into_iter().flatten()
        {
            self.table.take(subject, 1, quota, now)?;
        }
        Ok(())
    }

    /// Lets a request through that is within its limits, and says whom it counts for.
    pub(crate) fn admit(&self, request: &mut Request) -> Result<Client, Refused> {
        if PROBE_PATHS.contains(&request.uri().path()) {
            return Ok(Client(None));
        }
        let client = self.client(request);
        let grant = self.grant(request.uri().path(), request.headers());
        self.take(client.0, grant)?;
        Ok(client)
    }

    /// A failed bearer costs more than its request.
    pub(crate) fn settle(&self, Client(address): Client, status: StatusCode) {
        if status == StatusCode::UNAUTHORIZED
            && let Some((subject, quota)) = address.zip(self.address)
        {
            self.table.charge(subject, self.failure_cost, quota, self.began.elapsed());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_unless_it_is_exempt_or_a_proxy() {
        let proxies =
            Proxies { trusted: vec!["10.0.0.0/8".parse().unwrap()], ..Proxies::default() };
        let rates = Rates::new(RateLimits::default(), proxies);
        let counted = |address: &str| rates.counted(address.parse().unwrap()).is_some();
        assert!(counted("192.0.2.1") && counted("2001:db8::1"));
        assert!(!counted("127.0.0.1") && !counted("127.9.9.9") && !counted("::1"));
        assert!(!counted("10.1.1.1"));
    }

    #[test]
    fn a_grant_is_another_with_another_bearer_and_the_same_below_its_path() {
        let rates = Rates::new(RateLimits::default(), Proxies::default());
        let subject = |path: &str, bearer: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
            rates.grant(path, &headers)
        };
        let one = subject("/v1/grants/a", "Bearer x");
        assert!(one.is_some() && one == subject("/v1/grants/a/b.m3u8", "Bearer x"));
        assert_ne!(one, subject("/v1/grants/a", "Bearer y"));
        assert_ne!(one, subject("/v1/grants/b", "Bearer x"));
        assert_eq!(subject("/o/t/a/b", "Bearer x"), None);
    }
}
