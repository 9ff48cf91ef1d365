//! The credential that signs URLs: a file's, or the environment's.
//!
//! Owns the file's form (TOML). Refuses a secret that could be guessed: whoever holds one URL can try
//! secrets against it offline.

use std::path::Path;

use serde::Deserialize;
use veil_gateway::Config;
use veil_presign::Credentials;
use zeroize::Zeroize as _;

use crate::{Failure, private_file};

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
    let text = private_file::read(path, "credentials file", "--credentials", FORM)?;
    // The parser's own message would show the line, and with it the secret.
    let wire: WireCredentials = toml::from_str(&text).map_err(|_| {
        Failure::new(format!("the credentials file {shown} is not of its form"), FORM)
    })?;
    check(wire)
        .map_err(|error| Failure::new(format!("the credentials file {shown}: {error}"), GUESSED))
}

fn check(wire: WireCredentials) -> Result<Credentials, String> {
    let WireCredentials { access_key_id, mut secret_access_key } = wire;
    if secret_access_key.chars().count() < SECRET_CHARS_MIN {
        secret_access_key.zeroize();
        return Err("the secret is shorter than 32 characters and could be guessed".to_owned());
    }
    Credentials::new(access_key_id, secret_access_key).map_err(|error| error.to_string())
}
