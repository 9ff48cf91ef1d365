//! Hiding in slots, which has one way of its own through the frames, against FFmpeg alone doing what it does for that.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::super::measure::{measure, median};
use super::super::verdict;
use super::floor::Floor;
use super::{Bench, finished, seconds};
use crate::failure::{During, Outcome};
use crate::noise::noise;
use crate::stop::Stop;

/// With the envelope of a key file, 1.5 kB, this fits into the clip in the profile below.
const MESSAGE_BYTES: usize = 100;

/// Speed over that of FFmpeg alone.
const AIM: f64 = 0.9;

/// Runs both sides in turn with the clip of a bench.
pub(super) fn run(bench: &Bench<'_>, runs: usize, stop: &Stop) -> Outcome<Value> {
    fs::write(bench.dir.path().join("short"), noise(MESSAGE_BYTES, 0))
        .during("writing a message")?;
    let hidden = finished("hiding", measure(&mut hide(bench), stop)?)?;
    let recode = Floor::recoding(bench.repo, &hidden.ffmpeg, bench.dir.path())?;
    let (mut ours, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(seconds(&mut hide(bench))?);
        alone.push(recode.seconds()?);
    }
    let (ours, alone) = (median(ours), median(alone));
    let ratio = alone / ours;
    let what = format!(
        "hide --mode robust, 1080p: {ours:.2} s, FFmpeg alone {alone:.2} s: {ratio:.2} of it, aim {AIM}"
    );
    verdict(&what, ratio >= AIM);
    Ok(json!({
        "hide_s": ours,
        "ffmpeg_recode_s": alone,
        "of_ceiling": ratio,
        "aim": AIM,
        "peak_bytes": hidden.peak_bytes,
    }))
}

fn hide(bench: &Bench<'_>) -> Command {
    let mut command = bench.veilcast();
    command.args(["hide", "--mode=robust", "--profile=same-size", "--force", "--no-verify"]);
    command.args(["--key=key", "--payload=short", "-o=slots.mp4", "--carrier"]).arg(&bench.clip);
    command
}
