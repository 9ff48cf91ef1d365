//! A client that sends exactly the bytes it is told to, and checks every answer's head.
//!
//! Owns the hand-written side of the tests: no library that would tidy a path or a header first. Reads
//! give up after [`PATIENCE`].

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::site::{GRANT, Site, bearer};

/// Longer than any answer takes, shorter than a test run's patience.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Headers that no answer may lack.
const EVERYWHERE: [(&str, &str); 5] = [
    ("content-security-policy", "default-src 'none';"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
];

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Holds the answer against a row of the error table.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, kind: &str) {
        assert_eq!(self.status, status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["type"], kind);
        assert_eq!(problem["status"], status);
        assert!(problem["title"].as_str().is_some_and(|title| title.len() > 10), "{problem}");
    }

    /// Plain trees may be shown by other pages; nothing else may.
    #[track_caller]
    fn has_security_headers(&self, start: &str) {
        let policy = self.header("cross-origin-resource-policy");
        if start.contains("/hls/") && self.status < 400 {
            assert!(policy.is_some(), "{}", self.head);
        } else {
            assert_eq!(policy, Some("same-origin"), "{}", self.head);
        }
        for (name, start) in EVERYWHERE {
            let value = self.header(name).unwrap_or_else(|| panic!("no {name} in {}", self.head));
            assert!(value.starts_with(start), "{name}: {value}");
        }
    }
}

/// Opens a connection with read and write limits.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends raw bytes and reads until the server closes.
pub(crate) fn exchange(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // A server that refuses early closes while bytes still come.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Sends one request with these header lines and checks the answer's head.
#[track_caller]
pub(crate) fn send(address: SocketAddr, start: &str, headers: &[&str], body: &str) -> Answer {
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let request = format!("{start} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n{body}");
    let answer = Answer::parse(&exchange(address, request.as_bytes()));
    answer.has_security_headers(start);
    answer
}

impl Site {
    /// Sends a request for this site's own host.
    #[track_caller]
    pub(crate) fn send(&self, start: &str, headers: &[&str]) -> Answer {
        let host = format!("Host: {}", self.address);
        send(self.address, start, &[&[host.as_str()], headers].concat(), "")
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.send(&format!("GET {target}"), &[])
    }

    /// `GET` with the bearer of the grant.
    #[track_caller]
    pub(crate) fn get_with_bearer(&self, target: &str) -> Answer {
        self.send(&format!("GET {target}"), &[&format!("Authorization: {}", bearer())])
    }

    /// Asks for signatures with this body.
    #[track_caller]
    pub(crate) fn post_sign(&self, body: &str) -> Answer {
        let headers = [
            format!("Host: {}", self.address),
            format!("Authorization: {}", bearer()),
            format!("Content-Length: {}", body.len()),
        ];
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        send(self.address, &format!("POST /v1/grants/{GRANT}/sign"), &headers, body)
    }

    /// A signed URL of one object.
    #[track_caller]
    pub(crate) fn url(&self, name: &str) -> String {
        let answer = self.post_sign(&format!("{{\"names\": [\"{name}\"]}}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["urls"][name].as_str().unwrap().to_owned()
    }
}
