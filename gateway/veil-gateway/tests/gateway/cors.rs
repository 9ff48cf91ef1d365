//! Pages of other origins.

use veil_gateway::{Cors, RateLimits, ServeLimits};

use crate::client::Answer;
use crate::site::{GRANT, INIT, SEGMENTS, Site, TITLE};

const OURS: &str = "Origin: https://www.example.org";

fn site(credentials: bool) -> Site {
    let origins = vec!["https://www.example.org".to_owned(), "http://localhost:5173".to_owned()];
    let cors = Cors { origins, credentials, ..Cors::default() };
    Site::edited(ServeLimits::default(), None, |gateway| gateway.with_cors(cors))
}

fn preflight(site: &Site, target: &str, origin: &str) -> Answer {
    let method = "Access-Control-Request-Method: GET";
    let names = "Access-Control-Request-Headers: authorization";
    site.send(&format!("OPTIONS {target}"), &[origin, method, names])
}

fn assert_closed(answer: &Answer) {
    for name in
        ["access-control-allow-origin", "access-control-allow-methods", "timing-allow-origin"]
    {
        assert_eq!(answer.header(name), None, "{}", answer.head);
    }
}

#[test]
fn a_listed_origin_may_ask_for_data_and_read_it_with_its_errors_and_times() {
    let site = site(false);
    let answer = preflight(&site, &format!("/v1/grants/{GRANT}"), OURS);
    assert_eq!(answer.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", "https://www.example.org"),
        ("access-control-allow-methods", "DELETE, GET, HEAD, POST"),
        ("access-control-max-age", "7200"),
        ("vary", "origin"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
    let allowed = answer.header("access-control-allow-headers").unwrap();
    assert!(allowed.contains("authorization") && allowed.contains("range"), "{allowed}");
    let url = site.url(SEGMENTS[0]);
    for target in [format!("/v1/grants/{GRANT}"), url, format!("/o/t/{TITLE}/{INIT}")] {
        let answer = site.send(&format!("GET {target}"), &[OURS]);
        for name in ["access-control-allow-origin", "timing-allow-origin"] {
            assert_eq!(answer.header(name), Some("https://www.example.org"), "{target}");
        }
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("content-range") && exposed.contains("retry-after"));
    }
    let other = site.send("GET /o/x", &["Origin: http://localhost:5173"]);
    let allowed = other.header("access-control-allow-origin");
    assert_eq!(allowed, Some("http://localhost:5173"));
}

#[test]
fn an_origin_that_is_not_listed_letter_for_letter_gets_nothing_of_it() {
    let site = site(false);
    let target = format!("/v1/grants/{GRANT}");
    for origin in [
        "https://evil.example",
        "http://www.example.org",
        "https://www.example.org.evil.example",
        "https://WWW.example.org",
        "https://www.example.org:443",
        "https://sub.www.example.org",
        "null",
        "*",
    ] {
        let origin = format!("Origin: {origin}");
        let answer = preflight(&site, &target, &origin);
        answer.is_problem(405, "method-not-allowed");
        assert_closed(&answer);
        let answer = site.send(&format!("GET {target}"), &[&origin]);
        assert_closed(&answer);
        assert_eq!(answer.header("vary"), Some("origin"));
    }
    assert_closed(&site.send(&format!("GET {target}"), &[]));
}

#[test]
fn the_page_is_nobody_elses_and_without_a_list_there_is_no_word_of_it() {
    for answer in [preflight(&site(false), "/w/x", OURS), site(false).send("GET /w/x", &[OURS])] {
        assert_closed(&answer);
    }
    let site = Site::new();
    let answer = site.send(&format!("GET /v1/grants/{GRANT}"), &[OURS]);
    assert_closed(&answer);
    assert_eq!(answer.header("vary"), None);
    preflight(&site, &format!("/v1/grants/{GRANT}"), OURS).is_problem(405, "method-not-allowed");
}

#[test]
fn cookies_come_along_only_where_that_was_set_and_a_refusal_by_rate_can_be_read() {
    let answer = preflight(&site(true), "/o/x", OURS);
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    let origins = vec!["https://www.example.org".to_owned()];
    let limits = RateLimits { grant_burst: 1, ..RateLimits::default() };
    let site = Site::edited(ServeLimits::default(), None, |gateway| {
        let cors = Cors { origins, ..Cors::default() };
        gateway.with_cors(cors).with_rates(limits, Default::default())
    });
    let get = || site.send(&format!("GET /v1/grants/{GRANT}"), &[OURS]);
    assert_eq!(get().status, 401);
    let refused = get();
    refused.is_problem(429, "rate-limited");
    let allowed = refused.header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://www.example.org"));
}
