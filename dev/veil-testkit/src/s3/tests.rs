//! The store verifies what it is asked, and fails as it is told to.

use std::time::{Duration, Instant};

use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use ureq::http::Request;

use super::*;

/// How long a URL holds.
const LIFE: Duration = Duration::from_secs(60);

/// What a request gave: status and body, or that it broke off.
type Outcome = Result<(u16, Vec<u8>), String>;

fn ask(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Outcome {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = agent.run(request.body(body).unwrap()).map_err(|error| error.to_string())?;
    let read = answer.body_mut().read_to_vec().map_err(|error| error.to_string())?;
    Ok((answer.status().as_u16(), read))
}

fn bucket(server: &S3Server) -> Bucket {
    let endpoint = server.endpoint().parse().unwrap();
    Bucket::new(endpoint, UrlStyle::Path, server.bucket(), server.region()).unwrap()
}

fn get_url(server: &S3Server, secret: &str) -> String {
    let credentials = Credentials::new(server.access_key_id(), secret);
    bucket(server).get_object(Some(&credentials), "t/a").sign(LIFE).to_string()
}

fn put(server: &S3Server, content: &[u8]) {
    let credentials = Credentials::new(server.access_key_id(), server.secret());
    let url = bucket(server).put_object(Some(&credentials), "t/a").sign(LIFE);
    assert_eq!(ask("PUT", url.as_str(), &[], content), Ok((200, Vec::new())));
}

fn get(server: &S3Server) -> Outcome {
    ask("GET", &get_url(server, server.secret()), &[], &[])
}

#[test]
fn what_was_put_comes_back_and_lies_in_a_file() {
    let server = S3Server::start().unwrap();
    put(&server, b"sealed");
    assert_eq!(get(&server), Ok((200, b"sealed".to_vec())));
    assert_eq!(std::fs::read(server.folder().join("t/a")).unwrap(), b"sealed");
    assert_eq!(server.seen(), ["PUT /videos/t/a 200", "GET /videos/t/a 200"]);
    server.forget_seen();
    assert!(server.seen().is_empty());
}

#[test]
fn who_signs_wrongly_or_not_at_all_is_refused() {
    let server = S3Server::start().unwrap();
    put(&server, b"sealed");
    let status = |url: &str| ask("GET", url, &[], &[]).unwrap().0;
    assert_eq!(status(&get_url(&server, "another secret")), 403);
    assert_eq!(status(&get_url(&server, server.secret()).replace("/t/a", "/t/b")), 403);
    let bare = format!("{}/videos/t/a", server.endpoint());
    assert_eq!(status(&bare), 403);
}

#[test]
fn a_page_may_read_and_is_told_so() {
    let server = S3Server::start().unwrap();
    put(&server, b"sealed");
    let url = get_url(&server, server.secret());
    let page = [("Origin", "https://watch.example.org"), ("Access-Control-Request-Method", "GET")];
    assert_eq!(ask("OPTIONS", &url, &page, &[]).unwrap().0, 204);
    let answer = ureq::get(&url).header("Origin", page[0].1).call().unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(answer.headers()["access-control-expose-headers"], layer::EXPOSED);
}

#[test]
fn a_store_fails_as_it_is_told_and_heals() {
    let server = S3Server::start().unwrap();
    put(&server, b"sealed");
    server.fault(Fault::new(Trouble::Answer(500)).on("GET").times(1));
    server.fault(Fault::new(Trouble::Cut(3)).on("GET").times(1));
    server.fault(Fault::new(Trouble::HangUp).on("GET").times(1));
    server.fault(Fault::new(Trouble::Answer(403)).at("/other/"));
    let (status, text) = get(&server).unwrap();
    assert_eq!(status, 500);
    assert!(String::from_utf8(text).unwrap().contains("<Code>InternalError</Code>"));
    assert!(get(&server).is_err(), "a body that breaks off");
    assert!(get(&server).is_err(), "a connection that ends");
    assert_eq!(get(&server), Ok((200, b"sealed".to_vec())));
    server.fault(Fault::new(Trouble::Answer(404)));
    assert_eq!(get(&server).unwrap().0, 404);
    server.heal();
    assert_eq!(get(&server).unwrap().0, 200);
    let delay = Duration::from_millis(200);
    server.fault(Fault::new(Trouble::Slow(delay)));
    let begun = Instant::now();
    assert_eq!(get(&server).unwrap().0, 200);
    assert!(begun.elapsed() >= delay);
}

#[test]
fn a_store_goes_away_and_comes_back_with_its_objects() {
    let server = S3Server::start().unwrap();
    put(&server, b"sealed");
    server.go_away();
    assert!(get(&server).is_err());
    server.go_away();
    server.come_back().unwrap();
    server.come_back().unwrap();
    assert_eq!(get(&server), Ok((200, b"sealed".to_vec())));
}

#[test]
fn its_address_names_the_bucket_and_its_variables_the_credential() {
    let server = S3Server::start().unwrap();
    let end = format!("endpoint={}&region=us-east-1", server.endpoint());
    assert_eq!(server.url(), format!("s3://videos?{end}"));
    assert_eq!(server.url_below("a/b"), format!("s3://videos/a/b?{end}"));
    assert!(server.variables().contains(&("AWS_SECRET_ACCESS_KEY", server.secret())));
    assert!(server.folder().starts_with(server.root()));
}
