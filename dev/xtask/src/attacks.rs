//! `cargo xtask attacks`: hides in videos, attacks them by FFmpeg, reveals, and writes what came of it into the documentation.
//!
//! A row is a chain of FFmpeg, a column a way to hide. A cell is the exact file or an explicit failure. Wrong bytes, a failure that
//! says something else, and a broken promise of a profile fail the command. The tests run the quick form through the same code.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

pub(crate) use self::chains::Encoder;
use self::chains::{ATTACKS, Attack, Way};
use self::desk::{Desk, Found, Hidden};
use self::page::{Chapter, Column};
use self::quality::Plain;
use self::sources::{QUICK, SOURCES, Source};
use crate::args::AttackOptions;
use crate::console::{heading, note};
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of};

mod chains;
mod desk;
mod page;
mod quality;
mod sources;

/// Where the table lies.
const PAGE: &str = "docs/format/stego-attacks.md";

/// Chains that run at once: FFmpeg has threads of its own.
const WORKERS: usize = 2;

/// What came of each attack, by way to hide.
type Results = Vec<Vec<Option<Found>>>;

/// Runs all attacks on all sources and writes the page, or some of that and shows the tables.
pub(crate) fn run(repo: &Repo, options: &AttackOptions) -> Outcome {
    heading("attacks on hidden messages");
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stopped))
            .during("listening for signals")?;
    }
    let veilcast = veil_testkit::binary("veilcast");
    let mut chapters = Vec::new();
    for source in chosen(options)? {
        let chapter = chapter(repo, &veilcast, source, (options.quick, &stopped))?;
        println!("{}", page::attacks(&chapter));
        chapters.push(chapter);
    }
    println!("{}", page::quality(&chapters));
    if *options == AttackOptions::default() {
        let date = output_of(repo.command("date").args(["-u", "+%F"]))?;
        let said = output_of(repo.command("ffmpeg").arg("-version"))?;
        let ffmpeg = said.split_whitespace().nth(2).unwrap_or("of unknown version");
        let text = page::page(&chapters, date.trim(), ffmpeg);
        fs::write(repo.root.join(PAGE), text).during(format_args!("writing {PAGE}"))?;
        note(format_args!("written: {PAGE}"));
    }
    broken(&chapters)
}

fn chosen(options: &AttackOptions) -> Outcome<Vec<&'static Source>> {
    let Some(name) = &options.source else {
        return Ok(if options.quick { vec![&QUICK] } else { SOURCES.iter().collect() });
    };
    let names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
    let source = SOURCES.iter().find(|source| source.name == name);
    let unknown = || fail(format!("there is no source `{name}`"));
    source
        .map(|source| vec![source])
        .ok_or_else(|| unknown().hint(format!("one of: {}", names.join(", "))))
}

/// Hides in a source in all of its ways, and attacks all of them.
fn chapter(
    repo: &Repo,
    veilcast: &Path,
    source: &'static Source,
    (is_quick, stopped): (bool, &AtomicBool),
) -> Outcome<Chapter> {
    let carrier = source.file(repo)?;
    let desk = Desk::new(repo, veilcast)?;
    let ways = source.ways.iter().map(|way| {
        if stopped.load(Ordering::Relaxed) {
            Err(fail("stopped"))
        } else {
            desk.hide(&carrier, *way)
        }
    });
    let hidden = ways.collect::<Outcome<Vec<_>>>()?;
    let jobs = jobs(source, is_quick);
    let results = all(&desk, (source, &hidden), &jobs, stopped)?;
    let plain = if is_quick { None } else { Some(Plain::new(&desk, &carrier)?) };
    let column = |(hidden, found): (Hidden, Vec<Option<Found>>)| {
        let plain = plain.as_ref().filter(|_| hidden.way != Way::Lossless);
        let quality =
            plain.map(|plain| plain.beside(&desk, &carrier, &hidden.video)).transpose()?;
        let payload_bytes = hidden.payload.len() as u64;
        Ok(Column { way: hidden.way, payload_bytes, quality, found })
    };
    let columns = hidden.into_iter().zip(results).map(column).collect::<Outcome<_>>()?;
    Ok(Chapter { source, columns })
}

