//! Small documents of the bucket, read once for many: grants' records and playlists.
//!
//! Owns when what was read may be used again, and what is used while the bucket is away. Refuses to know what a document
//! says: whoever reads one kind says how it is parsed. Invariants: for one key one read is under way; what was read before
//! a key was [`forgotten`](Documents::forget) is kept for nobody; a document that can't be parsed isn't kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Absent, Flights, Room};
use crate::bucket::{Bucket, Fetched, ReadError};
use crate::desk::{Desk, Undone};
use crate::performance::{Cache, CacheFigures};

/// How long a request waits for news of a document that it could use as it is.
const REFRESH_WAIT: Duration = Duration::from_secs(2);

/// How long nobody waits for news after the bucket gave none, and a document isn't asked for again after it couldn't be
/// read.
const AWAY: Duration = Duration::from_secs(5);

/// A document larger than this is parsed where it keeps no other request waiting, in bytes.
const PARSE_HERE_BYTES_MAX: usize = 64 << 10;

/// For how long documents of a kind are used, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) fresh_s: u64,
    pub(crate) absent_s: u64,
    pub(crate) stale_max_s: u64,
}

/// How a kind of document is read.
pub(crate) struct Kind<V> {
    /// The cache's name.
    pub(crate) name: &'static str,
    /// Memory that it may take, in bytes.
    pub(crate) limit_bytes: u64,
    /// Largest document, in bytes.
    pub(crate) document_bytes_max: u64,
    /// What the document of a key says; `None` when it is none of this kind.
    pub(crate) parse: fn(&str, &[u8]) -> Option<V>,
    /// Memory that it takes parsed, in bytes.
    pub(crate) weigh: fn(&V) -> usize,
}

/// Why there is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// There is none of that key.
    Unknown,
    /// What lies there is none of this kind.
    Invalid,
    /// The bucket doesn't answer.
    Unavailable,
    /// It was read, and too much waits to be parsed.
    Busy,
}

/// A document that was read.
struct Kept<V> {
    value: Arc<V>,
    etag: Option<Arc<str>>,
    /// When the read began that found it so.
    checked: Instant,
    /// When a later read failed.
    failed: Option<Instant>,
    weight_bytes: usize,
}

impl<V> Clone for Kept<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), etag: self.etag.clone(), ..*self }
    }
}

/// The documents of one kind.
pub(crate) struct Documents<V>(Arc<Inner<V>>);

impl<V> Clone for Documents<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<V> {
    bucket: Bucket,
    rules: Rules,
    document_bytes_max: u64,
    parse: fn(&str, &[u8]) -> Option<V>,
    weigh: fn(&V) -> usize,
    room: Room<Box<str>, Kept<V>>,
    absent: Absent,
    desk: Desk,
    flights: Flights<Box<str>, Result<Kept<V>, Missing>>,
    /// How often something was forgotten.
    forgotten: AtomicU64,
    away: Away,
}

