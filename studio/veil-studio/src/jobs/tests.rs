//! Jobs without FFmpeg: what the table and the workers promise. What runs here is an import of a file that isn't there, which fails at once.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use veil_ffmpeg::{Launcher, Tools};
use zeroize::Zeroizing;

use super::store::End;
use super::*;

mod ended;

const LIMIT: Duration = Duration::from_secs(120);

/// A studio with jobs, and nothing that FFmpeg would be needed for.
struct House {
    folder: TempDir,
    jobs: Jobs,
}

impl House {
    async fn new(change: impl FnOnce(&mut JobSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let jobs = open(folder.path(), change).await;
        Self { folder, jobs }
    }

    async fn submit(&self, spec: JobSpec, client: &str) -> Result<JobId, JobError> {
        self.jobs.submit(NewJob { spec, priority: 0, client: client.to_owned() }).await
    }

    async fn import(&self) -> JobId {
        self.submit(import(), "me").await.unwrap()
    }

    async fn state(&self, id: JobId) -> JobState {
        self.jobs.get(id).await.unwrap().state
    }

    fn start(&self) -> (CancellationToken, JoinHandle<Result<(), JobError>>) {
        let (stop, jobs) = (CancellationToken::new(), self.jobs.clone());
        let stopped = stop.clone();
        (stop, tokio::spawn(async move { jobs.run(stopped).await }))
    }

    /// Waits until no job waits or runs.
    async fn settle(&self) {
        let busy = [JobState::Waiting, JobState::Running, JobState::Cancelling];
        let settled = async {
            while self.jobs.count(&busy).await.unwrap() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(LIMIT, settled).await.unwrap();
    }
}

async fn open(folder: &Path, change: impl FnOnce(&mut JobSettings)) -> Jobs {
    let studio = Arc::new(Studio::open(folder).await.unwrap());
    let tools = Tools {
        ffmpeg: "/none".into(),
        ffprobe: "/none".into(),
        version: "5.1".into(),
        tone_maps: false,
    };
    let launcher = Launcher::default();
    let mut settings = JobSettings {
        encoder: Some(Encoder { launcher, tools, processors: 1, turns: None }),
        disk_free_min_bytes: 0,
        memory_free_min_bytes: 0,
        ..JobSettings::new(Timestamp::now)
    };
    change(&mut settings);
    Jobs::open(studio, settings).await.unwrap()
}

fn import() -> JobSpec {
    read(json!({ "kind": "import", "source": "/none/film.mov" }))
}

fn reveal(text: &str) -> JobSpec {
    let secret = json!({ "kind": "passphrase", "text": text });
    read(json!({ "kind": "reveal", "video": "/none/film.mkv", "secret": secret }))
}

fn read(spec: serde_json::Value) -> JobSpec {
    serde_json::from_value(spec).unwrap()
}

/// Bytes that this process has in memory.
fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test]
async fn a_thousand_jobs_run_once_each_in_memory_that_does_not_grow() {
    let house = House::new(|_| {}).await;
    let mut ids = HashSet::new();
    let (stop, workers) = house.start();
    for _ in 0..300 {
        ids.insert(house.import().await);
    }
    house.settle().await;
    let before = resident_bytes();
    house.jobs.drain(true).await.unwrap();
    for _ in 0..700 {
        ids.insert(house.import().await);
    }
    let queue = house.jobs.queue().await.unwrap();
    assert_eq!((queue.pending, queue.running, queue.slots), (700, 0, 2));
    house.jobs.drain(false).await.unwrap();
    house.settle().await;
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 8_000_000, "{grown} bytes more after seven hundred jobs");
    stop.cancel();
    workers.await.unwrap().unwrap();
    assert_eq!(ids.len(), 1000);
    let mut seen = HashSet::new();
    let mut after = None;
    loop {
        let query = JobQuery { after, limit: 300, ..JobQuery::default() };
        let page = house.jobs.list(query).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for job in page {
            assert_eq!((job.state, job.attempts), (JobState::Failed, 1), "{job:?}");
            assert!(job.error.unwrap().contains("cannot be read"));
            assert!(seen.insert(job.id));
        }
    }
    assert_eq!(seen, ids);
    assert!(house.jobs.running().is_empty());
}

#[tokio::test]
async fn two_workers_share_the_jobs_and_none_runs_twice() {
    let house = House::new(|_| {}).await;
    for _ in 0..200 {
        house.import().await;
    }
    let other = House {
        jobs: open(house.folder.path(), |_| {}).await,
        folder: tempfile::tempdir().unwrap(),
    };
    let (one, two) = (house.start(), other.start());
    house.settle().await;
    for (stop, workers) in [one, two] {
        stop.cancel();
        workers.await.unwrap().unwrap();
    }
    let jobs = house.jobs.list(JobQuery { limit: 500, ..JobQuery::default() }).await.unwrap();
    assert!(jobs.iter().all(|job| job.attempts == 1 && job.state == JobState::Failed));
}

