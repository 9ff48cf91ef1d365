//! Modes, windows, lives and rotation.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use veil_presign::Endpoint;

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const FOLDER: &str = "t/00112233445566778899aabbccddeeff/";
const NAME: &str = "ffeeddccbbaa99887766554433221100";
const DAY_S: u32 = 86_400;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn after(start: Timestamp, seconds: i64) -> Timestamp {
    start + SignedDuration::from_secs(seconds)
}

fn credentials(id: &str) -> Credentials {
    Credentials::new(id, SECRET.to_owned()).unwrap()
}

fn fixed(id: &str) -> CredentialSource {
    SigningCredential::lasting(credentials(id))
}

fn presigned(id: &str, region: &str, place: Place) -> UrlMode {
    UrlMode::Presigned(Origin { source: fixed(id), region: region.to_owned(), place })
}

fn place() -> Place {
    Place::domain(Endpoint::parse("https://cdn.example").unwrap(), "").unwrap()
}

fn bucket() -> Place {
    let endpoint = Endpoint::parse("http://127.0.0.1:9000").unwrap();
    Place::bucket(endpoint, "videos", "a b").unwrap()
}

fn signer(mode: UrlMode) -> Signer {
    Signer::new(mode, UrlLife::default()).unwrap()
}

/// What one request gets.
struct Made {
    url: String,
    stamp: Stamp,
    mark: [u8; 32],
}

fn make(signer: &Signer, now: Timestamp, duration_s: u32, end: Option<Timestamp>) -> Made {
    let host = Host::from("127.0.0.1:8787");
    let purpose = Purpose { host: &host, folder: FOLDER, duration_s, end };
    let stamp = signer.stamp(&purpose, now).unwrap();
    let urls = signer.urls(&purpose, stamp).unwrap();
    let names = Names::new([NAME]);
    let mut url = Vec::new();
    urls.write(signer.lanes, &names, Form::Whole).push(0, &mut url);
    let mut mark = Sha256::new();
    signer.mark(&purpose, stamp, &mut mark);
    Made { url: String::from_utf8(url).unwrap(), stamp, mark: mark.finalize().into() }
}

fn local() -> Signer {
    Signer::local(credentials("AKIATEST"))
}

fn is_good(signer: &Signer, url: &str, now: Timestamp) -> bool {
    let (path, query) = url.split_once('?').unwrap();
    signer.verify(&Host::from("127.0.0.1:8787"), path, query, now).is_ok()
}

#[test]
fn one_window_gives_one_url_and_the_next_window_another() {
    let signer = local();
    let start = make(&signer, at("2026-11-20T10:00:00Z"), 0, None).stamp.signed_at;
    let first = make(&signer, start, 0, None);
    assert!(first.url.contains("&X-Amz-Expires=16200&"), "{}", first.url);
    assert!(is_good(&signer, &first.url, start));
    assert_eq!(make(&signer, after(start, 1799), 0, None).url, first.url);
    let next = make(&signer, after(start, 1800), 0, None);
    assert_ne!(next.url, first.url);
    assert_ne!(next.mark, first.mark);
    // A clock that is set back gives the window's URL again.
    assert_eq!(make(&signer, after(start, 900), 0, None).url, first.url);
}

#[test]
fn a_window_that_began_before_midnight_is_signed_with_its_own_days_key() {
    let signer = local();
    let midnight = at("2026-11-21T00:00:00Z");
    let start = make(&signer, midnight, 0, None).stamp.signed_at;
    assert!(start < midnight, "the title was chosen so");
    let (before, past) =
        (make(&signer, after(midnight, -1), 0, None), make(&signer, midnight, 0, None));
    assert_eq!(before.url, past.url);
    assert!(past.url.contains("%2F20261120%2Flocal%2Fs3%2F"), "{}", past.url);
    assert!(is_good(&signer, &past.url, midnight));
    let later = make(&signer, after(start, 1800), 0, None).url;
    assert!(later.contains("%2F20261121%2Flocal%2Fs3%2F"), "{later}");
    assert!(is_good(&signer, &later, after(start, 1800)));
}

