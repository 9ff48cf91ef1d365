//! The real binary over a store that is named by URL, with a plain tree of the configuration file.

#![allow(clippy::disallowed_types, reason = "the binary is started through veil-testkit")]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use veil_presign::jwt::{Claims, MintKey, Scope, mint};
use veil_testkit::{Finished, S3Server, Spawned};

use crate::client::{Answer, PATIENCE, send};
use crate::site::{ACCESS_KEY_ID, GRANT, INIT, MEDIA, SECRET, TITLE, bearer, media_text, record};

const KEY: &str = "a secret of more than thirty-two bytes";

/// A store with a playlist below `site/vod/`, and the files of a gateway over it.
struct Files {
    store: S3Server,
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        let store = S3Server::start().unwrap();
        let tree = store.folder().join("site/vod/show");
        fs::create_dir_all(&tree).unwrap();
        fs::write(tree.join("a.m3u8"), "#EXTM3U\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n").unwrap();
        fs::write(tree.join("a.ts"), "segment").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let files = Self { store, folder };
        files.write("key", &format!("{KEY}\n"), 0o600);
        let text =
            format!("access_key_id = \"{ACCESS_KEY_ID}\"\nsecret_access_key = \"{SECRET}\"\n");
        files.write("credentials.toml", &text, 0o600);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// A configuration with a plain tree `vod/`, and more of that tree's keys.
    fn config(&self, more: &str) -> PathBuf {
        let text = format!(
            "bucket = \"{}\"\nlisten = \"127.0.0.1:0\"\ncredentials = \"{}\"\n\n[[plain]]\n\
             prefix = \"vod/\"\nauth = \"token\"\nkey = \"{}\"\n{more}\n",
            self.store.url_below("site"),
            self.path("credentials.toml").display(),
            self.path("key").display(),
        );
        self.write("gateway.toml", &text, 0o644)
    }

    fn command(&self, config: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veilcast-gateway"));
        command.arg("--config").arg(config).envs(self.store.variables());
        for unset in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"] {
            command.env_remove(unset);
        }
        command
    }

    #[track_caller]
    fn check_refused(&self, edit: impl FnOnce(&mut Command), config: &Path, error: &str) {
        let mut command = self.command(config);
        edit(&mut command);
        let Finished { status, stderr, .. } = veil_testkit::run(&mut command, PATIENCE).unwrap();
        assert_eq!(status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(error) && stderr.contains("hint: "), "{stderr}");
        assert!(!stderr.contains(self.store.secret()) && !stderr.contains(KEY), "{stderr}");
    }
}

fn token() -> String {
    let scope = Scope::parse("vod/show").unwrap();
    let end = Timestamp::now() + SignedDuration::from_hours(10);
    let claims = Claims { scope: &scope, end, start: None, subject: None, audience: None };
    mint(&MintKey::hs256(KEY.as_bytes()).unwrap(), &claims).unwrap()
}

fn get(address: SocketAddr, path: &str) -> Answer {
    let (host, bearer) = (format!("Host: {address}"), format!("Authorization: Bearer {}", token()));
    send(address, &format!("GET {path}"), &[&host, &bearer], "")
}

fn started(command: &mut Command) -> (Spawned, SocketAddr) {
    let mut child = Spawned::start(command).unwrap();
    let line: serde_json::Value =
        serde_json::from_str(&child.next_line(PATIENCE).unwrap()).unwrap();
    let address = line["url"].as_str().unwrap().strip_prefix("http://").unwrap();
    (child, address.parse().unwrap())
}

