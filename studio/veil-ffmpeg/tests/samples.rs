//! Every sample either packages, and the result plays from 0 for the right time, or is refused with
//! a true reason.

use std::collections::BTreeMap;
use std::path::PathBuf;

use veil_ffmpeg::{Error, probe};
use veil_hls::cmaf::Media;

use crate::support::{Rendition, earliest, launcher, package, read_back, samples, tools};

/// What a sample has to become.
enum Expected {
    /// Width and height of the rungs, sound tracks, texts, seconds of picture (or sound alone).
    Plays {
        ladder: &'static str,
        sizes: &'static [(u32, u32)],
        audio: usize,
        texts: usize,
        seconds: f64,
    },
    /// The reason, a part of it.
    Refused(&'static str),
}

use Expected::{Plays, Refused};

/// Short ladders, so that the walk stays quick; the automatic one where it is small anyway.
fn expectations() -> BTreeMap<&'static str, Expected> {
    let small =
        |sizes, audio, texts, seconds| Plays { ladder: "240", sizes, audio, texts, seconds };
    let own = |sizes, audio, texts, seconds| Plays { ladder: "auto", sizes, audio, texts, seconds };
    BTreeMap::from([
        ("bbb_2500ms.ts", small(&[(426, 240)], 1, 0, 2.5)),
        ("bbb_720p_h264_aac51.mp4", small(&[(426, 240)], 1, 0, 5.28)),
        ("bear-vp9-odd-dimensions.webm", own(&[(160, 120)], 0, 0, 1.0)),
        ("bear-vp9.webm", own(&[(320, 240)], 0, 0, 2.7)),
        ("big_buck_bunny_0_30.webm", small(&[(426, 240)], 1, 0, 30.0)),
        ("hdr10-av1.mp4", small(&[(240, 426)], 1, 0, 4.24)),
        ("hevc.ts", small(&[(426, 240)], 1, 0, 5.0)),
        ("hlg10-color-test.mp4", small(&[(426, 240)], 1, 0, 0.3)),
        ("nasa_13013.mp4", own(&[(480, 270)], 2, 2, 13.0)),
        ("no_cluster_position.mkv", own(&[(320, 180)], 1, 6, 1.0)),
        ("rotate-buck-bunny.mp4", small(&[(240, 426)], 1, 0, 1.96)),
        ("sample.avi", own(&[(960, 400)], 1, 0, 4.09)),
        ("sample_audio_only_15s.mp4", own(&[], 1, 0, 15.0)),
        ("sample_av1.mp4", own(&[(720, 480), (1080, 720)], 1, 0, 1.0)),
        ("sample_fragmented.mp4", small(&[(360, 240)], 1, 0, 1.07)),
        ("sample_malformed_free_box.mp4", Refused("index (`moov`) is missing or broken")),
        ("sample_missing_stsd.mp4", small(&[(360, 240)], 0, 0, 1.0)),
        ("sample_portrait.mp4", own(&[(480, 720), (720, 1080)], 1, 0, 1.0)),
        ("sample_video_only.mp4", small(&[(360, 240)], 0, 0, 1.0)),
        ("sample_with_srt.mkv", small(&[(360, 240)], 1, 1, 1.0)),
        ("sintel_trailer-720p.mp4", small(&[(426, 240)], 1, 0, 52.2)),
        ("subtitles-unicode.srt", Refused("not a video")),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_plays_or_is_refused_with_a_true_reason() {
    let Some(folder) = samples() else { return };
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    // Two at a time: half of the work is starting processes and waiting for them.
    let mut walks = tokio::task::JoinSet::new();
    for path in names {
        if walks.len() == 2 {
            walks.join_next().await.unwrap().unwrap();
        }
        walks.spawn(walk(path));
    }
    while let Some(walked) = walks.join_next().await {
        walked.unwrap();
    }
}

async fn walk(path: PathBuf) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let expected = expectations().remove(name);
    let probed = probe(&launcher(), &tools().await, &path).await;
    match (expected, probed) {
        (None, _) => panic!("{name} has no expectation"),
        (Some(Refused(reason)), Err(Error::Refused(refusal))) => {
            assert!(refusal.to_string().contains(reason), "{name}: {refusal}");
        }
        (Some(Refused(_)), probed) => panic!("{name} is not refused: {probed:?}"),
        (Some(Plays { .. }), Err(error)) => panic!("{name}: {error}"),
        (Some(Plays { ladder, sizes, audio, texts, seconds }), Ok(source)) => {
            assert_eq!(source.subtitles.len(), texts, "{name}");
            let made = package(&source, ladder).await;
            let made = made.unwrap_or_else(|error| panic!("{name}: {error}"));
            check(name, &made.video, &made.audio, sizes, audio, seconds);
            assert_eq!(made.sheets.is_empty(), sizes.is_empty(), "{name}");
            assert_eq!(made.summary.complaints, "", "{name}");
        }
    }
}

fn check(
    name: &str,
    video: &[Rendition],
    audio: &[Rendition],
    sizes: &[(u32, u32)],
    audio_count: usize,
    seconds: f64,
) {
    let scratch = tempfile::tempdir().unwrap();
    assert_eq!(audio.len(), audio_count, "{name}");
    let found: Vec<(u32, u32)> = video
        .iter()
        .map(|rendition| match rendition.info.media {
            Media::Video { width, height } => (width, height),
            Media::Audio { .. } => panic!("{name}: sound in a picture's pipe"),
        })
        .collect();
    assert_eq!(found, sizes, "{name}");
    let mut keyframes = None;
    for rendition in video {
        let read = read_back(scratch.path(), rendition);
        assert_eq!(earliest(rendition), 0, "{name}: the picture does not start at 0");
        let claimed = rendition.duration_us() as f64 / 1e6;
        assert!((claimed - seconds).abs() < 0.15, "{name}: {claimed} s instead of {seconds} s");
        let gaps = read.keyframes.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.fold(0.0, f64::max) < 1.05, "{name}: a GOP is longer than a second");
        let expected = keyframes.get_or_insert_with(|| read.keyframes.clone());
        assert_eq!(*expected, read.keyframes, "{name}: the rungs are not aligned");
    }
    for rendition in audio {
        let read = read_back(scratch.path(), rendition);
        assert!(read.frames > 0, "{name}: no sound");
        assert_eq!(earliest(rendition), 0, "{name}: the sound does not start at 0");
        assert_eq!(rendition.info.codecs, "mp4a.40.2", "{name}");
        let Media::Audio { channels, sample_rate_hz, priming } = rendition.info.media else {
            panic!("{name}: a picture in a sound's pipe")
        };
        assert_eq!((channels, sample_rate_hz), (2, 48_000), "{name}");
        // Less than a frame where the sound begins a few milliseconds into the file.
        assert!(priming <= 1024, "{name}: {priming}");
        let claimed = rendition.duration_us() as f64 / 1e6;
        assert!(claimed < seconds + 0.6 && claimed > seconds * 0.5, "{name}: {claimed} s of sound");
    }
}
