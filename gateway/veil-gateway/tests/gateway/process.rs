//! The real binary: its one line, its log, its signals and its refusals to start.

#![allow(clippy::disallowed_types, reason = "the binary is started through veil-testkit")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use veil_testkit::{Finished, Spawned};

use crate::client::{Answer, PATIENCE, connect, send};
use crate::site::{
    ACCESS_KEY_ID, ADMIN, BEARER, GRANT, HUGE, HUGE_BYTES, INDEX, INIT, MANIFEST, MEDIA, SECRET,
    SEGMENTS, TITLE, bearer, object_bytes, record, write_bucket, write_page,
};

pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_veilcast-gateway"))
}

pub(crate) fn credentials(folder: &Path) -> PathBuf {
    let text = format!("access_key_id = \"{ACCESS_KEY_ID}\"\nsecret_access_key = \"{SECRET}\"\n");
    write_private(&folder.join("gateway.toml"), &text, 0o600)
}

pub(crate) fn write_private(path: &Path, text: &str, mode: u32) -> PathBuf {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    path.to_owned()
}

/// A gateway process over a bucket of its own; both end with the test.
pub(crate) struct Process {
    pub(crate) child: Spawned,
    pub(crate) address: SocketAddr,
    metrics: Option<SocketAddr>,
    folder: TempDir,
}

impl Process {
    pub(crate) fn start(more: &[&str]) -> Self {
        Self::start_by(command(), more)
    }

    pub(crate) fn start_by(command: Command, more: &[&str]) -> Self {
        let folder = write_bucket();
        // A real clock wants a grant that is in force now.
        let mut grant = record();
        let end = Timestamp::now() + SignedDuration::from_hours(24);
        grant["expires"] = json!(Timestamp::from_second(end.as_second()).unwrap().to_string());
        let bucket = folder.path().join("bucket");
        fs::write(bucket.join(format!("g/{GRANT}")), grant.to_string()).unwrap();
        fs::write(bucket.join(format!("t/{TITLE}/{HUGE}")), object_bytes(HUGE)).unwrap();
        Self::start_in(folder, command, "127.0.0.1:0", more)
    }

    fn start_in(folder: TempDir, mut command: Command, listen: &str, more: &[&str]) -> Self {
        command.args(["--listen", listen, "--bucket"]).arg(folder.path().join("bucket"));
        command.arg("--credentials").arg(credentials(folder.path())).args(more);
        let mut child = Spawned::start(&mut command).unwrap();
        let line = child.next_line(PATIENCE).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["event"], "listening");
        let address = |url: &Value| url.as_str()?.split('/').nth(2)?.parse().ok();
        let metrics = address(&ready["metrics_url"]);
        Self { child, address: address(&ready["url"]).unwrap(), metrics, folder }
    }

    /// Kills the gateway, and starts another over the same bucket on the same port.
    fn killed_and_started(mut self) -> Self {
        self.child.kill().unwrap();
        Self::start_in(self.folder, command(), &self.address.to_string(), &[])
    }

    pub(crate) fn send(&self, start: &str, headers: &[&str]) -> Answer {
        let host = format!("Host: {}", self.address);
        send(self.address, start, &[&[host.as_str()], headers].concat(), "")
    }

    /// Asks for the end with SIGTERM, waits for it, and returns the log.
    pub(crate) fn end(mut self) -> String {
        let status = self.child.terminate(PATIENCE).unwrap();
        let log = self.child.stderr();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}

/// Plays a title, and fails in every way that shows a secret to the gateway.
fn play(process: &Process) {
    let mine = format!("Authorization: {}", bearer());
    let grant = process.send(&format!("GET /v1/grants/{GRANT}"), &[&mine]);
    assert_eq!(grant.status, 200, "{}", grant.text());
    let media = process.send(&format!("GET /v1/grants/{GRANT}/{MEDIA}"), &[&mine]);
    let url = media.text().lines().find(|line| line.starts_with("/o/")).unwrap().to_owned();
    assert_eq!(process.send(&format!("GET {url}"), &[]).body, object_bytes(SEGMENTS[0]));
    assert_eq!(process.send(&format!("GET {url}0"), &[]).status, 403);
    assert_eq!(process.send(&format!("GET /nothing/{GRANT}?{SECRET}"), &[&mine]).status, 404);
    assert_eq!(
        process.send(&format!("GET /w/{GRANT}"), &[]).header("referrer-policy"),
        Some("no-referrer")
    );
    assert_eq!(process.send(&format!("{SECRET} /"), &[]).status, 405);
    let wrong = format!("GET /v1/grants/{INIT}");
    assert_eq!(process.send(&wrong, &[&mine]).status, 404);
}

