//! What a video looks like from afar: 16 × 9 means of luma, twice a second, each step without its own brightness and contrast.
//!
//! Specification: decision 109. Owns: making it from frames, and its compressed form. Refuses to know: how two are compared ([`super::matching`]).
//! It tells what is seen, blurred to 144 fields, and is kept in the catalogue alone.
//!
//! Invariant: reading back what was written gives the same; what is read is bounded, whatever the bytes say.

use veil_stego::{Depth, Picture, Sample};

/// Fields in a row.
pub const ACROSS: usize = 16;

/// Rows of fields.
pub const DOWN: usize = 9;

/// Fields of a step.
pub const FIELDS: usize = ACROSS * DOWN;

/// Time of a step in microseconds.
pub const STEP_US: u64 = 500_000;

/// Most steps: a day.
pub const STEPS_MAX: usize = 24 * 3600 * 2;

/// Of a video's frames, those are looked at that are so far apart, in microseconds: ten a second.
const EVERY_US: u64 = 95_000;

/// Every so many rows of a frame are looked at.
const ROWS_APART: usize = 4;

/// Contrast, in levels of 8 bits, below which a step counts as flat: noise would be all that is left of it.
const CONTRAST_MIN: f32 = 2.0;

/// Levels of a field for one standard deviation: 15 levels span three of them to either side.
const LEVELS_PER_SIGMA: f32 = 2.5;

/// Lowest and highest level of a field.
const LEVEL_MAX: i8 = 7;

/// How hard it is compressed.
const ZSTD_LEVEL: i32 = 12;

/// One step: fields row after row, each from -7 to 7.
pub type Step = [i8; FIELDS];

/// What a video looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Likeness {
    /// One every [`STEP_US`], from the beginning.
    pub steps: Vec<Step>,
}

/// Makes a [`Likeness`] from frames as they come by.
#[derive(Debug)]
pub struct Onlooker {
    picture: Picture,
    /// Sums of the present step, and frames in them.
    sums: [f32; FIELDS],
    frames: u32,
    /// When the last frame was that was looked at.
    last_us: Option<u64>,
    done: Likeness,
}

impl Onlooker {
    /// An onlooker of luma planes of this shape.
    #[must_use]
    pub fn new(picture: Picture) -> Self {
        let done = Likeness::default();
        Self { picture, sums: [0.0; FIELDS], frames: 0, last_us: None, done }
    }

    /// Looks at a frame that is shown at `at_us` from the beginning; times rise. Frames beyond a day are left out.
    pub fn push<S: Sample>(&mut self, at_us: u64, luma: &[S]) {
        if self.last_us.is_some_and(|last_us| at_us < last_us.saturating_add(EVERY_US)) {
            return;
        }
        self.last_us = Some(at_us);
        let step = usize::try_from(at_us / STEP_US).unwrap_or(usize::MAX);
        if step >= STEPS_MAX {
            return;
        }
        while self.done.steps.len() < step {
            self.end_step();
        }
        add(self.picture, luma, &mut self.sums);
        self.frames += 1;
    }

    /// What all of it looked like.
    #[must_use]
    pub fn finish(mut self) -> Likeness {
        if self.frames > 0 {
            self.end_step();
        }
        self.done
    }

    /// Ends a step; one in which there was no frame looks like the one before it.
    fn end_step(&mut self) {
        let step = if self.frames == 0 {
            self.done.steps.last().copied().unwrap_or([0; FIELDS])
        } else {
            let scale = if self.picture.depth() == Depth::Ten { 0.25 } else { 1.0 };
            #[expect(clippy::cast_precision_loss, reason = "a few frames")]
            normal(self.sums.map(|sum| sum * scale / self.frames as f32))
        };
        self.done.steps.push(step);
        (self.sums, self.frames) = ([0.0; FIELDS], 0);
    }
}

/// Adds the mean level of each field.
#[expect(clippy::cast_precision_loss, reason = "sums of a part of a picture")]
fn add<S: Sample>(picture: Picture, luma: &[S], sums: &mut [f32; FIELDS]) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let apart = if height >= DOWN * ROWS_APART * 4 { ROWS_APART } else { 1 };
    for (row, fields) in sums.chunks_mut(ACROSS).enumerate() {
        let (top, bottom) =
            (row * height / DOWN, ((row + 1) * height / DOWN).max(row * height / DOWN + 1));
        let mut rows = 0_u32;
        let mut levels = [0_u64; ACROSS];
        for y in (top..bottom.min(height)).step_by(apart) {
            let line = luma.get(y * width..(y + 1) * width).unwrap_or_default();
            for (column, sum) in levels.iter_mut().enumerate() {
                let (left, right) = (column * width / ACROSS, (column + 1) * width / ACROSS);
                let part = line.get(left..right).unwrap_or_default();
                *sum += u64::from(part.iter().map(|one| u32::from(one.level())).sum::<u32>());
            }
            rows += 1;
        }
        for (column, (field, sum)) in fields.iter_mut().zip(levels).enumerate() {
            let across = (column + 1) * width / ACROSS - column * width / ACROSS;
            *field += sum as f32 / (rows as f32 * across as f32).max(1.0);
        }
    }
}

/// Takes brightness and contrast away.
fn normal(means: [f32; FIELDS]) -> Step {
    #[expect(clippy::cast_precision_loss, reason = "144")]
    let count = FIELDS as f32;
    let mean = means.iter().sum::<f32>() / count;
    let variance = means.iter().map(|one| (one - mean) * (one - mean)).sum::<f32>() / count;
    let sigma = variance.sqrt().max(CONTRAST_MIN);
    let limit = f32::from(LEVEL_MAX);
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    means.map(|one| ((one - mean) / sigma * LEVELS_PER_SIGMA).round().clamp(-limit, limit) as i8)
}

