//! `veilcast recipients` and `rekey`: who can open a file, changed without harm to it.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, symlink};

use crate::desk::{Desk, content, key_id};

const BODY: usize = 8192;

fn ids(desk: &Desk, file: &str, key: &str) -> Vec<String> {
    let answer = desk.answer(&format!("recipients list -i {key}.key {file}"));
    let rows = answer["recipients"].as_array().unwrap();
    rows.iter().map(|row| row["key_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn recipients_come_and_go_in_place() {
    let desk = Desk::of(&["alice", "bob", "carol"]);
    desk.sealed("x.veil", &["alice"], None, &content(50_000));
    let (before, inode) = (desk.read("x.veil"), fs::metadata(desk.path("x.veil")).unwrap().ino());
    desk.fails("open -i bob.key x.veil", "was not sealed for this identity", "");
    let added = desk.answer("recipients add x.veil -i alice.key -r bob.pub -R carol.pub");
    assert_eq!((&added["recipients"], &added["added"][0]), (&3.into(), &key_id("bob").into()));
    assert_eq!(ids(&desk, "x.veil", "bob"), ["alice", "bob", "carol"].map(key_id));
    let removed = desk.answer("recipients remove x.veil -i bob.key alice.pub");
    assert_eq!(removed["removed"][0], key_id("alice"));
    desk.fails("open -i alice.key x.veil", "was not sealed for this identity", "");
    for name in ["bob", "carol"] {
        assert!(desk.ok(&format!("open -i {name}.key x.veil")) == content(50_000), "{name}");
    }
    let after = desk.read("x.veil");
    assert!(after[BODY..] == before[BODY..], "the body is as it was");
    assert_eq!(after.len(), before.len());
    assert_eq!(fs::metadata(desk.path("x.veil")).unwrap().ino(), inode, "it is the same file");
    assert_eq!(desk.names().len(), 7, "nothing is left beside it");
}

#[test]
fn whom_to_remove_is_named_by_recipient_file_or_key_id() {
    let desk = Desk::of(&["alice", "bob"]);
    let check = |named: &str| {
        desk.sealed("x.veil", &["alice", "bob"], None, b"rushes");
        desk.sh(&format!("veilcast recipients remove x.veil -i alice.key {named}"));
        assert_eq!(ids(&desk, "x.veil", "alice"), [key_id("alice")], "{named}");
    };
    check("bob.pub");
    check("\"$(cat bob.pub)\"");
    check(&key_id("bob"));
    check(&key_id("bob")[..8]);
    check(&key_id("bob").to_uppercase());
    desk.sealed("x.veil", &["alice", "bob"], None, b"rushes");
    let fails = |named: &str, message: &str, hint: &str| {
        let line = format!("recipients remove x.veil -i alice.key {named}");
        desk.fails(&line, message, hint);
    };
    fails(&key_id("bob")[..7], "too short for a key id", "first 8 digits");
    fails("00000000", "00000000 is no recipient of x.veil", "recipients list");
    desk.write("carol.pub", crate::desk::recipient("carol").to_string().as_bytes());
    fails("carol.pub", &format!("{} is no recipient", key_id("carol")), "recipients list");
    fails("bob", "neither a recipient nor a file", "");
    assert_eq!(ids(&desk, "x.veil", "alice").len(), 2, "nothing was removed");
}

#[test]
fn nobody_locks_themselves_or_everybody_out_by_mistake() {
    let desk = Desk::of(&["alice", "bob"]);
    desk.sealed("x.veil", &["alice", "bob"], None, b"rushes");
    let me = "recipients remove x.veil -i alice.key alice.pub";
    desk.fails(me, "you could not open the file any more yourself", "--yes");
    let all = format!("{me} bob.pub --yes");
    desk.fails(&all, "nobody could open the file any more", "delete the file");
    desk.ok(&format!("{me} --yes"));
    assert_eq!(ids(&desk, "x.veil", "bob"), [key_id("bob")]);
    desk.sealed("y.veil", &["alice", "bob"], None, b"rushes");
    desk.ok("recipients remove y.veil -i alice.key -i bob.key alice.pub");
}

#[test]
fn a_passphrase_comes_changes_and_goes() {
    let desk = Desk::of(&["alice"]);
    for word in ["one", "two"] {
        desk.write_secret(word, word.as_bytes());
    }
    desk.sealed("x.veil", &["alice"], None, b"rushes");
    desk.fails(
        "recipients remove x.veil -i alice.key --passphrase",
        "x.veil has no passphrase",
        "",
    );
    desk.ok("recipients add x.veil -i alice.key --new-passphrase-file one");
    assert_eq!(desk.ok("open --passphrase-file one x.veil"), b"rushes");
    desk.ok("recipients add x.veil --passphrase-file one --new-passphrase-file two");
    desk.fails("open --passphrase-file one x.veil", "the passphrase does not open", "");
    assert_eq!(desk.ok("open --passphrase-file two x.veil"), b"rushes");
    let gone = "recipients remove x.veil --passphrase --passphrase-file two";
    desk.fails(gone, "you could not open the file any more yourself", "--yes");
    desk.ok("recipients remove x.veil -i alice.key --passphrase");
    assert_eq!(desk.answer("inspect x.veil")["passphrase"], serde_json::Value::Null);
}

#[test]
fn a_keyring_that_is_full_moves_into_a_larger_file() {
    let desk = Desk::of(&["alice", "bob", "carol", "dave"]);
    desk.sealed("x.veil", &["alice", "bob", "carol"], None, &content(200_000));
    desk.set_mode("x.veil", 0o640);
    let before = desk.read("x.veil");
    symlink("x.veil", desk.path("link")).unwrap();
    desk.ok("recipients add link -i alice.key -r dave.pub");
    let after = desk.read("x.veil");
    assert_eq!(after.len(), before.len() + BODY);
    assert!(after[2 * BODY..] == before[BODY..], "the body is as it was");
    assert!(desk.path("link").is_symlink());
    assert_eq!(desk.mode("x.veil"), 0o640);
    assert!(desk.ok("open -i dave.key x.veil") == content(200_000));
    assert_eq!(desk.names().len(), 10, "nothing is left beside it");
}

#[test]
fn a_file_with_other_names_is_changed_in_place_or_not_at_all() {
    let desk = Desk::of(&["alice", "bob", "carol", "dave"]);
    desk.sealed("x.veil", &["alice", "bob"], None, b"rushes");
    fs::hard_link(desk.path("x.veil"), desk.path("y.veil")).unwrap();
    desk.ok("recipients add x.veil -i alice.key -r carol.pub");
    assert_eq!(desk.ok("open -i carol.key y.veil"), b"rushes");
    for line in [
        "recipients add x.veil -i alice.key -r dave.pub",
        "rekey x.veil -i alice.key --drop-others",
    ] {
        desk.fails(line, "has 2 names (hard links)", "change the copy");
    }
    assert_eq!(ids(&desk, "x.veil", "alice").len(), 3);
}

#[test]
fn two_commands_never_change_a_file_at_once() {
    let desk = Desk::of(&["alice", "bob"]);
    desk.sealed("x.veil", &["alice"], None, b"rushes");
    let held = File::open(desk.path("x.veil")).unwrap();
    held.lock().unwrap();
    for line in ["recipients add x.veil -i alice.key -r bob.pub", "rekey x.veil -i alice.key"] {
        desk.fails(line, "another command is changing x.veil", "try again");
    }
    assert_eq!(desk.ok("open -i alice.key x.veil"), b"rushes", "reading needs no lock");
    held.unlock().unwrap();
    desk.ok("recipients add x.veil -i alice.key -r bob.pub");
}

#[test]
fn what_cannot_be_changed_is_named() {
    let desk = Desk::of(&["alice", "bob"]);
    desk.sealed("x.veil", &["alice"], None, b"rushes");
    desk.fails("recipients add x.veil -i bob.key -r bob.pub", "was not sealed for this", "");
    desk.fails("recipients add x.veil -i alice.key", "there is nobody to add", "-r");
    desk.fails("rekey missing.veil", "cannot read missing.veil", "");
    let url = "recipients add http://127.0.0.1:1/x.veil -r bob.pub";
    desk.fails(url, "only a file on this machine", "download it first");
    desk.fails("recipients add alice.pub -i alice.key -r bob.pub", "not a sealed file", "");
}

#[test]
fn a_rekeyed_file_has_another_key_for_the_same_people() {
    let desk = Desk::of(&["alice", "bob", "carol"]);
    let whole = content(100_000);
    desk.sealed("x.veil", &["alice", "bob"], None, &whole);
    desk.set_mode("x.veil", 0o640);
    let before = desk.read("x.veil");
    let nobody = "rekey x.veil -i alice.key";
    desk.fails(nobody, &format!("not named: {}", key_id("bob")), "--drop-others");
    assert!(desk.read("x.veil") == before);
    let answer = desk.answer("rekey x.veil -i alice.key -r bob.pub");
    assert_eq!(
        (&answer["recipients"], answer["dropped"].as_array().unwrap().len()),
        (&2.into(), 0)
    );
    let after = desk.read("x.veil");
    assert!(after[BODY..] != before[BODY..] && after.len() == before.len());
    assert_eq!(desk.mode("x.veil"), 0o640);
    for name in ["alice", "bob"] {
        assert!(desk.ok(&format!("open -i {name}.key x.veil")) == whole, "{name}");
    }
    // The old keyring opens nothing of the new body.
    desk.write("mixed.veil", &[&before[..BODY], &after[BODY..]].concat());
    desk.fails("open -i alice.key mixed.veil", "belongs to another keyring", "another copy");
    desk.ok("rekey x.veil -i alice.key -r carol.pub --drop-others");
    assert_eq!(ids(&desk, "x.veil", "carol"), ["carol", "alice"].map(key_id));
    assert_eq!(desk.names().len(), 8, "nothing is left beside it");
}

#[test]
fn a_rekeyed_file_keeps_its_passphrase_only_if_it_is_known() {
    let desk = Desk::of(&["alice"]);
    for word in ["one", "two"] {
        desk.write_secret(word, word.as_bytes());
    }
    desk.sealed("x.veil", &["alice"], Some("one"), b"rushes");
    desk.fails("rekey x.veil -i alice.key", "not named: the passphrase", "--passphrase");
    desk.ok("rekey x.veil -i alice.key --new-passphrase-file two");
    assert_eq!(desk.ok("open --passphrase-file two x.veil"), b"rushes");
    desk.sealed("y.veil", &[], Some("one"), b"rushes");
    desk.ok("rekey y.veil --passphrase-file one");
    assert_eq!(desk.ok("open --passphrase-file one y.veil"), b"rushes");
    let dropped = desk.answer("rekey y.veil --passphrase-file one -r alice.pub --drop-others");
    assert_eq!(dropped["dropped"][0], "the passphrase");
    assert_eq!(desk.answer("inspect y.veil")["passphrase"], serde_json::Value::Null);
    assert_eq!(desk.ok("open -i alice.key y.veil"), b"rushes");
}

#[test]
fn a_damaged_file_is_not_rekeyed() {
    let desk = Desk::of(&["alice"]);
    desk.sealed("x.veil", &["alice"], None, &content(200_000));
    let mut damaged = desk.read("x.veil");
    damaged[100_000] ^= 1;
    desk.write("x.veil", &damaged);
    desk.fails("rekey x.veil -i alice.key", "was changed or damaged: chunk 5", "another copy");
    assert!(desk.read("x.veil") == damaged);
    assert_eq!(desk.names(), ["alice.key", "alice.pub", "x.veil"]);
}
