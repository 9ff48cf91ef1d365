//! `hide --mode robust`: what a person sees of it. What messages survive is `cargo xtask attacks`'s, which its tests run too.

use std::fs;
use std::process::Command;

use veil_testkit::run;

use crate::desk::{Desk, LIMIT};

/// Twelve seconds of what moves, with sound.
const CLIP: &str = "-f lavfi -i mandelbrot=s=640x360:r=25:start_scale=1.5 -f lavfi -i sine=440:d=12 -t 12 \
    -c:v libx264 -preset ultrafast -crf 14 -pix_fmt yuv420p -c:a aac";

const NOTHING: &str = "nothing is revealed: there is no message for this key, or it is damaged";

/// A desk with a video, a payload and passphrases.
pub(crate) fn desk() -> Desk {
    let desk = Desk::new();
    ffmpeg(&desk, CLIP, "a.mp4");
    desk.write_secret("word", b"correct horse\n");
    desk.write_secret("other", b"battery staple\n");
    let mut bytes = vec![0; 400];
    getrandom::fill(&mut bytes).unwrap();
    desk.write("note", &bytes);
    desk
}

fn ffmpeg(desk: &Desk, args: &str, out: &str) {
    let mut command = Command::new("ffmpeg");
    command.current_dir(desk.path("")).args(["-v", "error", "-nostdin", "-y"]);
    run(command.args(args.split_whitespace()).arg(out), LIMIT).unwrap().success().unwrap();
}

#[test]
fn a_message_comes_out_of_an_ordinary_video_that_keeps_its_sound() {
    let desk = desk();
    let hide = "hide --mode robust --carrier a.mp4 --payload note --passphrase-file word";
    let told = desk.answer(&format!("{hide} --profile same-size -o out.mp4"));
    assert_eq!((told["mode"].as_str(), told["frames"].as_u64()), (Some("robust"), Some(300)));
    assert_eq!(told["verified"], true);
    assert!(told["capacity_bytes"].as_u64() > told["message_bytes"].as_u64());
    let streams = "ffprobe -v error -show_entries stream=codec_name,profile,pix_fmt,nb_frames -of csv=p=0 out.mp4";
    let streams = String::from_utf8(desk.sh(streams)).unwrap();
    assert!(streams.starts_with("h264,High,yuv420p,300\naac,LC,"), "{streams}");
    let sound = "-map 0:a -c copy -f framemd5 -";
    desk.sh(&format!("test \"$(ffmpeg -v error -i a.mp4 {sound} | grep -v '^#' | cut -d, -f5-)\" = \"$(ffmpeg -v error -i out.mp4 {sound} | grep -v '^#' | cut -d, -f5-)\""));
    desk.ok("reveal out.mp4 --passphrase-file word -o found");
    assert!(desk.read("found/note") == desk.read("note"));
    for line in ["reveal a.mp4 --passphrase-file word", "reveal out.mp4 --passphrase-file other"] {
        desk.fails(&format!("{line} -o no"), NOTHING, "check the key");
    }
}

#[test]
fn what_does_not_fit_or_make_sense_is_refused() {
    let desk = desk();
    let mut big = vec![0; 9000];
    getrandom::fill(&mut big).unwrap();
    fs::write(desk.path("big"), big).unwrap();
    let hide =
        |rest: &str| format!("hide --carrier a.mp4 --passphrase-file word -o out.mp4 {rest}");
    let line = hide("--mode robust --payload big --profile hard");
    desk.fails(&line, "the payload needs more than the", "longer video");
    desk.fails(&hide("--mode robust --payload note --profile careful"), "another mode's", "scaled");
    desk.fails(&hide("--payload note --profile hard"), "another mode's", "careful");
    desk.fails(&hide("--mode robust --payload note --codec ffv1"), "no choice of codec", "--codec");
    assert!(!desk.path("out.mp4").exists());
}

#[test]
fn capacity_tells_what_each_profile_holds() {
    let desk = desk();
    let told = desk.answer("capacity a.mp4");
    let robust = told["robust"].as_array().unwrap();
    let names: Vec<&str> = robust.iter().map(|row| row["profile"].as_str().unwrap()).collect();
    assert_eq!(names, ["same-size", "scaled", "hard"]);
    let bytes: Vec<u64> = robust.iter().map(|row| row["payload_bytes"].as_u64().unwrap()).collect();
    assert!((300..700).contains(&bytes[0]), "{bytes:?}");
    assert!(bytes[2] < bytes[1] && bytes[1] <= bytes[0], "{bytes:?}");
    let shown = String::from_utf8(desk.ok("capacity a.mp4")).unwrap();
    assert!(shown.contains("same-size"), "{shown}");
}
