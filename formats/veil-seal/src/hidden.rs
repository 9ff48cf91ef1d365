//! Hidden messages: the keys that find one, and the head that says how it lies.
//!
//! Specification: `docs/format/stego.md`, "Keys" and "Head". A [`Finder`] is what a passphrase, a key file or a recipient
//! gives; it finds a message and opens nothing. Knows nothing of frames: where 64 bytes lie is `veil-stego`'s.
//!
//! Invariant: without the finder, a head can't be told from 64 random bytes.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::SealError;
use crate::chunks::{TAG_BYTES, aes_256};
use crate::derive::{expand_key, expand_sha512};
use crate::file::{Cost, Passphrase};
use crate::identity::{Identity, Recipient};
use crate::secret::Secret;

/// Bytes of a head.
pub const HEAD_BYTES: usize = SALT_BYTES + LAYOUT_BYTES + TAG_BYTES;
/// Bytes of a message's salt, the head's first.
pub const SALT_BYTES: usize = 16;
/// The shortest key file.
pub const MIN_KEY_BYTES: usize = 32;

/// What a guess of the passphrase costs, once for the finder and once for the file: 64 MiB and 3 passes (RFC 9106 §4, second
/// recommendation). Less than a sealed file asks for, so that a run stays within 105 MB.
pub const COST: Cost = Cost { memory_kib: 1 << 16, passes: 3, lanes: 4 };

const LAYOUT_BYTES: usize = 32;
const VERSION: u8 = 1;
const LOSSLESS: u8 = 1;
const ROBUST: u8 = 2;

const PASSPHRASE_SALT: &[u8; 16] = b"veilcast/hide/v1";
const KEY_FILE: &[u8] = b"veilcast/hidden/key-file/v1";
const KEY_FILE_IDENTITY: &[u8] = b"veilcast/hidden/key-file-identity/v1";
const RECIPIENT: &[u8] = b"veilcast/hidden/recipient/v1";
const HEAD_PLACE: &[u8] = b"veilcast/hidden/head-place/v1";
const BODY_PLACE: &[u8] = b"veilcast/hidden/body-place/v1";
const FRONT_PLACE: &[u8] = b"veilcast/hidden/front-place/v1";
const HEAD_KEY: &[u8] = b"veilcast/hidden/head/v1";

/// What finds hidden messages.
pub struct Finder(Secret<32>);

/// How a message lies in the frames behind its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Rows of the code.
    pub rows: u8,
    /// Samples for each bit.
    pub samples_per_bit: u8,
    /// Bytes of the sealed file's keyring, without the zeros at its end.
    pub keyring_bytes: u32,
    /// Frames over which the message goes.
    pub frame_count: u64,
    /// Bytes of the message behind the head, the keyring included.
    pub body_bytes: u64,
}

/// How a message that survives encoding lies in slots of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotLayout {
    /// The number of its profile.
    pub profile: u8,
    /// Bytes of the sealed file's keyring, without the zeros at its end.
    pub keyring_bytes: u32,
    /// Slots over which the message goes.
    pub slot_count: u64,
    /// Bytes of the message behind the head, the keyring included.
    pub body_bytes: u64,
}

