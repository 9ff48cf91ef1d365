//! A message out of slots that were found.
//!
//! Owns: in which order what is not known is found out: contrast, head, the numbers of slots, packets. Refuses to know: what opens the
//! message. Invariant: what a slot says is kept in an unnamed file; memory grows by 40 bytes a slot, 300 kB an hour.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};

use veil_seal::hidden::{Finder, SlotLayout, salt_of};
use veil_stego::lossless::luma_bytes;
use veil_stego::robust::{
    CYCLE, Decoder, Gathered, HeadSum, Listener, Lock, Run, Shape, Slot, Spread, Tracker,
    packet_count, runs,
};
use veil_stego::{Picture, StructuralKey};

use super::super::HideError;
use super::super::ahead::Ahead;
use super::super::payload::Message;

/// Bytes of odds that are held at once.
const WORDS_BYTES: u64 = 24 << 20;
/// Slots from which contrast is told.
const TUNING_SLOTS: usize = 40;
/// Slots whose numbers are found out together.
const RUN_SLOTS: usize = 16;
/// Deviations from which on a guess of a number is taken, and below which none is.
const TAKEN: f32 = 5.0;
const REFUSED: f32 = 3.5;

const KEEP: &str = "cannot keep what the frames say in the folder for temporary files";

/// What was found.
pub(in super::super) enum Found {
    /// Nothing.
    Nothing,
    /// Too little of a message.
    Partly {
        /// Packets that came through.
        whole: u64,
        /// Packets of the message.
        all: u64,
        /// Packets that are needed.
        needed: u64,
    },
    /// A message.
    Message(Message),
}

/// What the slots of a video say.
pub(in super::super) struct Heard {
    file: File,
    slot_bytes: usize,
    /// The slots, without what they say.
    marks: Vec<Slot>,
    /// Frames that were looked at.
    frames: u64,
}

/// The structural key of fronts.
pub(in super::super) fn front_key(finder: &Finder) -> StructuralKey {
    StructuralKey::new(*finder.front_place().expose())
}

/// Reads the slots out of a NUT stream.
///
/// # Errors
/// [`HideError::Io`] where they can't be kept. Whatever is wrong with the frames is no error.
pub(in super::super) fn listen(
    from: impl Read + Send + 'static,
    (picture, frame_bytes): (Picture, u64),
    find: &StructuralKey,
    lock: Lock,
    done: &AtomicU64,
) -> Result<Heard, HideError> {
    let mut file = tempfile::tempfile().map_err(HideError::io(KEEP))?;
    let mut tracker = Tracker::new(find, picture, lock);
    let (mut slots, mut marks) = (Vec::new(), Vec::new());
    let mut take = |slots: &mut Vec<Slot>| {
        slots.drain(..).try_for_each(|slot| {
            let mut bytes = Vec::new();
            slot.write(&mut bytes);
            marks.push(slot.mark());
            file.write_all(&bytes).map_err(HideError::io(KEEP))
        })
    };
    let _ = each_frame(from, (picture, frame_bytes), done, |luma, time_us| {
        tracker.frame(luma, time_us, |slot| slots.push(slot));
        take(&mut slots).map(ControlFlow::Continue)
    })?;
    tracker.finish(|slot| slots.push(slot));
    take(&mut slots)?;
    let frames = done.load(Ordering::Relaxed);
    Ok(Heard { file, slot_bytes: Slot::bytes_of(lock.shape()), marks, frames })
}

/// Shows the luma of each frame of a NUT stream, and its time since the first in microseconds, until `each` breaks off. Whatever is
/// wrong with the frames ends them, and is no error.
pub(super) fn each_frame(
    from: impl Read + Send + 'static,
    (picture, frame_bytes): (Picture, u64),
    done: &AtomicU64,
    mut each: impl FnMut(&[u8], u64) -> Result<ControlFlow<()>, HideError>,
) -> Result<ControlFlow<()>, HideError> {
    let mut frames = Ahead::new(from);
    let (mut buffer, mut begin_us) = (Vec::new(), None);
    while let Ok(Some(piece)) = frames.next(std::mem::take(&mut buffer)) {
        let Some(frame) = piece.frame else { continue };
        done.fetch_add(1, Ordering::Relaxed);
        if frame.len() as u64 == frame_bytes {
            let begin_us = *begin_us.get_or_insert(piece.time_us);
            let time_us = u64::try_from(piece.time_us - begin_us).unwrap_or(0);
            if each(&frame[..luma_bytes(picture)], time_us)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        buffer = frame;
    }
    Ok(ControlFlow::Continue(()))
}

impl Heard {
    /// How many frames were looked at.
    pub(in super::super) fn frames(&self) -> u64 {
        self.frames
    }

    fn slot(&self, number: usize) -> Result<Slot, HideError> {
        let mut bytes = vec![0; self.slot_bytes];
        let at = number as u64 * self.slot_bytes as u64;
        self.file.read_exact_at(&mut bytes, at).map_err(HideError::io(KEEP))?;
        let broken = || HideError::io(KEEP)(io::ErrorKind::InvalidData.into());
        Slot::read(&bytes).ok_or_else(broken)
    }

    /// Takes the message out.
    ///
    /// # Errors
    /// [`HideError::Io`] where it can't be kept.
    pub(in super::super) fn message(
        &self,
        finder: &Finder,
        find: &StructuralKey,
        lock: Lock,
    ) -> Result<Found, HideError> {
        let mut listener = Listener::new(find, lock);
        let step = self.marks.len().div_ceil(TUNING_SLOTS).max(1);
        let sample = (0..self.marks.len()).step_by(step).map(|number| self.slot(number));
        let sample = sample.collect::<Result<Vec<_>, _>>()?;
        listener.tune(sample.iter());
        let mut sum = HeadSum::default();
        for number in 0..self.marks.len() {
            listener.hear_head(&self.slot(number)?, &mut sum);
        }
        let head = sum.head();
        let opened = head.and_then(|head| Some((head, finder.open_slot_head(&head).ok()?)));
        let Some((head, layout)) = opened else { return Ok(Found::Nothing) };
        let body = finder.body_place(&salt_of(&head));
        let reading = Reading { heard: self, listener, body: StructuralKey::new(*body.expose()) };
        reading.message(lock.shape(), &layout)
    }
}

/// Reading behind the head.
struct Reading<'a> {
    heard: &'a Heard,
    listener: Listener,
    body: StructuralKey,
}

