//! Every target for some seconds: its seeds, and seeds with up to eight edits.
//!
//! The edits are proptest's, from a fixed state: a run repeats the one before, and a failure is shrunk to
//! the fewest edits. libFuzzer looks for what this does not find (fuzz/README.md).

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use veil_fuzz::{TARGETS, Target, find};

/// One edit of an input.
#[derive(Clone, Debug)]
enum Edit {
    Flip(Index, u8),
    Set(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, usize),
    /// Goes on with another seed from this place on.
    Splice(Index, Index),
}

/// Pieces of JSON, Bech32, base64, playlists and URLs at which readers stumble.
const WORDS: [&str; 36] = [
    "",
    "0",
    "-1",
    "1e999",
    "18446744073709551616",
    "null",
    "true",
    "[",
    "[[[[[[[[",
    "{",
    "{}",
    "}",
    "\"",
    "\\u0000",
    "\\ud800",
    "\"v\":2,",
    "\"title\":\"\",",
    "\u{0}",
    "\u{feff}",
    "\r\n",
    "#",
    "1",
    "=",
    "AGE-SECRET-KEY-PQ-1",
    "\n",
    "/",
    "..",
    "%2e",
    "%2F",
    "{$x}",
    "URI=\"",
    "#EXT-X-MAP:",
    "#EXT-X-DEFINE:NAME=\"veil-base\"",
    "#EXT-X-VERSION:9\n",
    "&",
    "X-Amz-Expires=1",
];

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    let length: Range<usize> = 1..70;
    prop_oneof![
        4 => (at(), 0..8u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        1 => at().prop_map(Edit::Cut),
        2 => (at(), length.clone()).prop_map(|(at, length)| Edit::Remove(at, length)),
        2 => (at(), vec(any::<u8>(), length.clone())).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        3 => (at(), select(&WORDS[..])).prop_map(|(at, word)| Edit::Insert(at, word.into())),
        2 => (at(), length).prop_map(|(at, length)| Edit::Repeat(at, length)),
        2 => (at(), at()).prop_map(|(at, other)| Edit::Splice(at, other)),
    ]
}

fn apply(edit: &Edit, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let place = |at: &Index| at.index(bytes.len() + 1);
    let end = |start: usize, length: usize| bytes.len().min(start + length);
    match edit {
        Edit::Flip(at, bit) => {
            let at = place(at);
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
        }
        Edit::Set(at, value) => {
            let at = place(at);
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = *value);
        }
        Edit::Cut(at) => bytes.truncate(place(at)),
        Edit::Remove(at, length) => drop(bytes.drain(place(at)..end(place(at), *length))),
        Edit::Insert(at, inserted) => {
            let at = place(at);
            drop(bytes.splice(at..at, inserted.iter().copied()));
        }
        Edit::Repeat(at, length) => bytes.extend_from_within(place(at)..end(place(at), *length)),
        Edit::Splice(at, other) => {
            let at = place(at);
            let other = other.get(seeds);
            bytes.truncate(at);
            bytes.extend_from_slice(other.get(at..).unwrap_or_default());
        }
    }
}

#[expect(clippy::panic, reason = "a broken promise is told by its target and its input")]
fn check(target: &Target) {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|seed| (target.run)(seed));
    (target.run)(b"");
    let cases = target.smoke_inputs;
    let config = ProptestConfig { cases, failure_persistence: None, ..Default::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let edited = TestRunner::new_with_rng(config, rng).run(
        &(any::<Index>(), vec(edit(), 1..8)),
        |(seed, edits)| {
            let mut bytes = seed.get(&seeds).clone();
            edits.iter().for_each(|edit| apply(edit, &mut bytes, &seeds));
            (target.run)(&bytes);
            Ok(())
        },
    );
    edited.unwrap_or_else(|error| panic!("{}: {error}", target.name));
}

#[test]
fn every_target_keeps_its_promises_for_seconds() {
    std::thread::scope(|scope| {
        for target in TARGETS {
            scope.spawn(|| check(target));
        }
    });
}

#[test]
fn every_target_is_found_by_its_name() {
    for known in TARGETS {
        assert!(std::ptr::fn_addr_eq(find(known.name).unwrap().run, known.run));
    }
    assert!(find("no-such-target").is_none());
}
