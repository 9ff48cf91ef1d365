//! URL modes end to end: what the gateway writes is fetched from another origin, as a page on the gateway's would.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;
use veil_gateway::{
    Gateway, Given, Origin, PageFiles, Place, Signer, SigningCredential, UrlLife, UrlMode,
};
use veil_presign::{Credentials, Endpoint};
use veil_testkit::S3Server;

use crate::site::{
    ABSENT, GRANT, INDEX, INIT, MANIFEST, MEDIA, SEGMENTS, Site, TITLE, bearer, object_bytes,
    write_page,
};

/// Every object that the playlist names, in its order.
const OBJECTS: [&str; 3] = [INIT, SEGMENTS[0], SEGMENTS[1]];

/// What a fetch by a page of `http://page.example` gave.
struct Fetched {
    status: u16,
    body: Vec<u8>,
    allowed: Option<String>,
}

fn fetch(url: &str, range: Option<&str>) -> Fetched {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.get(url).header("Origin", "http://page.example");
    if let Some(range) = range {
        request = request.header("Range", range);
    }
    let mut answer = request.call().unwrap();
    let allowed = answer.headers().get("access-control-allow-origin");
    let allowed = allowed.map(|value| value.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    Fetched { status, body: answer.body_mut().read_to_vec().unwrap(), allowed }
}

/// A domain that gives a folder's files to everyone, and lets every page read them.
fn public_domain(folder: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let start = lines.next().unwrap().unwrap();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let key = start.split(' ').nth(1).unwrap().trim_start_matches('/');
            let found = fs::read(folder.join(key));
            let status = if found.is_ok() { "200 OK" } else { "404 Not Found" };
            let body = found.unwrap_or_default();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nAccess-Control-Allow-Origin: *\r\n\
                 Connection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
        }
    });
    address
}

/// A gateway like any other, with this signer.
fn site(signer: Signer) -> Site {
    let titles = [(TITLE.to_owned(), signer)];
    Site::equipped(|gateway| gateway.with_title_signers(titles).unwrap())
}

