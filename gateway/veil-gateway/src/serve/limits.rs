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
    /// How long a request's head may take, and how long an HTTP/1.1 connection may idle between
    /// requests, 1 to 300 s. Default 15 s.
    #[serde(rename = "head_timeout_s", with = "seconds")]
    pub head_timeout: Duration,
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
            head_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

impl ServeLimits {
    /// Checks the ranges.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        in_range("limits.connections", self.connection_count as u64, 1..=1_000_000)?;
        in_range("limits.head_timeout_s", self.head_timeout.as_secs(), 1..=300)?;
        in_range("limits.stall_timeout_s", self.stall_timeout.as_secs(), 1..=300)?;
        in_range("limits.drain_timeout_s", self.drain_timeout.as_secs(), 0..=3600)
    }
}
