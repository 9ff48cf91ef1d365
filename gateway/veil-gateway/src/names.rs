//! The names that stand in URLs and bucket keys.
//!
//! Owns their only form: 32 lower-case hex digits, with `.m3u8` behind for playlists. Everything that
//! becomes part of a bucket key passes through here, so no key ever holds a dot segment, a slash, a
//! zero byte or an escape. Not one of these types prints itself: ids stay out of logs.

/// Where sealed titles lie in the bucket.
pub(crate) const TITLES: &str = "t/";

/// 16 random bytes in lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Id([u8; Self::DIGITS]);

/// Names a title: the folder of its objects.
pub(crate) type TitleId = Id;
/// Names a grant.
pub(crate) type GrantId = Id;
/// Names a sealed object within its title.
pub(crate) type ObjectName = Id;

impl Id {
    /// Digits of an id: 16 bytes in hex.
    pub(crate) const DIGITS: usize = 32;

    /// Takes exactly 32 lower-case hex digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let lower_hex = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
        let digits: [u8; Self::DIGITS] = text.as_bytes().try_into().ok()?;
        digits.iter().all(lower_hex).then_some(Self(digits))
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// A title's folder in the bucket, with a slash at its end.
    pub(crate) fn folder(&self) -> String {
        [TITLES, self.as_str(), "/"].concat()
    }
}

/// Writes lower-case hex, two digits a byte, as far as `digits` go.
pub(crate) fn hex(bytes: &[u8], digits: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// The name of a playlist: an object name followed by `.m3u8`.
#[derive(Clone, Copy)]
pub(crate) struct PlaylistName([u8; Id::DIGITS + EXTENSION.len()]);

/// What follows a playlist's object name.
const EXTENSION: &str = ".m3u8";

impl PlaylistName {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Id::parse(text.strip_suffix(EXTENSION)?)?;
        Some(Self(text.as_bytes().try_into().ok()?))
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_thirty_two_lower_case_hex_digits_are_an_id() {
        let good = "0123456789abcdef0123456789abcdef";
        assert_eq!(Id::parse(good).unwrap().as_str(), good);
        for bad in [
            "",
            "..",
            "0123456789abcdef0123456789abcde",
            "0123456789abcdef0123456789abcdef0",
            "0123456789ABCDEF0123456789abcdef",
            "0123456789abcdef/../6789abcdef01",
            "0123456789abcdef0123456789abcde\0",
            "%30%31%32%33%34%35%36%37%38%39ab",
            "０123456789abcdef0123456789abc",
        ] {
            assert!(Id::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_playlist_name_is_an_id_with_its_extension() {
        let good = "0123456789abcdef0123456789abcdef.m3u8";
        assert_eq!(PlaylistName::parse(good).unwrap().as_str(), good);
        for bad in [&good[..32], ".m3u8", &good.to_uppercase(), "a.m3u8", &format!("{good}.m3u8")] {
            assert!(PlaylistName::parse(bad).is_none(), "{bad}");
        }
    }
}
