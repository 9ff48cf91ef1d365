//! What is thrown at a gateway that faces the internet, and what lies in a bucket that somebody else
//! writes to as well.

use std::fs;
use std::os::unix::fs::symlink;

use crate::client::exchange;
use crate::site::{ABSENT, EMPTY, GRANT, INIT, MANIFEST, Site, TITLE, bearer};

#[test]
fn no_spelling_of_a_path_leaves_the_routes() {
    let site = Site::new();
    let secret = site.path("secret");
    fs::write(&secret, "SECRET").unwrap();
    for path in [
        "/../secret",
        "/w/../secret",
        "/assets/../secret",
        "/assets/..%2f..%2fsecret",
        "/assets/%2e%2e/secret",
        "/assets//etc/passwd",
        "/assets/%00",
        "/assets/..\\secret",
        "/o/t/%2e%2e/secret",
        "/o/t/..%2f/secret",
        "/o/secret",
        "/o/%2e%2e/secret",
        "/v1/grants/%2e%2e%2fsecret",
        "/v1/grants/..%2f..%2fsecret/x.m3u8",
        "//secret",
        "/%2e%2e/secret",
        "/.%00/",
    ] {
        let answer = site.get_with_bearer(path);
        assert!(matches!(answer.status, 400 | 404 | 403), "{path}: {}", answer.head);
        assert!(!answer.text().contains("SECRET"), "{path}");
    }
}

#[test]
fn nothing_is_read_through_a_symbolic_link() {
    let site = Site::new();
    let outside = site.path("").parent().unwrap().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join(INIT), "SECRET").unwrap();

    let object = site.path(&format!("t/{TITLE}/{ABSENT}"));
    symlink(outside.join(INIT), &object).unwrap();
    site.get(&site.url(ABSENT)).is_problem(404, "object-unknown");
    fs::remove_file(&object).unwrap();
    symlink(site.path(&format!("t/{TITLE}/{INIT}")), &object).unwrap();
    site.get(&site.url(ABSENT)).is_problem(404, "object-unknown");

    let grant = site.path(&format!("g/{ABSENT}"));
    symlink(site.path(&format!("g/{GRANT}")), &grant).unwrap();
    site.get_with_bearer(&format!("/v1/grants/{ABSENT}")).is_problem(404, "grant-unknown");

    let url = site.url(INIT);
    fs::remove_dir_all(site.path(&format!("t/{TITLE}"))).unwrap();
    symlink(&outside, site.path(&format!("t/{TITLE}"))).unwrap();
    site.get(&url).is_problem(404, "object-unknown");
}

#[test]
fn a_folder_a_pipe_and_a_device_are_no_objects() {
    let site = Site::new();
    let path = site.path(&format!("t/{TITLE}/{ABSENT}"));
    fs::create_dir(&path).unwrap();
    site.get(&site.url(ABSENT)).is_problem(404, "object-unknown");
    fs::remove_dir(&path).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    site.get(&site.url(ABSENT)).is_problem(404, "object-unknown");
}

#[test]
fn what_is_no_http_is_told_so_and_dropped() {
    let site = Site::new();
    for (request, status) in [
        ("\0\0\0\0\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(200_000)), "431"),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(300)), "431"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".to_owned(), "400"),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n"
                .to_owned(),
            "400",
        ),
    ] {
        let answer = exchange(site.address, request.as_bytes());
        let answer = String::from_utf8_lossy(&answer).into_owned();
        // A server that closes while bytes still come may cut its own answer off.
        let told = answer.starts_with(&format!("HTTP/1.1 {status}"));
        assert!(told || (answer.is_empty() && request.len() > 64 << 10), "{answer}");
    }
    assert_eq!(site.get("/healthz").status, 200);
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_ends_the_connection_and_not_the_gateway() {
    use std::io::{Read as _, Write as _};

    let site = Site::new();
    let big = vec![7; 24 << 20];
    site.write(&format!("t/{TITLE}/{ABSENT}"), &big);
    let url = site.url(ABSENT);
    let mut stream = crate::client::connect(site.address);
    write!(stream, "GET {url} HTTP/1.1\r\nHost: {}\r\n\r\n", site.address).unwrap();
    stream.read_exact(&mut [0; 100]).unwrap();
    let path = site.path(&format!("t/{TITLE}/{ABSENT}"));
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(10).unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.len() < big.len(), "{} bytes", rest.len());
    assert_eq!(site.get(&site.url(EMPTY)).status, 200);
}

#[test]
fn a_record_cannot_make_the_gateway_sign_outside_its_title() {
    let site = Site::new();
    for (member, value) in [
        ("title", serde_json::json!("../g")),
        ("title", serde_json::json!(format!("{TITLE}/"))),
        ("preload", serde_json::json!([format!("../{TITLE}/{MANIFEST}")])),
        ("index", serde_json::json!("../x.m3u8")),
    ] {
        site.edit_record(|record| record[member] = value);
        let answer = site.get_with_bearer(&format!("/v1/grants/{GRANT}"));
        answer.is_problem(502, "record-invalid");
    }
    let start = format!("GET /v1/grants/{GRANT}");
    let twice = format!("Authorization: {}", bearer());
    site.edit_record(|_| ());
    assert_eq!(site.send(&start, &[&twice, "X-Forwarded-Host: evil.example"]).status, 200);
}
