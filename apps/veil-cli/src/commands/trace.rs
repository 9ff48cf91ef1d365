//! `veilcast trace`: tells whose copy a leak was made of.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use tokio::sync::watch;
use veil_studio::Studio;
use veil_studio::trace::report::Viewer;
use veil_studio::trace::{Report, TraceProgress, TraceRequest, page};

use crate::args::trace::TraceArgs;
use crate::commands::import::encoder_in;
use crate::commands::stop_signal;
use crate::error::CliError;
use crate::output::Format;
use crate::{progress, turns};

/// Viewers that are printed.
const SHOWN: usize = 10;

pub(crate) async fn run(
    studio: &Studio,
    args: &TraceArgs,
    root: &Path,
    format: Format,
    now: Timestamp,
) -> Result<(), CliError> {
    let request =
        TraceRequest { leak: args.leak.clone(), title: args.title.clone(), epsilon: args.epsilon };
    refuse_overwriting(args)?;
    let turns = turns::open(&args.turns.budget, args.turns.no_wait, Some(root))?;
    let encoder = encoder_in(turns).await?;
    let (sender, receiver) = watch::channel(TraceProgress::default());
    let bar = tokio::spawn(progress::show_trace(receiver));
    let work = async {
        let report = studio.trace(&request, &encoder, &sender, now).await?;
        let html = match &args.output {
            Some(_) => {
                let stills = studio.trace_stills(&report, &args.leak, &encoder, now).await?;
                Some(page::render(&report, &stills))
            }
            None => None,
        };
        Ok::<_, CliError>((report, html))
    };
    let traced = tokio::select! {
        traced = work => Some(traced),
        _ = stop_signal() => None,
    };
    drop(sender);
    let _ = bar.await;
    let (report, html) = traced.ok_or_else(|| CliError::new("the trace was stopped"))??;
    if let (Some(path), Some(html)) = (&args.output, html) {
        write(path, args.force, &html)?;
    }
    format.answer(&report, || text(&report));
    Ok(())
}

/// Before any work is done for a report that can't be written.
fn refuse_overwriting(args: &TraceArgs) -> Result<(), CliError> {
    match &args.output {
        Some(path) if !args.force && path.exists() => Err(there(path)),
        _ => Ok(()),
    }
}

fn there(path: &Path) -> CliError {
    CliError::new(format!("{} is there already", path.display())).hint("--force overwrites it")
}

fn write(path: &Path, force: bool, html: &str) -> Result<(), CliError> {
    let file = if force { File::create(path) } else { File::create_new(path) };
    file.and_then(|mut file| file.write_all(html.as_bytes())).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => there(path),
        _ => CliError::new(format!("cannot write {}: {error}", path.display())),
    })
}

fn text(report: &Report) -> String {
    let mut lines = vec![report.sentence()];
    if let (Some(presence), Some(slots)) = (report.presence, report.slots) {
        lines.push(format!(
            "mark: {:.1} standard deviations ({:.1} are needed), {} of {} slots read",
            presence.z, presence.threshold, slots.read, slots.in_title
        ));
    }
    lines.extend(report.notes.iter().map(|note| format!("note: {note}")));
    if !report.viewers.is_empty() {
        lines.push(String::new());
        lines.extend(table(&report.viewers));
    }
    lines.join("\n")
}

fn table(viewers: &[Viewer]) -> Vec<String> {
    let names: Vec<String> = viewers.iter().take(SHOWN).map(called).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let row = |(name, viewer): (&String, &Viewer)| {
        let named = if viewer.named { "named" } else { "-" };
        let revoked = if viewer.revoked.is_some() { "  taken back" } else { "" };
        format!(
            "{named:5}  {name:width$}  {:9}  p ≤ {:<8.1e}  {}{revoked}",
            viewer.kind, viewer.p_value, viewer.grant
        )
    };
    let mut rows: Vec<String> = names.iter().zip(viewers).map(row).collect();
    if viewers.len() > SHOWN {
        rows.push(format!("… and {} more", viewers.len() - SHOWN));
    }
    rows
}

fn called(viewer: &Viewer) -> String {
    if viewer.label.is_empty() { "(no label)".to_owned() } else { viewer.label.clone() }
}
