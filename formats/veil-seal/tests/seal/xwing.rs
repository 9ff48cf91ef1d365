//! X-Wing by the vectors of draft-connolly-cfrg-xwing-kem, which the crate that we build ships with.

use serde_json::Value;
use veil_seal::identity::{Identity, Recipient};
use veil_seal::secret::Secret;
use veil_testkit::dependency_dir;
use x_wing::{Ciphertext, DecapsulationKeyRejectNonContrib, EncapsulationKey, TryDecapsulate};

use crate::vectors::{array, hex, unhex};

#[test]
fn the_vectors_of_the_draft_hold() {
    let path = dependency_dir("x-wing").join("tests/test-vectors.json");
    let text = std::fs::read(&path).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&text).unwrap();
    assert!(cases.len() >= 3, "{} cases", cases.len());
    cases.iter().for_each(check);
}

fn check(case: &Value) {
    let seed = array(&case["sk"]);
    let public = unhex(&case["pk"]);
    assert_eq!(Identity::from_seed(Secret::new(seed)).recipient().as_bytes()[..], public);
    assert_eq!(Recipient::from_bytes(&public).unwrap().as_bytes()[..], public);

    let randomness = array::<64>(&case["eseed"]).into();
    let key = EncapsulationKey::try_from(&public[..]).unwrap();
    let (ciphertext, shared) = key.encapsulate_deterministic(&randomness);
    assert_eq!((hex(&ciphertext), hex(&shared)), (text(case, "ct"), text(case, "ss")));

    let ciphertext = Ciphertext::try_from(&unhex(&case["ct"])[..]).unwrap();
    let opened = DecapsulationKeyRejectNonContrib::from(seed).try_decapsulate(&ciphertext);
    assert_eq!(hex(&opened.unwrap()), text(case, "ss"));
}

fn text(case: &Value, name: &str) -> String {
    case[name].as_str().unwrap().to_owned()
}

/// The vectors here and in `ml_kem` and `x25519` say something about envelopes only while both
/// are the crates inside X-Wing: two versions of one in the build fail this.
#[test]
fn the_crates_under_test_are_those_inside_x_wing() {
    for name in ["ml-kem", "x25519-dalek", "x-wing", "hkdf", "aes-gcm"] {
        assert!(dependency_dir(name).is_dir(), "{name}");
    }
}
