//! A large object whose copy was interrupted: it goes on with the parts that arrived, and with no others.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use veil_testkit::{Fault, Trouble, files_below};

use crate::street::{Street, contents};

const MIB: u64 = 1 << 20;
/// Of the large object, and how many parts of 8 MiB that are.
const SIZE: u32 = 44;
const PARTS: usize = 6;

/// A street whose title has a large object, of which so many parts have arrived in the store when the copy was killed.
fn interrupted(arrived: usize) -> (Street, String) {
    let street = Street::new();
    street.add_large_object(SIZE);
    let line = format!("publish Film --to {}", street.server.url_below("films"));
    let slow = Fault::new(Trouble::Slow(Duration::from_secs(60))).on("PUT").at("ffff");
    street.server.fault(slow.after(arrived));
    let mut killed = street.start(&line);
    while street.server.unfinished_parts() < arrived {
        assert!(killed.try_wait().unwrap().is_none(), "{}", killed.stderr());
        sleep(Duration::from_millis(10));
    }
    killed.kill().unwrap();
    street.server.heal();
    street.server.forget_seen();
    (street, line)
}

/// The command again: the copy is whole then, and nothing half is left. Returns how many parts were sent.
fn check_goes_on(street: &Street, line: &str) -> (usize, Value) {
    street.server.forget_seen();
    let done = street.ok(line);
    assert!(street.server.unfinished().is_empty());
    assert_eq!(contents(&street.server.folder().join("films")), contents(&street.house.bucket()));
    let seen = street.server.seen();
    let sent = seen.iter().filter(|line| line.starts_with("PUT") && line.contains("ffff"));
    (sent.count(), done)
}

#[test]
fn only_what_has_not_arrived_is_sent() {
    let (street, line) = interrupted(5);
    let (sent, done) = check_goes_on(&street, &line);
    assert_eq!(sent, PARTS - 5);
    let small: u64 = done["bytes"].as_u64().unwrap() - u64::from(SIZE) * (MIB + 4);
    // Whichever part it was that had not arrived: none is larger than 8 MiB.
    let most = small + 8 * MIB;
    assert!(done["copied_bytes"].as_u64().unwrap() <= most, "{done}, at most {most}");
    // Its fingerprint is noted as any other's is: nothing is sent again.
    assert_eq!(check_goes_on(&street, &line).1["copied_bytes"], 0);
}

#[test]
fn a_part_that_was_damaged_in_the_store_is_sent_again() {
    let (street, line) = interrupted(4);
    let is_second = |file: &PathBuf| file.to_string_lossy().ends_with(".part-2");
    let part = files_below(street.server.root()).unwrap().into_iter().find(is_second).unwrap();
    let mut bytes = fs::read(&part).unwrap();
    bytes[77] ^= 1;
    fs::write(&part, bytes).unwrap();
    assert_eq!(check_goes_on(&street, &line).0, PARTS - 3);
}

#[test]
fn a_store_that_fails_keeps_what_it_has_and_a_removal_takes_it_back() {
    let street = Street::new();
    street.add_large_object(SIZE);
    let line = format!("publish Film --to {}", street.server.url_below("films"));
    street.server.fault(Fault::new(Trouble::Answer(403)).on("POST").at("uploadId=").times(1));
    assert!(street.fails(&line).contains("AccessDenied"));
    assert_eq!(street.server.unfinished_parts(), PARTS);
    assert_eq!(check_goes_on(&street, &line).0, 0);

    let (street, _) = interrupted(2);
    street.ok(&format!("unpublish Film --from {}", street.server.url_below("films")));
    assert!(street.server.unfinished().is_empty());
}

#[test]
fn a_store_that_does_not_tell_its_parts_gets_all_of_them() {
    for what in ["uploadId=", "?uploads"] {
        let (street, line) = interrupted(3);
        street.server.fault(Fault::new(Trouble::Answer(403)).on("GET").at(what));
        street.ok(&line);
        let folder = street.server.folder().join("films");
        assert_eq!(contents(&folder), contents(&street.house.bucket()), "{what}");
    }
}

#[test]
fn parts_that_a_store_does_not_put_together_are_told_and_sent_anew() {
    let (street, line) = interrupted(3);
    street.server.fault(Fault::new(Trouble::Answer(403)).on("POST").at("uploadId=").times(1));
    let error = street.fails(&line);
    assert!(error.contains("cannot be written") && error.contains("AccessDenied"), "{error}");
    assert_eq!(check_goes_on(&street, &line).0, PARTS);

    let (street, line) = interrupted(3);
    street.server.fault(Fault::new(Trouble::Answer(503)).on("POST").at("uploadId=").times(1));
    street.fails(&line);
    assert_eq!(check_goes_on(&street, &line).0, 0, "a store that is away keeps its parts");
}
