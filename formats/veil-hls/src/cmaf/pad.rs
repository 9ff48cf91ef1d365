//! Padding of media segments, so that two variants of one have the same length.
//!
//! Owns the `free` box at a segment's end (ISO/IEC 14496-12 §8.1.2), which readers pass over. Refuses to know what the
//! variants differ in. Invariant: the bytes before the box are the segment's own.

/// Padded lengths are multiples of this many bytes.
pub const PADDING_BYTES: usize = 4096;

/// Bytes of a box's header: its size and its name.
const HEADER_BYTES: usize = 8;

/// The length that segments of these lengths are padded to: the next multiple of [`PADDING_BYTES`] that has room for a
/// box behind the longest.
#[must_use]
pub fn padded_length(lengths: impl IntoIterator<Item = usize>) -> usize {
    let longest = lengths.into_iter().max().unwrap_or(0);
    (longest + HEADER_BYTES).next_multiple_of(PADDING_BYTES)
}

/// Pads a segment to `length` bytes. A length that leaves no room for a box, or more than a box's size can say, changes
/// nothing.
pub fn pad(segment: &mut Vec<u8>, length: usize) {
    let room = length.checked_sub(segment.len()).filter(|room| *room >= HEADER_BYTES);
    let Some(size) = room.and_then(|room| u32::try_from(room).ok()) else { return };
    segment.extend_from_slice(&size.to_be_bytes());
    segment.extend_from_slice(b"free");
    segment.resize(length, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_get_one_length_that_has_room_for_a_box() {
        assert_eq!(padded_length([100, 4088]), 4096);
        assert_eq!(padded_length([4089, 1]), 8192);
        assert_eq!(padded_length([]), 4096);
    }

    #[test]
    fn padding_is_one_free_box_of_zeros() {
        let mut segment = vec![7; 4000];
        pad(&mut segment, 4096);
        assert_eq!(segment.len(), 4096);
        assert!(segment[..4000].iter().all(|byte| *byte == 7));
        assert_eq!(segment[4000..4008], [0, 0, 0, 96, b'f', b'r', b'e', b'e']);
        assert!(segment[4008..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_length_without_room_changes_nothing() {
        for length in [0, 10, 17] {
            let mut segment = vec![7; 10];
            pad(&mut segment, length);
            assert_eq!(segment, [7; 10]);
        }
    }
}