impl Likeness {
    /// Compressed: differences to the step before in 4 bits each, two a byte, the first in the low half; then zstd.
    ///
    /// # Errors
    /// When the compressor has no memory.
    pub fn to_bytes(&self) -> std::io::Result<Vec<u8>> {
        let mut packed = Vec::with_capacity(self.steps.len() * FIELDS / 2);
        let mut before: Step = [0; FIELDS];
        for step in &self.steps {
            let nibbles: Vec<u8> = step
                .iter()
                .zip(&before)
                .map(|(one, before)| one.wrapping_sub(*before).cast_unsigned() & 15)
                .collect();
            packed.extend(nibbles.chunks_exact(2).map(|two| two[0] | two[1] << 4));
            before = *step;
        }
        zstd::bulk::compress(&packed, ZSTD_LEVEL)
    }

    /// Reads what [`Likeness::to_bytes`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let packed = zstd::bulk::decompress(bytes, STEPS_MAX * FIELDS / 2).ok()?;
        if packed.len() % (FIELDS / 2) != 0 {
            return None;
        }
        let mut before: Step = [0; FIELDS];
        let mut steps = Vec::with_capacity(packed.len() / (FIELDS / 2));
        for packed in packed.chunks_exact(FIELDS / 2) {
            let nibbles = packed.iter().flat_map(|byte| [byte & 15, byte >> 4]);
            for (field, nibble) in before.iter_mut().zip(nibbles) {
                // Levels lie from -7 to 7, so that 16 of them tell a sum from its wraparound.
                let level = (field.wrapping_add(nibble.cast_signed())) & 15;
                *field = if level > LEVEL_MAX { level - 16 } else { level };
                if *field < -LEVEL_MAX {
                    return None;
                }
            }
            steps.push(before);
        }
        Some(Self { steps })
    }
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of made-up pictures, small and positive"
)]
mod tests {
    use super::*;

    fn plane(picture: Picture, level: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        (0..width * height).map(|place| level(place % width, place / width)).collect()
    }

    fn picture(width: u32, height: u32) -> Picture {
        Picture::new(width, height, Depth::Eight, true).unwrap()
    }

    #[test]
    fn it_is_the_same_at_every_size_brightness_and_contrast() {
        let step = |width: u32, height: u32, gain: f32, lift: f32| {
            let shape = picture(width, height);
            let luma = plane(shape, |x, y| {
                let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
                let level = 60.0 * (7.0 * x).sin() * (4.0 * y).cos();
                (110.0 + lift + gain * level) as u8
            });
            let mut onlooker = Onlooker::new(shape);
            onlooker.push(0, &luma);
            onlooker.finish().steps[0]
        };
        let reference = step(1280, 720, 1.0, 0.0);
        assert!(reference.iter().any(|one| *one > 3) && reference.iter().any(|one| *one < -3));
        for other in
            [step(256, 160, 1.0, 0.0), step(854, 480, 0.6, 30.0), step(640, 360, 1.2, -20.0)]
        {
            let apart = reference.iter().zip(&other).filter(|(one, two)| one.abs_diff(**two) > 1);
            assert_eq!(apart.count(), 0);
        }
    }

    #[test]
    fn steps_are_half_seconds_and_gaps_are_filled() {
        let shape = picture(32, 18);
        let mut onlooker = Onlooker::new(shape);
        let luma = plane(shape, |x, _| 16 + 6 * x as u8);
        for at_us in (0..1_000_000).step_by(40_000).chain([3_600_000]) {
            onlooker.push(at_us, &luma);
        }
        let seen = onlooker.finish();
        assert_eq!(seen.steps.len(), 8);
        assert!(seen.steps.iter().all(|step| *step == seen.steps[0]));
        assert_eq!(Onlooker::new(shape).finish(), Likeness::default());
    }

    #[test]
    fn ten_bits_look_like_eight_and_a_flat_picture_like_nothing() {
        let shape = Picture::new(64, 36, Depth::Ten, true).unwrap();
        let wide: Vec<u16> = (0..64 * 36).map(|place| 64 + 12 * (place % 64)).collect();
        let mut ten = Onlooker::new(shape);
        ten.push(0, &wide);
        let mut eight = Onlooker::new(picture(64, 36));
        eight.push(0, &plane(picture(64, 36), |x, _| 16 + 3 * x as u8));
        assert_eq!(ten.finish(), eight.finish());
        let mut flat = Onlooker::new(picture(64, 36));
        flat.push(0, &plane(picture(64, 36), |x, _| 80 + (x % 2) as u8));
        assert_eq!(flat.finish().steps, [[0; FIELDS]]);
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let step = |seed: usize| -> Step {
            std::array::from_fn(|field| ((field * 7 + seed * 13) % 15) as i8 - 7)
        };
        let likeness = Likeness { steps: (0..100).map(step).collect() };
        let bytes = likeness.to_bytes().unwrap();
        assert_eq!(Likeness::from_bytes(&bytes), Some(likeness));
        assert_eq!(Likeness::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Likeness::from_bytes(b"no zstd"), None);
        let odd = zstd::bulk::compress(&[0; 71], 1).unwrap();
        assert_eq!(Likeness::from_bytes(&odd), None);
        let beyond = zstd::bulk::compress(&[8; 72], 1).unwrap();
        assert_eq!(Likeness::from_bytes(&beyond), None);
        let bomb = zstd::bulk::compress(&vec![0; STEPS_MAX * FIELDS / 2 + 72], 1).unwrap();
        assert_eq!(Likeness::from_bytes(&bomb), None);
        assert_eq!(
            Likeness::from_bytes(&Likeness::default().to_bytes().unwrap()),
            Some(Likeness::default())
        );
    }
}
