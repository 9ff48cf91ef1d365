//! `make`: a minute of 1080×1920 with voice, captions and music, against one FFmpeg command for the same film, and MoviePy 2 doing the same job.
//!
//! All sides follow one plan (`plan`): the same pictures and motions, the same narration, captions and music, the same encoder settings. Processor time is
//! that of whole trees of processes, as the kernel counts it for those that were waited for.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use self::plan::Plan;
use super::measure::median;
use super::verdict;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of};
use crate::setup;
use crate::stop::Stop;

mod plan;

/// The pinned packages, relative to the root, and what they import.
const REQUIREMENTS: &str = "bench/make/requirements.txt";
const FILM: &str = "bench/make/film.py";

/// Turns where none are asked for.
const RUNS: usize = 2;

/// Scenes of the stretch that MoviePy makes: all of them would take it longer than anything else here.
const STRETCH: usize = 2;

/// Processor time over that of one command, how much faster than MoviePy, and time of a changed caption over that of the whole.
const FFMPEG_AIM: f64 = 1.1;
const MOVIEPY_AIM: f64 = 4.0;
const CHANGE_AIM: f64 = 0.25;

/// What a run took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    wall_s: f64,
    cpu_s: f64,
}

/// What one turn took.
struct Turn {
    ours: Cost,
    changed: Cost,
    ffmpeg: Cost,
}

/// Runs all sides in turn and prints the table.
pub(super) fn run(repo: &Repo, options: &BenchOptions, _: &Stop) -> Outcome<Value> {
    let python = setup::environment_of(repo, "make", REQUIREMENTS, "import moviepy")?;
    let dir = tempfile::Builder::new().prefix("bench-make-").tempdir_in(&repo.target);
    let dir = dir.during("making a folder for the runs")?;
    let plan = Plan::new(repo, dir.path())?;
    let runs = options.runs.unwrap_or(RUNS);
    note(format_args!("{runs} turns of {:.0} s in {} scenes", plan.seconds(), plan.scenes()));
    let mut turns = Vec::new();
    for _ in 0..runs {
        forget(dir.path())?;
        let ours = cost(&mut plan.make(plan.scenes(), false))?;
        let changed = cost(&mut plan.make(plan.scenes(), true))?;
        let ffmpeg = cost(&mut plan.ffmpeg())?;
        turns.push(Turn { ours, changed, ffmpeg });
    }
    forget(dir.path())?;
    let stretch = cost(&mut plan.make(STRETCH, false))?;
    let moviepy = cost(&mut plan.moviepy(&python, &repo.root.join(FILM), STRETCH)?)?;
    Ok(told(&plan, &turns, stretch, moviepy))
}

/// Nothing that was rendered before counts.
fn forget(folder: &Path) -> Outcome {
    let cache = folder.join("data/cache");
    match fs::remove_dir_all(&cache) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(fail(format!("cannot remove {}: {error}", cache.display())))
        }
        _ => Ok(()),
    }
}

/// Runs a command to its end.
fn cost(command: &mut Command) -> Outcome<Cost> {
    let (start, before) = (Instant::now(), children_cpu_s()?);
    output_of(command)?;
    Ok(Cost { wall_s: start.elapsed().as_secs_f64(), cpu_s: children_cpu_s()? - before })
}

/// Processor time, in seconds, of all children that were waited for, and of theirs (`cutime` and `cstime` of proc(5), in hundredths).
fn children_cpu_s() -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat").during("reading our processor time")?;
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let mut fields = after.split_whitespace().skip(13);
    let mut ticks = || fields.next().and_then(|field| field.parse::<f64>().ok());
    let sum = ticks().zip(ticks()).map(|(user, system)| user + system);
    Ok(sum.ok_or_else(|| fail("/proc/self/stat has no times"))? / 100.0)
}

fn told(plan: &Plan, turns: &[Turn], stretch: Cost, moviepy: Cost) -> Value {
    let middle = |of: fn(&Turn) -> f64| median(turns.iter().map(of));
    let of_ffmpeg = middle(|turn| turn.ours.cpu_s / turn.ffmpeg.cpu_s);
    let of_whole = middle(|turn| turn.changed.wall_s / turn.ours.wall_s);
    let faster = moviepy.wall_s / stretch.wall_s;
    let row = |what: &str, wall_s: f64, cpu_s: f64| {
        vec![what.to_owned(), format!("{wall_s:.1} s"), format!("{cpu_s:.1} s")]
    };
    let seconds = plan.seconds_of(STRETCH);
    table(&[
        ["", "time", "processors"].map(str::to_owned).to_vec(),
        row("veilcast make", middle(|turn| turn.ours.wall_s), middle(|turn| turn.ours.cpu_s)),
        row(
            "one FFmpeg command",
            middle(|turn| turn.ffmpeg.wall_s),
            middle(|turn| turn.ffmpeg.cpu_s),
        ),
        row(
            "a changed caption",
            middle(|turn| turn.changed.wall_s),
            middle(|turn| turn.changed.cpu_s),
        ),
        row(&format!("veilcast make, {seconds:.0} s"), stretch.wall_s, stretch.cpu_s),
        row(&format!("MoviePy, {seconds:.0} s"), moviepy.wall_s, moviepy.cpu_s),
    ]);
    verdict(
        &format!("{of_ffmpeg:.2}× the processor time of one command, aim {FFMPEG_AIM}"),
        of_ffmpeg <= FFMPEG_AIM,
    );
    verdict(&format!("{faster:.1}× faster than MoviePy, aim {MOVIEPY_AIM}"), faster >= MOVIEPY_AIM);
    let percent = of_whole * 100.0;
    verdict(
        &format!(
            "a changed caption takes {percent:.0} % of the time, aim {:.0}",
            CHANGE_AIM * 100.0
        ),
        of_whole <= CHANGE_AIM,
    );
    let one = |cost: Cost| json!({ "wall_s": cost.wall_s, "cpu_s": cost.cpu_s });
    let each = turns.iter().map(|turn| {
        json!({ "ours": one(turn.ours), "changed": one(turn.changed), "ffmpeg": one(turn.ffmpeg) })
    });
    json!({
        "bench": "make",
        "seconds": plan.seconds(),
        "turns": each.collect::<Vec<_>>(),
        "of_ffmpeg_cpu": of_ffmpeg,
        "changed_of_whole": of_whole,
        "stretch_seconds": seconds,
        "stretch": one(stretch),
        "moviepy": one(moviepy),
        "faster_than_moviepy": faster,
        "aim": { "of_ffmpeg_cpu": FFMPEG_AIM, "faster_than_moviepy": MOVIEPY_AIM, "changed_of_whole": CHANGE_AIM },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_child_and_of_its_child_is_counted() {
        let script = "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; true";
        let cost = cost(Command::new("sh").args(["-c", script])).unwrap();
        assert!(cost.cpu_s >= 0.03 && cost.wall_s >= 0.03, "{cost:?}");
    }
}
