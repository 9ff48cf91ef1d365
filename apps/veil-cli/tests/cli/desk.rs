//! A folder with people's keys in it, and commands on sealed files there.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use veil_seal::chunks;
use veil_seal::file::{BODY_CONTEXT, Cost, FileKey, Passphrase, new_header};
use veil_seal::identity::{Identity, Recipient};
use veil_seal::secret::Secret;
use veil_testkit::{Finished, Spawned, run};

/// No command of these tests takes longer, on the slowest machine that runs them.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A cost that tests can pay often.
const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

/// A folder in which commands run; gone when it is dropped.
pub(crate) struct Desk {
    folder: TempDir,
    /// Where its runs line up, and nobody else's.
    turns: TempDir,
}

impl Desk {
    /// An empty one, without a default identity.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), turns: tempfile::tempdir().unwrap() }
    }

    /// One with the keys of people: `NAME.key`, and `NAME.pub` with the recipient.
    pub(crate) fn of(names: &[&str]) -> Self {
        let desk = Self::new();
        for name in names {
            let identity = identity(name);
            desk.write_secret(&format!("{name}.key"), identity.to_text().as_bytes());
            desk.write(&format!("{name}.pub"), identity.recipient().to_string().as_bytes());
        }
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn write_secret(&self, name: &str, bytes: &[u8]) {
        self.write(name, bytes);
        self.set_mode(name, 0o600);
    }

    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Writes a sealed file for people, and maybe with a passphrase.
    pub(crate) fn sealed(&self, name: &str, people: &[&str], word: Option<&str>, content: &[u8]) {
        self.write(name, &sealed(people, word, content));
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veilcast"));
        command.args(args);
        self.at_home(command)
    }

    /// A script of `sh`, in which `veilcast` is the binary under test.
    pub(crate) fn script(&self, text: &str) -> Command {
        let mut command = Command::new("sh");
        let text = format!("set -e; veilcast() {{ \"$VEILCAST\" \"$@\"; }}; {text}");
        command.args(["-c", &text]).env("VEILCAST", env!("CARGO_BIN_EXE_veilcast"));
        self.at_home(command)
    }

    fn at_home(&self, mut command: Command) -> Command {
        let home = self.folder.path();
        command.current_dir(home).env("HOME", home).env("XDG_CONFIG_HOME", home.join("config"));
        command.env("VEILCAST_DATA", home.join("data"));
        command.env("VEILCAST_BUDGET_DIR", self.turns.path());
        for name in ["http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command
    }

    /// Runs words of a command line; none of them holds a space.
    pub(crate) fn run(&self, line: &str) -> Finished {
        run(&mut self.command(line.split_whitespace()), LIMIT).unwrap()
    }

    /// Runs a command that must succeed and say nothing on standard error.
    pub(crate) fn ok(&self, line: &str) -> Vec<u8> {
        let finished = self.run(line).success().unwrap();
        assert_eq!(finished.stderr, "", "{line}");
        finished.stdout
    }

    /// Runs a command that must succeed, and returns its answer.
    pub(crate) fn answer(&self, line: &str) -> Value {
        serde_json::from_slice(&self.ok(&format!("--json {line}"))).unwrap()
    }

    /// Runs a command that must fail with exit code 1, a message and a hint.
    pub(crate) fn fails(&self, line: &str, message: &str, hint: &str) {
        check_failure(&self.run(line), line, message, hint);
    }

    /// Runs a script that must succeed; returns its output.
    pub(crate) fn sh(&self, text: &str) -> Vec<u8> {
        let finished = run(&mut self.script(text), LIMIT).unwrap();
        finished.success().unwrap().stdout
    }

    pub(crate) fn start(&self, script: &str) -> Spawned {
        Spawned::start(&mut self.script(script)).unwrap()
    }
}

/// A command on a terminal of its own.
pub(crate) struct Terminal {
    running: Spawned,
    keys: File,
    shown: PathBuf,
}

impl Terminal {
    /// Starts a command; `shown` and `keys` on the desk are the terminal's.
    pub(crate) fn start(desk: &Desk, line: &str) -> Self {
        let _ = fs::remove_file(desk.path("shown"));
        desk.sh("test -p keys || mkfifo keys");
        let script = format!("exec script -qefc \"$VEILCAST {line}\" shown < keys");
        let running = desk.start(&script);
        let keys = File::options().write(true).open(desk.path("keys")).unwrap();
        Self { running, keys, shown: desk.path("shown") }
    }

    /// What the terminal shows so far, without what `script` says itself.
    fn text(&self) -> String {
        let text = fs::read(&self.shown).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let text = text.split_once('\n').map(|(_, text)| text.to_owned()).unwrap_or_default();
        text.split("\nScript done on").next().unwrap_or_default().to_owned()
    }

    /// Waits until the terminal shows `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + LIMIT;
        while !self.text().contains(text) {
            assert!(Instant::now() < deadline, "{text:?} is not in {:?}", self.text());
            sleep(Duration::from_millis(10));
        }
    }

    /// Waits for a question and types the answer.
    pub(crate) fn answer(&mut self, question: &str, typed: &str) {
        self.wait_for(question);
        self.keys.write_all(typed.as_bytes()).unwrap();
    }

    /// Waits for the command's end; all that the terminal showed.
    pub(crate) fn end(mut self) -> String {
        self.running.wait(LIMIT).unwrap();
        self.text()
    }
}

pub(crate) fn check_failure(finished: &Finished, line: &str, message: &str, hint: &str) {
    let stderr = &finished.stderr;
    assert_eq!(finished.status.code(), Some(1), "{line}: {stderr}");
    let said = stderr.strip_prefix("error: ").unwrap_or_default();
    let (said, hinted) = said.split_once("\nhint: ").unwrap_or((said, ""));
    assert!(said.contains(message), "{line}: {stderr}");
    assert!(hinted.contains(hint), "{line}: {stderr}");
}

/// The same identity for the same name.
pub(crate) fn identity(name: &str) -> Identity {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    Identity::from_seed(Secret::new(seed))
}

pub(crate) fn recipient(name: &str) -> Recipient {
    identity(name).recipient()
}

pub(crate) fn key_id(name: &str) -> String {
    recipient(name).key_id().to_string()
}

/// The bytes of a sealed file.
pub(crate) fn sealed(people: &[&str], word: Option<&str>, content: &[u8]) -> Vec<u8> {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let key = FileKey::random(&mut rng);
    let people: Vec<Recipient> = people.iter().map(|name| recipient(name)).collect();
    let word = word.map(|word| Passphrase::new(word.to_owned().into()).unwrap());
    let word = word.as_ref().map(|word| (word, CHEAP));
    let front = new_header(&key, &people, word, &mut rng).unwrap();
    let body = chunks::seal(&key.body_key(), BODY_CONTEXT, &[7; 24], content).unwrap();
    [front, body].concat()
}

/// Bytes that differ from place to place.
pub(crate) fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1].wrapping_mul(31)).collect()
}
