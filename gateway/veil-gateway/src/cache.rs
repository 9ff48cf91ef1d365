//! What the gateway keeps in memory, so that a request need not ask the bucket or sign anew.
//!
//! Owns the rooms, each with a name, a limit in bytes and counters; for how long what was read may be used; and who reads
//! when many want the same. Refuses to know HTTP, and to write anything anywhere: a gateway that starts again knows
//! nothing, and any number of them need no word from each other. Decision 23 says why so. Invariant: a grant's record
//! that is used was read within [`CacheSettings::grant_fresh_s`], or its reading is under way, or the bucket is away.

mod documents;
mod flight;
mod room;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use documents::{Documents, Kind, Missing, Rules};
pub(crate) use flight::{Flights, Lost};
pub(crate) use room::Room;

use crate::config::{ConfigError, in_range};

/// What caches may take, and for how long they hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheSettings {
    /// Memory for signed playlists, compressed bodies among them, in bytes. Default 16 MiB; 0 keeps none.
    pub manifests_bytes: u64,
    /// Memory for playlists as they lie in the bucket, parsed, in bytes. Default 10 MiB; 0 keeps none.
    pub templates_bytes: u64,
    /// Memory for grants' records, in bytes. Default 4 MiB; 0 keeps none.
    pub grants_bytes: u64,
    /// Memory for URLs of single objects (posters, manifests), in bytes. Default 2 MiB; 0 keeps none.
    pub urls_bytes: u64,
    /// Memory for the keys of what isn't there, in bytes. Default 1 MiB; 0 keeps none.
    pub absent_bytes: u64,
    /// For how long a grant's record is used without asking the bucket again, in seconds, at most 15: a revocation
    /// reaches every gateway within that and the time that the bucket takes to answer. Default 15; 0 always asks.
    pub grant_fresh_s: u32,
    /// For how long a playlist is used without asking the bucket whether it changed, in seconds. Default 60.
    pub playlist_fresh_s: u32,
    /// For how long what isn't there is taken not to be there, in seconds, at most 15. Default 5.
    pub absent_s: u32,
    /// For how long grants and playlists are used while the bucket doesn't answer, in seconds since it last did. Default
    /// 3600; 0 uses none. A revocation that this gateway couldn't read isn't known to it.
    pub stale_max_s: u32,
}

/// The longest [`CacheSettings::grant_fresh_s`] and [`CacheSettings::absent_s`]: with the 10 seconds that the bucket has
/// to answer, a revocation is known within 30 seconds.
pub const FRESH_MAX_S: u32 = 15;

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            manifests_bytes: 16 << 20,
            templates_bytes: 10 << 20,
            grants_bytes: 4 << 20,
            urls_bytes: 2 << 20,
            absent_bytes: 1 << 20,
            grant_fresh_s: FRESH_MAX_S,
            playlist_fresh_s: 60,
            absent_s: 5,
            stale_max_s: 3600,
        }
    }
}

impl CacheSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// The first setting that is out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let most = u64::from(FRESH_MAX_S);
        in_range("cache.grant_fresh_s", self.grant_fresh_s.into(), 0..=most)?;
        in_range("cache.absent_s", self.absent_s.into(), 0..=most)
    }

    /// The rules of documents that are fresh for so long.
    fn rules(&self, fresh_s: u32) -> Rules {
        Rules {
            fresh_s: u64::from(fresh_s),
            absent_s: u64::from(self.absent_s),
            stale_max_s: u64::from(self.stale_max_s),
        }
    }

    /// The rules of grants. [`check`](Self::check) is not relied on here.
    pub(crate) fn grant_rules(&self) -> Rules {
        self.rules(self.grant_fresh_s.min(FRESH_MAX_S))
    }

    /// The rules of playlists.
    pub(crate) fn playlist_rules(&self) -> Rules {
        self.rules(self.playlist_fresh_s)
    }
}

/// The keys of what isn't there; one room for all kinds of documents.
pub(crate) type Absent = Arc<Room<Box<str>, tokio::time::Instant>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_beyond_their_range_are_named() {
        assert_eq!(CacheSettings::default().check(), Ok(()));
        for key in ["grant_fresh_s", "absent_s"] {
            let settings: CacheSettings = toml::from_str(&format!("{key} = 16")).unwrap();
            let error = settings.check().unwrap_err().to_string();
            assert!(error.contains(&format!("cache.{key} is 16")), "{error}");
        }
        assert!(toml::from_str::<CacheSettings>("grant_fresh = 1").is_err());
    }
}
