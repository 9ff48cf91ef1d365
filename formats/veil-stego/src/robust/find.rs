//! Finding a message of which nothing is known but the finder's key.
//!
//! Owns the search over profiles, lanes, and where slots begin: all at once, adding up over the video what each would explain.
//! Refuses to know: what the message is. Invariant: the work depends on the frames' number and size, not on what is found,
//! until it is sure.

use std::collections::VecDeque;

use super::blocks::Blocks;
use super::grid::{Master, Means, is_upright, master_size};
use super::places::Front;
use super::soft::{Sight, unit};
use super::{CYCLE, LANES, Profile, Shape, TICKS, tick_of};
use crate::plane::Picture;
use crate::stream::StructuralKey;

/// Ticks from one look to the next.
const LOOK_TICKS: u64 = 2;
/// What of the evidence of a slot counts at the next: after a cut the old goes.
const MEMORY: f32 = 0.97;
/// Deviations beyond which chance is no explanation, among some 10⁵ that are tried.
const SURE: f32 = 11.0;

/// What is known of where a message is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lock {
    pub(super) shape: Shape,
    pub(super) lane: u16,
    /// Slots begin at ticks that leave this when divided by a slot's.
    pub(super) phase: u64,
    /// What is added to the number of such a slot to have its number in the cycle.
    pub(super) offset: u64,
    pub(super) score: f32,
}

impl Lock {
    /// The shape of its slots.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// How many deviations it is away from chance.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.score
    }
}

/// The last ticks of a video.
pub(super) struct Window {
    means: Means,
    ticks: VecDeque<(Vec<f32>, u32)>,
    /// The tick that frames are added to.
    now: u64,
    columns: usize,
}

/// A search for a message.
pub struct Finding {
    window: Window,
    candidates: Vec<Candidate>,
    best: Lock,
}

struct Candidate {
    shape: Shape,
    blocks: Blocks,
    /// For each front, its pilots' carriers and dithers.
    pilots: Vec<(u16, u8)>,
    each: usize,
    /// For each phase: evidence for each lane and offset, and its variance.
    evidence: Vec<(Vec<f32>, f32)>,
}

impl Window {
    pub(super) fn new(picture: Picture) -> Self {
        let (columns, _) = master_size(is_upright(picture));
        Self { means: Means::new(picture), ticks: VecDeque::new(), now: 0, columns }
    }

    /// Takes a frame, after handing out the ticks that are complete before it: each with the mean of the slot that ends with it.
    pub(super) fn frame(
        &mut self,
        luma: &[u8],
        time_us: u64,
        mut tick: impl FnMut(u64, &dyn Fn() -> Option<Master>),
    ) {
        let now = tick_of(time_us).max(self.now);
        if self.now < now {
            self.complete(&mut tick);
        }
        // Of a gap, what lies more than two slots before its end has no slot with a frame in it.
        self.now = self.now.max(now.saturating_sub(2 * TICKS));
        while self.now < now {
            self.complete(&mut tick);
        }
        self.means.add(luma);
    }

    /// Hands out the last slot's ticks.
    pub(super) fn finish(&mut self, mut tick: impl FnMut(u64, &dyn Fn() -> Option<Master>)) {
        for _ in 0..TICKS {
            self.complete(&mut tick);
        }
    }

    fn complete(&mut self, tick: &mut impl FnMut(u64, &dyn Fn() -> Option<Master>)) {
        if self.ticks.len() as u64 == TICKS {
            self.ticks.pop_front();
        }
        self.ticks.push_back(self.means.take_sum());
        tick(self.now, &|| self.slot());
        self.now += 1;
    }

    fn slot(&self) -> Option<Master> {
        let frames: u32 = self.ticks.iter().map(|(_, frames)| frames).sum();
        if frames == 0 || (self.ticks.len() as u64) < TICKS {
            return None;
        }
        let mut sum: Option<Vec<f32>> = None;
        for (cells, _) in self.ticks.iter().filter(|(_, frames)| *frames > 0) {
            match &mut sum {
                None => sum = Some(cells.clone()),
                Some(sum) => sum.iter_mut().zip(cells).for_each(|(sum, cell)| *sum += cell),
            }
        }
        Some(Master::of_sum(sum?, frames, self.columns))
    }
}

