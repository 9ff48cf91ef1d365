//! Freshness, failures and crowds, over a store that counts and obeys, in time that stands still until it is moved.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::*;

const KEY: &str = "t/key";

/// How a store behaves.
#[derive(Clone, Copy)]
enum Mood {
    Well,
    Failing,
    /// Answers after so long.
    Slow(Duration),
}

/// A store in memory that counts reads.
#[derive(Clone)]
struct Watched {
    store: Arc<InMemory>,
    mood: Arc<Mutex<Mood>>,
    reads: Arc<AtomicUsize>,
    unchanged: Arc<AtomicUsize>,
}

impl Watched {
    async fn put(&self, text: &str) {
        self.store.put(&Path::from(KEY), text.to_owned().into()).await.unwrap();
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

#[async_trait]
impl ObjectStore for Watched {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Well => {}
            Mood::Failing => {
                return Err(object_store::Error::NotImplemented {
                    operation: "get".into(),
                    implementer: "Watched".into(),
                });
            }
            Mood::Slow(wait) => tokio::time::sleep(wait).await,
        }
        let result = self.store.get_opts(location, options).await;
        if matches!(result, Err(object_store::Error::NotModified { .. })) {
            self.unchanged.fetch_add(1, Ordering::SeqCst);
        }
        result
    }

