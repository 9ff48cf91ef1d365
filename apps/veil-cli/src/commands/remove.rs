//! `veilcast remove`: deletes a title and every grant for it.

use std::io::{BufRead as _, IsTerminal as _};

use jiff::Timestamp;
use serde_json::json;
use veil_studio::Studio;

use crate::commands::tell;
use crate::error::CliError;
use crate::output::{self, Format};

pub(crate) async fn run(
    studio: &Studio,
    name: &str,
    yes: bool,
    format: Format,
    now: Timestamp,
) -> Result<(), CliError> {
    let title = studio.catalogue().find_title(name).await?;
    let people = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if people && !yes && !confirmed(&title.name) {
        return Err(CliError::new("nothing was removed"));
    }
    let grants = studio.catalogue().grants(Some(title.id)).await?;
    let title = studio.remove(name, now).await?;
    tell::forget(studio, grants.into_iter().map(|grant| grant.id).collect()).await;
    let answer = json!({ "removed": title.id.to_string(), "title": title.name });
    format.answer(&answer, || format!("removed {:?}", title.name));
    Ok(())
}

fn confirmed(name: &str) -> bool {
    output::note(&format!("Delete {name:?} and every grant for it? This can't be undone. [y/N]"));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}