impl Finder {
    /// From a passphrase: Argon2id of [`COST`] with the application's salt.
    ///
    /// # Errors
    /// [`SealError::Malformed`] where there is no memory for it.
    pub fn of_passphrase(passphrase: &Passphrase) -> Result<Self, SealError> {
        const WHAT: SealError = SealError::Malformed { what: "the cost of the passphrase" };
        let params = Params::new(COST.memory_kib, COST.passes, COST.lanes, Some(32));
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(|_| WHAT)?);
        let mut secret = Secret::new([0; 32]);
        argon2
            .hash_password_into(passphrase.as_bytes(), PASSPHRASE_SALT, secret.expose_mut())
            .map_err(|_| WHAT)?;
        Ok(Self(secret))
    }

    /// From the bytes of a key file, and the identity that opens what is sealed with it.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when there are fewer than [`MIN_KEY_BYTES`].
    pub fn of_key_file(bytes: &[u8]) -> Result<(Self, Identity), SealError> {
        if bytes.len() < MIN_KEY_BYTES {
            return Err(SealError::Malformed { what: "the key file" });
        }
        let secret = digest(KEY_FILE, bytes);
        let identity = Identity::from_seed(expand_key(&secret, &[KEY_FILE_IDENTITY]));
        Ok((Self(expand_key(&secret, &[KEY_FILE])), identity))
    }

    /// From a recipient. Whoever knows the recipient's public key can make the same.
    #[must_use]
    pub fn of_recipient(recipient: &Recipient) -> Self {
        Self(digest(RECIPIENT, recipient.as_bytes()))
    }

    /// The structural key of the frame with the head, whose other planes have this SHA-256.
    #[must_use]
    pub fn head_place(&self, planes: &[u8; 32]) -> Secret<32> {
        expand_key(&self.0, &[HEAD_PLACE, planes])
    }

    /// The structural key of all other frames of the message with this salt.
    #[must_use]
    pub fn body_place(&self, salt: &[u8; SALT_BYTES]) -> Secret<32> {
        expand_key(&self.0, &[BODY_PLACE, salt])
    }

    /// The structural key of the fronts of slots.
    #[must_use]
    pub fn front_place(&self) -> Secret<32> {
        expand_key(&self.0, &[FRONT_PLACE])
    }

    /// Seals the head of a new message in slots.
    pub fn seal_slot_head(
        &self,
        layout: &SlotLayout,
        rng: &mut impl CryptoRng,
    ) -> [u8; HEAD_BYTES] {
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        self.seal_text(&layout.encode(), &salt)
    }

    /// Opens the head of a message in slots.
    ///
    /// # Errors
    /// As [`Finder::open_head`].
    pub fn open_slot_head(&self, head: &[u8; HEAD_BYTES]) -> Result<SlotLayout, SealError> {
        self.open_text(head).and_then(|text| SlotLayout::decode(&text))
    }

    /// Seals the head of a new message.
    pub fn seal_head(&self, layout: &Layout, rng: &mut impl CryptoRng) -> [u8; HEAD_BYTES] {
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        self.seal_head_with(layout, &salt)
    }

    fn seal_head_with(&self, layout: &Layout, salt: &[u8; SALT_BYTES]) -> [u8; HEAD_BYTES] {
        self.seal_text(&layout.encode(), salt)
    }

    fn seal_text(&self, layout: &[u8; LAYOUT_BYTES], salt: &[u8; SALT_BYTES]) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        let (front, sealed) = head.split_at_mut(SALT_BYTES);
        front.copy_from_slice(salt);
        let (text, tag) = sealed.split_at_mut(LAYOUT_BYTES);
        text.copy_from_slice(layout);
        let (key, nonce) = self.head_cipher(salt);
        // Never fails: 32 bytes are no more than the cipher takes.
        if let Ok(made) =
            aes_256(key.expose()).seal_in_place_separate_tag(nonce, Aad::empty(), text)
        {
            tag.copy_from_slice(made.as_ref());
        }
        head
    }

    /// Opens a head.
    ///
    /// # Errors
    /// [`SealError::WrongKey`] when these bytes are no head of this finder's, [`SealError::UnknownVersion`], or
    /// [`SealError::Malformed`] for one that no writer makes.
    pub fn open_head(&self, head: &[u8; HEAD_BYTES]) -> Result<Layout, SealError> {
        self.open_text(head).and_then(|text| Layout::decode(&text))
    }

    fn open_text(&self, head: &[u8; HEAD_BYTES]) -> Result<[u8; LAYOUT_BYTES], SealError> {
        let (key, nonce) = self.head_cipher(&salt_of(head));
        let mut sealed = Zeroizing::new(head[SALT_BYTES..].to_vec());
        let text = aes_256(key.expose()).open_in_place(nonce, Aad::empty(), &mut sealed);
        let text: &[u8] = text.map_err(|_| SealError::WrongKey)?;
        text.try_into().map_err(|_| SealError::WrongKey)
    }

    fn head_cipher(&self, salt: &[u8; SALT_BYTES]) -> (Secret<32>, Nonce) {
        let mut okm = Zeroizing::new([0; 32 + NONCE_LEN]);
        expand_sha512(self.0.expose(), &[HEAD_KEY, salt], okm.as_mut_slice());
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&okm[32..]);
        let mut key = Secret::new([0; 32]);
        key.expose_mut().copy_from_slice(&okm[..32]);
        (key, Nonce::assume_unique_for_key(nonce))
    }
}

