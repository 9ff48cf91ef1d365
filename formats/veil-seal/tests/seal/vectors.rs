//! Runs `vectors/*.json`, the same files that the browser player runs.
//!
//! `VEILCAST_WRITE_VECTORS=1` writes them anew; a changed vector is a changed format, so it wants a
//! new version label.

mod collection;
mod grant;
mod hidden;
mod rendition_file;
mod variants;

use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use veil_seal::envelope::{self, Purpose};
use veil_seal::id::{GrantId, TitleId};
use veil_seal::identity::{Identity, Recipient};
use veil_seal::link::LinkSecret;
use veil_seal::object::{Kind, Role};
use veil_seal::schedule::TitleKey;
use veil_seal::secret::Secret;
use veil_seal::{SealError, chunks};
use x_wing::{Ciphertext, DecapsulationKeyRejectNonContrib, TryDecapsulate};

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let pairs = (0..text.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    unhex(value).try_into().unwrap()
}

/// The plaintext of a vector of `length` bytes: byte `i` is `(7·i + 3·⌊i / 256⌋) mod 256`.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from((7 * i + 3 * (i / 256)) % 256).unwrap()).collect()
}

/// Loads `vectors/<name>.json`, after writing it with `make` when that is asked for, and checks
/// every case.
pub(crate) fn check(name: &str, about: &str, make: fn() -> Vec<Value>, verify: impl Fn(&Value)) {
    veil_testkit::vectors_of(name, about, make).iter().for_each(verify);
}

fn sealed_object_cases() -> Vec<Value> {
    let lengths = [0, 1, 1000, 16_383, 16_384, 16_385, 32_768, 50_000];
    lengths.into_iter().map(sealed_object_case).collect()
}

fn sealed_object_case(length: usize) -> Value {
    let (key, salt) = ([0x11; 32], [0x22; 24]);
    let context = Role {
        title: TitleId([0x33; 16]),
        kind: Kind::Segment,
        rendition: 256,
        index: 7,
        variant: None,
    }
    .encode();
    let sealed = chunks::seal(&Secret::new(key), &context, &salt, &pattern(length)).unwrap();
    json!({
        "name": format!("{length} bytes"),
        "key": hex(&key),
        "salt": hex(&salt),
        "context": hex(&context),
        "plaintext_length": length,
        "header": hex(&sealed[..chunks::HEADER_BYTES]),
        "sealed_sha256": hex(&Sha256::digest(&sealed)),
        "sealed": if length <= 1000 { Value::from(hex(&sealed)) } else { Value::Null },
    })
}

#[test]
fn the_sealed_object_vectors_hold() {
    let about = "Cobblestone-256. The plaintext's byte i is (7*i + 3*floor(i/256)) mod 256.";
    check("sealed-object", about, sealed_object_cases, |case| {
        let key = Secret::new(array(&case["key"]));
        let context = unhex(&case["context"]);
        let length = usize::try_from(case["plaintext_length"].as_u64().unwrap()).unwrap();
        let sealed = chunks::seal(&key, &context, &array(&case["salt"]), &pattern(length)).unwrap();
        assert_eq!(hex(&sealed[..chunks::HEADER_BYTES]), case["header"]);
        assert_eq!(hex(&Sha256::digest(&sealed)), case["sealed_sha256"]);
        assert!(case["sealed"].is_null() || case["sealed"] == hex(&sealed));
        assert_eq!(chunks::open(&key, &context, &sealed), Ok(pattern(length)));
    });
}

const KINDS: [(&str, Kind); 8] = [
    ("manifest", Kind::Manifest),
    ("init", Kind::Init),
    ("segment", Kind::Segment),
    ("poster", Kind::Poster),
    ("storyboard", Kind::Storyboard),
    ("media playlist", Kind::MediaPlaylist),
    ("multivariant playlist", Kind::MultivariantPlaylist),
    ("rendition file", Kind::RenditionFile),
];

