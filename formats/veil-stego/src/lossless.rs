//! Messages in frames that stay as they are to the last bit.
//!
//! A frame carries its part of a message in the lowest bits of its luma samples: samples come in the frame's keyed
//! order, in tiles of at most [`TILE_SAMPLES`], each tile a syndrome-trellis code of its own. A bit that has to change moves its sample by one,
//! up or down by chance. Owns the layout (`docs/format/stego.md`, "Lossless"). Refuses to know
//! containers, threads and what bytes mean. Invariant: [`Reader::read`] of a frame that [`Writer::write`] made gives the bytes that were
//! put in, and a frame without bytes stays as it was.

use crate::cost::{Costs, Lanes};
use crate::order::Order;
use crate::plane::{Picture, Sample};
use crate::stream::{Purpose, Stream, StructuralKey};
use crate::trellis::{self, Cover, Height, Matrix, Trellis, Walk};

mod raw;
mod schedule;

#[cfg(test)]
mod tests;

pub use raw::{is_flat_plane, luma_bytes};
pub use schedule::{Schedule, ScheduleError, is_flat};

/// Samples in a tile at most: what bounds the memory of a trellis.
pub const TILE_SAMPLES: usize = 32_768;

/// Fewest and most samples for a bit.
pub const SAMPLES_PER_BIT: std::ops::RangeInclusive<u8> = 2..=80;

/// How bytes lie in samples. Writer and reader have to agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    height: Height,
    samples_per_bit: u8,
}

/// A part of a frame's samples, and what lies there.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Number of the first sample in the frame's order.
    pub first: u32,
    /// How the bytes lie in the samples from there on.
    pub code: Code,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// Too few samples for so many bytes, or too many or few samples for a bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LosslessError {
    /// The frame ends before the bytes do.
    #[error("{bytes} bytes need {needed} samples of a frame that has {samples}")]
    Full {
        /// Bytes that were to be written or read.
        bytes: usize,
        /// Samples that they need, those before them included.
        needed: u64,
        /// Samples of the frame.
        samples: u32,
    },
    /// A frame that carries came out as one that carries nothing ([`is_flat`]): of frames that are nearly flat one in very
    /// many.
    #[error("a frame that is nearly flat came out flat: leave it out, or take fewer bytes")]
    Flattened,
    /// Not a number of samples for a bit.
    #[error("{0} samples for a bit: from 2 to 80 are possible")]
    SamplesPerBit(u8),
}

/// Puts bytes into frames. One for each thread: it keeps its memory from frame to frame.
pub struct Writer {
    lanes: Lanes,
    costs: Costs,
    trellis: Trellis,
    tile: Tile,
}

/// Takes bytes out of frames. One for each thread: it keeps its memory from frame to frame.
#[derive(Default)]
pub struct Reader {
    tile: Tile,
}

/// A frame to write into.
pub struct Frame<'a, S> {
    /// Its number, from 0.
    pub number: u64,
    /// Its size and levels.
    pub picture: Picture,
    /// Its samples, row after row.
    pub samples: &'a mut [S],
    /// The frame before it, as it was before anything was written, if there is one.
    pub before: Option<&'a [S]>,
}

/// The samples of a tile, and the message's bits, one a byte.
#[derive(Default)]
struct Tile {
    places: Vec<u32>,
    bits: Vec<u8>,
    costs: Vec<u16>,
    stego: Vec<u8>,
    message: Vec<u8>,
}

impl Code {
    /// The code of a message's head, which is read before anything is known.
    pub const HEAD: Self = Self { height: Height::Seven, samples_per_bit: 20 };

    /// A code of `samples_per_bit` samples for each bit ([`SAMPLES_PER_BIT`]): more change fewer samples.
    ///
    /// # Errors
    /// [`LosslessError::SamplesPerBit`].
    pub fn new(height: Height, samples_per_bit: u8) -> Result<Self, LosslessError> {
        if SAMPLES_PER_BIT.contains(&samples_per_bit) {
            return Ok(Self { height, samples_per_bit });
        }
        Err(LosslessError::SamplesPerBit(samples_per_bit))
    }

    /// Rows of the small matrix.
    #[must_use]
    pub fn height(self) -> Height {
        self.height
    }

    /// Samples for each bit.
    #[must_use]
    pub fn samples_per_bit(self) -> u8 {
        self.samples_per_bit
    }

    /// Samples that so many bytes take.
    #[must_use]
    pub fn sample_count(self, bytes: usize) -> u64 {
        bytes as u64 * 8 * u64::from(self.samples_per_bit)
    }

    /// Bytes of a whole tile.
    fn bytes_per_tile(self) -> usize {
        TILE_SAMPLES / (8 * usize::from(self.samples_per_bit))
    }

    /// The small matrix for a frame: its columns are drawn without putting back, since different ones change less (Filler,
    /// Judas and Fridrich, §V.B), until there are no more; then from all again.
    pub(crate) fn matrix(self, key: &StructuralKey, frame: u64) -> Matrix {
        let mut stream = key.stream(Purpose::Columns, frame);
        let last = 1_u16 << (self.height.rows() - 1);
        let all: Vec<u16> = (0..last / 2).map(|inner| inner << 1 | last | 1).collect();
        let mut left = Vec::new();
        let draw = |_| {
            if left.is_empty() {
                left.clone_from(&all);
            }
            let count = u32::try_from(left.len()).unwrap_or(1);
            left.swap_remove(stream.below(count) as usize)
        };
        Matrix { height: self.height, columns: (0..self.samples_per_bit).map(draw).collect() }
    }
}

