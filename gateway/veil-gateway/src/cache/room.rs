//! One bounded cache: what it holds, how much memory that may take, and how it went.
//!
//! Owns the bound (in bytes, never in entries) and the counters. Refuses to know what it keeps. Invariant: what lies here
//! never weighs more than the limit; an entry that is too large for it isn't kept at all, which costs time and nothing
//! else.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter};

use crate::performance::{self, CacheFigures};

/// Parts that lock apart from each other; each has its share of the limit, so few are better for large entries.
const SHARD_COUNT: usize = 4;

/// Memory that an entry takes beside key and value: its place in tables and queues, and what allocators add.
const ENTRY_BYTES: u64 = 128;

/// The room that an entry is thought to take when tables are laid out.
const TYPICAL_ENTRY_BYTES: u64 = 4096;

/// What an entry weighs, in bytes, with its key.
pub(crate) type Weigh<K, V> = fn(&K, &V) -> usize;

/// A cache with a name and a limit in bytes.
pub(crate) struct Room<K, V> {
    name: &'static str,
    cache: Cache<K, V, Scales<K, V>, DefaultHashBuilder, Evictions>,
    limit_bytes: u64,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: Evictions,
}

impl<K: Eq + Hash + Clone, V: Clone> Room<K, V> {
    /// An empty room. With a limit of 0 nothing is ever kept.
    pub(crate) fn new(name: &'static str, limit_bytes: u64, weigh: Weigh<K, V>) -> Self {
        let entries = usize::try_from(limit_bytes / TYPICAL_ENTRY_BYTES).unwrap_or(usize::MAX);
        let evictions = Evictions::default();
        let mut options = OptionsBuilder::new();
        options
            .shards(SHARD_COUNT)
            .weight_capacity(limit_bytes)
            .estimated_items_capacity(entries.clamp(SHARD_COUNT * 32, 1 << 16));
        #[allow(clippy::expect_used, reason = "both capacities are set")]
        let options = options.build().expect("both capacities are set");
        let cache = Cache::with_options(
            options,
            Scales(weigh),
            DefaultHashBuilder::default(),
            evictions.clone(),
        );
        Self {
            name,
            cache,
            limit_bytes,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions,
        }
    }

    /// What lies under `key`. Counts nothing: whether it was of use is the caller's to [`tell`](Self::count).
    #[inline]
    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.cache.get(key)
    }

    /// Counts a look-up.
    #[inline]
    pub(crate) fn count(&self, hit: bool) {
        let counter = if hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        self.cache.insert(key, value);
    }

    pub(crate) fn remove<Q: Eq + Hash + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.cache.remove(key);
    }
}

impl<K, V> performance::Cache for Room<K, V>
where
    K: Eq + Hash + Clone + Send + Sync,
    V: Clone + Send + Sync,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn figures(&self) -> CacheFigures {
        CacheFigures {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.0.load(Ordering::Relaxed),
            entries: self.cache.len() as u64,
            bytes: self.cache.weight(),
            limit_bytes: self.limit_bytes,
        }
    }

    fn purge(&self) {
        self.cache.clear();
    }
}

/// Weighs entries.
struct Scales<K, V>(Weigh<K, V>);

impl<K, V> Clone for Scales<K, V> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<K, V> Weighter<K, V> for Scales<K, V> {
    fn weight(&self, key: &K, value: &V) -> u64 {
        ENTRY_BYTES + self.0(key, value) as u64
    }
}

/// Counts the entries that gave way.
#[derive(Clone, Default)]
struct Evictions(Arc<AtomicU64>);

impl<K, V> Lifecycle<K, V> for Evictions {
    type RequestState = ();

    fn on_evict(&self, _: &mut (), _: K, _: V) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::performance::Cache as _;

    fn room(limit_bytes: u64) -> Room<u64, Arc<[u8]>> {
        Room::new("room", limit_bytes, |_, value| value.len())
    }

    #[test]
    fn a_flood_of_distinct_entries_stays_within_the_limit_and_shows_as_evictions() {
        let room = room(1 << 20);
        for key in 0..100_000 {
            room.insert(key, vec![0; 1000].into());
            assert!(room.figures().bytes <= 1 << 20);
        }
        let found = room.figures();
        assert!(found.bytes > 1 << 19, "{found:?}");
        assert_eq!(found.entries + found.evictions, 100_000);
        room.purge();
        assert_eq!((room.figures().entries, room.figures().bytes), (0, 0));
    }

    #[test]
    fn an_entry_beyond_the_limit_is_not_kept_and_a_room_of_nothing_keeps_nothing() {
        let small = room(64 << 10);
        small.insert(1, vec![0; 65 << 10].into());
        assert!(small.get(&1).is_none());
        small.insert(2, vec![0; 10].into());
        assert!(small.get(&2).is_some());
        let none = room(0);
        none.insert(1, vec![].into());
        assert!(none.get(&1).is_none());
    }

    #[test]
    fn hits_and_misses_are_counted_as_the_caller_tells() {
        let room = room(1 << 20);
        room.count(false);
        room.count(true);
        room.count(true);
        assert_eq!((room.figures().hits, room.figures().misses), (2, 1));
    }

    proptest! {
        #[test]
        fn no_order_of_entries_of_any_size_passes_the_limit(
            entries in prop::collection::vec((0..64u64, 0..20_000usize), 0..400),
        ) {
            let room = room(128 << 10);
            for (key, size) in entries {
                room.insert(key, vec![0; size].into());
                prop_assert!(room.figures().bytes <= 128 << 10);
            }
        }
    }
}
