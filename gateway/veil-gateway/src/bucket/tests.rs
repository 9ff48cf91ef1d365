//! What a bucket gives: documents up to their limit, once, and in time.

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
    assert_eq!(bucket.read("key", 10).await, Err(ReadError::Unavailable));
    assert_eq!(started.elapsed(), ANSWER_TIMEOUT);
}

#[tokio::test]
async fn a_document_is_read_up_to_its_limit() {
    let store = InMemory::new();
    store.put(&path::Path::from("key"), "text".into()).await.unwrap();
    let bucket = Bucket::store(Arc::new(store));
    assert_eq!(bucket.read("key", 4).await, Ok("text".into()));
    assert_eq!(bucket.read("key", 3).await, Err(ReadError::TooLarge));
    assert_eq!(bucket.read("other", 4).await, Err(ReadError::Unknown));
    assert_eq!(bucket.read("../key", 4).await, Err(ReadError::Unknown));
}

#[tokio::test]
async fn a_document_that_is_still_the_same_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "text").unwrap();
    let memory = InMemory::new();
    memory.put(&path::Path::from("key"), "text".into()).await.unwrap();
    for bucket in [Bucket::folder(folder.path()).unwrap(), Bucket::store(Arc::new(memory))] {
        let first = bucket.read_changed("key", None, 10).await.unwrap();
        let tag = first.tag.as_deref();
        assert!(tag.is_some());
        let again = bucket.read_changed("key", tag, 10).await;
        assert_eq!(again, Err(ReadError::Unchanged));
        let other = bucket.read_changed("key", Some("other"), 10).await;
        assert_eq!(other, Ok(first));
    }
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
