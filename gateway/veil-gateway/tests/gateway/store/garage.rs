//! The same over Garage, a store that is strict about regions, dates and the seven days; in the full run alone
//! (`cargo xtask test --full`).

use jiff::{SignedDuration, Timestamp};
use object_store::aws::AmazonS3Builder;
use object_store::{ObjectStoreExt as _, path::Path};
use tokio::runtime::Runtime;
use veil_gateway::{
    Bucket, Origin, PlainSettings, PlainTree, PlainTrees, SigningCredential, StoreSettings,
};
use veil_presign::{Credentials, Request, SigningKey, presign};
use veil_testkit::Garage;

use super::urls::{body, status};
use super::{place, reads};
use crate::site::Site;

fn credentials(garage: &Garage) -> Credentials {
    Credentials::new(garage.access_key_id(), garage.secret().to_owned()).unwrap()
}

/// Puts objects below `site/`, as a publisher would.
fn put(garage: &Garage, objects: &[(&str, &[u8])]) {
    let store = AmazonS3Builder::new()
        .with_endpoint(garage.endpoint())
        .with_region(garage.region())
        .with_bucket_name(garage.bucket())
        .with_access_key_id(garage.access_key_id())
        .with_secret_access_key(garage.secret())
        .with_allow_http(true)
        .build()
        .unwrap();
    Runtime::new().unwrap().block_on(async {
        for (key, bytes) in objects {
            let key = Path::parse(format!("site/{key}")).unwrap();
            store.put(&key, bytes.to_vec().into()).await.unwrap();
        }
    });
}

fn url(garage: &Garage, method: &str, region: &str, ago_s: i64, expires_s: u32) -> String {
    let signed_at = Timestamp::now() - SignedDuration::from_secs(ago_s);
    let key = SigningKey::derive(&credentials(garage), signed_at, region).unwrap();
    let path = format!("/{}/site/signed/a b.ts", garage.bucket());
    let host = garage.host();
    let request = Request { method, ..Request::get(&host, &path, expires_s) };
    format!("http://{host}{}", presign(&key, &request, signed_at).unwrap())
}

#[test]
fn garage_takes_our_urls_and_refuses_each_that_is_not_one() {
    let Some(garage) = Garage::start().unwrap() else { return };
    put(&garage, &[("signed/a b.ts", b"segment")]);
    let region = garage.region();
    let good = url(&garage, "GET", region, 0, 604_800);
    assert_eq!(body(&good, None), b"segment");
    assert_eq!(body(&good, Some("bytes=1-3")), b"egm");
    assert_eq!(status("GET", &url(&garage, "GET", region, 1000, 1200)), 200);
    assert_eq!(status("GET", &url(&garage, "GET", region, 1000, 900)), 400, "expired");
    let beyond = good.replace("X-Amz-Expires=604800", "X-Amz-Expires=604801");
    assert_eq!(status("GET", &beyond), 400, "beyond seven days");
    assert!(status("GET", &url(&garage, "GET", "us-east-1", 0, 60)) >= 400, "another region");
    for method in ["HEAD", "PUT", "DELETE"] {
        assert_eq!(status(method, &good), 403, "{method}");
    }
    assert_eq!(status("GET", &good.replace("a%20b", "a%20c")), 403, "another key");
    let last = if good.ends_with('0') { "1" } else { "0" };
    assert_eq!(status("GET", &format!("{}{last}", &good[..good.len() - 1])), 403, "tampered");
}

#[test]
fn a_gateway_over_garage_passes_through_and_signs() {
    let Some(garage) = Garage::start().unwrap() else { return };
    let playlist = b"#EXTM3U\n#EXTINF:2,\na%20b.ts\n#EXT-X-ENDLIST\n".as_slice();
    let objects: Vec<(&str, &[u8])> = vec![
        ("signed/a b.ts", b"segment"),
        ("signed/a.m3u8", playlist),
        ("passed/a b.ts", b"segment"),
        ("passed/a.m3u8", playlist),
    ];
    put(&garage, &objects);
    let place = place(&garage.url_below("site"));
    let read = reads(credentials(&garage));
    let bucket = Bucket::s3(&place, read, &StoreSettings::default()).unwrap();
    let origin = Origin::new(&place, SigningCredential::lasting(credentials(&garage)));
    let tree = |text: &str| {
        let settings: PlainSettings = toml::from_str(text).unwrap();
        PlainTree::new(&settings, None, Some(&origin)).unwrap()
    };
    let signed = tree("prefix = \"signed/\"\nauth = \"none\"\n");
    let passed = tree("prefix = \"passed/\"\nauth = \"none\"\nmode = \"local\"\n");
    let site = Site::over_bucket(bucket, PlainTrees::new(vec![signed, passed]).unwrap());
    site.set_now(&Timestamp::now().to_string());

    let answer = site.get("/hls/signed/a.m3u8");
    let url = answer.text().lines().find(|line| line.starts_with("http")).unwrap();
    assert_eq!(body(url, None), b"segment");
    assert_eq!(site.get("/hls/passed/a.m3u8").body, playlist);
    let range = site.send("GET /hls/passed/a%20b.ts", &["Range: bytes=1-3"]);
    assert_eq!((range.status, range.text()), (206, "egm"));
    let beyond = site.send("GET /hls/passed/a%20b.ts", &["Range: bytes=7-"]);
    beyond.is_problem(416, "range-unsatisfiable");
    site.get("/hls/passed/absent.ts").is_problem(404, "object-unknown");
}