fn key_schedule_cases() -> Vec<Value> {
    let title = TitleId([0xa5; 16]);
    let plain = KINDS.map(|(name, kind)| (name, Role::single(title, kind)));
    let far = Role { title, kind: Kind::Segment, rendition: 513, index: 70_000, variant: None };
    plain.into_iter().chain([("far segment", far)]).map(key_schedule_case).collect()
}

fn key_schedule_case((name, role): (&str, Role)) -> Value {
    let title_key = [0x5a; 32];
    let schedule = TitleKey::new(Secret::new(title_key));
    let mut object_key = [0; 32];
    let label = b"veilcast/object-key/v1\0";
    veil_seal::derive::expand_sha512(&title_key, &[label, &role.encode()], &mut object_key);
    json!({
        "name": name,
        "title_key": hex(&title_key),
        "title": role.title.to_string(),
        "kind": role.kind as u8,
        "rendition": role.rendition,
        "index": role.index,
        "role": hex(&role.encode()),
        "object_key": hex(&object_key),
        "object_name": schedule.object_name(&role).to_string(),
    })
}

#[test]
fn the_key_schedule_vectors_hold() {
    check("key-schedule", "Title key to object keys and names.", key_schedule_cases, |case| {
        let number = case["kind"].as_u64().unwrap();
        let (_, kind) = KINDS.into_iter().find(|(_, kind)| *kind as u64 == number).unwrap();
        let role = Role {
            title: case["title"].as_str().unwrap().parse().unwrap(),
            kind,
            rendition: u16::try_from(case["rendition"].as_u64().unwrap()).unwrap(),
            index: u32::try_from(case["index"].as_u64().unwrap()).unwrap(),
            variant: None,
        };
        let schedule = TitleKey::new(Secret::new(array(&case["title_key"])));
        assert_eq!(hex(&role.encode()), case["role"]);
        assert_eq!(schedule.object_name(&role).to_string(), case["object_name"]);
        let salt = [0; chunks::SALT_BYTES];
        let named = Secret::new(array(&case["object_key"]));
        let sealed = chunks::seal(&named, &role.encode(), &salt, b"text").unwrap();
        let opened = veil_seal::object::open(&schedule.object_key(&role), &role, &sealed);
        assert_eq!(opened, Ok(b"text".to_vec()));
    });
}

fn envelope_cases() -> Vec<Value> {
    let seed = [0x77; 32];
    let identity = Identity::from_seed(Secret::new(seed));
    let recipient = identity.recipient();
    let aad = [0x01; 52];
    let mut rng = UnwrapErr(SysRng);
    let good = envelope::wrap(&recipient, Purpose::Grant, &aad, b"payload", &mut rng).unwrap();
    let mut low_order = good.clone();
    low_order[1088..1120].fill(0);
    let case = |name: &str, envelope: &[u8], payload: Option<&[u8]>| {
        json!({
            "name": name,
            "identity": *identity.to_text(),
            "seed": hex(&seed),
            "recipient": recipient.to_string(),
            "recipient_bytes": hex(recipient.as_bytes()),
            "key_id": recipient.key_id().to_string(),
            "info": "veilcast/grant/v1",
            "aad": hex(&aad),
            "envelope": hex(envelope),
            "payload": payload.map(hex),
        })
    };
    vec![case("opens", &good, Some(b"payload")), case("low-order share", &low_order, None)]
}

#[test]
fn the_envelope_vectors_hold() {
    let about =
        "Identity, recipient and HPKE envelope; a null payload means that it must be refused.";
    check("envelope", about, envelope_cases, |case| {
        let identity = Identity::parse(case["identity"].as_str().unwrap()).unwrap();
        let recipient: Recipient = case["recipient"].as_str().unwrap().parse().unwrap();
        assert_eq!(hex(recipient.as_bytes()), case["recipient_bytes"]);
        assert_eq!(identity.recipient(), recipient);
        assert_eq!(recipient.key_id().to_string(), case["key_id"]);
        let (aad, envelope) = (unhex(&case["aad"]), unhex(&case["envelope"]));
        let opened = envelope::unwrap(&identity, Purpose::Grant, &aad, &envelope);
        match case["payload"].as_str() {
            Some(payload) => assert_eq!(hex(&opened.unwrap()), payload),
            None => assert_eq!(opened.map(|_| ()), Err(SealError::LowOrder)),
        }
    });
}

