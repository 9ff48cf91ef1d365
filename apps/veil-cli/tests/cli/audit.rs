//! `veilcast audit`: a trail that holds, and one that somebody has changed.

use std::fs;

use serde_json::json;

use crate::house::House;

#[test]
fn what_commands_do_is_in_the_trail_and_a_forged_trail_fails() {
    let house = House::with_title("Screener");
    let shared = house.ok(["share", "Screener", "--label", "for Ann"]);
    let head = house.ok(["audit"])["head"].as_str().unwrap().to_owned();
    house.ok(["revoke", shared["grant"].as_str().unwrap()]);
    house.ok(["revoke", shared["grant"].as_str().unwrap()]);
    let answer = house.ok(["audit", "--expect", &head]);
    let trail = answer["trail"].as_array().unwrap();
    let told: Vec<(&str, &str)> = trail
        .iter()
        .map(|entry| (entry["actor"].as_str().unwrap(), entry["action"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [("studio", "identity"), ("cli", "title-key"), ("cli", "share"), ("cli", "revoke")]
    );
    assert_eq!(trail[2]["subject"], shared["grant"]);
    assert_eq!(answer["entries"], json!(4));
    // Nobody's secret is in it.
    let link = shared["link"].as_str().unwrap();
    assert!(!answer.to_string().contains(link.split('#').nth(1).unwrap()));
    let other = "00".repeat(32);
    let error = house.fails(["audit", "--expect", &other]);
    assert!(error.contains("does not have the hash"), "{error}");
    forge(&house);
    let error = house.fails(["audit"]);
    assert!(error.contains("broken at entry 3: 2 of 4 entries hold"), "{error}");
}

/// Puts another label's grant into the file, as somebody with an editor would.
fn forge(house: &House) {
    let path = house.data().join("catalogue.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    let at = find(&bytes, b"\"kind\":\"link\"").unwrap();
    bytes[at + 8..at + 12].copy_from_slice(b"LINK");
    fs::write(&path, bytes).unwrap();
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
