//! `make` beyond whole scenes: pieces of them, transitions, captions and sound that are brought along, and a disk that is full.

use std::process::Command;

use serde_json::json;
use veil_testkit::run;

use crate::desk::{Desk, LIMIT, check_failure};
use crate::hiding::clip;
use crate::hiding_faults::on_small_disk;
use crate::making::{check_nothing_left, cue_times, desk};

/// The average colour of frames of a video, as red, green and blue.
fn colours(desk: &Desk, name: &str) -> Vec<[u8; 3]> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-i"]).arg(desk.path(name));
    command.args(["-vf", "scale=1:1:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]);
    let bytes = run(&mut command, LIMIT).unwrap().success().unwrap().stdout;
    bytes.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

#[test]
fn a_dissolve_shows_both_scenes_and_renders_its_own_pieces_alone() {
    let desk = desk();
    let scene = |colour: &str| {
        let background = json!({ "kind": "gradient", "colors": [colour, colour] });
        json!({ "duration": 6, "background": background, "voice": { "provider": "none" } })
    };
    let scenes = [scene("#ff0000"), scene("#0000ff"), scene("#00ff00")];
    let document = json!({ "height": 128, "fps": 24, "transition": "dissolve", "scenes": scenes });
    desk.write("p.json", document.to_string().as_bytes());
    let made = desk.answer("make p.json --draft");
    assert_eq!((&made["duration_us"], &made["pieces"]), (&18_000_000.into(), &5.into()), "{made}");
    let colours = colours(&desk, "p.mp4");
    assert_eq!(colours.len(), 18 * 24);
    let check = |frame: usize, wanted: [u8; 3]| {
        let found = colours[frame];
        let near = found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 40);
        assert!(near, "frame {frame}: {found:?} instead of {wanted:?}");
    };
    // Half a second of twelve frames, from the cut on.
    check(6 * 24 - 1, [255, 0, 0]);
    check(6 * 24 + 6, [128, 0, 128]);
    check(6 * 24 + 12, [0, 0, 255]);
    check(12 * 24 + 6, [0, 128, 128]);
    let longer = "make p.json --draft --force --set scenes.2.transition_seconds=1";
    let made = desk.answer(longer);
    assert_eq!((&made["rendered_scenes"], &made["rendered_pieces"]), (&1.into(), &2.into()));
    desk.fails(
        "make p.json --force --set transition_seconds=9",
        "transition_seconds: is 9; it goes from 0.1 to 4",
        "production.md",
    );
}

#[test]
fn pieces_of_a_film_show_what_the_film_shows() {
    let desk = desk();
    let film = "-f lavfi -i testsrc2=s=160x160:r=24:d=26 -c:v libx264 -preset ultrafast -crf 10 -pix_fmt yuv420p \
                -color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709";
    clip(&desk, "film.mp4", film);
    let document = json!({
        "format": "1:1", "height": 160, "fps": 24, "backgrounds": [{ "kind": "video", "file": "film.mp4" }],
        "scenes": [{ "duration": 40, "voice": { "provider": "none" } }],
    });
    desk.write("p.json", document.to_string().as_bytes());
    let made = desk.answer("make p.json");
    // At 16 s, where the film begins again at 26 s, and no later: the rest is short.
    assert_eq!(made["pieces"], 3, "{made}");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-i"]).arg(desk.path("p.mp4"));
    command.args(["-stream_loop", "1", "-i"]).arg(desk.path("film.mp4"));
    command.args(["-lavfi", "[0:v][1:v]psnr=stats_file=-:shortest=1", "-f", "null", "-"]);
    let said = run(&mut command, LIMIT).unwrap().success().unwrap().stdout;
    let said = String::from_utf8(said).unwrap();
    let value = |line: &str| line.split("psnr_avg:").nth(1)?.split(' ').next()?.parse::<f64>().ok();
    let all: Vec<f64> = said.lines().filter_map(value).collect();
    assert_eq!(all.len(), 40 * 24);
    let worst = all.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(worst > 25.0, "{worst} dB at frame {:?}", all.iter().position(|db| *db == worst));
}

/// A recording: a tone of a second, two seconds of silence, a tone of a second.
const RECORDING: &str = "-f lavfi -i aevalsrc=0.3*sin(2764*t)*(lt(t\\,1)+gt(t\\,3)):d=4";

#[test]
fn a_recordings_silences_are_cut_and_its_captions_move_with_it() {
    let desk = desk();
    clip(&desk, "voice.flac", RECORDING);
    desk.write(
        "voice.srt",
        b"1\n00:00:00,000 --> 00:00:01,000\nOne.\n\n2\n00:00:03,000 --> 00:00:04,000\nTwo.\n",
    );
    desk.write("bad.srt", b"1\n00:00:00,000 --> soon\nOne.\n");
    let scene = |captions: &str, cut: f64| {
        let voice = json!({ "provider": "recording", "file": "voice.flac", "cut_silence": cut });
        json!({ "scenes": [{ "voice": voice, "captions": { "file": captions } }], "height": 128, "fps": 25 })
    };
    desk.write("p.json", scene("voice.srt", 0.4).to_string().as_bytes());
    let made = desk.answer("make p.json --draft");
    // Two tones, 0.4 s of silence, and the pause behind the speech; where a tone ends is known to a fiftieth of a second.
    let length_us = made["duration_us"].as_u64().unwrap();
    assert!((2_720_000..=2_840_000).contains(&length_us), "{made}");
    let vtt = String::from_utf8(desk.read("p.vtt")).unwrap();
    let times = cue_times(&vtt);
    assert_eq!((times.len(), times[0]), (2, (0, 1000)), "{vtt}");
    assert!(times[1].0.abs_diff(1400) <= 40 && times[1].1.abs_diff(2400) <= 40, "{vtt}");
    desk.write("q.json", scene("bad.srt", 0.4).to_string().as_bytes());
    let why = "bad.srt\"): line 2: `soon` is no time";
    desk.fails("make q.json --draft", why, "production.md");
    desk.write("r.json", scene("voice.flac", 0.4).to_string().as_bytes());
    desk.fails("make r.json --draft", "scenes[0].captions.file", "");
    check_nothing_left(&desk);
}

#[test]
fn a_film_is_heard_where_it_is_asked_for() {
    let desk = desk();
    let film = "-f lavfi -i testsrc2=s=160x160:r=24:d=2 -f lavfi -i sine=440:d=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac";
    clip(&desk, "film.mp4", film);
    let scene = |sound: f64| {
        let background = json!({ "kind": "video", "file": "film.mp4", "sound": sound });
        json!({ "duration": 3, "background": background, "voice": { "provider": "none" } })
    };
    let document = |sound: f64| json!({ "format": "1:1", "height": 128, "fps": 24, "transition": "dissolve", "scenes": [scene(sound), scene(sound)] });
    desk.write("loud.json", document(1.0).to_string().as_bytes());
    desk.write("mute.json", document(0.0).to_string().as_bytes());
    let lufs = desk.answer("make loud.json --draft")["loudness_lufs"].as_f64().unwrap();
    assert!((lufs + 14.0).abs() < 0.5, "{lufs}");
    assert!(desk.answer("make mute.json --draft")["loudness_lufs"].is_null());
    clip(
        &desk,
        "film.mp4",
        "-f lavfi -i testsrc2=s=160x160:r=24:d=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    desk.fails("make loud.json --draft --force", "there is no sound in it", "");
}

#[test]
fn a_full_disk_leaves_what_was_whole_and_no_video() {
    let desk = desk();
    clip(&desk, "noise.png", "-f lavfi -i testsrc2=s=400x400,noise=alls=60:all_seed=1 -frames:v 1");
    let document = json!({ "height": 640, "fps": 24, "scenes": [{
        "duration": 40, "voice": { "provider": "none" }, "background": { "kind": "image", "file": "noise.png" },
    }] });
    desk.write("p.json", document.to_string().as_bytes());
    let line = "--data small/data make p.json --draft -o small/out.mp4";
    let finished = on_small_disk(&desk, (".", 1024), line);
    check_failure(&finished, line, "No space left on device", "free some space");
    assert_eq!(finished.text(), "data\n");
}
