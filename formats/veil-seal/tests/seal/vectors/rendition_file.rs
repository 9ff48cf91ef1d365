//! Rendition files: names, places, and objects that open where the lengths say that they lie.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use veil_seal::id::TitleId;
use veil_seal::object::{self, Kind, Role};
use veil_seal::rendition_file::Places;
use veil_seal::schedule::TitleKey;
use veil_seal::secret::Secret;
use veil_seal::{SealError, chunks};

use super::{array, check, hex, pattern, unhex};

const ABOUT: &str = "A rendition file: its name, and where its objects lie: initialisation segment, then media segments. \
    Object i has the plaintext of its length (byte j is (7*j + 3*floor(j/256)) mod 256) and the salt of 24 bytes i + 1.";

fn key_of(case: &Value) -> TitleKey {
    TitleKey::new(Secret::new(array(&case["title_key"])))
}

fn role(case: &Value, kind: Kind, index: usize) -> Role {
    Role {
        title: case["title"].as_str().unwrap().parse().unwrap(),
        kind,
        rendition: u16::try_from(case["rendition"].as_u64().unwrap()).unwrap(),
        index: u32::try_from(index).unwrap(),
        variant: None,
    }
}

/// The role of the object at a place in the file.
fn role_at(case: &Value, place: usize) -> Role {
    match place {
        0 => role(case, Kind::Init, 0),
        _ => role(case, Kind::Segment, place - 1),
    }
}

fn lengths(case: &Value) -> Vec<usize> {
    let lengths = case["plaintext_lengths"].as_array().unwrap();
    lengths.iter().map(|length| usize::try_from(length.as_u64().unwrap()).unwrap()).collect()
}

/// The file, sealed with the salts of the vectors.
fn file(case: &Value) -> Vec<u8> {
    let key = key_of(case);
    let mut file = Vec::new();
    for (place, length) in lengths(case).into_iter().enumerate() {
        let role = role_at(case, place);
        let label: &[u8] = b"veilcast/object-key/v1\0";
        let mut object_key = [0; 32];
        let title_key = key.secret().expose();
        veil_seal::derive::expand_sha512(title_key, &[label, &role.encode()], &mut object_key);
        let salt = [u8::try_from(place + 1).unwrap(); 24];
        let secret = Secret::new(object_key);
        file.extend(chunks::seal(&secret, &role.encode(), &salt, &pattern(length)).unwrap());
    }
    file
}

fn places(case: &Value) -> Vec<[u64; 2]> {
    let mut places = Places::default();
    let place = |length: usize| places.next(length as u64).unwrap();
    let ranges = lengths(case).into_iter().map(place);
    ranges.map(|range| [range.start, range.end - range.start]).collect()
}

fn cases() -> Vec<Value> {
    let small: &[usize] = &[3, 5, 0, 1];
    let large: &[usize] = &[812, 40_000, 16_384, 16_383, 32_768, 1];
    [("small", 1, small), ("whole chunks among them", 2, large)].into_iter().map(case).collect()
}

fn case((name, rendition, lengths): (&str, u16, &[usize])) -> Value {
    let mut case = json!({
        "name": name,
        "title_key": hex(&[0x5a; 32]),
        "title": TitleId([0xa5; 16]).to_string(),
        "rendition": rendition,
        "plaintext_lengths": lengths,
    });
    let file = file(&case);
    case["object_name"] =
        key_of(&case).object_name(&role(&case, Kind::RenditionFile, 0)).to_string().into();
    case["places"] = json!(places(&case));
    case["file_sha256"] = hex(&Sha256::digest(&file)).into();
    case["file"] = if file.len() <= 1000 { hex(&file).into() } else { Value::Null };
    case
}

#[test]
fn the_rendition_file_vectors_hold() {
    check("rendition-file", ABOUT, cases, |case| {
        let (key, file) = (key_of(case), file(case));
        let name = key.object_name(&role(case, Kind::RenditionFile, 0));
        assert_eq!(name.to_string(), case["object_name"]);
        assert_eq!(json!(places(case)), case["places"]);
        assert_eq!(hex(&Sha256::digest(&file)), case["file_sha256"]);
        assert!(case["file"].is_null() || unhex(&case["file"]) == file);
        let places = places(case);
        assert_eq!(places.iter().map(|[_, length]| length).sum::<u64>(), file.len() as u64);
        for (place, ([start, length], plaintext)) in
            places.into_iter().zip(lengths(case)).enumerate()
        {
            let start = usize::try_from(start).unwrap();
            let sealed = &file[start..start + usize::try_from(length).unwrap()];
            let role = role_at(case, place);
            let opened = object::open(&key.object_key(&role), &role, sealed);
            assert_eq!(opened, Ok(pattern(plaintext)));
            let other = role_at(case, place + 1);
            let moved = object::open(&key.object_key(&other), &other, sealed);
            assert_eq!(moved, Err(SealError::WrongKey), "an object opens in its own place alone");
        }
    });
}
