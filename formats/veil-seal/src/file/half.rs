//! One half of a file's front: the wire form of a keyring, and whether it is whole.
//!
//! Knows nothing of keys: what it takes for whole may still be a forgery.

use aws_lc_rs::digest::{Context, SHA256};

use super::passphrase::{STANZA_BYTES, Stanza};
use crate::SealError;
use crate::chunks;
use crate::envelope;
use crate::id::ID_BYTES;

/// The smallest half, and what every half is a multiple of.
pub const MIN_HALF_BYTES: usize = 4096;
/// The largest half: what a reader holds in memory of a file that somebody else made, twice.
pub const MAX_HALF_BYTES: usize = 2 << 20;
/// The most recipients: each that is not the reader's costs the reader a decapsulation. With one more
/// the directory would fill a chunk and need a second one.
pub const MAX_RECIPIENTS: usize = 1023;

/// Magic and `half_bytes`: what never changes.
pub(super) const PREFIX_BYTES: usize = 20;
/// Bytes of an envelope that holds a file key.
pub(super) const ENVELOPE_BYTES: usize = envelope::OVERHEAD_BYTES + 32;

const MAGIC: &[u8; 16] = b"veilcast/file/v1";
const FIELDS_BYTES: usize = 64;
const CHECKSUM: std::ops::Range<usize> = 32..64;
const DIRECTORY_OVERHEAD_BYTES: usize = chunks::HEADER_BYTES + chunks::TAG_BYTES;
const DIRECTORY_CONTEXT: &[u8] = b"veilcast/file/directory/v1\0";

/// A keyring as it lies in a half.
#[derive(Clone)]
pub(super) struct Half {
    pub(super) half_bytes: usize,
    pub(super) sequence: u64,
    pub(super) envelopes: Vec<Vec<u8>>,
    pub(super) passphrase: Option<Stanza>,
    /// The sealed directory; empty while it is still to be sealed.
    pub(super) directory: Vec<u8>,
}

/// Reads `half_bytes` from the start of a file.
pub(super) fn half_bytes(prefix: &[u8]) -> Result<usize, SealError> {
    let (magic, rest) = prefix.split_first_chunk::<16>().ok_or(SealError::NotSealed)?;
    let size = rest.first_chunk::<4>().ok_or(SealError::NotSealed)?;
    if magic != MAGIC {
        let newer = magic[..14] == MAGIC[..14];
        return Err(if newer {
            SealError::UnknownVersion { what: "the sealed file" }
        } else {
            SealError::NotSealed
        });
    }
    let bytes = u32::from_be_bytes(*size) as usize;
    let fits = bytes.is_multiple_of(MIN_HALF_BYTES) && (1..=MAX_HALF_BYTES).contains(&bytes);
    if fits { Ok(bytes) } else { Err(SealError::Malformed { what: "the size of the keyring" }) }
}

/// An empty half.
pub(super) fn empty(half_bytes: usize) -> Vec<u8> {
    let mut bytes = vec![0; half_bytes];
    bytes[..16].copy_from_slice(MAGIC);
    bytes[16..PREFIX_BYTES].copy_from_slice(&be_u32(half_bytes));
    bytes
}

/// Bytes that a keyring takes.
pub(super) fn used_bytes(recipients: usize, passphrase: bool) -> usize {
    FIELDS_BYTES
        + recipients * (ENVELOPE_BYTES + ID_BYTES)
        + usize::from(passphrase) * STANZA_BYTES
        + DIRECTORY_OVERHEAD_BYTES
}

/// The smallest half for so many recipients and, always, a passphrase.
pub(super) fn fitting_bytes(recipients: usize) -> usize {
    used_bytes(recipients, true).next_multiple_of(MIN_HALF_BYTES)
}

impl Half {
    /// Reads a half that is whole; `None` when it is empty, torn, or none.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let half_bytes = half_bytes(bytes).ok().filter(|size| *size == bytes.len())?;
        let sequence = u64::from_be_bytes(*bytes[20..28].first_chunk()?);
        let recipients = usize::from(u16::from_be_bytes([bytes[28], bytes[29]]));
        let passphrases = u16::from_be_bytes([bytes[30], bytes[31]]);
        let some = recipients > 0 || passphrases > 0;
        if sequence == 0 || recipients > MAX_RECIPIENTS || passphrases > 1 || !some {
            return None;
        }
        let used = used_bytes(recipients, passphrases == 1);
        let zeros = bytes.get(used..)?.iter().all(|byte| *byte == 0);
        if !zeros || checksum(bytes) != bytes[CHECKSUM] {
            return None;
        }
        let (envelopes, rest) = bytes[FIELDS_BYTES..used].split_at(recipients * ENVELOPE_BYTES);
        let (stanza, directory) = rest.split_at(usize::from(passphrases) * STANZA_BYTES);
        let passphrase = <[u8; STANZA_BYTES]>::try_from(stanza).ok().map(Stanza);
        let envelopes = envelopes.chunks(ENVELOPE_BYTES).map(<[u8]>::to_vec).collect();
        Some(Self { half_bytes, sequence, envelopes, passphrase, directory: directory.to_vec() })
    }

    /// The wire form.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.authenticated();
        bytes.extend_from_slice(&self.directory);
        bytes.resize(self.half_bytes, 0);
        let checksum = checksum(&bytes);
        bytes[CHECKSUM].copy_from_slice(&checksum);
        bytes
    }

    /// What the directory's context is: every field but the checksum.
    pub(super) fn directory_context(&self) -> Vec<u8> {
        let bytes = self.authenticated();
        [DIRECTORY_CONTEXT, &bytes[..CHECKSUM.start], &bytes[FIELDS_BYTES..]].concat()
    }

    /// All that comes before the directory, with zeros for the checksum.
    fn authenticated(&self) -> Vec<u8> {
        let mut bytes = empty(self.half_bytes);
        bytes.truncate(PREFIX_BYTES);
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&be_u32(self.envelopes.len())[2..]);
        bytes.extend_from_slice(&u16::from(self.passphrase.is_some()).to_be_bytes());
        bytes.extend_from_slice(&[0; CHECKSUM.end - CHECKSUM.start]);
        self.envelopes.iter().for_each(|envelope| bytes.extend_from_slice(envelope));
        self.passphrase.iter().for_each(|stanza| bytes.extend_from_slice(&stanza.0));
        bytes
    }
}

/// Sizes and counts here have limits far below 2³².
fn be_u32(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes()
}

fn checksum(half: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(&half[..CHECKSUM.start]);
    context.update(&[0; CHECKSUM.end - CHECKSUM.start]);
    context.update(&half[CHECKSUM.end..]);
    let mut sum = [0; 32];
    sum.copy_from_slice(context.finish().as_ref());
    sum
}
