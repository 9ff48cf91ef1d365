//! Both variants of a frame.
//!
//! Owns: the pattern of the slot that is being marked, and how it is added. Refuses to know: which variant a viewer gets. Invariant:
//! equal frames of a slot get equal variants, whatever came before.

use super::activity::{Activity, STRIPE};
use super::rows::rows;
use super::template::{Template, draw};
use super::{SLOTS_MAX, TracingKey};
use crate::plane::{Depth, Picture, Sample};

/// A pattern's value of one.
const ONE: f32 = 64.0;

/// How much of a mark a picture is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strength {
    /// 0.8 levels: nobody sees it, and it comes through what the attack table says.
    Standard,
    /// 1.2 levels, for what will be small or badly encoded.
    Strong,
}

/// Marks the frames of a title, one after the other.
pub struct Marker {
    picture: Picture,
    strength: Strength,
    template: Template,
    /// Of each slot, its row, and whether variant 1 carries symbol 1.
    slots: Vec<(u8, bool)>,
    activity: Activity,
    /// The row that `pattern` was drawn of.
    drawn: Option<u8>,
    pattern: Vec<i8>,
}

impl Strength {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Standard, Self::Strong];

    /// The name by which people ask for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Strong => "strong",
        }
    }

    /// Levels of eight bits, before the picture is looked at.
    fn levels(self) -> f32 {
        match self {
            Self::Standard => 0.8,
            Self::Strong => 1.2,
        }
    }
}

impl Marker {
    /// For frames of `picture`.
    #[must_use]
    pub fn new(key: &TracingKey, picture: Picture, strength: Strength) -> Self {
        let slot = |(slot, row)| (row, key.odds(slot).first);
        Self {
            picture,
            strength,
            template: Template::new(key.streams(), 0),
            slots: (0..).zip(rows(key.streams(), SLOTS_MAX)).map(slot).collect(),
            activity: Activity::new(picture),
            drawn: None,
            pattern: Vec::new(),
        }
    }

    /// Writes both variants of a frame's luma plane. All three have the picture's samples, row after row without gaps; what is
    /// missing of one is left as it is. Slots count from 0; behind [`SLOTS_MAX`] they begin again.
    pub fn mark<S: Sample>(&mut self, slot: u32, luma: &[S], first: &mut [S], second: &mut [S]) {
        let (row, is_one_first) = self.slots[(slot % SLOTS_MAX) as usize];
        if self.drawn != Some(row) {
            self.pattern = pattern(&self.template, row, self.picture);
            self.drawn = Some(row);
        }
        self.activity.look(luma, self.strength.levels());
        let (up, down) = if is_one_first { (first, second) } else { (second, first) };
        let width = self.picture.width() as usize;
        let rows = luma.chunks_exact(width).zip(self.pattern.chunks_exact(width));
        let rows = rows.zip(up.chunks_exact_mut(width)).zip(down.chunks_exact_mut(width));
        let mut amplitudes: &[i16] = &[];
        for (y, (((levels, pattern), up), down)) in rows.enumerate() {
            if y % STRIPE == 0 {
                amplitudes = self.activity.stripe(y / STRIPE);
            }
            match self.picture.depth() {
                Depth::Eight => add::<S, 11, 255>(levels, pattern, amplitudes, up, down),
                Depth::Ten => add::<S, 9, 1023>(levels, pattern, amplitudes, up, down),
            }
        }
    }
}

/// Adds a row of a pattern to levels, and takes it from them. Amplitudes have 5 bits behind the point, patterns 6; at ten bits a level
/// is four.
fn add<S: Sample, const SHIFT: u32, const HIGHEST: i16>(
    levels: &[S],
    pattern: &[i8],
    amplitudes: &[i16],
    up: &mut [S],
    down: &mut [S],
) {
    let both = up.iter_mut().zip(down);
    let given = pattern.iter().zip(amplitudes);
    for ((level, (up, down)), (pattern, amplitude)) in levels.iter().zip(both).zip(given) {
        let by = (amplitude * i16::from(*pattern) + (1 << (SHIFT - 1))) >> SHIFT;
        let level = level.level().min(HIGHEST as u16) as i16;
        *up = S::of_level((level + by).clamp(0, HIGHEST) as u16);
        *down = S::of_level((level - by).clamp(0, HIGHEST) as u16);
    }
}

/// A row's pattern at a picture's size.
fn pattern(template: &Template, row: u8, picture: Picture) -> Vec<i8> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut pattern = Vec::with_capacity(width * height);
    draw(&template.signed(row), width, height, |line| {
        pattern.extend(line.iter().map(|value| ((value * ONE + 128.5) as i16 - 128) as i8));
    });
    pattern
}
