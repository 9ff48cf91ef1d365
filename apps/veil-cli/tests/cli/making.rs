//! `make`: from stories to videos, with the real FFmpeg and the real voice.

use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use veil_testkit::{Process, Spawned, binary, run};

use crate::desk::{Desk, LIMIT};

/// A story of two scenes.
const STORY: &str = "The Hare and the Tortoise\n\nA hare laughed at a tortoise, one day, for being so slow.\n\n\"I will race you,\" said the tortoise. And she won!\n";

const SMALL: &str = "--set height=320 --set fps=24 --draft";

pub(crate) fn desk() -> Desk {
    // It has to lie beside the program under test.
    let _ = binary("veilcast-voice-espeak");
    let desk = Desk::new();
    desk.write("story.txt", STORY.as_bytes());
    desk
}

/// What ffprobe says of a file: its streams and its format.
fn probed(desk: &Desk, name: &str) -> Value {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-count_packets", "-show_streams", "-show_format", "-of", "json"]);
    let shown = run(command.arg(desk.path(name)), LIMIT).unwrap().success().unwrap();
    serde_json::from_slice(&shown.stdout).unwrap()
}

/// The samples of a file's sound, one channel of 16 kHz.
fn samples(desk: &Desk, name: &str) -> Vec<i16> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-i"]).arg(desk.path(name));
    command.args(["-ac", "1", "-ar", "16000", "-f", "s16le", "-"]);
    let bytes = run(&mut command, LIMIT).unwrap().success().unwrap().stdout;
    bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Integrated loudness and true peak, as FFmpeg's own meter has them.
fn loudness(desk: &Desk, name: &str) -> (f64, f64) {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostats", "-i"]).arg(desk.path(name));
    command.args(["-vn", "-af", "ebur128=peak=true", "-f", "null", "-"]);
    let said = run(&mut command, LIMIT).unwrap().success().unwrap().stderr;
    let summary = said.rsplit_once("Summary:").unwrap().1.to_owned();
    let number = |name: &str| {
        let after = summary.split_once(name).unwrap().1;
        after.split_whitespace().next().unwrap().parse().unwrap()
    };
    (number("I:"), number("Peak:"))
}

/// Nothing lies in the folder, or in the cache's folder of runs, that isn't finished.
pub(crate) fn check_nothing_left(desk: &Desk) {
    let names = desk.names();
    assert!(!names.iter().any(|name| name.contains("veilcast-")), "{names:?}");
    let runs = std::fs::read_dir(desk.path("data/cache/make/work"));
    assert_eq!(runs.map_or(0, Iterator::count), 0);
}

#[test]
fn a_story_becomes_a_spoken_and_captioned_video() {
    let desk = desk();
    let made = desk.answer(&format!("make story.txt {SMALL}"));
    assert_eq!((made["width"].as_u64(), made["height"].as_u64()), (Some(180), Some(320)));
    assert_eq!(made["scenes"], 2);
    assert_eq!(made["rendered_scenes"], 2);
    let probe = probed(&desk, "story.mp4");
    let (video, audio) = (&probe["streams"][0], &probe["streams"][1]);
    assert_eq!(
        (video["codec_name"].as_str(), audio["codec_name"].as_str()),
        (Some("h264"), Some("aac"))
    );
    assert_eq!((video["width"].as_u64(), video["height"].as_u64()), (Some(180), Some(320)));
    assert_eq!(video["r_frame_rate"], "24/1");
    let seconds = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let expected = made["duration_us"].as_f64().unwrap() / 1e6;
    assert!((seconds(&video["duration"]) - expected).abs() < 0.05, "{video}");
    assert!((seconds(&audio["duration"]) - expected).abs() < 0.08, "{audio}");
    let frames = seconds(&video["nb_read_packets"]);
    assert!((frames - expected * 24.0).abs() < 0.5, "{frames}");
    let (lufs, peak) = loudness(&desk, "story.mp4");
    assert!((lufs + 14.0).abs() < 1.0, "{lufs} LUFS");
    assert!(peak <= -1.5, "{peak} dBTP");
    check_nothing_left(&desk);
}

/// The times of the cues of a WebVTT file, in milliseconds.
pub(crate) fn cue_times(vtt: &str) -> Vec<(usize, usize)> {
    let ms = |stamp: &str| {
        let parts = stamp.split([':', '.']).map(|part| part.parse::<usize>().unwrap());
        let parts: Vec<usize> = parts.collect();
        ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + parts[3]
    };
    let lines = vtt.lines().filter_map(|line| line.split_once(" --> "));
    lines.map(|(start, end)| (ms(start), ms(end))).collect()
}

