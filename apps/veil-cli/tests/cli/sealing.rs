//! `veilcast seal` and `open`: files, pipes, terminals, and where the output goes.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;

use veil_testkit::run;

use crate::desk::{Desk, LIMIT, Terminal, check_failure, content};

const CHUNK: usize = 16_384;

#[test]
fn every_length_comes_back_from_files_and_pipes() {
    let desk = Desk::of(&["alice"]);
    for bytes in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 70 * CHUNK + 5] {
        desk.write("in", &content(bytes));
        desk.ok("seal -r alice.pub -o out.veil --force in");
        desk.ok("open -i alice.key -o back --force out.veil");
        assert!(desk.read("back") == content(bytes), "{bytes} bytes through files");
        let length = 8192 + 56 + bytes + 16 * (bytes / CHUNK + 1);
        assert_eq!(desk.read("out.veil").len(), length, "{bytes} bytes");
        let piped = "cat in | veilcast seal -r alice.pub | veilcast open -i alice.key | cat > back";
        desk.sh(piped);
        assert!(desk.read("back") == content(bytes), "{bytes} bytes through pipes");
        desk.sh("veilcast seal -r alice.pub < in > x; veilcast open -i alice.key < x > back");
        assert!(desk.read("back") == content(bytes), "{bytes} bytes by redirection");
    }
}

#[test]
fn whoever_is_named_opens_and_nobody_else() {
    let desk = Desk::of(&["alice", "bob", "carol", "dave"]);
    desk.write("in", b"rushes");
    desk.sh("(echo '# the crew'; cat bob.pub; echo; echo; cat carol.pub; echo) > crew.txt");
    desk.sh("veilcast seal -r \"$(cat alice.pub)\" -R crew.txt -r bob.pub -o x.veil in");
    assert_eq!(desk.answer("inspect x.veil")["recipients"], 3);
    for name in ["alice", "bob", "carol"] {
        assert_eq!(desk.ok(&format!("open -i {name}.key x.veil")), b"rushes", "{name}");
    }
    assert_eq!(desk.ok("open -i dave.key -i carol.key x.veil"), b"rushes");
    desk.fails("open -i dave.key x.veil", "was not sealed for this identity", "recipients");
    desk.fails("open x.veil", "opens with an identity, and there is none", "identity new");
}

#[test]
fn an_output_that_is_there_stays_unless_forced() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", b"new");
    desk.write("out", b"old");
    desk.fails("seal -r alice.pub -o out in", "out is there already", "--force");
    assert_eq!(desk.read("out"), b"old");
    desk.ok("seal -r alice.pub -o out --force in");
    desk.fails("open -i alice.key -o in out", "in is there already", "--force");
    assert_eq!(desk.names(), ["alice.key", "alice.pub", "in", "out"]);
}

#[test]
fn a_file_can_be_sealed_and_opened_onto_itself() {
    let desk = Desk::of(&["alice"]);
    let whole = content(40 * CHUNK);
    desk.write("film", &whole);
    desk.ok("seal -r alice.pub --force -o film film");
    assert_ne!(desk.read("film"), whole);
    desk.ok("open -i alice.key --force -o film film");
    assert!(desk.read("film") == whole);
    assert_eq!(desk.names(), ["alice.key", "alice.pub", "film"]);
}

#[test]
fn a_name_may_be_as_long_as_names_can_be() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", b"rushes");
    let name = "x".repeat(255);
    desk.ok(&format!("seal -r alice.pub -o {name} in"));
    assert_eq!(desk.ok(&format!("open -i alice.key {name}")), b"rushes");
}

#[test]
fn what_was_secret_is_for_its_owner_and_what_is_sealed_for_whom_the_umask_lets() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", b"rushes");
    desk.sh("umask 027; veilcast seal -r alice.pub -o x.veil in; umask 0; \
             veilcast open -i alice.key -o out x.veil");
    assert_eq!((desk.mode("x.veil"), desk.mode("out")), (0o640, 0o600));
}

#[test]
fn a_link_is_followed_and_stays_a_link() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", b"rushes");
    desk.write("real", b"old");
    symlink("real", desk.path("link")).unwrap();
    symlink("nowhere", desk.path("lost")).unwrap();
    desk.ok("seal -r alice.pub --force -o link in");
    assert!(desk.path("link").is_symlink());
    assert_eq!(desk.ok("open -i alice.key real"), b"rushes");
    desk.fails("seal -r alice.pub --force -o lost in", "a link that leads nowhere", "remove it");
}

#[test]
fn devices_and_pipes_are_written_as_they_are() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", b"rushes");
    desk.ok("seal -r alice.pub -o /dev/null in");
    desk.sh("mkfifo pipe; veilcast open -i alice.key -o out < pipe & \
             veilcast seal -r alice.pub -o pipe in; wait");
    assert_eq!(desk.read("out"), b"rushes");
    assert!(!fs::metadata(desk.path("pipe")).unwrap().is_file());
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", b"rushes");
    fs::create_dir(desk.path("folder")).unwrap();
    desk.fails("seal -r alice.pub missing", "cannot read missing", "");
    desk.fails("seal -r alice.pub folder", "folder is a folder", "tar -c folder");
    desk.fails("seal -r alice.pub -o folder in", "folder is a folder", "a file in it");
    desk.fails("seal -r alice.pub -o no/where in", "cannot write no/where", "");
    desk.fails("seal in", "nobody could open the file", "-r");
    desk.sealed("x.veil", &["alice"], None, b"rushes");
    desk.fails("open -i missing.key x.veil", "cannot read missing.key", "");
    desk.fails("open -i folder x.veil", "folder is a folder", "");
}

