//! The credential that signs URLs: a file's, or the environment's.
//!
//! Owns the file's form (TOML) and the condition under which it is read: nobody but its owner may.
//! Refuses a secret that could be guessed: whoever holds one URL can try secrets against it offline.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::Deserialize;
use veil_gateway::Config;
use veil_presign::Credentials;
use zeroize::{Zeroize as _, Zeroizing};

use crate::Failure;

/// Largest credentials file, in bytes: two short lines and a comment.
const FILE_BYTES_MAX: u64 = 16 << 10;

/// Shortest secret, in characters: 32 of hex are 128 bits.
const SECRET_CHARS_MIN: usize = 32;

const FORM: &str = "write two lines: access_key_id = \"…\" and secret_access_key = \"…\"";

const GUESSED: &str = "make a secret with: openssl rand -hex 32";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCredentials {
    access_key_id: String,
    secret_access_key: String,
}

/// Where a container's secret store puts them, when there is no file.
const VARIABLES: [&str; 2] = ["VEILCAST_ACCESS_KEY_ID", "VEILCAST_SECRET_ACCESS_KEY"];

/// Reads the credential from the file that is named, or else from the environment.
pub(crate) fn find(config: &Config) -> Result<Credentials, Failure> {
    if let Some(path) = &config.credentials {
        return read(path);
    }
    let [access_key_id, secret_access_key] = VARIABLES.map(|name| std::env::var(name).ok());
    let (Some(access_key_id), Some(secret_access_key)) = (access_key_id, secret_access_key) else {
        let hint = "name a file with credentials, or --credentials FILE, or set \
                    VEILCAST_ACCESS_KEY_ID and VEILCAST_SECRET_ACCESS_KEY";
        return Err(Failure::new("there is no credential to sign URLs with", hint));
    };
    check(WireCredentials { access_key_id, secret_access_key }).map_err(|error| {
        Failure::new(format!("the credential of {}: {error}", VARIABLES.join(" and ")), GUESSED)
    })
}

/// Reads a credentials file.
pub(crate) fn read(path: &Path) -> Result<Credentials, Failure> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        let hint = "name a file that this user may read with --credentials";
        Failure::new(format!("the credentials file {shown} cannot be read: {error}"), hint)
    };
    let text = secret_text(path).map_err(|refusal| match refusal {
        Refusal::Unreadable(error) => unreadable(error),
        Refusal::Open => {
            let error =
                format!("the credentials file {shown} is open to other users of this machine");
            Failure::new(error, "close it: chmod 600 FILE")
        }
        Refusal::TooLarge => {
            Failure::new(format!("the credentials file {shown} is larger than 16 KiB"), FORM)
        }
    })?;
    // The parser's own message would show the line, and with it the secret.
    let wire: WireCredentials = toml::from_str(&text).map_err(|_| {
        Failure::new(format!("the credentials file {shown} is not of its form"), FORM)
    })?;
    check(wire)
        .map_err(|error| Failure::new(format!("the credentials file {shown}: {error}"), GUESSED))
}

/// Why a file that holds a secret is not read.
pub(crate) enum Refusal {
    Unreadable(io::Error),
    /// Others than its owner may read it.
    Open,
    TooLarge,
}

/// Reads a file that holds a secret, if its owner alone may.
pub(crate) fn secret_text(path: &Path) -> Result<Zeroizing<String>, Refusal> {
    let file = File::open(path).map_err(Refusal::Unreadable)?;
    let metadata = file.metadata().map_err(Refusal::Unreadable)?;
    if metadata.mode() & 0o077 != 0 {
        return Err(Refusal::Open);
    }
    let mut text = Zeroizing::new(String::new());
    let mut limited = file.take(FILE_BYTES_MAX + 1);
    limited.read_to_string(&mut text).map_err(Refusal::Unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX { Err(Refusal::TooLarge) } else { Ok(text) }
}

fn check(wire: WireCredentials) -> Result<Credentials, String> {
    let WireCredentials { access_key_id, mut secret_access_key } = wire;
    if secret_access_key.chars().count() < SECRET_CHARS_MIN {
        secret_access_key.zeroize();
        return Err("the secret is shorter than 32 characters and could be guessed".to_owned());
    }
    Credentials::new(access_key_id, secret_access_key).map_err(|error| error.to_string())
}
