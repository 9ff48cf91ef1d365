//! Titles, and who may watch them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A published title.
#[derive(Debug, Serialize, ToSchema)]
pub struct Title {
    /// 32 hex digits.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// Its length in microseconds.
    pub duration_us: i64,
    /// Pixels in a row; 0 without a picture.
    pub width: i64,
    /// Rows; 0 without a picture.
    pub height: i64,
    /// Bytes in the bucket.
    pub sealed_bytes: i64,
    /// Whether `/poster` has a picture.
    pub has_poster: bool,
    /// Whether its picture is marked, so that a leaked copy tells whose it was.
    pub marked: bool,
    /// Grants that hold now.
    pub grants: i64,
}

/// The right to watch a title.
#[derive(Debug, Serialize, ToSchema)]
pub struct Grant {
    /// 32 hex digits.
    pub id: String,
    /// What the person who shared it wrote on it; may be empty.
    pub label: String,
    /// Who opens it: `link` is whoever has the link, `recipient` one identity.
    pub kind: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC; null for never.
    #[schema(required)]
    pub expires_at: Option<String>,
    /// When it was taken back; null while it was not.
    #[schema(required)]
    pub revoked_at: Option<String>,
    /// Whether it was taken back.
    pub revoked: bool,
}

/// Whom to share with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewShare {
    /// What to write on it, at most 200 characters.
    pub label: Option<String>,
    /// How long it holds: `30m`, `12h`, `7d`, `never`; the setting where it isn't said.
    pub expires: Option<String>,
    /// The recipient (`age1pq1…`) whose identity opens it; whoever has the link where there is none.
    pub recipient: Option<String>,
}

/// A new share. The link is told once and kept nowhere.
#[derive(Serialize, ToSchema)]
pub struct Shared {
    /// The grant.
    pub grant: Grant,
    /// The link to watch; a secret.
    pub link: String,
}

/// An entry of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// From 1, without gaps.
    pub seq: i64,
    /// RFC 3339, UTC.
    pub at: String,
    /// Who did it: `cli`, `studio`.
    pub actor: String,
    /// What was done, for example `share`.
    pub action: String,
    /// Whom or what it was done to: a title's, grant's or key's id.
    pub subject: String,
    /// What else is known of it.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
    /// SHA-256 in hex, over the hash before it and this entry.
    pub hash: String,
}

/// A part of the audit trail, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Audit {
    /// The entries.
    pub items: Vec<AuditEntry>,
    /// What `after` is to be for the entries after these; null at the end.
    #[schema(required)]
    pub next: Option<String>,
    /// How many there are in all.
    pub total: i64,
    /// Whether the whole trail holds.
    pub intact: bool,
}