impl<V: Send + Sync + 'static> Documents<V> {
    pub(crate) fn new(
        bucket: &Bucket,
        kind: Kind<V>,
        rules: Rules,
        absent: &Absent,
        desk: &Desk,
    ) -> Self {
        Self(Arc::new(Inner {
            bucket: bucket.clone(),
            rules,
            document_bytes_max: kind.document_bytes_max,
            parse: kind.parse,
            weigh: kind.weigh,
            room: Room::new(kind.name, kind.limit_bytes, |key, kept| key.len() + kept.weight_bytes),
            absent: Arc::clone(absent),
            desk: desk.clone(),
            flights: Flights::new(),
            forgotten: AtomicU64::new(0),
            away: Away::new(),
        }))
    }

    /// The document of `key`: as it is known, if that is fresh, else as the bucket has it. While the bucket doesn't
    /// answer, as it was.
    pub(crate) async fn get(&self, key: &str) -> Result<Arc<V>, Missing> {
        self.get_fresh(key, self.0.rules.fresh_s).await
    }

    /// The same, where a document is fresh for `fresh_s` seconds.
    pub(crate) async fn get_fresh(&self, key: &str, fresh_s: u64) -> Result<Arc<V>, Missing> {
        let Inner { rules, room, .. } = &*self.0;
        let now = Instant::now();
        let is_within = |since: Instant, seconds: u64| {
            now.saturating_duration_since(since) < Duration::from_secs(seconds)
        };
        let known = room.get(key);
        if let Some(kept) = known.as_ref().filter(|kept| is_within(kept.checked, fresh_s)) {
            room.count(true);
            return Ok(Arc::clone(&kept.value));
        }
        if known.is_none() && self.is_absent(key, now) {
            return Err(Missing::Unknown);
        }
        let usable = known.as_ref().filter(|kept| is_within(kept.checked, rules.stale_max_s));
        let usable = usable.cloned();
        let failed_lately = |kept: &Kept<V>| kept.failed.is_some_and(|at| now < at + AWAY);
        if let Some(kept) = usable.as_ref().filter(|kept| failed_lately(kept)) {
            room.count(true);
            return Ok(Arc::clone(&kept.value));
        }
        room.count(false);
        self.ask(key, known, usable.map(|kept| kept.value)).await
    }

    /// The document of `key` as the bucket has it, or `usable` if it is not told in time.
    async fn ask(
        &self,
        key: &str,
        known: Option<Kept<V>>,
        usable: Option<Arc<V>>,
    ) -> Result<Arc<V>, Missing> {
        let Inner { flights, away, .. } = &*self.0;
        let flight = flights.join(&Box::from(key), || self.clone().read(key.into(), known));
        let Some(usable) = usable else {
            return flight.await.unwrap_or(Err(Missing::Unavailable)).map(|kept| kept.value);
        };
        // The read goes on when nobody waits for it, so that the next one to ask has news.
        if away.is(Instant::now()) {
            return Ok(usable);
        }
        match tokio::time::timeout(REFRESH_WAIT, flight).await {
            Ok(Ok(Ok(fresh))) => Ok(fresh.value),
            Ok(Ok(Err(missing @ (Missing::Unknown | Missing::Invalid)))) => Err(missing),
            Ok(Ok(Err(Missing::Busy))) => Ok(usable),
            _ => {
                away.begin(Instant::now());
                Ok(usable)
            }
        }
    }

    /// Drops what is known of `key`, and what is being read of it.
    pub(crate) fn forget(&self, key: &str) {
        let Inner { room, absent, flights, forgotten, .. } = &*self.0;
        forgotten.fetch_add(1, Ordering::SeqCst);
        flights.close(&Box::from(key));
        room.remove(key);
        absent.remove(key);
    }

    fn is_absent(&self, key: &str, now: Instant) -> bool {
        let Inner { absent, rules, .. } = &*self.0;
        let found = absent
            .get(key)
            .is_some_and(|since| now.saturating_duration_since(since).as_secs() < rules.absent_s);
        absent.count(found);
        found
    }

    /// Reads the document of `key`, unless it is still the one that is known.
    async fn read(self, key: Box<str>, known: Option<Kept<V>>) -> Result<Kept<V>, Missing> {
        let Inner { room, absent, forgotten, .. } = &*self.0;
        let (began, before) = (Instant::now(), forgotten.load(Ordering::SeqCst));
        let read = self.look(&key, known.as_ref(), began).await;
        if forgotten.load(Ordering::SeqCst) != before {
            return read;
        }
        match &read {
            Ok(kept) => room.insert(key, kept.clone()),
            Err(Missing::Unknown) => {
                room.remove(&key);
                absent.insert(key, began);
            }
            Err(Missing::Invalid) => room.remove(&key),
            Err(Missing::Busy) => {}
            Err(Missing::Unavailable) => {
                if let Some(kept) = known {
                    room.insert(key, Kept { failed: Some(Instant::now()), ..kept });
                }
            }
        }
        read
    }

    async fn look(
        &self,
        key: &str,
        known: Option<&Kept<V>>,
        began: Instant,
    ) -> Result<Kept<V>, Missing> {
        let Inner { bucket, document_bytes_max, .. } = &*self.0;
        let etag = known.and_then(|kept| kept.etag.as_deref());
        match bucket.fetch(key, *document_bytes_max, etag).await {
            Ok(Fetched::Document(document, etag)) => {
                let value = self.parse(key, document).await?;
                let weight_bytes = (self.0.weigh)(&value);
                let etag = etag.map(Arc::from);
                let value = Arc::new(value);
                Ok(Kept { value, etag, checked: began, failed: None, weight_bytes })
            }
            Ok(Fetched::Same) => known
                .map(|kept| Kept { checked: began, failed: None, ..kept.clone() })
                .ok_or(Missing::Unavailable),
            Err(ReadError::Unknown) => Err(Missing::Unknown),
            Err(ReadError::TooLarge) => Err(Missing::Invalid),
            Err(_) => Err(Missing::Unavailable),
        }
    }

    async fn parse(&self, key: &str, document: Bytes) -> Result<V, Missing> {
        let parse = self.0.parse;
        if document.len() <= PARSE_HERE_BYTES_MAX {
            return parse(key, &document).ok_or(Missing::Invalid);
        }
        let key: Box<str> = key.into();
        match self.0.desk.run(move || parse(&key, &document)).await {
            Ok(value) => value.ok_or(Missing::Invalid),
            Err(Undone::Busy) => Err(Missing::Busy),
            Err(Undone::Lost) => Err(Missing::Invalid),
        }
    }
}

impl<V: Send + Sync + 'static> Cache for Documents<V> {
    fn name(&self) -> &'static str {
        self.0.room.name()
    }

    fn figures(&self) -> CacheFigures {
        self.0.room.figures()
    }

    fn purge(&self) {
        let Inner { room, flights, forgotten, .. } = &*self.0;
        forgotten.fetch_add(1, Ordering::SeqCst);
        flights.close_all();
        room.purge();
    }
}

/// Whether the bucket gave no answer lately.
struct Away {
    start: Instant,
    /// Until when, in milliseconds since the start.
    until_ms: AtomicU64,
}

impl Away {
    fn new() -> Self {
        Self { start: Instant::now(), until_ms: AtomicU64::new(0) }
    }

    fn begin(&self, now: Instant) {
        self.until_ms.fetch_max(self.ms(now + AWAY), Ordering::Relaxed);
    }

    fn is(&self, now: Instant) -> bool {
        self.ms(now) < self.until_ms.load(Ordering::Relaxed)
    }

    fn ms(&self, time: Instant) -> u64 {
        let since = time.saturating_duration_since(self.start);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
