//! `vectors/mark.json`: templates, rows, patterns and codewords of marks. `tests/oracles/mark.py` computes them from
//! `docs/format/mark.md` alone.
//!
//! A failure prints what is made now; a changed vector is a changed format.

use std::path::Path;

use serde_json::{Value, json};

use super::rows::rows;
use super::template::{Template, draw};
use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bits as bytes, the lowest first.
fn packed(bits: impl Iterator<Item = bool>) -> String {
    let bits: Vec<bool> = bits.collect();
    let byte = |eight: &[bool]| {
        eight.iter().enumerate().fold(0_u8, |byte, (at, bit)| byte | u8::from(*bit) << at)
    };
    hex(&bits.chunks(8).map(byte).collect::<Vec<_>>())
}

fn title(number: u8, decoy: u64) -> Value {
    let bytes = [number; 32];
    let key = TracingKey::new(bytes);
    let template = Template::new(key.streams(), decoy);
    let odds = |slot: u32| {
        let odds = key.odds(slot);
        json!([slot, odds.one, u8::from(odds.first)])
    };
    let slots = [0, 1, 2, 3, 255, 256, 65_535].map(odds);
    json!({
        "key": hex(&bytes), "template": decoy,
        "up": packed(template.cells().iter().map(|cell| *cell > 0.0)),
        "rows": rows(key.streams(), 120),
        "slots": slots,
    })
}

fn codeword(number: u8, viewer: [u8; 16]) -> Value {
    let bytes = [number; 32];
    let key = TracingKey::new(bytes);
    let second = key.labels(&viewer, 256).into_iter().map(|label| label == Label::Second);
    json!({ "key": hex(&bytes), "viewer": hex(&viewer), "slots": 256, "variant_2": packed(second) })
}

/// Some samples of a slot's pattern, in thousandths.
fn pattern(number: u8, row: u8, (width, height): (usize, usize)) -> Value {
    let bytes = [number; 32];
    let template = Template::new(TracingKey::new(bytes).streams(), 0);
    let mut samples = Vec::new();
    draw(&template.signed(row), width, height, |line| samples.extend_from_slice(line));
    let sample = |at: usize| {
        let place = at * 7_919 % samples.len();
        json!([place % width, place / width, (samples[place] * 1000.0).round() as i64])
    };
    json!({
        "key": hex(&bytes), "row": row, "width": width, "height": height,
        "samples": (0..24).map(sample).collect::<Vec<_>>(),
    })
}

fn make() -> Value {
    json!({
        "about": "Forensic marks: docs/format/mark.md. Numbers and hex; bits are the lowest of a byte first, cells and slots in order. \
            Samples of patterns are x, y and thousandths.",
        "titles": [title(0x11, 0), title(0x11, 24), title(0xa7, 0)],
        "codewords": [
            codeword(0x11, [0; 16]), codeword(0x11, [0xfe; 16]),
            codeword(0xa7, std::array::from_fn(|at| at as u8)),
        ],
        "patterns": [pattern(0x11, 1, (1280, 720)), pattern(0x11, 63, (639, 361)), pattern(0xa7, 22, (40, 30))],
    })
}

#[test]
fn templates_rows_and_codewords_are_as_published() {
    let published: Value =
        serde_json::from_str(include_str!("../../../../vectors/mark.json")).unwrap();
    let made = make();
    assert!(
        published == made,
        "what is made now:\n{}",
        serde_json::to_string_pretty(&made).unwrap()
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/mark.py");
    let computed = veil_testkit::oracle(&script, &published);
    let count = |name: &str| published[name].as_array().unwrap().len();
    for name in ["titles", "codewords", "patterns"] {
        assert_eq!(computed[name], count(name), "{name}");
    }
}
