//! Answers that are compressed for one request, and a page that nobody compressed before.

use std::fs;
use std::io::Read as _;

use serde_json::json;
use veil_gateway::{PageFiles, ServeLimits};

use crate::client::{Answer, send};
use crate::site::{GRANT, INIT, Site, bearer, write_page};

/// Asks for the URLs of `count` objects.
fn sign(site: &Site, count: usize, encodings: &str) -> Answer {
    let names: Vec<String> = (0..count).map(|at| format!("{at:032x}")).collect();
    let body = json!({ "names": names }).to_string();
    let headers = [
        format!("Host: {}", site.address),
        format!("Authorization: {}", bearer()),
        format!("Accept-Encoding: {encodings}"),
        format!("Content-Length: {}", body.len()),
    ];
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    send(site.address, &format!("POST /v1/grants/{GRANT}/sign"), &headers, &body)
}

pub(crate) fn decoded(answer: &Answer) -> Vec<u8> {
    let mut plain = Vec::new();
    match answer.header("content-encoding") {
        Some("gzip") => {
            flate2::read::GzDecoder::new(&*answer.body).read_to_end(&mut plain).unwrap();
        }
        Some("br") => {
            brotli::Decompressor::new(&*answer.body, 4096).read_to_end(&mut plain).unwrap();
        }
        Some("zstd") => plain = zstd::bulk::decompress(&answer.body, 1 << 20).unwrap(),
        _ => plain.clone_from(&answer.body),
    }
    plain
}

#[test]
fn json_comes_in_the_encoding_that_the_client_likes_best() {
    let site = Site::new();
    let plain = sign(&site, 64, "identity");
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
    for (wanted, expected) in [("gzip", "gzip"), ("br", "br"), ("gzip;q=0.5, zstd", "zstd")] {
        let answer = sign(&site, 64, wanted);
        assert_eq!(answer.header("content-encoding"), Some(expected));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        assert!(answer.header("vary").unwrap().contains("accept-encoding"));
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(decoded(&answer), plain.body);
        assert!(answer.body.len() * 2 < plain.body.len(), "{}", answer.body.len());
    }
}

#[test]
fn what_is_small_an_error_or_an_object_is_not_compressed() {
    let site = Site::new();
    let small = sign(&site, 1, "gzip");
    assert_eq!(small.header("content-encoding"), None);
    assert_eq!(small.header("vary"), Some("accept-encoding"));
    let all = "Accept-Encoding: gzip, br, zstd";
    for target in ["/nothing".to_owned(), site.url(INIT)] {
        let answer = site.send(&format!("GET {target}"), &[all]);
        assert_eq!(answer.header("content-encoding"), None, "{target}");
    }
}

#[test]
fn a_page_that_nobody_compressed_is_compressed_once_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let script = "export const title = 'a page';\n".repeat(200);
    fs::create_dir(folder.path().join("assets")).unwrap();
    write_page(folder.path(), "<!doctype html>");
    fs::write(folder.path().join("assets/a-1.js"), &script).unwrap();
    fs::write(folder.path().join("assets/a-1.png"), &script).unwrap();
    let page = PageFiles::folder(folder.path()).unwrap();
    let site = Site::with(ServeLimits::default(), page);
    for encoding in ["br", "gzip"] {
        let accept = format!("Accept-Encoding: {encoding}");
        let answer = site.send("GET /assets/a-1.js", &[&accept]);
        assert_eq!(answer.header("content-encoding"), Some(encoding));
        assert_eq!(decoded(&answer), script.as_bytes());
        for name in ["/assets/a-1.png", "/w/x"] {
            let answer = site.send(&format!("GET {name}"), &[&accept]);
            assert_eq!(answer.header("content-encoding"), None, "{name}");
        }
    }
}
