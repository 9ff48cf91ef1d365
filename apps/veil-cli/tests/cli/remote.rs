//! Sealed files on web servers: what is fetched, and what servers may do wrong.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::desk::{Desk, content, sealed};

/// A request: path, and what its `Range` and `If-Range` say.
#[derive(Clone, Debug, Default)]
struct Request {
    path: String,
    range: Option<Range<usize>>,
    if_range: Option<String>,
}

/// A web server that answers each request by a function, and remembers them.
struct Server {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

type Answer = dyn Fn(&Request, usize) -> Vec<u8> + Send + Sync;

impl Server {
    /// `answer` gets the request and how many came before.
    fn start(answer: impl Fn(&Request, usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (seen, answer): (_, Arc<Answer>) = (Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || serve(&stream.unwrap(), &seen, &*answer));
            }
        });
        Self { address, requests }
    }

    /// One that serves `file` well.
    fn of(file: Vec<u8>) -> Self {
        Self::start(move |request, _| ranged(request, &file, "\"one\""))
    }

    fn url(&self) -> String {
        format!("http://{}/x.veil", self.address)
    }

    fn ranges(&self) -> Vec<Option<Range<usize>>> {
        self.requests.lock().unwrap().iter().map(|request| request.range.clone()).collect()
    }
}

/// Answers one request and closes.
fn serve(mut stream: &TcpStream, seen: &Mutex<Vec<Request>>, answer: &Answer) {
    let mut request = Request::default();
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        match line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value)) {
            Some((name, value)) if name == "range" => {
                let (first, last) = value.trim_start_matches("bytes=").split_once('-').unwrap();
                request.range = Some(first.parse().unwrap()..last.parse::<usize>().unwrap() + 1);
            }
            Some((name, value)) if name == "if-range" => request.if_range = Some(value.to_owned()),
            None if line.is_empty() => break,
            None => request.path = line.split(' ').nth(1).unwrap().to_owned(),
            Some(_) => {}
        }
    }
    let before = seen.lock().unwrap().len();
    seen.lock().unwrap().push(request.clone());
    // Whoever was refused may have gone.
    let _ = stream.write_all(&answer(&request, before));
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// As RFC 9110 has it.
fn ranged(request: &Request, file: &[u8], tag: &str) -> Vec<u8> {
    let tag_line = format!("ETag: {tag}\r\n");
    let same = request.if_range.as_deref().is_none_or(|asked| asked == tag);
    let Some(range) = request.range.clone().filter(|_| same) else {
        return answer("200 OK", &tag_line, file);
    };
    if range.start >= file.len() {
        let none = format!("Content-Range: bytes */{}\r\n", file.len());
        return answer("416 Range Not Satisfiable", &none, b"");
    }
    let end = range.end.min(file.len());
    let head =
        format!("{tag_line}Content-Range: bytes {}-{}/{}\r\n", range.start, end - 1, file.len());
    answer("206 Partial Content", &head, &file[range.start..end])
}

fn check_refused(server: &Server, message: &str, hint: &str) {
    let desk = Desk::of(&["alice"]);
    let open = format!("open -i alice.key --range 30000-30009 -o out {}", server.url());
    desk.fails(&open, message, hint);
    assert_eq!(desk.names(), ["alice.key", "alice.pub"]);
}

#[test]
fn a_range_takes_three_requests_for_what_it_needs() {
    let desk = Desk::of(&["alice"]);
    let whole = content(2_000_000);
    let server = Server::of(sealed(&["alice"], None, &whole));
    let open = format!("open -i alice.key --range 500000-1499999 {}", server.url());
    assert!(desk.ok(&open) == whole[500_000..1_500_000]);
    let (body, chunk) = (8192 + 56, 16_400);
    let chunks = |first: usize, end: usize| Some(body + first * chunk..body + end * chunk);
    let last = Some(body + 122 * chunk..8192 + 56 + 2_000_000 + 123 * 16);
    assert_eq!(server.ranges(), [Some(0..body), last, chunks(30, 92)]);
    let tags = server.requests.lock().unwrap();
    assert!(tags[1..].iter().all(|request| request.if_range.as_deref() == Some("\"one\"")));
}

