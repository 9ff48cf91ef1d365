//! Variants: `vectors/variants.json` (mark key to object keys) and `vectors/variant-list.json`.

use serde_json::{Value, json};
use veil_seal::chunks;
use veil_seal::derive::expand_sha512;
use veil_seal::id::TitleId;
use veil_seal::object::{self, Kind, Role, Variant};
use veil_seal::secret::Secret;
use veil_seal::variants::{ListKey, MarkKey, VariantList};

use super::{array, check, hex, unhex};

const TITLE: TitleId = TitleId([0xa5; 16]);
const MARK_KEY: [u8; 32] = [0x3c; 32];
const LIST_KEY: [u8; 32] = [0x6b; 32];

fn mark_key() -> MarkKey {
    MarkKey::new(Secret::new(MARK_KEY))
}

fn object_key(parent: &[u8; 32], role: &Role) -> [u8; 32] {
    let mut key = [0; 32];
    expand_sha512(parent, &[b"veilcast/object-key/v1\0", &role.encode()], &mut key);
    key
}

/// The bytes of a slot key, as the list that has it alone says.
fn slot_key_bytes(slot: u32, variant: Variant) -> [u8; 32] {
    let list = mark_key().list(TITLE, [(slot, variant)]).unwrap();
    list.encode()[5..].try_into().unwrap()
}

fn variant_case((name, slot, variant, rendition): (&str, u32, Variant, u16)) -> Value {
    let key = mark_key().slot_key(TITLE, slot, variant);
    let (secret, role) = (slot_key_bytes(slot, variant), key.role(rendition));
    json!({
        "name": name,
        "title": TITLE.to_string(),
        "mark_key": hex(&MARK_KEY),
        "slot": slot,
        "variant": variant as u8,
        "slot_key": hex(&secret),
        "rendition": rendition,
        "role": hex(&role.encode()),
        "object_key": hex(&object_key(&secret, &role)),
        "object_name": key.object_name(rendition).to_string(),
    })
}

fn variant_cases() -> Vec<Value> {
    let cases = [
        ("first slot, A", 0, Variant::A, 1),
        ("first slot, B", 0, Variant::B, 1),
        ("first slot, B, another rendition", 0, Variant::B, 2),
        ("last slot of two hours, A", 3599, Variant::A, 1),
        ("last slot of all, B", u32::MAX, Variant::B, 255),
    ];
    cases.map(variant_case).into()
}

#[test]
fn the_variant_vectors_hold() {
    let about = "Mark key to slot keys, and slot key to object keys and names.";
    check("variants", about, variant_cases, |case| {
        let number = |name: &str| case[name].as_u64().unwrap();
        let mark_key = MarkKey::new(Secret::new(array(&case["mark_key"])));
        let variant = Variant::from_number(u8::try_from(number("variant")).unwrap()).unwrap();
        let slot = u32::try_from(number("slot")).unwrap();
        let rendition = u16::try_from(number("rendition")).unwrap();
        let title = case["title"].as_str().unwrap().parse().unwrap();
        let key = mark_key.slot_key(title, slot, variant);
        let role = key.role(rendition);
        assert_eq!(hex(&slot_key_bytes(slot, variant)), case["slot_key"]);
        assert_eq!(hex(&role.encode()), case["role"]);
        assert_eq!(key.object_name(rendition).to_string(), case["object_name"]);
        let salt = [0; chunks::SALT_BYTES];
        let named = Secret::new(array(&case["object_key"]));
        let sealed = chunks::seal(&named, &role.encode(), &salt, b"text").unwrap();
        let opened = object::open(&key.object_key(rendition), &role, &sealed);
        assert_eq!(opened, Ok(b"text".to_vec()));
    });
}

fn list_case(name: &str, plaintext: &[u8], opens: bool) -> Value {
    let role = Role::single(TITLE, Kind::VariantList);
    let key = Secret::new(object_key(&LIST_KEY, &role));
    let sealed = chunks::seal(&key, &role.encode(), &[0x22; chunks::SALT_BYTES], plaintext);
    let entries = opens.then(|| VariantList::decode(TITLE, plaintext).unwrap());
    let entry = |key: &veil_seal::variants::SlotKey| {
        let secret = slot_key_bytes(key.slot(), key.variant());
        json!({ "slot": key.slot(), "variant": key.variant() as u8, "slot_key": hex(&secret) })
    };
    json!({
        "name": name,
        "title": TITLE.to_string(),
        "list_key": hex(&LIST_KEY),
        "object_name": ListKey::new(Secret::new(LIST_KEY)).object_name(TITLE).to_string(),
        "sealed": hex(&sealed.unwrap()),
        "entries": entries.map(|list| list.keys().iter().map(entry).collect::<Vec<_>>()),
    })
}

fn list_cases() -> Vec<Value> {
    let chosen = [(0, Variant::B), (1, Variant::A), (2, Variant::A), (3599, Variant::B)];
    let bytes = mark_key().list(TITLE, chosen).unwrap().encode();
    let one = bytes.len() / chosen.len();
    let twice = [&bytes[..one], &bytes[..one]].concat();
    let falling = [&bytes[one..2 * one], &bytes[..one]].concat();
    let mut unmarked = bytes.to_vec();
    unmarked[4] = 0;
    let mut third = bytes.to_vec();
    third[one + 4] = 3;
    vec![
        list_case("four slots", &bytes, true),
        list_case("one slot", &bytes[..one], true),
        list_case("empty", &[], false),
        list_case("cut in an entry", &bytes[..bytes.len() - 1], false),
        list_case("a slot twice", &twice, false),
        list_case("falling slots", &falling, false),
        list_case("variant 0", &unmarked, false),
        list_case("variant 3", &third, false),
    ]
}

#[test]
fn the_variant_list_vectors_hold() {
    let about = "Variant lists; null entries mean that what the object holds must be refused.";
    check("variant-list", about, list_cases, |case| {
        let key = ListKey::new(Secret::new(array(&case["list_key"])));
        let title = case["title"].as_str().unwrap().parse().unwrap();
        assert_eq!(key.object_name(title).to_string(), case["object_name"]);
        let opened = key.open(title, &unhex(&case["sealed"]));
        let Some(entries) = case["entries"].as_array() else {
            assert!(opened.is_err(), "{}", case["name"]);
            return;
        };
        let list = opened.unwrap();
        assert_eq!(list.keys().len(), entries.len());
        for (entry, bytes) in entries.iter().zip(list.encode().chunks(37)) {
            let slot = u32::try_from(entry["slot"].as_u64().unwrap()).unwrap();
            let key = list.get(slot).unwrap();
            assert_eq!((key.slot(), key.variant() as u8), (slot, bytes[4]));
            assert_eq!(entry["variant"], bytes[4]);
            assert_eq!(hex(&bytes[5..]), entry["slot_key"]);
        }
    });
}
