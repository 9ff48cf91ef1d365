//! `veilcast identity`, and the keys that people give: ours, locked ones, other people's.

use veil_seal::identity::{Identity, MAX_TEXT_BYTES};

use crate::desk::{Desk, identity, key_id, recipient};

#[test]
fn a_new_identity_opens_what_is_sealed_to_its_recipient() {
    let desk = Desk::new();
    desk.write("in", b"rushes");
    let made = desk.answer("identity new");
    let file = desk.path("config/veilcast/identity.txt");
    assert_eq!(made["file"], file.to_str().unwrap());
    assert_eq!((desk.mode("config/veilcast"), made["locked"].as_bool()), (0o700, Some(false)));
    assert_eq!(desk.mode("config/veilcast/identity.txt"), 0o600);
    let text = String::from_utf8(desk.read("config/veilcast/identity.txt")).unwrap();
    let identity = Identity::parse(&text).unwrap();
    assert!(text.starts_with("# created: 20"), "{text}");
    let recipient = identity.recipient().to_string();
    assert_eq!(desk.ok("identity recipient"), format!("{recipient}\n").into_bytes());
    assert_eq!(desk.answer("identity recipient")["recipient"], recipient);
    let shown = desk.answer("identity show");
    assert_eq!(shown["key_id"], identity.recipient().key_id().to_string());
    desk.sh("veilcast identity recipient > me.pub; veilcast seal -r me.pub -o x.veil in");
    assert_eq!(desk.ok("open x.veil"), b"rushes");
}

#[test]
fn nothing_that_is_shown_of_an_identity_is_secret() {
    let desk = Desk::of(&["alice"]);
    let secret = identity("alice").to_text();
    for line in ["identity show alice.key", "identity recipient alice.key"] {
        let plain = String::from_utf8(desk.ok(line)).unwrap();
        let json = desk.answer(line).to_string();
        assert!(!plain.contains(&secret[20..]) && !json.contains(&secret[20..]), "{line}");
        assert!(plain.contains(&recipient("alice").to_string()), "{line}");
    }
}

#[test]
fn an_identity_is_never_overwritten() {
    let desk = Desk::of(&["alice"]);
    desk.ok("identity new");
    let before = desk.read("config/veilcast/identity.txt");
    desk.fails("identity new", "there is an identity already", "-o FILE");
    desk.fails("identity new -o alice.key", "there is an identity already", "identity show");
    assert_eq!(desk.read("config/veilcast/identity.txt"), before);
    desk.ok("identity new -o other.key");
    assert_eq!(desk.mode("other.key"), 0o600);
    let printed = String::from_utf8(desk.run("identity new -o -").stdout).unwrap();
    assert!(Identity::parse(&printed).is_ok());
}

#[test]
fn an_identity_can_be_locked_with_a_passphrase() {
    let desk = Desk::new();
    desk.write("in", b"rushes");
    desk.write_secret("word", b"correct horse\n");
    desk.write_secret("wrong", b"correct house\n");
    let made = desk.answer("identity new -o locked.key --passphrase-file word");
    assert_eq!(made["locked"], true);
    let text = String::from_utf8_lossy(&desk.read("locked.key")).into_owned();
    assert!(!text.contains("AGE-SECRET") && !text.contains("age1pq1"));
    desk.sh("veilcast identity recipient --passphrase-file word locked.key > locked.pub");
    desk.ok("seal -r locked.pub -o x.veil in");
    assert_eq!(desk.ok("open -i locked.key --passphrase-file word x.veil"), b"rushes");
    let wrong = "open -i locked.key --passphrase-file wrong x.veil";
    desk.fails(wrong, "the passphrase does not open locked.key", "every space");
}

#[test]
fn any_sealed_file_with_an_identity_in_it_is_a_locked_identity() {
    let desk = Desk::of(&["alice"]);
    let text = identity("alice").to_text();
    desk.sealed("locked.key", &[], Some("horse"), text.as_bytes());
    desk.sealed("for-bob.key", &["bob"], None, text.as_bytes());
    desk.sealed("letter.key", &[], Some("horse"), b"Dear Sir or Madam");
    desk.write_secret("word", b"horse");
    desk.sealed("x.veil", &["alice"], None, b"rushes");
    let open = |key: &str| format!("open -i {key} --passphrase-file word x.veil");
    assert_eq!(desk.ok(&open("locked.key")), b"rushes");
    desk.fails(&open("for-bob.key"), "is sealed without a passphrase", "veilcast open");
    desk.fails(&open("letter.key"), "letter.key is not an identity file", "identity new");
}

#[test]
fn a_person_is_asked_only_when_nothing_else_opens() {
    let desk = Desk::of(&["alice"]);
    let text = identity("bob").to_text();
    desk.sealed("bob.key", &[], Some("bobs"), text.as_bytes());
    desk.write_secret("files", b"files");
    desk.write_secret("bobs", b"bobs");
    desk.sealed("x.veil", &["alice", "bob"], Some("files"), b"rushes");
    // Were a passphrase asked for, these would fail: there is no terminal.
    assert_eq!(desk.ok("open -i bob.key -i alice.key x.veil"), b"rushes");
    assert_eq!(desk.ok("open --passphrase-file files x.veil"), b"rushes");
    assert_eq!(desk.ok("open --passphrase --passphrase-file files x.veil"), b"rushes");
    // The passphrase may be the file's or the identity's.
    assert_eq!(desk.ok("open -i bob.key --passphrase-file files x.veil"), b"rushes");
    assert_eq!(desk.ok("open -i bob.key --passphrase-file bobs x.veil"), b"rushes");
    let only = "open --passphrase --passphrase-file bobs x.veil";
    desk.fails(only, "the passphrase does not open x.veil", "try again");
    desk.sealed("y.veil", &["alice"], None, b"rushes");
    let none = "open --passphrase --passphrase-file bobs y.veil";
    desk.fails(none, "y.veil has no passphrase", "-i");
}

