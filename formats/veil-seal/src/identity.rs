//! Identities and recipients: X-Wing keys, in the text forms of age's post-quantum keys.
//!
//! Specification: `docs/format/envelope.md`. Knows nothing of files: reading and writing identity
//! files is the caller's.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA512, digest};
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Checksum, Fe32, Fe1024, Hrp};
use rand_core::CryptoRng;
use x_wing::{DecapsulationKey, EncapsulationKey, KeyExport};
use zeroize::{Zeroize, Zeroizing};

use crate::SealError;
use crate::envelope::is_low_order;
use crate::id::{ID_BYTES, KeyId};
use crate::secret::Secret;

/// Bytes of a recipient: an X-Wing encapsulation key.
pub const RECIPIENT_BYTES: usize = x_wing::ENCAPSULATION_KEY_SIZE;
/// The longest text that is looked at when an identity or a recipient is read.
pub const MAX_TEXT_BYTES: usize = 4096;

const IDENTITY_HRP: &str = "age-secret-key-pq-";
const RECIPIENT_HRP: &str = "age1pq";

/// Bech32 of BIP 173 without its length limit, as age uses it: a recipient is 1,959 characters
/// long.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum LongBech32 {}

impl Checksum for LongBech32 {
    type MidstateRepr = u32;
    type CorrectionField = Fe1024;
    const ROOT_GENERATOR: Fe1024 = Fe1024::new([Fe32::P, Fe32::X]);
    const ROOT_EXPONENTS: core::ops::RangeInclusive<usize> = 24..=26;
    const CODE_LENGTH: usize = MAX_TEXT_BYTES;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [u32; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: u32 = Bech32::TARGET_RESIDUE;
}

/// Who can open envelopes: a 32-byte X-Wing seed.
pub struct Identity {
    seed: Secret<32>,
    /// Public, and a tenth of a millisecond to make.
    key_id: OnceLock<KeyId>,
}

impl Identity {
    /// Draws a fresh identity.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self::from_seed(Secret::random(rng))
    }

    /// The identity of a seed, for example one that a link derives.
    #[must_use]
    pub fn from_seed(seed: Secret<32>) -> Self {
        Self { seed, key_id: OnceLock::new() }
    }

    /// The recipient that envelopes for this identity are made for.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        let key = x_wing::Decapsulator::encapsulation_key(&self.decapsulation_key()).to_bytes();
        let mut bytes = [0; RECIPIENT_BYTES];
        bytes.copy_from_slice(&key);
        Recipient { bytes: Box::new(bytes) }
    }

    /// The key id of that recipient; made once.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        *self.key_id.get_or_init(|| self.recipient().key_id())
    }

    /// The secret text form, `AGE-SECRET-KEY-PQ-1…`.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(encode(IDENTITY_HRP, self.seed.expose(), bech32::encode_upper::<LongBech32>))
    }

    /// Reads the one identity in the text of an identity file: comments (`#`) and empty lines are
    /// skipped.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when there is no identity, more than one, or one of another kind.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        const WHAT: SealError = SealError::Malformed { what: "the identity" };
        let mut lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (Some(line), None) = (lines.next(), lines.next()) else { return Err(WHAT) };
        let mut seed = decode(IDENTITY_HRP, line).ok_or(WHAT)?;
        let identity = Secret::from_slice(&seed, "the identity").map(Self::from_seed);
        seed.zeroize();
        identity
    }

    pub(crate) fn seed(&self) -> &Secret<32> {
        &self.seed
    }

    fn decapsulation_key(&self) -> DecapsulationKey {
        DecapsulationKey::from(*self.seed.expose())
    }
}

/// Who an envelope is made for: a 1216-byte X-Wing encapsulation key.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    bytes: Box<[u8; RECIPIENT_BYTES]>,
}

