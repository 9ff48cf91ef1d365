//! Ids of titles, grants and collections: 16 bytes, written as 32 hex digits.

use std::fmt;
use std::str::FromStr;

use rand_core::CryptoRng;

use crate::SealError;

/// Bytes in an id.
pub const ID_BYTES: usize = 16;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub [u8; ID_BYTES]);

        impl $name {
            /// Draws a fresh id.
            pub fn random(rng: &mut impl CryptoRng) -> Self {
                let mut bytes = [0; ID_BYTES];
                rng.fill_bytes(&mut bytes);
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = SealError;
            fn from_str(text: &str) -> Result<Self, SealError> {
                parse_hex(text).map(Self).ok_or(SealError::Malformed { what: $what })
            }
        }
    };
}

id!(
    /// A title's id; its folder in the bucket is `t/<title id>/`.
    TitleId, "the title id"
);
id!(
    /// A grant's id; its record in the bucket is `g/<grant id>`.
    GrantId, "the grant id"
);
id!(
    /// A collection's id.
    CollectionId, "the collection id"
);
id!(
    /// The first 16 bytes of SHA-512 over a recipient's key.
    KeyId, "the key id"
);
id!(
    /// The opaque name of an object in its title's folder.
    ObjectName, "the object name"
);

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads 32 lower-case hex digits; upper case is refused, so that an id has one text form.
fn parse_hex(text: &str) -> Option<[u8; ID_BYTES]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * ID_BYTES {
        return None;
    }
    let mut bytes = [0; ID_BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (nibble(pair[0])? << 4) | nibble(pair[1])?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_writes() {
        let id = TitleId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 254, 255]);
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0eff".replace("0eff", "feff"));
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn an_id_in_another_form_is_refused() {
        for text in ["", "00", &"0".repeat(31), &"0".repeat(33), &"A".repeat(32), &"g".repeat(32)] {
            assert!(text.parse::<TitleId>().is_err(), "{text}");
        }
    }
}
