//! `veilcast audit`: what was shared, taken back and done to keys, and whether the trail of it holds.

use serde_json::{Value, json};
use veil_studio::Studio;
use veil_studio::catalogue::audit::{Entry, Verdict};

use crate::args::studio::AuditArgs;
use crate::error::CliError;
use crate::output::Format;

/// How many entries are read at once.
const AT_ONCE: u32 = 1000;

pub(crate) async fn run(studio: &Studio, args: &AuditArgs, format: Format) -> Result<(), CliError> {
    let verdict = studio.catalogue().verify_audit(args.expect.as_deref()).await?;
    let from = match format {
        Format::Json => 0,
        Format::Text => verdict.total.saturating_sub(i64::from(args.last)),
    };
    let entries = entries(studio, from).await?;
    if !verdict.holds() {
        return Err(broken(&verdict));
    }
    let listed: Vec<Value> = entries.iter().map(entry_json).collect();
    let answer = json!({
        "intact": true,
        "entries": verdict.total,
        "head": verdict.head,
        "trail": listed,
    });
    format.answer(&answer, || text(&verdict, &entries));
    Ok(())
}

async fn entries(studio: &Studio, mut after: i64) -> Result<Vec<Entry>, CliError> {
    let mut all = Vec::new();
    loop {
        let part = studio.catalogue().audit(after, AT_ONCE).await?;
        after = part.items.last().map_or(after, |entry| entry.seq);
        all.extend(part.items);
        if part.next.is_none() {
            return Ok(all);
        }
    }
}

fn broken(verdict: &Verdict) -> CliError {
    match verdict.broken_at {
        Some(at) => CliError::new(format!(
            "the audit trail is broken at entry {at}: {} of {} entries hold",
            verdict.sound, verdict.total
        ))
        .hint("somebody has changed the catalogue; compare it with a backup"),
        None => CliError::new("the audit trail does not have the hash that was expected")
            .hint("it was cut off or written anew since that hash was noted, or the hash is another data folder's"),
    }
}

fn entry_json(entry: &Entry) -> Value {
    let details: Value = serde_json::from_str(&entry.details).unwrap_or_default();
    json!({
        "seq": entry.seq,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "details": details,
        "hash": entry.hash,
    })
}

fn text(verdict: &Verdict, entries: &[Entry]) -> String {
    let line = |entry: &Entry| {
        format!(
            "{:>6}  {}  {:<7} {:<19} {}",
            entry.seq, entry.at, entry.actor, entry.action, entry.subject
        )
    };
    let mut lines: Vec<String> = entries.iter().map(line).collect();
    lines.push(format!(
        "{} entries, all of them hold; the last hash is {}",
        verdict.total, verdict.head
    ));
    lines.join("\n")
}
