//! Bad and hostile input: each a refusal with a true reason, and nothing but the file is touched.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use veil_ffmpeg::{Error, Refusal, SourceInfo, probe};

use crate::support::{PLAIN, clip, launcher, package, tools};

async fn look(path: &Path) -> Result<SourceInfo, Error> {
    probe(&launcher(), &tools().await, path).await
}

async fn refused(name: &str, content: &[u8]) -> Refusal {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    match look(&path).await {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_file_with_a_video_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = look(&folder.path().join("nothing.mp4")).await.unwrap_err().to_string();
    assert_eq!(missing, "the file cannot be read: entity not found");
    let directory = look(folder.path()).await.unwrap_err().to_string();
    assert_eq!(directory, "not a regular file");
    assert_eq!(refused("empty.mp4", b"").await, Refusal::Empty);
    let text = refused("text.mp4", b"Dear diary,\n").await;
    assert!(matches!(text, Refusal::NotMedia(_)), "{text}");
    let noise: Vec<u8> =
        (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let noise = refused("noise.mkv", &noise).await;
    assert!(matches!(noise, Refusal::NotMedia(_) | Refusal::NoStreams), "{noise}");
}

#[tokio::test]
async fn lists_that_point_at_other_files_or_urls_are_refused() {
    for list in [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
        "ffconcat version 1.0\nfile /etc/passwd\n",
    ] {
        let refusal = refused("list.mp4", list.as_bytes()).await;
        assert!(matches!(refusal, Refusal::Playlist(_)), "{refusal}");
    }
    // Past our own look at the first bytes, FFmpeg's white list holds.
    let hidden =
        format!("{}#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n", "\n".repeat(2000));
    let refusal = refused("hidden.m3u8", hidden.as_bytes()).await;
    assert!(matches!(refusal, Refusal::NotMedia(_)), "{refusal}");
    let subtitles = refused("a.mp4", b"1\n00:00:00,000 --> 00:00:01,000\nhi\n").await;
    assert!(subtitles.to_string().contains("`srt`"), "{subtitles}");
}

#[tokio::test]
async fn a_file_that_ends_early_is_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(clip(folder.path(), "whole.mp4", PLAIN)).unwrap();
    let refusal = refused("half.mp4", &whole[..whole.len() / 2]).await;
    assert_eq!(
        refusal.to_string(),
        "the file is damaged or incomplete: its index (`moov`) is missing or broken"
    );
    let mkv = std::fs::read(clip(folder.path(), "whole.mkv", PLAIN)).unwrap();
    let refusal = refused("head.mkv", &mkv[..40]).await;
    assert!(matches!(refusal, Refusal::Damaged(_) | Refusal::NoStreams), "{refusal}");
}

#[tokio::test]
async fn pictures_of_impossible_sizes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let args = "-f lavfi -i color=s=8x8:d=0.2 -c:v ffv1";
    let tiny = look(&clip(folder.path(), "tiny.mkv", args)).await.unwrap_err();
    assert_eq!(tiny.to_string(), "the picture is 8×8, at least 16×16 is needed");
    // A raw header: the smallest file with the largest claim.
    for (size, header) in [
        ("vast", "YUV4MPEG2 W100000 H100000 F25:1\nFRAME\n"),
        ("wide", "YUV4MPEG2 W9000 H64 F25:1\nFRAME\n"),
        ("one", "YUV4MPEG2 W1 H1 F25:1\nFRAME\n\0\0\0"),
    ] {
        let refusal = refused(size, header.as_bytes()).await;
        let refused = matches!(
            refusal,
            Refusal::TooLarge { .. } | Refusal::TooSmall { .. } | Refusal::Undecodable(_)
        );
        assert!(refused || matches!(refusal, Refusal::NotMedia(_)), "{size}: {refusal}");
    }
}

#[tokio::test]
async fn a_header_that_claims_a_vast_picture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let args = "-f lavfi -i color=s=64x64:d=0.2 -c:v rawvideo -pix_fmt yuv420p";
    let mut avi = std::fs::read(clip(folder.path(), "raw.avi", args)).unwrap();
    // The bitmap header of the stream: its size (40), then width and height.
    let at = avi.windows(4).position(|four| four == b"strf").unwrap() + 12;
    avi[at..at + 4].copy_from_slice(&100_000_u32.to_le_bytes());
    avi[at + 4..at + 8].copy_from_slice(&100_000_u32.to_le_bytes());
    let refusal = refused("vast.avi", &avi).await;
    let expected = "the picture is 100000×100000, larger than 8192 pixels a side";
    assert!(refusal.to_string().starts_with(expected), "{refusal}");
}

#[tokio::test]
async fn a_cover_picture_alone_is_no_video_and_sound_alone_is_packaged() {
    let folder = tempfile::tempdir().unwrap();
    let sound = clip(folder.path(), "sound.flac", "-f lavfi -i sine=440:d=3 -c:a flac");
    let source = look(&sound).await.unwrap();
    assert!(source.video.is_none());
    let made = package(&source, "auto").await.unwrap();
    assert_eq!((made.video.len(), made.audio.len(), made.sheets.len()), (0, 1, 0));
    assert!(made.audio[0].duration_us().abs_diff(3_000_000) < 30_000);
    let cover = clip(
        folder.path(),
        "cover.mp3",
        "-f lavfi -i sine=440:d=1 -f lavfi -i color=s=64x64:d=0.04:r=25 -map 0 -map 1 -c:a libmp3lame \
         -c:v png -disposition:v attached_pic",
    );
    assert!(look(&cover).await.unwrap().video.is_none());
}

#[tokio::test]
async fn odd_names_are_names_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let plain = clip(folder.path(), "plain.mp4", PLAIN);
    for name in [
        &b"-i.mp4"[..],
        b"--help",
        b"http:x.mp4",
        b"concat:a|b.mp4",
        b"a%03d*?[x].mp4",
        b"it's \"quoted\" \n and $(broken).mp4",
        b"bytes-\xff\xfe.mp4",
    ] {
        let path = folder.path().join(OsStr::from_bytes(name));
        std::fs::copy(&plain, &path).unwrap();
        let source = look(&path).await.unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(source.video.unwrap().width, 320);
    }
    let dashed = look(&folder.path().join("-i.mp4")).await.unwrap();
    assert_eq!(package(&dashed, "auto").await.unwrap().video.len(), 1);
}

#[tokio::test]
async fn a_stream_of_nothing_but_damage_fails_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "clip.mp4", PLAIN);
    let source = look(&path).await.unwrap();
    // The same file, its index intact, its pictures and sounds overwritten between probe and run.
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|four| four == b"mdat").unwrap() + 4;
    let end = bytes.windows(4).position(|four| four == b"moov").unwrap() - 4;
    bytes[at..end].fill(0);
    std::fs::write(&path, bytes).unwrap();
    let error = package(&source, "auto").await.unwrap_err();
    assert!(matches!(&error, Error::Failed { stderr, .. } if !stderr.is_empty()), "{error}");
}