fn low_order_cases() -> Vec<Value> {
    // The published list, as numbers below 2²⁵⁵; each has two spellings, as X25519 ignores the top bit.
    let low = [
        ("0", "0000000000000000000000000000000000000000000000000000000000000000"),
        ("1", "0100000000000000000000000000000000000000000000000000000000000000"),
        ("order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        ("order 8 as well", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        ("p - 1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ];
    let other = [
        ("the base point", "0900000000000000000000000000000000000000000000000000000000000000"),
        ("2", "0200000000000000000000000000000000000000000000000000000000000000"),
        ("p - 2", "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        (
            "p + 2, not canonical",
            "efffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ),
    ];
    let low = low.into_iter().flat_map(|point| low_order_pair(point, true));
    low.chain(other.into_iter().flat_map(|point| low_order_pair(point, false))).collect()
}

fn low_order_pair((name, share): (&str, &str), low_order: bool) -> [Value; 2] {
    let mut high = unhex(&share.into());
    high[31] |= 0x80;
    [
        json!({ "name": name, "share": share, "low_order": low_order }),
        json!({ "name": format!("{name}, top bit set"), "share": hex(&high), "low_order": low_order }),
    ]
}

#[test]
fn the_low_order_vectors_hold() {
    let about = "X25519 shares of an encapsulation: those of low order are refused.";
    let identity = Identity::from_seed(Secret::new([0x77; 32]));
    let contributory = DecapsulationKeyRejectNonContrib::from([0x77; 32]);
    check("low-order", about, low_order_cases, |case| {
        let mut envelope = [0x55; envelope::OVERHEAD_BYTES];
        envelope[1088..1120].copy_from_slice(&unhex(&case["share"]));
        let opened = envelope::unwrap(&identity, Purpose::Grant, b"", &envelope).map(drop);
        let low_order = case["low_order"].as_bool().unwrap();
        let expected = if low_order { SealError::LowOrder } else { SealError::WrongIdentity };
        assert_eq!(opened, Err(expected), "{}", case["name"]);
        // The other way to tell them: a whole decapsulation that looks at the shared secret.
        let encapsulation = Ciphertext::try_from(&envelope[..1120]).unwrap();
        let shared = contributory.try_decapsulate(&encapsulation);
        assert_eq!(shared.is_err(), low_order, "{}", case["name"]);
    });
}

fn link_cases() -> Vec<Value> {
    let grant = GrantId([0x44; 16]);
    let fragment = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let secret = LinkSecret::parse(fragment).unwrap();
    vec![json!({
        "name": "counting bytes",
        "fragment": fragment,
        "grant": grant.to_string(),
        "link": *secret.to_link("https://veil.example", grant),
        "bearer": *secret.bearer().to_text(),
        "bearer_sha256": hex(&secret.bearer().sha256()),
        "identity": *secret.identity().to_text(),
        "key_id": secret.identity().recipient().key_id().to_string(),
    })]
}

#[test]
fn the_link_vectors_hold() {
    check("link", "A link's secret, its bearer and its identity.", link_cases, |case| {
        let secret = LinkSecret::parse(case["fragment"].as_str().unwrap()).unwrap();
        let grant = case["grant"].as_str().unwrap().parse().unwrap();
        assert_eq!(*secret.to_link("https://veil.example", grant), case["link"].as_str().unwrap());
        assert_eq!(*secret.bearer().to_text(), case["bearer"].as_str().unwrap());
        assert_eq!(hex(&secret.bearer().sha256()), case["bearer_sha256"]);
        assert_eq!(*secret.identity().to_text(), case["identity"].as_str().unwrap());
        assert_eq!(secret.identity().recipient().key_id().to_string(), case["key_id"]);
    });
}
