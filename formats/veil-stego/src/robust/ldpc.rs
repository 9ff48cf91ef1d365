//! The code that finds bits among errors: irregular repeat-accumulate codes (Jin, Khandekar and McEliece 2000).
//!
//! Owns their graphs, which follow from two numbers, encoding, and decoding by belief propagation, check after check (Hocevar
//! 2004). A third of the bits are in twelve checks and the others in three, as in the codes of DVB-S2. Refuses to know: what
//! bits mean. Invariant: what [`Ldpc::decode`] returns satisfies every check.

use std::f32::consts::LN_2;

use crate::stream::{Purpose, StructuralKey};

/// Draws of a check for a bit before one that doesn't fit well is taken.
const DRAWS: usize = 32;
/// Passes over all checks before a word is given up.
const PASSES: usize = 50;
/// Beyond this a value is as good as certain.
const CERTAIN: f32 = 30.0;

/// A code of `bits` bits and some checks, each with a parity bit of its own.
pub(super) struct Ldpc {
    bits: usize,
    /// For each check, its bits.
    checks: Vec<Vec<u16>>,
}

impl Ldpc {
    /// The code of so many bits and checks, both below 2¹⁶.
    pub(super) fn new(bits: usize, checks: usize) -> Self {
        let number = (bits as u64) << 32 | checks as u64;
        let mut stream = public_stream(Purpose::Graph, number);
        let degree = |bit: usize| if bit.is_multiple_of(3) { 12 } else { 3 };
        let sockets: usize = (0..bits).map(degree).sum();
        let mut left: Vec<u16> = (0..sockets).map(|at| (at * checks / sockets) as u16).collect();
        let mut graph = Graph { checks: vec![Vec::new(); checks], of_bit: vec![Vec::new(); bits] };
        for bit in 0..bits {
            for _ in 0..degree(bit) {
                let mut draw = || stream.below(left.len() as u32) as usize;
                let mut at = draw();
                for _ in 1..DRAWS {
                    if graph.fits(bit, left[at]) {
                        break;
                    }
                    at = draw();
                }
                graph.connect(bit, left.swap_remove(at));
            }
        }
        Self { bits, checks: graph.checks }
    }

    /// Bits of a codeword.
    pub(super) fn length(&self) -> usize {
        self.bits + self.checks.len()
    }

    /// The bits, and the parity bits behind them: each is that of its check's bits and the parity bit before it.
    pub(super) fn encode(&self, bits: &[bool]) -> Vec<bool> {
        let mut parity = false;
        let parities = self.checks.iter().map(|check| {
            parity ^= check.iter().fold(false, |sum, bit| sum ^ bits[usize::from(*bit)]);
            parity
        });
        bits.iter().copied().chain(parities.collect::<Vec<_>>()).collect()
    }

    /// The bits of which these are the logarithms of the odds of 0; `None` where no codeword is found.
    pub(super) fn decode(&self, odds: &[f32]) -> Option<Vec<bool>> {
        let mut sums: Vec<f32> = odds.iter().map(|odds| odds.clamp(-CERTAIN, CERTAIN)).collect();
        let mut told: Vec<Vec<f32>> =
            self.checks.iter().map(|check| vec![0.0; check.len() + 2]).collect();
        let mut round = Round::default();
        for _ in 0..PASSES {
            for (number, told) in told.iter_mut().enumerate() {
                round.check(self.members(number), told, &mut sums);
            }
            if (0..self.checks.len()).all(|number| self.is_satisfied(number, &sums)) {
                return Some(sums[..self.bits].iter().map(|sum| *sum < 0.0).collect());
            }
        }
        None
    }

    fn is_satisfied(&self, number: usize, sums: &[f32]) -> bool {
        !self.members(number).fold(false, |parity, bit| parity ^ (sums[bit] < 0.0))
    }

    /// The bits of a check, parity bits included.
    fn members(&self, number: usize) -> impl Iterator<Item = usize> + '_ {
        let parity = self.bits + number;
        let before = (number > 0).then(|| parity - 1);
        self.checks[number].iter().map(|bit| usize::from(*bit)).chain(before).chain([parity])
    }
}

/// A stream that everybody has.
pub(super) fn public_stream(purpose: Purpose, number: u64) -> crate::stream::Stream {
    StructuralKey::new([0; StructuralKey::BYTES]).stream(purpose, number)
}

struct Graph {
    checks: Vec<Vec<u16>>,
    of_bit: Vec<Vec<u16>>,
}

impl Graph {
    /// Whether connecting them makes no cycle of four: through a neighbour's parity bit, or another bit.
    fn fits(&self, bit: usize, check: u16) -> bool {
        let own = &self.of_bit[bit];
        let others = || self.checks[usize::from(check)].iter();
        own.iter().all(|one| one.abs_diff(check) > 1)
            && !others()
                .any(|other| self.of_bit[usize::from(*other)].iter().any(|one| own.contains(one)))
    }

    /// A bit that is in a check already stays in it once.
    fn connect(&mut self, bit: usize, check: u16) {
        if !self.of_bit[bit].contains(&check) {
            self.of_bit[bit].push(check);
            self.checks[usize::from(check)].push(bit as u16);
        }
    }
}

/// Memory for one check.
#[derive(Default)]
struct Round {
    asked: Vec<(usize, f32)>,
    behind: Vec<f32>,
}

impl Round {
    /// Tells each bit of a check what the others say of it.
    fn check(&mut self, members: impl Iterator<Item = usize>, told: &mut [f32], sums: &mut [f32]) {
        self.asked.clear();
        self.asked.extend(members.zip(told.iter()).map(|(bit, told)| (bit, sums[bit] - told)));
        self.behind.clear();
        self.behind.resize(self.asked.len() + 1, CERTAIN);
        for (at, (_, value)) in self.asked.iter().enumerate().rev() {
            self.behind[at] = both(self.behind[at + 1], *value);
        }
        let mut before = CERTAIN;
        for (((bit, value), told), behind) in self.asked.iter().zip(told).zip(&self.behind[1..]) {
            *told = both(before, *behind);
            sums[*bit] = value + *told;
            before = both(before, *value);
        }
    }
}

/// The logarithm of the odds of a sum of two bits (Hagenauer, Offer and Papke 1996, equation 11).
fn both(one: f32, other: f32) -> f32 {
    let (far, near) = (one.abs(), other.abs());
    let smaller = far.min(near);
    let value = smaller + log_one_plus_exp(far + near) - log_one_plus_exp((far - near).abs());
    if (one < 0.0) == (other < 0.0) { value.max(0.0) } else { -value.max(0.0) }
}

/// ln(1 + e^-x) for x from 0 on, in straight lines.
fn log_one_plus_exp(x: f32) -> f32 {
    const TABLE: [f32; 9] = [
        LN_2, 0.474_077, 0.313_262, 0.201_413, 0.126_928, 0.078_889, 0.048_587, 0.029_750,
        0.018_150,
    ];
    let at = x * 2.0;
    if at >= 8.0 {
        return 0.0;
    }
    let first = at as usize;
    TABLE[first] + (at - first as f32) * (TABLE[first + 1] - TABLE[first])
}
