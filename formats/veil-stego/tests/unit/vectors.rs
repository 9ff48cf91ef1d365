//! Runs `vectors/stego-places.json` and `vectors/stego-lossless.json`, and holds them and `vectors/hidden.json` to
//! `docs/format/stego.md` as another language has it (`tests/oracles/stego.py`).
//!
//! `VEILCAST_WRITE_VECTORS=1` writes them anew. What is read out of frames is the format; which samples a writer changes is
//! its own business, but ours changes the same ones on every processor, so its changes are held too.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::lossless::{Code, Frame, Part, Reader, Schedule, Writer, is_flat};
use crate::order::Order;
use crate::plane::{Depth, Picture};
use crate::stream::StructuralKey;
use crate::trellis::{Height, Walk};

const HEAD_BYTES: usize = 64;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn spaced<T: ToString>(numbers: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    words.join(" ")
}

fn number(case: &Value, name: &str) -> u64 {
    case[name].as_u64().unwrap()
}

fn small<T: TryFrom<u64>>(case: &Value, name: &str) -> T {
    T::try_from(number(case, name)).ok().unwrap()
}

fn cases_of(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(root().join(format!("vectors/{name}.json"))).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

/// Loads vectors, after writing them with `make` where that is asked for.
fn vectors(name: &str, about: &str, make: impl Fn() -> Vec<Value>) -> Vec<Value> {
    if std::env::var_os("VEILCAST_WRITE_VECTORS").is_some() {
        let text = format!("{:#}\n", json!({ "about": about, "cases": make() }));
        std::fs::write(root().join(format!("vectors/{name}.json")), text).unwrap();
    }
    cases_of(name)
}

/// What the page says that each case comes to, as somebody else reads it.
fn transcribed(ask: &str, cases: &[Value]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/stego.py");
    let answers = veil_testkit::oracle(&script, &json!({ "ask": ask, "cases": cases }));
    let answers = answers.as_array().unwrap().clone();
    assert_eq!(answers.len(), cases.len());
    answers
}

/// Holds every member of each answer to its case's member of that name.
fn check_transcription(ask: &str, cases: &[Value]) {
    for (case, answer) in cases.iter().zip(transcribed(ask, cases)) {
        for (name, value) in answer.as_object().unwrap() {
            assert_eq!(value, &case[name], "{ask}: {name}");
        }
    }
}

fn height(rows: u64) -> Height {
    if rows == 7 { Height::Seven } else { Height::Ten }
}

fn picture(case: &Value) -> Picture {
    let (width, height) = (small(case, "width"), small(case, "height"));
    Picture::new(width, height, Depth::Eight, true).unwrap()
}

fn key(case: &Value, name: &str) -> StructuralKey {
    let byte = u8::from_str_radix(&case[name].as_str().unwrap()[..2], 16).unwrap();
    StructuralKey::new([byte; 32])
}

fn places_case(frame: u64, (width, rows): (u32, u32), codes: &[(u64, u8)]) -> Value {
    let mut case = json!({
        "key": hex(&[0x5a; 32]), "frame": frame, "width": width, "height": rows,
        "codes": codes.iter().map(|(rows, w)| json!({ "rows": rows, "samples_per_bit": w })).collect::<Vec<_>>(),
    });
    let (key, picture) = (key(&case, "key"), picture(&case));
    let mut places = vec![0; picture.sample_count() as usize];
    Order::new(&key, frame, picture).places(0, &mut places);
    let bytes: Vec<u8> = places.iter().flat_map(|place| place.to_le_bytes()).collect();
    let mut mask = [0; 32];
    key.mask(frame, &mut mask);
    let columns = codes.iter().map(|(rows, w)| {
        let matrix = Code::new(height(*rows), *w).unwrap().matrix(&key, frame);
        spaced(matrix.columns)
    });
    case["columns"] = columns.collect();
    case["first_places"] = spaced(&places[..16]).into();
    case["places_sha256"] = hex(&Sha256::digest(bytes)).into();
    case["mask"] = hex(&mask).into();
    case
}

fn places() -> Vec<Value> {
    vec![
        places_case(0, (128, 88), &[(7, 2), (7, 20), (7, 80)]),
        places_case(1, (128, 88), &[(7, 20), (10, 31)]),
        places_case(0x1_0000_0002, (33, 500), &[(10, 80)]),
    ]
}

#[test]
fn places_columns_and_masks_match_the_vectors() {
    let about = "A frame's keyed order, the columns of its small matrix for each of `codes`, and the first 32 bytes of its mask. \
        places_sha256 is over all places, a u32 each.";
    let cases = vectors("stego-places", about, places);
    assert_eq!(cases, places());
    check_transcription("places", &cases);
}

/// The sample at place `n` of a frame before anything is written.
fn cover(case: &Value, frame: u64) -> Vec<u8> {
    let flat = case["flat"].as_array().unwrap().contains(&frame.into());
    let level = |n: u64| if flat { 90 } else { 40 + ((n * (n + 3 * frame + 7)) >> 4) % 151 };
    let samples = u64::from(picture(case).sample_count());
    (0..samples).map(|n| u8::try_from(level(n)).unwrap()).collect()
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| u8::try_from((7 * i + 3 * (i / 256)) % 256).unwrap()).collect()
}

