//! What the gateway reads: playlists from the bucket, and the URLs that viewers come back with.

use std::fmt::{Debug, Display};

use http::header::RANGE;
use http::{HeaderMap, HeaderValue};
use veil_hls::marked::{MarkedLine, MarkedPlaylist, marked_playlist};
use veil_hls::template::{Limits, PlaylistError, Reference, Target, Template, Variable};
use veil_hls::write;
use veil_presign::{Credentials, Lanes, Names, Presented, Request, SigningKey, presign, verify};

const VARIABLES: [Variable<'static>; 2] = [("veil-base", "https://a/"), ("veil-query", "?b&c=")];

/// Reads a playlist: written out with its own URIs it is what was read, and none of them leaves the folder.
pub fn run_playlist(bytes: &[u8]) {
    run_marked(bytes);
    let Ok(template) = Template::parse(bytes, Limits::default()) else { return };
    assert_eq!(emit(&template, &[]).unwrap(), bytes);
    for reference in template.objects().chain(template.playlists()) {
        check_reference(&reference);
    }
    match emit(&template, &VARIABLES) {
        Ok(defined) => {
            let again = Template::parse(&defined, Limits::default()).unwrap();
            assert!(again.objects().eq(template.objects()));
            assert!(again.playlists().eq(template.playlists()));
        }
        Err(error) => assert!(matches!(error, PlaylistError::VariableTaken { .. })),
    }
}

/// Composes a marked playlist: no variant's tag is left, and as many segments are.
fn run_marked(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(marked) = MarkedPlaylist::parse(text) else { return };
    assert!(MarkedPlaylist::is_one(text));
    for is_second in [false, true] {
        let composed = marked.compose(|_| is_second);
        assert!(!MarkedPlaylist::is_one(&composed));
        let uris = composed.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(uris.count(), marked.slot_count());
    }
}

fn emit(template: &Template, variables: &[Variable<'_>]) -> Result<Vec<u8>, PlaylistError> {
    let playlists: Vec<_> = template.playlists().collect();
    let objects: Vec<_> = template.objects().collect();
    let mut out = Vec::new();
    template.emit(variables, &mut out, |target, out| {
        let reference = match target {
            Target::Playlist(at) => &playlists[at],
            Target::Object(at) => &objects[at],
        };
        out.extend_from_slice(reference.uri.as_bytes());
    })?;
    Ok(out)
}

fn check_reference(reference: &Reference<'_>) {
    let bad = |segment: &str| matches!(segment, "" | "." | "..") || segment.contains(['\\', '%']);
    assert!(!reference.path.split('/').any(bad), "{reference:?}");
    assert!(!reference.path.bytes().any(|b| b < b' '), "{reference:?}");
    assert!(reference.uri.ends_with(reference.suffix));
}

/// A media playlist, a marked one, a multivariant one, and one with everything that is odd.
#[must_use]
pub fn playlist_seeds() -> Vec<Vec<u8>> {
    let segment = |uri| write::SegmentLine { uri, duration_us: 2_000_000 };
    let media = write::media_playlist(Some("init"), &[segment("a"), segment("b"), segment("a")]);
    let range = |offset_bytes| write::ByteRange { length_bytes: 9, offset_bytes };
    let part = |at: u64| write::FileSegmentLine { range: range(9 * at), duration_us: 2_000_000 };
    let file = write::file_playlist("f", range(0), &[part(1), part(2)]);
    let twins = |first, second| MarkedLine { first, second, duration_us: 1_000_000 };
    let marked = marked_playlist("init", &[twins("a", "b"), twins("c", "d")]);
    let subtitles = write::SubtitlesRendition { number: 512, forced: true, uri: "s.m3u8" };
    let list = write::Multivariant { subtitles: vec![subtitles], ..Default::default() };
    let odd = "\u{feff}#EXTM3U\r\n#EXT-X-DEFINE:NAME=\"x\",VALUE=\"y\"\r\n\
        #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://k\",IV=0x1\r\n#EXT-X-MAP:URI=\"i%20j\",BYTERANGE=\"9@0\"\r\n\
        #EXT-X-BYTERANGE:9\r\n a/b.ts?c=d#e \r\n# note\r\n\r\nhttps://h/x\r\ndata:,a";
    vec![
        media.into(),
        file.into(),
        marked.into(),
        write::multivariant_playlist(&list).into(),
        odd.into(),
    ]
}

const HOST: &str = "localhost";
const PATH: &str = "/o/t/a b";
const SIGNED_AT: &str = "2026-11-20T10:00:00Z";

fn key() -> SigningKey {
    let credentials = Credentials::new("id", "secret".to_owned()).unwrap();
    SigningKey::derive(&credentials, SIGNED_AT.parse().unwrap(), "auto").unwrap()
}

fn query() -> String {
    let target =
        presign(&key(), &Request::get(HOST, PATH, 60), SIGNED_AT.parse().unwrap()).unwrap();
    target.split_once('?').unwrap().1.to_owned()
}

/// Verifies a query: what is accepted says what the signed one says, in whatever order and encoding.
pub fn run_query(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let presented = Presented { method: "GET", host: HOST, path: "/o/t/a%20b", query: text };
    if verify(&presented, SIGNED_AT.parse().unwrap(), |_| Some(key())).is_ok() {
        assert_eq!(parameters(text), parameters(&query()));
    }
}

fn parameters(query: &str) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = query.split('&').map(decoded).collect();
    all.sort();
    all
}

pub(crate) fn decoded(text: &str) -> Vec<u8> {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        out.push(u8::from_str_radix(digits, 16).unwrap());
        out.extend_from_slice(rest.as_bytes());
    }
    out
}

