//! Many clients at once, and one that is many.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;
use veil_gateway::{PageFiles, Proxies, RateLimits, ServeLimits};

use crate::client::{Answer, PATIENCE, connect};
use crate::process::Process;
use crate::site::{GRANT, HUGE, INIT, MEDIA, Site, TITLE, bearer, object_bytes};

/// Connects from one of this machine's loopback addresses.
fn connect_from(source: &str, to: SocketAddr) -> TcpStream {
    let connect = async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    };
    let stream = Runtime::new().unwrap().block_on(connect);
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends a request on an open connection and reads its answer; `None` when the server closed.
fn ask(stream: &mut TcpStream, site: &Site, target: &str, more: &str) -> Option<Answer> {
    let request = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n{more}\r\n", site.address);
    stream.write_all(request.as_bytes()).ok()?;
    receive(stream)
}

/// Reads one answer; `None` when the server closed.
fn receive(stream: &mut TcpStream) -> Option<Answer> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 << 10]);
    loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        if !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
            continue;
        }
        let answer = Answer::parse(&bytes);
        let length = answer.header("content-length").map_or(0, |value| value.parse().unwrap());
        if answer.body.len() >= length {
            return Some(answer);
        }
    }
}

/// A gateway that counts the addresses of this machine as well.
fn site(limits: RateLimits) -> Site {
    let limits = RateLimits { exempt: Vec::new(), ..limits };
    Site::edited(ServeLimits::default(), None, |gateway| {
        gateway.with_rates(limits, Proxies::default())
    })
}

fn mine() -> String {
    format!("Authorization: {}\r\n", bearer())
}

#[test]
fn a_flood_from_one_address_is_refused_and_starves_nobody() {
    let site = site(RateLimits { address_per_s: 50, address_burst: 100, ..RateLimits::default() });
    let (done, passed, refused) =
        (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let flood = || {
        let mut stream = connect_from("127.0.0.2", site.address);
        while !done.load(Ordering::Relaxed) {
            match ask(&mut stream, &site, &format!("/v1/grants/{GRANT}/{MEDIA}"), "") {
                Some(answer) if answer.status == 429 => &refused,
                Some(_) => &passed,
                None => break,
            }
            .fetch_add(1, Ordering::Relaxed);
        }
    };
    let slowest = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(flood);
        }
        let mut stream = connect_from("127.0.0.3", site.address);
        let mut slowest = Duration::ZERO;
        // A viewer's cold start, while the flood runs.
        for _ in 0..60 {
            let started = Instant::now();
            let target = format!("/v1/grants/{GRANT}/{MEDIA}");
            assert_eq!(ask(&mut stream, &site, &target, &mine()).unwrap().status, 200);
            slowest = slowest.max(started.elapsed());
        }
        while refused.load(Ordering::Relaxed) < 1000 {
            thread::yield_now();
        }
        done.store(true, Ordering::Relaxed);
        slowest
    });
    let (passed, refused) = (passed.into_inner(), refused.into_inner());
    // Without a bearer, each of the flood's requests costs 21: a burst of 100 lets few through.
    assert!(passed < 100 && refused > 10 * passed, "{passed} passed, {refused} refused");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}

#[test]
fn a_refusal_says_when_to_come_back_and_failures_cost_more() {
    let limits = RateLimits { address_per_s: 1, address_burst: 45, ..RateLimits::default() };
    let site = site(limits);
    let target = format!("/v1/grants/{GRANT}/{MEDIA}");
    let mut good = connect_from("127.0.0.4", site.address);
    let statuses: Vec<u16> = (0..46)
        .map(|_| ask(&mut good, &site, &target, &mine()).unwrap().status)
        .filter(|status| *status == 429)
        .collect();
    assert!(statuses.len() <= 1, "{statuses:?}");
    let mut bad = connect_from("127.0.0.5", site.address);
    let wrong = format!("Authorization: {}\r\n", bearer().replace('t', "u"));
    for expected in [401, 401, 401, 429] {
        let answer = ask(&mut bad, &site, &target, &wrong).unwrap();
        assert_eq!(answer.status, expected, "{}", answer.head);
        if expected == 429 {
            answer.is_problem(429, "rate-limited");
            let wait_s: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((15..=20).contains(&wait_s), "{wait_s}");
        }
    }
    // A probe is always answered.
    assert_eq!(ask(&mut bad, &site, "/healthz", "").unwrap().status, 200);
}

