//! `veilcast list`: titles, and who may watch them.

use jiff::Timestamp;
use serde_json::{Value, json};
use veil_studio::Studio;
use veil_studio::catalogue::{GrantRow, Title, TitleState};

use crate::error::CliError;
use crate::output::{self, Format};

pub(crate) async fn run(studio: &Studio, format: Format, now: Timestamp) -> Result<(), CliError> {
    let titles = studio.catalogue().titles(TitleState::Ready).await?;
    let importing = studio.catalogue().titles(TitleState::Importing).await?;
    let grants = studio.catalogue().grants(None).await?;
    let listed: Vec<Value> = titles.iter().map(|title| title_json(title, &grants, now)).collect();
    let in_progress: Vec<&str> = importing.iter().map(|title| title.name.as_str()).collect();
    let answer = json!({ "titles": listed, "importing": in_progress });
    format.answer(&answer, || text(&titles, &in_progress, &grants, now));
    Ok(())
}

/// Whether a grant holds at `now`: `active`, `expired` or `revoked`.
pub(crate) fn state(grant: &GrantRow, now: Timestamp) -> &'static str {
    let expired = |text: &String| text.parse::<Timestamp>().is_ok_and(|end| end <= now);
    match grant {
        GrantRow { revoked_at: Some(_), .. } => "revoked",
        GrantRow { expires_at: Some(end), .. } if expired(end) => "expired",
        _ => "active",
    }
}

fn title_json(title: &Title, grants: &[GrantRow], now: Timestamp) -> Value {
    let id = title.id.to_string();
    let own: Vec<Value> = grants
        .iter()
        .filter(|grant| grant.title_id == id)
        .map(|grant| grant_json(grant, now))
        .collect();
    json!({
        "id": id,
        "title": title.name,
        "created": title.created_at,
        "duration_us": title.facts.duration_us,
        "width": title.facts.width,
        "height": title.facts.height,
        "objects": title.facts.object_count,
        "bytes": title.facts.sealed_bytes,
        "grants": own,
    })
}

pub(crate) fn grant_json(grant: &GrantRow, now: Timestamp) -> Value {
    json!({
        "grant": grant.id,
        "kind": grant.kind,
        "recipient": grant.recipient,
        "created": grant.created_at,
        "expires": grant.expires_at,
        "revoked": grant.revoked_at,
        "state": state(grant, now),
    })
}

fn text(titles: &[Title], importing: &[&str], grants: &[GrantRow], now: Timestamp) -> String {
    let mut lines = Vec::new();
    for title in titles {
        let facts = &title.facts;
        let size = match facts.height {
            0 => "sound".to_owned(),
            height => format!("{}×{height}", facts.width),
        };
        let length = output::duration(facts.duration_us);
        let bytes = output::bytes(facts.sealed_bytes);
        lines.push(format!("{}  {length}  {size}  {bytes}  {}", title.name, title.id));
        let id = title.id.to_string();
        for grant in grants.iter().filter(|grant| grant.title_id == id) {
            let until = grant.expires_at.as_deref().unwrap_or("never ends");
            lines.push(format!("    {}  {}  {}  {until}", grant.id, grant.kind, state(grant, now)));
        }
    }
    lines.extend(importing.iter().map(|name| format!("{name}  (importing)")));
    if lines.is_empty() {
        lines.push("no titles yet: `veilcast import FILE` adds one".into());
    }
    lines.join("\n")
}
