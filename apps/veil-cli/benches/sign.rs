//! A playlist of 600 segments, signed by this project every way that the processor has, and by two crates of others.
//!
//! They take turns, and each pass over the playlist is a sample, so whatever slows the machine slows them all. Before that
//! all give the same signatures, or the bench fails. Prints one JSON object for `cargo xtask bench sign`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench fails by panicking and talks to whoever ran it"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use jiff::Timestamp;
use rusty_s3::S3Action as _;
use serde_json::{Value, json};
use veil_hls::template::{Limits, Target, Template};
use veil_hls::write::{SegmentLine, media_playlist};
use veil_presign::{Batch, Credentials, Lanes, Names, Request, SigningKey};

const SEGMENTS: usize = 600;

/// Turns of each.
const TURNS: usize = 25;

/// Passes in a turn. The first pays for what the neighbours left in the caches, and for the wide vector units that a
/// processor switches off when nobody uses them: it is told apart.
const PASSES: usize = 20;

/// Compressions of SHA-256 that 600 URLs can't do without: nine a URL, the shared beginnings aside.
const FLOOR_COMPRESSIONS: usize = SEGMENTS * 9;

const ID: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const HOST: &str = "0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com";
const BUCKET: &str = "videos";
const PREFIX: &str = "v/7f3a9c2e-1b4d-4e8a-9f00-0123456789ab/720p/";
const REGION: &str = "auto";
const DATE: &str = "2026-11-20T10:16:02Z";
const EXPIRES_S: u32 = 14_400;

fn now() -> Timestamp {
    DATE.parse().unwrap()
}

/// What all sign.
struct Work {
    names: Vec<String>,
    playlist: String,
    template: Template,
    prepared: Names,
    credentials: Credentials,
    folder: String,
}

impl Work {
    fn new() -> Self {
        let names: Vec<String> = (0..SEGMENTS).map(|at| format!("seg_{at:05}.m4s")).collect();
        let segments: Vec<_> =
            names.iter().map(|uri| SegmentLine { uri, duration_us: 6_000_000 }).collect();
        let playlist = media_playlist(None, &segments);
        let template = Template::parse(playlist.as_bytes(), Limits::default()).unwrap();
        let prepared = Names::new(template.objects().map(|object| object.path));
        let credentials = Credentials::new(ID, SECRET.to_owned()).unwrap();
        let folder = format!("/{BUCKET}/{PREFIX}");
        Self { names, playlist, template, prepared, credentials, folder }
    }

    /// From the playlist's bytes to the signed playlist, with nothing known before.
    fn cold(&self, lanes: Lanes) -> Vec<u8> {
        let template = Template::parse(self.playlist.as_bytes(), Limits::default()).unwrap();
        let names = Names::new(template.objects().map(|object| object.path));
        let key = SigningKey::derive(&self.credentials, now(), REGION).unwrap();
        self.signed(lanes, &key, &template, &names)
    }

    /// A cold miss of a gateway that has the template and the day's key: sign and emit.
    fn signed(
        &self,
        lanes: Lanes,
        key: &SigningKey,
        template: &Template,
        names: &Names,
    ) -> Vec<u8> {
        let batch = Batch::new(key, &Request::get(HOST, &self.folder, EXPIRES_S), now()).unwrap();
        let signatures = batch.sign(lanes, names);
        let text = batch.urls("https");
        let mut out = Vec::new();
        let write = |target, out: &mut Vec<u8>| {
            let (Target::Object(at) | Target::Playlist(at)) = target;
            text.push(names.get(at), &signatures[at], out);
        };
        template.emit(&[], &mut out, write).unwrap();
        out
    }
}

/// rusty-s3, by its own documentation: one action a URL.
struct RustyS3 {
    bucket: rusty_s3::Bucket,
    credentials: rusty_s3::Credentials,
    keys: Vec<String>,
}

impl RustyS3 {
    fn new(work: &Work) -> Self {
        let endpoint = format!("https://{HOST}").parse().unwrap();
        let style = rusty_s3::UrlStyle::Path;
        Self {
            bucket: rusty_s3::Bucket::new(endpoint, style, BUCKET, REGION).unwrap(),
            credentials: rusty_s3::Credentials::new(ID, SECRET),
            keys: work.names.iter().map(|name| format!("{PREFIX}{name}")).collect(),
        }
    }

    fn sign(&self) -> Vec<String> {
        let life = Duration::from_secs(EXPIRES_S.into());
        let one = |key| {
            let action =
                rusty_s3::actions::GetObject::new(&self.bucket, Some(&self.credentials), key);
            String::from(action.sign_with_time(life, &now()))
        };
        self.keys.iter().map(|key| one(key)).collect()
    }
}

