//! `vectors/robust.json`: places, lattices and codes of robust mode. `tests/oracles/robust.py` computes
//! them from `docs/format/stego.md` alone.
//!
//! A failure prints what is made now; a changed vector is a changed format.

use std::path::Path;

use serde_json::{Value, json};

use super::codewords::{HeadBits, order};
use super::ldpc::Ldpc;
use super::packets::{Packets, to_bits, to_bytes};
use super::pattern::to_lattice;
use super::places::{Front, Place, Rest};
use super::*;
use crate::plane::Depth;
use crate::stream::StructuralKey;

fn key(byte: u8) -> StructuralKey {
    StructuralKey::new([byte; 32])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first and the last places, as carrier, dither and mask.
fn ends(places: &[Place]) -> Value {
    let shown = places[..3].iter().chain(&places[places.len() - 2..]);
    shown.map(|place| json!([place.carrier, place.dither, u8::from(place.mask)])).collect()
}

fn slot(profile: Profile, lane: u16, slot: u64) -> Value {
    let picture = Picture::new(640, 360, Depth::Eight, true).unwrap();
    let shape = Shape::new(profile, picture);
    let front = Front::new(&key(0x11), shape, lane, slot % CYCLE);
    let rest = Rest::new(&key(0x22), shape, &front, slot);
    json!({
        "profile": profile.number(), "carriers": shape.carriers(), "lane": lane, "slot": slot,
        "front_key": hex(&[0x11; 32]), "body_key": hex(&[0x22; 32]),
        "front_pilots": ends(&front.pilots), "head": ends(&front.head),
        "rest_pilots": ends(&rest.pilots), "data": ends(&rest.data),
    })
}

fn code(bits: usize, checks: usize) -> Value {
    let message: Vec<u8> = (0..bits / 8).map(|at| (at * 37 + 11) as u8).collect();
    let word = Ldpc::new(bits, checks).encode(&to_bits(&message));
    let travelling: Vec<bool> =
        order(word.len()).into_iter().map(|at| word[usize::from(at)]).collect();
    json!({
        "bits": bits, "checks": checks, "message": hex(&message),
        "travelling": hex(&to_bytes(&travelling)),
    })
}

fn head() -> Value {
    let head: [u8; 64] = std::array::from_fn(|at| (at * 5 + 1) as u8);
    let bits = HeadBits::new(&head);
    let slot = |class: u64| {
        let bits: Vec<bool> = (0..HEAD_SLOT_BITS).map(|at| bits.bit(class, at)).collect();
        hex(&to_bytes(&bits))
    };
    json!({ "head": hex(&head), "slots": (0..CYCLE).map(slot).collect::<Vec<_>>() })
}

fn packet() -> Value {
    let body: Vec<u8> = (0..300_u32).map(|at| (at * 3 % 256) as u8).collect();
    let bits = Packets::new(body.clone()).bits(&key(0x22), 1);
    json!({
        "body_key": hex(&[0x22; 32]), "body": hex(&body), "number": 1,
        "packet": hex(&to_bytes(&bits)),
    })
}

fn lattice(value: f32, dither: u8, mask: bool, bit: bool, step: f32) -> Value {
    let place = Place { carrier: 0, dither, mask };
    let moved = value + to_lattice(value, place.dither_of(bit), step);
    json!({ "value": value, "dither": dither, "mask": u8::from(mask), "bit": u8::from(bit), "step": step, "moved": moved })
}

fn make() -> Value {
    json!({
        "about": "Robust mode of hidden messages: docs/format/stego.md, Robust. Numbers and hex; bits are the lowest of a byte first.",
        "slots": [slot(Profile::Fine, 0, 0), slot(Profile::Medium, 200, 35), slot(Profile::Coarse, 255, 1_000_000)],
        "codes": [code(512, 2048), code(2080, 2800), code(2080, 693)],
        "heads": [head()],
        "packets": [packet()],
        "lattices": [
            lattice(3.0, 0, false, false, 8.0), lattice(3.0, 0, false, true, 8.0),
            lattice(3.0, 0, true, true, 8.0), lattice(-41.5, 129, false, false, 10.0),
            lattice(-41.5, 129, true, false, 10.0),
        ],
    })
}

#[test]
fn places_lattices_and_codes_are_as_published() {
    let published: Value =
        serde_json::from_str(include_str!("../../../../vectors/robust.json")).unwrap();
    let made = make();
    assert!(
        published == made,
        "what is made now:\n{}",
        serde_json::to_string_pretty(&made).unwrap()
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/robust.py");
    let computed = veil_testkit::oracle(&script, &published);
    let count = |name: &str| published[name].as_array().unwrap().len();
    for name in ["slots", "codes", "heads", "packets", "lattices"] {
        assert_eq!(computed[name], count(name), "{name}");
    }
}