#[test]
fn captions_stand_where_somebody_speaks() {
    let desk = desk();
    desk.ok(&format!("make story.txt {SMALL} -o out.mp4"));
    let vtt = String::from_utf8(desk.read("out.vtt")).unwrap();
    let srt = String::from_utf8(desk.read("out.srt")).unwrap();
    assert!(vtt.starts_with("WEBVTT\n") && srt.starts_with("1\n00:00:0"), "{vtt}{srt}");
    let times = cue_times(&vtt);
    assert!(times.len() >= 3, "{vtt}");
    assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{times:?}");
    let samples = samples(&desk, "out.mp4");
    let energy = |from_ms: usize, to_ms: usize| {
        let part = &samples[from_ms * 16..(to_ms * 16).min(samples.len())];
        let sum: f64 = part.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        (sum / part.len().max(1) as f64).sqrt()
    };
    // Somebody speaks under every cue, and the silence at the end is under none.
    for (start, _) in &times {
        assert!(energy(*start, start + 500) > 500.0, "{start}: {}", energy(*start, start + 500));
    }
    // Words within a cue have times of their own.
    assert!(vtt.contains("<00:00:0"), "{vtt}");
    let last = samples.len() / 16;
    assert!(energy(last - 250, last) < 100.0, "{}", energy(last - 250, last));
}

#[test]
fn a_changed_caption_renders_its_scene_alone() {
    let desk = desk();
    let first = desk.answer(&format!("make story.txt {SMALL} --export story.json"));
    assert_eq!(first["scenes"], 2);
    let counts = |line: &str| {
        let made = desk.answer(line);
        (made["rendered_scenes"].as_u64().unwrap(), made["spoken_scenes"].as_u64().unwrap())
    };
    let line = "make story.json --draft --force -o out.mp4";
    assert_eq!(counts(line), (2, 2));
    let before = desk.read("out.mp4");
    assert_eq!(counts(line), (0, 0));
    assert!(before == desk.read("out.mp4"), "the same video from the cache");
    assert_eq!(counts(&format!("{line} --set scenes.1.text=Changed.")), (1, 1));
    assert_eq!(counts(&format!("{line} --set captions.style=pill")), (2, 0));
}

#[test]
fn pictures_videos_music_and_marks_are_taken() {
    let desk = desk();
    let make = |name: &str, args: &str| crate::hiding::clip(&desk, name, args);
    make("pic.png", "-f lavfi -i testsrc2=s=400x300 -frames:v 1");
    std::fs::rename(desk.path("pic.png"), desk.path("it's a %d [pic]:.png")).unwrap();
    make(
        "film.mp4",
        "-f lavfi -i testsrc2=s=320x180:r=30:d=1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    make("tune.flac", "-f lavfi -i sine=220:d=2");
    let document = serde_json::json!({
        "format": "1:1", "height": 160, "fps": 24, "transition": "fade",
        "music": { "file": "tune.flac" },
        "watermark": { "file": "it's a %d [pic]:.png" },
        "backgrounds": [
            { "kind": "image", "file": "it's a %d [pic]:.png", "motion": "zoom-in" },
            { "kind": "image", "file": "it's a %d [pic]:.png", "motion": "pan-left" },
            { "kind": "video", "file": "film.mp4", "fit": "crop" },
            { "kind": "video", "file": "film.mp4", "fit": "pad", "start": 0.5 },
            { "kind": "video", "file": "film.mp4", "fit": "blur-pad" },
            { "kind": "gradient", "colors": ["#102030", "#405060"] },
        ],
        "scenes": (0..6).map(|_| serde_json::json!({ "text": "One.", "duration": 1.5, "voice": { "provider": "none" } })).collect::<Vec<_>>(),
        "outro": { "heading": "The end", "voice": { "provider": "recording", "file": "tune.flac" } },
    });
    desk.write("p.json", document.to_string().as_bytes());
    let made = desk.answer("make p.json");
    assert_eq!(made["scenes"], 7);
    let probe = probed(&desk, "p.mp4");
    let frames: f64 = probe["streams"][0]["nb_read_packets"].as_str().unwrap().parse().unwrap();
    assert!((frames - 6.0 * 36.0 - 2.35 * 24.0).abs() <= 1.0, "{frames}");
    let (lufs, peak) = loudness(&desk, "p.mp4");
    assert!((lufs + 14.0).abs() < 1.0 && peak <= -1.5, "{lufs} {peak}");
}

#[test]
fn a_table_makes_a_video_for_each_row() {
    let desk = desk();
    let document = serde_json::json!({
        "height": 160, "fps": 24, "voice": { "provider": "none" },
        "scenes": [{ "text": "Hello {{name}}!", "duration": 0.5 }],
    });
    desk.write("hello.json", document.to_string().as_bytes());
    desk.write("guests.csv", "name,town\nAnn,Bern\n\"../O'Hara, {b}\",\"日本\"\n".as_bytes());
    let answer = desk.sh("veilcast make hello.json --draft --batch guests.csv -o 'to-{{name}}.mp4' --json 2>/dev/null");
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["videos"].as_array().unwrap().len(), 2);
    let names = desk.names();
    assert!(names.contains(&"to-Ann.mp4".to_owned()), "{names:?}");
    assert!(names.contains(&"to-_O_Hara___b_.mp4".to_owned()), "{names:?}");
    let vtt = String::from_utf8(desk.read("to-Ann.vtt")).unwrap();
    assert!(vtt.contains("Hello") && vtt.contains("Ann!"), "{vtt}");
    desk.fails(
        "make hello.json --draft",
        "scenes[0].text: the field \"name\" has no value",
        "production.md",
    );
    desk.fails(
        "make hello.json --batch guests.csv -o {{town}}{{x}}.mp4 --set height=1",
        "row 1: height",
        "",
    );
}

