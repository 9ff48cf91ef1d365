//! A gateway whose desk is full.

use axum::Router;
use object_store::memory::InMemory;
use object_store::{ObjectStoreExt as _, path};
use tower::ServiceExt as _;
use veil_presign::Credentials;

use super::*;
use crate::bucket::Bucket;
use crate::desk::tests::Occupied;
use crate::hosts::Hosts;
use crate::page::PageFiles;
use crate::plain::{PlainTree, PlainTrees};

/// A gateway over a bucket in memory with two playlists of an open tree.
async fn gateway() -> Gateway {
    let store = InMemory::new();
    for name in ["known", "new"] {
        let text = format!("#EXTM3U\n#EXTINF:2,\n{name}.ts\n#EXT-X-ENDLIST\n");
        let key = path::Path::from(format!("vod/{name}.m3u8"));
        store.put(&key, text.into()).await.unwrap();
    }
    let hosts = Hosts::listening_on("127.0.0.1:80".parse().unwrap());
    let credentials = Credentials::new("A", "0123456789abcdef".repeat(2)).unwrap();
    let settings = toml::from_str("prefix = \"vod/\"\nauth = \"none\"\n").unwrap();
    let tree = PlainTree::new(&settings, None, None).unwrap();
    let clock = Arc::new(|| Timestamp::UNIX_EPOCH);
    let bucket = Bucket::store(Arc::new(store));
    Gateway::new(bucket, Signer::local(credentials), hosts, PageFiles::default(), clock)
        .with_plain(PlainTrees::new(vec![tree]).unwrap())
}

async fn get(router: &Router, name: &str) -> Response {
    let request = Request::get(format!("/hls/vod/{name}.m3u8")).header("host", "127.0.0.1");
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_flood_of_new_playlists_is_told_to_come_again_and_known_ones_are_served() {
    let gateway = gateway().await;
    let router = gateway.clone().router();
    assert_eq!(get(&router, "known").await.status(), StatusCode::OK);
    let occupied = Occupied::new(&gateway.manifests.desk);
    for _ in 0..3 {
        let answer = get(&router, "new").await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        assert_eq!(get(&router, "known").await.status(), StatusCode::OK);
    }
    drop(occupied);
    let mut answer = get(&router, "new").await;
    while answer.status() == StatusCode::SERVICE_UNAVAILABLE {
        tokio::task::yield_now().await;
        answer = get(&router, "new").await;
    }
    assert_eq!(answer.status(), StatusCode::OK);
}