#[test]
fn a_url_ends_with_its_grant() {
    let now = at("2026-11-20T10:10:00Z");
    let signer = local();
    let soon = make(&signer, now, 0, Some(after(now, 1)));
    assert_eq!(soon.stamp.end(), after(now, 1));
    assert_ne!(soon.mark, make(&signer, now, 0, None).mark);
    let late = make(&signer, now, 0, Some(after(now, i64::from(30 * DAY_S))));
    assert_eq!(late.mark, make(&signer, now, 0, None).mark, "far ends share a manifest");
}

#[test]
fn a_url_lives_longer_than_its_video_whenever_in_the_window_it_is_made() {
    let signer = local();
    for duration_s in [0, 60, 3600, 14_000, 5 * 3600, DAY_S, 6 * DAY_S, 30 * DAY_S] {
        for second in (0..1800).step_by(97) {
            let now = after(at("2026-11-20T10:00:00Z"), second);
            let stamp = make(&signer, now, duration_s, None).stamp;
            let left_s = stamp.end().as_second() - now.as_second();
            assert!(stamp.expires_s <= EXPIRES_MAX_S);
            assert!(left_s >= 14_400, "{left_s}");
            if duration_s <= 6 * DAY_S {
                assert!(
                    left_s >= i64::from(duration_s + if duration_s == 0 { 0 } else { MARGIN_S })
                );
            } else {
                assert_eq!(stamp.expires_s, EXPIRES_MAX_S);
            }
            let spare_s = stamp.spare_s(now).unwrap();
            assert!(i64::from(spare_s) <= left_s);
        }
    }
}

#[test]
fn each_mode_has_its_text_and_its_origin() {
    let now = at("2026-11-20T10:10:00Z");
    let pem = p256_pem();
    let key = || CloudFrontKey::from_pem("K1", &pem).unwrap();
    let secret = SECRET.to_owned();
    let check = |mode, start: &str, has: &str, origin: Option<&str>| {
        let signer = signer(mode);
        let url = make(&signer, now, 0, None).url;
        assert!(url.starts_with(start) && url.contains(has) && url.contains(NAME), "{url}");
        assert_eq!(signer.origin().as_deref(), origin);
    };
    let cdn = Some("https://cdn.example");
    check(UrlMode::Local(fixed("A")), &format!("/o/{FOLDER}{NAME}?"), "%2Flocal%2Fs3%2F", None);
    let mode = presigned("A", "auto", bucket());
    let start = format!("http://127.0.0.1:9000/videos/a%20b/{FOLDER}{NAME}?X-Amz-");
    check(mode, &start, "%2Fauto%2Fs3%2F", Some("http://127.0.0.1:9000"));
    let whole = format!("https://cdn.example/{FOLDER}{NAME}");
    check(UrlMode::Public(place()), &whole, "", cdn);
    let mode = UrlMode::CloudFront { key: key(), cookies: None, place: place() };
    check(mode, &format!("{whole}?Policy="), "&Key-Pair-Id=K1&", cdn);
    let cookies = Some(CookieScope { domain: None });
    check(UrlMode::CloudFront { key: key(), cookies, place: place() }, &whole, "", cdn);
    let link = SecureLink::new(secret.clone()).unwrap();
    check(
        UrlMode::SecureLink { secret: link, place: place() },
        "https://cdn.example/s/",
        FOLDER,
        cdn,
    );
    let hmac = TimedHmac::new(secret).unwrap();
    check(
        UrlMode::TimedHmac { secret: hmac, place: place() },
        &format!("{whole}?verify="),
        "-",
        cdn,
    );
}

/// A key of P-256 that anybody may know: the scalar 0x0707…, in SEC 1.
fn p256_pem() -> String {
    let head = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    let curve = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let der = [&head[..], &[7; 32], &curve].concat();
    let label = "EC PRIVATE KEY";
    let text = STANDARD.encode(der);
    let (first, second) = text.split_at(64);
    format!("-----BEGIN {label}-----\n{first}\n{second}\n-----END {label}-----\n")
}