/// Attacks and the numbers of the ways that they are tried on: all but slow ones on a quick run, and what nobody promised where it takes long.
fn jobs(source: &Source, is_quick: bool) -> Vec<(usize, usize)> {
    let mut jobs = Vec::new();
    for (at, attack) in ATTACKS.iter().enumerate() {
        let is_there = attack.steps.iter().all(|(_, encoder)| encoder.is_there());
        if !is_there || (is_quick && !attack.is_quick) {
            continue;
        }
        let ways = source.ways.iter().enumerate();
        let ways = ways.filter(|(_, way)| !source.is_large || source.promises(attack, **way));
        jobs.extend(ways.map(|(way, _)| (at, way)));
    }
    jobs
}

/// Runs attacks on what is hidden, some at once.
fn all(
    desk: &Desk,
    (source, hidden): (&Source, &[Hidden]),
    jobs: &[(usize, usize)],
    stopped: &AtomicBool,
) -> Outcome<Results> {
    let results = Mutex::new(vec![vec![None; ATTACKS.len()]; hidden.len()]);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
    let work = || {
        while let Some((at, way)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            if stopped.load(Ordering::Relaxed) {
                *locked(&failed) = Some(fail("stopped"));
                return;
            }
            let (attack, name) = (&ATTACKS[at], hidden[way].way.name());
            match one(desk, &hidden[way], attack, at) {
                Ok(found) => {
                    note(format_args!("{}, {}, {name}: {found}", source.name, attack.name));
                    locked(&results)[way][at] = Some(found);
                }
                Err(failure) => {
                    let what = format!("{}, {}, {name}: {failure}", source.name, attack.name);
                    *locked(&failed) = Some(fail(what));
                    stopped.store(true, Ordering::Relaxed);
                }
            }
        }
    };
    thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(work))));
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(failure) => Err(failure),
        None => Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn one(desk: &Desk, hidden: &Hidden, attack: &Attack, number: usize) -> Outcome<Found> {
    let video = desk.attacked(hidden, attack, number)?;
    let found = desk.reveal(&video, hidden, number)?;
    if video != hidden.video {
        fs::remove_file(&video).during("removing a video")?;
    }
    Ok(found)
}

/// Fails where a promise of a profile, or an aim, was not kept.
fn broken(chapters: &[Chapter]) -> Outcome {
    let mut broken = Vec::new();
    for Chapter { source, columns } in chapters {
        for column in columns {
            let name = format!("{}, {}", source.name, column.way.name());
            for (attack, found) in ATTACKS.iter().zip(&column.found) {
                let promised = source.promises(attack, column.way);
                if let Some(found) = found.filter(|found| promised && *found != Found::Exact) {
                    broken.push(format!("{name}: {} is promised, and it is {found}", attack.name));
                }
            }
            let aim = source.aims.iter().find(|(way, _)| *way == column.way);
            let rate = column.payload_bytes / u64::from(source.seconds);
            if let Some((_, aim)) = aim.filter(|(_, aim)| rate < *aim) {
                broken.push(format!("{name}: {rate} B/s, and {aim} are promised"));
            }
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(fail(format!("not everything that is promised was kept\n{}", broken.join("\n"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_through_attacks_as_promised_or_fail_and_are_never_wrong() {
        run(&Repo::here(), &AttackOptions { quick: true, source: None }).unwrap();
    }

    #[test]
    fn a_source_is_chosen_by_its_name() {
        let options = |name: &str| AttackOptions { quick: false, source: Some(name.to_owned()) };
        assert_eq!(chosen(&options("720p")).unwrap()[0].width, 1280);
        let error = chosen(&options("72p")).err().unwrap().to_string();
        assert_eq!(error, "there is no source `72p`\nhint: one of: 1080p, 720p, 360p");
        assert_eq!(chosen(&AttackOptions::default()).unwrap().len(), SOURCES.len());
    }

    #[test]
    fn a_broken_promise_is_named() {
        let at = ATTACKS.iter().position(|attack| attack.name == "copied").unwrap();
        let mut found = vec![None; ATTACKS.len()];
        found[at] = Some(Found::Nothing);
        let column = Column { way: Way::SameSize, payload_bytes: 12, quality: None, found };
        let chapter = Chapter { source: &SOURCES[0], columns: vec![column] };
        let error = broken(&[chapter]).unwrap_err().to_string();
        assert!(
            error.contains("1080p, same-size: copied is promised, and it is nothing"),
            "{error}"
        );
        assert!(error.contains("1 B/s, and 800 are promised"), "{error}");
    }
}