#[test]
fn the_process_reads_its_store_signs_for_players_and_logs_no_secret() {
    let files = Files::new();
    let (mut child, address) = started(&mut files.command(&files.config("")));
    let answer = get(address, "/hls/vod/show/a.m3u8");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let url = answer.text().lines().find(|line| line.starts_with("http")).unwrap();
    let body = ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap();
    assert_eq!(body, "segment");
    files.store.go_away();
    assert_eq!(get(address, "/hls/vod/show/b.m3u8").status, 503);
    assert_eq!(child.terminate(PATIENCE).unwrap().code(), Some(0));
    let log = child.stderr();
    assert!(log.contains("/hls/{*path}"), "{log}");
    let token = token();
    for secret in
        [files.store.secret(), KEY, &token[token.len() - 40..], "X-Amz", "show", "a.m3u8", "vod/"]
    {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn a_store_without_a_credential_and_a_temporary_one_that_would_sign_are_refused() {
    let files = Files::new();
    let config = files.config("");
    let unset = |command: &mut Command| {
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    };
    files.check_refused(unset, &config, "there is no credential for the store");
    let temporary = |command: &mut Command| {
        command.env("AWS_SESSION_TOKEN", "token");
    };
    files.check_refused(temporary, &config, "with a token that ends nobody knows when");
    let role = |command: &mut Command| {
        unset(command);
        command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/");
        command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", files.path("key"));
    };
    files.check_refused(role, &config, "credential service does not answer");
    let profile = |command: &mut Command| {
        unset(command);
        command.env("AWS_PROFILE", "absent");
    };
    files.check_refused(profile, &config, "profile \"absent\"");
    let bad = files.write("bad.toml", "bucket = \"s3://user:pass@videos\"\n", 0o644);
    files.check_refused(|_| (), &bad, "error: ");
}

#[test]
fn a_temporary_credential_signs_urls_that_end_with_it() {
    let files = Files::new();
    let end = Timestamp::from_second(Timestamp::now().as_second() + 600).unwrap();
    let mut command = files.command(&files.config("url_window_s = 0"));
    command.env("AWS_SESSION_TOKEN", "a/token").env("AWS_CREDENTIAL_EXPIRATION", end.to_string());
    // The store knows no tokens, and gives the playlist for the signature alone.
    let (mut child, address) = started(&mut command);
    let answer = get(address, "/hls/vod/show/a.m3u8");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let url = answer.text().lines().find(|line| line.starts_with("http")).unwrap();
    assert!(url.contains("&X-Amz-Security-Token=a%2Ftoken&"), "{url}");
    let life = url.split("X-Amz-Expires=").nth(1).unwrap().split('&').next().unwrap();
    assert!((500..=600).contains(&life.parse().unwrap()), "{url}");
    child.terminate(PATIENCE).unwrap();
}

#[test]
fn plain_trees_have_their_urls_where_titles_have_theirs() {
    let files = Files::new();
    let more = "[urls]\nmode = \"presigned\"\nendpoint = \"https://s3.example.org\"";
    let (mut child, address) = started(&mut files.command(&files.config(more)));
    let answer = get(address, "/hls/vod/show/a.m3u8");
    let start = "https://s3.example.org/videos/site/vod/show/a.ts?X-Amz-";
    assert!(answer.text().contains(start), "{}", answer.text());
    child.terminate(PATIENCE).unwrap();
}

#[test]
fn titles_urls_are_those_of_the_buckets_own_store_without_another_word() {
    let files = Files::new();
    let title = format!("{}/t/{TITLE}", files.store.folder().join("site").display());
    fs::create_dir_all(&title).unwrap();
    fs::create_dir_all(files.store.folder().join("site/g")).unwrap();
    fs::write(format!("{title}/{MEDIA}"), media_text()).unwrap();
    fs::write(format!("{title}/{INIT}"), "init").unwrap();
    let mut grant = record();
    grant["expires"] = "2099-01-01T00:00:00Z".into();
    fs::write(files.store.folder().join("site/g").join(GRANT), grant.to_string()).unwrap();
    // No `credentials`: nothing here is verified by the gateway itself.
    let config = format!(
        "bucket = \"{}\"\nlisten = \"127.0.0.1:0\"\n[urls]\nmode = \"presigned\"\n",
        files.store.url_below("site")
    );
    let config = files.write("titles.toml", &config, 0o644);
    let (mut child, address) = started(&mut files.command(&config));
    let (host, mine) = (format!("Host: {address}"), format!("Authorization: {}", bearer()));
    let playlist = format!("GET /v1/grants/{GRANT}/{MEDIA}");
    let answer = send(address, &playlist, &[&host, &mine], "");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let url = answer.text().split('"').nth(1).unwrap();
    let start = format!("{}/videos/site/t/{TITLE}/{INIT}?X-Amz-", files.store.endpoint());
    assert!(url.starts_with(&start), "{url}");
    assert_eq!(ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap(), "init");
    child.terminate(PATIENCE).unwrap();
    let folder = format!("bucket = {:?}\n[urls]\nmode = \"presigned\"\n", files.folder.path());
    let folder = files.write("folder.toml", &folder, 0o644);
    files.check_refused(|_| (), &folder, "no credential signs URLs for a store");
}

#[test]
fn a_plain_tree_whose_key_is_open_missing_or_short_is_refused() {
    let files = Files::new();
    let config = files.config("");
    files.write("key", KEY, 0o644);
    files.check_refused(|_| (), &config, "is open to other users");
    files.write("key", "short", 0o600);
    files.check_refused(|_| (), &config, "shorter than 32 bytes");
    fs::remove_file(files.path("key")).unwrap();
    files.check_refused(|_| (), &config, "cannot be read");
    files.check_refused(|_| (), &files.config("url_life_s = 1\n"), "cannot be read");
    files.write("key", KEY, 0o600);
    files.check_refused(|_| (), &files.config("url_life_s = 1\n"), "plain.url_life_s is 1");
    files.check_refused(|_| (), &files.config("audiense = \"x\"\n"), "audiense");
}

#[test]
fn check_config_asks_the_store_and_shows_no_secret() {
    let files = Files::new();
    let config = files.config("");
    let check = || {
        let mut command = files.command(&config);
        veil_testkit::run(command.arg("--check-config"), PATIENCE).unwrap()
    };
    let good = check();
    let text = good.text();
    assert_eq!(good.status.code(), Some(0), "{}", good.stderr);
    for fact in ["# bucket: answers", "# plain trees: 1, keys read", "# this would run"] {
        assert!(text.contains(fact), "{text}");
    }
    assert!(!text.contains(files.store.secret()) && !text.contains(KEY), "{text}");
    files.store.go_away();
    let away = check();
    assert_eq!(away.status.code(), Some(1));
    assert!(away.stderr.contains("the bucket does not answer"), "{}", away.stderr);
}
