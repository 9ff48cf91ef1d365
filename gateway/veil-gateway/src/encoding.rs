//! How a body travels: which encoding a client takes, and the encodings themselves.
//!
//! Owns `Accept-Encoding` (RFC 9110 §12.5.3): the client's weights decide, and where it has no preference ours does. Refuses
//! to answer with an error: who takes nothing that there is gets the plain text. Levels are quick ones: what takes room in
//! a signed playlist is names and signatures, which no level makes smaller (decision 24).

use std::io::{self, Write as _};

use axum::http::{HeaderMap, header};

/// Zstandard's level.
const ZSTD_LEVEL: i32 = 1;
/// Brotli's quality.
const BROTLI_QUALITY: i32 = 1;
/// Brotli's window, as a power of two in bytes: playlists repeat themselves within a kilobyte.
const BROTLI_WINDOW: i32 = 18;
/// Brotli's input buffer, in bytes.
const BROTLI_BUFFER_BYTES: usize = 32 << 10;
/// The level of gzip.
const GZIP_LEVEL: u32 = 2;

/// An encoding of a body, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Encoding {
    Zstd,
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// All of them, the best first.
    pub(crate) const ALL: [Self; 4] = [Self::Zstd, Self::Brotli, Self::Gzip, Self::Identity];

    /// Its name in `Content-Encoding`, where one is needed.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Zstd => Some("zstd"),
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// Whether `Accept-Encoding` calls it by this name.
    fn is_called(self, name: &str) -> bool {
        let own = self.name().unwrap_or("identity");
        name.eq_ignore_ascii_case(own) || self == Self::Gzip && name.eq_ignore_ascii_case("x-gzip")
    }

    /// `text` in this encoding.
    pub(crate) fn encode(self, text: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd => zstd::bulk::compress(&text, ZSTD_LEVEL),
            Self::Brotli => {
                let parameters = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW,
                    size_hint: text.len(),
                    ..Default::default()
                };
                let mut out = brotli::CompressorWriter::with_params(
                    Vec::new(),
                    BROTLI_BUFFER_BYTES,
                    &parameters,
                );
                out.write_all(&text)?;
                Ok(out.into_inner())
            }
            Self::Gzip => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                let mut out = flate2::write::GzEncoder::new(Vec::new(), level);
                out.write_all(&text)?;
                out.finish()
            }
            Self::Identity => Ok(text),
        }
    }
}

/// The encoding that a client likes best of those that `available` has.
pub(crate) fn choose(headers: &HeaderMap, available: impl Fn(Encoding) -> bool) -> Encoding {
    let wishes = Wishes::read(headers);
    let offers = Encoding::ALL.into_iter().filter(|one| available(*one));
    let weighed = offers.map(|one| (wishes.weight(one), one)).filter(|(weight, _)| *weight > 0);
    // Of equals the first: `max_by_key` would take the last.
    let best = weighed.min_by_key(|(weight, one)| (std::cmp::Reverse(*weight), *one));
    best.map_or(Encoding::Identity, |(_, one)| one)
}

/// What `Accept-Encoding` says, in thousandths.
#[derive(Default)]
struct Wishes {
    named: [Option<u16>; 4],
    others: Option<u16>,
}

impl Wishes {
    fn read(headers: &HeaderMap) -> Self {
        let mut wishes = Self::default();
        let values = headers.get_all(header::ACCEPT_ENCODING).iter();
        for item in values.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')) {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            let (name, weight) = (name.trim(), thousandths(parameters));
            if name == "*" {
                wishes.others = Some(weight);
            }
            for (one, slot) in Encoding::ALL.into_iter().zip(&mut wishes.named) {
                if one.is_called(name) {
                    *slot = Some(weight);
                }
            }
        }
        wishes
    }

    /// How much an encoding is wanted; 0 is not at all.
    fn weight(&self, one: Encoding) -> u16 {
        let named = Encoding::ALL.into_iter().zip(self.named).find(|(other, _)| *other == one);
        match named.and_then(|(_, weight)| weight).or(self.others) {
            Some(weight) => weight,
            // The plain text is taken unless it was refused, but by nobody who named something else.
            None => u16::from(one == Encoding::Identity),
        }
    }
}

/// The weight `;q=…` in thousandths; 1,000 without one, 0 for one that is none.
fn thousandths(parameters: &str) -> u16 {
    let mut weights = parameters.split(';').filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let Some(value) = weights.next() else { return 1000 };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    match (whole, digits) {
        ("1", true) => 1000,
        ("0", true) => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn chosen(value: &str) -> Encoding {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
        choose(&headers, |_| true)
    }

    #[test]
    fn the_clients_weights_decide_and_between_equals_the_best_encoding() {
        for (value, expected) in [
            ("gzip, deflate, br, zstd", Encoding::Zstd),
            ("gzip, deflate, br", Encoding::Brotli),
            ("gzip", Encoding::Gzip),
            ("x-gzip", Encoding::Gzip),
            ("GZIP;Q=0.5, BR;q=0.501", Encoding::Brotli),
            ("zstd;q=0.1, gzip;q=1.0", Encoding::Gzip),
            ("zstd;q=0, br;q=0.000, gzip;q=0.001", Encoding::Gzip),
            ("identity, gzip;q=0.9", Encoding::Identity),
            ("gzip;q=0.5, identity;q=0", Encoding::Gzip),
            ("*", Encoding::Zstd),
            ("*;q=0.5, gzip", Encoding::Gzip),
            ("br;q=0, *", Encoding::Zstd),
            ("*;q=0", Encoding::Identity),
            ("deflate", Encoding::Identity),
            ("gzip;q=2", Encoding::Identity),
            ("gzip;q=0.0001", Encoding::Identity),
            ("gzip;q=x", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            assert_eq!(chosen(value), expected, "{value}");
        }
        assert_eq!(choose(&HeaderMap::new(), |_| true), Encoding::Identity);
    }

    #[test]
    fn what_there_isnt_is_not_chosen() {
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT_ENCODING, "zstd".parse().unwrap());
        headers.append(header::ACCEPT_ENCODING, "gzip;q=0.2".parse().unwrap());
        assert_eq!(choose(&headers, |one| one != Encoding::Zstd), Encoding::Gzip);
    }

    #[test]
    fn each_encoding_gives_its_text_back() {
        let text: Vec<u8> =
            (0..50_000u32).flat_map(|i| format!("{i:x} line\n").into_bytes()).collect();
        for one in Encoding::ALL {
            let encoded = one.encode(text.clone()).unwrap();
            let mut back = Vec::new();
            match one {
                Encoding::Zstd => back = zstd::decode_all(&encoded[..]).unwrap(),
                Encoding::Brotli => {
                    brotli::Decompressor::new(&encoded[..], 4096)
                        .read_to_end(&mut back)
                        .map(drop)
                        .unwrap();
                }
                Encoding::Gzip => {
                    let mut reader = flate2::read::GzDecoder::new(&encoded[..]);
                    reader.read_to_end(&mut back).map(drop).unwrap();
                }
                Encoding::Identity => back.clone_from(&encoded),
            }
            assert!(back == text, "{one:?}");
            assert_eq!(encoded, one.encode(text.clone()).unwrap(), "{one:?} has one text");
        }
    }
}
