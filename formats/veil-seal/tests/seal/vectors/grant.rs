//! Grants: `vectors/grant.json`, and `vectors/grant-marked.json` for a marked title.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::{Value, json};
use veil_seal::grant::{self, GrantBinding, GrantPayload};
use veil_seal::id::{GrantId, TitleId};
use veil_seal::link::LinkSecret;
use veil_seal::schedule::TitleKey;
use veil_seal::secret::Secret;
use veil_seal::variants::ListKey;

use super::{check, hex};

const FRAGMENT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const LIST_KEY: [u8; 32] = [0x6b; 32];

fn case(name: &str, list_key: Option<[u8; 32]>) -> Value {
    let secret = LinkSecret::parse(FRAGMENT).unwrap();
    let recipient = secret.identity().recipient();
    let binding = GrantBinding {
        grant: GrantId([0x44; 16]),
        title: TitleId([0x33; 16]),
        epoch: 1,
        recipient: recipient.key_id(),
    };
    let payload = GrantPayload {
        key: TitleKey::new(Secret::new([0x5a; 32])),
        variants: list_key.map(|key| ListKey::new(Secret::new(key))),
        expires: Some("2026-11-27T12:00:00Z".into()),
    };
    let mut rng = UnwrapErr(SysRng);
    let envelope = grant::seal_payload(&recipient, &binding, &payload, &mut rng).unwrap();
    let mut case = json!({
        "name": name,
        "fragment": FRAGMENT,
        "grant": binding.grant.to_string(),
        "title": binding.title.to_string(),
        "epoch": binding.epoch,
        "recipient": binding.recipient.to_string(),
        "aad": hex(&binding.aad()),
        "envelope": envelope,
        "title_key": hex(payload.key.secret().expose()),
        "expires": payload.expires,
    });
    if let Some(key) = payload.variants {
        case["list_key"] = hex(key.secret().expose()).into();
        case["list_name"] = key.object_name(binding.title).to_string().into();
    }
    case
}

fn verify(case: &Value) {
    let text = |name: &str| case[name].as_str().unwrap();
    let binding = GrantBinding {
        grant: text("grant").parse().unwrap(),
        title: text("title").parse().unwrap(),
        epoch: u32::try_from(case["epoch"].as_u64().unwrap()).unwrap(),
        recipient: text("recipient").parse().unwrap(),
    };
    assert_eq!(hex(&binding.aad()), case["aad"]);
    let identity = LinkSecret::parse(text("fragment")).unwrap().identity();
    let record: grant::GrantRecord = serde_json::from_value(json!({
        "v": 1, "id": text("grant"), "title": text("title"), "epoch": case["epoch"], "state": "active",
        "kind": "link", "bearer_sha256": "", "created": "", "envelope": case["envelope"],
    }))
    .unwrap();
    let envelope = record.envelope_bytes().unwrap();
    let payload = grant::open_payload(&identity, &binding, &envelope).unwrap();
    assert_eq!(hex(payload.key.secret().expose()), text("title_key"));
    assert_eq!(payload.expires.as_deref(), case["expires"].as_str());
    let list = payload.variants.as_ref();
    let list_key = list.map(|key| hex(key.secret().expose()));
    assert_eq!(list_key.as_deref(), case["list_key"].as_str());
    let list_name = list.map(|key| key.object_name(binding.title).to_string());
    assert_eq!(list_name.as_deref(), case["list_name"].as_str());
}

#[test]
fn the_grant_vectors_hold() {
    let about = "A grant's binding and envelope, for a link.";
    check("grant", about, || vec![case("of a link", None)], verify);
}

#[test]
fn the_vectors_of_marked_grants_hold() {
    let about = "A grant of a marked title: its payload carries the key of a variant list.";
    let make = || vec![case("of a link, for a marked title", Some(LIST_KEY))];
    check("grant-marked", about, make, verify);
}