#[test]
fn json_answers_only_where_standard_output_is_free() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", &content(100_000));
    let answer = desk.answer("seal -r alice.pub -o x.veil in");
    assert_eq!(answer["content_bytes"], 100_000);
    assert_eq!(answer["sealed_bytes"], desk.read("x.veil").len());
    assert_eq!((&answer["recipients"], &answer["file"]), (&1.into(), &"x.veil".into()));
    assert_eq!(desk.answer("open -i alice.key -o out x.veil")["content_bytes"], 100_000);
    for line in ["--json open -i alice.key x.veil", "--json seal -r alice.pub in"] {
        desk.fails(line, "can't carry the content and JSON", "-o");
    }
}

#[test]
fn nothing_binary_goes_to_a_terminal_unless_forced() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", b"rushes");
    desk.sealed("x.veil", &["alice"], None, b"rushes");
    for line in ["seal -r alice.pub in", "open -i alice.key x.veil"] {
        let shown = Terminal::start(&desk, line).end();
        assert!(shown.contains("error: the output would go to the terminal"), "{shown}");
        assert!(shown.contains("hint: name a file with -o"), "{shown}");
    }
    let forced = Terminal::start(&desk, "open -i alice.key -o - x.veil").end();
    assert!(forced.contains("rushes"), "{forced}");
    let shown = Terminal::start(&desk, "seal -r alice.pub -o y.veil").end();
    assert!(shown.contains("there is nothing to seal"), "{shown}");
    assert!(!desk.path("y.veil").exists());
}

#[test]
fn a_passphrase_is_typed_twice_to_seal_and_once_to_open() {
    let desk = Desk::new();
    desk.write("in", b"rushes");
    let seal = |second: &str| {
        let mut terminal = Terminal::start(&desk, "seal --passphrase -o x.veil in");
        terminal.answer("New passphrase for the sealed file: ", "correct horse\r");
        terminal.answer("The same again: ", second);
        terminal.end()
    };
    let shown = seal("correct house\r");
    assert!(shown.contains("error: the two passphrases differ"), "{shown}");
    assert!(!shown.contains("hor") && !shown.contains("hou"), "{shown}");
    let shown = seal("\u{3}");
    assert!(!desk.path("x.veil").exists(), "{shown}");
    seal("correct horse\r");
    desk.write_secret("word", b"correct horse\n");
    assert_eq!(desk.ok("open --passphrase-file word x.veil"), b"rushes");
    desk.sealed("cheap.veil", &[], Some("correct horse"), b"rushes");
    let mut terminal = Terminal::start(&desk, "open -o - cheap.veil");
    terminal.answer("Passphrase of cheap.veil: ", "correct horse\r");
    let shown = terminal.end();
    assert!(shown.ends_with("rushes"), "{shown}");
    assert_eq!(desk.names(), ["cheap.veil", "in", "keys", "shown", "word", "x.veil"]);
}

#[test]
fn progress_is_for_terminals_alone() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", &content(3 * CHUNK));
    let seal = "seal -r alice.pub -o x.veil --force";
    let piped = format!("(cat in; sleep 1) | veilcast {seal}");
    let quiet = run(&mut desk.script(&piped), LIMIT).unwrap().success().unwrap();
    assert_eq!(quiet.stderr, "");
    desk.sh("mkfifo pipe");
    let mut terminal = Terminal::start(&desk, &format!("{seal} pipe"));
    let mut pipe = fs::File::options().write(true).open(desk.path("pipe")).unwrap();
    pipe.write_all(&content(CHUNK)).unwrap();
    terminal.wait_for("B/s");
    drop(pipe);
    let shown = terminal.end();
    assert!(shown.contains("sealing"), "{shown}");
}

#[test]
fn a_file_that_needs_a_passphrase_says_so_without_a_terminal() {
    let desk = Desk::new();
    desk.sealed("x.veil", &[], Some("correct horse"), b"rushes");
    let text = "setsid \"$VEILCAST\" open x.veil < /dev/null";
    let finished = run(&mut desk.script(text), LIMIT).unwrap();
    check_failure(&finished, text, "there is no terminal to ask", "--passphrase-file");
}

/// The most memory that a running process has had, in KiB.
fn peak_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Runs a command that reads `pipe`, and returns the memory it has had when it took `bytes` from it.
fn peak_after(desk: &Desk, line: &str, bytes: &[u8]) -> u64 {
    let mut running = desk.start(&format!("exec \"$VEILCAST\" {line} < pipe"));
    let mut pipe = fs::File::options().write(true).open(desk.path("pipe")).unwrap();
    pipe.write_all(bytes).unwrap();
    let peak = peak_kib(running.id());
    drop(pipe);
    assert!(running.wait(LIMIT).unwrap().success(), "{}", running.stderr());
    peak
}

#[test]
fn streams_need_16_mib_whatever_their_length() {
    let desk = Desk::of(&["alice"]);
    desk.sh("mkfifo pipe");
    let content = content(48 << 20);
    let peak = peak_after(&desk, "seal -r alice.pub -o x.veil", &content);
    assert!(peak <= 16 << 10, "{peak} KiB to seal");
    let peak = peak_after(&desk, "open -i alice.key -o y", &desk.read("x.veil"));
    assert!(peak <= 16 << 10, "{peak} KiB to open");
    assert!(desk.read("y") == content);
}
