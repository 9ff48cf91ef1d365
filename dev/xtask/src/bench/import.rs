//! `import`: `veilcast import` against FFmpeg alone doing the same ladder.
//!
//! The bare command is the one that the import itself gave to FFmpeg a moment before, read from `/proc`, with files in
//! place of the pipes: it can't drift away from what the product does.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::measure::{Measured, measure, median};
use super::verdict;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::demo::demo_clip;
use crate::failure::{During, Outcome, fail};
use crate::repo::Repo;
use crate::stop::Stop;

/// Wall time of the import over that of the bare command.
const RATIO_AIM: f64 = 1.05;

/// Peak memory of our processes, whatever the length of the video.
const PEAK_AIM_BYTES: u64 = 100_000_000;

/// The sample to measure with, where the samples are.
const SAMPLE: &str = "media/sintel_trailer-720p.mp4";

struct Run {
    import_s: f64,
    bare_s: f64,
    peak_bytes: u64,
}

/// Runs both sides in turn and prints the table.
pub(super) fn run(repo: &Repo, options: &BenchOptions, stop: &Stop) -> Outcome<Value> {
    let video = source(repo, options)?;
    note(format_args!("{} runs with {}", options.runs, video.display()));
    let mut runs = Vec::new();
    for _ in 0..options.runs {
        runs.push(one_run(repo, &video, stop)?);
    }
    let import_s = median(runs.iter().map(|run| run.import_s));
    let bare_s = median(runs.iter().map(|run| run.bare_s));
    let ratio = median(runs.iter().map(|run| run.import_s / run.bare_s));
    let peak_bytes = runs.iter().map(|run| run.peak_bytes).max().unwrap_or(0);
    show(&runs, ratio, peak_bytes);
    Ok(json!({
        "bench": "import",
        "video": video.file_name().map(|name| name.to_string_lossy()),
        "runs": runs.iter().map(Run::json).collect::<Vec<_>>(),
        "median": { "import_s": import_s, "bare_s": bare_s, "ratio": ratio },
        "peak_bytes": peak_bytes,
        "aim": { "ratio": RATIO_AIM, "peak_bytes": PEAK_AIM_BYTES },
    }))
}

impl Run {
    fn json(&self) -> Value {
        json!({ "import_s": self.import_s, "bare_s": self.bare_s, "peak_bytes": self.peak_bytes })
    }
}

fn source(repo: &Repo, options: &BenchOptions) -> Outcome<PathBuf> {
    if let Some(video) = &options.video {
        return video.canonicalize().during(format_args!("opening {}", video.display()));
    }
    let sample = veil_testkit::samples().map(|dir| dir.join(SAMPLE)).filter(|path| path.is_file());
    match sample {
        Some(sample) => sample.canonicalize().during("opening the sample"),
        None => demo_clip(repo),
    }
}

fn one_run(repo: &Repo, video: &Path, stop: &Stop) -> Outcome<Run> {
    let dir = tempfile::Builder::new().prefix("bench-import-").tempdir_in(&repo.target);
    let dir = dir.during("making a folder for the run")?;
    let mut import = repo.command(repo.bin_dir("release").join("veilcast"));
    import.arg("--data").arg(dir.path().join("data"));
    import.args(["--json", "import", "--title=bench", "--"]).arg(video);
    let ours = finished("the import", measure(&mut import, stop)?)?;

    let outputs = dir.path().join("bare");
    fs::create_dir(&outputs).during("making a folder for the bare command")?;
    let words = bare_command(&ours.ffmpeg, &outputs)?;
    let bare = measure(repo.command("ffmpeg").args(words), stop)?;
    let bare = finished("the bare command", bare)?;
    Ok(Run {
        import_s: ours.wall.as_secs_f64(),
        bare_s: bare.wall.as_secs_f64(),
        peak_bytes: ours.peak_bytes,
    })
}

