//! Slots of a video, one after the other, through cuts.
//!
//! Owns: where slots begin once a lane is known, and which follow each other. Refuses to know: what they carry. Invariant:
//! memory is that of a slot.

use super::blocks::Blocks;
use super::find::Window;
use super::places::Front;
use super::soft::{Sight, unit};
use super::{CYCLE, Lock, TICKS};
use crate::plane::Picture;
use crate::stream::StructuralKey;

/// What of the evidence of a slot counts at the next.
const MEMORY: f32 = 0.7;
/// What was found counts so much at the beginning.
const PRIOR: f32 = 10.0;

/// What a slot says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The tick at which it begins.
    tick: u64,
    /// Its number in the cycle.
    class: u8,
    /// Its carriers, in sixteenths of a level.
    pub(super) carriers: Vec<i16>,
}

/// Slots that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first of them.
    pub first: usize,
    /// How many they are.
    pub count: usize,
}

/// Finds the slots of a message that was found.
pub struct Tracker {
    lock: Lock,
    window: Window,
    blocks: Blocks,
    fronts: Vec<Front>,
    /// For each phase, evidence for each offset.
    evidence: Vec<[f32; CYCLE as usize]>,
}

impl Slot {
    pub(super) fn class(&self) -> usize {
        usize::from(self.class)
    }

    /// Slots of the same length that would lie before it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.tick / TICKS
    }

    /// Its number within the cycle.
    #[must_use]
    pub fn in_cycle(&self) -> u64 {
        self.class.into()
    }

    /// The slot without what it says.
    #[must_use]
    pub fn mark(&self) -> Self {
        Self { carriers: Vec::new(), ..*self }
    }

    /// Bytes of a slot with so many carriers.
    #[must_use]
    pub fn bytes_of(shape: super::Shape) -> usize {
        9 + 2 * shape.carriers()
    }

    /// As bytes, to be kept.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.tick.to_le_bytes());
        bytes.push(self.class);
        bytes.extend(self.carriers.iter().flat_map(|value| value.to_le_bytes()));
    }

    /// From bytes that [`Slot::write`] wrote; `None` for others.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (tick, rest) = bytes.split_first_chunk::<8>()?;
        let (class, carriers) = rest.split_first()?;
        let carriers = carriers.as_chunks::<2>().0.iter().map(|value| i16::from_le_bytes(*value));
        let class = *class % CYCLE as u8;
        Some(Self { tick: u64::from_le_bytes(*tick), class, carriers: carriers.collect() })
    }

    /// Whether `next` is where a slot that follows would be.
    fn is_followed_by(&self, next: &Self) -> bool {
        let ticks = next.tick - self.tick;
        let slots = ticks / TICKS;
        ticks.is_multiple_of(TICKS)
            && (u64::from(self.class) + slots) % CYCLE == u64::from(next.class)
    }
}

/// The runs of slots that follow each other, of `most` slots at most.
#[must_use]
pub fn runs<'a>(slots: impl Iterator<Item = &'a Slot>, most: usize) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut before: Option<&Slot> = None;
    for (at, slot) in slots.enumerate() {
        match runs.last_mut() {
            Some(run) if run.count < most && before.is_some_and(|one| one.is_followed_by(slot)) => {
                run.count += 1;
            }
            _ => runs.push(Run { first: at, count: 1 }),
        }
        before = Some(slot);
    }
    runs
}

impl Tracker {
    /// Begins with the first frame.
    #[must_use]
    pub fn new(find: &StructuralKey, picture: Picture, lock: Lock) -> Self {
        let mut evidence = vec![[0.0; CYCLE as usize]; TICKS as usize];
        evidence[lock.phase as usize][lock.offset as usize] = PRIOR;
        let fronts = (0..CYCLE).map(|class| Front::new(find, lock.shape, lock.lane, class));
        let (blocks, window) = (Blocks::new(lock.shape), Window::new(picture));
        Self { lock, window, blocks, fronts: fronts.collect(), evidence }
    }

    /// Looks at a frame as [`super::Finding::frame`] does, and hands out slots that are complete.
    pub fn frame(&mut self, luma: &[u8], time_us: u64, mut out: impl FnMut(Slot)) {
        let Self { lock, window, blocks, fronts, evidence } = self;
        let mut look = Look { lock: *lock, blocks, fronts, evidence };
        window.frame(luma, time_us, |tick, slot| {
            if let Some(slot) = slot().and_then(|slot| look.tick(tick, &slot)) {
                out(slot);
            }
        });
    }

    /// Hands out what is left when there are no more frames.
    pub fn finish(&mut self, mut out: impl FnMut(Slot)) {
        let Self { lock, window, blocks, fronts, evidence } = self;
        let mut look = Look { lock: *lock, blocks, fronts, evidence };
        window.finish(|tick, slot| {
            if let Some(slot) = slot().and_then(|slot| look.tick(tick, &slot)) {
                out(slot);
            }
        });
    }
}

struct Look<'a> {
    lock: Lock,
    blocks: &'a Blocks,
    fronts: &'a [Front],
    evidence: &'a mut [[f32; CYCLE as usize]],
}

impl Look<'_> {
    fn tick(&mut self, tick: u64, slot: &super::Master) -> Option<Slot> {
        let start = tick + 1 - TICKS;
        let (phase, number) = ((start % TICKS) as usize, start / TICKS);
        let carriers = self.blocks.forward(&slot.on(self.lock.shape));
        let carriers: Vec<i16> = carriers.iter().map(|value| unit(*value)).collect();
        let sight = Sight::new(&carriers, self.lock.shape);
        for (class, front) in self.fronts.iter().enumerate() {
            let offset = (class as u64 + CYCLE - number % CYCLE) % CYCLE;
            let sum = &mut self.evidence[phase][offset as usize];
            *sum = *sum * MEMORY
                + sight.score(
                    front.pilots.iter().map(|place| (place.carrier, place.dither_of(false))),
                );
        }
        let all = self.evidence.iter().enumerate().flat_map(|(phase, offsets)| {
            offsets.iter().enumerate().map(move |(offset, sum)| (phase, offset, *sum))
        });
        let (best, offset, _) = all.max_by(|a, b| a.2.total_cmp(&b.2))?;
        let class = ((number + offset as u64) % CYCLE) as u8;
        (best == phase).then_some(Slot { tick: start, class, carriers })
    }
}
