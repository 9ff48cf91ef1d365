//! How likely a bit of a slot is 0.
//!
//! Owns: what pilots tell of how far the others are to be believed, and by how much contrast was changed. Refuses to know:
//! codes. Invariant: a slot whose pilots are wrong says next to nothing.

use std::f32::consts::TAU;
use std::sync::LazyLock;

use super::codewords::{HeadBits, Spread, in_code_order, order};
use super::ldpc::Ldpc;
use super::packets::Packets;
use super::places::{Front, Place, Rest};
use super::track::Slot;
use super::{CYCLE, HEAD_SLOT_BITS, Lock, Shape};
use crate::stream::StructuralKey;

/// Carriers are kept in sixteenths of a level.
const UNITS: f32 = 16.0;
/// Blocks are told apart by how much is in them: in fifths of them, each once for its low and once for its high frequencies.
const CLASSES: usize = 10;
/// A carrier counts by half where it is so many steps from 0: changes of contrast move those that are far.
const FAR_STEPS: f32 = 2.0;
/// The mean of all pilots counts as so many of a class.
const PRIOR: f32 = 6.0;

/// Cosines of 256ths of a turn.
static COSINES: LazyLock<[f32; 256]> =
    LazyLock::new(|| std::array::from_fn(|at| (at as f32 / 256.0 * TAU).cos()));

/// A carrier's value in units.
pub(super) fn unit(value: f32) -> i16 {
    (value * UNITS).round().clamp(-32767.0, 32767.0) as i16
}

/// By how much contrast was changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gain(f32);

impl Gain {
    /// No change.
    pub(super) const NONE: Self = Self(1.0);

    /// All that are tried, from 0.8 to 1.25.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..=90_u16).map(|at| Self(0.8 + f32::from(at) * 0.005))
    }
}

/// Where in its lattice each value is, in 256ths of the step.
pub(super) fn turns(carriers: &[i16], shape: Shape, gain: Gain) -> Vec<u8> {
    let scale = 256.0 / (UNITS * shape.profile.step() * gain.0);
    let turn = |value: &i16| ((f32::from(*value) * scale).round() as i32 & 255) as u8;
    carriers.iter().map(turn).collect()
}

/// 1 where a carrier is on the lattice of a 0, -1 where it is on that of a 1.
pub(super) fn side(turns: &[u8], place: &Place) -> f32 {
    let at = turns[usize::from(place.carrier)].wrapping_sub(place.dither_of(false));
    COSINES[usize::from(at)]
}

/// A slot as it looks to who doesn't know by how much contrast was changed.
pub(super) struct Sight {
    /// Where each carrier is in its lattice, and how much it counts.
    carriers: Vec<(u8, f32)>,
    /// The deviation of a carrier's part of a sum where there is nothing.
    deviation: f32,
}

impl Sight {
    pub(super) fn new(carriers: &[i16], shape: Shape) -> Self {
        let far = UNITS * shape.profile.step() * FAR_STEPS;
        let weight = |value: &i16| 1.0 / (1.0 + (f32::from(*value) / far).powi(2));
        let turns = turns(carriers, shape, Gain::NONE);
        let carriers: Vec<_> = turns.into_iter().zip(carriers.iter().map(weight)).collect();
        let squares: f32 = carriers.iter().map(|(_, weight)| weight * weight).sum();
        let deviation = (squares / carriers.len() as f32 / 2.0).sqrt();
        Self { carriers, deviation }
    }

    /// How far known bits, told as carriers and the dithers of what they are, are on their lattices: the sum by its deviation.
    pub(super) fn score(&self, pilots: impl ExactSizeIterator<Item = (u16, u8)>) -> f32 {
        let count = pilots.len() as f32;
        let value = |(carrier, dither): (u16, u8)| {
            let (turn, weight) = self.carriers[usize::from(carrier)];
            weight * COSINES[usize::from(turn.wrapping_sub(dither))]
        };
        pilots.map(value).sum::<f32>() / (self.deviation * count.sqrt())
    }
}

