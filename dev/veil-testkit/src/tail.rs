//! The end of a stream: keeps the last bytes that a child wrote, however much it writes.

use std::io::{ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes kept of a child's standard error: enough for a panic with a backtrace, and no more than a log line
/// loop can fill.
pub(crate) const TAIL_LIMIT_BYTES: usize = 256 * 1024;

/// The last [`TAIL_LIMIT_BYTES`] of a stream; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Tail(Arc<(Mutex<Kept>, Condvar)>);

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    ended: bool,
}

impl Tail {
    /// Reads `stream` to its end on a thread of its own.
    pub(crate) fn follow(&self, mut stream: impl Read + Send + 'static) {
        let tail = self.clone();
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                match stream.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => tail.change(|kept| kept.push(&buffer[..count])),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            tail.change(|kept| kept.ended = true);
        });
    }

    /// Returns what is kept so far, as text.
    pub(crate) fn text(&self) -> String {
        self.text_at_end(Duration::ZERO)
    }

    /// Returns what is kept, as text, when the stream has ended or after `limit`.
    pub(crate) fn text_at_end(&self, limit: Duration) -> String {
        let (kept, changed) = &*self.0;
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(kept, limit, |kept| !kept.ended);
        let (kept, _) = waited.unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept.bytes).into_owned()
    }

    fn change(&self, change: impl FnOnce(&mut Kept)) {
        let (kept, changed) = &*self.0;
        change(&mut kept.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
    }
}

impl Kept {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let excess = self.bytes.len().saturating_sub(TAIL_LIMIT_BYTES);
        self.bytes.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_long_stream_is_kept() {
        let mut stream = vec![b'a'; TAIL_LIMIT_BYTES];
        stream.extend_from_slice(b"the end");
        let tail = Tail::default();
        tail.follow(std::io::Cursor::new(stream));
        let text = tail.text_at_end(Duration::from_secs(10));
        assert_eq!(text.len(), TAIL_LIMIT_BYTES);
        assert!(text.ends_with("athe end"));
    }
}