#[test]
fn cloudfronts_cookies_are_for_the_folder_and_no_script() {
    let key = CloudFrontKey::from_pem("K1", &p256_pem()).unwrap();
    let cookies = Some(CookieScope { domain: Some("example".into()) });
    let signer = signer(UrlMode::CloudFront { key, cookies, place: place() });
    let host = Host::from("videos.example");
    let purpose = Purpose { host: &host, folder: FOLDER, duration_s: 0, end: None };
    let stamp = signer.stamp(&purpose, at("2026-11-20T10:10:00Z")).unwrap();
    let urls = signer.urls(&purpose, stamp).unwrap();
    assert_eq!(urls.cookies.len(), 4);
    let rest = format!("; Domain=example; Path=/{FOLDER}; Secure; HttpOnly; SameSite=Lax");
    for cookie in urls.cookies {
        assert!(cookie.starts_with("CloudFront-") && cookie.ends_with(&rest), "{cookie}");
    }
}

#[test]
fn signers_that_write_other_texts_have_other_marks_and_equal_ones_the_same() {
    let now = at("2026-11-20T10:10:00Z");
    let mark = |mode| make(&signer(mode), now, 0, None).mark;
    let presigned = |id: &str, region: &str, place| mark(presigned(id, region, place));
    let link = |secret: &str| {
        mark(UrlMode::SecureLink {
            secret: SecureLink::new(secret.into()).unwrap(),
            place: place(),
        })
    };
    let marks = [
        mark(UrlMode::Local(fixed("A"))),
        mark(UrlMode::Local(fixed("B"))),
        presigned("A", "auto", bucket()),
        presigned("B", "auto", bucket()),
        presigned("A", "eu", bucket()),
        presigned("A", "auto", place()),
        mark(UrlMode::Public(place())),
        link("a"),
        link("b"),
    ];
    for (at, one) in marks.iter().enumerate() {
        assert!(!marks[..at].contains(one), "{at}");
    }
    assert_eq!(mark(UrlMode::Local(fixed("A"))), marks[0], "two gateways");
    assert_eq!(link("a"), marks[7]);
}

#[test]
fn a_rotated_credential_signs_from_the_next_request_on() {
    let now = at("2026-11-20T10:10:00Z");
    let current = Arc::new(Mutex::new(SigningCredential {
        credentials: Arc::new(credentials("old")),
        end: None,
    }));
    let source = Arc::clone(&current);
    let signer = signer(UrlMode::Local(Arc::new(move || source.lock().unwrap().clone())));
    let old = make(&signer, now, 0, None);
    assert!(is_good(&signer, &old.url, now));
    let end = Some(after(now, 600));
    *current.lock().unwrap() = SigningCredential { credentials: Arc::new(credentials("new")), end };
    let new = make(&signer, now, 0, None);
    assert!(new.url.contains("=new%2F") && is_good(&signer, &new.url, now), "{}", new.url);
    assert_ne!(new.mark, old.mark);
    assert_eq!(new.stamp.end(), after(now, 600), "a URL ends with the credential that signed it");
    assert!(!is_good(&signer, &old.url, now), "what the old one signed is opened no more");
    let host = Host::from("host");
    let purpose = Purpose { host: &host, folder: FOLDER, duration_s: 0, end: None };
    assert!(signer.stamp(&purpose, after(now, 599)).is_some());
    assert_eq!(signer.stamp(&purpose, after(now, 600)), None, "an ended one signs nothing");
}

#[test]
fn without_windows_every_second_has_its_url() {
    let life = UrlLife { window_s: 0, ..UrlLife::default() };
    let signer = Signer::new(UrlMode::Local(fixed("A")), life).unwrap();
    let now = at("2026-11-20T10:10:00.5Z");
    let url = make(&signer, now, 0, None).url;
    assert!(url.contains("&X-Amz-Date=20261120T101000Z&X-Amz-Expires=14400&"), "{url}");
}

#[test]
fn a_mode_that_makes_no_url_is_refused() {
    let mode = presigned("A", "", bucket());
    assert_eq!(Signer::new(mode, UrlLife::default()).err(), Some(UnusableMode));
    let endpoint = || Endpoint::parse("https://a").unwrap();
    assert!(Place::domain(endpoint(), "../a").is_err());
    assert!(Place::bucket(endpoint(), "a/b", "").is_err());
}
