//! A message out of the frames that carry it.
//!
//! Owns: where a reader looks, and when it knows enough. Refuses to know: what opens the message. Invariant: of a stream in which nothing
//! is found, every frame is read and looked at.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use veil_seal::hidden::{Finder, HEAD_BYTES, salt_of};
use veil_stego::lossless::{Code, Reader, Schedule, is_flat_plane, luma_bytes};
use veil_stego::robust::{Finding, Lock};
use veil_stego::{Picture, StructuralKey};

use super::ahead::Ahead;
use super::payload::Message;
use super::write::head_key;
use super::{HideError, plan};

/// A stream of frames that is read.
pub(super) struct Search<'a> {
    frames: Ahead,
    finder: &'a Finder,
    picture: Picture,
    frame_bytes: u64,
    done: &'a AtomicU64,
    number: u64,
    reader: Reader,
    state: State,
    /// What else is looked for while there is nothing here.
    finding: Option<Finding>,
    /// When the frame that is looked at is shown, and when the first was.
    time_us: i64,
    begin_us: Option<i64>,
}

enum State {
    /// No frame could carry yet.
    Begin,
    /// The head was read.
    Found(Box<Found>),
    /// There is nothing.
    Nothing,
}

struct Found {
    key: Arc<StructuralKey>,
    code: Code,
    schedule: Schedule,
    message: Message,
}

impl<'a> Search<'a> {
    /// Begins at the start of a NUT stream.
    pub(super) fn new(
        from: impl Read + Send + 'static,
        (picture, frame_bytes): (Picture, u64),
        finder: &'a Finder,
        done: &'a AtomicU64,
    ) -> Self {
        let (frames, reader, state) = (Ahead::new(from), Reader::default(), State::Begin);
        let (number, finding, time_us, begin_us) = (0, None, 0, None);
        Self {
            frames,
            finder,
            picture,
            frame_bytes,
            done,
            number,
            reader,
            state,
            finding,
            time_us,
            begin_us,
        }
    }

    /// Looks for a message in slots as well, where there is none here.
    pub(super) fn beside(mut self, finding: Finding) -> Self {
        self.finding = Some(finding);
        self
    }

