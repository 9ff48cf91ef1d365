//! What changing a sample costs: HILL, with a term for what moves.
//!
//! HILL (Li, Wang, Huang, Li, *A new cost function for spatial image steganography*, ICIP 2014): the residual of the
//! high-pass filter (−1 2 −1; 2 −4 2; −1 2 −1), its size spread by a 3×3 mean, the reciprocal, spread by a 15×15 mean. Where
//! a frame differs from the one before, changes are cheaper: filters over time see less there. Refuses to know what is
//! embedded. Invariants: sums are of integers and quotients are IEEE divisions, so the order of work changes nothing and every way to
//! compute gives the same costs; outside the frame its border continues.

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

use crate::plane::{Depth, Picture, Sample};
use crate::trellis::COST_MAX;

/// The reciprocal's numerator: 9 (a mean of nine) · 2¹⁴.
const NUMERATOR: f32 = 9.0 * 16_384.0;
/// HILL's guard against division by zero, 10⁻³ on a mean, for a sum of nine.
const GUARD: f32 = 0.009;
/// The reciprocal where nine residuals are 0: a change there is seen. 225 of them fit in 32 bits.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sixteen million")]
const FLAT: u32 = (NUMERATOR / GUARD) as u32;
/// Half the side of the wide mean.
const WIDE: usize = 7;
/// Rows of reciprocals that are kept: those of the wide mean, and the one that leaves it.
const KEPT: usize = 2 * WIDE + 2;
/// The cost that half of a frame's samples have at most.
const MEDIAN_COST: f32 = 64.0;
/// The dearest cost that texture gives; what should not be changed at all costs [`COST_MAX`].
const TEXTURE_COST_MAX: f32 = 1023.0;
/// One sample in so many is looked at for the median: a prime, so that it goes through all columns.
const MEDIAN_STEP: usize = 101;

/// The upper halves of the smallest and the largest finite ρ that are told apart: 1, and 2³³ less a little. Those of a frame are larger, and
/// smaller.
const RHO_MIN: u16 = 0x3f80;
const RHO_MAX: u16 = 0x4fff;
/// Prices of all of them, and that of what is beyond.
const PRICES: usize = (RHO_MAX - RHO_MIN) as usize + 2;

/// How costs are computed: a choice made once, by what the processor can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lanes(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx512),
}

/// A frame's costs, and the memory for them, kept from one frame to the next.
pub(crate) struct Costs {
    /// For each sample the upper half of HILL's ρ (as a 32-bit float, infinite where a change shows) without its sign, and in its place
    /// at the end the level's lowest bit: samples are taken in a random order, and each place that is looked at is a wait.
    map: Vec<u16>,
    /// What each ρ costs, from [`RHO_MIN`] on; the last is what can't be changed unseen.
    prices: Vec<u16>,
    rows: Rows,
}

/// The rows that are being worked on. Row numbers are taken modulo the number of rows that are kept.
#[derive(Default)]
pub(super) struct Rows {
    /// The high-pass filter's vertical half of a row, with the border repeated once at either end.
    vertical: Vec<i16>,
    /// Sizes of residuals, padded likewise.
    residual: [Vec<u16>; 3],
    /// Sums of three residuals, one above the other, padded likewise.
    tall: Vec<u16>,
    /// Reciprocals, with the border repeated [`WIDE`] times at either end.
    reciprocal: [Vec<u32>; KEPT],
    /// Sums of fifteen reciprocals, one above the other, padded likewise.
    column: Vec<u32>,
    /// Sums of three neighbours in `column`.
    threes: Vec<u32>,
    /// How many rows of residuals were computed.
    filtered: usize,
}

impl Lanes {
    /// What every processor has.
    pub(crate) const PORTABLE: Self = Self(Kind::Portable);

    /// The way of this name, if there is one and this processor has it; the names are those of [`crate::Walk`].
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "portable" => Some(Self::PORTABLE),
            #[cfg(target_arch = "x86_64")]
            "avx2" => x86::Avx2::detect().map(|lanes| Self(Kind::Avx2(lanes))),
            #[cfg(target_arch = "x86_64")]
            "avx512" => x86::Avx512::detect().map(|lanes| Self(Kind::Avx512(lanes))),
            _ => None,
        }
    }
}

impl Costs {
    pub(crate) fn new() -> Self {
        Self { map: Vec::new(), prices: Vec::new(), rows: Rows::default() }
    }

    /// Computes the costs of `frame`; `before` is the frame before it, as it was before anything was embedded.
    pub(crate) fn measure<S: Sample>(
        &mut self,
        lanes: Lanes,
        picture: Picture,
        frame: &[S],
        before: Option<&[S]>,
    ) {
        let work = Work { picture, frame, before };
        let Self { map, rows, .. } = self;
        map.resize(frame.len(), 0);
        match lanes.0 {
            Kind::Portable => work.fill(rows, map),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(has) => has.fill(&work, rows, map),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(has) => has.fill(&work, rows, map),
        }
        let scale = MEDIAN_COST / median(&self.map);
        self.prices.clear();
        self.prices.extend((RHO_MIN..=RHO_MAX).map(|rho| price(rho_of(rho << 1), scale)));
        self.prices.push(COST_MAX);
    }

