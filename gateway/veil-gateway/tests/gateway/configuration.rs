//! The configuration file and `--check-config`, with the real binary.

#![allow(clippy::disallowed_types, reason = "the binary is started through veil-testkit")]

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use veil_testkit::Finished;

use crate::client::PATIENCE;
use crate::process::{check_refusal, command, credentials, run, write_private};
use crate::site::{ACCESS_KEY_ID, SECRET, write_bucket};

/// A folder with a bucket, a credential and a configuration that names both.
struct Place {
    folder: TempDir,
    /// The lines that name bucket and credential.
    good: String,
}

impl Place {
    fn new() -> Self {
        let folder = write_bucket();
        let bucket = folder.path().join("bucket");
        let good = format!(
            "listen = \"127.0.0.1:0\"\nbucket = {bucket:?}\ncredentials = {:?}\n",
            credentials(folder.path())
        );
        Self { folder, good }
    }

    fn write(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("veilcast.toml");
        fs::write(&path, text).unwrap();
        path
    }

    /// Checks the configuration `text`.
    fn check(&self, text: &str) -> Finished {
        let path = self.write(text);
        veil_testkit::run(command().arg("--check-config").arg("--config").arg(path), PATIENCE)
            .unwrap()
    }

    #[track_caller]
    fn check_bad(&self, text: &str, error: &str, hint: &str) {
        let Finished { status, stdout, stderr } = self.check(text);
        let shown = String::from_utf8(stdout).unwrap();
        assert_eq!(status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("error: ") && stderr.contains("hint: "), "{stderr}");
        assert!(stderr.contains(error) && stderr.contains(hint), "{stderr}");
        assert!(!shown.contains("# this would run"), "{shown}");
        assert!(!stderr.contains(SECRET) && !shown.contains(SECRET));
    }
}

#[test]
fn a_good_configuration_is_shown_as_one_and_without_its_secrets() {
    let place = Place::new();
    let checked = place.check(&place.good);
    let shown = checked.success().unwrap().text();
    for line in [
        "bucket: answers",
        "credential: read",
        "hosts: ",
        "# this would run",
        "connections = 10000",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert!(!shown.contains(SECRET) && !shown.contains(ACCESS_KEY_ID), "{shown}");
    let again = place.check(&shown).success().unwrap().text();
    assert_eq!(again, shown);
}

#[test]
fn a_bad_key_is_refused_with_its_line_and_a_hint_whether_it_is_checked_or_run() {
    let place = Place::new();
    for (text, error, hint) in [
        ("public_url = \"https://a\"", "line 4: there is no key `public_url`", "`public_urls`?"),
        ("[limits]\nhead_timeout = 1", "line 5: there is no key `head_timeout`", "head_timeout_s"),
        ("[limits]\nconnections = 0", "limits.connections is 0", "from 1 to 1000000"),
        ("[limits]\nstall_timeout_s = 301", "limits.stall_timeout_s is 301", "from 1 to 300"),
        ("log = \"xml\"", "line 4: unknown variant `xml`", "gateway.toml"),
        ("listen", "line 4: ", "gateway.toml"),
    ] {
        let text = format!("{}{text}\n", place.good);
        place.check_bad(&text, error, hint);
        let path = place.write(&text);
        check_refusal(&["--config", path.to_str().unwrap()], error, hint);
    }
    let missing = place.folder.path().join("missing");
    check_refusal(&["--config", missing.to_str().unwrap()], "cannot be read", "--config");
    let folder = place.folder.path().to_str().unwrap();
    check_refusal(&["--config", folder], "cannot be read", "--config");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let place = Place::new();
    let text = "listen = \"0.0.0.0:1\"\nbucket = \"/nowhere\"\ncredentials = \"/nowhere\"\npage = \"/nowhere\"";
    for (error, hint) in [
        ("the bucket /nowhere cannot be opened", "name the folder"),
        ("the credentials file /nowhere cannot be read", "--credentials"),
        ("the page's /nowhere cannot be read", "npm run build"),
        ("no --public-url is set", "--public-url"),
    ] {
        place.check_bad(text, error, hint);
    }
    place.check_bad("", "no bucket is named", "--bucket");
    place.check_bad("", "there is no credential", "VEILCAST_SECRET_ACCESS_KEY");
}

#[test]
fn a_credential_comes_from_the_environment_where_no_file_is_named() {
    let place = Place::new();
    let path = place.write(&place.good.replace("credentials", "#credentials"));
    let check = |secret: &str| {
        let mut command = command();
        command.env("VEILCAST_ACCESS_KEY_ID", ACCESS_KEY_ID);
        command.env("VEILCAST_SECRET_ACCESS_KEY", secret);
        command.env("VEILCAST_GATEWAY_CONFIG", &path).arg("--check-config");
        veil_testkit::run(&mut command, PATIENCE).unwrap()
    };
    check(SECRET).success().unwrap();
    let Finished { status, stderr, .. } = check("short");
    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("shorter than 32") && stderr.contains("openssl rand"), "{stderr}");
}

#[test]
fn a_credentials_file_that_is_given_as_the_configuration_is_not_quoted() {
    let place = Place::new();
    let path = credentials(place.folder.path());
    check_refusal(&["--config", path.to_str().unwrap()], "no key `access_key_id`", "the keys here");
    let torn = write_private(&path, &format!("secret_access_key = {SECRET}"), 0o600);
    check_refusal(&["--config", torn.to_str().unwrap()], "line 1: ", "gateway.toml");
    let finished = run(&["--config", torn.to_str().unwrap(), "--check-config"]);
    assert!(!finished.stderr.contains(SECRET));
}
