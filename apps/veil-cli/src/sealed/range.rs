//! A range of bytes as people write it: `A-B`, `A-`, `-N`, as in HTTP (RFC 9110 §14.1.2).

use std::ops::Range;
use std::str::FromStr;

use crate::error::CliError;

/// Bytes of a content, before its length is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ByteRange {
    /// From the first to the last, both included; to the end without a last.
    From {
        /// Number of the first byte, from 0.
        first: u64,
        /// Number of the last byte.
        last: Option<u64>,
    },
    /// So many bytes at the end.
    Last(u64),
}

impl FromStr for ByteRange {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            "a range is written A-B, A- or -N, with bytes counted from 0 and A not after B"
                .to_owned()
        };
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u64>().ok().filter(|_| digits).ok_or_else(bad)
        };
        match text.split_once('-').ok_or_else(bad)? {
            ("", bytes) => Ok(Self::Last(number(bytes)?)),
            (first, "") => Ok(Self::From { first: number(first)?, last: None }),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err(bad());
                }
                Ok(Self::From { first, last: Some(last) })
            }
        }
    }
}

impl ByteRange {
    /// The bytes of a content of `length` bytes, never none; what lies after its end is left out.
    pub(crate) fn within(self, length: u64) -> Result<Range<u64>, CliError> {
        let range = match self {
            Self::From { first, last: None } => first..length,
            Self::From { first, last: Some(last) } => first..length.min(last.saturating_add(1)),
            Self::Last(bytes) => length.saturating_sub(bytes)..length,
        };
        if range.is_empty() {
            return Err(CliError::new(format!(
                "the range holds no byte: the content is {length} bytes long"
            )));
        }
        Ok(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, length: u64, expected: Option<Range<u64>>) {
        let range = text.parse::<ByteRange>().unwrap();
        assert_eq!(range.within(length).ok(), expected, "{text} of {length}");
    }

    #[test]
    fn ranges_are_read_as_http_does() {
        check("0-0", 10, Some(0..1));
        check("3-5", 10, Some(3..6));
        check("3-99", 10, Some(3..10));
        check("3-", 10, Some(3..10));
        check("-4", 10, Some(6..10));
        check("-99", 10, Some(0..10));
        check("0-18446744073709551615", 10, Some(0..10));
    }

    #[test]
    fn a_range_without_a_byte_is_refused() {
        check("10-", 10, None);
        check("10-12", 10, None);
        check("-0", 10, None);
        check("0-", 0, None);
        check("-5", 0, None);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "-", "5", "5-3", "a-b", "1-2-3", "+1-2", "--5", " 1-2", "0x1-2"] {
            assert!(text.parse::<ByteRange>().is_err(), "{text:?}");
        }
        assert!("0-18446744073709551616".parse::<ByteRange>().is_err());
    }
}