    /// Whether the message in slots is sure to be there.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.finding.as_ref().is_some_and(Finding::is_sure)
    }

    /// Where a message in slots would be.
    pub(super) fn elsewhere(self) -> Option<Lock> {
        let mut finding = self.finding?;
        finding.finish();
        Some(finding.best())
    }

    /// Reads until a message is complete, or is sure to be elsewhere, or to the end.
    ///
    /// # Errors
    /// [`HideError::Io`] where it can't be kept. Whatever is wrong with the frames is no error, and no message.
    pub(super) fn message(&mut self) -> Result<Option<Message>, HideError> {
        let mut frame = Vec::new();
        loop {
            if let State::Found(found) = &self.state
                && found.schedule.left() == 0
            {
                let State::Found(found) = std::mem::replace(&mut self.state, State::Nothing) else {
                    return Ok(None);
                };
                return Ok(Some(found.message));
            }
            match self.next_frame(frame) {
                Some(next) => frame = next,
                None => return Ok(None),
            }
            self.look(&frame)?;
            if self.is_elsewhere() {
                return Ok(None);
            }
        }
    }

    /// Reads what is left, `most` frames of it.
    pub(super) fn drain(&mut self, most: u64) {
        self.state = State::Nothing;
        let mut frame = Vec::new();
        for _ in 0..most {
            let Some(next) = self.next_frame(frame) else { return };
            frame = next;
            let _ = self.look(&frame);
        }
    }

    fn next_frame(&mut self, mut buffer: Vec<u8>) -> Option<Vec<u8>> {
        loop {
            let piece = self.frames.next(std::mem::take(&mut buffer)).ok()??;
            if let Some(frame) = piece.frame {
                self.time_us = piece.time_us;
                return Some(frame);
            }
        }
    }

    fn look(&mut self, frame: &[u8]) -> Result<(), HideError> {
        let number = self.number;
        self.number += 1;
        self.done.fetch_add(1, Ordering::Relaxed);
        if frame.len() as u64 != self.frame_bytes {
            self.state = State::Nothing;
            return Ok(());
        }
        let luma = luma_bytes(self.picture);
        let flat = is_flat_plane(self.picture, &frame[..luma]);
        match &mut self.state {
            State::Begin if !flat => self.begin(number, frame)?,
            State::Found(_) => self.share(number, &frame[..luma], flat, None)?,
            State::Begin | State::Nothing => {}
        }
        let begin_us = *self.begin_us.get_or_insert(self.time_us);
        if let (Some(finding), State::Begin | State::Nothing) = (&mut self.finding, &self.state) {
            let time_us = u64::try_from(self.time_us - begin_us).unwrap_or(0);
            finding.frame(&frame[..luma], time_us);
        }
        Ok(())
    }

    /// Looks for the head.
    fn begin(&mut self, number: u64, frame: &[u8]) -> Result<(), HideError> {
        let (luma, planes) = frame.split_at(luma_bytes(self.picture));
        let key = head_key(self.finder, planes);
        let mut head = [0; HEAD_BYTES];
        let place = (number, self.picture, luma);
        let read = self.reader.read_plane(&key, place, (0, Code::HEAD), &mut head);
        let layout = read.ok().and_then(|()| self.finder.open_head(&head).ok());
        let planned =
            layout.and_then(|layout| Some((layout, plan::read_layout(&layout, self.picture)?)));
        let Some((layout, (code, mut schedule))) = planned else {
            self.state = State::Nothing;
            return Ok(());
        };
        // Frames before this one were flat.
        for _ in 0..number {
            schedule.share(true);
        }
        let place = self.finder.body_place(&salt_of(&head));
        let spool = tempfile::tempfile().map_err(HideError::io(KEEP))?;
        let (keyring_bytes, bytes) = (layout.keyring_bytes, layout.body_bytes);
        let message = Message { spool, keyring_bytes, bytes };
        let body = Arc::new(StructuralKey::new(*place.expose()));
        self.state = State::Found(Box::new(Found { key: body, code, schedule, message }));
        self.share(number, luma, false, Some(&key))
    }

    /// Takes a frame's share; `head` is the key of the frame with the head.
    fn share(
        &mut self,
        number: u64,
        luma: &[u8],
        flat: bool,
        head: Option<&StructuralKey>,
    ) -> Result<(), HideError> {
        let State::Found(found) = &mut self.state else { return Ok(()) };
        let range = found.schedule.share(flat);
        let mut share = vec![0; usize::try_from(range.end - range.start).unwrap_or(0)];
        let first = if head.is_some() { plan::head_samples() } else { 0 };
        let (key, place) = (head.unwrap_or(&found.key), (number, self.picture, luma));
        if self.reader.read_plane(key, place, (first, found.code), &mut share).is_err() {
            self.state = State::Nothing;
            return Ok(());
        }
        found.key.mask(number, &mut share);
        found.message.spool.write_all(&share).map_err(HideError::io(KEEP))
    }
}

const KEEP: &str = "cannot keep the sealed payload in the folder for temporary files";

/// Whether two messages are the same bytes.
pub(super) fn is_same(one: &mut Message, other: &mut Message) -> io::Result<bool> {
    if one.bytes != other.bytes {
        return Ok(false);
    }
    let start = |spool: &mut File| spool.seek(SeekFrom::Start(0));
    start(&mut one.spool)?;
    start(&mut other.spool)?;
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut bytes = one.bytes;
    while bytes > 0 {
        let count = usize::try_from(bytes).unwrap_or(usize::MAX).min(left.len());
        one.spool.read_exact(&mut left[..count])?;
        other.spool.read_exact(&mut right[..count])?;
        if left[..count] != right[..count] {
            return Ok(false);
        }
        bytes -= count as u64;
    }
    Ok(true)
}
