//! Decides the constant frame rate of the ladder from what a container says.
//!
//! Owns: the common rates and the rule. Refuses to know: streams.
//!
//! Rule: an average that is close to a common rate is that rate; a variable rate becomes the rate
//! of its shortest frames where that is sane; everything ends between [`FPS_MIN`] and [`FPS_MAX`].

/// Highest rate that is kept; a higher one is divided by a whole number.
const FPS_MAX: f64 = 60.5;

/// Lowest rate: below it, a GOP of one second and fragments of half a second have no frames.
const FPS_MIN: f64 = 5.0;

/// What is assumed where the container says nothing.
const ASSUMED: Rate = Rate { num: 30, den: 1 };

/// Rates of cinema, television and screens, rising.
const COMMON: [Rate; 14] = [
    Rate { num: 5, den: 1 },
    Rate { num: 8, den: 1 },
    Rate { num: 10, den: 1 },
    Rate { num: 12, den: 1 },
    Rate { num: 15, den: 1 },
    Rate { num: 24_000, den: 1001 },
    Rate { num: 24, den: 1 },
    Rate { num: 25, den: 1 },
    Rate { num: 30_000, den: 1001 },
    Rate { num: 30, den: 1 },
    Rate { num: 48, den: 1 },
    Rate { num: 50, den: 1 },
    Rate { num: 60_000, den: 1001 },
    Rate { num: 60, den: 1 },
];

/// Frames a second, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Frames.
    pub num: u32,
    /// Seconds.
    pub den: u32,
}

impl Rate {
    /// Reads `30000/1001`; `None` for nonsense such as `0/0`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (num, den) = text.split_once('/')?;
        let rate = Self { num: num.parse().ok()?, den: den.parse().ok()? };
        (rate.num > 0 && rate.den > 0).then_some(rate)
    }

    /// Frames a second.
    #[must_use]
    pub fn fps(self) -> f64 {
        f64::from(self.num) / f64::from(self.den.max(1))
    }

    /// The common rate within 0.5 %, or the rate itself.
    fn snapped(self) -> Self {
        let distance = |rate: &Self| (rate.fps() - self.fps()).abs();
        let nearest = COMMON.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.filter(|rate| distance(rate) <= rate.fps() * 0.005).unwrap_or(self)
    }

    /// Divided by the smallest whole number that brings it to [`FPS_MAX`].
    fn halved(self) -> Self {
        let divisor = (1..=u32::MAX).find(|divisor| self.fps() / f64::from(*divisor) <= FPS_MAX);
        Self { num: self.num, den: self.den.saturating_mul(divisor.unwrap_or(1)) }.snapped()
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// The constant rate for a stream whose container claims an average and a shortest frame.
pub(super) fn decide(average: Option<Rate>, shortest: Option<Rate>) -> Rate {
    let sane = |rate: &Rate| (0.01..=1000.0).contains(&rate.fps());
    // Matroska without a default duration counts milliseconds: 1000 is its clock, not a rate.
    let real = |rate: &Rate| sane(rate) && rate.fps() < 999.0;
    let (average, shortest) = (average.filter(real), shortest.filter(real));
    let rate = match (average, shortest) {
        (Some(average), Some(shortest)) if is_variable(average, shortest) => {
            if shortest.fps() <= FPS_MAX && shortest.fps() <= average.fps() * 4.0 {
                shortest.snapped()
            } else {
                at_least(average)
            }
        }
        (Some(rate), _) | (None, Some(rate)) => rate.snapped(),
        (None, None) => ASSUMED,
    };
    let rate = rate.halved();
    if rate.fps() < FPS_MIN { at_least(Rate { num: 5, den: 1 }) } else { rate }
}

fn is_variable(average: Rate, shortest: Rate) -> bool {
    (average.fps() - shortest.fps()).abs() > shortest.fps() * 0.02
}

/// The lowest common rate that loses no frame of `rate` on average.
fn at_least(rate: Rate) -> Rate {
    COMMON.into_iter().find(|common| common.fps() >= rate.fps() * 0.995).unwrap_or(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_become_constant_common_and_sane() {
        for (average, shortest, expected) in [
            ("24/1", "24/1", "24/1"),
            ("30000/1001", "30000/1001", "30000/1001"),
            ("90000/3001", "90000/3001", "30/1"),
            ("2997/100", "2997/100", "30000/1001"),
            ("24000/1001", "24000/1001", "24000/1001"),
            ("1000/1", "60/1", "60/1"),
            ("120/1", "120/1", "60/1"),
            ("240/1", "240/1", "60/1"),
            ("144/1", "144/1", "48/1"),
            ("43/1", "60/1", "60/1"),
            ("13/1", "60/1", "15/1"),
            ("2900/97", "90000/1", "30000/1001"),
            ("1/10", "1/10", "5/1"),
            ("0/0", "0/0", "30/1"),
            ("0/0", "25/1", "25/1"),
            ("1000/1", "1000/1", "30/1"),
            ("17/1", "17/1", "17/1"),
        ] {
            let decided = decide(Rate::parse(average), Rate::parse(shortest));
            assert_eq!(decided.to_string(), expected, "{average} {shortest}");
        }
    }
}