impl Writer {
    /// A writer that computes as `walk` says.
    #[must_use]
    pub fn new(walk: Walk) -> Self {
        // A processor may have what walking needs of AVX-512, and not all that costs need.
        let lanes = [walk.name(), "avx2"].into_iter().find_map(Lanes::named);
        Self {
            lanes: lanes.unwrap_or(Lanes::PORTABLE),
            costs: Costs::new(),
            trellis: Trellis::new(walk),
            tile: Tile::default(),
        }
    }

    /// Puts `parts`, which don't overlap, into a frame.
    ///
    /// # Errors
    /// [`LosslessError::Full`], and the frame is as it was; [`LosslessError::Flattened`], and it is to be thrown away.
    pub fn write<S: Sample>(
        &mut self,
        key: &StructuralKey,
        frame: &mut Frame<'_, S>,
        parts: &[Part<'_>],
    ) -> Result<(), LosslessError> {
        for part in parts {
            check(part.first, part.code, part.bytes.len(), frame.picture)?;
        }
        if parts.iter().all(|part| part.bytes.is_empty()) {
            return Ok(());
        }
        self.costs.measure(self.lanes, frame.picture, frame.samples, frame.before);
        let order = Order::new(key, frame.number, frame.picture);
        let mut signs = key.stream(Purpose::Signs, frame.number);
        for part in parts {
            let matrix = part.code.matrix(key, frame.number);
            for (first, bytes) in tiles(part.first, part.code, part.bytes) {
                self.tile.take_bits_of(bytes);
                self.tile.take(&order, first, matrix.columns.len(), &self.costs);
                self.tile.embed(&mut self.trellis, &matrix);
                self.tile.scatter(frame, &mut signs);
            }
        }
        if is_flat(frame.picture, frame.samples) {
            return Err(LosslessError::Flattened);
        }
        Ok(())
    }
}

impl Reader {
    /// Reads `bytes.len()` bytes that begin at the sample `first` of a frame's order.
    ///
    /// # Errors
    /// [`LosslessError::Full`].
    pub fn read<S: Sample>(
        &mut self,
        key: &StructuralKey,
        (number, picture, samples): (u64, Picture, &[S]),
        (first, code): (u32, Code),
        bytes: &mut [u8],
    ) -> Result<(), LosslessError> {
        check(first, code, bytes.len(), picture)?;
        let order = Order::new(key, number, picture);
        let matrix = code.matrix(key, number);
        let mut first = first;
        for bytes in bytes.chunks_mut(code.bytes_per_tile()) {
            self.tile.message.resize(bytes.len() * 8, 0);
            self.tile.gather(&order, first, matrix.columns.len(), samples);
            trellis::extract(&self.tile.bits, &matrix, &mut self.tile.message);
            for (byte, bits) in bytes.iter_mut().zip(self.tile.message.chunks_exact(8)) {
                *byte = bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit);
            }
            first += self.tile.length();
        }
        Ok(())
    }
}

impl Tile {
    fn length(&self) -> u32 {
        u32::try_from(self.places.len()).unwrap_or(u32::MAX)
    }

    /// Takes the message's bits, the lowest of a byte first.
    fn take_bits_of(&mut self, bytes: &[u8]) {
        self.message.clear();
        let bits = bytes.iter().flat_map(|byte| (0..8).map(move |at| byte >> at & 1));
        self.message.extend(bits);
    }

    /// Takes the samples' lowest bits.
    fn gather<S: Sample>(&mut self, order: &Order, first: u32, per_bit: usize, samples: &[S]) {
        self.places.resize(self.message.len() * per_bit, 0);
        order.places(first, &mut self.places);
        self.bits.clear();
        let bit = |place: &u32| samples[*place as usize].level().to_le_bytes()[0] & 1;
        self.bits.extend(self.places.iter().map(bit));
    }

    /// Takes the samples' lowest bits, and what changing them costs.
    fn take(&mut self, order: &Order, first: u32, per_bit: usize, costs: &Costs) {
        self.places.resize(self.message.len() * per_bit, 0);
        order.places(first, &mut self.places);
        costs.take(&self.places, &mut self.bits, &mut self.costs);
    }

    fn embed(&mut self, trellis: &mut Trellis, matrix: &Matrix) {
        self.stego.resize(self.bits.len(), 0);
        let cover = Cover { bits: &self.bits, costs: &self.costs };
        trellis.embed(matrix, &cover, &self.message, &mut self.stego);
    }

    /// Moves the samples whose bits changed by one: inwards at the ends of the scale, else as the stream says.
    fn scatter<S: Sample>(&self, frame: &mut Frame<'_, S>, signs: &mut Stream) {
        let changes = self.bits.iter().zip(&self.stego).zip(&self.places);
        for (_, place) in changes.filter(|((was, is), _)| was != is) {
            let sample = &mut frame.samples[*place as usize];
            let level = sample.level();
            let by_chance = signs.word() & 1 == 1;
            let up = frame.picture.must_go_up(level)
                || (by_chance && !frame.picture.must_go_down(level));
            *sample = sample.moved(up);
        }
    }
}

/// The tiles of a part: each one's first sample, and its bytes.
fn tiles(first: u32, code: Code, bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    bytes.chunks(code.bytes_per_tile()).scan(first, move |first, bytes| {
        let at = *first;
        *first += u32::try_from(code.sample_count(bytes.len())).unwrap_or(u32::MAX);
        Some((at, bytes))
    })
}

/// Tells whether a part ends within its frame.
fn check(first: u32, code: Code, bytes: usize, picture: Picture) -> Result<(), LosslessError> {
    let needed = u64::from(first) + code.sample_count(bytes);
    let samples = picture.sample_count();
    if needed <= u64::from(samples) {
        return Ok(());
    }
    Err(LosslessError::Full { bytes, needed, samples })
}
