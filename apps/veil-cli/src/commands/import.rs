//! `veilcast import`: encodes, seals and publishes a video.

use std::ffi::OsString;
use std::path::PathBuf;
use std::thread::available_parallelism;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::watch;
use veil_ffmpeg::{Launcher, Tools};
use veil_studio::pipeline::{Encoder, ImportProgress, ImportRequest, Imported};
use veil_studio::turns::Turns;
use veil_studio::{Studio, StudioError};

use crate::args::import::ImportArgs;
use crate::commands::stop_signal;
use crate::error::CliError;
use crate::output::{self, Format, note};
use crate::{progress, stores};

pub(crate) async fn run(
    studio: &Studio,
    args: &ImportArgs,
    format: Format,
    now: Timestamp,
) -> Result<(), CliError> {
    let ladder = args.ladder.parse();
    let place = stores::place(studio, &args.to)?;
    let request = ImportRequest {
        source: args.file.clone(),
        name: args.title.clone(),
        ladder: ladder.map_err(veil_ffmpeg::Error::from).map_err(StudioError::from)?,
        place,
        single_file: args.single_file,
        mark: args.mark,
        id: None,
    };
    sweep(studio, now).await?;
    let encoder = encoder().await?;
    let (sender, receiver) = watch::channel(ImportProgress::default());
    let bar = tokio::spawn(progress::show(receiver));
    let imported = tokio::select! {
        imported = studio.import(&request, &encoder, &sender, now) => Some(imported),
        _ = stop_signal() => None,
    };
    drop(sender);
    let _ = bar.await;
    let Some(imported) = imported else {
        sweep(studio, now).await?;
        return Err(CliError::new("the import was stopped; nothing was kept"));
    };
    let imported = imported?;
    for skipped in &imported.notes {
        note(&format!("note: {skipped}"));
    }
    format.answer(&answer(&imported), || text(&imported));
    Ok(())
}

/// Sweeps, and tells what could not be swept now.
async fn sweep(studio: &Studio, now: Timestamp) -> Result<(), StudioError> {
    for failure in studio.sweep(now).await?.failures {
        note(&format!("warning: something is left to be swept later: {failure}"));
    }
    Ok(())
}

/// The search path, and the folder that goes before it.
fn ffmpeg_places() -> (OsString, Option<PathBuf>) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    (path, std::env::var_os("VEILCAST_FFMPEG").map(PathBuf::from))
}

/// Finds FFmpeg in `VEILCAST_FFMPEG` (a folder), or else in `PATH`.
pub(crate) async fn find_tools(launcher: &Launcher) -> Result<Tools, StudioError> {
    let (path, folder) = ffmpeg_places();
    Ok(Tools::find(launcher, &path, folder.as_deref()).await?)
}

/// FFmpeg, and how it is started, for runs that take turns: what FFmpeg said of itself is kept where they line up, and believed as long as it is
/// the same file.
pub(crate) async fn encoder_in(turns: Turns) -> Result<Encoder, StudioError> {
    let launcher = Launcher::default();
    let (path, folder) = ffmpeg_places();
    let known = turns.folder().join("ffmpeg.json");
    let tools = Tools::find_known(&launcher, &path, folder.as_deref(), &known).await?;
    let processors = available_parallelism().map_or(1, usize::from);
    Ok(Encoder { launcher, tools, processors, turns: Some(turns) })
}

/// FFmpeg, and how it is started.
pub(crate) async fn encoder() -> Result<Encoder, StudioError> {
    let launcher = Launcher::default();
    let tools = find_tools(&launcher).await?;
    let processors = available_parallelism().map_or(1, usize::from);
    Ok(Encoder { launcher, tools, processors, turns: None })
}

fn answer(imported: &Imported) -> serde_json::Value {
    let facts = &imported.facts;
    json!({
        "id": imported.id.to_string(),
        "title": imported.name,
        "duration_us": facts.duration_us,
        "width": facts.width,
        "height": facts.height,
        "objects": facts.object_count,
        "bytes": facts.sealed_bytes,
        "marked": facts.marked,
        "notes": imported.notes,
    })
}

fn text(imported: &Imported) -> String {
    let facts = &imported.facts;
    format!(
        "imported {:?}: {}, {} objects, {}\n`veilcast share` prints a link to watch it",
        imported.name,
        output::duration(facts.duration_us),
        facts.object_count,
        output::bytes(facts.sealed_bytes),
    )
}
