//! Chapters, as containers really carry them.

use std::path::{Path, PathBuf};

use veil_ffmpeg::probe;

use crate::support::{PLAIN, clip, launcher, tools};

/// A clip of three seconds whose chapters begin at the given milliseconds.
fn with_chapters(folder: &Path, name: &str, chapters: &[(u32, &str)]) -> PathBuf {
    let mut text = ";FFMETADATA1\n".to_owned();
    for (at, (start, title)) in chapters.iter().enumerate() {
        let end = chapters.get(at + 1).map_or(3000, |next| next.0);
        text += &format!("[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n");
    }
    let metadata = folder.join("chapters.txt");
    std::fs::write(&metadata, text).unwrap();
    let (inputs, codecs) = PLAIN.split_once(" -c:v").unwrap();
    let metadata = metadata.to_str().unwrap();
    let args = format!("{inputs} -i {metadata} -map 0 -map 1 -map_chapters 2 -c:v{codecs}");
    clip(folder, name, &args)
}

#[tokio::test]
async fn chapters_are_read_with_their_names_from_every_container() {
    for name in ["a.mp4", "a.mkv", "a.mov"] {
        let folder = tempfile::tempdir().unwrap();
        let chapters = [(0, "Snow & ice"), (1200, "Drachen 龍"), (2000, "")];
        let path = with_chapters(folder.path(), name, &chapters);
        let source = probe(&launcher(), &tools().await, &path).await.unwrap();
        let found = source.chapters.iter().map(|it| (it.start_us / 1000, it.title.as_str()));
        let expected = [(0, "Snow & ice"), (1200, "Drachen 龍"), (2000, "")];
        assert_eq!(found.collect::<Vec<_>>(), expected, "{name}");
    }
}

#[tokio::test]
async fn a_source_without_chapters_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "a.mp4", PLAIN);
    let source = probe(&launcher(), &tools().await, &path).await.unwrap();
    assert_eq!(source.chapters, []);
}
