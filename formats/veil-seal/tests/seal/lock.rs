//! The hash lock: `docs/format/LOCK` holds the SHA-256 of every format page and every vector file.
//!
//! Vectors hold the code to themselves; the lock holds the text to the vectors, and both to a
//! decision: nothing changes in passing. `VEILCAST_WRITE_LOCK=1` writes it anew, in the form that
//! `sha256sum -c docs/format/LOCK` checks as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::vectors::hex;

const LOCK: &str = "docs/format/LOCK";

/// Pages that a command writes: they tell what was measured, and bind nobody.
const MEASURED: [&str; 2] = ["mark-attacks.md", "stego-attacks.md"];

/// Folders, and what is locked in them.
const LOCKED: [(&str, &str); 2] = [("docs/format", "md"), ("vectors", "json")];

const WHAT_TO_DO: &str = "A page and its vectors are what code is written against. If this change is wanted: bring \
    page, vectors, Rust and TypeScript into line (what is stored already must stay readable, or gets a new version \
    label), then write the lock anew and commit it with them:\n\n    \
    VEILCAST_WRITE_LOCK=1 cargo test -p veil-seal --test seal lock\n";

/// Hashes by path from the root.
type Hashes = BTreeMap<String, String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn hashes() -> Hashes {
    let mut hashes = Hashes::new();
    for (folder, extension) in LOCKED {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|found| found == extension) {
                let name = path.file_name().unwrap().to_str().unwrap();
                if MEASURED.contains(&name) {
                    continue;
                }
                let hash = hex(&Sha256::digest(std::fs::read(&path).unwrap()));
                hashes.insert(format!("{folder}/{name}"), hash);
            }
        }
    }
    hashes
}

fn write(hashes: &Hashes) -> String {
    hashes.iter().fold(String::new(), |mut text, (path, hash)| {
        writeln!(text, "{hash}  {path}").unwrap();
        text
    })
}

fn read(text: &str) -> Hashes {
    let entries = text.lines().filter_map(|line| line.split_once("  "));
    entries.map(|(hash, path)| (path.to_owned(), hash.to_owned())).collect()
}

/// What the lock and the files don't agree on, a line each.
fn differences(locked: &Hashes, found: &Hashes) -> Vec<String> {
    let gone = locked.keys().filter(|path| !found.contains_key(*path));
    let gone = gone.map(|path| format!("{path} is in {LOCK}, and not there"));
    let other = found.iter().filter_map(|(path, hash)| match locked.get(path) {
        None => Some(format!("{path} is not in {LOCK}")),
        Some(locked) if locked != hash => Some(format!("{path} is not what {LOCK} says")),
        Some(_) => None,
    });
    gone.chain(other).collect()
}

#[test]
fn pages_and_vectors_are_as_they_were_locked() {
    let (path, found) = (root().join(LOCK), hashes());
    if std::env::var_os("VEILCAST_WRITE_LOCK").is_some() {
        std::fs::write(&path, write(&found)).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let differences = differences(&read(&text), &found);
    assert!(differences.is_empty(), "{}\n\n{WHAT_TO_DO}", differences.join("\n"));
    assert_eq!(text, write(&found), "{LOCK} is in order and has no other line");
    for (folder, _) in LOCKED {
        assert!(found.keys().filter(|path| path.starts_with(folder)).count() > 5, "{folder}");
    }
}

#[test]
fn whatever_differs_from_the_lock_is_named() {
    let of = |entries: &[(&str, &str)]| -> Hashes {
        entries.iter().map(|(path, hash)| ((*path).to_owned(), (*hash).to_owned())).collect()
    };
    let locked = of(&[("a.md", "1"), ("b.md", "2"), ("c.json", "3")]);
    assert!(differences(&locked, &read(&write(&locked))).is_empty());
    let found = of(&[("a.md", "1"), ("c.json", "4"), ("d.json", "5")]);
    let expected = [
        "b.md is in docs/format/LOCK, and not there",
        "c.json is not what docs/format/LOCK says",
        "d.json is not in docs/format/LOCK",
    ];
    assert_eq!(differences(&locked, &found), expected);
}
