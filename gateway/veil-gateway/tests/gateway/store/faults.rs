//! A store that is slow, refuses, cuts short, goes away and comes back.

use std::time::{Duration, Instant};

use veil_gateway::StoreSettings;
use veil_testkit::{Fault, Trouble};

use super::{Stored, quick};
use crate::client::exchange;

const KEY: &str = "passed/a.ts";
const PATH: &str = "/hls/passed/a.ts";
const PLAYLIST: &str = "/hls/passed/a.m3u8";

fn stored() -> Stored {
    let stored = Stored::start();
    stored.write(KEY, &[7; 300_000]);
    stored.write("passed/a.m3u8", b"#EXTM3U\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n");
    stored
}

/// The store is away as far as a client is told, and nothing of what it said is in the answer.
#[track_caller]
fn check_away(stored: &Stored, path: &str) {
    let started = Instant::now();
    let answer = stored.get(path);
    answer.is_problem(503, "store-unavailable");
    assert_eq!(answer.header("retry-after"), Some("5"));
    for secret in ["videos", "site", "passed", "AccessDenied", "127.0.0.1", "Code"] {
        assert!(!answer.text().contains(secret), "{secret}: {}", answer.text());
    }
    assert!(started.elapsed() < Duration::from_secs(11), "{:?}", started.elapsed());
}

#[test]
fn a_store_that_refuses_or_fails_is_503_and_one_that_recovers_is_not_noticed() {
    let stored = stored();
    for status in [500, 503, 403, 401, 400] {
        stored.store.fault(Fault::new(Trouble::Answer(status)));
        check_away(&stored, PATH);
        check_away(&stored, PLAYLIST);
        stored.store.heal();
        assert_eq!(stored.get(PATH).body.len(), 300_000, "{status}");
    }
    // Two answers of 500 cost two more requests, and a viewer nothing.
    stored.store.forget_seen();
    stored.store.fault(Fault::new(Trouble::Answer(500)).times(2));
    assert_eq!(stored.get(PATH).status, 200);
    assert_eq!(stored.store.seen().len(), 3, "{:?}", stored.store.seen());
}

#[test]
fn an_object_that_is_not_there_is_404_and_asked_for_once() {
    let stored = stored();
    stored.store.forget_seen();
    stored.get("/hls/passed/absent.ts").is_problem(404, "object-unknown");
    assert_eq!(stored.store.seen(), ["GET /videos/site/passed/absent.ts 404"]);
}

#[test]
fn a_store_that_hangs_up_or_does_not_answer_in_time_is_503() {
    let stored = stored();
    stored.store.fault(Fault::new(Trouble::HangUp));
    check_away(&stored, PATH);
    stored.store.heal();
    stored.store.fault(Fault::new(Trouble::Slow(Duration::from_secs(30))));
    check_away(&stored, PLAYLIST);
    stored.store.heal();
    stored.store.fault(Fault::new(Trouble::Slow(Duration::from_millis(100))));
    assert_eq!(stored.get(PATH).status, 200);
}

#[test]
fn a_playlist_that_was_read_is_served_while_the_store_is_away_and_others_are_503() {
    let stored = stored();
    let first = stored.get(PLAYLIST);
    assert_eq!(first.status, 200);
    stored.store.go_away();
    // Beyond the second for which it is fresh.
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1_500) {
        let answer = stored.get(PLAYLIST);
        assert_eq!((answer.status, &answer.body), (200, &first.body));
    }
    check_away(&stored, "/hls/passed/other.m3u8");
}

#[test]
fn a_store_that_goes_away_and_comes_back_is_asked_again() {
    let stored = stored();
    assert_eq!(stored.get(PATH).status, 200);
    stored.store.go_away();
    check_away(&stored, PATH);
    stored.store.come_back().unwrap();
    assert_eq!(stored.get(PATH).body.len(), 300_000);
}

#[test]
fn a_body_that_is_cut_short_is_asked_for_where_it_ended_and_never_passed_off_as_whole() {
    let stored = stored();
    stored.store.fault(Fault::new(Trouble::Cut(100_000)).times(1));
    assert_eq!(stored.get(PATH).body, vec![7; 300_000]);
    stored.store.heal();
    stored.store.fault(Fault::new(Trouble::Cut(1_000)).on("GET"));
    // The connection ends before the promised length, or before the head.
    let host = stored.site.address;
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = exchange(host, request.as_bytes());
    assert!(answer.len() < 300_000, "{}", answer.len());
    stored.store.heal();
    stored.store.fault(Fault::new(Trouble::Cut(10)).at("a.m3u8"));
    check_away(&stored, PLAYLIST);
}

#[test]
fn no_more_requests_run_at_a_time_than_are_allowed() {
    let stored = Stored::with(&StoreSettings { request_count: 2, ..quick() });
    stored.write(KEY, &[7; 1000]);
    stored.store.fault(Fault::new(Trouble::Slow(Duration::from_millis(200))));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(stored.get(PATH).status, 200));
        }
    });
    // Six by two at a time take three times the store's delay.
    assert!(started.elapsed() >= Duration::from_millis(600), "{:?}", started.elapsed());
}
