//! What a playlist of 600 segments costs a gateway: known (without its log line, and with it), known to the client as well,
//! in a new window, and unknown.
//!
//! A call is a request through every layer of the router to the last byte of its body. Kinds of calls take turns, so
//! whatever slows the machine slows them all. The bucket is in memory: what a store takes is the store's. Prints one JSON
//! object for `cargo xtask bench manifest`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench fails by panicking and talks to whoever ran it"
)]

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use object_store::memory::InMemory;
use object_store::{ObjectStoreExt as _, path::Path};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;
use veil_gateway::{Bucket, Gateway, Hosts, PageFiles, Proxies, RateLimits, Signer};
use veil_presign::Credentials;

/// As in the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const SEGMENT_COUNT: usize = 600;
const TITLE: &str = "11111111111111111111111111111111";
const GRANT: &str = "22222222222222222222222222222222";
const MEDIA: &str = "44444444444444444444444444444444.m3u8";
const BEARER: [u8; 32] = [0xb7; 32];
const HOST: &str = "videos.example.org";

/// Turns, and calls of each kind in one.
const TURNS: usize = 40;
const CALLS: usize = 50;

/// Calls of one kind that are timed together where one alone is near the clock's own cost.
const TOGETHER: u32 = 20;

struct Bench {
    gateway: Gateway,
    router: Router,
    now: Arc<AtomicI64>,
    tag: String,
}

/// Object names that look drawn at random, and are the same each time.
fn name(number: usize) -> String {
    let hash = Sha256::digest(number.to_be_bytes());
    hash[..16].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn playlist() -> String {
    let mut text =
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n".to_owned();
    for number in 0..SEGMENT_COUNT {
        let _ = writeln!(text, "#EXTINF:2.000000,\n{}", name(number));
    }
    text + "#EXT-X-ENDLIST\n"
}

fn record() -> Value {
    let hash: String = Sha256::digest(BEARER).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "v": 1, "id": GRANT, "title": TITLE, "epoch": 1, "state": "active", "kind": "link",
        "recipient": "key", "bearer_sha256": hash, "created": "2026-11-20T12:00:00Z",
        "index": MEDIA, "preload": [], "envelope": "ZW52ZWxvcGU"
    })
}

async fn gateway(now: &Arc<AtomicI64>) -> Gateway {
    let store = InMemory::new();
    for (key, text) in
        [(format!("g/{GRANT}"), record().to_string()), (format!("t/{TITLE}/{MEDIA}"), playlist())]
    {
        store.put(&Path::from(key), text.into()).await.unwrap();
    }
    let mut hosts = Hosts::listening_on("127.0.0.1:1".parse().unwrap());
    hosts.add_public_url(&format!("https://{HOST}")).unwrap();
    let credentials = Credentials::new("VEILCAST", "0123456789abcdef".repeat(3)).unwrap();
    let clock = Arc::clone(now);
    let clock = Arc::new(move || Timestamp::from_second(clock.load(Ordering::Relaxed)).unwrap());
    let bucket = Bucket::store(Arc::new(store));
    // One grant asks more often here than any viewer may.
    let rates = RateLimits { grant_per_s: 0, ..RateLimits::default() };
    Gateway::new(bucket, Signer::local(credentials), hosts, PageFiles::default(), clock)
        .with_rates(rates, Proxies::default())
}

fn target() -> String {
    format!("/v1/grants/{GRANT}/{MEDIA}")
}

fn bearer() -> String {
    format!("Bearer {}", URL_SAFE_NO_PAD.encode(BEARER))
}

impl Bench {
    async fn new() -> Self {
        let now = Arc::new(AtomicI64::new(1_795_000_000));
        let gateway = gateway(&now).await;
        let router = gateway.clone().router();
        let mut bench = Self { gateway, router, now, tag: String::new() };
        let answer = bench.router.clone().oneshot(bench.request("zstd", false)).await.unwrap();
        answer.headers()[header::ETAG].to_str().unwrap().clone_into(&mut bench.tag);
        bench
    }

    fn request(&self, encoding: &str, is_known: bool) -> Request<Body> {
        let mut request = Request::get(target())
            .header(header::HOST, HOST)
            .header(header::AUTHORIZATION, bearer())
            .header(header::ACCEPT_ENCODING, encoding);
        if is_known {
            request = request.header(header::IF_NONE_MATCH, &self.tag);
        }
        request.body(Body::empty()).unwrap()
    }

    /// One request through all layers; returns the bytes of its body.
    async fn call(&self, request: Request<Body>, status: u16) -> usize {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status);
        axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap().len()
    }

    /// Times requests that are made beforehand, together.
    async fn known(&self, is_known: bool) -> Duration {
        let requests: Vec<_> = (0..TOGETHER).map(|_| self.request("zstd", is_known)).collect();
        let started = Instant::now();
        for request in requests {
            self.call(request, if is_known { 304 } else { 200 }).await;
        }
        started.elapsed() / TOGETHER
    }

    /// The same as [`known`](Self::known), with the line of JSON that the access log writes; its reader takes nothing.
    async fn logged(&self) -> Duration {
        let log = tracing_subscriber::fmt().json().flatten_event(true).with_writer(std::io::sink);
        let _logging = tracing::subscriber::set_default(log.finish());
        self.known(false).await
    }

    /// Times a request in a window that nobody asked in.
    async fn new_window(&self, encoding: &str) -> Duration {
        self.now.fetch_add(1800, Ordering::Relaxed);
        self.timed(encoding).await
    }

    /// Times a request to a gateway that knows nothing.
    async fn unknown(&self, encoding: &str) -> Duration {
        self.gateway.purge();
        self.timed(encoding).await
    }

    async fn timed(&self, encoding: &str) -> Duration {
        let request = self.request(encoding, false);
        let started = Instant::now();
        self.call(request, 200).await;
        started.elapsed()
    }
}

/// Samples of one kind of call.
#[derive(Default)]
struct Samples(Vec<f64>);

impl Samples {
    fn add(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1e6);
    }

    fn figures(mut self) -> Value {
        self.0.sort_by(f64::total_cmp);
        let at = |share: usize| self.0[(self.0.len() - 1) * share / 100];
        json!({ "least_us": at(0), "median_us": at(50), "p99_us": at(99), "samples": self.0.len() })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let bench = Bench::new().await;
    let kinds = ["known", "same", "window", "window_zstd", "unknown", "unknown_zstd", "logged"];
    let mut samples: Vec<Samples> = kinds.iter().map(|_| Samples::default()).collect();
    for _ in 0..TURNS {
        for _ in 0..CALLS {
            samples[0].add(bench.known(false).await);
        }
        for _ in 0..CALLS {
            samples[1].add(bench.known(true).await);
        }
        for _ in 0..CALLS / 10 {
            samples[2].add(bench.new_window("identity").await);
            samples[3].add(bench.new_window("zstd").await);
            samples[4].add(bench.unknown("identity").await);
            samples[5].add(bench.unknown("zstd").await);
        }
        bench.now.store(1_795_000_000, Ordering::Relaxed);
        bench.known(false).await;
        for _ in 0..CALLS {
            samples[6].add(bench.logged().await);
        }
    }
    let plain = bench.call(bench.request("identity", false), 200).await;
    let zstd = bench.call(bench.request("zstd", false), 200).await;
    let mut figures =
        json!({ "segments": SEGMENT_COUNT, "plain_bytes": plain, "zstd_bytes": zstd });
    for (kind, samples) in kinds.into_iter().zip(samples) {
        figures[kind] = samples.figures();
    }
    println!("{figures}");
}
