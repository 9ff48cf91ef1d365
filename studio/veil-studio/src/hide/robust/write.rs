//! Frames that get the pattern of their slot as they pass by.
//!
//! One thread reads frames and sees what a slot's pattern has to be, another holds them until it is known, and writes them. Owns: that
//! order. Refuses to know: processes and files. Invariant: a slot's frames are all given the same.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use veil_ffmpeg::nut::{Frames, Piece};
use veil_stego::Picture;
use veil_stego::lossless::luma_bytes;
use veil_stego::robust::{Hider, Means, Pattern, slot_of};

use super::super::HideError;
use super::hold::{Held, Hold};

/// What goes into which frames.
pub(super) struct Task<'a> {
    pub(super) picture: Picture,
    /// Bytes of a raw frame.
    pub(super) frame_bytes: u64,
    pub(super) hider: Hider,
    /// Counts frames that were written.
    pub(super) done: &'a AtomicU64,
}

/// What the reading thread tells the writing one.
enum Next {
    /// A frame of the present slot, or what isn't a frame.
    Piece(Piece),
    /// The present slot's pattern; a new one begins.
    End(Pattern),
}

/// Passes the NUT stream `from` on to `to`, with the message in its frames. Returns how many there were.
///
/// # Errors
/// [`HideError::Uneven`], [`HideError::Io`]; what was written then is worth nothing.
pub(super) fn pass(
    task: Task<'_>,
    from: impl Read,
    mut to: impl Write + Send,
) -> Result<u64, HideError> {
    let (next, nexts) = sync_channel(1);
    let (spent, reuse) = sync_channel(4);
    let luma = luma_bytes(task.picture);
    let done = task.done;
    thread::scope(|scope| {
        let writing = scope.spawn(move || {
            let mut writing = Writing { luma, hold: Hold::default(), ready: 0, spent, done };
            writing.run(nexts, &mut to)
        });
        let read = read(&task, from, &next, &reuse);
        drop(next);
        let written = writing.join().unwrap_or(Err(HideError::Thread));
        // Where both failed, the reader failed because the writer was gone.
        written.and(read)
    })
}

fn read(
    task: &Task<'_>,
    from: impl Read,
    next: &SyncSender<Next>,
    reuse: &Receiver<Vec<u8>>,
) -> Result<u64, HideError> {
    let mut frames = Frames::new(from);
    let mut means = Means::new(task.picture);
    let (mut count, mut slot, mut begin_us) = (0, 0, None);
    let send = |what| next.send(what).map_err(|_| HideError::Thread);
    let cannot = HideError::io("cannot read the frames");
    while let Some(piece) = frames.next(reuse.try_recv().unwrap_or_default()).map_err(&cannot)? {
        if let Some(frame) = &piece.frame {
            if frame.len() as u64 != task.frame_bytes {
                return Err(HideError::Uneven);
            }
            let begin_us = *begin_us.get_or_insert(piece.time_us);
            let now = slot_of(u64::try_from(piece.time_us - begin_us).unwrap_or(0)).max(slot);
            if now > slot {
                if let Some(mean) = means.take() {
                    send(Next::End(task.hider.pattern(slot, &mean)))?;
                }
                slot = now;
            }
            means.add(&frame[..luma_bytes(task.picture)]);
            count += 1;
        }
        send(Next::Piece(piece))?;
    }
    if let Some(mean) = means.take() {
        send(Next::End(task.hider.pattern(slot, &mean)))?;
    }
    Ok(count)
}

struct Writing<'a> {
    /// Bytes of a luma plane.
    luma: usize,
    hold: Hold,
    /// How many of those held have a pattern.
    ready: usize,
    spent: SyncSender<Vec<u8>>,
    done: &'a AtomicU64,
}

impl Writing<'_> {
    /// Writes what comes, in its order. A slot's frames go as those of the next come: so many are held as a slot has.
    fn run(&mut self, nexts: Receiver<Next>, to: &mut impl Write) -> Result<(), HideError> {
        let cannot = HideError::io("cannot keep a frame in the folder for temporary files");
        let mut pattern = None;
        for next in nexts {
            match next {
                Next::Piece(Piece { header, frame, .. }) => {
                    self.hold.push(header, frame).map_err(&cannot)?;
                    self.write(pattern.as_ref(), 1, to)?;
                }
                Next::End(new) => {
                    self.write(pattern.as_ref(), usize::MAX, to)?;
                    pattern = Some(new);
                    self.ready = self.hold.len();
                }
            }
        }
        self.write(pattern.as_ref(), usize::MAX, to)?;
        // What comes behind the last frame is none.
        self.ready = self.hold.len();
        self.write(None, usize::MAX, to)
    }

    /// Writes so many of those that are ready.
    fn write(
        &mut self,
        pattern: Option<&Pattern>,
        most: usize,
        to: &mut impl Write,
    ) -> Result<(), HideError> {
        for _ in 0..self.ready.min(most) {
            let cannot = HideError::io("cannot read a frame in the folder for temporary files");
            let Some(Held { header, frame }) = self.hold.pop().map_err(cannot)? else { break };
            self.ready -= 1;
            let cannot = HideError::io("cannot hand the frames to the encoder");
            to.write_all(&header).map_err(&cannot)?;
            let Some(mut frame) = frame else { continue };
            if let Some(pattern) = pattern {
                pattern.apply(&mut frame[..self.luma]);
            }
            to.write_all(&frame).map_err(&cannot)?;
            let _ = self.spent.try_send(frame);
            self.done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
