//! `veilcast list`: titles, and who may watch them.

use jiff::Timestamp;
use serde_json::{Value, json};
use veil_studio::Studio;
use veil_studio::catalogue::copies::{CopyState, TitleCopy};
use veil_studio::catalogue::{GrantRow, Title, TitleState};

use veil_studio::place::Place;

use crate::error::CliError;
use crate::output::{self, Format};

pub(crate) async fn run(studio: &Studio, format: Format, now: Timestamp) -> Result<(), CliError> {
    let titles = studio.catalogue().titles(TitleState::Ready).await?;
    let importing = studio.catalogue().titles(TitleState::Importing).await?;
    let grants = studio.catalogue().grants(None).await?;
    let copies = studio.catalogue().copies(None).await?;
    let listed: Vec<Value> =
        titles.iter().map(|title| title_json(title, &grants, &copies, now)).collect();
    let in_progress: Vec<&str> = importing.iter().map(|title| title.name.as_str()).collect();
    let answer = json!({ "titles": listed, "importing": in_progress });
    format.answer(&answer, || text(&titles, &in_progress, &grants, &copies, now));
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

fn title_json(title: &Title, grants: &[GrantRow], copies: &[TitleCopy], now: Timestamp) -> Value {
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
        "single_file": title.facts.single_file,
        "marked": title.facts.marked,
        "stores": stores(title, copies).map(store_json).collect::<Vec<Value>>(),
        "grants": own,
    })
}

pub(crate) fn grant_json(grant: &GrantRow, now: Timestamp) -> Value {
    json!({
        "grant": grant.id,
        "label": grant.label,
        "kind": grant.kind,
        "recipient": grant.recipient,
        "created": grant.created_at,
        "expires": grant.expires_at,
        "revoked": grant.revoked_at,
        "state": state(grant, now),
    })
}

/// The copies of a title.
fn stores<'a>(title: &Title, copies: &'a [TitleCopy]) -> impl Iterator<Item = &'a TitleCopy> {
    let id = title.id;
    copies.iter().filter(move |copy| copy.title == id)
}

fn store_json(copy: &TitleCopy) -> Value {
    json!({ "store": copy.place.to_string(), "state": copy.state.text() })
}

/// Where a title lies, unless that is the own bucket alone.
fn store_lines(title: &Title, copies: &[TitleCopy]) -> Vec<String> {
    let own =
        copies.iter().filter(|copy| copy.title == title.id).all(|copy| copy.place == Place::Own);
    let line = |copy: &TitleCopy| match copy.state {
        CopyState::Ready => format!("    at {}", copy.place),
        CopyState::Writing => format!("    at {} (unfinished: `publish` goes on)", copy.place),
        _ => format!("    at {} (being deleted)", copy.place),
    };
    if own { Vec::new() } else { stores(title, copies).map(line).collect() }
}

fn text(
    titles: &[Title],
    importing: &[&str],
    grants: &[GrantRow],
    copies: &[TitleCopy],
    now: Timestamp,
) -> String {
    let mut lines = Vec::new();
    for title in titles {
        let facts = &title.facts;
        let size = match facts.height {
            0 => "sound".to_owned(),
            height => format!("{}×{height}", facts.width),
        };
        let length = output::duration(facts.duration_us);
        let bytes = output::bytes(facts.sealed_bytes);
        let form = match (facts.single_file, facts.marked) {
            (true, _) => "  single files",
            (_, true) => "  marked",
            _ => "",
        };
        lines.push(format!("{}  {length}  {size}  {bytes}{form}  {}", title.name, title.id));
        lines.extend(store_lines(title, copies));
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
