//! Clients that take their time, and shutdowns that meet them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use veil_gateway::{Drained, PageFiles, ServeLimits};

use crate::client::{PATIENCE, connect};
use crate::site::{HUGE, HUGE_BYTES, Site, TITLE, object_bytes};

const SHORT: Duration = Duration::from_millis(300);

fn site(limits: ServeLimits) -> Site {
    Site::with(limits, PageFiles::default())
}

/// Reads until the server closes; the read timeout is the test's failure.
fn read_to_close(stream: &mut TcpStream) -> usize {
    let mut buffer = [0; 64 << 10];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return total,
            Ok(bytes) => total += bytes,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return total,
            Err(error) => panic!("the server kept the connection: {error}"),
        }
    }
}

#[test]
fn a_head_that_does_not_end_and_an_idle_connection_are_closed() {
    let site = site(ServeLimits { head_timeout: SHORT, ..ServeLimits::default() });
    let mut silent = connect(site.address);
    let mut dripping = connect(site.address);
    dripping.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    let mut idle = connect(site.address);
    write!(idle, "GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", site.address).unwrap();
    assert_eq!(read_to_close(&mut silent), 0);
    read_to_close(&mut dripping);
    assert!(read_to_close(&mut idle) > 0);
}

#[test]
fn a_byte_now_and_then_does_not_keep_a_head_open() {
    let site = site(ServeLimits { head_timeout: SHORT, ..ServeLimits::default() });
    let mut stream = connect(site.address);
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let started = Instant::now();
    // Each read waits 20 ms for the close, so the bytes come at that pace.
    while stream.write_all(b"a").is_ok() && !matches!(stream.read(&mut [0]), Ok(0)) {
        assert!(started.elapsed() < PATIENCE, "the server kept the connection");
    }
    assert!(started.elapsed() >= SHORT);
}

#[test]
fn connections_beyond_the_limit_wait_for_a_place() {
    let limits = ServeLimits { head_timeout: SHORT, connection_count: 1, ..ServeLimits::default() };
    let site = site(limits);
    let started = Instant::now();
    let first = connect(site.address);
    assert_eq!(site.get("/healthz").status, 200);
    assert!(started.elapsed() >= SHORT, "the second did not wait for the first");
    drop(first);
}

/// Asks for the huge object and reads no more than its beginning.
fn begin_download(site: &Site) -> TcpStream {
    site.write(&format!("t/{TITLE}/{HUGE}"), &object_bytes(HUGE));
    let url = site.url(HUGE);
    let mut stream = connect(site.address);
    write!(stream, "GET {url} HTTP/1.1\r\nHost: {}\r\n\r\n", site.address).unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    stream
}

#[test]
fn a_reader_who_takes_nothing_is_cut_off() {
    let mut site = site(ServeLimits { stall_timeout: SHORT, ..ServeLimits::default() });
    let mut stream = begin_download(&site);
    site.stop();
    // The drain ends when the stalled connection does, well before its own limit.
    let started = Instant::now();
    assert_eq!(site.drained(), Drained::Clean);
    assert!(started.elapsed() < Duration::from_secs(15));
    assert!(read_to_close(&mut stream) < HUGE_BYTES);
}

#[test]
fn a_shutdown_finishes_a_running_download_and_takes_no_new_client() {
    let mut site = site(ServeLimits::default());
    let mut stream = begin_download(&site);
    let mut idle = connect(site.address);
    write!(idle, "GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", site.address).unwrap();
    idle.read_exact(&mut [0; 12]).unwrap();
    site.stop();
    // An idle connection is closed at once, which also tells that the shutdown has begun.
    read_to_close(&mut idle);
    assert!(TcpStream::connect(site.address).is_err());
    assert!(read_to_close(&mut stream) > HUGE_BYTES);
    assert_eq!(site.drained(), Drained::Clean);
}

#[test]
fn a_download_that_does_not_end_is_cut_at_the_drain_limit() {
    let mut site = site(ServeLimits { drain_timeout: SHORT, ..ServeLimits::default() });
    let mut stream = begin_download(&site);
    site.stop();
    assert_eq!(site.drained(), Drained::Cut { connection_count: 1 });
    assert!(read_to_close(&mut stream) < HUGE_BYTES);
}