/// How far known bits are on their lattices: the sum by its deviation where there is nothing.
pub(super) fn score(turns: &[u8], pilots: &[Place]) -> f32 {
    let sum: f32 = pilots.iter().map(|place| side(turns, place)).sum();
    sum / (pilots.len() as f32 / 2.0).sqrt()
}

/// Reads the slots of a video.
pub struct Listener {
    shape: Shape,
    fronts: Vec<Front>,
    gain: Gain,
}

/// What slots said of a head.
pub struct HeadSum(Vec<f32>);

impl Listener {
    /// For what was found.
    #[must_use]
    pub fn new(find: &StructuralKey, lock: Lock) -> Self {
        let fronts = (0..CYCLE).map(|class| Front::new(find, lock.shape, lock.lane, class));
        Self { shape: lock.shape, fronts: fronts.collect(), gain: Gain::NONE }
    }

    /// Takes the gain at which the fronts of these slots are most certain.
    pub fn tune<'a>(&mut self, slots: impl Iterator<Item = &'a Slot> + Clone) {
        let sum = |gain: Gain| -> f32 {
            slots.clone().map(|slot| self.front_score(slot, gain).max(0.0)).sum()
        };
        let best = Gain::all().map(|gain| (gain, sum(gain))).max_by(|a, b| a.1.total_cmp(&b.1));
        self.gain = best.map_or(Gain::NONE, |(gain, _)| gain);
    }

    fn front_score(&self, slot: &Slot, gain: Gain) -> f32 {
        score(&turns(&slot.carriers, self.shape, gain), &self.fronts[slot.class()].pilots)
    }

    /// Adds what a slot says of the head.
    pub fn hear_head(&self, slot: &Slot, sum: &mut HeadSum) {
        let front = &self.fronts[slot.class()];
        let heard = Heard::new(self, slot, [front.pilots.as_slice(), &[]]);
        let bits = &mut sum.0[slot.class() * HEAD_SLOT_BITS..];
        for (bit, place) in bits.iter_mut().zip(&front.head) {
            *bit += heard.odds(place);
        }
    }

    /// How certain it is that a slot has this number.
    #[must_use]
    pub fn certainty(&self, body: &StructuralKey, slot: &Slot, number: u64) -> f32 {
        let rest = Rest::new(body, self.shape, &self.fronts[slot.class()], number);
        score(&turns(&slot.carriers, self.shape, self.gain), &rest.pilots)
    }

    /// Adds what the slot with this number says of some packets.
    pub fn hear(&self, body: &StructuralKey, slot: &Slot, number: u64, words: &mut Words<'_>) {
        let front = &self.fronts[slot.class()];
        let rest = Rest::new(body, self.shape, front, number);
        let heard = Heard::new(self, slot, [&front.pilots, &rest.pilots]);
        for (at, place) in rest.data.iter().enumerate() {
            let (packet, turn) = words.decoder.spread.bit(number, at);
            if let Some(word) =
                packet.checked_sub(words.first).and_then(|at| words.odds.get_mut(at))
            {
                word[turn] += heard.odds(place);
            }
        }
    }
}

impl Default for HeadSum {
    fn default() -> Self {
        Self(vec![0.0; CYCLE as usize * HEAD_SLOT_BITS])
    }
}

impl HeadSum {
    /// The head, if enough is known; who has the finder's key can tell whether it is right.
    #[must_use]
    pub fn head(&self) -> Option<[u8; 64]> {
        HeadBits::decode(&self.0)
    }
}

/// Decodes the packets of a message.
pub struct Decoder {
    spread: Spread,
    code: Ldpc,
    order: Vec<u16>,
}

/// What slots said of some packets that follow each other.
pub struct Words<'a> {
    decoder: &'a Decoder,
    first: usize,
    odds: Vec<Vec<f32>>,
}

impl Decoder {
    /// For packets that are spread like this.
    #[must_use]
    pub fn new(spread: Spread) -> Self {
        let code = spread.code();
        let order = order(code.length());
        Self { spread, code, order }
    }