#[test]
fn a_grant_has_a_limit_of_its_own_that_who_lacks_its_bearer_cannot_use_up() {
    let limits = RateLimits { grant_per_s: 1, grant_burst: 5, ..RateLimits::default() };
    let site = site(RateLimits { address_burst: 1_000_000, ..limits });
    let mut stream = connect_from("127.0.0.6", site.address);
    let target = format!("/v1/grants/{GRANT}/{MEDIA}");
    for at in 0..20 {
        let wrong = format!("Authorization: Bearer wrong{at}\r\n");
        assert_eq!(ask(&mut stream, &site, &target, &wrong).unwrap().status, 401);
        assert_eq!(
            ask(&mut stream, &site, &target, "").unwrap().status,
            if at < 5 { 401 } else { 429 }
        );
    }
    for expected in [200, 200, 200, 200, 200, 429] {
        assert_eq!(ask(&mut stream, &site, &target, &mine()).unwrap().status, expected);
    }
    assert_eq!(ask(&mut stream, &site, "/", "").unwrap().status, 200);
}

#[test]
fn a_trusted_proxy_is_not_counted_and_those_behind_it_are() {
    let limits = RateLimits {
        address_per_s: 1,
        address_burst: 3,
        exempt: Vec::new(),
        ..RateLimits::default()
    };
    let proxies = Proxies { trusted: vec!["127.0.0.7".parse().unwrap()], ..Proxies::default() };
    let site =
        Site::edited(ServeLimits::default(), None, |gateway| gateway.with_rates(limits, proxies));
    let mut proxy = connect_from("127.0.0.7", site.address);
    let mut stranger = connect_from("127.0.0.8", site.address);
    for at in 0..10 {
        let expected = if at < 3 { 200 } else { 429 };
        let alice = "X-Forwarded-For: 198.51.100.1, 192.0.2.1\r\n";
        assert_eq!(ask(&mut proxy, &site, "/", alice).unwrap().status, expected);
        let other = format!("X-Forwarded-For: 192.0.2.{}\r\n", at + 10);
        assert_eq!(ask(&mut proxy, &site, "/", &other).unwrap().status, 200);
        assert_eq!(ask(&mut proxy, &site, "/", "").unwrap().status, 200);
        // A stranger can't lend itself other addresses.
        assert_eq!(ask(&mut stranger, &site, "/", &other).unwrap().status, expected);
    }
}