    async fn put_opts(
        &self,
        at: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.store.put_opts(at, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(at, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

fn watched() -> Watched {
    Watched {
        store: Arc::default(),
        mood: Arc::new(Mutex::new(Mood::Well)),
        reads: Arc::default(),
        unchanged: Arc::default(),
    }
}

const RULES: Rules = Rules { fresh_s: 15, absent_s: 5, stale_max_s: 3600 };

fn documents(store: &Watched, rules: Rules) -> Documents<String> {
    let kind = Kind {
        name: "texts",
        limit_bytes: 1 << 20,
        document_bytes_max: 1 << 20,
        parse: |_, text| std::str::from_utf8(text).ok().map(str::to_owned),
        weigh: String::capacity,
    };
    let absent: Absent = Arc::new(Room::new("absent", 1 << 20, |key, _| key.len()));
    let bucket = Bucket::store(Arc::new(store.clone()));
    Documents::new(&bucket, kind, rules, &absent, &Desk::new(4))
}

async fn get(documents: &Documents<String>) -> std::result::Result<String, Missing> {
    documents.get(KEY).await.map(|text| (*text).clone())
}

async fn pass(time: Duration) {
    tokio::time::advance(time).await;
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn what_is_fresh_is_not_asked_for_and_what_is_not_is_asked_for_by_its_tag() {
    let store = watched();
    store.put("one").await;
    let texts = documents(&store, RULES);
    for _ in 0..3 {
        assert_eq!(get(&texts).await, Ok("one".into()));
        pass(4 * SECOND).await;
    }
    assert_eq!(store.reads(), 1);
    pass(4 * SECOND).await;
    assert_eq!(get(&texts).await, Ok("one".into()));
    assert_eq!((store.reads(), store.unchanged.load(Ordering::SeqCst)), (2, 1));
    store.put("two").await;
    assert_eq!(get(&texts).await, Ok("one".into()));
    pass(15 * SECOND).await;
    assert_eq!(get(&texts).await, Ok("two".into()));
    let figures = texts.figures();
    assert_eq!((figures.hits, figures.misses, figures.entries), (3, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn what_isnt_there_is_believed_for_seconds_and_what_went_is_gone_when_it_is_no_longer_fresh()
{
    let store = watched();
    let texts = documents(&store, RULES);
    for _ in 0..3 {
        assert_eq!(get(&texts).await, Err(Missing::Unknown));
    }
    assert_eq!(store.reads(), 1);
    store.put("one").await;
    pass(5 * SECOND).await;
    assert_eq!(get(&texts).await, Ok("one".into()));
    store.store.delete(&Path::from(KEY)).await.unwrap();
    pass(15 * SECOND).await;
    assert_eq!(get(&texts).await, Err(Missing::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_miss_together_read_once_and_fail_together() {
    let store = watched();
    store.put("one").await;
    for (mood, expected) in [
        (Mood::Slow(SECOND), Ok("one".to_owned())),
        (Mood::Slow(3600 * SECOND), Err(Missing::Unavailable)),
        (Mood::Failing, Err(Missing::Unavailable)),
    ] {
        let texts = documents(&store, RULES);
        store.set(mood);
        let before = store.reads();
        let asking: Vec<_> = (0..1000)
            .map(|_| {
                tokio::spawn({
                    let texts = texts.clone();
                    async move { get(&texts).await }
                })
            })
            .collect();
        for one in asking {
            assert_eq!(one.await.unwrap(), expected);
        }
        assert_eq!(store.reads() - before, 1);
        // A failure is not kept.
        store.set(Mood::Well);
        assert_eq!(get(&texts).await, Ok("one".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_what_is_known_is_used_until_it_is_too_old() {
    let store = watched();
    store.put("one").await;
    let texts = documents(&store, Rules { stale_max_s: 60, ..RULES });
    assert_eq!(get(&texts).await, Ok("one".into()));
    store.set(Mood::Failing);
    pass(20 * SECOND).await;
    let before = store.reads();
    for _ in 0..10 {
        assert_eq!(get(&texts).await, Ok("one".into()));
    }
    assert_eq!(store.reads() - before, 1, "one try in five seconds");
    pass(39 * SECOND).await;
    assert_eq!(get(&texts).await, Ok("one".into()));
    pass(2 * SECOND).await;
    assert_eq!(get(&texts).await, Err(Missing::Unavailable));
    store.set(Mood::Well);
    store.put("two").await;
    assert_eq!(get(&texts).await, Ok("two".into()));
}

#[tokio::test(start_paused = true)]
async fn nothing_stale_is_used_where_none_may_be() {
    let store = watched();
    store.put("one").await;
    let texts = documents(&store, Rules { stale_max_s: 0, ..RULES });
    assert_eq!(get(&texts).await, Ok("one".into()));
    store.set(Mood::Failing);
    assert_eq!(get(&texts).await, Ok("one".into()));
    pass(15 * SECOND).await;
    assert_eq!(get(&texts).await, Err(Missing::Unavailable));
}

/// The bound that revocation rests on: a store that answers at all is believed within 15 and 10 seconds, however slowly.
#[tokio::test(start_paused = true)]
async fn a_slow_store_keeps_nobody_waiting_for_long_and_its_news_arrive_within_their_bound() {
    let store = watched();
    store.put("one").await;
    let texts = documents(&store, RULES);
    assert_eq!(get(&texts).await, Ok("one".into()));
    store.put("two").await;
    store.set(Mood::Slow(9 * SECOND));
    let changed = Instant::now();
    loop {
        let asked = Instant::now();
        let text = get(&texts).await.unwrap();
        assert!(asked.elapsed() <= REFRESH_WAIT, "{:?}", asked.elapsed());
        if text == "two" {
            break;
        }
        assert!(changed.elapsed() < 26 * SECOND, "{:?}", changed.elapsed());
        tokio::time::sleep(SECOND / 4).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_forgotten_is_read_anew_and_a_read_that_began_before_is_not_kept() {
    let store = watched();
    store.put("one").await;
    let texts = documents(&store, RULES);
    assert_eq!(get(&texts).await, Ok("one".into()));
    store.put("two").await;
    texts.forget(KEY);
    assert_eq!(get(&texts).await, Ok("two".into()));
    texts.forget(KEY);
    store.set(Mood::Slow(SECOND));
    let old = tokio::spawn({
        let texts = texts.clone();
        async move { get(&texts).await }
    });
    tokio::task::yield_now().await;
    store.put("three").await;
    texts.forget(KEY);
    let new = get(&texts).await;
    old.await.unwrap().unwrap();
    assert_eq!((new, get(&texts).await), (Ok("three".into()), Ok("three".into())));
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_none_is_not_kept_nor_is_what_it_replaced() {
    let store = watched();
    store.put("one").await;
    let texts = documents(&store, RULES);
    assert_eq!(get(&texts).await, Ok("one".into()));
    let broken = PutPayload::from_static(b"\xff");
    store.store.put(&Path::from(KEY), broken).await.unwrap();
    pass(15 * SECOND).await;
    for _ in 0..2 {
        assert_eq!(get(&texts).await, Err(Missing::Invalid));
    }
    assert_eq!(store.reads(), 3);
    store.put(&"x".repeat((1 << 20) + 1)).await;
    assert_eq!(get(&texts).await, Err(Missing::Invalid));
    store.put(&"x".repeat(1 << 19)).await;
    assert_eq!(get(&texts).await.map(|text| text.len()), Ok(1 << 19));
}

#[tokio::test(start_paused = true)]
async fn purging_drops_what_is_known() {
    let store = watched();
    store.put("one").await;
    let texts = documents(&store, RULES);
    assert_eq!(get(&texts).await, Ok("one".into()));
    texts.purge();
    assert_eq!(texts.figures().entries, 0);
    assert_eq!(get(&texts).await, Ok("one".into()));
    assert_eq!(store.reads(), 2);
}
