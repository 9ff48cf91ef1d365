//! Sources of every shape: what packaging makes of them.

use veil_ffmpeg::{LadderRequest, Packaging, Plan, Progress, probe};
use veil_hls::cmaf::Media;

use crate::support::{Made, PLAIN, clip, earliest, launcher, package, read_back, tools};

/// Makes a clip, packages it, and checks what is true of every package.
async fn made(name: &str, args: &str, ladder: &str) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let source =
        probe(&launcher(), &tools().await, &clip(folder.path(), name, args)).await.unwrap();
    let made = package(&source, ladder).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    for rendition in made.video.iter().chain(&made.audio) {
        read_back(folder.path(), rendition);
        assert_eq!(earliest(rendition), 0, "{name}");
    }
    made
}

fn sizes(made: &Made) -> Vec<(u32, u32)> {
    let size = |media: &Media| match media {
        Media::Video { width, height } => (*width, *height),
        Media::Audio { .. } => (0, 0),
    };
    made.video.iter().map(|rendition| size(&rendition.info.media)).collect()
}

#[tokio::test]
async fn segments_last_two_seconds_and_their_sum_is_the_film() {
    let args = "-f lavfi -i testsrc2=s=320x240:r=30000/1001:d=7 -f lavfi -i sine=440:d=5 \
        -c:v libx264 -preset ultrafast -c:a aac";
    let made = made("a.mp4", args, "auto").await;
    let video = &made.video[0];
    assert_eq!(video.info.codecs, "avc1.64001e");
    assert_eq!(video.durations_us[..3], [2_002_000; 3]);
    assert!(video.duration_us().abs_diff(7_000_000) < 40_000);
    // Sound that ends before the picture simply ends.
    assert!(made.audio[0].duration_us().abs_diff(5_000_000) < 30_000);
    assert_eq!(made.audio[0].durations_us.len(), 3);
}

#[tokio::test]
async fn pixel_formats_ranges_and_interlacing_become_one_plain_picture() {
    for (name, options) in [
        ("444.mkv", "-c:v libx264 -preset ultrafast -pix_fmt yuv444p"),
        ("10bit.mkv", "-c:v libx264 -preset ultrafast -pix_fmt yuv422p10le"),
        ("full.mkv", "-c:v mjpeg -pix_fmt yuvj420p"),
        ("rgb.mkv", "-c:v ffv1 -pix_fmt bgr0"),
        ("prores.mov", "-c:v prores_ks -profile:v 4"),
        ("lines.mpg", "-c:v mpeg2video -flags +ildct+ilme -top 1"),
        ("palette.gif", ""),
    ] {
        let args = format!("-f lavfi -i testsrc2=s=176x144:r=25:d=1 {options}");
        let made = made(name, &args, "auto").await;
        assert_eq!(sizes(&made), [(176, 144)], "{name}");
        assert_eq!(made.video[0].info.codecs, "avc1.64001e", "{name}");
    }
}

#[tokio::test]
async fn pixels_that_are_not_square_become_square() {
    let args =
        "-f lavfi -i testsrc2=s=352x288:r=25:d=1 -vf setsar=16/11 -c:v libx264 -preset ultrafast";
    assert_eq!(sizes(&made("wide.mkv", args, "auto").await), [(512, 288)]);
}

#[tokio::test]
async fn frames_that_come_when_they_like_become_a_steady_rate() {
    // Every third frame is missing, and the clock counts milliseconds.
    let args = "-f lavfi -i testsrc2=s=160x120:r=30:d=4 -vf select=mod(n\\,3) -fps_mode vfr \
        -c:v libx264 -preset ultrafast";
    let made = made("vfr.mkv", args, "auto").await;
    let folder = tempfile::tempdir().unwrap();
    let read = read_back(folder.path(), &made.video[0]);
    assert!((110..=121).contains(&read.frames), "{} frames", read.frames);
    assert!(made.video[0].duration_us().abs_diff(4_000_000) < 100_000);
}

#[tokio::test]
async fn sixty_frames_a_second_are_the_most() {
    let args = "-f lavfi -i testsrc2=s=160x120:r=120:d=2 -c:v libx264 -preset ultrafast";
    let made = made("fast.mp4", args, "auto").await;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read_back(folder.path(), &made.video[0]).frames, 120);
}

