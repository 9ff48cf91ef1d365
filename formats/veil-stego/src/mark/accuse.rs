//! Who leaked, and how sure that is.
//!
//! Owns: scores of codewords against a reading, and bounds on how often an innocent's is as high. Refuses to know: how slots were
//! read. Invariant: whatever the reading says, the probability that anybody innocent is accused is at most the bound asked for.
//!
//! An innocent's symbols are independent of the leak: 1 with the slot's bias p, which is all that is used (Chernoff 1952). So no
//! reading, hostile or wrong, can frame anybody.

use super::codeword::Codewords;
use super::hear::Reading;
use super::{SLOTS_MAX, TracingKey};

/// Colluders that scores are made for: one is found as soon as with scores for one alone, or nearly, and three in the end.
const COLLUDERS: f64 = 2.0;
/// Slots count as read by no more than this certainty, so that one wrong slot doesn't outweigh many right ones.
const SUREST: f64 = 0.98;
/// Exponents at which the bound is tried; each gives a bound that holds, the least is taken.
const EXPONENTS: usize = 80;
/// The least and the greatest exponent.
const EXPONENT_RANGE: (f64, f64) = (0.02, 12.0);
/// What rounding may have made of a logarithm.
const ROUNDING: f64 = 1e-6;

/// What a reading says of viewers.
#[derive(Clone, Debug, PartialEq)]
pub struct Accusation {
    /// All viewers, the most suspicious first.
    pub suspects: Vec<Suspect>,
    /// About how many more slots would name somebody, if the rest of the leak is like what was read; `None` if somebody is named.
    pub more_slots: Option<u32>,
}

/// What a reading says of one viewer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspect {
    /// The viewer's number in the list that was given.
    pub viewer: usize,
    /// Logarithm of how much likelier the reading is with this viewer among two colluders than without.
    pub score: f64,
    /// The bound on the probability that any of the innocent viewers has such a score: Chernoff's, times the number of viewers.
    pub p_value: f64,
    /// Whether that is at most what was asked for.
    pub is_named: bool,
}

/// What a slot adds to a score.
struct Weight {
    slot: u32,
    /// Symbol 1 comes as often as this in 2^32.
    odds: u32,
    bias: f64,
    /// With symbol 0, and with symbol 1.
    gains: [f64; 2],
}

/// Who may have made a copy that reads like this. With a probability of at least 1 - `epsilon`, nobody is named who didn't have a part in it.
#[must_use]
pub fn accuse(
    key: &TracingKey,
    reading: &Reading,
    viewers: &[[u8; 16]],
    epsilon: f64,
) -> Accusation {
    let weights: Vec<Weight> = weights(key, reading);
    let bound = Bound::new(&weights);
    let codewords = Codewords::new(key);
    let count = viewers.len().max(1) as f64;
    let suspect = |(viewer, number): (usize, &[u8; 16])| {
        let codeword = codewords.of(number);
        let symbols = codeword.symbols(weights.iter().map(|weight| (weight.slot, weight.odds)));
        let gains = symbols.zip(&weights).map(|(symbol, weight)| weight.gains[usize::from(symbol)]);
        let score = gains.sum();
        let p_value = (bound.logarithm(score) + count.ln()).min(0.0).exp();
        Suspect { viewer, score, p_value, is_named: p_value <= epsilon }
    };
    let mut suspects: Vec<Suspect> = viewers.iter().enumerate().map(suspect).collect();
    suspects.sort_by(|a, b| b.score.total_cmp(&a.score));
    let more_slots = more_slots(&weights, &suspects, (count, epsilon));
    Accusation { suspects, more_slots }
}

fn weights(key: &TracingKey, reading: &Reading) -> Vec<Weight> {
    let mut weights: Vec<Weight> = Vec::with_capacity(reading.slots.len());
    for heard in reading.slots.iter().filter(|heard| heard.slot < SLOTS_MAX) {
        // A slot counts once, whatever a reading says.
        if weights.last().is_some_and(|last| last.slot >= heard.slot) {
            continue;
        }
        let odds = key.odds(heard.slot);
        let bias = odds.bias();
        let one = if heard.one.is_finite() { heard.one.clamp(1.0 - SUREST, SUREST) } else { 0.5 };
        weights.push(Weight { slot: heard.slot, odds: odds.one, bias, gains: gains(bias, one) });
    }
    weights
}

/// Logarithms of how much likelier a reading is with a viewer's symbol among those of [`COLLUDERS`], of whom each slot shows one by
/// chance (Laarhoven 2014), than without.
fn gains(bias: f64, one: f64) -> [f64; 2] {
    let others = (1.0 - 1.0 / COLLUDERS) * bias;
    let read = |shown: f64| one * shown + (1.0 - one) * (1.0 - shown);
    [others, others + 1.0 / COLLUDERS].map(|shown| (read(shown) / read(bias)).ln())
}

/// Chernoff's bound on the scores of innocents.
struct Bound {
    /// Exponents, and the logarithms of the scores' moments there.
    moments: Vec<(f64, f64)>,
}

impl Bound {
    fn new(weights: &[Weight]) -> Self {
        let (least, greatest) = EXPONENT_RANGE;
        let ratio = (greatest / least).powf(1.0 / (EXPONENTS - 1) as f64);
        let moment = |exponent: f64| {
            let of = |weight: &Weight| {
                let [zero, one] = weight.gains.map(|gain| (exponent * gain).exp());
                ((1.0 - weight.bias) * zero + weight.bias * one).ln()
            };
            (exponent, weights.iter().map(of).sum())
        };
        let exponents = (0..EXPONENTS).map(|at| least * ratio.powf(at as f64));
        Self { moments: exponents.map(moment).collect() }
    }

    /// The logarithm of a bound on the probability that an innocent's score is `score` or higher.
    fn logarithm(&self, score: f64) -> f64 {
        let bounds = self.moments.iter().map(|(exponent, moment)| moment - exponent * score);
        bounds.fold(0.0, f64::min) + ROUNDING
    }
}

/// About how many more slots are needed: the most suspicious viewer's evidence goes on as it grew, or as it does for one leaker.
fn more_slots(
    weights: &[Weight],
    suspects: &[Suspect],
    (count, epsilon): (f64, f64),
) -> Option<u32> {
    if suspects.first().is_some_and(|first| first.is_named) {
        return None;
    }
    let wanted = (count / epsilon.max(f64::MIN_POSITIVE)).ln();
    let found = suspects.first().map_or(0.0, |first| count.ln() - first.p_value.ln());
    // What a slot of a single leaker gives: the leaker's symbol is what was read.
    let of_one = |weight: &Weight| weight.gains[0].max(weight.gains[1]);
    let read = weights.len().max(1) as f64;
    let single = weights.iter().map(of_one).sum::<f64>() / read;
    let grown = found / read;
    let is_chance = found < count.ln() + 3.0;
    let rate = if is_chance { single } else { grown };
    let more = (wanted - if is_chance { 0.0 } else { found }) / rate.max(0.02);
    Some((more.ceil().max(1.0)) as u32)
}
