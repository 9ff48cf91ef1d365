//! `hide`: a message of 200 kB hidden in 100 frames and revealed, against FFmpeg alone doing what it does for that.
//!
//! The ceiling of hiding is decode → pipe → encode, that of revealing decode → pipe, with the very commands that the runs
//! themselves gave to FFmpeg a moment before, read from `/proc`. Whole processes are timed on both sides: whatever
//! we ask, seal, open and clean up counts as ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use self::clips::{SIZES, Size};
use self::floor::Floor;
use super::measure::{Measured, measure, median};
use super::source::named_or_usual;
use super::verdict;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::failure::{During, Outcome, fail};
use crate::noise::noise;
use crate::repo::{Repo, output_of};
use crate::stop::Stop;

mod clips;
mod floor;
mod kernels;
mod robust;

/// Turns of each size where none are asked for.
const RUNS: usize = 5;

const MESSAGE_BYTES: usize = 200_000;

/// More than the cap that holds without being asked: at 720p 200 kB are 0.017 bits a sample.
const MAX_RATE: &str = "0.05";

/// Threads of ours that work on frames.
const THREADS: &str = "2";

/// Speed of hiding and revealing over that of FFmpeg alone.
const HIDE_AIM: f64 = 0.75;
const REVEAL_AIM: f64 = 0.9;

/// Peak memory of our processes at 1440p.
const PEAK_AIM_BYTES: u64 = 105_000_000;

/// Seconds of one turn.
#[derive(Clone, Copy)]
struct Turn {
    hide: f64,
    /// Hiding with the message read back, as it is done unless someone says otherwise.
    checked: f64,
    recode: f64,
    reveal: f64,
    decode: f64,
}

/// What was measured at a size.
struct Figures {
    size: &'static Size,
    turns: Vec<Turn>,
    peak_bytes: u64,
}

/// Runs all sides in turn at each size and prints the tables.
pub(super) fn run(repo: &Repo, options: &BenchOptions, stop: &Stop) -> Outcome<Value> {
    let source = named_or_usual(repo, options.video.as_deref())?;
    let runs = options.runs.unwrap_or(RUNS);
    note(format_args!("{runs} turns with 100 frames of {}", source.display()));
    let mut all = Vec::new();
    for size in &SIZES {
        let clip = clips::clip(repo, size, &source)?;
        let bench = Bench::new(repo, clip)?;
        all.push(bench.figures(size, runs, stop)?);
    }
    show(&all);
    let early = early(repo, &source, runs, stop)?;
    let middle = Bench::new(repo, clips::clip(repo, &SIZES[1], &source)?)?;
    let robust = robust::run(&middle, runs, stop)?;
    let kernels = kernels::run(repo)?;
    Ok(json!({
        "bench": "hide",
        "message_bytes": MESSAGE_BYTES,
        "sizes": all.iter().map(Figures::json).collect::<Vec<_>>(),
        "early": early,
        "robust": robust,
        "kernels": kernels,
        "aim": { "hide": HIDE_AIM, "reveal": REVEAL_AIM, "peak_bytes": PEAK_AIM_BYTES },
    }))
}

/// A folder with what hiding a message in a clip needs.
struct Bench<'a> {
    repo: &'a Repo,
    clip: PathBuf,
    dir: tempfile::TempDir,
}

impl<'a> Bench<'a> {
    fn new(repo: &'a Repo, clip: PathBuf) -> Outcome<Self> {
        let dir = tempfile::Builder::new().prefix("bench-hide-").tempdir_in(&repo.target);
        let dir = dir.during("making a folder for the runs")?;
        let write = |name: &str, bytes: &[u8]| {
            fs::write(dir.path().join(name), bytes).during(format_args!("writing {name}"))
        };
        write("payload", &noise(MESSAGE_BYTES, 0))?;
        write("key", &noise(32, 0))?;
        let key = fs::File::open(dir.path().join("key")).during("opening the key")?;
        let owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        key.set_permissions(owner).during("closing the key to others")?;
        Ok(Self { repo, clip, dir })
    }

    fn veilcast(&self) -> Command {
        let mut command = self.repo.command(self.repo.bin_dir("release").join("veilcast"));
        command.arg("--json").current_dir(self.dir.path());
        command
    }

    fn hide(&self, more: &[&str]) -> Command {
        let mut command = self.veilcast();
        command.args(["hide", "--force", "--key=key", "--payload=payload", "-o=hidden.mkv"]);
        command.args(["--max-rate", MAX_RATE, "--threads", THREADS]).args(more);
        command.arg("--carrier").arg(&self.clip);
        command
    }

    fn reveal(&self) -> Outcome<Command> {
        let found = self.dir.path().join("found");
        if found.exists() {
            fs::remove_dir_all(&found).during("removing what was revealed before")?;
        }
        let mut command = self.veilcast();
        command.args(["reveal", "--key=key", "-o=found", "hidden.mkv"]);
        Ok(command)
    }

    /// Looks at one run of each kind, then times turns.
    fn figures(&self, size: &'static Size, runs: usize, stop: &Stop) -> Outcome<Figures> {
        let hidden = finished("hiding", measure(&mut self.hide(&["--no-verify"]), stop)?)?;
        let revealed = finished("revealing", measure(&mut self.reveal()?, stop)?)?;
        self.check()?;
        let recode = Floor::recoding(self.repo, &hidden.ffmpeg, self.dir.path())?;
        let decode = Floor::decoding(self.repo, &revealed.ffmpeg, self.dir.path())?;
        let mut turns = Vec::new();
        for _ in 0..runs {
            turns.push(Turn {
                hide: seconds(&mut self.hide(&["--no-verify"]))?,
                recode: recode.seconds()?,
                reveal: seconds(&mut self.reveal()?)?,
                decode: decode.seconds()?,
                checked: seconds(&mut self.hide(&[]))?,
            });
        }
        let peak_bytes = hidden.peak_bytes.max(revealed.peak_bytes);
        Ok(Figures { size, turns, peak_bytes })
    }

