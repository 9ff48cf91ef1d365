//! `veilcast open` and `inspect`: ranges, sizes, and what is refused.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use veil_seal::chunks::{CHUNK_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES, chunk_offset};
use veil_seal::file::{BODY_CONTEXT, FileKey, new_header};
use veil_seal::stream::Sealer;

use crate::desk::{Desk, content, key_id, recipient, sealed};

const FRONT: usize = 8192;

#[test]
fn ranges_open_from_files_and_redirections() {
    let desk = Desk::of(&["alice"]);
    let whole = content(200_000);
    desk.sealed("x.veil", &["alice"], None, &whole);
    for (range, first, end) in [
        ("0-0", 0, 1),
        ("0-199999", 0, 200_000),
        ("16383-16384", 16_383, 16_385),
        ("16384-32767", 16_384, 32_768),
        ("100-150000", 100, 150_001),
        ("196608-", 196_608, 200_000),
        ("150000-999999", 150_000, 200_000),
        ("-1", 199_999, 200_000),
        ("-999999", 0, 200_000),
    ] {
        let open = format!("open -i alice.key --range {range}");
        assert!(desk.ok(&format!("{open} x.veil")) == whole[first..end], "{range}");
        let redirected = desk.sh(&format!("veilcast {open} < x.veil"));
        assert!(redirected == whole[first..end], "{range} of standard input");
    }
    let answer = desk.answer("open -i alice.key --range 5-9 -o part x.veil");
    assert_eq!(answer["content_bytes"], 5);
    assert_eq!((desk.read("part"), desk.mode("part")), (whole[5..10].to_vec(), 0o600));
}

#[test]
fn a_range_that_cannot_be_is_refused() {
    let desk = Desk::of(&["alice"]);
    desk.sealed("x.veil", &["alice"], None, &content(100));
    desk.sealed("empty.veil", &["alice"], None, b"");
    let beyond = "open -i alice.key --range 100- -o out x.veil";
    desk.fails(beyond, "the range holds no byte: the content is 100 bytes long", "");
    desk.fails("open -i alice.key --range 0- empty.veil", "is 0 bytes long", "");
    for range in ["9-5", "x", "-", "1-2-3"] {
        let finished = desk.run(&format!("open -i alice.key --range {range} x.veil"));
        assert_eq!(finished.status.code(), Some(2), "{range}");
        assert!(finished.stderr.contains("a range is written A-B"), "{}", finished.stderr);
    }
    let piped = "cat x.veil | veilcast open -i alice.key --range 0-9 2>&1 || true";
    let shown = String::from_utf8(desk.sh(piped)).unwrap();
    assert!(shown.contains("can't be read at any place"), "{shown}");
    assert!(!desk.path("out").exists());
}

#[test]
fn a_range_needs_only_its_chunks_and_the_last() {
    let desk = Desk::of(&["alice"]);
    let whole = content(10 * CHUNK_BYTES);
    desk.sealed("x.veil", &["alice"], None, &whole);
    let mut holes = desk.read("x.veil");
    for chunk in [0, 1, 2, 5, 6, 7, 8, 9] {
        holes[FRONT..][chunk_at(chunk)].fill(0);
    }
    desk.write("holes.veil", &holes);
    let range = desk.ok("open -i alice.key --range 50000-70000 holes.veil");
    assert!(range == whole[50_000..70_001]);
    let other = "open -i alice.key --range 30000-70000 -o out holes.veil";
    desk.fails(other, "chunk 1, from byte 16384", "another --range");
    // Without the last chunk nobody vouches for the length.
    holes.truncate(holes.len() - TAG_BYTES);
    desk.write("holes.veil", &holes);
    desk.fails("open -i alice.key --range 50000-70000 holes.veil", "is truncated", "");
    assert!(!desk.path("out").exists());
}

fn chunk_at(chunk: u64) -> std::ops::Range<usize> {
    let start = usize::try_from(chunk_offset(chunk)).unwrap();
    start..start + SEALED_CHUNK_BYTES
}

