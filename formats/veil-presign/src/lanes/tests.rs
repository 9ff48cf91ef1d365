//! Every way to hash, held against `sha2`: numbers of messages, block borders, holes of every size.

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::sha::{Midstate, hmac_midstates};

/// The ways that this processor has; those that it lacks are named in the test's output.
fn ways() -> Vec<Lanes> {
    let (found, lacking): (Vec<_>, Vec<_>) = Lanes::NAMES
        .into_iter()
        .map(|name| (name, Lanes::named(name)))
        .partition(|w| w.1.is_some());
    for (name, _) in lacking {
        #[allow(clippy::print_stderr, reason = "a test that can't run says so")]
        {
            eprintln!("this processor lacks `{name}`: not tested here");
        }
    }
    found.into_iter().filter_map(|(_, way)| way).collect()
}

fn fillings(count: usize, size: usize) -> Vec<Vec<u8>> {
    let byte = |message: usize, at: usize| u8::try_from((message * 31 + at * 7 + 1) % 256);
    (0..count).map(|m| (0..size).map(|at| byte(m, at).unwrap()).collect()).collect()
}

/// Holds every way against `sha2` for messages of `head`, a filling each, and `tail`.
fn check(head: &[u8], fillings: &[Vec<u8>], tail: &[u8]) {
    let size = fillings.first().map_or(0, Vec::len);
    let form = Form::new(&Midstate::new(), head, size, tail);
    let expected: Vec<Digest> = fillings
        .iter()
        .map(|filling| Sha256::digest([head, filling, tail].concat()).into())
        .collect();
    for lanes in ways() {
        let shape = (lanes.name(), head.len(), size, tail.len(), fillings.len());
        assert!(lanes.hash(&form, fillings) == expected, "{shape:?}");
    }
}

#[test]
fn every_number_of_messages_up_to_three_full_turns_is_hashed() {
    for count in 0..=49 {
        check(b"GET\n/a/", &fillings(count, 13), &[b't'; 300]);
    }
}

#[test]
fn every_place_of_a_hole_around_a_block_border_is_hashed() {
    for head in 0..=66 {
        for size in [0, 1, 7, 8, 9, 31, 32, 54, 55, 56, 57, 63, 64, 65, 120, 128] {
            check(&vec![b'h'; head], &fillings(5, size), b"");
            check(&vec![b'h'; head], &fillings(5, size), b"tail");
        }
    }
}

#[test]
fn every_length_of_the_tail_around_a_block_border_is_hashed() {
    for tail in 0..=130 {
        check(b"head", &fillings(5, 32), &vec![b't'; tail]);
    }
}

#[test]
fn a_form_goes_on_from_a_keyed_state() {
    let key = [7; 32];
    let (inner, outer) = hmac_midstates(&key);
    let texts = fillings(17, 64);
    for prefix in [&b""[..], b"AWS4-HMAC-SHA256\n", &[b'p'; 64], &[b'p'; 69]] {
        let first = Form::new(&inner, prefix, 64, b"");
        let last = Form::new(&outer, b"", 32, b"");
        for lanes in ways() {
            let signed = lanes.hash(&last, &lanes.hash(&first, &texts));
            for (text, signed) in texts.iter().zip(signed) {
                use hmac::{Hmac, KeyInit as _, Mac as _};
                let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
                mac.update(prefix);
                mac.update(text);
                mac.verify_slice(&signed).unwrap();
            }
        }
    }
}

#[test]
fn every_way_writes_the_same_hex() {
    for count in 0..40 {
        let digests: Vec<Digest> =
            fillings(count, 32).into_iter().map(|bytes| bytes.try_into().unwrap()).collect();
        let expected: Vec<Hex> = digests.iter().map(sha::hex).collect();
        for lanes in ways() {
            assert!(lanes.hex(&digests) == expected, "{} {count}", lanes.name());
        }
    }
}

#[test]
fn the_fastest_way_is_the_first_that_there_is() {
    assert_eq!(Some(&Lanes::detect()), ways().first());
    assert_eq!(Lanes::named("neon"), None);
    for lanes in ways() {
        assert_eq!(Lanes::named(lanes.name()), Some(lanes));
    }
}

proptest! {
    #[test]
    fn any_form_is_hashed_as_sha2_does(
        head in proptest::collection::vec(any::<u8>(), 0..300),
        size in 0..300usize,
        tail in proptest::collection::vec(any::<u8>(), 0..300),
        seeds in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let fillings: Vec<Vec<u8>> = seeds.into_iter().map(|seed| vec![seed; size]).collect();
        check(&head, &fillings, &tail);
    }
}