#[test]
fn a_passphrase_is_what_was_typed_without_its_line_end() {
    let desk = Desk::new();
    desk.sealed("x.veil", &[], Some(" naïve horse "), b"rushes");
    for end in ["", "\n", "\r\n", "\nmore lines\n"] {
        desk.write_secret("word", format!(" naïve horse {end}").as_bytes());
        assert_eq!(desk.ok("open --passphrase-file word x.veil"), b"rushes", "{end:?}");
    }
    for (word, message) in [
        (&b""[..], "at least one character"),
        (b"\nhorse", "at least one character"),
        (&[b'x'; 1025], "at most 1024 bytes"),
        (b"\xff\xfe", "not text in UTF-8"),
        (b"naive horse", "the passphrase does not open x.veil"),
    ] {
        desk.write_secret("word", word);
        desk.fails("open --passphrase-file word x.veil", message, "");
    }
}

#[test]
fn secrets_in_clear_must_be_closed_to_others() {
    let desk = Desk::of(&["alice"]);
    desk.sealed("x.veil", &["alice"], Some("horse"), b"rushes");
    desk.write("word", b"horse");
    for name in ["word", "alice.key"] {
        desk.set_mode(name, 0o640);
    }
    desk.fails("open -i alice.key x.veil", "open to other users (mode 640)", "chmod 600 alice.key");
    desk.fails("open --passphrase-file word x.veil", "(mode 640)", "chmod 600 word");
    // A pipe has no readers to keep out.
    desk.sh("cat word | veilcast open --passphrase-file /dev/stdin x.veil");
}

#[test]
fn keys_of_others_are_named() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", b"rushes");
    desk.sealed("x.veil", &["alice"], None, b"rushes");
    let x25519 = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    desk.fails(&format!("seal -r {x25519} in"), "not post-quantum", "age1pq1");
    desk.write("ssh.pub", b"# mine\n\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me\n");
    desk.fails("seal -R ssh.pub in", "line 3 of ssh.pub: SSH keys", "identity new");
    desk.fails("seal -r alice.key in", "an identity, which is secret", "identity recipient");
    desk.fails("seal -r alice in", "\"alice\" is neither a recipient nor a file", "age1pq1");
    for (text, message) in [
        ("AGE-SECRET-KEY-1QQQ", "not post-quantum"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "SSH or OpenPGP"),
        ("age-encryption.org/v1\n-> scrypt", "that age has locked"),
        ("age1pq1abc", "a recipient, not an identity"),
    ] {
        desk.write_secret("key", text.as_bytes());
        desk.fails("open -i key x.veil", message, "");
    }
}

#[test]
fn limits_on_keys_are_held() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", b"rushes");
    desk.sealed("x.veil", &["alice"], None, b"rushes");
    desk.write_secret("long.key", &vec![b'#'; 64 * 1024 + 1]);
    desk.fails("open -i long.key x.veil", "too long for an identity file", "-i takes");
    desk.write("long.pub", &vec![b'#'; 2 * 1024 * MAX_TEXT_BYTES + 1]);
    desk.fails("seal -R long.pub in", "too long for a file of recipients", "");
    desk.write("empty.pub", b"# nobody yet\n");
    desk.fails("seal -R empty.pub in", "holds no recipient", "one a line");
    desk.write("binary.pub", &[0xff; 100]);
    desk.fails("seal -R binary.pub in", "is not a file of recipients", "");
    let many = " -i alice.key".repeat(65);
    desk.fails(&format!("open x.veil {many}"), "at most 64 identities", "");
}

#[test]
fn a_file_has_at_most_1023_recipients() {
    let desk = Desk::of(&["number 0"]);
    let lines: Vec<String> =
        (0..1024).map(|number| recipient(&format!("number {number}")).to_string()).collect();
    desk.write("crowd.pub", lines.join("\n").as_bytes());
    desk.write("in", b"rushes");
    desk.fails("seal -R crowd.pub -o x.veil in", "at most 1023 recipients, and these are 1024", "");
    desk.write("crowd.pub", lines[..1023].join("\n").as_bytes());
    desk.write("one.pub", lines[1023].as_bytes());
    desk.sh("cp 'number 0.key' me.key; veilcast seal -R crowd.pub -o x.veil in");
    assert_eq!(desk.ok("open -i me.key x.veil"), b"rushes");
    let add = "recipients add x.veil -i me.key -r one.pub";
    desk.fails(add, "at most 1023 recipients", "");
    let listed = desk.answer("recipients list -i me.key x.veil");
    assert_eq!(listed["recipients"][1022]["key_id"], key_id("number 1022"));
}
