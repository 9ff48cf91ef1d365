//! The credentials file.
//!
//! Owns its form (TOML) and the condition under which it is read: nobody but its owner may. Refuses a
//! secret that could be guessed: whoever holds one URL can try secrets against it offline.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::Deserialize;
use veil_presign::Credentials;
use zeroize::{Zeroize as _, Zeroizing};

use crate::Failure;

/// Largest credentials file, in bytes: two short lines and a comment.
const FILE_BYTES_MAX: u64 = 16 << 10;

/// Shortest secret, in characters: 32 of hex are 128 bits.
const SECRET_CHARS_MIN: usize = 32;

const FORM: &str = "write two lines: access_key_id = \"…\" and secret_access_key = \"…\"";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCredentials {
    access_key_id: String,
    secret_access_key: String,
}

/// Reads the credentials file.
pub(crate) fn read(path: &Path) -> Result<Credentials, Failure> {
    let shown = path.display();
    let unreadable = |error| {
        let hint = "name a file that this user may read with --credentials";
        Failure::new(format!("the credentials file {shown} cannot be read: {error}"), hint)
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.mode() & 0o077 != 0 {
        let error = format!("the credentials file {shown} is open to other users of this machine");
        return Err(Failure::new(error, "close it: chmod 600 FILE"));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let error = format!("the credentials file {shown} is larger than 16 KiB");
        return Err(Failure::new(error, FORM));
    }
    // The parser's own message would show the line, and with it the secret.
    let wire: WireCredentials = toml::from_str(&text).map_err(|_| {
        Failure::new(format!("the credentials file {shown} is not of its form"), FORM)
    })?;
    check(wire).map_err(|error| {
        let hint = "make a secret with: openssl rand -hex 32";
        Failure::new(format!("the credentials file {shown}: {error}"), hint)
    })
}

fn check(wire: WireCredentials) -> Result<Credentials, String> {
    let WireCredentials { access_key_id, mut secret_access_key } = wire;
    if secret_access_key.chars().count() < SECRET_CHARS_MIN {
        secret_access_key.zeroize();
        return Err("the secret is shorter than 32 characters and could be guessed".to_owned());
    }
    Credentials::new(access_key_id, secret_access_key).map_err(|error| error.to_string())
}
