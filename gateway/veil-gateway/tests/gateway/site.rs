//! A bucket written by hand as `docs/format` describes it, and a gateway over it.
//!
//! Owns the fixture. Refuses to use the studio or the sealer: the gateway is blind, and so are its
//! tests.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use veil_gateway::{
    AdminToken, Bucket, Drained, Gateway, Hosts, PageFiles, PlainTrees, ServeLimits, Signer, Tls,
    serve, serve_tls,
};
use veil_presign::Credentials;

pub(crate) const TITLE: &str = "11111111111111111111111111111111";
pub(crate) const GRANT: &str = "22222222222222222222222222222222";
pub(crate) const INDEX: &str = "33333333333333333333333333333333.m3u8";
pub(crate) const MEDIA: &str = "44444444444444444444444444444444.m3u8";
pub(crate) const INIT: &str = "55555555555555555555555555555555";
pub(crate) const SEGMENTS: [&str; 2] =
    ["66666666666666666666666666666666", "77777777777777777777777777777777"];
pub(crate) const MANIFEST: &str = "88888888888888888888888888888888";
pub(crate) const EMPTY: &str = "99999999999999999999999999999999";
pub(crate) const HUGE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const ABSENT: &str = "ffffffffffffffffffffffffffffffff";
pub(crate) const BEARER: [u8; 32] = [0xb7; 32];
pub(crate) const ACCESS_KEY_ID: &str = "VEILCAST";
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
pub(crate) const ADMIN: &str = "fedcba9876543210fedcba9876543210";
pub(crate) const NOW: &str = "2026-11-20T12:10:01Z";

/// Size of the [`HUGE`] object, in bytes: more than sockets buffer.
pub(crate) const HUGE_BYTES: usize = 24 << 20;

/// The header value that opens [`GRANT`].
pub(crate) fn bearer() -> String {
    format!("Bearer {}", URL_SAFE_NO_PAD.encode(BEARER))
}

pub(crate) fn record() -> Value {
    let hash: String = Sha256::digest(BEARER).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "v": 1, "id": GRANT, "title": TITLE, "epoch": 1, "state": "active", "kind": "link",
        "recipient": "key", "bearer_sha256": hash, "created": "2026-11-20T12:00:00Z",
        "expires": "2026-11-27T12:00:00Z", "index": INDEX, "preload": [MANIFEST],
        "envelope": "ZW52ZWxvcGU"
    })
}

pub(crate) fn index_text() -> String {
    format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MEDIA:TYPE=AUDIO,\
         GROUP-ID=\"audio\",NAME=\"256\",DEFAULT=YES,URI=\"{MEDIA}\"\n#EXT-X-STREAM-INF:BANDWIDTH=1,\
         CODECS=\"avc1.64001f,mp4a.40.2\",AUDIO=\"audio\"\n{MEDIA}\n"
    )
}

pub(crate) fn media_text() -> String {
    let [first, second] = SEGMENTS;
    format!(
        "#EXTM3U\r\n#EXT-X-VERSION:7\r\n#EXT-X-TARGETDURATION:2\r\n#EXT-X-MAP:URI=\"{INIT}\"\r\n\
         #EXTINF:2.000000,\r\n{first}\r\n#EXTINF:2.000000,\r\n{second}\r\n#EXT-X-ENDLIST"
    )
}

/// Bytes that tell one object from another and one place from another.
pub(crate) fn object_bytes(name: &str) -> Vec<u8> {
    let size = match name {
        EMPTY => 0,
        HUGE => HUGE_BYTES,
        _ => 100_000,
    };
    let seed = name.as_bytes()[0];
    (0..=250).map(|i| seed ^ i).cycle().take(size).collect()
}

fn keys() -> Vec<(String, Vec<u8>)> {
    let mut keys = vec![
        (format!("g/{GRANT}"), record().to_string().into_bytes()),
        (format!("t/{TITLE}/{INDEX}"), index_text().into_bytes()),
        (format!("t/{TITLE}/{MEDIA}"), media_text().into_bytes()),
    ];
    for name in [INIT, SEGMENTS[0], SEGMENTS[1], MANIFEST, EMPTY] {
        keys.push((format!("t/{TITLE}/{name}"), object_bytes(name)));
    }
    keys
}

/// A gateway that answers on a port of the system's choice.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) now: Arc<Mutex<Timestamp>>,
    pub(crate) gateway: Gateway,
    folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Drained>>,
}

impl Site {
    /// A gateway over a folder bucket.
    pub(crate) fn new() -> Self {
        Self::with(ServeLimits::default(), PageFiles::default())
    }

    pub(crate) fn with(limits: ServeLimits, page: PageFiles) -> Self {
        let folder = write_bucket();
        let bucket = Bucket::folder(&folder.path().join("bucket")).unwrap();
        Self::start(folder, bucket, page, limits, None, |gateway| gateway)
    }

    /// A gateway over a folder bucket, with other limits, by TLS where there is a certificate, and with
    /// what `edit` sets.
    pub(crate) fn edited(
        limits: ServeLimits,
        tls: Option<Tls>,
        edit: impl FnOnce(Gateway) -> Gateway,
    ) -> Self {
        let folder = write_bucket();
        let bucket = Bucket::folder(&folder.path().join("bucket")).unwrap();
        Self::start(folder, bucket, PageFiles::default(), limits, tls, edit)
    }