/// The salt of the message that this is the head of.
#[must_use]
pub fn salt_of(head: &[u8; HEAD_BYTES]) -> [u8; SALT_BYTES] {
    let mut salt = [0; SALT_BYTES];
    salt.copy_from_slice(&head[..SALT_BYTES]);
    salt
}

impl Layout {
    fn encode(&self) -> [u8; LAYOUT_BYTES] {
        let mut bytes = [0; LAYOUT_BYTES];
        bytes[..4].copy_from_slice(&[VERSION, LOSSLESS, self.rows, self.samples_per_bit]);
        bytes[4..8].copy_from_slice(&self.keyring_bytes.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.frame_count.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.body_bytes.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; LAYOUT_BYTES]) -> Result<Self, SealError> {
        let [version, mode, rows, samples_per_bit, ..] = *bytes;
        let (keyring_bytes, frame_count, body_bytes) = numbers(bytes, (version, mode), LOSSLESS)?;
        Ok(Self { rows, samples_per_bit, keyring_bytes, frame_count, body_bytes })
    }
}

impl SlotLayout {
    fn encode(&self) -> [u8; LAYOUT_BYTES] {
        let mut bytes = [0; LAYOUT_BYTES];
        bytes[..3].copy_from_slice(&[VERSION, ROBUST, self.profile]);
        bytes[4..8].copy_from_slice(&self.keyring_bytes.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.slot_count.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.body_bytes.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; LAYOUT_BYTES]) -> Result<Self, SealError> {
        let [version, mode, profile, zero, ..] = *bytes;
        let (keyring_bytes, slot_count, body_bytes) = numbers(bytes, (version, mode), ROBUST)?;
        if zero != 0 {
            return Err(MALFORMED);
        }
        Ok(Self { profile, keyring_bytes, slot_count, body_bytes })
    }
}

const MALFORMED: SealError = SealError::Malformed { what: "the head" };

/// The three numbers of a layout: bytes of the keyring, frames or slots, and bytes of the body.
fn numbers(
    bytes: &[u8; LAYOUT_BYTES],
    found: (u8, u8),
    mode: u8,
) -> Result<(u32, u64, u64), SealError> {
    if found != (VERSION, mode) {
        return Err(SealError::UnknownVersion { what: "the hidden message" });
    }
    let number = |at: usize| {
        let mut number = [0; 8];
        number.copy_from_slice(&bytes[at..at + 8]);
        u64::from_le_bytes(number)
    };
    let keyring_bytes = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    let (count, body_bytes) = (number(8), number(16));
    if number(24) != 0 || count == 0 || u64::from(keyring_bytes) > body_bytes {
        return Err(MALFORMED);
    }
    Ok((keyring_bytes, count, body_bytes))
}

