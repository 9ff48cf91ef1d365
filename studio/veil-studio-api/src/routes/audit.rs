//! The audit trail.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use veil_studio::catalogue::audit::Entry;

use super::Answer;
use crate::app::Api;
use crate::extract::Params;
use crate::problem::Problem;
use crate::wire::PageQuery;
use crate::wire::titles::{Audit, AuditEntry};

/// Tells what was shared, taken back, and done to keys, oldest first, and whether the trail holds.
#[utoipa::path(get, path = "/v1/audit", tag = "studio", params(PageQuery), responses((status = 200, body = Audit)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Params(query): Params<PageQuery>,
) -> Answer<Audit> {
    let wrong = |_| Problem::bad_request().detail("after is a number");
    let after = query.after.as_deref().unwrap_or("0").parse().map_err(wrong)?;
    let catalogue = api.studio().catalogue();
    let intact = catalogue.audit_holds().await?;
    let part = catalogue.audit(after, query.limit()).await?.map(entry);
    Ok(Json(Audit { items: part.items, next: part.next, total: part.total, intact }))
}

fn entry(entry: Entry) -> AuditEntry {
    let details = serde_json::from_str(&entry.details).unwrap_or(Value::Null);
    let Entry { seq, at, actor, action, subject, hash, .. } = entry;
    AuditEntry { seq, at, actor, action, subject, details, hash }
}
