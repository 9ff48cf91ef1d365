//! Documents, limits, and stores that don't answer.

use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_given_up() {
    let store = InMemory::new();
    store.put(&path::Path::from("key"), "text".into()).await.unwrap();
    let wait_get_per_call = Duration::from_secs(3600);
    let config = ThrottleConfig { wait_get_per_call, ..ThrottleConfig::default() };
    let bucket = Bucket::store(Arc::new(ThrottledStore::new(store, config)));
    let started = Instant::now();
    assert_eq!(bucket.fetch("key", 10, None).await, Err(ReadError::Unavailable));
    assert_eq!(started.elapsed(), ANSWER_TIMEOUT);
}

#[tokio::test]
async fn a_document_is_read_up_to_its_limit() {
    let store = InMemory::new();
    store.put(&path::Path::from("key"), "text".into()).await.unwrap();
    let bucket = Bucket::store(Arc::new(store));
    let read = |key, limit| bucket.fetch(key, limit, None);
    assert!(matches!(read("key", 4).await, Ok(Fetched::Document(text, _)) if text == "text"));
    assert_eq!(read("key", 3).await, Err(ReadError::TooLarge));
    assert_eq!(read("other", 4).await, Err(ReadError::Unknown));
    assert_eq!(read("../key", 4).await, Err(ReadError::Unknown));
}

#[tokio::test]
async fn a_document_that_is_known_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "one").unwrap();
    let bucket = Bucket::folder(folder.path()).unwrap();
    let Ok(Fetched::Document(_, Some(etag))) = bucket.fetch("key", 9, None).await else {
        panic!("a folder has entity tags");
    };
    assert_eq!(bucket.fetch("key", 9, Some(&etag)).await, Ok(Fetched::Same));
    std::fs::write(&path, "three").unwrap();
    let changed = bucket.fetch("key", 9, Some(&etag)).await;
    assert!(matches!(changed, Ok(Fetched::Document(text, _)) if text == "three"));
}

#[test]
fn a_path_that_is_missing_or_a_file_is_no_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Bucket::folder(&folder.path().join("missing")).err().unwrap();
    assert!(matches!(missing, BucketError::Missing { .. }), "{missing}");
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Bucket::folder(&file).err().unwrap();
    assert!(matches!(error, BucketError::NotAFolder { .. }), "{error}");
}
