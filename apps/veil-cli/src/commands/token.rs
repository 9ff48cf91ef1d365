//! `veilcast token`: the right to read a plain HLS tree, made offline.
//!
//! Needs no data folder, no network and no runtime. The key is read from a file that its owner alone may read, and goes
//! nowhere.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use jiff::Timestamp;
use serde_json::json;
use veil_presign::jwt::{Claims, MintKey, mint};
use zeroize::Zeroizing;

use crate::args::token::TokenArgs;
use crate::commands::share::expiry;
use crate::error::CliError;
use crate::output::Format;

/// Largest key file that is read, in bytes.
const KEY_BYTES_MAX: u64 = 4096;

/// How a private key's file begins; any other text is a shared secret.
const PEM: &str = "-----BEGIN ";

pub(crate) fn run(args: &TokenArgs, format: Format, now: Timestamp) -> Result<(), CliError> {
    let key = key(&args.key)?;
    let end = expiry(&args.expires, now)?.ok_or_else(|| {
        CliError::new("a token has an end").hint("--expires takes 30m, 12h, 7d or 4w")
    })?;
    let (subject, audience) = (args.subject.as_deref(), args.audience.as_deref());
    let claims = Claims { scope: &args.path, end, start: None, subject, audience };
    let token = mint(&key, &claims).map_err(|error| CliError::new(error.to_string()))?;
    let end = Timestamp::from_second(end.as_second()).unwrap_or(end);
    let answer = json!({
        "token": token,
        "algorithm": key.algorithm(),
        "path": args.path.as_str(),
        "expires": end.to_string(),
    });
    format.answer(&answer, || token.clone());
    Ok(())
}

fn key(path: &Path) -> Result<MintKey, CliError> {
    let shown = path.display();
    let text = read(path)?;
    let key = if text.starts_with(PEM) {
        MintKey::es256(&text)
    } else {
        MintKey::hs256(text.trim_end_matches(['\r', '\n']).as_bytes())
    };
    key.map_err(|error| {
        CliError::new(format!("the key {shown}: {error}"))
            .hint("make a shared one with: openssl rand -hex 32")
    })
}

fn read(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let shown = path.display();
    let unreadable =
        |error: io::Error| CliError::new(format!("the key {shown} can't be read: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.mode() & 0o077 != 0 {
        return Err(CliError::new(format!(
            "the key {shown} is open to other users of this machine"
        ))
        .hint("close it: chmod 600 FILE"));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(KEY_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}