#[tokio::test]
async fn the_highest_comes_first_and_then_the_oldest() {
    let house = House::new(|_| {}).await;
    let ids = [house.import().await, house.import().await, house.import().await];
    house.jobs.set_priority(ids[2], 5).await.unwrap();
    let claim = async || house.jobs.0.store.claim("x", 1).await.unwrap().map(|job| JobId(job.id));
    assert_eq!(claim().await, Some(ids[2]));
    house.jobs.pause(ids[0]).await.unwrap();
    assert_eq!(claim().await, Some(ids[1]));
    house.jobs.resume(ids[0]).await.unwrap();
    house.jobs.drain(true).await.unwrap();
    assert_eq!(claim().await, None);
    assert!(house.jobs.queue().await.unwrap().drained);
    house.jobs.drain(false).await.unwrap();
    assert_eq!((claim().await, claim().await), (Some(ids[0]), None));
}

#[tokio::test]
async fn what_can_be_done_depends_on_the_state() {
    let house = House::new(|_| {}).await;
    let id = house.import().await;
    let refused = |result: Result<(), JobError>| matches!(result, Err(JobError::State { .. }));
    assert!(refused(house.jobs.resume(id).await) && refused(house.jobs.retry(id).await));
    house.jobs.cancel(id).await.unwrap();
    assert_eq!(house.state(id).await, JobState::Cancelled);
    assert!(refused(house.jobs.cancel(id).await) && refused(house.jobs.pause(id).await));
    assert!(refused(house.jobs.set_priority(id, 1).await));
    house.jobs.retry(id).await.unwrap();
    assert_eq!(house.state(id).await, JobState::Waiting);
    assert!(matches!(house.jobs.cancel(JobId(77)).await, Err(JobError::NoJob(JobId(77)))));
}

#[tokio::test]
async fn an_attempt_that_was_overtaken_changes_nothing() {
    let house = House::new(|_| {}).await;
    let (id, store) = (house.import().await, &house.jobs.0.store);
    let first = store.claim("dead", 1).await.unwrap().unwrap();
    assert_eq!(store.take_back("dead", 2).await.unwrap(), [id]);
    let second = store.claim("alive", 3).await.unwrap().unwrap();
    let done = End::Done { outputs: Vec::new(), spec: None };
    assert!(!store.end(("dead", &first), &done, &[], 4).await.unwrap());
    assert_eq!(house.state(id).await, JobState::Running);
    house.jobs.cancel(id).await.unwrap();
    assert_eq!(house.state(id).await, JobState::Cancelling);
    let failed = End::Again("odd".to_owned());
    assert!(store.end(("alive", &second), &failed, &[], 5).await.unwrap());
    assert_eq!(house.state(id).await, JobState::Cancelled);
}

#[tokio::test]
async fn a_job_that_takes_the_program_down_does_so_a_few_times_only() {
    let house = House::new(|_| {}).await;
    let (id, store) = (house.import().await, &house.jobs.0.store);
    for _ in 0..limits::TRIES_MAX {
        assert_eq!(house.state(id).await, JobState::Waiting);
        store.claim("dead", 1).await.unwrap().unwrap();
        store.take_back("dead", 2).await.unwrap();
    }
    let job = house.jobs.get(id).await.unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Failed, limits::TRIES_MAX));
    assert_eq!(job.error.unwrap(), "the program ended while this ran");
}

#[tokio::test]
async fn jobs_of_a_dead_worker_are_found_by_a_living_one() {
    let house = House::new(|_| {}).await;
    let id = house.import().await;
    house.jobs.0.store.claim("killed", 1).await.unwrap().unwrap();
    let (stop, workers) = house.start();
    house.settle().await;
    stop.cancel();
    workers.await.unwrap().unwrap();
    let job = house.jobs.get(id).await.unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Failed, 2));
    let log = house.jobs.log(id).await.unwrap();
    assert!(log.contains(&"attempt 2".to_owned()), "{log:?}");
}

#[tokio::test]
async fn a_client_that_hides_and_reveals_too_often_waits() {
    let house = House::new(|settings| settings.pending_max = 12).await;
    for _ in 0..5 {
        house.submit(reveal("x"), "me").await.unwrap();
    }
    let Err(JobError::TooMany { retry_after_s }) = house.submit(reveal("x"), "me").await else {
        panic!("a sixth was taken")
    };
    assert!((55..=60).contains(&retry_after_s), "{retry_after_s}");
    house.submit(reveal("x"), "you").await.unwrap();
    for _ in 0..6 {
        house.import().await;
    }
    assert!(matches!(house.submit(import(), "me").await, Err(JobError::Full(12))));
}

