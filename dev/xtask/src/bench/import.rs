//! `import`: `veilcast import` against FFmpeg alone doing the same ladder.
//!
//! The bare command is the one that the import itself gave to FFmpeg a moment before, read from `/proc`, with files in
//! place of the pipes and at the same priority: it can't drift away from what the product does. "Whatever the length" is
//! measured too: unless a video is named, a source ten times as long is imported once, for its peak memory.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::measure::{Given, Measured, measure, median};
use super::source::{LONG_SECONDS, long, named_or_usual};
use super::verdict;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::failure::{During, Outcome, fail};
use crate::repo::Repo;
use crate::stop::Stop;

/// Runs of each side where none are asked for.
const RUNS: usize = 3;

/// Wall time of the import over that of the bare command.
const RATIO_AIM: f64 = 1.05;

/// Peak memory of our processes, whatever the length of the video.
const PEAK_AIM_BYTES: u64 = 100_000_000;

struct Run {
    import_s: f64,
    bare_s: f64,
    peak_bytes: u64,
}

/// One import: the data folder goes with it.
pub(super) struct Import {
    pub(super) measured: Measured,
    dir: tempfile::TempDir,
}

/// Runs both sides in turn and prints the table.
pub(super) fn run(repo: &Repo, options: &BenchOptions, stop: &Stop) -> Outcome<Value> {
    let video = named_or_usual(repo, options.video.as_deref())?;
    let count = options.runs.unwrap_or(RUNS);
    note(format_args!("{count} runs with {}", video.display()));
    let runs = (0..count).map(|_| one_run(repo, &video, stop)).collect::<Outcome<Vec<_>>>()?;
    let ratio = median(runs.iter().map(Run::ratio));
    let peak_bytes = runs.iter().map(|run| run.peak_bytes).max().unwrap_or(0);
    show(&runs, ratio, peak_bytes);
    verdict(&format!("ratio {ratio:.3}, aim {RATIO_AIM}"), ratio <= RATIO_AIM);
    show_peak("", peak_bytes);
    let long_peak_bytes = match &options.video {
        Some(_) => None,
        None => Some(peak_of_long(repo, &video, stop)?),
    };
    Ok(json!({
        "bench": "import",
        "video": video.file_name().map(|name| name.to_string_lossy()),
        "runs": runs.iter().map(Run::json).collect::<Vec<_>>(),
        "median": {
            "import_s": median(runs.iter().map(|run| run.import_s)),
            "bare_s": median(runs.iter().map(|run| run.bare_s)),
            "ratio": ratio,
        },
        "peak_bytes": peak_bytes,
        "long": { "seconds": LONG_SECONDS, "peak_bytes": long_peak_bytes },
        "aim": { "ratio": RATIO_AIM, "peak_bytes": PEAK_AIM_BYTES },
    }))
}

impl Run {
    fn ratio(&self) -> f64 {
        self.import_s / self.bare_s
    }

    fn json(&self) -> Value {
        json!({ "import_s": self.import_s, "bare_s": self.bare_s, "peak_bytes": self.peak_bytes })
    }
}

fn peak_of_long(repo: &Repo, video: &Path, stop: &Stop) -> Outcome<u64> {
    let video = long(repo, video)?;
    note(format_args!("once with {LONG_SECONDS} s of it, for the memory"));
    let Measured { wall, peak_bytes, .. } = import(repo, &video, &[], stop)?.measured;
    show_peak(
        &format!(" of {LONG_SECONDS} s, imported in {:.1} s", wall.as_secs_f64()),
        peak_bytes,
    );
    Ok(peak_bytes)
}

/// Imports `video` with more flags into an empty data folder.
pub(super) fn import(repo: &Repo, video: &Path, flags: &[&str], stop: &Stop) -> Outcome<Import> {
    let dir = tempfile::Builder::new().prefix("bench-import-").tempdir_in(&repo.target);
    let dir = dir.during("making a folder for the run")?;
    let mut import = repo.command(repo.bin_dir("release").join("veilcast"));
    import.arg("--data").arg(dir.path().join("data"));
    import.args(["--json", "import", "--title=bench"]).args(flags).arg("--").arg(video);
    let measured = finished("the import", measure(&mut import, stop)?)?;
    Ok(Import { measured, dir })
}

