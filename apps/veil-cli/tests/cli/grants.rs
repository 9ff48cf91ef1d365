//! Sharing, revoking and removing, and the records that they leave in the bucket.

use std::fs;

use serde_json::Value;
use veil_seal::grant::{GrantBinding, GrantRecord, GrantState, open_payload};
use veil_seal::identity::Identity;
use veil_seal::link::LinkSecret;
use veil_seal::secret::Secret;
use veil_testkit::run;

use crate::house::{House, LIMIT};

fn record(house: &House, grant: &Value) -> GrantRecord {
    let path = house.bucket().join("g").join(grant.as_str().unwrap());
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Opens a grant as its viewer does.
fn opens(record: &GrantRecord, identity: &Identity) -> bool {
    let binding = GrantBinding {
        grant: record.id.parse().unwrap(),
        title: record.title.parse().unwrap(),
        epoch: record.epoch,
        recipient: identity.recipient().key_id(),
    };
    let envelope = record.envelope_bytes().unwrap();
    let payload = open_payload(identity, &binding, &envelope);
    payload.is_ok_and(|payload| payload.expires == record.expires)
}

pub(crate) fn secret_of(link: &Value) -> LinkSecret {
    LinkSecret::parse(link.as_str().unwrap().split_once('#').unwrap().1).unwrap()
}

#[test]
fn a_link_opens_its_grant_and_no_other() {
    let house = House::with_title("Screener");
    let one = house.ok(["share", "Screener", "--link"]);
    let other = house.ok(["share", "Screener", "--expires", "never"]);
    assert!(one["expires"].is_string());
    assert!(other["expires"].is_null());
    let (one_secret, other_secret) = (secret_of(&one["link"]), secret_of(&other["link"]));
    let one_record = record(&house, &one["grant"]);
    assert!(opens(&one_record, &one_secret.identity()));
    assert!(!opens(&one_record, &other_secret.identity()));
    assert!(opens(&record(&house, &other["grant"]), &other_secret.identity()));
    assert_eq!(one_record.preload.len(), 2, "manifest and poster");
}

#[test]
fn a_title_is_shared_without_the_key_cache_as_well() {
    let house = House::with_title("Screener");
    let by_flag = house.ok(["share", "Screener", "--no-key-cache"]);
    let mut command = house.command(["share", "Screener"]);
    let by_variable = run(command.env("VEILCAST_NO_KEY_CACHE", "1"), LIMIT).unwrap();
    let by_variable: Value = serde_json::from_str(&by_variable.success().unwrap().text()).unwrap();
    for shared in [by_flag, by_variable] {
        let identity = secret_of(&shared["link"]).identity();
        assert!(opens(&record(&house, &shared["grant"]), &identity));
    }
}

#[test]
fn a_recipients_grant_opens_with_their_identity_and_not_with_the_link() {
    let house = House::with_title("Screener");
    let alice = Identity::from_seed(Secret::new([7; 32]));
    let file = house.scratch("alice.txt");
    fs::write(&file, format!("# Alice\n{}\n", alice.recipient())).unwrap();
    let by_file =
        house.ok(["share".as_ref(), "Screener".as_ref(), "--to".as_ref(), file.as_os_str()]);
    let by_key = house.ok(["share", "Screener", "--to", &alice.recipient().to_string()]);
    for shared in [by_file, by_key] {
        assert_eq!(shared["kind"], "recipient");
        let record = record(&house, &shared["grant"]);
        assert!(opens(&record, &alice));
        assert!(!opens(&record, &secret_of(&shared["link"]).identity()));
    }
}

#[test]
fn what_is_no_recipient_is_refused() {
    let house = House::with_title("Screener");
    for to in ["age1pq1nonsense", "/nowhere/alice.txt"] {
        let error = house.fails(["share", "Screener", "--to", to]);
        assert!(error.contains("recipient"), "{error}");
        assert!(error.contains("hint: "), "{error}");
    }
    let x25519 = house.scratch("old.txt");
    let old = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n";
    fs::write(&x25519, old).unwrap();
    let error =
        house.fails(["share".as_ref(), "Screener".as_ref(), "--to".as_ref(), x25519.as_os_str()]);
    assert!(error.contains("is not a post-quantum recipient"), "{error}");
}

#[test]
fn a_revoked_grant_becomes_a_tombstone_and_stays_one() {
    let house = House::with_title("Screener");
    let shared = house.ok(["share", "Screener"]);
    let grant = shared["grant"].as_str().unwrap();
    let first = house.ok(["revoke", grant]);
    let again = house.ok(["revoke", grant]);
    assert_eq!(first["state"], "revoked");
    assert_eq!(first["revoked"], again["revoked"]);
    let record = record(&house, &shared["grant"]);
    assert_eq!(record.state, GrantState::Revoked);
    assert!(record.envelope.is_none() && record.index.is_none() && record.preload.is_empty());
}

#[test]
fn lengths_of_time_are_checked() {
    let house = House::with_title("Screener");
    for expires in ["soon", "0s", "-3d"] {
        let error = house.fails(["share", "Screener", &format!("--expires={expires}")]);
        assert!(error.contains("hint: --expires takes"), "{error}");
    }
}

#[test]
fn removing_a_title_deletes_its_objects_and_revokes_its_grants() {
    let house = House::with_title("Screener");
    let shared = house.ok(["share", "Screener"]);
    house.ok(["remove", "Screener", "--yes"]);
    assert!(house.titles().is_empty());
    assert_eq!(record(&house, &shared["grant"]).state, GrantState::Revoked);
    assert_eq!(house.objects().len(), 1, "only the tombstone is left");
    let error = house.fails(["share", "Screener"]);
    assert!(error.contains("there is no title"), "{error}");
}

#[test]
fn a_link_points_at_the_address_that_was_asked_for() {
    let house = House::with_title("Screener");
    let address = ["--base-url", "https://video.example.org/"];
    let shared = house.ok(["share", "Screener"].into_iter().chain(address));
    assert!(shared["link"].as_str().unwrap().starts_with("https://video.example.org/w/"));
    let default = house.ok(["share", "Screener"]);
    assert!(default["link"].as_str().unwrap().starts_with("http://127.0.0.1:8787/w/"));
}