#[tokio::test]
async fn no_passphrase_lies_in_the_table() {
    let house = House::new(|_| {}).await;
    let word = "correct horse battery staple";
    let id = house.submit(reveal(word), "me").await.unwrap();
    let claimed = house.jobs.0.store.claim("x", 1).await.unwrap().unwrap();
    assert!(claimed.spec.contains("sealed") && !claimed.spec.contains(word));
    let JobSpec::Reveal(mut kept) = serde_json::from_str(&claimed.spec).unwrap() else {
        panic!("{}", claimed.spec)
    };
    let (studio, sealed) = (&house.jobs.0.studio, kept.secret.take().unwrap());
    assert!(secret::opened(studio, id, &sealed).is_ok());
    // It is sealed for this job alone.
    assert!(secret::opened(studio, JobId(id.0 + 1), &sealed).is_err());
    kept.secret = Some(sealed);
    assert!(house.submit(JobSpec::Reveal(kept), "me").await.is_err());
    let typed = JobSecret::Passphrase { text: Typed::new(Zeroizing::new(word.to_owned())) };
    assert!(serde_json::to_string(&typed).is_err());
    house.jobs.close().await;
    for file in std::fs::read_dir(house.folder.path()).unwrap().flatten() {
        if file.file_type().unwrap().is_file() {
            let bytes = std::fs::read(file.path()).unwrap();
            let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{:?}", file.path());
        }
    }
}

#[tokio::test]
async fn without_room_nothing_begins_and_the_queue_says_why() {
    let house = House::new(|settings| settings.disk_free_min_bytes = u64::MAX).await;
    let id = house.import().await;
    let (stop, workers) = house.start();
    let held = async {
        loop {
            if let Some(held) = house.jobs.queue().await.unwrap().held {
                break held;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, held).await.unwrap().contains("of disk are free"));
    assert_eq!(house.state(id).await, JobState::Waiting);
    stop.cancel();
    workers.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_follows_hears_of_every_change_and_who_comes_back_of_the_last() {
    let house = House::new(|_| {}).await;
    let mut follows = house.jobs.subscribe();
    let (stop, workers) = house.start();
    let id = house.import().await;
    house.settle().await;
    let mut states = Vec::new();
    while states.last() != Some(&JobState::Failed) {
        let event = tokio::time::timeout(LIMIT, follows.recv()).await.unwrap().unwrap();
        if let Change::Job(job) = event.change {
            assert_eq!(job.id, id);
            states.push(job.state);
        }
    }
    stop.cancel();
    workers.await.unwrap().unwrap();
    let missed = house.jobs.events(0, 10).await.unwrap();
    assert_eq!(missed.len(), 1);
    assert!(matches!(&missed[0].change, Change::Job(job) if job.state == JobState::Failed));
    assert!(house.jobs.events(missed[0].id, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn history_is_bounded_and_what_was_left_goes_with_it() {
    let house = House::new(|_| {}).await;
    for _ in 0..3 {
        let id = house.import().await;
        house.jobs.cancel(id).await.unwrap();
        std::fs::create_dir_all(house.jobs.folder(id).log()).unwrap();
    }
    let store = &house.jobs.0.store;
    let now = house.jobs.now_ms();
    let forget = async |old_ms, fresh_ms, jobs| {
        let bounds = store::Bounds { old_ms, fresh_ms, jobs, bytes: 0 };
        store.forget(&bounds, now).await.unwrap()
    };
    assert!(forget(now - 1000, now - 1000, 1).await.is_empty());
    assert_eq!(forget(now - 1000, now + 1000, 1).await, [JobId(1), JobId(2)]);
    assert_eq!(forget(now + 1000, now + 1000, 9).await, [JobId(3)]);
    assert!(matches!(house.jobs.get(JobId(3)).await, Err(JobError::NoJob(_))));
    assert_eq!(house.import().await, JobId(4));
}

#[test]
fn what_could_never_be_done_is_refused_at_the_door() {
    let check = |spec: serde_json::Value, expected: &str| {
        let error = read(spec).check().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(json!({ "kind": "import", "source": "film.mov" }), "no absolute path");
    check(json!({ "kind": "import", "source": "/f", "ladder": "12" }), "12");
    check(json!({ "kind": "make", "document": {}, "base": "/b" }), "scenes");
    check(json!({ "kind": "make", "document": { "scenes": [] }, "base": "b" }), "no absolute path");
    let hide = |output: &str, payload: &[&str]| json!({ "kind": "hide", "carrier": "/c", "payload": payload, "output": output });
    check(hide("out.mkv", &[]), "nothing to hide");
    check(hide("out.txt", &["/p"]), "names no video");
    check(hide("../out.mkv", &["/p"]), "names no video");
    check(hide("out.mkv", &["p"]), "no absolute path");
    check(json!({ "kind": "reveal", "video": "/v" }), "nothing says where");
    let key = json!({ "kind": "key_file", "path": "k" });
    check(json!({ "kind": "reveal", "video": "/v", "secret": key }), "no absolute path");
    assert!(serde_json::from_value::<JobSpec>(json!({ "kind": "erase" })).is_err());
    assert!("12".parse::<JobId>().is_ok() && "+1".parse::<JobId>().is_err());
}