fn one_run(repo: &Repo, video: &Path, stop: &Stop) -> Outcome<Run> {
    let import = import(repo, video, &[], stop)?;
    let bare = import.bare(repo, stop)?;
    let ours = import.measured;
    Ok(Run {
        import_s: ours.wall.as_secs_f64(),
        bare_s: bare.wall.as_secs_f64(),
        peak_bytes: ours.peak_bytes,
    })
}

impl Import {
    /// Runs the command that this import gave to FFmpeg once more, without us.
    pub(super) fn bare(&self, repo: &Repo, stop: &Stop) -> Outcome<Measured> {
        let outputs = self.dir.path().join("bare");
        fs::create_dir_all(&outputs).during("making a folder for the bare command")?;
        let Given { words, nicer } = bare_command(&self.measured.ffmpeg, &outputs)?;
        let mut bare = repo.command("nice");
        bare.args(["-n", &nicer.to_string(), "ffmpeg"]).args(words);
        finished("the bare command", measure(&mut bare, stop)?)
    }
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
fn bare_command(commands: &[Given], outputs: &Path) -> Outcome<Given> {
    let pipes = |given: &&Given| given.words.iter().filter(|word| is_output_pipe(word)).count();
    let ladder = commands.iter().max_by_key(pipes).filter(|given| pipes(given) > 0);
    let ladder = ladder.ok_or_else(|| {
        fail("the import gave FFmpeg no command with an output to a pipe").hint(
            "if packaging no longer writes to pipes, dev/xtask/src/bench/import.rs has to follow",
        )
    })?;
    let file = |word: &String| outputs.join(word.replace(':', "-")).to_string_lossy().into_owned();
    let replace = |word: &String| if is_output_pipe(word) { file(word) } else { word.clone() };
    Ok(Given { words: ladder.words.iter().map(replace).collect(), nicer: ladder.nicer })
}

/// `pipe:3` and up: the three below are the standard ones.
fn is_output_pipe(word: &str) -> bool {
    word.strip_prefix("pipe:").and_then(|number| number.parse().ok()).is_some_and(|fd: u32| fd > 2)
}

fn show(runs: &[Run], ratio: f64, peak_bytes: u64) {
    let mut rows =
        vec![["run", "import", "bare FFmpeg", "ratio", "peak memory"].map(String::from).to_vec()];
    for (at, run) in runs.iter().enumerate() {
        let name = (at + 1).to_string();
        rows.push(row(&name, run.import_s, run.bare_s, run.ratio(), run.peak_bytes));
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
}

fn show_peak(of: &str, peak_bytes: u64) {
    let peak =
        format!("peak memory{of} {}, aim {}", megabytes(peak_bytes), megabytes(PEAK_AIM_BYTES));
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

pub(super) fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &str, nicer: i32) -> Given {
        Given { words: line.split(' ').map(str::to_owned).collect(), nicer }
    }

    #[test]
    fn the_ladder_is_picked_and_its_pipes_become_files() {
        let commands = [
            given("-i file:/a.mp4 -frames:v 1 pipe:3", 0),
            given("-progress pipe:1 -i file:/a.mp4 -f mp4 pipe:7 -f mp4 pipe:12", 5),
        ];
        let bare = bare_command(&commands, Path::new("/out")).unwrap();
        let wanted = "-progress pipe:1 -i file:/a.mp4 -f mp4 /out/pipe-7 -f mp4 /out/pipe-12";
        assert_eq!(bare, given(wanted, 5));
    }

    #[test]
    fn an_import_without_pipes_is_an_error_and_not_a_figure() {
        let error = bare_command(&[given("-i a.mp4 b.mp4", 5)], Path::new("/out")).unwrap_err();
        assert!(error.to_string().contains("no command with an output to a pipe"), "{error}");
    }

    #[test]
    fn megabytes_have_one_decimal() {
        assert_eq!(megabytes(PEAK_AIM_BYTES + 260_000), "100.2 MB");
    }
}
