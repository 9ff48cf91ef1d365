//! Watching without FFmpeg: files whose content is known are taken, and what is new can't be looked at.

use std::fs;

use tempfile::TempDir;
use veil_ffmpeg::{Launcher, Tools};

use super::*;

struct House {
    folder: TempDir,
    watch: Watch,
    known: Medium,
}

impl House {
    /// A studio that knows the content `known`, and a folder that it watches.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let studio = Studio::open(&folder.path().join("data")).await.unwrap();
        fs::create_dir(folder.path().join("watched")).unwrap();
        let content = folder.path().join("content");
        fs::write(&content, "known").unwrap();
        let known = Medium {
            id: new_id(),
            name: "known.png".to_owned(),
            bytes: 5,
            kind: "image".to_owned(),
            duration_us: 0,
            width: 1,
            height: 1,
            codec: "png".to_owned(),
            media_type: "image/png".to_owned(),
            added_at: "2026-11-22T00:00:00Z".to_owned(),
            hash: Key::of_file(&content).unwrap(),
            has_thumbnail: false,
            has_waveform: false,
        };
        studio.catalogue().insert_medium(&known).await.unwrap();
        let folders = [folder.path().join("watched")];
        let watch = Watch::new(Arc::new(studio), encoder(), &folders, Timestamp::now).unwrap();
        Self { folder, watch, known }
    }

    fn put(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join("watched").join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// A look, long after the one before. Returns what went wrong.
    async fn look(&self, unsettled: &mut Unsettled) -> Option<String> {
        unsettled.values_mut().for_each(|(_, since)| *since -= SETTLE);
        self.watch.look(unsettled).await.unwrap().map(|fault| fault.to_string())
    }

    async fn counts(&self) -> (i64, i64) {
        let counts = self.watch.standing().await.unwrap().counts;
        (counts.taken, counts.refused)
    }
}

fn encoder() -> Encoder {
    let tools = Tools {
        ffmpeg: "/none".into(),
        ffprobe: "/none".into(),
        version: "5.1".into(),
        tone_maps: false,
    };
    let launcher = Launcher { helper: "/none".into(), ..Launcher::default() };
    Encoder { launcher, tools, processors: 1, turns: None }
}

#[tokio::test]
async fn a_file_is_taken_when_it_has_settled_and_only_once() {
    let (house, mut unsettled) = (House::new().await, Unsettled::new());
    let mut told = house.watch.subscribe();
    let path = house.put("a.png", "kno");
    assert_eq!(house.look(&mut unsettled).await, None);
    house.put("a.png", "known");
    assert_eq!(house.look(&mut unsettled).await, None);
    assert_eq!((house.counts().await, unsettled.len()), ((0, 0), 1));
    assert_eq!(house.look(&mut unsettled).await, None);
    assert_eq!((house.counts().await, unsettled.len()), ((1, 0), 0));
    assert_eq!(told.try_recv().unwrap().id, house.known.id);
    assert_eq!(house.look(&mut unsettled).await, None);
    assert!(unsettled.is_empty() && told.try_recv().is_err());
    assert_eq!(fs::read(&path).unwrap(), b"known");
    // One that is gone is forgotten, and what can't be looked at now is no refusal.
    fs::remove_file(path).unwrap();
    house.put("b.png", "new");
    assert_eq!(house.look(&mut unsettled).await, None);
    assert_eq!(house.counts().await, (0, 0));
    assert!(house.look(&mut unsettled).await.is_some());
    assert_eq!((house.counts().await, unsettled.len()), ((0, 0), 1));
    let uploads = house.watch.studio.data().uploads();
    assert_eq!(fs::read_dir(uploads).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_that_is_away_forgets_nothing() {
    let (house, mut unsettled) = (House::new().await, Unsettled::new());
    house.put("a.png", "known");
    for _ in 0..2 {
        assert_eq!(house.look(&mut unsettled).await, None);
    }
    let (watched, away) = (house.folder.path().join("watched"), house.folder.path().join("away"));
    fs::rename(&watched, &away).unwrap();
    assert!(house.look(&mut unsettled).await.unwrap().contains("cannot list"));
    assert_eq!(house.counts().await, (1, 0));
    fs::rename(&away, &watched).unwrap();
    assert_eq!(house.look(&mut unsettled).await, None);
    assert_eq!((house.counts().await, unsettled.len()), ((1, 0), 0));
}

#[tokio::test]
async fn the_studio_does_not_watch_itself() {
    let house = House::new().await;
    let check = |folder: PathBuf, expected: &str| {
        let studio = Arc::clone(&house.watch.studio);
        let error = Watch::new(studio, encoder(), &[folder], Timestamp::now).err().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(house.folder.path().to_owned(), "own data folder");
    check(house.folder.path().join("data/media"), "own data folder");
    check(house.folder.path().join("none"), "no folder that can be read");
    check(house.folder.path().join("content"), "no folder that can be read");
}