fn finished(what: &str, measured: Option<Measured>) -> Outcome<Measured> {
    let measured = measured.ok_or_else(|| fail("stopped"))?;
    if measured.status.success() {
        return Ok(measured);
    }
    Err(fail(format!("{what} ended with {}", measured.status)))
}

/// Picks the command with the most outputs to inherited pipes (the ladder; the others make a poster or subtitles) and puts
/// a file in place of each.
fn bare_command(commands: &[Vec<String>], outputs: &Path) -> Outcome<Vec<String>> {
    let pipes = |words: &&Vec<String>| words.iter().filter(|word| is_output_pipe(word)).count();
    let ladder = commands.iter().max_by_key(pipes).filter(|words| pipes(words) > 0);
    let ladder = ladder.ok_or_else(|| {
        fail("the import gave FFmpeg no command with an output to a pipe").hint(
            "if packaging no longer writes to pipes, dev/xtask/src/bench/import.rs has to follow",
        )
    })?;
    let file = |word: &String| outputs.join(word.replace(':', "-")).to_string_lossy().into_owned();
    let replace = |word: &String| if is_output_pipe(word) { file(word) } else { word.clone() };
    Ok(ladder.iter().map(replace).collect())
}

/// `pipe:3` and up: the three below are the standard ones.
fn is_output_pipe(word: &str) -> bool {
    word.strip_prefix("pipe:").and_then(|number| number.parse().ok()).is_some_and(|fd: u32| fd > 2)
}

fn show(runs: &[Run], ratio: f64, peak_bytes: u64) {
    let mut rows =
        vec![["run", "import", "bare FFmpeg", "ratio", "peak memory"].map(String::from).to_vec()];
    for (at, run) in runs.iter().enumerate() {
        let ratio = run.import_s / run.bare_s;
        rows.push(row(&(at + 1).to_string(), run.import_s, run.bare_s, ratio, run.peak_bytes));
    }
    let middle = |of: fn(&Run) -> f64| median(runs.iter().map(of));
    rows.push(row(
        "median",
        middle(|run| run.import_s),
        middle(|run| run.bare_s),
        ratio,
        peak_bytes,
    ));
    table(&rows);
    verdict(&format!("ratio {ratio:.3}, aim {RATIO_AIM}"), ratio <= RATIO_AIM);
    let peak = format!("peak memory {}, aim {}", megabytes(peak_bytes), megabytes(PEAK_AIM_BYTES));
    verdict(&peak, peak_bytes <= PEAK_AIM_BYTES);
}

fn row(name: &str, import_s: f64, bare_s: f64, ratio: f64, peak_bytes: u64) -> Vec<String> {
    let seconds = |value: f64| format!("{value:.2} s");
    vec![
        name.into(),
        seconds(import_s),
        seconds(bare_s),
        format!("{ratio:.3}"),
        megabytes(peak_bytes),
    ]
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_ladder_is_picked_and_its_pipes_become_files() {
        let commands = [
            words("-i file:/a.mp4 -frames:v 1 pipe:3"),
            words("-progress pipe:1 -i file:/a.mp4 -f mp4 pipe:7 -f mp4 pipe:12"),
        ];
        let bare = bare_command(&commands, Path::new("/out")).unwrap();
        let wanted = "-progress pipe:1 -i file:/a.mp4 -f mp4 /out/pipe-7 -f mp4 /out/pipe-12";
        assert_eq!(bare, words(wanted));
    }

    #[test]
    fn an_import_without_pipes_is_an_error_and_not_a_figure() {
        let error = bare_command(&[words("-i a.mp4 b.mp4")], Path::new("/out")).unwrap_err();
        assert!(error.to_string().contains("no command with an output to a pipe"), "{error}");
    }

    #[test]
    fn megabytes_have_one_decimal() {
        assert_eq!(megabytes(PEAK_AIM_BYTES + 260_000), "100.2 MB");
    }
}
