//! What the operator sees and does: figures, readiness, memory, and the token before them.

use std::fs;

use serde_json::Value;

use crate::client::Answer;
use crate::site::{ADMIN, GRANT, INDEX, MEDIA, SEGMENTS, Site, TITLE};

const METRICS: &str = "/performance/metrics";

impl Site {
    #[track_caller]
    pub(crate) fn as_operator(&self, start: &str) -> Answer {
        self.send(start, &[&format!("Authorization: Bearer {ADMIN}")])
    }

    /// The value of one sample of `/metrics`.
    #[track_caller]
    fn sample(&self, name: &str) -> f64 {
        let answer = self.as_operator("GET /metrics");
        let line = answer.text().lines().find_map(|line| line.strip_prefix(name));
        let value = line.unwrap_or_else(|| panic!("no {name} in {}", answer.text()));
        value.trim().parse().unwrap()
    }
}

#[test]
fn what_is_the_operators_wants_the_token() {
    let site = Site::new();
    for start in ["GET /metrics", &format!("GET {METRICS}"), "POST /performance/gc"] {
        let answer = site.send(start, &[]);
        answer.is_problem(401, "admin-missing");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        site.send(start, &["Authorization: Basic eDp5"]).is_problem(401, "admin-missing");
        let twice = format!("Authorization: Bearer {ADMIN}");
        site.send(start, &[&twice, &twice]).is_problem(401, "admin-missing");
        for wrong in ["", "x", &ADMIN[1..], &format!("{ADMIN}0"), &ADMIN.to_uppercase()] {
            let header = format!("Authorization: Bearer {wrong}");
            let answer = site.send(start, &[&header]);
            assert!(matches!(answer.status, 401 | 403), "{wrong}: {}", answer.head);
        }
        site.send(start, &[&format!("Authorization: Bearer {}", ADMIN.replace('f', "e"))])
            .is_problem(403, "admin-wrong");
        assert_eq!(site.as_operator(start).status, 200);
    }
    site.as_operator("GET /performance/gc").is_problem(405, "method-not-allowed");
    site.as_operator("GET /performance/other").is_problem(404, "not-found");
}

#[test]
fn requests_are_counted_by_pattern_and_no_id_is_among_the_labels() {
    let site = Site::new();
    assert_eq!(site.get_with_bearer(&format!("/v1/grants/{GRANT}")).status, 200);
    assert_eq!(site.get_with_bearer(&format!("/v1/grants/{GRANT}/{MEDIA}")).status, 200);
    let url = site.url(SEGMENTS[0]);
    assert_eq!(site.get(&url).body.len(), 100_000);
    assert_eq!(site.get("/nothing/here").status, 404);
    let name =
        "veilcast_http_requests_total{route=\"/v1/grants/{grant}/{playlist}\",status=\"2xx\"}";
    assert!((site.sample(name) - 1.0).abs() < 0.1);
    let name = "veilcast_http_requests_total{route=\"-\",status=\"4xx\"}";
    assert!((site.sample(name) - 1.0).abs() < 0.1);
    let name = "veilcast_http_response_bytes_total{route=\"/o/t/{title}/{name}\"}";
    assert!((site.sample(name) - 100_000.0).abs() < 0.1);
    // The grant's one preload, three objects of the playlist, and the URL that was asked for.
    assert!((site.sample("veilcast_signatures_total") - 5.0).abs() < 0.1);
    // The record and the playlist, each once, and the object.
    let reads = site.sample("veilcast_store_reads_total{outcome=\"found\"}");
    assert!((reads - 3.0).abs() < 0.1, "{reads}");
    assert!(site.sample("process_resident_memory_bytes") > 1e6);
    assert!((site.sample("veilcast_http_requests_in_flight") - 1.0).abs() < 0.1);
    let answer = site.as_operator("GET /metrics");
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(kind));
    for secret in [GRANT, TITLE, INDEX, MEDIA, SEGMENTS[0], ADMIN] {
        assert!(!answer.text().contains(secret), "{secret}");
    }
}

#[test]
fn the_figures_in_json_are_those_of_the_text() {
    let site = Site::new();
    for _ in 0..10 {
        assert_eq!(site.get_with_bearer(&format!("/v1/grants/{GRANT}/{MEDIA}")).status, 200);
    }
    let figures = site.as_operator(&format!("GET {METRICS}")).json();
    let routes = figures["requests"]["routes"].as_array().unwrap();
    let is_playlist = |route: &&Value| route["route"] == "/v1/grants/{grant}/{playlist}";
    let playlist = routes.iter().find(is_playlist).unwrap();
    assert_eq!(playlist["count"], 10);
    assert_eq!(playlist["by_status"], serde_json::json!({ "2xx": 10 }));
    let quantile = |name: &str| playlist["time"][name].as_f64().unwrap();
    assert!(quantile("p50_us") > 0.0 && quantile("p50_us") <= quantile("p90_us"));
    assert!(quantile("p90_us") <= quantile("p99_us"));
    // Signed once, and read once: the record and the playlist.
    assert_eq!(figures["signatures"], 3);
    assert_eq!(figures["store"]["reads"]["found"], 2);
    assert!(figures["memory"]["resident_bytes"].as_u64().unwrap() > 1 << 20);
    assert!(figures["cpu_s"].as_f64().unwrap() > 0.0);
    assert_eq!(figures["requests"]["in_flight"], 1);
    assert_eq!(figures["log_lines_dropped"], 0);
}

#[test]
fn giving_memory_back_is_answered_with_what_it_was() {
    let answer = Site::new().as_operator("POST /performance/gc").json();
    assert!(answer["resident_bytes_before"].as_u64().unwrap() > 1 << 20);
    assert!(answer["resident_bytes_after"].as_u64().unwrap() > 1 << 20);
    let purged: Vec<&str> = answer["purged"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|cache| cache["name"].as_str())
        .collect();
    assert_eq!(purged, ["manifests", "templates", "grants", "urls", "absent"]);
}

#[test]
fn a_gateway_whose_bucket_has_gone_lives_and_is_not_ready() {
    let site = Site::new();
    fs::rename(site.path(""), site.path("../away")).unwrap();
    let answer = site.get("/readyz");
    answer.is_problem(503, "not-ready");
    assert_eq!(answer.json()["reasons"], serde_json::json!(["store-unavailable"]));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(site.get("/healthz").status, 200);
}

#[test]
fn a_gateway_whose_bucket_answers_is_ready_whatever_the_host() {
    let site = Site::new();
    let answer = crate::client::send(site.address, "GET /readyz", &["Host: 10.0.0.7"], "");
    assert_eq!((answer.status, answer.text()), (200, "ready"));
}