/// A sealed file of 4,300 MiB of which a chunk near the end and the last one are there, and the rest is a hole.
fn sparse(desk: &Desk) -> (u64, Vec<u8>) {
    let (chunk, chunks) = (4299 * 64, 4300 * 64);
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let key = FileKey::random(&mut rng);
    let front = new_header(&key, &[recipient("alice")], None, &mut rng).unwrap();
    let mut sealer = Sealer::new(&key.body_key(), BODY_CONTEXT, &[9; 24]);
    let file = File::create(desk.path("x.veil")).unwrap();
    let put = |bytes: &[u8], at: u64| file.write_all_at(bytes, front.len() as u64 + at).unwrap();
    file.write_all_at(&front, 0).unwrap();
    put(&sealer.header(), 0);
    let plaintext = content(CHUNK_BYTES);
    let mut buffer = [plaintext.as_slice(), &[0; TAG_BYTES]].concat();
    drop(sealer.take(usize::try_from(chunk).unwrap()).unwrap());
    sealer.take(1).unwrap().seal(&mut buffer).unwrap();
    put(&buffer, chunk_offset(chunk));
    drop(sealer.take(usize::try_from(chunks - chunk - 1).unwrap()).unwrap());
    let mut last = [b"the end".as_slice(), &[0; TAG_BYTES]].concat();
    let finished = sealer.finish(&mut last).unwrap();
    put(&last, chunk_offset(chunks));
    assert_eq!(finished.plaintext_bytes(), (4300 << 20) + 7);
    (chunk * CHUNK_BYTES as u64, plaintext)
}

#[test]
fn a_file_beyond_4_gib_opens_at_its_end() {
    let desk = Desk::of(&["alice"]);
    let (at, plaintext) = sparse(&desk);
    let range = format!("open -i alice.key --range {}-{} x.veil", at + 5, at + 8004);
    assert!(desk.ok(&range) == plaintext[5..8005]);
    assert_eq!(desk.ok("open -i alice.key --range -3 x.veil"), b"end");
    let report = desk.answer("inspect -i alice.key x.veil");
    assert_eq!(report["content_bytes"], (4300_u64 << 20) + 7);
    assert_eq!(report["verified"], true);
    let before = format!("open -i alice.key --range {}-{at} x.veil", at - 1);
    desk.fails(&before, &format!("chunk {}", at / CHUNK_BYTES as u64 - 1), "");
    desk.fails("open -i alice.key -o out x.veil", "was changed or damaged: chunk", "--range");
}

#[test]
fn more_than_4_gib_go_through_pipes_whole() {
    let desk = Desk::of(&["alice"]);
    desk.sh("truncate -s 4300M in");
    let counted = desk.sh("veilcast seal -r alice.pub in | veilcast open -i alice.key | wc -c");
    assert_eq!(counted, format!("{}\n", 4300_u64 << 20).into_bytes());
}

#[test]
fn damage_is_refused_and_named() {
    let desk = Desk::of(&["alice"]);
    let (whole, other) =
        (sealed(&["alice"], None, &content(70_000)), sealed(&["alice"], None, b"x"));
    let check = |bytes: &[u8], message: &str, hint: &str| {
        desk.write("x.veil", bytes);
        desk.fails("open -i alice.key -o out x.veil", message, hint);
        desk.fails("open -i alice.key x.veil", message, hint);
        assert_eq!(desk.names(), ["alice.key", "alice.pub", "x.veil"], "{message}");
    };
    check(b"", "x.veil is empty", "never empty");
    check(b"age-encryption.org/v1\n-> X25519 x", "is an age file", "age --decrypt");
    check(&content(9000), "x.veil is not a sealed file", "veilcast seal");
    for end in [
        20,
        FRONT - 1,
        FRONT,
        FRONT + 55,
        FRONT + 56,
        FRONT + 71,
        whole.len() - 70_000 % CHUNK_BYTES - TAG_BYTES,
    ] {
        check(&whole[..end], "x.veil is truncated", "download it again");
    }
    // Cut between: what is last now was not sealed as the last.
    check(&whole[..whole.len() - 1], "chunk 4", "another copy");
    check(&[&whole[..], b"x"].concat(), "chunk 4", "another copy");
    check(
        &[&whole[..FRONT], &other[FRONT..]].concat(),
        "belongs to another keyring",
        "another copy",
    );
    let mut swapped = whole.clone();
    let body = &mut swapped[FRONT..];
    let first = body[chunk_at(0)].to_vec();
    body.copy_within(chunk_at(2), chunk_at(0).start);
    body[chunk_at(2)].copy_from_slice(&first);
    check(&swapped, "chunk 0", "another copy");
    let mut keyring = whole.clone();
    keyring[100] ^= 1;
    check(&keyring, "a keyring that was changed or damaged", "whoever sealed it");
    let mut newer = whole.clone();
    newer[15] = b'2';
    check(&newer, "sealed in a newer way", "update Veilcast");
    let mut endless = whole;
    endless[16..20].fill(0xff);
    check(&endless, "the size of the keyring is malformed", "");
}