impl Recipient {
    /// Checks that the bytes are an encapsulation key (FIPS 203 §7.2 modulus check), and that its X25519 share, the last 32
    /// bytes, isn't of low order: that would leave ML-KEM alone.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when they are not.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        const WHAT: SealError = SealError::Malformed { what: "the recipient" };
        EncapsulationKey::try_from(bytes).map_err(|_| WHAT)?;
        if bytes.last_chunk().is_none_or(is_low_order) {
            return Err(WHAT);
        }
        let bytes: [u8; RECIPIENT_BYTES] = bytes.try_into().map_err(|_| WHAT)?;
        Ok(Self { bytes: Box::new(bytes) })
    }

    /// The 1216 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; RECIPIENT_BYTES] {
        &self.bytes
    }

    /// The short name of this recipient in records: the first 16 bytes of SHA-512 over it.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest(&SHA512, self.as_bytes()).as_ref()[..ID_BYTES]);
        KeyId(id)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(RECIPIENT_HRP, self.as_bytes(), bech32::encode_lower::<LongBech32>))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.key_id())
    }
}

impl FromStr for Recipient {
    type Err = SealError;
    fn from_str(text: &str) -> Result<Self, SealError> {
        let bytes = decode(RECIPIENT_HRP, text.trim());
        Self::from_bytes(&bytes.ok_or(SealError::Malformed { what: "the recipient" })?)
    }
}

type Encode = fn(Hrp, &[u8]) -> Result<String, bech32::EncodeError>;

#[allow(
    clippy::expect_used,
    reason = "the part is a constant, and the data is far below the code's length"
)]
fn encode(hrp: &str, data: &[u8], encode: Encode) -> String {
    encode(Hrp::parse(hrp).expect("a valid part"), data).expect("data shorter than the code")
}

fn decode(hrp: &str, text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_TEXT_BYTES {
        return None;
    }
    let checked = CheckedHrpstring::new::<LongBech32>(text).ok()?;
    let same = checked.hrp().as_str().eq_ignore_ascii_case(hrp);
    same.then(|| checked.byte_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_reads_back_from_a_file_with_comments() {
        let identity = Identity::from_seed(Secret::new([3; 32]));
        let text = format!("# made today\n\n{}\n", *identity.to_text());
        assert!(text.contains("\nAGE-SECRET-KEY-PQ-1"));
        assert!(Identity::parse(&text).unwrap().seed().ct_eq(identity.seed()));
    }

    #[test]
    fn a_recipient_reads_back_and_has_a_stable_key_id() {
        let recipient = Identity::from_seed(Secret::new([3; 32])).recipient();
        let text = recipient.to_string();
        assert!(text.starts_with("age1pq1"));
        assert_eq!(text.parse::<Recipient>().unwrap().key_id(), recipient.key_id());
        let identity = Identity::from_seed(Secret::new([3; 32]));
        assert_eq!([identity.key_id(), identity.key_id()], [recipient.key_id(); 2]);
    }

    #[test]
    fn a_recipient_whose_share_is_of_low_order_is_refused() {
        let mut bytes = *Identity::from_seed(Secret::new([3; 32])).recipient().as_bytes();
        assert!(Recipient::from_bytes(&bytes).is_ok());
        bytes[RECIPIENT_BYTES - 32..].fill(0);
        assert!(Recipient::from_bytes(&bytes).is_err());
        bytes[RECIPIENT_BYTES - 32] = 1;
        assert!(Recipient::from_bytes(&bytes).is_err());
    }

    #[test]
    fn what_is_no_identity_is_refused() {
        let one = Identity::from_seed(Secret::new([3; 32])).to_text().to_string();
        let recipient = Identity::from_seed(Secret::new([3; 32])).recipient().to_string();
        let mut flipped = one.clone().into_bytes();
        flipped[30] = if flipped[30] == b'Q' { b'P' } else { b'Q' };
        let flipped = String::from_utf8(flipped).unwrap();
        let two = format!("{one}\n{one}");
        for text in [
            "",
            "# only a comment",
            "AGE-SECRET-KEY-1QQ",
            &flipped,
            &two,
            &recipient,
            &"A".repeat(5000),
        ] {
            assert!(Identity::parse(text).is_err(), "{text:.60}");
        }
        assert!(one.parse::<Recipient>().is_err());
    }
}