/// Code and shares as a case's layout says.
fn layout(case: &Value) -> (Code, Schedule) {
    let layout = &case["layout"];
    let code = Code::new(height(number(layout, "rows")), small(layout, "samples_per_bit")).unwrap();
    let (bytes, frames) = (number(layout, "body_bytes"), number(layout, "frame_count"));
    let first = u32::try_from(Code::HEAD.sample_count(HEAD_BYTES)).unwrap();
    (code, Schedule::new(bytes, frames, picture(case), code, first).unwrap())
}

/// A frame's share of a message: its key, whether the head lies there, and which bytes of the body.
struct Share {
    number: u64,
    key: StructuralKey,
    has_head: bool,
    bytes: std::ops::Range<usize>,
}

fn shares(case: &Value) -> Vec<Share> {
    let (_, mut schedule) = layout(case);
    let mut found = false;
    let share = |number| {
        let flat = is_flat(picture(case), &cover(case, number));
        let has_head = !flat && !found;
        found |= !flat;
        let range = schedule.share(flat);
        let bytes = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        let key = key(case, if has_head { "head_key" } else { "body_key" });
        Share { number, key, has_head, bytes }
    };
    (0..number(&case["layout"], "frame_count")).map(share).collect()
}

/// The samples that our writer moves up and down.
fn written(case: &Value, walk: Walk) -> Vec<Value> {
    let (code, _) = layout(case);
    let (head, body) = (pattern(HEAD_BYTES), pattern(small(&case["layout"], "body_bytes")));
    let mut writer = Writer::new(walk);
    let mut before: Option<Vec<u8>> = None;
    let frame = |share: Share| {
        let untouched = cover(case, share.number);
        let mut samples = untouched.clone();
        let mut masked = body[share.bytes].to_vec();
        key(case, "body_key").mask(share.number, &mut masked);
        let first = if share.has_head {
            Code::HEAD.sample_count(HEAD_BYTES).try_into().unwrap()
        } else {
            0
        };
        let head = Part { first: 0, code: Code::HEAD, bytes: &head };
        let body = Part { first, code, bytes: &masked };
        let parts = if share.has_head { vec![head, body] } else { vec![body] };
        let mut frame = Frame {
            number: share.number,
            picture: picture(case),
            samples: &mut samples,
            before: before.as_deref(),
        };
        writer.write(&share.key, &mut frame, &parts).unwrap();
        let moved = |by: i16| {
            let pairs = samples.iter().zip(&untouched).enumerate();
            let is_by =
                |(_, (is, was)): &(usize, (&u8, &u8))| i16::from(**is) - i16::from(**was) == by;
            spaced(pairs.filter(is_by).map(|(place, _)| place))
        };
        let (up, down) = (moved(1), moved(-1));
        before = Some(untouched);
        json!({ "up": up, "down": down })
    };
    shares(case).into_iter().map(frame).collect()
}

