//! Where playlists are parsed, signed and compressed: a few threads of their own, and a line before them that is never
//! long.
//!
//! Owns how much of that work runs and waits. Refuses to know what it is. As many threads as there are cores do it: more
//! would take memory and give nothing, and the readers of files, who wait for disks, have theirs. Who finds the line full
//! is told to come again, so that a flood of playlists that nobody asked for before costs its senders and not those who
//! are answered from memory. Invariant: work that was taken is done, or its panic is its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// Most pieces of work that wait: at a millisecond each and two cores, an eighth of a second.
pub(crate) const WAITING_MAX: usize = 256;

type Work = Box<dyn FnOnce() + Send>;

/// Why work wasn't done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// Too much waits already.
    Busy,
    /// It panicked, or the system gave no thread.
    Lost,
}

/// Takes work; its threads end when it is dropped.
#[derive(Clone)]
pub(crate) struct Desk {
    line: SyncSender<Work>,
}

impl Desk {
    /// A desk with a thread for each core, before which at most `waiting_max` pieces of work wait.
    pub(crate) fn new(waiting_max: usize) -> Self {
        let (line, work) = sync_channel(waiting_max);
        let work = Arc::new(Mutex::new(work));
        let count = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..count {
            let work = Arc::clone(&work);
            // Without a single thread the line has no end, and all work is lost.
            if let Err(error) =
                thread::Builder::new().name("desk".into()).spawn(move || toil(&work))
            {
                tracing::warn!(kind = %error.kind(), "there is no thread to sign playlists");
            }
        }
        Self { line }
    }

    /// Has work done.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Undone> {
        let (done, result) = oneshot::channel();
        let work = Box::new(move || drop(done.send(work())));
        self.line.try_send(work).map_err(|_| Undone::Busy)?;
        result.await.map_err(|_| Undone::Lost)
    }
}

fn toil(work: &Mutex<Receiver<Work>>) {
    loop {
        // Who waits for work holds the lock; who has some doesn't.
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(next) = next else { return };
        let _ = catch_unwind(AssertUnwindSafe(next));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Keeps a desk's threads at work and its line full until it is dropped.
    pub(crate) struct Occupied {
        _gates: Vec<Sender<()>>,
    }

    impl Occupied {
        pub(crate) fn new(desk: &Desk) -> Self {
            let mut gates = Vec::new();
            loop {
                let (gate, opened) = channel();
                let begun = desk.line.try_send(Box::new(move || {
                    let _: Result<(), _> = opened.recv();
                }));
                if begun.is_ok() {
                    gates.push(gate);
                    continue;
                }
                // Full, but a thread may not have taken its first piece yet.
                thread::sleep(std::time::Duration::from_millis(20));
                if desk.line.try_send(Box::new(|| ())).is_err() {
                    return Self { _gates: gates };
                }
            }
        }
    }

    #[tokio::test]
    async fn work_is_done_and_a_panic_is_its_own() {
        let desk = Desk::new(4);
        assert_eq!(desk.run(|| 7).await, Ok(7));
        for _ in 0..20 {
            let panics: Result<(), _> =
                desk.run(|| std::panic::resume_unwind(Box::new("test"))).await;
            assert_eq!(panics, Err(Undone::Lost));
        }
        assert_eq!(desk.run(|| 8).await, Ok(8));
    }

    #[tokio::test]
    async fn a_full_line_takes_nothing_more_until_it_moves() {
        let desk = Desk::new(2);
        let occupied = Occupied::new(&desk);
        assert_eq!(desk.run(|| 1).await, Err(Undone::Busy));
        drop(occupied);
        let mut answer = desk.run(|| 2).await;
        while answer == Err(Undone::Busy) {
            tokio::task::yield_now().await;
            answer = desk.run(|| 2).await;
        }
        assert_eq!(answer, Ok(2));
    }
}