    /// Takes lowest bits and costs of the samples at `places`, one of each for each.
    pub(crate) fn take(&self, places: &[u32], bits: &mut Vec<u8>, costs: &mut Vec<u16>) {
        costs.clear();
        costs.extend(places.iter().map(|place| self.map[*place as usize]));
        bits.clear();
        bits.extend(costs.iter().map(|packed| packed.to_le_bytes()[0] & 1));
        let prices = &self.prices[..PRICES];
        for packed in costs {
            *packed = prices[usize::from((*packed >> 1).saturating_sub(RHO_MIN)).min(PRICES - 1)];
        }
    }
}

/// What a change costs.
fn price(rho: f32, scale: f32) -> u16 {
    let cost = (rho * scale).clamp(1.0, TEXTURE_COST_MAX);
    u16::try_from(whole(cost)).unwrap_or(COST_MAX)
}

/// Packs ρ and the lowest bit of `level`.
#[inline(always)]
fn pack(rho: f32, level: u16) -> u16 {
    // Never negative: the sign is 0, and seven bits of fraction are left.
    #[allow(clippy::cast_possible_truncation, reason = "16 bits are left")]
    let upper = (rho.to_bits() >> 16) as u16;
    upper << 1 | level & 1
}

#[inline(always)]
fn rho_of(packed: u16) -> f32 {
    f32::from_bits(u32::from(packed >> 1) << 16)
}

/// The middle of the finite values, of one in [`MEDIAN_STEP`]; 1 if there is none.
fn median(map: &[u16]) -> f32 {
    let looked_at = map.iter().step_by(MEDIAN_STEP).copied().map(rho_of);
    let mut finite: Vec<f32> = looked_at.filter(|rho| rho.is_finite()).collect();
    let middle = finite.len() / 2;
    if finite.is_empty() {
        return 1.0;
    }
    *finite.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// One frame to work on.
pub(super) struct Work<'a, S> {
    picture: Picture,
    frame: &'a [S],
    before: Option<&'a [S]>,
}

impl<S: Sample> Work<'_, S> {
    /// Fills `map` row by row. Inlined with all it calls, so that it is compiled for each kind of processor.
    #[inline(always)]
    pub(super) fn fill(&self, rows: &mut Rows, map: &mut [u16]) {
        let width = self.picture.width() as usize;
        let last = self.picture.height() as usize - 1;
        rows.begin(width);
        let mut reached = 0;
        for (row, costs) in map.chunks_exact_mut(width).enumerate() {
            while reached <= (row + WIDE).min(last) {
                self.enter(reached, rows);
                reached += 1;
            }
            if row == 0 {
                (0..WIDE).for_each(|_| rows.add(0));
                (0..=WIDE).for_each(|below| rows.add(below.min(last)));
            } else {
                rows.go_down((row + WIDE).min(last), row.saturating_sub(WIDE + 1));
            }
            rows.gather();
            self.finish(row, rows, costs);
        }
    }

    /// Computes a row of reciprocals. Rows come in order.
    #[inline(always)]
    fn enter(&self, row: usize, rows: &mut Rows) {
        let last = self.picture.height() as usize - 1;
        let below = (row + 1).min(last);
        while rows.filtered <= below {
            self.filter(rows.filtered, rows);
            rows.filtered += 1;
        }
        rows.invert([row.saturating_sub(1), row, below]);
    }

    /// Computes a row of residuals: the filter is (1 −2 1) downwards, then along the row.
    #[inline(always)]
    fn filter(&self, row: usize, rows: &mut Rows) {
        let (width, last) = (self.picture.width() as usize, self.picture.height() as usize - 1);
        let around = [row.saturating_sub(1), row, (row + 1).min(last)];
        let [above, middle, below] = around.map(|row| &self.frame[row * width..][..width]);
        let Rows { vertical, residual, .. } = rows;
        let vertical = &mut vertical[..width + 2];
        let inner = vertical[1..].iter_mut().zip(above).zip(middle).zip(below);
        for (((vertical, above), middle), below) in inner {
            *vertical = second_difference(
                above.level().cast_signed(),
                middle.level().cast_signed(),
                below.level().cast_signed(),
            );
        }
        repeat_border(vertical, 1);
        let [left, here, right] = shifted(vertical, width);
        let residual = &mut residual[row % 3][..width + 2];
        let inner = residual[1..].iter_mut().zip(left).zip(here).zip(right);
        for (((residual, left), here), right) in inner {
            // At most 8 · 1023.
            *residual = second_difference(*left, *here, *right).unsigned_abs();
        }
        repeat_border(residual, 1);
    }

    /// Sums fifteen neighbours of each column, takes what moves into account, and marks what should not be changed.
    #[inline(always)]
    fn finish(&self, row: usize, rows: &Rows, costs: &mut [u16]) {
        let width = costs.len();
        let frame = &self.frame[row * width..][..width];
        let before = self.before.map_or(frame, |before| &before[row * width..][..width]);
        let reciprocal = &rows.reciprocal[row % KEPT][WIDE..][..width];
        let shift = match self.picture.depth() {
            Depth::Eight => 0,
            Depth::Ten => 2,
        };
        let still = if self.before.is_some() { 0.5 } else { 1.0 };
        let threes = [0, 3, 6, 9, 12].map(|by| &rows.threes[by..][..width]);
        let samples = costs.iter_mut().zip(frame).zip(before).zip(reciprocal).enumerate();
        for (at, (((cost, now), before), reciprocal)) in samples {
            let sum = threes[0][at] + threes[1][at] + threes[2][at] + threes[3][at] + threes[4][at];
            #[allow(clippy::cast_precision_loss, reason = "a cost needs no more than 24 bits")]
            let rho = sum as f32;
            let moved = now.level().abs_diff(before.level()) >> shift;
            let moved = (f32::from(moved) * 0.25).min(1.0);
            let is_wet = *reciprocal == FLAT || self.picture.is_end(now.level());
            let rho = if is_wet { f32::INFINITY } else { rho / (still + moved) };
            *cost = pack(rho, now.level());
        }
    }
}