impl Finding {
    /// Begins with the first frame.
    #[must_use]
    pub fn new(find: &StructuralKey, picture: Picture) -> Self {
        let shapes = Profile::ALL.map(|profile| Shape::new(profile, picture));
        let lane = (0, f32::MIN);
        let best = Lock { shape: shapes[0], lane: lane.0, phase: 0, offset: 0, score: lane.1 };
        let candidates = shapes.map(|shape| Candidate::new(find, shape)).into();
        Self { window: Window::new(picture), candidates, best }
    }

    /// Looks at a frame's luma plane, in bytes as raw video has them; `time_us` is the time since the first frame.
    pub fn frame(&mut self, luma: &[u8], time_us: u64) {
        let (candidates, best) = (&mut self.candidates, &mut self.best);
        self.window.frame(luma, time_us, |tick, slot| look(candidates, best, tick, slot));
    }

    /// Looks at what is left when there are no more frames.
    pub fn finish(&mut self) {
        let (candidates, best) = (&mut self.candidates, &mut self.best);
        self.window.finish(|tick, slot| look(candidates, best, tick, slot));
    }

    /// Whether chance is no explanation.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.best.score >= SURE
    }

    /// What explains most.
    #[must_use]
    pub fn best(&self) -> Lock {
        self.best
    }
}

fn look(
    candidates: &mut [Candidate],
    best: &mut Lock,
    tick: u64,
    slot: &dyn Fn() -> Option<Master>,
) {
    if !(tick + 1).is_multiple_of(LOOK_TICKS) {
        return;
    }
    let Some(slot) = slot() else { return };
    for candidate in candidates {
        candidate.look(tick + 1 - TICKS, &slot, best);
    }
}

impl Candidate {
    fn new(find: &StructuralKey, shape: Shape) -> Self {
        let fronts = (0..LANES).flat_map(|lane| (0..CYCLE).map(move |class| (lane, class)));
        let pilots = fronts.flat_map(|(lane, class)| {
            let places = Front::new(find, shape, lane, class).pilots;
            places.into_iter().map(|place| (place.carrier, place.dither_of(false)))
        });
        let (pilots, each) = (pilots.collect(), shape.front_pilots());
        let hypotheses = usize::from(LANES) * CYCLE as usize;
        let evidence = vec![(vec![0.0; hypotheses], 0.0); (TICKS / LOOK_TICKS) as usize];
        Self { shape, blocks: Blocks::new(shape), pilots, each, evidence }
    }

    /// Adds what the slot that begins at a tick says.
    fn look(&mut self, start: u64, slot: &Master, best: &mut Lock) {
        let carriers = self.blocks.forward(&slot.on(self.shape));
        let units: Vec<i16> = carriers.iter().map(|value| unit(*value)).collect();
        let sight = Sight::new(&units, self.shape);
        let (phase, number) = (start % TICKS, start / TICKS);
        let (evidence, variance) = &mut self.evidence[(phase / LOOK_TICKS) as usize];
        *variance = *variance * MEMORY * MEMORY + 1.0;
        for (front, pilots) in self.pilots.chunks_exact(self.each).enumerate() {
            let score = sight.score(pilots.iter().copied());
            let (lane, class) = (front as u64 / CYCLE, front as u64 % CYCLE);
            let offset = (class + CYCLE - number % CYCLE) % CYCLE;
            let sum = &mut evidence[(lane * CYCLE + offset) as usize];
            *sum = *sum * MEMORY + score;
            let score = *sum / variance.sqrt();
            if score > best.score {
                *best = Lock { shape: self.shape, lane: lane as u16, phase, offset, score };
            }
        }
    }
}
