//! `veilcast revoke`: takes a grant back.

use jiff::Timestamp;
use veil_studio::Studio;

use crate::commands::list::grant_json;
use crate::error::CliError;
use crate::output::Format;

pub(crate) async fn run(
    studio: &Studio,
    grant: &str,
    format: Format,
    now: Timestamp,
) -> Result<(), CliError> {
    let row = studio.revoke(grant, now).await?;
    format.answer(&grant_json(&row, now), || format!("revoked {}", row.id));
    Ok(())
}
