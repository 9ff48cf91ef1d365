//! What clients may cost, as an operator sets it.
//!
//! Owns names, defaults and ranges of the table `[limits]`. Why each is what it is:
//! `docs/decisions/0013-what-a-client-may-cost.md` and `0026-two-protocols.md`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, in_range, seconds};

/// What clients may cost: the table `[limits]`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServeLimits {
    /// Most connections at once, 1 to 1,000,000; more wait in the system's queue. The limit of open
    /// files may lower it. Default 10,000.
    #[serde(rename = "connections")]
    pub connection_count: usize,
    /// Most connections of one address (IPv6: of a /64) at once, 1 to 1,000,000; more are closed. Not
    /// for addresses that are exempt (`rate.exempt`) or trusted proxies. Default 512.
    pub connections_per_address: usize,
    /// Most requests at once on one HTTP/2 connection, 1 to 1,000. One takes 80 KiB at most while its
    /// client is slow. Default 64.
    #[serde(rename = "streams_per_connection")]
    pub stream_count: u32,
    /// How long a TLS handshake may take, then a request's head, and how long an HTTP/1.1 connection
    /// may idle between requests, 1 to 300 s. Default 15 s.
    #[serde(rename = "head_timeout_s", with = "seconds")]
    pub head_timeout: Duration,
    /// How long an HTTP/2 connection may idle between requests, 1 to 3,600 s. Default 60 s.
    #[serde(rename = "idle_timeout_s", with = "seconds")]
    pub idle_timeout: Duration,
    /// In each span of this length, 1 to 300 s, a client that is sent to must take 16 KiB.
    /// Default 30 s.
    #[serde(rename = "stall_timeout_s", with = "seconds")]
    pub stall_timeout: Duration,
    /// How long running answers get after a shutdown was asked for, 0 to 3,600 s. Default 30 s.
    #[serde(rename = "drain_timeout_s", with = "seconds")]
    pub drain_timeout: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connection_count: 10_000,
            connections_per_address: 512,
            stream_count: 64,
            head_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(60),
            stall_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

impl ServeLimits {
    /// Checks the ranges.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        in_range("limits.connections", self.connection_count as u64, 1..=1_000_000)?;
        let per_address = self.connections_per_address as u64;
        in_range("limits.connections_per_address", per_address, 1..=1_000_000)?;
        in_range("limits.streams_per_connection", self.stream_count.into(), 1..=1000)?;
        in_range("limits.idle_timeout_s", self.idle_timeout.as_secs(), 1..=3600)?;
        in_range("limits.head_timeout_s", self.head_timeout.as_secs(), 1..=300)?;
        in_range("limits.stall_timeout_s", self.stall_timeout.as_secs(), 1..=300)?;
        in_range("limits.drain_timeout_s", self.drain_timeout.as_secs(), 0..=3600)
    }
}