#[test]
fn the_log_has_every_request_and_no_secret() {
    for form in ["text", "json"] {
        let process = Process::start(&["--log", form]);
        play(&process);
        let log = process.end();
        let bearer = bearer();
        let token = bearer.strip_prefix("Bearer ").unwrap();
        let hash = record()["bearer_sha256"].as_str().unwrap().to_owned();
        for secret in [
            token,
            &hash,
            SECRET,
            ACCESS_KEY_ID,
            GRANT,
            TITLE,
            INDEX,
            MEDIA,
            INIT,
            MANIFEST,
            SEGMENTS[0],
            "X-Amz",
            "envelope",
            &format!("{:?}", BEARER),
        ] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
        for route in [
            "/v1/grants/{grant}",
            "/v1/grants/{grant}/{playlist}",
            "/o/t/{title}/{name}",
            "/w/{grant}",
        ] {
            assert!(log.contains(route), "no {route} in {log}");
        }
        if form == "json" {
            check_json_log(&log);
        }
    }
}

fn check_json_log(log: &str) {
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let object = lines
        .iter()
        .find(|line| line["route"] == "/o/t/{title}/{name}" && line["status"] == 200)
        .unwrap();
    assert_eq!(object["method"], "GET");
    assert_eq!(object["bytes"], 100_000);
    assert_eq!(object["complete"], true);
    assert!(object["time_us"].as_u64().unwrap() > 0);
    let accesses = lines.iter().filter(|line| line["target"] == "access").count();
    assert_eq!(accesses, 8, "{log}");
}

/// Asks for the huge object, reads the beginning and returns the connection.
fn begin_download(process: &Process) -> TcpStream {
    let body = format!("{{\"names\": [\"{HUGE}\"]}}");
    let length = format!("Content-Length: {}", body.len());
    let host = format!("Host: {}", process.address);
    let mine = format!("Authorization: {}", bearer());
    let start = format!("POST /v1/grants/{GRANT}/sign");
    let urls = send(process.address, &start, &[&host, &mine, &length], &body).json();
    let url = urls["urls"][HUGE].as_str().unwrap();
    let mut stream = connect(process.address);
    write!(stream, "GET {url} HTTP/1.1\r\n{host}\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 100]).unwrap();
    stream
}

#[test]
fn a_signal_finishes_a_running_download_and_then_the_process() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut process = Process::start(&[]);
        let mut stream = begin_download(&process);
        process.child.signal(signal).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(rest.len() > HUGE_BYTES);
        assert_eq!(process.child.wait(PATIENCE).unwrap().code(), Some(0));
    }
}

#[test]
fn a_gateway_that_was_killed_starts_again_and_honours_what_it_signed_before() {
    let process = Process::start(&[]);
    let mine = format!("Authorization: {}", bearer());
    let media = process.send(&format!("GET /v1/grants/{GRANT}/{MEDIA}"), &[&mine]);
    let url = media.text().lines().find(|line| line.starts_with("/o/")).unwrap().to_owned();
    let cut = begin_download(&process);
    let process = process.killed_and_started();
    drop(cut);
    assert_eq!(process.send(&format!("GET {url}"), &[]).body, object_bytes(SEGMENTS[0]));
    play(&process);
    process.end();
}

#[test]
fn a_download_that_the_client_leaves_is_logged_as_incomplete() {
    let process = Process::start(&["--log", "json"]);
    drop(begin_download(&process));
    let log = process.end();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let object = lines.iter().find(|line| line["route"] == "/o/t/{title}/{name}").unwrap();
    assert_eq!(object["complete"], false);
    assert!(object["bytes"].as_u64().unwrap() < HUGE_BYTES as u64, "{object}");
}

