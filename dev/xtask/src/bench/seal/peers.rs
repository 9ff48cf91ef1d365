//! What `seal` is compared with, installed by name where it is missing: age and GNU time from Debian, rage from crates.io.

use std::path::PathBuf;

use crate::console::note;
use crate::failure::{Outcome, fail};
use crate::repo::{Repo, output_of, run};
use crate::setup;

/// The release of rage that is measured.
const RAGE: &str = "0.12.1";

/// Programs and the Debian packages that they come in.
const PACKAGES: [(&str, &str); 4] =
    [("age", "age"), ("age-keygen", "age"), ("time", "time"), ("openssl", "openssl")];

/// Programs to measure.
pub(super) struct Peers {
    pub(super) age: PathBuf,
    pub(super) age_keygen: PathBuf,
    pub(super) rage: PathBuf,
}

impl Peers {
    pub(super) fn install(repo: &Repo) -> Outcome<Self> {
        setup::packages(repo, &PACKAGES)?;
        if repo.find("rage").is_none() {
            note(format_args!("cargo install rage {RAGE}"));
            let mut cargo = repo.cargo(["install", "--quiet", "--locked", "--version", RAGE]);
            let tools = repo.target.join("tools");
            cargo.arg("--root").arg(&tools).arg("--target-dir").arg(tools.join("build"));
            run(cargo.arg("rage"))?;
        }
        let find = |name: &str| repo.find(name).ok_or_else(|| fail(format!("there is no {name}")));
        Ok(Self { age: find("age")?, age_keygen: find("age-keygen")?, rage: find("rage")? })
    }
}

/// Seconds that one core takes to encrypt 1 GiB by AES-256-GCM, 16 KiB at a time, and nothing else: OpenSSL's own measure.
pub(super) fn cipher_alone(repo: &Repo) -> Outcome<f64> {
    let mut openssl = repo.command("openssl");
    let words = ["speed", "-seconds", "2", "-bytes", "16384", "-evp", "aes-256-gcm", "-mr"];
    parse_speed(&output_of(openssl.args(words))?)
        .ok_or_else(|| fail("openssl speed says nothing of AES-256-GCM"))
}

/// Reads bytes per second out of the last line, `+F:…:AES-256-GCM:<bytes per second>`.
fn parse_speed(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.starts_with("+F:"))?;
    let bytes_per_s: f64 = line.rsplit(':').next()?.trim().parse().ok()?;
    Some(f64::from(1 << 30) / bytes_per_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ciphers_speed_is_read() {
        let said =
            "+DT:AES-256-GCM:2:16384\n+R:1:AES-256-GCM:2.0\n+F:28:AES-256-GCM:8589934592.00\n";
        assert_eq!(parse_speed(said), Some(0.125));
        assert_eq!(parse_speed("nothing"), None);
    }
}
