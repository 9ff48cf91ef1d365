//! Frames that get their shares of a message as they pass by.
//!
//! One thread reads frames and says what each carries, some put it in, one writes frames in their order. Owns: that order, and how many frames
//! are under way. Refuses to know: processes and files. Invariants: the frames that come out depend on frames, keys and message alone, not on the
//! number of threads; memory is that of `threads + 4` frames.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use sha2::{Digest as _, Sha256};
use veil_ffmpeg::nut::{Frames, Piece};
use veil_seal::hidden::{Finder, HEAD_BYTES, salt_of};
use veil_stego::lossless::{
    self, Code, Frame, LosslessError, Part, Schedule, is_flat_plane, luma_bytes,
};
use veil_stego::{Picture, StructuralKey, Walk};

use super::{HideError, plan};

/// Pieces that are read ahead beyond what the threads work on.
const AHEAD: usize = 1;

/// What goes into which frames.
pub(super) struct Task<'a, M> {
    pub(super) picture: Picture,
    /// Bytes of a raw frame.
    pub(super) frame_bytes: u64,
    pub(super) finder: &'a Finder,
    pub(super) head: [u8; HEAD_BYTES],
    pub(super) code: Code,
    pub(super) schedule: Schedule,
    /// The message behind its head.
    pub(super) message: M,
    pub(super) threads: usize,
    /// Counts frames that were written.
    pub(super) done: &'a AtomicU64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Frames that came.
    pub(super) frames: u64,
    /// Those that could carry.
    pub(super) usable: u64,
    /// Frames up to the last that could carry.
    pub(super) end: u64,
    /// Bytes of the message that found no place; with its head where there was no place at all.
    pub(super) left_bytes: u64,
}

/// A frame that is to carry something.
struct Job {
    number: u64,
    frame: Vec<u8>,
    before: Option<Arc<Vec<u8>>>,
    key: Arc<StructuralKey>,
    head: Option<[u8; HEAD_BYTES]>,
    share: Vec<u8>,
    done: SyncSender<Result<Vec<u8>, HideError>>,
}

/// What is to be written next.
struct Next {
    header: Vec<u8>,
    frame: Written,
}

enum Written {
    Nothing,
    AsItIs(Vec<u8>),
    Later(Receiver<Result<Vec<u8>, HideError>>),
}

/// Passes the NUT stream `from` on to `to`, with the message in its frames.
///
/// # Errors
/// [`HideError::Uneven`], [`HideError::Edge`], [`HideError::Io`]; what was written then is worth nothing.
pub(super) fn pass<M: Read>(
    task: Task<'_, M>,
    from: impl Read,
    mut to: impl Write + Send,
) -> Result<Outcome, HideError> {
    let threads = task.threads.max(1);
    let (picture, code, done) = (task.picture, task.code, task.done);
    let (jobs, waiting) = sync_channel::<Job>(threads);
    let waiting = Mutex::new(waiting);
    let (order, in_order) = sync_channel::<Next>(threads + AHEAD);
    let (spent, reuse) = sync_channel::<Vec<u8>>(threads + AHEAD);
    let frames = Frames::new(from);
    let mut reading = Reading {
        task,
        frames,
        jobs,
        order,
        reuse,
        before: None,
        copies: Vec::new(),
        outcome: None,
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            let waiting = &waiting;
            scope.spawn(move || work(picture, code, waiting));
        }
        let writing = scope.spawn(move || write(in_order, &spent, &mut to, done));
        let read = reading.run();
        drop(reading);
        let written = writing.join().unwrap_or(Err(HideError::Thread));
        // Where both failed, the reader failed because the writer was gone.
        written.and(read)
    })
}

struct Reading<'a, M, R> {
    task: Task<'a, M>,
    frames: Frames<R>,
    jobs: SyncSender<Job>,
    order: SyncSender<Next>,
    reuse: Receiver<Vec<u8>>,
    /// The luma of the frame before, untouched.
    before: Option<Arc<Vec<u8>>>,
    /// The copies that were made, to be overwritten when nobody has them any more.
    copies: Vec<Arc<Vec<u8>>>,
    /// What is known once the head has its place: the key of the frames behind it.
    outcome: Option<Arc<StructuralKey>>,
}