/// Runs a gateway that is to end by itself; one that serves instead is killed and fails the test.
/// It never asks for the default port, which may be another's.
pub(crate) fn run(args: &[&str]) -> Finished {
    let mut command = command();
    if !args.contains(&"--listen") && !args.is_empty() {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    veil_testkit::run(command.args(args), PATIENCE).unwrap()
}

/// Runs a gateway that must not start.
pub(crate) fn refused(args: &[&str], code: i32) -> String {
    let Finished { status, stdout, stderr } = run(args);
    assert_eq!(status.code(), Some(code), "{stderr}");
    assert!(stdout.is_empty() || args.contains(&"--check-config"));
    stderr
}

#[track_caller]
pub(crate) fn check_refusal(args: &[&str], error: &str, hint: &str) {
    let text = refused(args, 1);
    let last: Vec<&str> = text.lines().rev().take(2).collect();
    assert!(last[1].starts_with("error: ") && last[0].starts_with("hint: "), "{text}");
    assert!(text.contains(error) && text.contains(hint), "{text}");
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
fn a_port_in_use_a_missing_bucket_and_an_open_address_are_refused_with_a_hint() {
    let folder = write_bucket();
    let bucket = folder.path().join("bucket");
    let (bucket, file) = (bucket.to_str().unwrap(), credentials(folder.path()));
    let file = file.to_str().unwrap();
    let good = ["--bucket", bucket, "--credentials", file];
    let with = |more: &[&'static str]| -> Vec<String> {
        good.iter().chain(more).map(ToString::to_string).collect()
    };
    let check = |more: &[&'static str], error: &str, hint: &str| {
        let args = with(more);
        check_refusal(&args.iter().map(String::as_str).collect::<Vec<_>>(), error, hint);
    };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let args = ["--bucket", bucket, "--credentials", file, "--listen", &address];
    check_refusal(&args, &format!("cannot listen on {address}"), "another process has this port");
    check(&["--listen", "0.0.0.0:0"], "no --public-url is set", "add --public-url");
    check(&["--listen", "192.0.2.1:0"], "cannot listen on 192.0.2.1:0", "--listen");
    check(&["--public-url", "videos.example.org"], "--public-url videos.example.org", "https://");
    let args = ["--bucket", bucket, "--credentials", file, "--page", bucket];
    check_refusal(&args, "holds no w/index.html", "npm run build");
    let missing = format!("{bucket}/missing");
    let args = ["--bucket", missing.as_str(), "--credentials", file];
    check_refusal(&args, "cannot be opened", "name the folder");
    let args = ["--bucket", file, "--credentials", file];
    check_refusal(&args, "is not a folder", "name the folder");
}

#[test]
fn a_credentials_file_that_others_read_or_that_holds_no_credential_is_refused() {
    let folder = write_bucket();
    let bucket = folder.path().join("bucket");
    let path = folder.path().join("bad.toml");
    let check = |text: &str, mode: u32, error: &str, hint: &str| {
        let file = write_private(&path, text, mode);
        let file = file.to_str().unwrap();
        let args = ["--bucket", bucket.to_str().unwrap(), "--credentials", file];
        check_refusal(&args, error, hint);
    };
    let good = format!("access_key_id = \"a\"\nsecret_access_key = \"{SECRET}\"\n");
    for mode in [0o640, 0o604, 0o644, 0o660] {
        check(&good, mode, "open to other users", "chmod 600");
    }
    check("", 0o600, "not of its form", "access_key_id");
    check(&format!("secret_access_key = {SECRET}"), 0o600, "not of its form", "access_key_id");
    check(&format!("{good}other = 1"), 0o600, "not of its form", "access_key_id");
    check(&"#".repeat(20_000), 0o600, "larger than 16 KiB", "access_key_id");
    let short = "access_key_id = \"a\"\nsecret_access_key = \"short\"\n";
    check(short, 0o600, "shorter than 32 characters", "openssl rand");
    check(&good.replace("\"a\"", "\"\""), 0o600, "access key id is empty", "openssl rand");
    fs::remove_file(&path).unwrap();
    let args = ["--bucket", bucket.to_str().unwrap(), "--credentials", path.to_str().unwrap()];
    check_refusal(&args, "cannot be read", "--credentials");
}

#[test]
fn wrong_usage_is_exit_2_and_help_teaches() {
    assert!(refused(&[], 2).contains("--bucket"));
    assert!(refused(&["--listen", "nowhere"], 2).contains("--listen"));
    let help = run(&["--help"]);
    assert!(help.status.success());
    let help = help.text();
    for word in ["--public-url", "secret_access_key", "127.0.0.1:8787", "Examples:", "SIGTERM"] {
        assert!(help.contains(word), "{word}");
    }
}

#[test]
fn without_a_token_the_operators_paths_are_not_there_and_figures_are_for_this_machine() {
    let process = Process::start(&[]);
    process.send("GET /performance/metrics", &[]).is_problem(404, "not-found");
    process.send("POST /performance/gc", &[]).is_problem(404, "not-found");
    let text = process.send("GET /metrics", &[]);
    assert!(text.text().contains("veilcast_build_info{version="), "{}", text.text());
    let process = Process::start(&["--public-url", "https://videos.example.org"]);
    process.send("GET /metrics", &[]).is_problem(404, "not-found");
}

#[test]
fn figures_have_a_listener_of_their_own_and_a_token_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_private(&folder.path().join("token"), &format!("{ADMIN}\n"), 0o600);
    let url = "https://videos.example.org";
    let more = ["--public-url", url, "--metrics-listen", "127.0.0.1:0", "--admin-token"];
    let process = Process::start(&[&more[..], &[path.to_str().unwrap()]].concat());
    let token = format!("Authorization: Bearer {ADMIN}");
    assert_eq!(process.send("POST /performance/gc", &[&token]).status, 200);
    process.send("GET /metrics", &[]).is_problem(401, "admin-missing");
    let address = process.metrics.unwrap();
    let aside = |start: &str| send(address, start, &["Host: x"], "");
    assert!(aside("GET /metrics").text().ends_with("# EOF\n"));
    assert_eq!(aside("GET /healthz").text(), "ok");
    assert_eq!(aside("GET /readyz").text(), "ready");
    aside("GET /performance/metrics").is_problem(404, "not-found");
}

#[test]
fn a_token_file_that_others_read_or_that_holds_no_token_is_refused() {
    let folder = write_bucket();
    let bucket = folder.path().join("bucket");
    let file = credentials(folder.path());
    let path = folder.path().join("token");
    let check = |text: &str, mode: u32, error: &str, hint: &str| {
        let token = write_private(&path, text, mode);
        let [bucket, file, token] = [&bucket, &file, &token].map(|path| path.to_str().unwrap());
        let args = ["--bucket", bucket, "--credentials", file, "--admin-token", token];
        check_refusal(&args, error, hint);
    };
    check(ADMIN, 0o644, "open to other users", "chmod 600");
    check("short", 0o600, "32 to 256 characters", "openssl rand");
    check(&format!("{ADMIN} {ADMIN}"), 0o600, "letters, digits", "openssl rand");
    check(&"a".repeat(20_000), 0o600, "larger than 16 KiB", "openssl rand");
}

#[test]
fn a_page_folder_and_a_public_url_on_every_address_are_served() {
    let folder = tempfile::tempdir().unwrap();
    write_page(folder.path(), "mine");
    let page = folder.path().to_str().unwrap();
    let url = "https://videos.example.org";
    let process = Process::start(&["--page", page, "--public-url", url]);
    let answer = send(process.address, "GET /w/x", &["Host: videos.example.org"], "");
    assert_eq!((answer.status, answer.text()), (200, "mine"));
}

/// Starts a gateway that may open `limit` files, and returns the level and number of its line about them.
fn line_about_open_files(limit: &str) -> Option<(String, u64)> {
    let mut command = Command::new("sh");
    let script = "ulimit -n \"$0\" && exec \"$@\"";
    command.args(["-c", script, limit, env!("CARGO_BIN_EXE_veilcast-gateway")]);
    let log = Process::start_by(command, &["--log", "json"]).end();
    let line = log.lines().find(|line| line.contains("open files"))?;
    let line: Value = serde_json::from_str(line).unwrap();
    Some((line["level"].as_str().unwrap().to_owned(), line["allowed"].as_u64().unwrap()))
}

#[test]
fn a_low_limit_of_open_files_is_a_warning_and_an_ordinary_one_is_not() {
    let line = |level: &str, allowed| Some((level.to_owned(), allowed));
    assert_eq!(line_about_open_files("1024"), line("WARN", 480));
    assert_eq!(line_about_open_files("2062"), line("WARN", 999));
    assert_eq!(line_about_open_files("2064"), line("INFO", 1000));
    assert_eq!(line_about_open_files("4096"), line("INFO", 2016));
}
