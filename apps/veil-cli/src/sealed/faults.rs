//! Every byte of a small sealed file missing or changed, through the command itself.
#![cfg(test)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use tempfile::TempDir;
use veil_seal::chunks;
use veil_seal::file::{BODY_CONTEXT, FileKey, new_header};
use veil_seal::identity::Identity;

use crate::args::{Cli, Command};
use crate::commands::open;
use crate::error::CliError;
use crate::output::Format;
use crate::sealed::rng;

const HALF: usize = 4096;
const CONTENT: &[u8] = b"rushes of the third day";

struct Folder {
    folder: TempDir,
    whole: Vec<u8>,
}

impl Folder {
    /// A folder with an identity, and the bytes of a file that is sealed to it.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::random(&mut rng());
        let key_file = folder.path().join("key");
        fs::write(&key_file, identity.to_text().as_bytes()).unwrap();
        fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
        let key = FileKey::random(&mut rng());
        let front = new_header(&key, &[identity.recipient()], None, &mut rng()).unwrap();
        let body = chunks::seal(&key.body_key(), BODY_CONTEXT, &[1; 24], CONTENT).unwrap();
        Self { folder, whole: [front, body].concat() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `veilcast open` on `bytes`, into a device: then a run leaves no thread that waits for signals.
    fn open(&self, bytes: &[u8]) -> Result<(), CliError> {
        let sealed = self.path("x.veil");
        // Some file systems flush a file that is emptied and written again.
        let _ = fs::remove_file(&sealed);
        fs::write(&sealed, bytes).unwrap();
        let (key, null) = (self.path("key"), Path::new("/dev/null"));
        let line = ["veilcast".as_ref(), "open".as_ref(), "-i".as_ref(), key.as_os_str()];
        let line = line.into_iter().chain(["-o".as_ref(), null.as_os_str(), sealed.as_os_str()]);
        let Command::Open(args) = Cli::parse_from(line).command else { panic!() };
        open::run(&args, Format::Text)
    }
}

#[test]
fn a_file_cut_at_any_byte_is_refused() {
    let folder = Folder::new();
    folder.open(&folder.whole).unwrap();
    for end in 0..folder.whole.len() {
        assert!(folder.open(&folder.whole[..end]).is_err(), "cut to {end}");
    }
}

#[test]
fn a_changed_byte_is_refused_wherever_it_is_but_in_the_empty_half() {
    let folder = Folder::new();
    // Where a file still opens, a key is unwrapped, which takes long: every 61st byte will do.
    let empty = |at: usize| (HALF..2 * HALF).contains(&at);
    for at in (0..folder.whole.len()).filter(|at| !empty(*at) || at % 61 == 0) {
        let mut changed = folder.whole.clone();
        changed[at] ^= 1;
        let opened = folder.open(&changed);
        // The empty half may be torn by a crash: the other one is whole, and is used.
        assert_eq!(opened.is_ok(), empty(at), "byte {at}: {opened:?}");
    }
}
