//! `veilcast revoke`: takes a grant back.

use jiff::Timestamp;
use veil_studio::Studio;

use crate::commands::list::grant_json;
use crate::commands::tell;
use crate::error::CliError;
use crate::output::Format;

pub(crate) async fn run(
    studio: &Studio,
    grant: &str,
    format: Format,
    now: Timestamp,
) -> Result<(), CliError> {
    let row = studio.revoke(grant, now).await?;
    let told = tell::forget(studio, vec![row.id.clone()]).await;
    let mut answer = grant_json(&row, now);
    answer["gateway_told"] = told.into();
    let when = if told { "at once" } else { "within 30 seconds" };
    format.answer(&answer, || format!("revoked {}; the gateway knows {when}", row.id));
    Ok(())
}