    /// Bytes that what is said of a packet takes.
    #[must_use]
    pub fn word_bytes(&self) -> u64 {
        self.order.len() as u64 * 4
    }

    /// Nothing said yet of `count` packets at most, from `first` on.
    #[must_use]
    pub fn words(&self, first: usize, count: usize) -> Words<'_> {
        let count = count.min((self.spread.packets() as usize).saturating_sub(first));
        let odds = vec![vec![0.0; self.order.len()]; count];
        Words { decoder: self, first, odds }
    }
}

impl Words<'_> {
    /// The packets of which enough is known: number and bytes.
    pub fn packets(&self, body: &StructuralKey) -> impl Iterator<Item = (u32, Vec<u8>)> {
        let Decoder { code, order, .. } = self.decoder;
        (self.first as u32..).zip(&self.odds).filter_map(|(number, odds)| {
            let bits = code.decode(&in_code_order(odds, order))?;
            Some((number, Packets::open(body, number, &bits)?))
        })
    }
}

/// A slot whose pilots were listened to.
struct Heard {
    turns: Vec<u8>,
    band: usize,
    /// For each block, its fifth.
    fifths: Vec<u8>,
    /// For each class, by what a cosine becomes the logarithm of odds.
    weights: [f32; CLASSES],
}

impl Heard {
    fn new(listener: &Listener, slot: &Slot, pilots: [&[Place]; 2]) -> Self {
        let band = listener.shape.profile.band().len();
        let turns = turns(&slot.carriers, listener.shape, listener.gain);
        let fifths = fifths(&slot.carriers, band);
        let mut heard = Self { turns, band, fifths, weights: [0.0; CLASSES] };
        let mut sums = [(0.0_f32, 0.0_f32); CLASSES];
        for place in pilots.into_iter().flatten() {
            let (sum, count) = &mut sums[heard.class(place)];
            *sum += side(&heard.turns, place);
            *count += 1.0;
        }
        let (sum, count) =
            sums.iter().fold((0.0, 0.0), |all, class| (all.0 + class.0, all.1 + class.1));
        let mean = sum / f32::max(count, 1.0);
        heard.weights =
            sums.map(|(sum, count)| 2.0 * concentration((sum + mean * PRIOR) / (count + PRIOR)));
        heard
    }

    fn class(&self, place: &Place) -> usize {
        let (block, at) =
            (usize::from(place.carrier) / self.band, usize::from(place.carrier) % self.band);
        usize::from(self.fifths[block]) * 2 + usize::from(at >= self.band / 2)
    }

    fn odds(&self, place: &Place) -> f32 {
        self.weights[self.class(place)] * side(&self.turns, place)
    }
}

/// For each block, in which fifth it is by what is in its carriers.
fn fifths(carriers: &[i16], band: usize) -> Vec<u8> {
    let energy = |block: &[i16]| block.iter().map(|value| i64::from(*value).pow(2)).sum::<i64>();
    let energies: Vec<i64> = carriers.chunks_exact(band).map(energy).collect();
    let mut sorted = energies.clone();
    sorted.sort_unstable();
    let bounds = [1, 2, 3, 4].map(|fifth| sorted[sorted.len() * fifth / 5]);
    let fifth = |energy: &i64| bounds.iter().filter(|bound| energy >= bound).count() as u8;
    energies.iter().map(fifth).collect()
}

/// The concentration of a von Mises distribution whose mean cosine is `mean` (Best and Fisher 1981).
fn concentration(mean: f32) -> f32 {
    let r = mean.clamp(0.0, 0.97);
    if r < 0.53 {
        2.0 * r + r.powi(3) + 5.0 * r.powi(5) / 6.0
    } else if r < 0.85 {
        -0.4 + 1.39 * r + 0.43 / (1.0 - r)
    } else {
        1.0 / (r.powi(3) - 4.0 * r * r + 3.0 * r)
    }
}