#[test]
fn a_stream_that_breaks_off_says_what_came_out() {
    let desk = Desk::of(&["alice"]);
    let whole = content(70_000);
    desk.sealed("x.veil", &["alice"], None, &whole);
    let broken = "head -c 60000 x.veil | veilcast open -i alice.key > out 2> said || echo $?";
    assert_eq!(desk.sh(broken), b"1\n");
    let said = String::from_utf8(desk.read("said")).unwrap();
    assert!(said.contains("hint: what came out is authentic but not whole"), "{said}");
    let out = desk.read("out");
    assert!(!out.is_empty() && whole.starts_with(&out));
}

#[test]
fn inspect_tells_what_anybody_sees_and_vouches_for_nothing() {
    let desk = Desk::of(&["alice", "bob"]);
    desk.sealed("x.veil", &["alice", "bob"], Some("horse"), &content(100_000));
    let report = desk.answer("inspect x.veil");
    let expected = serde_json::json!({
        "file": "x.veil",
        "format": "veilcast/file/v1",
        "recipients": 2,
        "passphrase": { "kdf": "argon2id", "memory_kib": 64, "passes": 1, "lanes": 1 },
        "keyring_bytes": 8192,
        "keyring_sequence": 1,
        "sealed_bytes": 108_360,
        "content_bytes": 100_000,
        "overhead_bytes": 8360,
        "overhead_percent": 8.36,
        "verified": false,
        "key_ids": null,
    });
    assert_eq!(report, expected);
    let text = String::from_utf8(desk.ok("inspect x.veil")).unwrap();
    assert!(text.contains("verified    no: anybody could have written this"), "{text}");
    assert!(text.contains("8360 bytes, 8.36 %"), "{text}");
}

#[test]
fn inspect_with_a_key_vouches_for_keyring_and_length() {
    let desk = Desk::of(&["alice", "bob", "carol"]);
    desk.sealed("x.veil", &["alice", "bob"], Some("horse"), &content(100_000));
    desk.write_secret("word", b"horse");
    for key in ["-i bob.key", "--passphrase --passphrase-file word", "--passphrase-file word"] {
        let report = desk.answer(&format!("inspect x.veil {key}"));
        assert_eq!(report["verified"], true, "{key}");
        assert_eq!(report["key_ids"], serde_json::json!([key_id("alice"), key_id("bob")]));
    }
    desk.sealed("y.veil", &["alice", "bob"], None, b"rushes");
    desk.fails("inspect y.veil -i carol.key", "was not sealed for this identity", "");
    let whole = desk.read("x.veil");
    desk.write("x.veil", &whole[..whole.len() - 100]);
    assert_eq!(desk.answer("inspect x.veil")["content_bytes"], 99_900);
    desk.fails("inspect x.veil -i bob.key", "chunk 6", "");
    let piped = "cat x.veil | veilcast inspect /dev/stdin 2>&1 || true";
    let shown = String::from_utf8(desk.sh(piped)).unwrap();
    assert!(shown.contains("/dev/stdin has no length"), "{shown}");
    desk.write("x.veil", &whole[..8200]);
    desk.fails("inspect x.veil", "is truncated", "");
}

#[test]
fn sealed_files_need_no_studio() {
    let desk = Desk::of(&["alice"]);
    desk.sealed("x.veil", &["alice"], None, b"rushes");
    desk.ok("open -i alice.key x.veil");
    desk.ok("--data elsewhere open -i alice.key x.veil");
    assert_eq!(desk.names(), ["alice.key", "alice.pub", "x.veil"], "no data folder was made");
}