#[test]
fn a_batch_costs_what_its_requests_do_also_behind_a_proxy() {
    let limits = RateLimits {
        address_per_s: 1,
        address_burst: 100,
        exempt: Vec::new(),
        ..RateLimits::default()
    };
    let proxies = Proxies { trusted: vec!["127.0.0.11".parse().unwrap()], ..Proxies::default() };
    let site =
        Site::edited(ServeLimits::default(), None, |gateway| gateway.with_rates(limits, proxies));
    let mut proxy = connect_from("127.0.0.11", site.address);
    let wrong = json!({ "path": format!("/v1/grants/{GRANT}"), "headers": { "authorization": "Bearer x" } });
    let body = json!({ "requests": vec![wrong; 4] }).to_string();
    let mut send = |client: &str| {
        let start = format!("POST /v1/batch HTTP/1.1\r\nHost: {}", site.address);
        let rest =
            format!("X-Forwarded-For: {client}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        proxy.write_all(format!("{start}\r\n{rest}").as_bytes()).unwrap();
        receive(&mut proxy).unwrap()
    };
    // The batch itself, and four bearers that are wrong: 85 of 100; then there is room for none.
    let first = send("192.0.2.1");
    assert_eq!(first.status, 200, "{}", first.text());
    assert!(first.json().as_array().unwrap().iter().all(|answer| answer["status"] == 401));
    let second = send("192.0.2.1");
    let statuses: Vec<u64> =
        second.json().as_array().unwrap().iter().map(|a| a["status"].as_u64().unwrap()).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    send("192.0.2.1").is_problem(429, "rate-limited");
    assert_eq!(send("192.0.2.2").status, 200);
}

#[test]
fn one_address_has_so_many_connections_and_leaves_room_for_others() {
    let limits = ServeLimits { connections_per_address: 3, ..ServeLimits::default() };
    let site = Site::edited(limits, None, |gateway| {
        let limits = RateLimits { exempt: Vec::new(), ..RateLimits::default() };
        gateway.with_rates(limits, Proxies::default())
    });
    let works = |stream: &mut TcpStream| ask(stream, &site, "/healthz", "").is_some();
    let mut held: Vec<TcpStream> =
        (0..3).map(|_| connect_from("127.0.0.9", site.address)).collect();
    assert!(held.iter_mut().all(works));
    assert!(!works(&mut connect_from("127.0.0.9", site.address)));
    assert!(works(&mut connect_from("127.0.0.10", site.address)));
    drop(held.pop());
    let started = Instant::now();
    while !works(&mut connect_from("127.0.0.9", site.address)) {
        assert!(started.elapsed() < PATIENCE, "the place is not given back");
    }
}

#[test]
fn a_flood_writes_a_line_a_second_and_is_counted_whole() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("veilcast.toml");
    fs::write(&config, "[rate]\nexempt = []\naddress_per_s = 1\naddress_burst = 5\n").unwrap();
    let process = Process::start(&["--config", config.to_str().unwrap()]);
    let started = Instant::now();
    let refused = (0..400).filter(|_| process.send("GET /", &[]).status == 429).count();
    let most = started.elapsed().as_secs() + 2;
    assert!(refused >= 300, "{refused}");
    // A probe is never refused.
    assert_eq!(process.send("GET /healthz", &[]).status, 200);
    let log = process.end();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("status=429")).collect();
    assert!((1..=most).contains(&(lines.len() as u64)), "{log}");
    assert!(lines[0].contains("untold=0"), "{log}");
    let untold = |line: &&str| -> usize {
        line.split("untold=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    let told: usize = lines.iter().map(untold).sum::<usize>() + lines.len();
    assert!(told <= refused, "{told} of {refused}");
}

#[test]
fn a_thousand_slow_clients_hold_up_nobody_and_are_let_go() {
    let short = Duration::from_secs(1);
    let limits =
        ServeLimits { head_timeout: short, stall_timeout: short, ..ServeLimits::default() };
    let site = Site::with(limits, PageFiles::default());
    site.write(&format!("t/{TITLE}/{HUGE}"), &object_bytes(HUGE));
    let url = site.url(HUGE);
    let mut slow: Vec<TcpStream> = (0..1000).map(|_| connect(site.address)).collect();
    for (at, stream) in slow.iter_mut().enumerate() {
        let host = site.address;
        let _ = match at % 4 {
            // Says nothing; a head that never ends; half a preface of HTTP/2; a download that it doesn't read.
            0 => Ok(()),
            1 => write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\n"),
            2 => write!(stream, "PRI * HTTP"),
            _ => write!(stream, "GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        };
    }
    let target = site.url(INIT);
    let mut slowest = Duration::ZERO;
    for _ in 0..30 {
        let started = Instant::now();
        assert_eq!(site.get(&target).body, object_bytes(INIT));
        slowest = slowest.max(started.elapsed());
    }
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    for stream in &mut slow {
        assert!(is_let_go(stream), "a slow client was kept");
    }
}

/// Reads what is left of a connection, to its end.
fn is_let_go(stream: &mut TcpStream) -> bool {
    let mut buffer = vec![0; 1 << 20];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::ConnectionReset,
        }
    }
}