#[tokio::test]
async fn a_picture_that_changes_its_size_midway_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let one = "-f lavfi -i testsrc2=s=320x240:r=25:d=2 -c:v libx264 -preset ultrafast -f h264";
    let two = "-f lavfi -i testsrc2=s=640x360:r=25:d=2 -c:v libx264 -preset ultrafast -f h264";
    let mut both = std::fs::read(clip(folder.path(), "1.h264", one)).unwrap();
    both.extend(std::fs::read(clip(folder.path(), "2.h264", two)).unwrap());
    let path = folder.path().join("both.h264");
    std::fs::write(&path, both).unwrap();
    let source = probe(&launcher(), &tools().await, &path).await.unwrap();
    let made = package(&source, "auto").await.unwrap();
    let read = read_back(folder.path(), &made.video[0]);
    assert!((98..=101).contains(&read.frames), "{} frames", read.frames);
    assert_eq!(sizes(&made), [(320, 240)]);
}

#[tokio::test]
async fn damage_in_the_middle_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let args =
        "-f lavfi -i testsrc2=s=320x240:r=25:d=6 -c:v libx264 -preset ultrafast -g 25 -f mpegts";
    let path = clip(folder.path(), "a.ts", args);
    let mut bytes = std::fs::read(&path).unwrap();
    let third = bytes.len() / 3;
    bytes[third..third + 20_000].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let source = probe(&launcher(), &tools().await, &path).await.unwrap();
    let made = package(&source, "auto").await.unwrap();
    assert!(made.video[0].duration_us().abs_diff(6_000_000) < 200_000);
    assert_ne!(made.summary.complaints, "");
}

#[tokio::test]
async fn sound_that_begins_late_has_silence_before_it() {
    let args = "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -itsoffset 1.5 -f lavfi -i sine=440:d=2 \
        -c:v libx264 -preset ultrafast -c:a aac";
    let made = made("late.mkv", args, "auto").await;
    assert!(made.audio[0].duration_us().abs_diff(3_500_000) < 60_000);
}

#[tokio::test]
async fn every_sound_track_is_mixed_to_two_channels() {
    let args = "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -f lavfi -i sine=440:d=2 \
        -f lavfi -i aevalsrc=0.1|0.2|0.3|0.1|0.2|0.3:c=5.1:d=2 -f lavfi -i aevalsrc=0.1:s=8000:d=2 \
        -map 0 -map 1 -map 2 -map 3 -c:v libx264 -preset ultrafast -c:a flac \
        -metadata:s:a:1 language=jpn -metadata:s:a:1 title=Original";
    let made = made("three.mkv", args, "auto").await;
    assert_eq!(made.audio.len(), 3);
    for rendition in &made.audio {
        let Media::Audio { channels, sample_rate_hz, .. } = rendition.info.media else { panic!() };
        assert_eq!((channels, sample_rate_hz), (2, 48_000));
    }
}

#[tokio::test]
async fn a_storyboard_has_a_tile_for_every_interval() {
    let args = "-f lavfi -i testsrc2=s=160x120:r=10:d=61 -c:v libx264 -preset ultrafast";
    let made = made("long.mp4", args, "auto").await;
    // 31 tiles, 25 a sheet.
    assert_eq!(made.sheets.len(), 2);
    assert!(made.sheets.iter().all(|sheet| sheet.starts_with(b"RIFF") && sheet.len() > 500));
}

#[tokio::test]
async fn progress_runs_up_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let tools = tools().await;
    let source = probe(&launcher(), &tools, &clip(folder.path(), "a.mp4", PLAIN)).await.unwrap();
    assert!(source.duration_us.unwrap().abs_diff(3_000_000) < 50_000);
    let plan = Plan::new(&source, &LadderRequest::Auto, &tools, 2).unwrap();
    let mut run = Packaging::start(&launcher(), &tools, &source, &plan).await.unwrap();
    let progress = run.progress();
    assert_eq!(*progress.borrow(), Progress::default());
    for mut output in run.take_outputs() {
        tokio::spawn(async move { tokio::io::copy(&mut output, &mut tokio::io::sink()).await });
    }
    // The first report comes long before the end, though the storyboard's sheet is full only there.
    let mut first = run.progress();
    first.changed().await.unwrap();
    assert!(first.borrow().fraction(3_000_000) < 0.9, "{:?}", *first.borrow());
    let summary = run.finish().await.unwrap();
    assert_eq!(summary.progress, *progress.borrow());
    assert_eq!(summary.progress.frames, 75);
    assert!(summary.progress.fraction(3_000_000) > 0.98);
}