/// A query that is accepted.
#[must_use]
pub fn query_seeds() -> Vec<Vec<u8>> {
    vec![query().into()]
}

/// Signs names, one a line: every way gives what signing one by one gives.
pub fn run_names(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let plain: Vec<&str> = text.lines().collect();
    let (key, now) = (key(), SIGNED_AT.parse().unwrap());
    let batch = veil_presign::Batch::new(&key, &Request::get(HOST, "/b/", 60), now).unwrap();
    let names = Names::new(plain.iter().copied());
    for lanes in Lanes::NAMES.into_iter().filter_map(Lanes::named) {
        for (at, signature) in batch.sign(lanes, &names).iter().enumerate() {
            let mut target = Vec::new();
            batch.targets().push(names.get(at), signature, &mut target);
            let path = format!("/b/{}", plain[at]);
            let one = presign(&key, &Request::get(HOST, &path, 60), now).unwrap();
            assert_eq!(target, one.as_bytes());
        }
    }
}

/// Names of one length, and of many.
#[must_use]
pub fn names_seeds() -> Vec<Vec<u8>> {
    let same: String = (0..20).map(|at| format!("seg_{at:05}.m4s\n")).collect();
    let many: String = (0..20).map(|at| format!("{}\n", "é/ ".repeat(at))).collect();
    vec![same.into(), many.into()]
}

/// Reads the body of a batch: no path of it leads to another host, and no header is one that names one.
pub fn run_batch(bytes: &[u8]) {
    let Ok(entries) = veil_gateway::parse_batch(bytes) else { return };
    assert!((1..=32).contains(&entries.len()));
    for entry in entries {
        let target = entry.target.as_str();
        assert!(target.starts_with('/') && !target.starts_with("//"), "{target}");
        assert!(target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{target}");
        for (name, value) in &entry.headers {
            assert!(!["host", "content-length", "transfer-encoding"].contains(&name.as_str()));
            assert!(value.as_bytes().iter().all(|byte| *byte >= b' ' || *byte == b'\t'));
        }
    }
}

/// A batch of two requests, one of them with headers.
#[must_use]
pub fn batch_seeds() -> Vec<Vec<u8>> {
    let two = r#"{"requests": [{"path": "/v1/grants/a?b", "headers": {"authorization": "Bearer x",
        "range": "bytes=0-9"}}, {"path": "/"}]}"#;
    vec![two.into(), br#"{"requests":[{"path":"/a","headers":{}}]}"#.to_vec()]
}

/// Reads a `Range`: what is asked for, written as the RFC does, asks for the same, and a bounded range has a byte.
pub fn run_range(bytes: &[u8]) {
    let Some(range) = read_range(bytes) else { return };
    let text = range.to_string();
    assert_eq!(read_range(text.as_bytes()), Some(range), "{text}");
}

fn read_range(bytes: &[u8]) -> Option<impl PartialEq + Debug + Display + use<>> {
    let value = HeaderValue::from_bytes(bytes).ok()?;
    veil_gateway::parse_range(&HeaderMap::from_iter([(RANGE, value)]))
}

/// Its three forms, and the largest number.
#[must_use]
pub fn range_seeds() -> Vec<Vec<u8>> {
    ["bytes=0-0", "bytes=16400-", "bytes=-5", "Bytes= 5-18446744073709551615 "]
        .map(|text| text.as_bytes().to_vec())
        .into()
}
