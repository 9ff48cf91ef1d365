//! Sealed files: a front that unlocks says what its maker put there, and a file that opens holds what was sealed.
//!
//! Passphrases are left out: an edited cost may ask for a gigabyte, and a stanza is an object under a key (`object`).

use std::io::{Cursor, Read as _, Seek as _, SeekFrom};
use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use veil_seal::file::{BODY_CONTEXT, Header, Unlocked};
use veil_seal::id::KeyId;
use veil_seal::identity::Identity;
use veil_seal::reader::Reader;
use veil_seal::secret::Secret;

use crate::vectors::{cases, hex};

const VECTORS: &str = include_str!("../../vectors/sealed-file.json");

/// What the fuzzer writes in the checksum's place to have it made right: a keyring that isn't torn but forged.
const CHECKSUM: std::ops::Range<usize> = 32..64;

/// The plaintext of the file that is edited: so long that it has several chunks.
const BODY_BYTES: usize = 40_000;

/// The first vector's file, and longer one under the same key.
struct Sealed {
    identity: Identity,
    half_bytes: usize,
    fronts: Vec<Vec<u8>>,
    recipients: Vec<Vec<KeyId>>,
    body: Vec<u8>,
}

static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let cases = cases(VECTORS);
    let half_bytes = usize::try_from(cases[0]["half_bytes"].as_u64().unwrap()).unwrap();
    let identity = identity();
    let fronts: Vec<Vec<u8>> = cases.iter().map(|case| front(case, half_bytes)).collect();
    let unlocked: Vec<Unlocked> =
        fronts.iter().filter_map(|front| unlock(front, &identity)).collect();
    let recipients = unlocked.iter().map(|one| one.recipients().collect()).collect();
    let key = unlocked[0].key().body_key();
    let plaintext = vec![0x5a; BODY_BYTES];
    let body = veil_seal::chunks::seal(&key, BODY_CONTEXT, &[6; 24], &plaintext).unwrap();
    Sealed { identity, half_bytes, fronts, recipients, body }
});

/// The identity of most vectors.
fn identity() -> Identity {
    Identity::from_seed(Secret::new([1; 32]))
}

fn front(case: &serde_json::Value, half_bytes: usize) -> Vec<u8> {
    let halves = case["halves"].as_array().unwrap();
    let mut front = Vec::new();
    for half in halves {
        let mut bytes = hex(&serde_json::json!({ "half": half }), "half");
        bytes.resize(half_bytes, 0);
        front.extend_from_slice(&bytes);
    }
    front
}

fn unlock(front: &[u8], identity: &Identity) -> Option<Unlocked> {
    Header::parse(front).ok()?.unlock(std::slice::from_ref(identity), None).ok()
}

/// Unlocks `bytes` as the front of a file.
pub fn run_front(bytes: &[u8]) {
    if let Ok(length) = Header::bytes(bytes) {
        assert!(length <= 2 * veil_seal::file::MAX_HALF_BYTES);
    }
    check_front(bytes);
}

/// Unlocks `bytes` with the checksum of the first half made right, so that what lies behind it is reached.
pub fn run_keyring(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    let half = Header::bytes(&bytes).map_or(0, |length| length / 2);
    if bytes.len() >= half && half > 0 {
        bytes[CHECKSUM].fill(0);
        let sum = digest(&SHA256, &bytes[..half]);
        bytes[CHECKSUM].copy_from_slice(sum.as_ref());
    }
    check_front(&bytes);
}

fn check_front(bytes: &[u8]) {
    let sealed = &*SEALED;
    if let Some(unlocked) = unlock(bytes, &sealed.identity) {
        let recipients: Vec<KeyId> = unlocked.recipients().collect();
        assert!(sealed.recipients.contains(&recipients), "a forged keyring opens: {recipients:?}");
    }
}

/// The fronts of all vectors, those that must be refused among them.
#[must_use]
pub fn front_seeds() -> Vec<Vec<u8>> {
    SEALED.fronts.clone()
}

/// Reads the body `bytes` under the first front, from the end and from the start.
pub fn run_body(bytes: &[u8]) {
    let sealed = &*SEALED;
    let mut file = sealed.fronts[0].clone();
    file.extend_from_slice(bytes);
    let unlocked = unlock(&file, &sealed.identity).unwrap();
    let start = 2 * sealed.half_bytes as u64;
    let key = unlocked.key().body_key();
    let Ok(mut reader) = Reader::new(Cursor::new(file), start, &key, BODY_CONTEXT) else { return };
    assert_eq!(reader.length(), BODY_BYTES as u64, "a forged length opens");
    for back in [10, 20_000, 0] {
        let from = if back == 0 { SeekFrom::Start(0) } else { SeekFrom::End(-back) };
        reader.seek(from).unwrap();
        let mut out = Vec::new();
        let _refused = reader.read_to_end(&mut out);
        assert!(out.iter().all(|byte| *byte == 0x5a), "unauthenticated bytes are released");
    }
}

/// A body of several chunks.
#[must_use]
pub fn body_seeds() -> Vec<Vec<u8>> {
    vec![SEALED.body.clone()]
}
