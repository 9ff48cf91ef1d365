//! Syndrome-trellis codes: a message becomes the syndrome of a sequence of bits that is as near to a given one as costs
//! allow.
//!
//! The binary codes of Filler, Judas and Fridrich (*Minimizing additive distortion in steganography using
//! syndrome-trellis codes*, IEEE TIFS 6(3), 2011). A parity-check matrix is made of one small matrix of h rows and w columns, put down for each
//! message bit one row lower; the Viterbi algorithm walks its 2^h states. Refuses to know what bits stand for. Invariants:
//! every way to compute gives the same bits; [`extract`] of what [`Trellis::embed`] wrote is the message, whatever the
//! costs; metrics are 16-bit and saturate, so a cost of [`COST_MAX`] is dear and no cost is a ban.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

/// The dearest change: some hundred times a usual one.
pub(crate) const COST_MAX: u16 = 8191;

/// Message bits after which metrics are brought down again. In between, the best path gains at most 8 bits' worth of
/// changes: one of the columns of each bit.
const BITS_BETWEEN_RESTS: usize = 8;

/// Metrics of a state that no path reaches, or none worth having.
const UNREACHED: u16 = u16::MAX;

/// How many rows the small matrix has: more find nearer sequences and take longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Height {
    /// 7 rows, 128 states. The usual choice.
    Seven,
    /// 10 rows, 1024 states: about a tenth less distortion, at several times the work.
    Ten,
}

/// How the trellis is walked: a choice made once, by what the processor can do. A value exists only for what it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One state at a time.
    Portable,
    /// Sixteen states at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    /// Thirty-two states at a time.
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx512),
}

/// Working memory for embedding, kept from one sequence to the next.
pub(crate) struct Trellis {
    walk: Walk,
    /// Bit s of a sample's words: whether the cheaper way into state s leaves the sample's bit 0.
    path: Vec<u32>,
}

/// The small matrix.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub(crate) height: Height,
    /// Its columns, each below 2^h with its first and last bit set.
    pub(crate) columns: Vec<u16>,
}

/// A sequence to embed into.
pub(crate) struct Cover<'a> {
    /// The bits as they are, 0 or 1, one a byte.
    pub(crate) bits: &'a [u8],
    /// What changing each costs, 0 to [`COST_MAX`].
    pub(crate) costs: &'a [u16],
}

impl Height {
    /// Rows.
    #[must_use]
    pub fn rows(self) -> u32 {
        match self {
            Self::Seven => 7,
            Self::Ten => 10,
        }
    }

    fn state_count(self) -> usize {
        1 << self.rows()
    }
}

impl Walk {
    /// One of [`Walk::NAMES`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => "avx512",
        }
    }

    /// The names of all ways, whether this processor has them or not, fastest first.
    pub const NAMES: [&str; 3] = ["avx512", "avx2", "portable"];

    /// The fastest way that this processor has. Ask once and keep the answer.
    #[must_use]
    pub fn detect() -> Self {
        Self::NAMES.into_iter().find_map(Self::named).unwrap_or(Self(Kind::Portable))
    }

    /// The way of this name, if there is one and this processor has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "portable" => Some(Self(Kind::Portable)),
            #[cfg(target_arch = "x86_64")]
            "avx2" => x86::Avx2::detect().map(|walk| Self(Kind::Avx2(walk))),
            #[cfg(target_arch = "x86_64")]
            "avx512" => x86::Avx512::detect().map(|walk| Self(Kind::Avx512(walk))),
            _ => None,
        }
    }
}

impl Trellis {
    pub(crate) fn new(walk: Walk) -> Self {
        Self { walk, path: Vec::new() }
    }

    /// Writes into `stego` the cheapest bits whose syndrome is `message` (bits 0 or 1, one a byte). There are
    /// `message.len()` times as many bits as columns.
    pub(crate) fn embed(
        &mut self,
        matrix: &Matrix,
        cover: &Cover<'_>,
        message: &[u8],
        stego: &mut [u8],
    ) {
        let Matrix { height, columns } = matrix;
        let states = height.state_count();
        let words_per_sample = states / 32;
        self.path.resize(cover.bits.len() * words_per_sample, 0);
        let walk = Viterbi { cover, message, columns, path: &mut self.path };
        let end = match (self.walk.0, height) {
            (Kind::Portable, Height::Seven) => portable::walk::<128>(walk),
            (Kind::Portable, Height::Ten) => portable::walk::<1024>(walk),
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx2(has), Height::Seven) => has.walk::<8>(walk),
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx2(has), Height::Ten) => has.walk::<64>(walk),
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx512(has), Height::Seven) => has.walk::<4>(walk),
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx512(has), Height::Ten) => has.walk::<32>(walk),
        };
        self.trace_back(end, message, matrix, stego);
    }

    /// Follows the cheapest path from its end to its beginning.
    fn trace_back(&self, end: usize, message: &[u8], matrix: &Matrix, stego: &mut [u8]) {
        match matrix.height {
            Height::Seven => self.trace::<4>(end, message, matrix, stego),
            Height::Ten => self.trace::<32>(end, message, matrix, stego),
        }
    }

    fn trace<const WORDS: usize>(
        &self,
        end: usize,
        message: &[u8],
        Matrix { columns, .. }: &Matrix,
        stego: &mut [u8],
    ) {
        let states = WORDS * 32;
        let mut ways = self.path.as_chunks::<WORDS>().0.iter().rev();
        let mut state = end;
        let steps = stego.rchunks_mut(columns.len()).zip(message.iter().rev());
        for (block, bit) in steps {
            state = (state << 1 | usize::from(*bit)) & (states - 1);
            for ((value, column), way) in block.iter_mut().zip(columns).rev().zip(&mut ways) {
                let stays = is_set(way, state);
                *value = u8::from(!stays);
                let other = state ^ usize::from(*column);
                state = if stays { state } else { other };
            }
        }
    }
}

/// Whether the bit of this number is set, the first word's lowest being number 0.
#[inline]
fn is_set<const WORDS: usize>(words: &[u32; WORDS], number: usize) -> bool {
    if let [w0, w1, w2, w3] = words[..] {
        // All four at once: they needn't wait for the number, which is known last.
        let both = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
        let half = if number & 64 == 0 { both(w0, w1) } else { both(w2, w3) };
        return half >> (number & 63) & 1 == 1;
    }
    words[number / 32] >> (number % 32) & 1 == 1
}

/// What one walk works on; its result is the cheapest state at the end, the lowest of several.
struct Viterbi<'a> {
    cover: &'a Cover<'a>,
    message: &'a [u8],
    columns: &'a [u16],
    path: &'a mut [u32],
}

/// The syndrome of `stego`: one message bit (0 or 1, one a byte) for each column's worth of bits.
pub(crate) fn extract(stego: &[u8], Matrix { columns, .. }: &Matrix, message: &mut [u8]) {
    let mut state = 0;
    for (block, bit) in stego.chunks_exact(columns.len()).zip(message) {
        for (value, column) in block.iter().zip(columns) {
            // Without a branch: bits of a cover are as unpredictable as those of a message.
            state ^= u16::from(*value).wrapping_neg() & column;
        }
        *bit = u8::from(state & 1 == 1);
        state >>= 1;
    }
}
