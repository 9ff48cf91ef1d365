//! Heads of hidden messages, and the keys of places.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::{Value, json};
use veil_seal::file::Passphrase;
use veil_seal::hidden::{Finder, Layout, salt_of};
use veil_seal::identity::Identity;
use veil_seal::secret::Secret;

use super::{array, check, hex, pattern, unhex};

fn finder(case: &Value) -> Finder {
    if let Some(text) = case["passphrase"].as_str() {
        let passphrase = Passphrase::new(text.to_owned().into()).unwrap();
        return Finder::of_passphrase(&passphrase).unwrap();
    }
    if case["recipient_seed"].is_string() {
        let identity = Identity::from_seed(Secret::new(array(&case["recipient_seed"])));
        return Finder::of_recipient(&identity.recipient());
    }
    Finder::of_key_file(&unhex(&case["key_file"])).unwrap().0
}

fn layout(case: &Value) -> Layout {
    let number = |name: &str| case["layout"][name].as_u64().unwrap();
    Layout {
        rows: number("rows").try_into().unwrap(),
        samples_per_bit: number("samples_per_bit").try_into().unwrap(),
        keyring_bytes: number("keyring_bytes").try_into().unwrap(),
        frame_count: number("frame_count"),
        body_bytes: number("body_bytes"),
    }
}

fn made(mut case: Value) -> Value {
    case["layout"] = json!({
        "rows": 7, "samples_per_bit": 20, "keyring_bytes": 268, "frame_count": 1000, "body_bytes": 200_000,
    });
    let finder = finder(&case);
    let head = finder.seal_head(&layout(&case), &mut UnwrapErr(SysRng));
    case["head"] = hex(&head).into();
    case["head_place"] = hex(finder.head_place(&[9; 32]).expose()).into();
    case["body_place"] = hex(finder.body_place(&salt_of(&head)).expose()).into();
    case
}

fn make() -> Vec<Value> {
    let key_file = hex(&pattern(48));
    let mut cases = vec![
        made(json!({ "passphrase": "correct horse" })),
        made(json!({ "key_file": key_file })),
        made(json!({ "recipient_seed": hex(&[7; 32]) })),
    ];
    let (_, identity) = Finder::of_key_file(&pattern(48)).unwrap();
    cases[1]["identity_key_id"] = identity.key_id().to_string().into();
    cases
}

#[test]
fn hidden_heads_match_the_vectors() {
    let about =
        "Heads of hidden messages. head_place is that of planes whose SHA-256 is 32 bytes of 9.";
    check("hidden", about, make, |case| {
        let (finder, head) = (finder(case), array(&case["head"]));
        assert_eq!(finder.open_head(&head).unwrap(), layout(case));
        assert_eq!(finder.head_place(&[9; 32]).expose(), &array(&case["head_place"]));
        assert_eq!(finder.body_place(&salt_of(&head)).expose(), &array(&case["body_place"]));
        if let Some(id) = case["identity_key_id"].as_str() {
            let (_, identity) = Finder::of_key_file(&unhex(&case["key_file"])).unwrap();
            assert_eq!(identity.key_id().to_string(), id);
        }
    });
}
