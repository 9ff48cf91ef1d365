//! Planes as they lie in raw video: bytes, at ten bits two for a sample, the low one first.
//!
//! Owns the step from bytes to samples, without a copy. Refuses to know pixel formats beyond the luma plane. Invariant: of
//! a plane, the same bytes come in and out as samples of the same levels on every machine.

use super::{Code, Frame, LosslessError, Part, Reader, Writer, is_flat};
use crate::plane::{Depth, Picture};
use crate::stream::StructuralKey;

/// Bytes of the luma plane of `picture`, the first of a planar frame.
#[must_use]
pub fn luma_bytes(picture: Picture) -> usize {
    let bytes = match picture.depth() {
        Depth::Eight => 1,
        Depth::Ten => 2,
    };
    picture.sample_count() as usize * bytes
}

/// As [`is_flat`], for a plane's bytes.
#[must_use]
pub fn is_flat_plane(picture: Picture, luma: &[u8]) -> bool {
    match picture.depth() {
        Depth::Eight => is_flat(picture, luma),
        Depth::Ten => is_flat(picture, luma.as_chunks::<2>().0),
    }
}

impl Writer {
    /// As [`Writer::write`], for a frame whose samples are a plane's bytes.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn write_plane(
        &mut self,
        key: &StructuralKey,
        frame: &mut Frame<'_, u8>,
        parts: &[Part<'_>],
    ) -> Result<(), LosslessError> {
        if frame.picture.depth() == Depth::Eight {
            return self.write(key, frame, parts);
        }
        let mut frame = Frame {
            number: frame.number,
            picture: frame.picture,
            samples: frame.samples.as_chunks_mut::<2>().0,
            before: frame.before.map(|before| before.as_chunks::<2>().0),
        };
        self.write(key, &mut frame, parts)
    }
}

impl Reader {
    /// As [`Reader::read`], for a plane's bytes.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn read_plane(
        &mut self,
        key: &StructuralKey,
        (number, picture, luma): (u64, Picture, &[u8]),
        place: (u32, Code),
        bytes: &mut [u8],
    ) -> Result<(), LosslessError> {
        match picture.depth() {
            Depth::Eight => self.read(key, (number, picture, luma), place, bytes),
            Depth::Ten => self.read(key, (number, picture, luma.as_chunks::<2>().0), place, bytes),
        }
    }
}