#[test]
fn small_files_and_ends_take_fewer_and_large_keyrings_one_more() {
    let desk = Desk::of(&["alice"]);
    let check = |file: Vec<u8>, range: &str, expected: &[u8], requests: usize| {
        let server = Server::of(file);
        let open = format!("open -i alice.key --range {range} {}", server.url());
        assert!(desk.ok(&open) == expected, "{range}");
        assert_eq!(server.ranges().len(), requests, "{:?}", server.ranges());
    };
    check(sealed(&["alice"], None, b"rushes"), "1-3", b"ush", 2);
    check(sealed(&["alice"], None, &content(100_000)), "-10", &content(100_000)[99_990..], 2);
    let crowd: Vec<String> = (0..8).map(|number| format!("number {number}")).collect();
    let mut crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    crowd.push("alice");
    let file = sealed(&crowd, None, &content(100_000));
    check(file, "20000-20009", &content(100_000)[20_000..20_010], 4);
}

#[test]
fn all_of_a_file_comes_in_one_request() {
    let desk = Desk::of(&["alice"]);
    let server = Server::of(sealed(&["alice"], None, &content(300_000)));
    desk.ok(&format!("open -i alice.key -o out {}", server.url()));
    assert!(desk.read("out") == content(300_000));
    assert_eq!(server.ranges(), [None]);
    let file = sealed(&["alice"], None, &content(300_000));
    let cut = Server::start(move |_, _| answer("200 OK", "", &file[..100_000]));
    let open = format!("open -i alice.key -o cut {}", cut.url());
    desk.fails(&open, "was changed or damaged", "another copy");
    assert!(!desk.path("cut").exists());
}

#[test]
fn inspect_fetches_the_front_alone_or_the_last_chunk_too() {
    let desk = Desk::of(&["alice"]);
    let server = Server::of(sealed(&["alice"], None, &content(300_000)));
    let report = desk.answer(&format!("inspect {}", server.url()));
    assert_eq!((&report["content_bytes"], &report["verified"]), (&300_000.into(), &false.into()));
    assert_eq!(server.ranges().len(), 1);
    let report = desk.answer(&format!("inspect -i alice.key {}", server.url()));
    assert_eq!(report["verified"], true);
    assert_eq!(server.ranges().len(), 3);
}

#[test]
fn a_file_that_changes_meanwhile_is_noticed() {
    let file = sealed(&["alice"], None, &content(100_000));
    let other = sealed(&["alice"], None, &content(100_000));
    let (changed, again) = ("changed while it was read", "try again");
    let (one, two) = (file.clone(), other.clone());
    let tagged = move |request: &Request, before| match before {
        0 => ranged(request, &one, "\"one\""),
        _ => ranged(request, &two, "\"two\""),
    };
    check_refused(&Server::start(tagged), changed, again);
    let (one, two) = (file.clone(), other.clone());
    let weakly = move |request: &Request, before| match before {
        0 => ranged(request, &one, "W/\"one\""),
        _ => ranged(request, &two, "W/\"two\""),
    };
    check_refused(&Server::start(weakly), changed, again);
    let one = file.clone();
    let shorter = move |request: &Request, before: usize| {
        ranged(request, &one[..one.len() - 1000 * before], "\"one\"")
    };
    check_refused(&Server::start(shorter), changed, again);
    // Without any sign of it, the seal tells.
    let silently = move |request: &Request, before| match before {
        0 => ranged(request, &file, "\"one\""),
        _ => ranged(request, &other, "\"one\""),
    };
    check_refused(&Server::start(silently), "was changed or damaged", "another copy");
}