    /// A bench of something that doesn't work is worth nothing.
    fn check(&self) -> Outcome {
        let read = |name: &str| {
            fs::read(self.dir.path().join(name)).during(format_args!("reading {name}"))
        };
        if read("payload")? == read("found/payload")? {
            return Ok(());
        }
        Err(fail("what was revealed is not what was hidden"))
    }
}

fn seconds(command: &mut Command) -> Outcome<f64> {
    let start = Instant::now();
    output_of(command)?;
    Ok(start.elapsed().as_secs_f64())
}

fn finished(what: &str, measured: Option<Measured>) -> Outcome<Measured> {
    let measured = measured.ok_or_else(|| fail("stopped"))?;
    if measured.status.success() {
        return Ok(measured);
    }
    Err(fail(format!("{what} ended with {}", measured.status)))
}

/// Revealing out of a video of which two thirds are black and carry nothing, against decoding all of it.
fn early(repo: &Repo, source: &Path, runs: usize, stop: &Stop) -> Outcome<Value> {
    let bench = Bench::new(repo, clips::black_behind(repo, source)?)?;
    output_of(&mut bench.hide(&["--no-verify"]))?;
    let revealed = finished("revealing", measure(&mut bench.reveal()?, stop)?)?;
    bench.check()?;
    let decode = Floor::decoding(repo, &revealed.ffmpeg, bench.dir.path())?;
    let (mut ours, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(seconds(&mut bench.reveal()?)?);
        whole.push(decode.seconds()?);
    }
    let (ours, whole) = (median(ours), median(whole));
    let what = format!(
        "a message in the first third of a video: revealed in {ours:.2} s, all frames decoded in {whole:.2} s"
    );
    verdict(&what, ours < whole);
    Ok(json!({ "reveal_s": ours, "decode_all_s": whole }))
}

impl Figures {
    fn middle(&self, of: impl Fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().map(of))
    }

    fn hide_ratio(&self) -> f64 {
        self.middle(|turn| turn.recode / turn.hide)
    }

    fn reveal_ratio(&self) -> f64 {
        self.middle(|turn| turn.decode / turn.reveal)
    }

    fn json(&self) -> Value {
        json!({
            "size": self.size.name,
            "turns": self.turns.len(),
            "hide_s": self.middle(|turn| turn.hide),
            "hide_checked_s": self.middle(|turn| turn.checked),
            "ffmpeg_recode_s": self.middle(|turn| turn.recode),
            "of_ceiling": self.hide_ratio(),
            "original_s": self.size.original_s,
            "reveal_s": self.middle(|turn| turn.reveal),
            "ffmpeg_decode_s": self.middle(|turn| turn.decode),
            "reveal_of_ceiling": self.reveal_ratio(),
            "peak_bytes": self.peak_bytes,
        })
    }

    fn row(&self) -> Vec<String> {
        let hide = self.middle(|turn| turn.hide);
        let seconds = |of: fn(&Turn) -> f64| format!("{:.2} s", self.middle(of));
        vec![
            self.size.name.to_owned(),
            seconds(|turn| turn.hide),
            seconds(|turn| turn.recode),
            format!("{:.2}", self.hide_ratio()),
            format!("{:.0}× {:.0} s", self.size.original_s / hide, self.size.original_s),
            seconds(|turn| turn.checked),
            seconds(|turn| turn.reveal),
            seconds(|turn| turn.decode),
            format!("{:.2}", self.reveal_ratio()),
            megabytes(self.peak_bytes),
        ]
    }
}

fn show(all: &[Figures]) {
    let head = [
        "",
        "hide",
        "FFmpeg alone",
        "of it",
        "the original",
        "hide, checked",
        "reveal",
        "FFmpeg alone",
        "of it",
        "peak memory",
    ];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(all.iter().map(Figures::row));
    table(&rows);
    for one in all {
        let (hide, reveal, name) = (one.hide_ratio(), one.reveal_ratio(), one.size.name);
        let hiding = format!("hide, {name}: {hide:.2} of FFmpeg alone, aim {HIDE_AIM}");
        verdict(&hiding, hide >= HIDE_AIM);
        let revealing = format!("reveal, {name}: {reveal:.2} of FFmpeg alone, aim {REVEAL_AIM}");
        verdict(&revealing, reveal >= REVEAL_AIM);
    }
    let peak = all.iter().map(|one| one.peak_bytes).max().unwrap_or(0);
    let what = format!("peak memory {}, aim {}", megabytes(peak), megabytes(PEAK_AIM_BYTES));
    verdict(&what, peak <= PEAK_AIM_BYTES);
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_medians_of_turns_and_a_row_has_them() {
        let turn = |hide: f64| Turn { hide, checked: 4.0, recode: 1.0, reveal: 1.0, decode: 0.9 };
        let turns = vec![turn(2.0), turn(1.25), turn(1.0)];
        let figures = Figures { size: &SIZES[0], turns, peak_bytes: 61_250_000 };
        let row = figures.row();
        assert_eq!(row[..5], ["720p", "1.25 s", "1.00 s", "0.80", "21× 26 s"]);
        assert_eq!(row[5..], ["4.00 s", "1.00 s", "0.90 s", "0.90", "61.2 MB"]);
    }
}
