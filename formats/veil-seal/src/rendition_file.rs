//! Where whole sealed objects lie in one bucket object, one after the other.
//!
//! Specification: `docs/format/sealed-object.md`, "Rendition files". Owns arithmetic alone: a rendition
//! file has no bytes of its own. Invariant: places follow from plaintext lengths, touch, and don't overlap.

use std::ops::Range;

use crate::SealError;
use crate::chunks::sealed_len;

/// Gives the objects of a rendition file their places, in order.
#[derive(Clone, Debug, Default)]
pub struct Places {
    end: u64,
}

impl Places {
    /// Gives the next object, of `plaintext_bytes`, its sealed bytes in the file.
    ///
    /// # Errors
    /// [`SealError::TooLarge`] when the object has more chunks than a sealed object can have, or the file
    /// would be longer than 2⁶⁴ − 1 bytes.
    pub fn next(&mut self, plaintext_bytes: u64) -> Result<Range<u64>, SealError> {
        let start = self.end;
        let end = sealed_len(plaintext_bytes).and_then(|bytes| start.checked_add(bytes));
        self.end = end.ok_or(SealError::TooLarge)?;
        Ok(start..self.end)
    }

    /// Bytes of the file so far.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunks::{HEADER_BYTES, MAX_CHUNKS};

    #[test]
    fn objects_touch_and_are_as_long_as_they_are_sealed() {
        let mut places = Places::default();
        let header = HEADER_BYTES as u64;
        assert_eq!(places.next(812), Ok(0..header + 812 + 16));
        assert_eq!(places.next(16_384), Ok(884..884 + header + 16_384 + 32));
        assert_eq!(places.next(0), Ok(17_356..17_356 + header + 16));
        assert_eq!(places.file_bytes(), 17_428);
    }

    #[test]
    fn an_object_or_a_file_beyond_its_limit_is_refused() {
        let mut places = Places::default();
        let most = MAX_CHUNKS * 16_384 - 1;
        assert_eq!(places.next(most + 1), Err(SealError::TooLarge));
        assert_eq!(places.file_bytes(), 0);
        let mut places = Places { end: u64::MAX - 71 };
        assert_eq!(places.next(0), Err(SealError::TooLarge));
    }
}