/// A frame as the case tells it: its cover with the samples moved.
fn frame(case: &Value, number: u64) -> Vec<u8> {
    let mut samples = cover(case, number);
    let moved = &case["frames"][usize::try_from(number).unwrap()];
    for (name, by) in [("up", 1), ("down", -1)] {
        for place in moved[name].as_str().unwrap().split_whitespace() {
            let sample = &mut samples[place.parse::<usize>().unwrap()];
            *sample = sample.checked_add_signed(by).unwrap();
        }
    }
    samples
}

/// Head and body out of a case's frames.
fn read(case: &Value) -> (Vec<u8>, Vec<u8>) {
    let (code, _) = layout(case);
    let (mut head, mut body) = (vec![0; HEAD_BYTES], Vec::new());
    let mut reader = Reader::default();
    for Share { number, key: place, has_head, bytes } in shares(case) {
        let samples = frame(case, number);
        let plane = (number, picture(case), samples.as_slice());
        let mut share = vec![0; bytes.len()];
        let mut first = 0;
        if has_head {
            reader.read(&place, plane, (0, Code::HEAD), &mut head).unwrap();
            first = Code::HEAD.sample_count(HEAD_BYTES).try_into().unwrap();
        }
        reader.read(&place, plane, (first, code), &mut share).unwrap();
        key(case, "body_key").mask(number, &mut share);
        body.extend(share);
    }
    (head, body)
}

fn lossless_case(
    (width, rows): (u32, u32),
    (code_rows, samples_per_bit): (u8, u8),
    (frames, flat): (u64, &[u64]),
    body_bytes: usize,
) -> Value {
    let layout = json!({
        "rows": code_rows, "samples_per_bit": samples_per_bit, "frame_count": frames, "body_bytes": body_bytes,
    });
    let mut case = json!({
        "width": width, "height": rows, "flat": flat, "layout": layout,
        "head_key": hex(&[0x11; 32]), "body_key": hex(&[0x22; 32]),
        "head": hex(&pattern(HEAD_BYTES)), "body": hex(&pattern(body_bytes)),
    });
    case["frames"] = written(&case, Walk::named("portable").unwrap()).into();
    case
}

fn lossless() -> Vec<Value> {
    vec![
        lossless_case((128, 88), (7, 20), (3, &[0]), 12),
        lossless_case((128, 88), (7, 2), (2, &[]), 128),
        // A tile is 204 bytes in the one, 132 in the other, and frames carry more.
        lossless_case((256, 200), (7, 20), (3, &[1]), 384),
        lossless_case((256, 200), (10, 31), (2, &[]), 320),
    ]
}

#[test]
fn messages_in_frames_match_the_vectors_on_every_way_to_walk() {
    let about = "Head and body in frames. Before anything was written, place n of frame f had the level \
        40 + floor(n * (n + 3f + 7) / 16) mod 151, in the frames of `flat` 90; `up` and `down` are the places moved by one.";
    let cases = vectors("stego-lossless", about, lossless);
    assert_eq!(cases.len(), lossless().len());
    for case in &cases {
        let (head, body) = read(case);
        assert_eq!((hex(&head), hex(&body)), (text(case, "head"), text(case, "body")));
        for walk in Walk::NAMES.into_iter().filter_map(Walk::named) {
            assert_eq!(Value::from(written(case, walk)), case["frames"], "{walk:?}");
        }
    }
    check_transcription("lossless", &cases);
}

fn text(case: &Value, name: &str) -> String {
    case[name].as_str().unwrap().to_owned()
}

#[test]
fn keys_and_heads_are_those_of_the_page() {
    check_transcription("hidden", &cases_of("hidden"));
}
