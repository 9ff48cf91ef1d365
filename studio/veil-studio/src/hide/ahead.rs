//! Frames that are read while others are looked at.
//!
//! Owns: a thread that reads, a frame ahead. Refuses to know: what frames are looked at for. Invariant: pieces come in the stream's order, and
//! the thread ends when nobody takes them any more.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use veil_ffmpeg::nut::{Frames, Piece};

/// Pieces that wait: headers among them.
const WAITING: usize = 2;

/// A NUT stream that is read ahead.
pub(super) struct Ahead {
    pieces: Receiver<io::Result<Piece>>,
    spent: SyncSender<Vec<u8>>,
}

impl Ahead {
    /// Begins to read.
    pub(super) fn new(from: impl Read + Send + 'static) -> Self {
        let (sender, pieces) = sync_channel(WAITING);
        let (spent, reuse) = sync_channel(WAITING);
        thread::spawn(move || read(Frames::new(from), &sender, &reuse));
        Self { pieces, spent }
    }

    /// The next piece, as [`Frames::next`].
    pub(super) fn next(&mut self, spent: Vec<u8>) -> io::Result<Option<Piece>> {
        if spent.capacity() > 0 {
            let _ = self.spent.try_send(spent);
        }
        self.pieces.recv().ok().transpose()
    }
}

fn read(
    mut frames: Frames<impl Read>,
    to: &SyncSender<io::Result<Piece>>,
    reuse: &Receiver<Vec<u8>>,
) {
    while let Some(piece) = frames.next(reuse.try_recv().unwrap_or_default()).transpose() {
        let is_last = piece.is_err();
        if to.send(piece).is_err() || is_last {
            return;
        }
    }
}