impl Rows {
    /// Makes room for rows of `width` samples.
    fn begin(&mut self, width: usize) {
        self.filtered = 0;
        self.vertical.resize(width + 2, 0);
        self.residual.iter_mut().for_each(|row| row.resize(width + 2, 0));
        self.tall.resize(width + 2, 0);
        self.reciprocal.iter_mut().for_each(|row| row.resize(width + 2 * WIDE, 0));
        self.column.clear();
        self.column.resize(width + 2 * WIDE, 0);
        self.threes.resize(width + 2 * WIDE - 2, 0);
    }

    /// Computes the reciprocals of the middle one of three rows.
    #[inline(always)]
    fn invert(&mut self, [above, row, below]: [usize; 3]) {
        let Self { residual, tall, reciprocal, .. } = self;
        let width = tall.len() - 2;
        let [above, here, below] = [above, row, below].map(|row| &residual[row % 3][..width + 2]);
        for (((tall, above), here), below) in tall.iter_mut().zip(above).zip(here).zip(below) {
            // At most 3 · 8 · 1023.
            *tall = above.wrapping_add(*here).wrapping_add(*below);
        }
        let reciprocal = &mut reciprocal[row % KEPT][..width + 2 * WIDE];
        let [left, here, right] = shifted(tall, width);
        let inner = reciprocal[WIDE..].iter_mut().zip(left).zip(here).zip(right);
        for (((reciprocal, left), here), right) in inner {
            let sum = u32::from(*left) + u32::from(*here) + u32::from(*right);
            #[allow(clippy::cast_precision_loss, reason = "at most 9 · 8 · 1023")]
            let sum = sum.cast_signed() as f32;
            *reciprocal = whole(NUMERATOR / (sum + GUARD));
        }
        repeat_border(reciprocal, WIDE);
    }

    /// Adds a row to the columns.
    #[inline(always)]
    fn add(&mut self, row: usize) {
        let sums = self.column.iter_mut().zip(&self.reciprocal[row % KEPT]);
        sums.for_each(|(sum, reciprocal)| *sum += reciprocal);
    }

    /// Adds a row to the columns, and takes another out.
    #[inline(always)]
    fn go_down(&mut self, enters: usize, leaves: usize) {
        let (enters, leaves) = (&self.reciprocal[enters % KEPT], &self.reciprocal[leaves % KEPT]);
        for ((sum, enters), leaves) in self.column.iter_mut().zip(enters).zip(leaves) {
            *sum = *sum + enters - leaves;
        }
    }

    /// Sums three neighbours of each column.
    #[inline(always)]
    fn gather(&mut self) {
        let [left, here, right] = shifted(&self.column, self.threes.len());
        for (((sum, left), here), right) in self.threes.iter_mut().zip(left).zip(here).zip(right) {
            *sum = left + here + right;
        }
    }
}

/// The whole part of a number from 2⁻⁸ to 2²⁴. A conversion by `as` looks at each number for what this one can't be, one after the other.
#[inline(always)]
fn whole(number: f32) -> u32 {
    let bits = number.to_bits();
    let mantissa = bits & 0x7f_ffff | 0x80_0000;
    mantissa >> (150_u32.wrapping_sub(bits >> 23) & 31)
}

/// What the middle number differs by from both beside it.
#[inline(always)]
fn second_difference(one: i16, middle: i16, other: i16) -> i16 {
    // Levels of a depth don't overflow, and whatever others come to is the same everywhere.
    one.wrapping_add(other).wrapping_sub(middle.wrapping_add(middle))
}

/// A padded row three times, each from one number further on, and all of one length: that is what loops are made vectors of.
#[inline(always)]
fn shifted<T>(row: &[T], length: usize) -> [&[T]; 3] {
    [0, 1, 2].map(|by| &row[by..][..length])
}

/// Repeats the first and last number of what lies between two margins into them.
#[inline(always)]
fn repeat_border<T: Copy>(row: &mut [T], margin: usize) {
    let end = row.len() - margin;
    let (first, last) = (row[margin], row[end - 1]);
    row[..margin].fill(first);
    row[end..].fill(last);
}