impl Reading<'_> {
    fn message(&self, shape: Shape, layout: &SlotLayout) -> Result<Found, HideError> {
        let named = layout.profile == shape.profile().number();
        let spread = Spread::new(shape, layout.body_bytes, layout.slot_count);
        let Some(spread) = spread.filter(|_| named) else { return Ok(Found::Nothing) };
        let gathered = self.gather(spread, layout)?;
        let ((needed, all), whole) = (packet_count(layout.body_bytes), gathered.count());
        let Some(bytes) = gathered.body() else {
            return Ok(Found::Partly { whole, all, needed: needed.max(whole + 1).min(all) });
        };
        let mut spool = tempfile::tempfile().map_err(HideError::io(KEEP))?;
        spool.write_all(&bytes).map_err(HideError::io(KEEP))?;
        let (keyring_bytes, bytes) = (layout.keyring_bytes, layout.body_bytes);
        Ok(Found::Message(Message { spool, keyring_bytes, bytes }))
    }

    fn gather(&self, spread: Spread, layout: &SlotLayout) -> Result<Gathered, HideError> {
        let numbers = self.numbers(layout.slot_count)?;
        let decoder = Decoder::new(spread);
        let mut gathered = Gathered::new(layout.body_bytes);
        let each = usize::try_from(WORDS_BYTES / decoder.word_bytes()).unwrap_or(1).max(1);
        let packets = usize::try_from(spread.packets()).unwrap_or(0);
        for first in (0..packets).step_by(each) {
            let mut words = decoder.words(first, each);
            for (at, number) in &numbers {
                self.listener.hear(&self.body, &self.heard.slot(*at)?, *number, &mut words);
            }
            words.packets(&self.body).for_each(|(number, bytes)| gathered.add(number, bytes));
        }
        Ok(gathered)
    }

    /// The slots whose numbers are found out, and the numbers. Those behind a cut have others than those before.
    fn numbers(&self, slot_count: u64) -> Result<Vec<(usize, u64)>, HideError> {
        let end = slot_count.max(self.heard.marks.len() as u64) + 2 * CYCLE;
        let mut numbers = Vec::new();
        let mut moved = 0;
        for run in runs(self.heard.marks.iter(), RUN_SLOTS) {
            let slots = (run.first..run.first + run.count).map(|at| self.heard.slot(at));
            let slots = slots.collect::<Result<Vec<_>, _>>()?;
            let Some(first) = slots.first() else { continue };
            let as_before = first.number().saturating_add_signed(moved);
            let guess = (as_before % CYCLE == first.in_cycle()).then_some(as_before);
            let known = guess.filter(|number| self.certainty(&slots, *number) > TAKEN);
            if let Some(number) = known.or_else(|| self.searched(&slots, end)) {
                moved = number.cast_signed() - first.number().cast_signed();
                numbers.extend(numbered(run, &slots, number));
            }
        }
        Ok(numbers)
    }

    /// The number of the first of these slots, of all below `end`.
    fn searched(&self, slots: &[Slot], end: u64) -> Option<u64> {
        let class = slots.first()?.in_cycle();
        let all = (class..end).step_by(usize::try_from(CYCLE).unwrap_or(1));
        let all = all.map(|number| (number, self.certainty(slots, number)));
        let best = all.max_by(|one, other| one.1.total_cmp(&other.1));
        best.filter(|(_, certainty)| *certainty > REFUSED).map(|(number, _)| number)
    }

    /// How certain it is that the first of these slots has this number.
    fn certainty(&self, slots: &[Slot], number: u64) -> f32 {
        let first = slots.first().map_or(0, Slot::number);
        let each = slots
            .iter()
            .map(|slot| self.listener.certainty(&self.body, slot, number + slot.number() - first));
        let count = u16::try_from(slots.len()).unwrap_or(u16::MAX);
        each.sum::<f32>() / f32::from(count).sqrt()
    }
}

fn numbered(run: Run, slots: &[Slot], number: u64) -> impl Iterator<Item = (usize, u64)> {
    let first = slots.first().map_or(0, Slot::number);
    (run.first..).zip(slots.iter().map(move |slot| number + slot.number() - first))
}
