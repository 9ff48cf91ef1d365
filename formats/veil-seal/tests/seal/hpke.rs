//! HPKE with X-Wing by the vectors of draft-ietf-hpke-pq, as PyPI's `cryptography_vectors` ships them.
//!
//! The drafts have no vector of our suite: those of KEM 0x647a are with ChaCha20-Poly1305. So the key
//! schedule is written here once more from RFC 9180, held by those vectors, and then opens and makes
//! envelopes of ours, where only the number of the cipher differs.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305};
use aws_lc_rs::aead::{LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};
use veil_seal::envelope::{self, Purpose};
use veil_seal::identity::Identity;
use veil_seal::secret::Secret;
use x_wing::{
    CIPHERTEXT_SIZE, Ciphertext, DecapsulationKeyRejectNonContrib, EncapsulationKey, TryDecapsulate,
};

use crate::exchange::ask;
use crate::hkdf::{expand_by_hmac, hmac_sha256};
use crate::vectors::{array, hex, unhex};

const XWING: u16 = 0x647a;
const HKDF_SHA256: u16 = 1;
const CHACHA: u16 = 3;

/// Suite 0x647a, HKDF-SHA256 and a cipher: what RFC 9180 §5.1 derives in base mode.
struct Schedule {
    suite: Vec<u8>,
    secret: Vec<u8>,
    context: Vec<u8>,
}

impl Schedule {
    fn new(aead: u16, shared: &[u8], info: &[u8]) -> Self {
        let numbers = [XWING, HKDF_SHA256, aead].map(u16::to_be_bytes).concat();
        let suite = [&b"HPKE"[..], &numbers].concat();
        let extract = |salt: &[u8], label: &[u8], ikm: &[u8]| {
            hmac_sha256(salt, &[b"HPKE-v1", &suite, label, ikm])
        };
        let hashes = [extract(b"", b"psk_id_hash", b""), extract(b"", b"info_hash", info)].concat();
        let context = [&[0][..], &hashes].concat();
        let secret = extract(shared, b"secret", b"");
        Self { suite, secret, context }
    }

    fn expand(&self, label: &[u8], length: u16) -> Vec<u8> {
        let head = [&length.to_be_bytes()[..], b"HPKE-v1", &self.suite, label].concat();
        let info = [head, self.context.clone()].concat();
        expand_by_hmac(hmac_sha256, &self.secret, &info, usize::from(length))
    }

    fn cipher(&self, algorithm: &'static Algorithm) -> (LessSafeKey, Nonce) {
        let key = UnboundKey::new(algorithm, &self.expand(b"key", 32)).unwrap();
        let nonce = Nonce::try_assume_unique_for_key(&self.expand(b"base_nonce", 12)).unwrap();
        (LessSafeKey::new(key), nonce)
    }
}

fn decapsulate(seed: [u8; 32], enc: &[u8]) -> Vec<u8> {
    let enc = Ciphertext::try_from(enc).unwrap();
    let key = DecapsulationKeyRejectNonContrib::from(seed);
    key.try_decapsulate(&enc).unwrap().to_vec()
}

/// The cases of the draft with our KEM.
fn cases() -> Vec<Value> {
    let all = ask("pyca.py", &json!({ "ask": "hpke-pq-vectors" }));
    let ours: Vec<Value> = all.into_iter().filter(|case| case["kem_id"] == XWING).collect();
    assert!(ours.len() >= 2, "{} cases of KEM 0x647a", ours.len());
    ours
}

#[test]
fn the_drafts_keys_and_shared_secrets_are_ours() {
    for case in cases() {
        let seed = array(&case["skRm"]);
        let public = *Identity::from_seed(Secret::new(seed)).recipient().as_bytes();
        assert_eq!(hex(&public), case["pkRm"]);
        assert_eq!(hex(&decapsulate(seed, &unhex(&case["enc"]))), case["shared_secret"]);
        let randomness = array::<64>(&case["ikmE"]).into();
        let key = EncapsulationKey::try_from(&public[..]).unwrap();
        let (enc, shared) = key.encapsulate_deterministic(&randomness);
        assert_eq!(hex(&enc), case["enc"]);
        assert_eq!(hex(&shared), case["shared_secret"]);
    }
}

#[test]
fn the_drafts_key_schedule_is_the_one_written_here() {
    let suite = |case: &Value| case["kdf_id"] == HKDF_SHA256 && case["aead_id"] == CHACHA;
    let ours: Vec<Value> = cases().into_iter().filter(suite).collect();
    assert!(!ours.is_empty(), "no case of the draft has HKDF-SHA256");
    for case in ours {
        let shared = unhex(&case["shared_secret"]);
        let schedule = Schedule::new(CHACHA, &shared, &unhex(&case["info"]));
        assert_eq!(hex(&schedule.expand(b"key", 32)), case["key"]);
        assert_eq!(hex(&schedule.expand(b"base_nonce", 12)), case["base_nonce"]);
        assert_eq!(hex(&schedule.expand(b"exp", 32)), case["exporter_secret"]);
        let first = &case["encryptions"][0];
        let (key, nonce) = schedule.cipher(&CHACHA20_POLY1305);
        let mut opened = unhex(&first["ct"]);
        let opened = key.open_in_place(nonce, Aad::from(unhex(&first["aad"])), &mut opened);
        assert_eq!(hex(opened.unwrap()), first["pt"]);
    }
}

#[test]
fn envelopes_are_the_drafts_hpke_with_aes_256_gcm() {
    const AES_256: u16 = 2;
    let (seed, info, aad) = ([0x51; 32], b"veilcast/grant/v1", b"place");
    let alice = Identity::from_seed(Secret::new(seed));
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);

    let ours = envelope::wrap(&alice.recipient(), Purpose::Grant, aad, b"ours", &mut rng).unwrap();
    let (enc, body) = ours.split_at(CIPHERTEXT_SIZE);
    let schedule = Schedule::new(AES_256, &decapsulate(seed, enc), info);
    let (key, nonce) = schedule.cipher(&AES_256_GCM);
    let mut body = body.to_vec();
    assert_eq!(key.open_in_place(nonce, Aad::from(aad), &mut body).unwrap(), b"ours");

    let public = EncapsulationKey::try_from(&alice.recipient().as_bytes()[..]).unwrap();
    let (enc, shared) = public.encapsulate_deterministic(&[0x52; 64].into());
    let (key, nonce) = Schedule::new(AES_256, &shared, info).cipher(&AES_256_GCM);
    let mut body = b"theirs".to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut body).unwrap();
    let theirs = [&enc[..], &body].concat();
    assert_eq!(**envelope::unwrap(&alice, Purpose::Grant, aad, &theirs).unwrap(), *b"theirs");
}
