//! The gateway over a real S3 store, sound and in trouble.
//!
//! The store verifies every signature that it sees. It knows no `If-None-Match` on reads, so that a playlist is always sent
//! anew, and is lax on regions and on the seven days that URLs may live at most; those are held by our own verifier (`plain/playlists.rs`) and, in the full run, by Garage (`garage.rs`).

mod faults;
mod garage;
mod players;
mod process;
mod urls;

use std::fs;
use std::sync::Arc;

use veil_gateway::{
    Bucket, Origin, PlainSettings, PlainTree, PlainTrees, SigningCredential, StoreCredential,
    StoreSettings,
};
use veil_presign::{Credentials, S3Place, StoreUrl};
use veil_testkit::S3Server;

use crate::client::Answer;
use crate::site::{
    INDEX, MEDIA, SEGMENTS, Site, index_text, media_text, object_bytes, write_bucket,
};

/// A store, and a gateway that reads the prefix `site` of its bucket.
struct Stored {
    store: S3Server,
    site: Site,
}

pub(crate) fn place(url: &str) -> S3Place {
    let StoreUrl::S3(place) = StoreUrl::parse(url).unwrap() else { panic!("no place: {url}") };
    place
}

fn credentials(store: &S3Server) -> Credentials {
    Credentials::new(store.access_key_id(), store.secret().to_owned()).unwrap()
}

/// What reads a store with a credential that stays.
pub(crate) fn reads(credentials: Credentials) -> StoreCredential {
    StoreCredential::given(credentials, None, Arc::new(jiff::Timestamp::now))
}

/// Settings under which a test need not wait for what a viewer would wait for.
fn quick() -> StoreSettings {
    let settings =
        StoreSettings { connect_timeout_ms: 500, read_timeout_ms: 500, ..Default::default() };
    StoreSettings { retry_timeout_ms: 1_000, ..settings }
}

/// The plain trees `signed/` and `passed/`, open to everybody: what is asked here is what the store says.
fn trees(store: &S3Server, url: &str) -> PlainTrees {
    let origin = Origin::new(&place(url), SigningCredential::lasting(credentials(store)));
    let tree = |text: &str| {
        let settings: PlainSettings = toml::from_str(text).unwrap();
        PlainTree::new(&settings, None, Some(&origin)).unwrap()
    };
    let signed = tree("prefix = \"signed/\"\nauth = \"none\"\n");
    let passed = tree("prefix = \"passed/\"\nauth = \"none\"\nmode = \"local\"\n");
    PlainTrees::new(vec![signed, passed]).unwrap()
}

impl Stored {
    fn start() -> Self {
        Self::with(&quick())
    }

    fn with(settings: &StoreSettings) -> Self {
        let store = S3Server::start().unwrap();
        let fixture = write_bucket();
        let below = store.folder().join("site");
        fs::create_dir_all(&below).unwrap();
        copy(&fixture.path().join("bucket"), &below);
        let url = store.url_below("site");
        let bucket = Bucket::s3(&place(&url), reads(credentials(&store)), settings).unwrap();
        let trees = trees(&store, &url);
        let site = Site::over_bucket(bucket, trees);
        // The store's clock is the machine's.
        site.set_now(&jiff::Timestamp::now().to_string());
        let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
        let stored = Self { store, site };
        let mut record = crate::site::record();
        record["expires"] =
            jiff::Timestamp::from_second(end.as_second()).unwrap().to_string().into();
        stored.write(&format!("g/{}", crate::site::GRANT), record.to_string().as_bytes());
        stored
    }

    /// Puts an object into the store, below the gateway's prefix.
    fn write(&self, key: &str, bytes: &[u8]) {
        let path = self.store.folder().join("site").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    #[track_caller]
    fn get(&self, target: &str) -> Answer {
        self.site.get(target)
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for path in veil_testkit::files_below(from).unwrap() {
        let to = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(path, to).unwrap();
    }
}

#[test]
fn a_title_in_an_s3_store_plays_like_one_in_a_folder() {
    let stored = Stored::start();
    let site = &stored.site;
    let grant = format!("/v1/grants/{}", crate::site::GRANT);
    let index = site.get_with_bearer(&format!("{grant}/{INDEX}"));
    assert_eq!(index.status, 200, "{}", index.text());
    assert_eq!(index.text().lines().count(), index_text().lines().count());
    let media = site.get_with_bearer(&format!("{grant}/{MEDIA}"));
    assert_eq!(media.text().lines().count(), media_text().lines().count());
    let url = site.url(SEGMENTS[0]);
    let bytes = object_bytes(SEGMENTS[0]);
    assert_eq!(site.get(&url).body, bytes);
    let ranged = |range: &str| site.send(&format!("GET {url}"), &[&format!("Range: {range}")]);
    let part = ranged("bytes=5-9");
    assert_eq!((part.status, part.body.as_slice()), (206, &bytes[5..10]));
    assert_eq!(part.header("content-range"), Some("bytes 5-9/100000"));
    assert_eq!(ranged("bytes=-3").body, bytes[bytes.len() - 3..]);
    assert_eq!(ranged("bytes=99999-").body, bytes[99_999..]);
    let beyond = ranged("bytes=100000-");
    beyond.is_problem(416, "range-unsatisfiable");
    assert_eq!(beyond.header("content-range"), Some("bytes */100000"));
    let head = site.send(&format!("HEAD {url}"), &[]);
    assert_eq!((head.status, head.header("content-length")), (200, Some("100000")));
    let tag = head.header("etag").unwrap();
    let same = site.send(&format!("GET {url}"), &[&format!("If-None-Match: {tag}")]);
    assert_eq!(same.status, 304);
    assert!(stored.store.seen().iter().all(|line| line.contains("/videos/site/")), "the prefix");
}
