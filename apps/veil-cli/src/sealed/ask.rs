//! Passphrases: from the terminal, or from a file.
//!
//! Never from standard input, which carries data, and never from the environment, which children inherit and other processes of the
//! same user can read.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use veil_seal::file::{MAX_PASSPHRASE_BYTES, Passphrase};
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::sealed::refusal::unreadable;

/// Where passphrases come from.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    /// The person at the terminal.
    Terminal,
    /// The first line of a file.
    File(PathBuf),
}

impl Asker {
    /// The file, or else the terminal.
    pub(crate) fn new(file: Option<&Path>) -> Self {
        file.map_or(Self::Terminal, |path| Self::File(path.to_owned()))
    }

    /// Whether no person needs to be asked.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// The passphrase that opens `what`.
    pub(crate) fn existing(&self, what: &str) -> Result<Passphrase, CliError> {
        match self {
            Self::Terminal => checked(prompt(&format!("Passphrase of {what}: "))?),
            Self::File(path) => first_line(path),
        }
    }

    /// A new passphrase for `what`, typed twice.
    pub(crate) fn new_for(&self, what: &str) -> Result<Passphrase, CliError> {
        let Self::File(path) = self else {
            let first = prompt(&format!("New passphrase for {what}: "))?;
            let again = prompt("The same again: ")?;
            if *first != *again {
                return Err(CliError::new("the two passphrases differ").hint("try again"));
            }
            return checked(first);
        };
        first_line(path)
    }
}

fn prompt(text: &str) -> Result<Zeroizing<String>, CliError> {
    rpassword::prompt_password(text).map(Zeroizing::new).map_err(|error| {
        if error.kind() == io::ErrorKind::Interrupted {
            return CliError::new("stopped at the passphrase; nothing was done");
        }
        CliError::new(format!("a passphrase is needed, and there is no terminal to ask: {error}"))
            .hint(
                "name a file whose first line it is with --passphrase-file, or an identity with -i",
            )
    })
}

fn checked(text: Zeroizing<String>) -> Result<Passphrase, CliError> {
    Passphrase::new(text).map_err(|_| {
        let most = MAX_PASSPHRASE_BYTES;
        CliError::new(format!("a passphrase has at least one character and at most {most} bytes"))
    })
}

fn first_line(path: &Path) -> Result<Passphrase, CliError> {
    let name = path.display().to_string();
    let text = read_secret(path, MAX_PASSPHRASE_BYTES as u64 + 2)?;
    let text = std::str::from_utf8(&text)
        .map_err(|_| CliError::new(format!("{name} is not text in UTF-8")))?;
    let line = text.split('\n').next().unwrap_or_default();
    checked(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}

/// Reads at most `most` bytes of a file with a secret in clear; others must not be able to read it.
pub(crate) fn read_secret(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| unreadable(&error, &name))?;
    closed_to_others(&file, path)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(most).unwrap_or(0)));
    file.take(most).read_to_end(&mut bytes).map_err(|error| unreadable(&error, &name))?;
    Ok(bytes)
}

/// Refuses a regular file that other users can read; pipes and terminals have no readers to keep out.
pub(crate) fn closed_to_others(file: &File, path: &Path) -> Result<(), CliError> {
    let name = path.display();
    let metadata = file.metadata().map_err(|error| unreadable(&error, &name.to_string()))?;
    let mode = metadata.mode() & 0o777;
    if !metadata.is_file() || mode & 0o077 == 0 {
        return Ok(());
    }
    Err(CliError::new(format!(
        "{name} holds a secret and is open to other users (mode {mode:03o})"
    ))
    .hint(format!("chmod 600 {name}")))
}
