//! What happens, told to whoever listens: server-sent events with numbers, so that a listener that was away gets what it missed.
//!
//! Owns: the numbers, and the last thousand events. Refuses to know: what events say, and how often.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::response::sse::Event;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Notify;

/// How many events are kept.
const KEPT: usize = 1000;
/// Most listeners at once.
pub(crate) const LISTENERS_MAX: u64 = 64;

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) number: u64,
    pub(crate) kind: &'static str,
    pub(crate) data: Arc<str>,
}

/// All that happens.
pub(crate) struct Events {
    kept: Mutex<Kept>,
    came: Notify,
    listeners: AtomicU64,
    is_over: AtomicBool,
}

struct Kept {
    next: u64,
    events: VecDeque<Told>,
}

/// A place among the listeners.
pub(crate) struct Listener(Arc<Events>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Events {
    fn default() -> Self {
        // Numbers go on after those of an earlier process, so that none of them is taken for one of ours.
        let began = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0) * 1000;
        let kept = Kept { next: began, events: VecDeque::new() };
        Self {
            kept: Mutex::new(kept),
            came: Notify::new(),
            listeners: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        }
    }
}

impl Events {
    /// Tells something.
    pub(crate) fn tell(&self, kind: &'static str, data: &impl Serialize) {
        let Ok(data) = serde_json::to_string(data) else { return };
        let mut kept = self.kept();
        let number = kept.next;
        kept.next += 1;
        if kept.events.len() >= KEPT {
            kept.events.pop_front();
        }
        kept.events.push_back(Told { number, kind, data: data.into() });
        drop(kept);
        self.came.notify_waiters();
    }

    /// Ends all streams: the server stops.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.came.notify_waiters();
    }

    /// How many listen.
    pub(crate) fn listeners(&self) -> u64 {
        self.listeners.load(Ordering::Relaxed)
    }

    /// A place among the listeners; `None` where there are too many.
    pub(crate) fn listen(self: &Arc<Self>) -> Option<Listener> {
        let taken = self.listeners.fetch_add(1, Ordering::Relaxed);
        let listener = Listener(Arc::clone(self));
        (taken < LISTENERS_MAX).then_some(listener)
    }

    /// What came after the event numbered `after`, and the number that the next one will have. `None` where some of it is forgotten.
    fn since(&self, after: u64) -> (Option<Vec<Told>>, u64) {
        let kept = self.kept();
        let oldest = kept.events.front().map_or(kept.next, |event| event.number);
        let known = after < kept.next && after + 1 >= oldest;
        let news = kept.events.iter().filter(|event| event.number > after).cloned().collect();
        (known.then_some(news), kept.next)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Events from now on, or after `last`, as a stream without end. What was missed and is forgotten is told by an event `reset`.
pub(crate) fn stream(
    listener: Listener,
    last: Option<u64>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let events = Arc::clone(&listener.0);
    let (missed, next) = match last {
        Some(last) => events.since(last),
        None => (Some(Vec::new()), events.since(0).1),
    };
    let reset = Told { number: next.saturating_sub(1), kind: "reset", data: "{}".into() };
    let waiting: VecDeque<Told> = missed.unwrap_or_else(|| vec![reset]).into();
    stream::unfold(
        (listener, waiting, next.saturating_sub(1)),
        |(listener, mut waiting, mut seen)| async move {
            loop {
                if let Some(told) = waiting.pop_front() {
                    seen = seen.max(told.number);
                    let event = Event::default().id(told.number.to_string());
                    let event = event.event(told.kind).data(&*told.data);
                    return Some((Ok(event), (listener, waiting, seen)));
                }
                let events = Arc::clone(&listener.0);
                let mut came = std::pin::pin!(events.came.notified());
                came.as_mut().enable();
                if events.is_over.load(Ordering::Acquire) {
                    return None;
                }
                let (news, next) = events.since(seen);
                match news {
                    Some(news) if news.is_empty() => came.await,
                    Some(news) => waiting.extend(news),
                    None => {
                        let number = next.saturating_sub(1);
                        waiting.push_back(Told { number, kind: "reset", data: "{}".into() });
                    }
                }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_is_told_and_what_is_forgotten_is_known_to_be() {
        let events = Events::default();
        let first = events.since(0).1;
        for number in 0..3 {
            events.tell("media", &number);
        }
        let since = |after| events.since(after).0.map(|news| news.len());
        assert_eq!((since(first - 1), since(first), since(first + 2)), (Some(3), Some(2), Some(0)));
        // Of the future, and of a time that nobody remembers.
        assert_eq!((since(first + 3), since(first - 2)), (None, None));
        for number in 0..KEPT {
            events.tell("media", &number);
        }
        assert_eq!(since(first), None);
        assert_eq!(since(first + 2), Some(KEPT));
    }

    #[test]
    fn listeners_are_bounded() {
        let events = Arc::new(Events::default());
        let all: Vec<Option<Listener>> = (0..=LISTENERS_MAX).map(|_| events.listen()).collect();
        assert!(all.iter().rev().skip(1).all(Option::is_some) && all.last().unwrap().is_none());
        drop(all);
        assert_eq!(events.listeners(), 0);
    }
}
