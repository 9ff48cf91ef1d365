//! What stays of jobs that have ended, and for how long: messages, outputs, rows.

use std::fs;

use super::*;

const WORDS: &str = "meet me at the old observatory at nine";

fn hide(message: &str) -> JobSpec {
    let secret = json!({ "kind": "passphrase", "text": "correct horse battery staple" });
    let message = json!({ "kind": "text", "text": message });
    read(json!({
        "kind": "hide", "carrier": "/none/film.mov", "output": "out.mkv", "secret": secret, "message": message,
    }))
}

/// Whether any file below a folder has these words in it.
fn lie_in(folder: &Path, words: &str) -> bool {
    fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return lie_in(&path, words);
        }
        let bytes = fs::read(&path).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    })
}

#[tokio::test]
async fn a_message_that_waits_lies_sealed_and_can_be_opened_by_its_studio() {
    let house = House::new(|_| {}).await;
    let id = house.submit(hide(WORDS), "me").await.unwrap();
    assert!(house.jobs.folder(id).message().exists());
    assert!(!lie_in(house.folder.path(), WORDS));
    let studio = &house.jobs.0.studio;
    let sealed = fs::File::open(house.jobs.folder(id).message()).unwrap();
    let mut text = String::new();
    let mut reader = studio.keystore().open_file(sealed).unwrap();
    std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
    assert_eq!(text, WORDS);
    assert!(message::opened(studio, &house.jobs.folder(id)).is_ok());
    // What was changed isn't opened, and neither is what another studio sealed.
    let mut bytes = fs::read(house.jobs.folder(id).message()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    assert!(studio.keystore().open_file(std::io::Cursor::new(bytes)).is_err());
    let other = House::new(|_| {}).await;
    let sealed = fs::File::open(house.jobs.folder(id).message()).unwrap();
    assert!(other.jobs.0.studio.keystore().open_file(sealed).is_err());
    let long = "x".repeat(limits::MESSAGE_BYTES_MAX + 1);
    assert!(matches!(house.submit(hide(&long), "me").await, Err(JobError::Spec(_))));
}

#[tokio::test]
async fn a_message_is_kept_for_a_job_that_failed_and_goes_when_it_is_cancelled_or_dismissed() {
    let house = House::new(|_| {}).await;
    let failed = house.submit(hide(WORDS), "me").await.unwrap();
    let (stop, workers) = house.start();
    house.settle().await;
    stop.cancel();
    workers.await.unwrap().unwrap();
    assert_eq!(house.state(failed).await, JobState::Failed);
    assert!(house.jobs.folder(failed).message().exists());
    house.jobs.retry(failed).await.unwrap();
    assert!(matches!(house.jobs.dismiss(failed).await, Err(JobError::State { .. })));
    house.jobs.cancel(failed).await.unwrap();
    assert!(!house.jobs.folder(failed).message().exists());
    let refused = house.jobs.retry(failed).await.unwrap_err().to_string();
    assert!(refused.contains("hide it anew"), "{refused}");
    house.jobs.dismiss(failed).await.unwrap();
    assert!(matches!(house.jobs.get(failed).await, Err(JobError::NoJob(_))));
    assert!(!house.jobs.folder(failed).log().exists());
    assert!(matches!(house.jobs.dismiss(failed).await, Err(JobError::NoJob(_))));
}

#[tokio::test]
async fn a_message_goes_as_well_when_whoever_was_asked_to_cancel_died() {
    let house = House::new(|_| {}).await;
    let id = house.submit(hide(WORDS), "me").await.unwrap();
    house.jobs.0.store.claim("killed", 1).await.unwrap().unwrap();
    house.jobs.cancel(id).await.unwrap();
    assert!(house.jobs.folder(id).message().exists());
    let (stop, workers) = house.start();
    house.settle().await;
    stop.cancel();
    workers.await.unwrap().unwrap();
    assert_eq!(house.state(id).await, JobState::Cancelled);
    assert!(!house.jobs.folder(id).message().exists());
}

#[tokio::test]
async fn of_what_ended_jobs_left_the_newest_bytes_stay() {
    let house = House::new(|_| {}).await;
    let (store, now) = (&house.jobs.0.store, house.jobs.now_ms());
    for bytes in [400, 500, 600] {
        house.import().await;
        let claimed = store.claim("x", now).await.unwrap().unwrap();
        let outputs = vec![
            OutputFile { name: "a".to_owned(), bytes },
            OutputFile { name: "b".to_owned(), bytes: 1 },
        ];
        let done = End::Done { outputs, spec: None };
        assert!(store.end(("x", &claimed), &done, &[], now).await.unwrap());
    }
    let forget = async |bytes| {
        let bounds = store::Bounds { old_ms: now - 1000, fresh_ms: now + 1000, jobs: 9, bytes };
        store.forget(&bounds, now).await.unwrap()
    };
    assert!(forget(1503).await.is_empty());
    assert_eq!(forget(1102).await, [JobId(1)]);
    assert_eq!(forget(1101).await, [JobId(2)]);
}

#[tokio::test]
async fn another_rate_holds_at_once() {
    let house = House::new(|settings| settings.rate_per_minute = 1).await;
    house.submit(reveal("x"), "me").await.unwrap();
    assert!(matches!(house.submit(reveal("x"), "me").await, Err(JobError::TooMany { .. })));
    house.jobs.set_rate_per_minute(2);
    house.submit(reveal("x"), "me").await.unwrap();
}
