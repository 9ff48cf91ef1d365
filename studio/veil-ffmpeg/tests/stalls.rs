//! FFmpeg that stands still: it is stopped, and whoever waits for it hears of it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use veil_ffmpeg::Error;
use veil_ffmpeg::carrier::Carrier;
use veil_ffmpeg::raw::{Container, Encoding, Recoding};
use veil_testkit::{Process, descendants, wait_gone};

use crate::support::{clip, launcher, tools};

/// Longer than FFmpeg takes to begin on a busy machine.
const PATIENCE: Duration = Duration::from_secs(6);

/// The FFmpeg below this process one of whose arguments is `word`, and which is about a clip of this name.
fn ffmpeg(name: &str, word: &str) -> Option<Process> {
    descendants(std::process::id()).into_iter().find(|process| {
        let line = fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        process.name == "ffmpeg" && line.contains(name) && line.split('\0').any(|arg| arg == word)
    })
}

/// Holds the FFmpeg that `word` tells of, after the first frames have passed through.
async fn check(name: &str, word: &str, step_is: &str) {
    let folder = tempfile::tempdir().unwrap();
    let args =
        "-f lavfi -i testsrc2=s=640x360:r=25:d=20 -c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    let video = clip(folder.path(), name, args);
    let (launcher, tools) = (launcher(), tools().await);
    let carrier = Carrier::inspect(&launcher, &tools, &video).await.unwrap();
    let out = folder.path().join("out.mkv");
    fs::write(&out, "").unwrap();
    let encoding = Encoding::new(&carrier, None, Container::Matroska).unwrap();
    let run = Recoding::start_with(&launcher, &tools, &carrier, (encoding, &out), PATIENCE);
    let mut run = run.await.unwrap();
    let (mut from, mut to) = run.take_ends().unwrap();
    let (passed, begun) = std::sync::mpsc::channel();
    let passing = tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; 1 << 20];
        for piece in 0.. {
            let count = from.read(&mut buffer).unwrap_or(0);
            if count == 0 || to.write_all(&buffer[..count]).is_err() {
                return;
            }
            // A clip of 20 seconds has 170 MB; some have gone through.
            if piece == 20 {
                passed.send(()).unwrap();
            }
        }
    });
    tokio::task::spawn_blocking(move || begun.recv().unwrap()).await.unwrap();
    let below = descendants(std::process::id());
    let held = ffmpeg(name, word).unwrap();
    let pid = Pid::from_raw(held.pid.cast_signed()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    match run.finish().await {
        Err(Error::Stalled { step, after }) => assert_eq!((step, after), (step_is, PATIENCE)),
        other => panic!("{other:?}"),
    }
    passing.await.unwrap();
    let ours = |process: &&Process| process.name == "ffmpeg";
    let ours: Vec<Process> = below.iter().filter(ours).cloned().collect();
    assert_eq!(wait_gone(&ours, Duration::from_secs(20)), []);
}

#[tokio::test]
async fn a_decoder_that_stands_still_is_stopped_with_its_encoder() {
    check("decoder.mkv", "nut", "decoding").await;
}

#[tokio::test]
async fn an_encoder_that_stands_still_is_stopped_with_its_decoder() {
    check("encoder.mkv", "-c:v:0", "encoding").await;
}
