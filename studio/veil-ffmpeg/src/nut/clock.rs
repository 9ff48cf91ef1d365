//! When a NUT stream's frames are shown.
//!
//! Owns time bases, and times that are told by their difference from the one before (§3.2 to §3.5 of the specification). Refuses
//! to know: where in the stream they stand. Invariant: any numbers give a time, and no panic.

use super::Numbers;

/// The clock of the one stream.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Numerator and denominator of each time base.
    bases: Vec<(u64, u64)>,
    /// The stream's.
    base: usize,
    /// A coded time below 2 to this is its low bits.
    low_bits: u64,
    /// The last frame's time, in its base.
    last: i64,
}

impl Clock {
    /// Takes the time bases from the main header's numbers: `count` pairs.
    pub(super) fn main_header(&mut self, numbers: &mut Numbers<'_>, count: u64) -> Option<()> {
        self.bases.clear();
        for _ in 0..count.min(1 << 16) {
            self.bases.push((numbers.next()?, numbers.next()?));
        }
        Some(())
    }

    /// Takes the body of the stream's header.
    pub(super) fn stream_header(&mut self, body: &[u8]) -> Option<()> {
        let mut numbers = Numbers(body);
        numbers.next()?;
        numbers.next()?;
        let fourcc = usize::try_from(numbers.next()?).ok()?;
        numbers.0 = numbers.0.get(fourcc..)?;
        self.base = usize::try_from(numbers.next()?).ok()?;
        self.low_bits = numbers.next()?.min(62);
        Some(())
    }

    /// Takes the body of a sync point, which says what time it is.
    pub(super) fn sync_point(&mut self, body: &[u8]) -> Option<()> {
        let told = Numbers(body).next()?;
        let count = self.bases.len() as u64;
        let (time, base) = (told.checked_div(count)?, told.checked_rem(count)?);
        let (numerator, denominator) = self.base_of(usize::try_from(base).ok()?)?;
        let (own_numerator, own_denominator) = self.base_of(self.base)?;
        let time = i128::from(time) * numerator * own_denominator;
        self.last = i64::try_from(time.checked_div(denominator * own_numerator)?).ok()?;
        Some(())
    }

    fn base_of(&self, at: usize) -> Option<(i128, i128)> {
        self.bases.get(at).map(|(numerator, denominator)| {
            let small = |number: u64| i128::from(number.min(1 << 31));
            (small(*numerator), small(*denominator))
        })
    }

    /// The next frame's time by its code's difference.
    pub(super) fn step(&mut self, difference: i64) {
        self.last = self.last.saturating_add(difference);
    }

    /// The next frame's time as it is coded.
    pub(super) fn coded(&mut self, coded: u64) {
        let turn = 1_u64 << self.low_bits;
        let coded_signed = i64::try_from(coded).unwrap_or(i64::MAX);
        let turn_signed = i64::try_from(turn).unwrap_or(i64::MAX);
        self.last = if coded < turn {
            let lowest = self.last.saturating_sub((turn_signed - 1) / 2);
            lowest.saturating_add(coded_signed.wrapping_sub(lowest) & (turn_signed - 1))
        } else {
            coded_signed - turn_signed
        };
    }

    /// The last frame's time in microseconds, rounded down.
    pub(super) fn time_us(&self) -> i64 {
        let Some((numerator, denominator)) = self.base_of(self.base) else { return 0 };
        let time = i128::from(self.last) * numerator * 1_000_000;
        let time = time.checked_div_euclid(denominator).unwrap_or(0);
        i64::try_from(time).unwrap_or(i64::MAX)
    }
}

/// A number that may be negative, as NUT has it.
pub(super) fn signed(number: u64) -> i64 {
    let half = i64::try_from(number.div_ceil(2)).unwrap_or(i64::MAX);
    if number % 2 == 1 { half } else { -half }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(base: (u64, u64)) -> Clock {
        Clock { bases: vec![base], base: 0, low_bits: 7, last: 0 }
    }

    #[test]
    fn times_are_steps_low_bits_or_whole() {
        let mut clock = clock((1, 25));
        clock.step(3);
        assert_eq!(clock.time_us(), 120_000);
        clock.coded(10);
        assert_eq!(clock.time_us(), 400_000);
        clock.last = 250;
        // 250 is 122 above a turn; 5 is that of the next.
        clock.coded(5);
        assert_eq!(clock.last, 261);
        clock.coded(128 + 90_000);
        assert_eq!(clock.time_us(), 3_600_000_000);
    }

    #[test]
    fn a_sync_point_says_what_time_it_is() {
        let mut clock = clock((1001, 30_000));
        assert_eq!(clock.sync_point(&[30]), Some(()));
        assert_eq!(clock.time_us(), 1_001_000);
        assert_eq!(clock.sync_point(&[]), None);
        assert_eq!(Clock::default().sync_point(&[30]), None);
    }

    #[test]
    fn signs_alternate() {
        assert_eq!([0, 1, 2, 3, 4].map(signed), [0, 1, -1, 2, -2]);
    }
}