/// The URLs of the signed playlist, in its order.
#[track_caller]
fn urls(site: &Site, form: &str) -> Vec<String> {
    let answer = site.get_with_bearer(&format!("/v1/grants/{GRANT}/{MEDIA}{form}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let line = |line: &str| {
        let map = line.strip_prefix("#EXT-X-MAP:URI=\"").and_then(|rest| rest.strip_suffix('"'));
        map.or((!line.starts_with('#')).then_some(line)).map(str::to_owned)
    };
    answer.text().lines().filter_map(line).collect()
}

/// Fetches what playlist, grant and signing request name, as a page would.
#[track_caller]
fn all_opens(site: &Site, origin: &str) {
    let listed = urls(site, "");
    for (url, name) in listed.iter().zip(OBJECTS) {
        assert!(url.starts_with(&format!("{origin}/")), "{url}");
        let fetched = fetch(url, None);
        assert_eq!((fetched.status, fetched.allowed.is_some()), (200, true), "{url}");
        assert!(fetched.body == object_bytes(name), "{url}");
    }
    assert_eq!(listed.len(), OBJECTS.len());
    let grant = site.get_with_bearer(&format!("/v1/grants/{GRANT}")).json();
    let preload = grant["urls"][MANIFEST].as_str().unwrap();
    assert!(fetch(preload, None).body == object_bytes(MANIFEST));
    assert!(fetch(&site.url(INIT), None).body == object_bytes(INIT));
    // The gateway itself serves nothing of the title.
    let own = listed[0].replacen(origin, "/o", 1);
    site.get(&format!("/o/t/{TITLE}/{INIT}?{own}")).is_problem(403, "signature-invalid");
}

fn presigned(server: &S3Server, end: Option<Timestamp>) -> Signer {
    let secret = server.secret().to_owned();
    let credentials = Credentials::new(server.access_key_id(), secret).unwrap();
    let source = SigningCredential::until(credentials, end);
    let endpoint = Endpoint::parse(&server.endpoint()).unwrap();
    let place = Place::bucket(endpoint, server.bucket(), "some where").unwrap();
    let region = server.region().to_owned();
    let origin = Origin { source, region, place };
    Signer::new(UrlMode::Presigned(origin), UrlLife::default()).unwrap()
}

/// Puts the title's objects below the bucket's prefix.
fn fill(server: &S3Server) {
    let folder = server.folder().join("some where/t").join(TITLE);
    fs::create_dir_all(&folder).unwrap();
    for name in [INIT, SEGMENTS[0], SEGMENTS[1], MANIFEST] {
        fs::write(folder.join(name), object_bytes(name)).unwrap();
    }
}

#[test]
fn presigned_urls_open_at_a_real_store_and_nothing_else_does() {
    let server = S3Server::start().unwrap();
    fill(&server);
    let site = site(presigned(&server, None));
    // A store checks by its own clock.
    site.set_now(&Timestamp::now().to_string());
    site.edit_record(|record| record["expires"] = json!("2099-01-01T00:00:00Z"));
    all_opens(&site, &server.endpoint());
    let url = &urls(&site, "")[1];
    let part = fetch(url, Some("bytes=10-19"));
    assert_eq!((part.status, part.body.as_slice()), (206, &object_bytes(SEGMENTS[0])[10..20]));
    for (from, to) in [
        (SEGMENTS[0], SEGMENTS[1]),
        ("X-Amz-Expires=16200", "X-Amz-Expires=16201"),
        ("&X-Amz-SignedHeaders=host", "&X-Amz-SignedHeaders=host&versionId=1"),
    ] {
        let changed = url.replacen(from, to, 1);
        assert_ne!(&changed, url);
        assert_eq!(fetch(&changed, None).status, 403, "{changed}");
    }
    let other_digit = if url.ends_with('0') { '1' } else { '0' };
    assert_eq!(fetch(&format!("{}{other_digit}", &url[..url.len() - 1]), None).status, 403);
    // The variables of the compact form stand for the same URLs.
    let compact = site.get_with_bearer(&format!("/v1/grants/{GRANT}/{MEDIA}?form=compact"));
    let value = |name: &str| {
        let start = format!("#EXT-X-DEFINE:NAME=\"{name}\",VALUE=\"");
        let line = compact.text().lines().find_map(|line| line.strip_prefix(start.as_str()));
        line.unwrap().trim_end_matches('"').to_owned()
    };
    let written = urls(&site, "?form=compact")[1].clone();
    let base = written.replace("{$veil-base}", &value("veil-base"));
    assert_eq!(&base.replace("{$veil-query}", &value("veil-query")), url);
}

#[test]
fn a_public_domain_gives_objects_by_plain_urls_that_may_be_kept() {
    let probe = Site::new();
    let address = public_domain(probe.path(""));
    let origin = format!("http://{address}");
    let place = Place::domain(Endpoint::parse(&origin).unwrap(), "").unwrap();
    let site = site(Signer::new(UrlMode::Public(place), UrlLife::default()).unwrap());
    all_opens(&site, &origin);
    let url = &urls(&site, "")[0];
    assert_eq!(*url, format!("{origin}/t/{TITLE}/{INIT}"));
    let answer = site.get_with_bearer(&format!("/v1/grants/{GRANT}/{MEDIA}"));
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    // They are the same in every window, for every host.
    site.pass(jiff::SignedDuration::from_hours(1));
    let later = site.get_with_bearer(&format!("/v1/grants/{GRANT}/{MEDIA}"));
    assert_eq!(later.header("etag"), answer.header("etag"));
    let compact = urls(&site, "?form=compact");
    assert_eq!(compact[0], format!("{{$veil-base}}{INIT}"));
}

#[test]
fn a_title_may_have_urls_of_its_own_and_the_page_may_fetch_from_both_places() {
    let place = |url: &str| Place::domain(Endpoint::parse(url).unwrap(), "").unwrap();
    let public = |url: &str| Signer::new(UrlMode::Public(place(url)), UrlLife::default()).unwrap();
    let equip = |gateway: Gateway| {
        let titles = [(TITLE, "https://here.example"), (ABSENT, "https://there.example")];
        let titles = titles.map(|(id, origin)| (id.to_owned(), public(origin)));
        gateway.with_title_signers(titles).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    write_page(folder.path(), "<!doctype html>");
    let site = Site::with_page(PageFiles::folder(folder.path()).unwrap(), equip);
    assert!(urls(&site, "")[0].starts_with("https://here.example/"));
    let page = site.get(&format!("/w/{GRANT}"));
    let policy = page.header("content-security-policy").unwrap();
    let allowed = "connect-src 'self' https://here.example https://there.example;";
    assert!(policy.contains(allowed), "{policy}");
    let bad = [("x".to_owned(), public("https://a.example"))];
    assert_eq!(site.gateway.clone().with_title_signers(bad).err(), Some("x".to_owned()));
}

#[test]
fn cookies_come_with_grant_playlist_and_304() {
    let settings: veil_gateway::UrlSettings = toml::from_str(
        "mode = \"cloudfront\"\nendpoint = \"https://cdn.example\"\nkey_pair_id = \"K1\"\n\
         secret_file = \"key\"\ncookies = true",
    )
    .unwrap();
    let credentials = Credentials::new("A", "secret".to_owned()).unwrap();
    let credentials = Some(SigningCredential::lasting(credentials));
    let given = Given { credentials, secret: Some(&p256_pem()), bucket: None };
    let site = site(settings.signer(given).unwrap());
    let playlist = format!("/v1/grants/{GRANT}/{MEDIA}");
    let first = site.get_with_bearer(&playlist);
    let tag = format!("If-None-Match: {}", first.header("etag").unwrap());
    let bearer = format!("Authorization: {}", bearer());
    let known = site.send(&format!("GET {playlist}"), &[&bearer, &tag]);
    assert_eq!(known.status, 304);
    for answer in [first, known, site.get_with_bearer(&format!("/v1/grants/{GRANT}"))] {
        let cookies: Vec<&str> =
            answer.head.lines().filter(|line| line.starts_with("set-cookie: ")).collect();
        assert_eq!(cookies.len(), 4, "{}", answer.head);
        assert!(cookies[0].contains(&format!("; Path=/t/{TITLE}/; Secure; HttpOnly")));
    }
    // What names no object needs none.
    let index = site.get_with_bearer(&format!("/v1/grants/{GRANT}/{INDEX}"));
    assert_eq!(index.header("set-cookie"), None);
}

/// A key of P-256 that anybody may know: the scalar 0x0707…, in SEC 1.
fn p256_pem() -> String {
    use base64::Engine as _;
    let head = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    let curve = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let der = [&head[..], &[7; 32], &curve].concat();
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let (first, second) = text.split_at(64);
    let label = "EC PRIVATE KEY";
    format!("-----BEGIN {label}-----\n{first}\n{second}\n-----END {label}-----\n")
}