/// aws-sigv4, set to S3's rules.
struct AwsSigV4 {
    identity: aws_smithy_runtime_api::client::identity::Identity,
    settings: SigningSettings,
    urls: Vec<String>,
}

impl AwsSigV4 {
    fn new(work: &Work) -> Self {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        settings.expires_in = Some(Duration::from_secs(EXPIRES_S.into()));
        let credentials = aws_credential_types::Credentials::new(ID, SECRET, None, None, "bench");
        let url = |name| format!("https://{HOST}{}{name}", work.folder);
        let urls = work.names.iter().map(url).collect();
        Self { identity: credentials.into(), settings, urls }
    }

    fn sign(&self) -> Vec<String> {
        self.urls.iter().map(|url| self.sign_one(url)).collect()
    }

    fn sign_one(&self, url: &str) -> String {
        let parameters = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(REGION)
            .name("s3")
            .time(now().into())
            .settings(self.settings.clone())
            .build()
            .unwrap()
            .into();
        let body = SignableBody::UnsignedPayload;
        let request = SignableRequest::new("GET", url, std::iter::empty(), body).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        let mut request = http::Request::builder().uri(url).body(()).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        request.uri().to_string()
    }
}

fn signatures(text: &str) -> Vec<&str> {
    text.split("X-Amz-Signature=").skip(1).map(|rest| &rest[..64]).collect()
}

/// One block after the other, as `sha2` does it.
fn floor(blocks: &[[u8; 64]]) -> [u32; 8] {
    let mut state = [0; 8];
    sha2::block_api::compress256(&mut state, blocks);
    state
}

fn time<T>(samples: &mut Vec<Duration>, call: impl Fn() -> T) {
    for _ in 0..PASSES {
        let start = Instant::now();
        black_box(call());
        samples.push(start.elapsed());
    }
}

fn figures(samples: &[Duration]) -> Value {
    let median = |mut samples: Vec<Duration>| {
        samples.sort_unstable();
        samples[samples.len() / 2].as_secs_f64() * 1e6
    };
    let first = samples.iter().copied().step_by(PASSES).collect();
    json!({ "median_us": median(samples.to_vec()), "first_us": median(first) })
}

fn main() {
    let work = Work::new();
    let key = SigningKey::derive(&work.credentials, now(), REGION).unwrap();
    let ours = |lanes| work.signed(lanes, &key, &work.template, &work.prepared);
    let (rusty, aws) = (RustyS3::new(&work), AwsSigV4::new(&work));
    let blocks = vec![[0x5a; 64]; FLOOR_COMPRESSIONS];
    let ways: Vec<Lanes> = Lanes::NAMES.into_iter().filter_map(Lanes::named).collect();

    let reference = String::from_utf8(ours(Lanes::portable())).unwrap();
    for other in ways.iter().map(|lanes| String::from_utf8(ours(*lanes)).unwrap()) {
        assert!(other == reference);
    }
    let expected = signatures(&reference);
    assert_eq!(expected.len(), SEGMENTS);
    for urls in [rusty.sign(), aws.sign()] {
        assert_eq!(signatures(&urls.join("\n")), expected);
    }

    let mut of_ways = vec![Vec::new(); ways.len()];
    let [mut cold, mut of_rusty, mut of_aws, mut of_floor] = [const { Vec::new() }; 4];
    for _ in 0..TURNS {
        for (lanes, samples) in ways.iter().zip(&mut of_ways) {
            time(samples, || ours(*lanes));
        }
        time(&mut cold, || work.cold(ways[0]));
        time(&mut of_floor, || floor(&blocks));
        time(&mut of_rusty, || rusty.sign());
        time(&mut of_aws, || aws.sign());
    }
    let mut calls: serde_json::Map<String, Value> = ways
        .iter()
        .zip(&of_ways)
        .map(|(lanes, samples)| (lanes.name().to_owned(), figures(samples)))
        .collect();
    calls.insert("cold".into(), figures(&cold));
    calls.insert("floor".into(), figures(&of_floor));
    calls.insert("rusty-s3".into(), figures(&of_rusty));
    calls.insert("aws-sigv4".into(), figures(&of_aws));
    let job = json!({
        "id": ID, "secret": SECRET, "region": REGION, "endpoint": format!("https://{HOST}"),
        "bucket": BUCKET, "prefix": PREFIX, "names": work.names, "expires_s": EXPIRES_S,
        "date": "20261120T101602Z",
    });
    let report = json!({
        "samples": TURNS * PASSES, "signed_bytes": reference.len(), "calls": calls,
        "signatures": expected, "job": job,
    });
    println!("{report}");
}