    /// A gateway over a folder bucket with plain trees.
    pub(crate) fn plain(trees: PlainTrees) -> Self {
        Self::edited(ServeLimits::default(), None, |gateway| gateway.with_plain(trees))
    }

    /// A gateway over any bucket, with plain trees.
    pub(crate) fn over_bucket(bucket: Bucket, trees: PlainTrees) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (page, limits) = (PageFiles::default(), ServeLimits::default());
        Self::start(folder, bucket, page, limits, None, |gateway| gateway.with_plain(trees))
    }

    /// A gateway over any store.
    pub(crate) fn over(store: Arc<dyn ObjectStore>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (page, limits) = (PageFiles::default(), ServeLimits::default());
        Self::start(folder, Bucket::store(store), page, limits, None, |gateway| gateway)
    }

    /// A gateway over a store in memory, which knows neither files nor links.
    pub(crate) fn in_memory() -> Self {
        let store = InMemory::new();
        let runtime = Runtime::new().unwrap();
        for (key, bytes) in keys() {
            runtime.block_on(store.put(&Path::from(key), bytes.into())).unwrap();
        }
        Self::over(Arc::new(store))
    }

    fn start(
        folder: TempDir,
        bucket: Bucket,
        page: PageFiles,
        limits: ServeLimits,
        tls: Option<Tls>,
        edit: impl FnOnce(Gateway) -> Gateway,
    ) -> Self {
        let now = Arc::new(Mutex::new(NOW.parse().unwrap()));
        let clock = Arc::clone(&now);
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let mut hosts = Hosts::listening_on(address);
        hosts.add_public_url("https://videos.example.org").unwrap();
        let credentials = Credentials::new(ACCESS_KEY_ID, SECRET.to_owned()).unwrap();
        let clock = Arc::new(move || *clock.lock().unwrap());
        let gateway = Gateway::new(bucket, Signer::local(credentials), hosts, page, clock)
            .with_admin(AdminToken::new(ADMIN).unwrap());
        let gateway = edit(gateway);
        let served = gateway.clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let stopped = async {
                let _ = stopped.await;
            };
            runtime.block_on(async {
                match tls {
                    None => serve(listener, served, limits, stopped).await,
                    Some(tls) => serve_tls(listener, served, tls, limits, stopped).await,
                }
            })
        });
        Self { address, now, gateway, folder, stop: Some(stop), thread: Some(thread) }
    }

    /// A gateway over a folder bucket, after `equip` had its way with it.
    pub(crate) fn equipped(equip: impl FnOnce(Gateway) -> Gateway) -> Self {
        Self::edited(ServeLimits::default(), None, equip)
    }

    /// The same with a page.
    pub(crate) fn with_page(page: PageFiles, equip: impl FnOnce(Gateway) -> Gateway) -> Self {
        let folder = write_bucket();
        let bucket = Bucket::folder(&folder.path().join("bucket")).unwrap();
        Self::start(folder, bucket, page, ServeLimits::default(), None, equip)
    }

    /// Another gateway over the same bucket, at the same time, that knows nothing yet.
    pub(crate) fn beside(&self) -> Self {
        let bucket = Bucket::folder(&self.path("")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (page, limits) = (PageFiles::default(), ServeLimits::default());
        let other = Self::start(folder, bucket, page, limits, None, |gateway| gateway);
        *other.now.lock().unwrap() = *self.now.lock().unwrap();
        other
    }

    /// Lets time pass for the gateway's clock.
    pub(crate) fn pass(&self, time: SignedDuration) {
        let mut now = self.now.lock().unwrap();
        *now += time;
    }

    /// The path of a key in the folder bucket.
    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join("bucket").join(key)
    }

    /// Writes an object that the gateway sees at once.
    pub(crate) fn write(&self, key: &str, bytes: &[u8]) {
        self.write_unseen(key, bytes);
        self.gateway.purge();
    }

    /// Writes an object that the gateway sees when it looks again.
    pub(crate) fn write_unseen(&self, key: &str, bytes: &[u8]) {
        fs::create_dir_all(self.path(key).parent().unwrap()).unwrap();
        fs::write(self.path(key), bytes).unwrap();
    }

    /// Rewrites the grant's record.
    pub(crate) fn edit_record(&self, edit: impl FnOnce(&mut Value)) {
        let mut changed = record();
        edit(&mut changed);
        self.write(&format!("g/{GRANT}"), changed.to_string().as_bytes());
    }

    pub(crate) fn set_now(&self, now: &str) {
        *self.now.lock().unwrap() = now.parse().unwrap();
    }

    /// Asks for the shutdown, without waiting for it.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits for the end of a shutdown.
    pub(crate) fn drained(&mut self) -> Drained {
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Writes the bucket below a new temporary folder.
pub(crate) fn write_bucket() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (key, bytes) in keys() {
        let path = folder.path().join("bucket").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// Makes a folder a built page: `html` is the page.
pub(crate) fn write_page(folder: &std::path::Path, html: &str) {
    fs::create_dir_all(folder.join("w")).unwrap();
    fs::write(folder.join(veil_page::INDEX), html).unwrap();
}
