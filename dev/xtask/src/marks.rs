//! `cargo xtask marks`: marks videos, attacks them by FFmpeg, reads what is left, and writes what came of it into the documentation.
//!
//! A row is an attack, a column a strength and a length of slots. The product's own code marks and reads (`examples/marks.rs` of
//! `veil-stego`), between FFmpeg and FFmpeg. A slot that is read wrongly with confidence, a name that is an innocent's, and an alarm where
//! nothing is fail the command.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use self::desk::{Alarms, Desk, Read};
use self::leaks::{ATTACKS, COLUMNS, Column, LEAKS, Leak, QUICK};
use self::quality::Quality;
use crate::args::MarkOptions;
use crate::console::{heading, note};
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of};

mod desk;
mod leaks;
mod page;
mod quality;

/// Where the table lies.
const PAGE: &str = "docs/format/mark-attacks.md";

/// Seconds of the clip that is attacked, where nobody says otherwise; and of that of a quick run.
const SECONDS: usize = 32;
const QUICK_SECONDS: usize = 8;

/// Keys that never marked anything.
const WRONG_KEYS: u8 = 200;

/// What came of a column.
struct Result {
    column: &'static Column,
    quality: Option<Quality>,
    /// By attack; `None` where it was not run.
    read: Vec<Option<Read>>,
}

/// What is known when all was run.
struct Results {
    seconds: usize,
    columns: Vec<Result>,
    leaks: Vec<(&'static Leak, Read)>,
    /// On a marked clip and on one that isn't.
    alarms: Option<[Alarms; 2]>,
    /// Whether somebody stopped it before all was run.
    is_part: bool,
}

/// Runs everything and writes the page, or a little of it and shows the tables.
pub(crate) fn run(repo: &Repo, options: MarkOptions) -> Outcome {
    heading("attacks on marks");
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stopped))
            .during("listening for signals")?;
    }
    let desk = Desk::new(repo)?;
    let results = if options.quick {
        quick(&desk, &stopped)?
    } else {
        whole(&desk, options.seconds.unwrap_or(SECONDS), &stopped)?
    };
    println!("{}", page::attacks(&results));
    if !options.quick {
        let date = output_of(repo.command("date").args(["-u", "+%F"]))?;
        let said = output_of(repo.command("ffmpeg").arg("-version"))?;
        let ffmpeg = said.split_whitespace().nth(2).unwrap_or("of unknown version");
        let text = page::page(&results, date.trim(), ffmpeg);
        fs::write(repo.root.join(PAGE), text).during(format_args!("writing {PAGE}"))?;
        note(format_args!("written: {PAGE}"));
    }
    broken(&results)
}

/// Everything, until somebody stops it: the page says what was run.
fn whole(desk: &Desk, seconds: usize, stopped: &AtomicBool) -> Outcome<Results> {
    let clip = desk.clip(seconds)?;
    let mut columns = Vec::new();
    let mut leaks = Vec::new();
    let mut alarms = None;
    for (column, leak) in COLUMNS.iter().zip(LEAKS.chunks(2).map(Some).chain([None])) {
        if is_set(stopped) {
            break;
        }
        columns.push(attacked(desk, &clip, (column, seconds), stopped)?);
        if alarms.is_none() && !is_set(stopped) {
            let marked = desk.marked_path(column);
            let on = |video| desk.alarms(video, column, WRONG_KEYS);
            alarms = Some([on(&marked)?, on(&clip)?]);
        }
        for leak in leak.into_iter().flatten().take_while(|_| !is_set(stopped)) {
            let read = desk.leak(leak)?;
            note(format_args!("{}: {read}", leak.name));
            leaks.push((leak, read));
        }
    }
    Ok(Results { seconds, columns, leaks, alarms, is_part: is_set(stopped) })
}

fn quick(desk: &Desk, stopped: &AtomicBool) -> Outcome<Results> {
    let clip = desk.clip(QUICK_SECONDS)?;
    let columns = vec![attacked(desk, &clip, (&QUICK, QUICK_SECONDS), stopped)?];
    let is_part = is_set(stopped);
    Ok(Results { seconds: QUICK_SECONDS, columns, leaks: Vec::new(), alarms: None, is_part })
}

fn attacked(
    desk: &Desk,
    clip: &Path,
    (column, seconds): (&'static Column, usize),
    stopped: &AtomicBool,
) -> Outcome<Result> {
    let marked = desk.mark(clip, column)?;
    let quality =
        if column.is_quick { None } else { Some(Quality::new(desk, clip, &marked, column)?) };
    let mut read = Vec::new();
    for attack in &ATTACKS {
        let is_run = attack.has_encoders() && column.has(attack) && !is_set(stopped);
        let found =
            if is_run { Some(desk.attack(&marked, attack, (column, seconds))?) } else { None };
        if let Some(found) = &found {
            note(format_args!("{}, {}: {found}", column.name, attack.name));
        }
        read.push(found);
    }
    Ok(Result { column, quality, read })
}

fn is_set(stopped: &AtomicBool) -> bool {
    stopped.load(Ordering::Relaxed)
}

/// Fails where something was wrong that must never be.
fn broken(results: &Results) -> Outcome {
    let mut broken = Vec::new();
    for column in &results.columns {
        for (attack, read) in ATTACKS.iter().zip(&column.read) {
            let Some(read) = read else { continue };
            let name = format!("{}, {}", column.column.name, attack.name);
            if read.wrong_and_sure > 0 {
                broken.push(format!(
                    "{name}: {} slots are wrong with confidence",
                    read.wrong_and_sure
                ));
            }
            if read.innocents > 0 {
                broken.push(format!("{name}: innocents are named"));
            }
        }
    }
    for (leak, read) in &results.leaks {
        if read.innocents > 0 || read.named == 0 {
            broken.push(format!("{}: {read}", leak.name));
        }
    }
    for alarms in results.alarms.iter().flatten().filter(|alarms| alarms.highest >= desk::ALARM) {
        broken.push(format!("a wrong key sees a mark, {:.1}", alarms.highest));
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(fail(format!("not everything is as it must be\n{}", broken.join("\n"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_through_attacks_and_are_never_wrong_with_confidence() {
        run(&Repo::here(), MarkOptions { quick: true, seconds: None }).unwrap();
    }
}
