//! Scores of windows, and what they come to.
//!
//! Owns: correlation of windows with the title's template and with decoys. Invariant: a window costs 64 numbers, and they are all that is
//! kept of it.

use super::geometry::Geometry;
use super::hear::{Reading, hear};
use super::plane::Filters;
use super::presence::{DECOYS, Presence};
use super::rows::{rows, transform};
use super::sight::{UNIT, Window};
use super::template::{Template, draw};
use super::track::{Scores, align};
use super::{MACRO_SIDE, MACROS, SIGHT_HEIGHT, SIGHT_SAMPLES, SIGHT_WIDTH, SLOTS_MAX, TracingKey};
use crate::stream::StructuralKey;

/// Samples of a macro cell.
pub(super) const MACRO: (usize, usize) = (SIGHT_WIDTH / MACRO_SIDE, SIGHT_HEIGHT / MACRO_SIDE);

/// A template as a sight shows it.
pub(super) struct Reference {
    pub(super) levels: Vec<f32>,
    /// Roots of the macro cells' sums of squares.
    lengths: [f32; MACROS],
}

/// Reads a leak, window after window.
pub struct Reader {
    geometry: Geometry,
    rows: Vec<u8>,
    /// The title's, then decoys'.
    references: Vec<Reference>,
    aligned: Vec<f32>,
    scores: Vec<Scores>,
    starts_us: Vec<u64>,
    presence: Presence,
}

impl Reference {
    /// The title's template, or a decoy's.
    pub(super) fn new(key: &StructuralKey, number: u64) -> Self {
        let mut levels = Vec::with_capacity(SIGHT_SAMPLES);
        let template = Template::new(key, number);
        draw(template.cells(), SIGHT_WIDTH, SIGHT_HEIGHT, |line| levels.extend_from_slice(line));
        Filters::new().sharpen(&mut levels);
        let lengths = by_macro(&levels, &levels).map(f32::sqrt);
        Self { levels, lengths }
    }

    /// Scores of all rows, in deviations of what chance gives; `deviation` is that of the levels shown.
    fn scores(&self, levels: &[f32], deviation: f32) -> Scores {
        let mut sums = by_macro(levels, &self.levels);
        for (sum, length) in sums.iter_mut().zip(&self.lengths) {
            *sum /= (deviation * length).max(1e-6) * MACRO_SIDE as f32;
        }
        transform(&mut sums);
        sums
    }
}

impl Reader {
    /// For a title of `slot_count` slots (at most [`SLOTS_MAX`]), of which the leak shows what `geometry` says.
    #[must_use]
    pub fn new(key: &TracingKey, slot_count: u32, geometry: Geometry) -> Self {
        let references = (0..=DECOYS as u64).map(|number| Reference::new(key.streams(), number));
        Self {
            geometry,
            rows: rows(key.streams(), slot_count.clamp(1, SLOTS_MAX)),
            references: references.collect(),
            aligned: vec![0.0; SIGHT_SAMPLES],
            scores: Vec::new(),
            starts_us: Vec::new(),
            presence: Presence::new(),
        }
    }

    /// Takes the next window.
    pub fn push(&mut self, window: &Window) {
        let covered = self.geometry.align(window, &mut self.aligned);
        let squares: f32 = self.aligned.iter().map(|level| level * level).sum();
        let deviation = (squares / covered.max(1) as f32).sqrt().max(0.02 * UNIT);
        let all = self.references.iter().map(|one| one.scores(&self.aligned, deviation));
        let mut own = None;
        let highest = all.map(|scores| {
            own.get_or_insert(scores);
            scores[1..].iter().fold(0.0_f32, |highest, score| highest.max(score.abs()))
        });
        self.presence.add(highest);
        self.scores.extend(own);
        self.starts_us.push(window.start_us());
    }

    /// How well the title's template stands out so far, as [`Reading::presence`].
    #[must_use]
    pub fn presence(&self) -> f64 {
        self.presence.deviations()
    }

    /// Reads what was taken.
    #[must_use]
    pub fn finish(self) -> Reading {
        let path = align(&self.scores, &self.rows);
        Reading {
            presence: self.presence(),
            slots: hear(&self.scores, &self.starts_us, &path, &self.rows),
            window_count: self.scores.len(),
        }
    }
}

/// Sums of products over each macro cell.
pub(super) fn by_macro(one: &[f32], other: &[f32]) -> Scores {
    let mut sums = [0.0; MACROS];
    let rows = one.chunks_exact(SIGHT_WIDTH).zip(other.chunks_exact(SIGHT_WIDTH));
    for (y, (one, other)) in rows.enumerate() {
        let sums = &mut sums[y / MACRO.1 * MACRO_SIDE..][..MACRO_SIDE];
        let cells = one.chunks_exact(MACRO.0).zip(other.chunks_exact(MACRO.0));
        for (sum, (one, other)) in sums.iter_mut().zip(cells) {
            *sum += product(one, other);
        }
    }
    sums
}

/// The sum of products, in eight parts that a processor adds up at once.
fn product(one: &[f32], other: &[f32]) -> f32 {
    let mut parts = [0.0; 8];
    for (one, other) in one.chunks_exact(8).zip(other.chunks_exact(8)) {
        for at in 0..8 {
            parts[at] += one[at] * other[at];
        }
    }
    parts.iter().sum()
}
