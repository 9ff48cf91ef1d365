//! `veilcast publish`, `move` and `unpublish`: where titles lie.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;
use veil_studio::relocate::Relocated;
use veil_studio::transfer::TransferProgress;
use veil_studio::{Studio, StudioError};

use crate::args::PlaceArgs;
use crate::commands::stop_signal;
use crate::error::CliError;
use crate::output::{self, Format, note};
use crate::{progress, stores};

pub(crate) async fn publish(
    studio: &Studio,
    args: &PlaceArgs,
    format: Format,
    now: Timestamp,
) -> Result<(), CliError> {
    let place = stores::place(studio, &args.to)?;
    let done =
        watched(async |sender| studio.publish_to(&args.title, &place, sender, now).await).await?;
    format.answer(&answer(&done), || {
        format!("published {:?} to {}: {}", done.title.name, done.place, counted(&done))
    });
    Ok(())
}

pub(crate) async fn move_to(
    studio: &Studio,
    args: &PlaceArgs,
    format: Format,
    now: Timestamp,
) -> Result<(), CliError> {
    let place = stores::place(studio, &args.to)?;
    let done =
        watched(async |sender| studio.move_to(&args.title, &place, sender, now).await).await?;
    for (place, failure) in &done.left {
        if let Some(failure) = failure {
            note(&format!("warning: what is left at {place} is deleted later: {failure}"));
        }
    }
    format.answer(&answer(&done), || {
        format!(
            "moved {:?} to {}: {}\nits links work where a gateway of that place has the same public address; \
             `veilcast up --bucket '{}'` is one",
            done.title.name,
            done.place,
            counted(&done),
            done.place
        )
    });
    Ok(())
}

pub(crate) async fn unpublish(
    studio: &Studio,
    title: &str,
    from: &str,
    format: Format,
) -> Result<(), CliError> {
    let place = stores::place(studio, from)?;
    let title = studio.unpublish(title, &place).await?;
    let answer = json!({
        "id": title.id.to_string(),
        "title": title.name,
        "unpublished": place.to_string(),
    });
    format.answer(&answer, || format!("deleted the copy of {:?} at {place}", title.name));
    Ok(())
}

/// Does `work` with a progress bar, until it is done or a signal comes.
async fn watched(
    work: impl AsyncFnOnce(&watch::Sender<TransferProgress>) -> Result<Relocated, StudioError>,
) -> Result<Relocated, CliError> {
    let (sender, receiver) = watch::channel(TransferProgress::default());
    let bar = tokio::spawn(progress::show_transfer(receiver));
    let done = tokio::select! {
        done = work(&sender) => done.map_err(CliError::from),
        _ = stop_signal() => Err(CliError::new("stopped; what has arrived is kept")
            .hint("the same command goes on where this one was")),
    };
    drop(sender);
    let _ = bar.await;
    done
}

fn answer(done: &Relocated) -> Value {
    let left = done
        .left
        .iter()
        .map(|(place, failure)| json!({ "store": place.to_string(), "failure": failure }));
    json!({
        "id": done.title.id.to_string(),
        "title": done.title.name,
        "store": done.place.to_string(),
        "bytes": done.progress.total_bytes,
        "copied_objects": done.progress.copied_objects,
        "copied_bytes": done.progress.copied_bytes,
        "skipped_objects": done.progress.skipped_objects,
        "grants": done.grant_count,
        "left": left.collect::<Vec<_>>(),
    })
}

fn counted(done: &Relocated) -> String {
    let TransferProgress { copied_objects, copied_bytes, skipped_objects, .. } = done.progress;
    let bytes = output::bytes(i64::try_from(copied_bytes).unwrap_or(i64::MAX));
    let there = match skipped_objects {
        0 => String::new(),
        count => format!(", {count} were there"),
    };
    format!("{copied_objects} objects, {bytes}{there}")
}