#[test]
fn servers_without_ranges_or_with_wrong_ones_are_named() {
    let file = Arc::new(sealed(&["alice"], None, &content(100_000)));
    let whole = Arc::clone(&file);
    let without = Server::start(move |_, _| answer("200 OK", "", &whole));
    check_refused(&without, "does not serve ranges", "without --range");
    let partial = |range: &str, body: &[u8]| {
        answer("206 Partial Content", &format!("Content-Range: {range}\r\n"), body)
    };
    for range in
        ["bytes 5-8252/108360", "bytes 0-8247/*", "bytes 0-99999999/100000000", "x", "bytes 9-3/10"]
    {
        let (range, body) = (range.to_owned(), file[..8248].to_vec());
        let wrong = Server::start(move |_, _| partial(&range, &body));
        check_refused(&wrong, "answers another range than it was asked for", "download the file");
    }
    let served = Arc::clone(&file);
    let shifted = Server::start(move |request, before| {
        let range = request.range.clone().map(|range| range.start + before..range.end + before);
        ranged(&Request { range, ..request.clone() }, &served, "\"one\"")
    });
    check_refused(&shifted, "answers another range than it was asked for", "download the file");
    let served = Arc::clone(&file);
    let hangs_up = Server::start(move |request, before| {
        let whole = ranged(request, &served, "\"one\"");
        whole[..whole.len() - before.min(1) * 100].to_vec()
    });
    check_refused(&hangs_up, "cannot read http://127.0.0.1", "");
}

#[test]
fn answers_that_are_no_file_are_named() {
    let status = |status: &'static str| Server::start(move |_, _| answer(status, "", b"no"));
    check_refused(&status("404 Not Found"), "answers 404 Not Found", "check the address");
    check_refused(&status("403 Forbidden"), "answers 403 Forbidden", "expired");
    check_refused(&status("503 Service Unavailable"), "answers 503", "try again later");
    check_refused(&Server::of(Vec::new()), "is empty", "never empty");
    check_refused(&Server::of(b"<html>hello</html>".repeat(1000)), "is not a sealed file", "");
    let endless = "X: y\r\n".repeat(5000);
    check_refused(&Server::start(move |_, _| answer("200 OK", &endless, b"")), "cannot fetch", "");
    let round = Server::start(|_, _| answer("302 Found", "Location: /x.veil\r\n", b""));
    check_refused(&round, "leads on more than 5 times", "in the end");
    assert_eq!(round.requests.lock().unwrap().len(), 6);
}

#[test]
fn a_redirect_is_followed() {
    let desk = Desk::of(&["alice"]);
    let file = sealed(&["alice"], None, &content(100_000));
    let server = Server::start(move |request, _| match request.path.as_str() {
        "/x.veil" => answer("307 Temporary Redirect", "Location: /real\r\n", b""),
        _ => ranged(request, &file, "\"one\""),
    });
    let open = format!("open -i alice.key --range 30000-30009 {}", server.url());
    assert_eq!(desk.ok(&open), content(100_000)[30_000..30_010]);
}

#[test]
fn a_server_that_is_not_there_or_not_secure_is_named_without_the_secret_part() {
    let desk = Desk::of(&["alice"]);
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::of(b"hello".to_vec());
    for url in [format!("http://{gone}"), format!("https://{}", server.address)] {
        let open = format!("open -i alice.key {url}/x.veil?sign=secret");
        desk.fails(&open, &format!("cannot fetch {url}/x.veil: "), "");
        let shown = desk.run(&open).stderr;
        assert!(!shown.contains("secret"), "{shown}");
    }
}

/// A certificate that nobody vouches for gets as far as a TLS handshake can, and no further.
#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let desk = Desk::of(&["alice"]);
    let server = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
                  -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout k.pem -out c.pem 2> /dev/null; \
                  exec openssl s_server -accept 127.0.0.1:0 -key k.pem -cert c.pem -WWW";
    desk.sealed("x.veil", &["alice"], None, &content(100_000));
    let mut running = desk.start(server);
    let port = loop {
        let line = running.next_line(crate::desk::LIMIT).unwrap();
        if let Some(address) = line.strip_prefix("ACCEPT 127.0.0.1:") {
            break address.to_owned();
        }
    };
    let open = format!("open -i alice.key -o out https://127.0.0.1:{port}/x.veil");
    desk.fails(&open, "invalid peer certificate", "");
    let trusted = format!("SSL_CERT_FILE=c.pem veilcast {open}");
    desk.sh(&trusted);
    assert!(desk.read("out") == content(100_000));
}
