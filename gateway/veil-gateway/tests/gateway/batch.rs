//! Many reads in one request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::{Answer, send};
use crate::site::{
    ABSENT, ADMIN, EMPTY, GRANT, INDEX, MANIFEST, MEDIA, SEGMENTS, Site, TITLE, bearer,
    object_bytes,
};

impl Site {
    #[track_caller]
    fn post_batch(&self, body: &str) -> Answer {
        let host = format!("Host: {}", self.address);
        let length = format!("Content-Length: {}", body.len());
        send(self.address, "POST /v1/batch", &[&host, &length], body)
    }

    /// The answers to these requests.
    #[track_caller]
    fn batch(&self, requests: &[Value]) -> Vec<Value> {
        let answer = self.post_batch(&json!({ "requests": requests }).to_string());
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        answer.json().as_array().unwrap().clone()
    }
}

fn with_bearer(path: &str) -> Value {
    json!({ "path": path, "headers": { "authorization": bearer() } })
}

#[test]
fn each_answer_is_what_the_request_alone_would_get_and_none_fails_another() {
    let site = Site::new();
    let playlist = format!("/v1/grants/{GRANT}/{MEDIA}");
    let url = site.url(EMPTY);
    let answers = site.batch(&[
        with_bearer(&playlist),
        json!({ "path": playlist }),
        with_bearer(&format!("/v1/grants/{ABSENT}")),
        json!({ "path": "/nothing" }),
        json!({ "path": url }),
        with_bearer(&format!("/v1/grants/{GRANT}/{INDEX}")),
    ]);
    let statuses: Vec<_> =
        answers.iter().map(|answer| answer["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 401, 404, 404, 200, 200]);
    let alone = site.get_with_bearer(&playlist);
    assert_eq!(answers[0]["body"], alone.text());
    assert_eq!(answers[0]["headers"]["content-type"], "application/vnd.apple.mpegurl");
    assert_eq!(answers[0]["headers"]["cache-control"], alone.header("cache-control").unwrap());
    assert!(answers[0]["headers"].get("content-security-policy").is_none());
    let problem: Value = serde_json::from_str(answers[1]["body"].as_str().unwrap()).unwrap();
    assert_eq!(problem["type"], "bearer-missing");
    assert_eq!(answers[1]["headers"]["www-authenticate"], "Bearer");
    assert_eq!(
        answers[4],
        json!({
            "status": 200, "body_base64": "", "headers": answers[4]["headers"]
        })
    );
    let figures = site.as_operator("GET /performance/metrics").json();
    let routes = figures["requests"]["routes"].as_array().unwrap();
    let count = |pattern: &str| {
        let route = routes.iter().find(|route| route["route"] == pattern);
        route.map_or(0, |route| route["count"].as_u64().unwrap())
    };
    assert_eq!(count("/v1/grants/{grant}/{playlist}"), 4);
    assert_eq!(count("/v1/batch"), 1);
}

#[test]
fn objects_are_ranged_and_large_ones_are_left_to_a_request_of_their_own() {
    let site = Site::new();
    let url = site.url(SEGMENTS[0]);
    let ranged = json!({ "path": url, "headers": { "range": "bytes=10-19" } });
    let [whole, part] = site.batch(&[json!({ "path": url }), ranged]).try_into().unwrap();
    assert_eq!(whole["status"], 413);
    assert!(whole["body"].as_str().unwrap().contains("too-large"));
    assert_eq!(part["status"], 206);
    assert_eq!(part["headers"]["content-range"], "bytes 10-19/100000");
    let bytes = STANDARD.decode(part["body_base64"].as_str().unwrap()).unwrap();
    assert_eq!(bytes, object_bytes(SEGMENTS[0])[10..20]);
}

#[test]
fn the_bodies_together_stay_within_a_mebibyte() {
    let site = Site::new();
    // A playlist of 200 kB once it is signed: five fit, six do not.
    let mut text = String::from("#EXTM3U\n#EXT-X-TARGETDURATION:2\n");
    for number in 0..450 {
        text.push_str(&format!("#EXTINF:2,\n{number:032x}\n"));
    }
    site.write(&format!("t/{TITLE}/{MEDIA}"), text.as_bytes());
    let request = with_bearer(&format!("/v1/grants/{GRANT}/{MEDIA}"));
    let size = site.get_with_bearer(&format!("/v1/grants/{GRANT}/{MEDIA}")).body.len();
    let fitting = (1 << 20) / size;
    let answers = site.batch(&vec![request; 32]);
    let whole = answers.iter().filter(|answer| answer["status"] == 200).count();
    assert!((1..=fitting).contains(&whole), "{whole} of {fitting}");
    let refused = answers.iter().filter(|answer| answer["status"] == 413).count();
    assert_eq!(whole + refused, 32);
}

#[test]
fn neither_a_batch_nor_what_is_the_operators_is_in_a_batch() {
    let site = Site::new();
    let token = json!({ "authorization": format!("Bearer {ADMIN}") });
    for path in ["/v1/batch", "/performance/metrics", "/performance/gc", "/metrics"] {
        let [answer] = site.batch(&[json!({ "path": path, "headers": token })]).try_into().unwrap();
        assert_eq!(answer["status"], 404, "{path}");
    }
}

#[test]
fn what_is_no_batch_is_refused_before_anything_is_done() {
    let site = Site::new();
    let check = |body: &str| site.post_batch(body).is_problem(400, "bad-request");
    for body in
        ["", "{}", "{\"requests\": []}", "{\"requests\": [{\"path\": \"//evil.example/\"}]}"]
    {
        check(body);
    }
    check(&json!({ "requests": vec![json!({ "path": "/" }); 33] }).to_string());
    check(
        &json!({ "requests": [{ "path": "/", "headers": { "host": "evil.example" } }] })
            .to_string(),
    );
    check(
        &json!({ "requests": [{ "path": "/", "headers": { "x-real-ip": "1.2.3.4" } }] })
            .to_string(),
    );
    site.post_batch(&" ".repeat((64 << 10) + 1)).is_problem(413, "too-large");
    site.send("GET /v1/batch", &[]).is_problem(405, "method-not-allowed");
    assert_eq!(site.batch(&[with_bearer(&format!("/v1/grants/{GRANT}"))])[0]["status"], 200);
    let object = format!("/o/t/{TITLE}/{MANIFEST}");
    assert_eq!(site.batch(&[json!({ "path": object })])[0]["status"], 403);
}