impl<M: Read, R: Read> Reading<'_, M, R> {
    fn run(&mut self) -> Result<Outcome, HideError> {
        let mut outcome = Outcome { frames: 0, usable: 0, end: 0, left_bytes: 0 };
        let cannot = HideError::io("cannot read the frames");
        while let Some(piece) =
            self.frames.next(self.reuse.try_recv().unwrap_or_default()).map_err(&cannot)?
        {
            let Piece { header, frame, .. } = piece;
            let frame = match frame {
                None => Written::Nothing,
                Some(frame) => {
                    let usable = self.usable(&frame)?;
                    outcome.frames += 1;
                    if usable {
                        outcome.usable += 1;
                        outcome.end = outcome.frames;
                    }
                    self.frame(outcome.frames - 1, frame, usable)?
                }
            };
            self.order.send(Next { header, frame }).map_err(|_| HideError::Thread)?;
        }
        let head = if self.outcome.is_none() { HEAD_BYTES as u64 } else { 0 };
        outcome.left_bytes = self.task.schedule.left() + head;
        Ok(outcome)
    }

    fn usable(&self, frame: &[u8]) -> Result<bool, HideError> {
        if frame.len() as u64 != self.task.frame_bytes {
            return Err(HideError::Uneven);
        }
        let picture = self.task.picture;
        Ok(!is_flat_plane(picture, &frame[..luma_bytes(picture)]))
    }

    fn copy(&mut self, luma: &[u8]) -> Arc<Vec<u8>> {
        let free = self.copies.iter_mut().position(|copy| Arc::get_mut(copy).is_some());
        let mut copy = free.map(|at| self.copies.swap_remove(at)).unwrap_or_default();
        let bytes = Arc::make_mut(&mut copy);
        bytes.clear();
        bytes.extend_from_slice(luma);
        self.copies.push(Arc::clone(&copy));
        copy
    }

    /// Gives a frame its share.
    fn frame(&mut self, number: u64, frame: Vec<u8>, usable: bool) -> Result<Written, HideError> {
        let luma = luma_bytes(self.task.picture);
        let untouched = self.copy(&frame[..luma]);
        let before = self.before.replace(untouched);
        let range = self.task.schedule.share(!usable);
        let length = usize::try_from(range.end - range.start).unwrap_or(0);
        let first = usable && self.outcome.is_none();
        if length == 0 && !first {
            return Ok(Written::AsItIs(frame));
        }
        let body = Arc::clone(self.outcome.get_or_insert_with(|| {
            let place = self.task.finder.body_place(&salt_of(&self.task.head));
            Arc::new(StructuralKey::new(*place.expose()))
        }));
        let key =
            if first { head_key(self.task.finder, &frame[luma..]) } else { Arc::clone(&body) };
        let head = first.then_some(self.task.head);
        let mut share = vec![0; length];
        let cannot = HideError::io("cannot read the sealed payload again");
        self.task.message.read_exact(&mut share).map_err(cannot)?;
        body.mask(number, &mut share);
        let (done, later) = sync_channel(1);
        let job = Job { number, frame, before, key, head, share, done };
        self.jobs.send(job).map_err(|_| HideError::Thread)?;
        Ok(Written::Later(later))
    }
}

/// The structural key of the frame with the head, from its planes behind the luma, which nobody changes.
pub(super) fn head_key(finder: &Finder, planes: &[u8]) -> Arc<StructuralKey> {
    let digest: [u8; 32] = Sha256::digest(planes).into();
    Arc::new(StructuralKey::new(*finder.head_place(&digest).expose()))
}

/// Puts shares into frames until there are no more.
fn work(picture: Picture, code: Code, waiting: &Mutex<Receiver<Job>>) {
    let mut writer = lossless::Writer::new(Walk::detect());
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut job) = job else { return };
        let written = put(&mut writer, picture, code, &mut job);
        // Nobody takes it where the run has failed elsewhere.
        let _ = job.done.send(written.map(|()| job.frame));
    }
}

fn put(
    writer: &mut lossless::Writer,
    picture: Picture,
    code: Code,
    job: &mut Job,
) -> Result<(), HideError> {
    let luma = luma_bytes(picture);
    let first = if job.head.is_some() { plan::head_samples() } else { 0 };
    let head = job.head.as_ref().map(|head| Part { first: 0, code: Code::HEAD, bytes: head });
    let share = Part { first, code, bytes: &job.share };
    let parts: Vec<Part<'_>> = head.into_iter().chain([share]).collect();
    let mut frame = Frame {
        number: job.number,
        picture,
        samples: &mut job.frame[..luma],
        before: job.before.as_deref().map(Vec::as_slice),
    };
    writer.write_plane(&job.key, &mut frame, &parts).map_err(|error| match error {
        LosslessError::Flattened => HideError::Edge,
        // Shares are planned to fit.
        _ => HideError::Thread,
    })
}

/// Writes what comes, in its order.
fn write(
    in_order: Receiver<Next>,
    spent: &SyncSender<Vec<u8>>,
    to: &mut impl Write,
    done: &AtomicU64,
) -> Result<(), HideError> {
    let cannot = HideError::io("cannot hand the frames to the encoder");
    for next in in_order {
        to.write_all(&next.header).map_err(&cannot)?;
        let frame = match next.frame {
            Written::Nothing => continue,
            Written::AsItIs(frame) => frame,
            Written::Later(later) => later.recv().unwrap_or(Err(HideError::Thread))?,
        };
        to.write_all(&frame).map_err(&cannot)?;
        let _ = spent.try_send(frame);
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
