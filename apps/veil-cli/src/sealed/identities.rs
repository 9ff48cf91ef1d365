//! Identity files: the default one, the ones of `-i`, locked ones.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use veil_seal::chunks;
use veil_seal::file::{BODY_CONTEXT, Header, PREFIX_BYTES};
use veil_seal::identity::Identity;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::sealed::ask::{Asker, closed_to_others};
use crate::sealed::foreign::not_an_identity;
use crate::sealed::refusal::{refused, unreadable};

/// The longest identity file that is read.
pub(crate) const MAX_IDENTITY_FILE_BYTES: u64 = 64 * 1024;
/// The most identities for one command: each is tried on each recipient of a file.
const MAX_IDENTITIES: usize = 64;

/// An identity file that was read.
pub(crate) enum IdentityFile {
    /// In clear.
    Plain(Identity),
    /// A sealed file with the identity inside.
    Locked(LockedIdentity),
}

/// An identity that waits for its passphrase.
pub(crate) struct LockedIdentity {
    name: String,
    sealed: Vec<u8>,
}

/// Where `veilcast identity new` writes: for example `~/.config/veilcast/identity.txt`.
pub(crate) fn default_path() -> Result<PathBuf, CliError> {
    use etcetera::BaseStrategy as _;
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        CliError::new(format!("cannot find a folder for identities: {error}"))
            .hint("name the identity file")
    })?;
    Ok(strategy.config_dir().join("veilcast").join("identity.txt"))
}

/// Reads the files of `-i`, or the default one where there is one.
pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<IdentityFile>, CliError> {
    if paths.len() > MAX_IDENTITIES {
        return Err(CliError::new(format!("a command takes at most {MAX_IDENTITIES} identities")));
    }
    if !paths.is_empty() {
        return paths.iter().map(|path| read(path)).collect();
    }
    match default_path() {
        Ok(path) if path.exists() => Ok(vec![read(&path)?]),
        _ => Ok(Vec::new()),
    }
}

/// Reads the identity file that is named, or else the default one.
pub(crate) fn read_one(path: Option<&Path>) -> Result<(PathBuf, IdentityFile), CliError> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => default_path()?,
    };
    if !path.exists() {
        return Err(CliError::new(format!("there is no identity at {}", path.display()))
            .hint("`veilcast identity new` makes one"));
    }
    let identity = read(&path)?;
    Ok((path, identity))
}

fn read(path: &Path) -> Result<IdentityFile, CliError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| unreadable(&error, &name))?;
    let mut bytes = Zeroizing::new(Vec::new());
    let mut limited = (&file).take(MAX_IDENTITY_FILE_BYTES + 1);
    limited.read_to_end(&mut bytes).map_err(|error| unreadable(&error, &name))?;
    if bytes.len() as u64 > MAX_IDENTITY_FILE_BYTES {
        return Err(CliError::new(format!("{name} is too long for an identity file"))
            .hint("-i takes the identity; what to open comes without -i"));
    }
    if Header::bytes(bytes.get(..PREFIX_BYTES).unwrap_or(&bytes)).is_ok() {
        return Ok(IdentityFile::Locked(LockedIdentity { name, sealed: bytes.to_vec() }));
    }
    let identity = parse(&bytes, &name)?;
    closed_to_others(&file, path)?;
    Ok(IdentityFile::Plain(identity))
}

fn parse(bytes: &[u8], name: &str) -> Result<Identity, CliError> {
    let text = std::str::from_utf8(bytes).map_err(|_| not_an_identity("", name))?;
    Identity::parse(text).map_err(|_| not_an_identity(text, name))
}

impl IdentityFile {
    /// The identity; asks for its passphrase if it is locked.
    pub(crate) fn unlock(self, asker: &Asker) -> Result<Identity, CliError> {
        match self {
            Self::Plain(identity) => Ok(identity),
            Self::Locked(locked) => locked.unlock(asker),
        }
    }
}

impl LockedIdentity {
    /// Asks for the passphrase and opens.
    pub(crate) fn unlock(&self, asker: &Asker) -> Result<Identity, CliError> {
        let refused = |error| refused(error, &self.name);
        let header = Header::parse(&self.sealed).map_err(refused)?;
        if header.summary().passphrase.is_none() {
            return Err(CliError::new(format!("{} is sealed without a passphrase", self.name))
                .hint("open it with `veilcast open` first"));
        }
        let passphrase = asker.existing(&self.name)?;
        let unlocked = header.unlock(&[], Some(&passphrase)).map_err(refused)?;
        let body = usize::try_from(unlocked.body_offset()).unwrap_or(usize::MAX);
        let body = self.sealed.get(body..).unwrap_or_default();
        let text = chunks::open(&unlocked.key().body_key(), BODY_CONTEXT, body);
        parse(&Zeroizing::new(text.map_err(refused)?), &self.name)
    }
}