/// HKDF-Extract (RFC 5869 §2.2) with SHA-512 of `bytes` under the salt `label`, its first 32 bytes.
fn digest(label: &[u8], bytes: &[u8]) -> Secret<32> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA512, label);
    let tag = aws_lc_rs::hmac::sign(&key, bytes);
    let mut secret = Secret::new([0; 32]);
    secret.expose_mut().copy_from_slice(&tag.as_ref()[..32]);
    secret
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;

    const LAYOUT: Layout = Layout {
        rows: 7,
        samples_per_bit: 20,
        keyring_bytes: 268,
        frame_count: 1000,
        body_bytes: 200_000,
    };

    fn finder(byte: u8) -> Finder {
        Finder(Secret::new([byte; 32]))
    }

    #[test]
    fn a_head_opens_with_its_finder_alone_and_only_whole() {
        let head = finder(1).seal_head(&LAYOUT, &mut UnwrapErr(SysRng));
        assert_eq!(finder(1).open_head(&head), Ok(LAYOUT));
        assert_eq!(finder(2).open_head(&head), Err(SealError::WrongKey));
        for at in 0..HEAD_BYTES {
            let mut changed = head;
            changed[at] ^= 1;
            assert_eq!(finder(1).open_head(&changed), Err(SealError::WrongKey), "byte {at}");
        }
    }

    #[test]
    fn heads_of_the_same_message_and_finder_differ() {
        let mut rng = UnwrapErr(SysRng);
        let [one, other] = [(); 2].map(|()| finder(1).seal_head(&LAYOUT, &mut rng));
        assert_ne!(one[..16], other[..16]);
        assert_ne!(one[16..], other[16..]);
    }

    #[test]
    fn a_head_that_no_writer_makes_is_refused() {
        let check = |change: fn(&mut Layout), expected: Result<(), SealError>| {
            let mut layout = LAYOUT;
            change(&mut layout);
            let head = finder(1).seal_head_with(&layout, &[0; SALT_BYTES]);
            assert_eq!(finder(1).open_head(&head).map(|_| ()), expected, "{layout:?}");
        };
        let malformed = Err(SealError::Malformed { what: "the head" });
        check(|layout| layout.frame_count = 0, malformed);
        check(|layout| layout.body_bytes = 267, malformed);
        check(|layout| layout.body_bytes = 268, Ok(()));
    }

    #[test]
    fn a_head_of_slots_opens_as_that_alone() {
        let layout =
            SlotLayout { profile: 1, keyring_bytes: 268, slot_count: 60, body_bytes: 5000 };
        let head = finder(1).seal_slot_head(&layout, &mut UnwrapErr(SysRng));
        assert_eq!(finder(1).open_slot_head(&head), Ok(layout));
        assert_eq!(finder(2).open_slot_head(&head), Err(SealError::WrongKey));
        let unknown = SealError::UnknownVersion { what: "the hidden message" };
        assert_eq!(finder(1).open_head(&head).map(|_| ()), Err(unknown));
        let none =
            finder(1).seal_text(&SlotLayout { slot_count: 0, ..layout }.encode(), &[0; SALT_BYTES]);
        assert_eq!(finder(1).open_slot_head(&none).map(|_| ()), Err(MALFORMED));
    }

    #[test]
    fn keys_of_different_things_have_nothing_in_common() {
        let word = |text: &str| Passphrase::new(text.to_owned().into()).unwrap();
        let one = Finder::of_passphrase(&word("one")).unwrap();
        let other = Finder::of_passphrase(&word("two")).unwrap();
        assert!(!one.0.ct_eq(&other.0));
        let (file, identity) = Finder::of_key_file(&[3; 32]).unwrap();
        let (same, again) = Finder::of_key_file(&[3; 32]).unwrap();
        assert!(file.0.ct_eq(&same.0));
        assert_eq!(identity.key_id(), again.key_id());
        assert!(!file.0.ct_eq(&Finder::of_key_file(&[3; 33]).unwrap().0.0));
        assert!(!file.0.ct_eq(&Finder::of_recipient(&identity.recipient()).0));
        assert!(!one.front_place().ct_eq(&other.front_place()));
        assert!(!one.head_place(&[0; 32]).ct_eq(&one.head_place(&[1; 32])));
        assert!(!one.body_place(&[0; 16]).ct_eq(&one.body_place(&[1; 16])));
        let short = Finder::of_key_file(&[3; 31]).map(|_| ());
        assert_eq!(short, Err(SealError::Malformed { what: "the key file" }));
    }
}