#[test]
fn what_is_wrong_is_said_and_leaves_nothing() {
    let desk = desk();
    desk.write("key.json", br#"{"scenes":[{"text":"a","colour":"red"}]}"#);
    desk.write(
        "many.json",
        format!(r#"{{"scenes":[{}]}}"#, vec![r#"{"text":"a"}"#; 501].join(",")).as_bytes(),
    );
    desk.write(
        "lost.json",
        br#"{"scenes":[{"text":"a","background":{"kind":"image","file":"../no.png"}}]}"#,
    );
    desk.write("fake.json", br#"{"music":{"file":"story.txt"},"scenes":[{"text":"a"}]}"#);
    desk.write("broken.json", b"{\"scenes\": [");
    desk.write("none.txt", b"  \n");
    desk.write("bad.txt", b"\xff\xfe");
    desk.write("story.doc", b"x");
    for (line, message, hint) in [
        ("make key.json", "scenes[0].colour: unknown field `colour`", "production.md"),
        ("make many.json", "scenes: has 501 entries, at most 500 fit", "production.md"),
        ("make lost.json", "scenes[0].background.file (", ""),
        ("make fake.json", "music.file (", ""),
        ("make broken.json", "broken.json: EOF", ""),
        ("make none.txt", "none.txt: the story has no text", ""),
        ("make bad.txt", "bad.txt is no text in UTF-8", "iconv"),
        ("make story.doc", "story.doc is no story", ".txt"),
        ("make no.txt", "no.txt", ""),
        ("make story.txt -o out.mkv", "out.mkv names no video", ".mp4"),
        ("make story.txt --set height=7", "height: is 7", "production.md"),
        ("make story.txt --set voice.voice=xx-none", "voice: espeak-ng has no voice", ""),
        (
            "make story.txt --set voice.provider=piper",
            "a Piper voice is asked for",
            "VEILCAST_PIPER_URL",
        ),
        ("make story.txt --script openai", "an OpenAI-compatible script", "VEILCAST_OPENAI_URL"),
    ] {
        desk.fails(line, message, hint);
        let made =
            desk.names().into_iter().filter(|name| name.ends_with("mp4") || name.ends_with("vtt"));
        assert_eq!(made.count(), 0, "{line}");
        check_nothing_left(&desk);
    }
    desk.write("story.mp4", b"mine");
    desk.fails("make story.txt", "story.mp4 is there already", "--force");
    assert_eq!(desk.read("story.mp4"), b"mine");
}

/// Starts a long run and waits until pictures are being rendered.
fn caught_rendering(desk: &Desk) -> (Spawned, Vec<Process>) {
    let scene = r#"{"text":"a","duration":60,"voice":{"provider":"none"}}"#;
    desk.write("long.json", format!(r#"{{"height":640,"scenes":[{scene},{scene}]}}"#).as_bytes());
    let mut running = desk.start("exec \"$VEILCAST\" make long.json -o out.mp4");
    let deadline = std::time::Instant::now() + LIMIT;
    let work = desk.path("data/cache/make/work");
    let rendering = || {
        let runs = std::fs::read_dir(&work).into_iter().flatten().flatten();
        runs.into_iter().any(|run| run.path().join("made-00000.mp4").exists())
    };
    loop {
        let children = veil_testkit::descendants(running.id());
        if rendering() && !children.is_empty() {
            return (running, children);
        }
        assert!(running.try_wait().unwrap().is_none(), "it ended: {}", running.stderr());
        assert!(std::time::Instant::now() < deadline, "{}", running.stderr());
        std::thread::yield_now();
    }
}

#[test]
fn a_stopped_run_leaves_nothing() {
    let desk = desk();
    let (mut running, children) = caught_rendering(&desk);
    running.signal(Signal::INT).unwrap();
    assert_eq!(running.wait(LIMIT).unwrap().code(), Some(1));
    assert!(running.stderr().contains("the run was stopped"), "{}", running.stderr());
    assert_eq!(veil_testkit::wait_gone(&children, LIMIT), []);
    assert_eq!(desk.names(), ["data", "long.json", "story.txt"]);
    check_nothing_left(&desk);
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let desk = desk();
    let (mut running, children) = caught_rendering(&desk);
    running.kill().unwrap();
    assert_eq!(veil_testkit::wait_gone(&children, LIMIT), []);
    assert!(!desk.path("out.mp4").exists());
    desk.fails("make long.json --set scenes.0.background.kind=image", "scenes[0].background", "");
    desk.ok("make long.json --draft --set height=128 --set fps=24 --set scenes.0.duration=1 --set scenes.1.duration=1");
    let runs = std::fs::read_dir(desk.path("data/cache/make/work"));
    assert_eq!(runs.map_or(0, Iterator::count), 0);
}
