//! One piece of work for all who want its result at the same time.
//!
//! Owns who works and who waits. A thousand requests that miss the same key cause one read of the store; what it gives,
//! a failure too, reaches all of them, and nothing of it is kept here. The work is a task of its own: a client that goes
//! away takes nobody else's answer with it. Invariant: the table holds what is under way and nothing else.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

/// The work did not end: it panicked, or the runtime stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

/// The result of work that is under way.
pub(crate) type Waiting<T> = Shared<BoxFuture<'static, Result<T, Lost>>>;

/// Work that is under way, by key.
pub(crate) struct Flights<K, T> {
    table: Arc<Table<K, T>>,
}

struct Table<K, T> {
    under_way: Mutex<HashMap<K, (u64, Waiting<T>)>>,
    next: AtomicU64,
}

impl<K, T> Flights<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub(crate) fn new() -> Self {
        let under_way = Mutex::new(HashMap::new());
        Self { table: Arc::new(Table { under_way, next: AtomicU64::new(0) }) }
    }

    /// The result of the work for `key` that is under way, or else of `work`, which is started now.
    pub(crate) fn join<F>(&self, key: &K, work: impl FnOnce() -> F) -> Waiting<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut under_way = self.table.lock();
        if let Some((_, waiting)) = under_way.get(key) {
            return waiting.clone();
        }
        let number = self.table.next.fetch_add(1, Ordering::Relaxed);
        let entry = Entry { table: Arc::clone(&self.table), key: key.clone(), number };
        let work = work();
        let task = tokio::spawn(async move {
            // The entry goes when the work ends, however that is.
            let _entry = entry;
            work.await
        });
        let waiting = task.map(|ended| ended.map_err(|_| Lost)).boxed().shared();
        under_way.insert(key.clone(), (number, waiting.clone()));
        waiting
    }

    /// Lets nobody join the work for `key` any more; who waits for it already gets its result.
    pub(crate) fn close(&self, key: &K) {
        self.table.lock().remove(key);
    }

    /// [`close`](Self::close) for every key.
    pub(crate) fn close_all(&self) {
        self.table.lock().clear();
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.table.lock().len()
    }
}

impl<K, T> Table<K, T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, (u64, Waiting<T>)>> {
        // Nothing panics while it is held.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes its work out of the table when dropped, if it is still that work.
struct Entry<K: Eq + Hash, T> {
    table: Arc<Table<K, T>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, T> Drop for Entry<K, T> {
    fn drop(&mut self) {
        let mut under_way = self.table.lock();
        let gone = match under_way.get(&self.key) {
            Some((number, _)) if *number == self.number => under_way.remove(&self.key),
            _ => None,
        };
        drop(under_way);
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::Semaphore;

    use super::*;

    struct Work {
        runs: Arc<AtomicUsize>,
        gate: Arc<Semaphore>,
        flights: Flights<u8, Result<u32, &'static str>>,
    }

    impl Work {
        fn new() -> Self {
            let (runs, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
            Self { runs, gate, flights: Flights::new() }
        }

        /// Joins work that waits at the gate and gives `result`.
        fn join(&self, result: Result<u32, &'static str>) -> Waiting<Result<u32, &'static str>> {
            let (runs, gate) = (Arc::clone(&self.runs), Arc::clone(&self.gate));
            self.flights.join(&1, || async move {
                runs.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.map_err(|_| "closed")?.forget();
                result
            })
        }
    }

    #[tokio::test]
    async fn a_thousand_who_ask_together_are_answered_by_one_run() {
        for result in [Ok(7), Err("failed")] {
            let work = Work::new();
            let waiting: Vec<_> = (0..1000).map(|_| tokio::spawn(work.join(result))).collect();
            work.gate.add_permits(1);
            for one in waiting {
                assert_eq!(one.await.unwrap(), Ok(result));
            }
            assert_eq!(work.runs.load(Ordering::SeqCst), 1);
            assert_eq!(work.flights.count(), 0);
        }
    }

    #[tokio::test]
    async fn a_result_is_for_who_waited_and_a_failure_is_tried_again() {
        let work = Work::new();
        work.gate.add_permits(2);
        assert_eq!(work.join(Err("failed")).await, Ok(Err("failed")));
        assert_eq!(work.join(Ok(1)).await, Ok(Ok(1)));
    }

    #[tokio::test]
    async fn who_started_the_work_may_go_away_without_the_others() {
        let work = Work::new();
        let first = work.join(Ok(1));
        let second = work.join(Ok(2));
        drop(first);
        work.gate.add_permits(1);
        assert_eq!(second.await, Ok(Ok(1)));
    }

    #[tokio::test]
    async fn work_that_was_closed_is_joined_by_nobody_and_leaves_its_successor_alone() {
        let work = Work::new();
        let old = work.join(Ok(1));
        work.flights.close(&1);
        let new = work.join(Ok(2));
        work.gate.add_permits(1);
        assert_eq!(old.await, Ok(Ok(1)));
        assert_eq!(work.flights.count(), 1);
        work.gate.add_permits(1);
        assert_eq!(new.await, Ok(Ok(2)));
    }

    #[tokio::test]
    async fn work_that_panics_is_lost_for_all_and_then_forgotten() {
        let flights: Flights<u8, u8> = Flights::new();
        let panics = || async { std::panic::resume_unwind(Box::new("test")) };
        let (a, b) = (flights.join(&1, panics), flights.join(&1, panics));
        assert_eq!((a.await, b.await), (Err(Lost), Err(Lost)));
        assert_eq!(flights.count(), 0);
        assert_eq!(flights.join(&1, || async { 1 }).await, Ok(1));
    }
}
