//! Posters and subtitles.

use std::path::Path;
use std::process::Command;

use veil_ffmpeg::{frames, probe};

use crate::support::{PLAIN, clip, launcher, tools};

#[tokio::test]
async fn a_poster_is_a_webp_image_of_the_size_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let args = "-f lavfi -i testsrc2=s=1600x900:r=25:d=3 -c:v libx264 -preset ultrafast";
    let source =
        probe(&launcher(), &tools().await, &clip(folder.path(), "a.mp4", args)).await.unwrap();
    let poster = frames::poster(&launcher(), &tools().await, &source).await.unwrap().unwrap();
    let path = folder.path().join("poster.webp");
    std::fs::write(&path, &poster.bytes).unwrap();
    assert_eq!(size(&path), (poster.width, poster.height));
    assert_eq!((poster.width, poster.height), (1280, 720));
}

fn size(path: &Path) -> (u32, u32) {
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(probe.stdout).unwrap();
    let (width, height) = text.trim().split_once(',').unwrap();
    (width.parse().unwrap(), height.parse().unwrap())
}

#[tokio::test]
async fn sound_alone_has_no_poster() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "a.flac", "-f lavfi -i sine=440:d=1 -c:a flac");
    let source = probe(&launcher(), &tools().await, &path).await.unwrap();
    assert_eq!(frames::poster(&launcher(), &tools().await, &source).await.unwrap(), None);
}

#[tokio::test]
async fn text_subtitles_become_webvtt_and_pictures_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let srt = folder.path().join("a.srt");
    std::fs::write(&srt, "1\n00:00:00,500 --> 00:00:01,500\nGrüße 🎬 <b>laut</b>\n").unwrap();
    let srt = srt.to_str().unwrap();
    let args = format!(
        "{PLAIN_INPUTS} -i {srt} -i {srt} -map 0 -map 1 -map 2 -map 3 {PLAIN_CODECS} -c:s:0 srt -c:s:1 ass \
         -metadata:s:s:0 language=ger -metadata:s:s:0 title=Deutsch -disposition:s:1 forced",
        PLAIN_INPUTS = PLAIN.split(" -c:v").next().unwrap(),
        PLAIN_CODECS = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac",
    );
    let source =
        probe(&launcher(), &tools().await, &clip(folder.path(), "a.mkv", &args)).await.unwrap();
    let (found, skipped) = frames::subtitles(&launcher(), &tools().await, &source).await.unwrap();
    assert!(skipped.is_empty(), "{skipped:?}");
    let [german, other] = &found[..] else { panic!("{found:?}") };
    assert_eq!(german.track.language.as_deref(), Some("de"));
    assert_eq!(german.track.title.as_deref(), Some("Deutsch"));
    assert!(other.track.forced && !german.track.forced);
    let text = String::from_utf8(german.webvtt.clone()).unwrap();
    assert!(text.starts_with("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n"), "{text}");
    assert!(text.contains("00:00.500 --> 00:01.500\nGrüße 🎬"), "{text}");
}

#[tokio::test]
async fn subtitles_that_are_pictures_are_listed_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let srt = folder.path().join("a.srt");
    std::fs::write(&srt, "1\n00:00:00,000 --> 00:00:01,000\nhi\n").unwrap();
    let args = format!("-f lavfi -i color=s=320x240:d=1 -i {} -c:v ffv1 -c:s srt", srt.display());
    let mut mkv = std::fs::read(clip(folder.path(), "a.mkv", &args)).unwrap();
    // The same track under the name of a DVD's, which is as long.
    let at = mkv.windows(11).position(|name| name == b"S_TEXT/UTF8").unwrap();
    mkv[at..at + 11].copy_from_slice(b"S_VOBSUB\0\0\0");
    let path = folder.path().join("b.mkv");
    std::fs::write(&path, mkv).unwrap();
    let source = probe(&launcher(), &tools().await, &path).await.unwrap();
    assert!(source.subtitles.is_empty());
    let [skipped] = &source.skipped[..] else { panic!("{:?}", source.skipped) };
    let reason = "subtitles that are pictures or of an unknown kind (dvd_subtitle)";
    assert_eq!(skipped.reason, reason);
    let outcome = frames::subtitles(&launcher(), &tools().await, &source).await.unwrap();
    assert_eq!(outcome, (vec![], vec![]));
}
