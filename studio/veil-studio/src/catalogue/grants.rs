//! Grants in SQLite: the table `viewer_grant`.
//!
//! Invariant: a grant that is given or taken back is in the audit trail, by the same transaction.

use serde_json::json;
use sqlx::FromRow;
use veil_seal::id::{GrantId, TitleId};

use super::audit::{Action, Event};
use super::{Catalogue, parse_id};
use crate::StudioError;

/// A grant in the catalogue.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct GrantRow {
    /// Its id in hex.
    pub id: String,
    /// Its title's id in hex.
    pub title_id: String,
    /// `link` or `recipient`.
    pub kind: String,
    /// The recipient's key id in hex.
    pub recipient: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it ends, RFC 3339; `None` when it doesn't.
    pub expires_at: Option<String>,
    /// When it was taken back, RFC 3339.
    pub revoked_at: Option<String>,
    /// What the person who gave it wrote on it.
    pub label: String,
    /// The object with the viewer's slot keys, where the title is marked.
    pub list_name: Option<String>,
}

impl GrantRow {
    /// The grant's id.
    ///
    /// # Errors
    /// [`StudioError::Damaged`] when the row's id is none.
    pub fn grant_id(&self) -> Result<GrantId, StudioError> {
        parse_id(&self.id, "the id")
    }
}

impl Catalogue {
    /// Adds a grant.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn insert_grant(&self, grant: &GrantRow) -> Result<(), StudioError> {
        let mut change = self.pool.begin().await?;
        let query = sqlx::query(
            "INSERT INTO viewer_grant (id, title_id, kind, recipient, created_at, expires_at, revoked_at, label, list_name) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        );
        let query = query.bind(&grant.id).bind(&grant.title_id).bind(&grant.kind);
        let query = query.bind(&grant.recipient).bind(&grant.created_at);
        let query = query.bind(&grant.expires_at).bind(&grant.revoked_at).bind(&grant.label);
        let query = query.bind(&grant.list_name);
        query.execute(&mut *change).await?;
        let details = json!({
            "title": grant.title_id,
            "kind": grant.kind,
            "recipient": grant.recipient,
            "expires": grant.expires_at,
        });
        let event =
            Event { action: Action::Share, subject: &grant.id, details, at: &grant.created_at };
        self.append(&mut change, event).await?;
        Ok(change.commit().await?)
    }

    /// Forgets a grant that nobody got.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub(crate) async fn undo_grant(&self, grant: &GrantRow) -> Result<(), StudioError> {
        let mut change = self.pool.begin().await?;
        let query = sqlx::query("DELETE FROM viewer_grant WHERE id = ?");
        query.bind(&grant.id).execute(&mut *change).await?;
        let details = json!({ "title": grant.title_id });
        let event = Event {
            action: Action::ShareUndone,
            subject: &grant.id,
            details,
            at: &grant.created_at,
        };
        self.append(&mut change, event).await?;
        Ok(change.commit().await?)
    }

    /// The grant with this id.
    ///
    /// # Errors
    /// [`StudioError::NoGrant`].
    pub async fn find_grant(&self, id: &str) -> Result<GrantRow, StudioError> {
        let query = sqlx::query_as::<_, GrantRow>("SELECT * FROM viewer_grant WHERE id = ?");
        let row = query.bind(id).fetch_optional(&self.pool).await?;
        row.ok_or_else(|| StudioError::NoGrant(id.to_owned()))
    }

    /// All grants, or those of one title, oldest first.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn grants(&self, title: Option<TitleId>) -> Result<Vec<GrantRow>, StudioError> {
        let query = sqlx::query_as::<_, GrantRow>(
            "SELECT * FROM viewer_grant WHERE ?1 IS NULL OR title_id = ?1 ORDER BY created_at, id",
        );
        Ok(query.bind(title.map(|id| id.to_string())).fetch_all(&self.pool).await?)
    }

    /// Marks a grant as taken back; the first time counts.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn revoke_grant(&self, id: &str, now: &str) -> Result<(), StudioError> {
        let mut change = self.pool.begin().await?;
        let query = sqlx::query_scalar::<_, String>(
            "UPDATE viewer_grant SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING title_id",
        );
        let revoked = query.bind(now).bind(id).fetch_optional(&mut *change).await?;
        if let Some(title) = revoked {
            let details = json!({ "title": title });
            let event = Event { action: Action::Revoke, subject: id, details, at: now };
            self.append(&mut change, event).await?;
        }
        Ok(change.commit().await?)
    }

    /// Forgets a grant whose record is gone. A marked title's stays as long as the title: it says whose codeword it was.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn delete_grant(&self, id: &str) -> Result<(), StudioError> {
        let mut change = self.pool.begin().await?;
        for statement in [
            "DELETE FROM viewer_grant WHERE id = ? AND title_id NOT IN (SELECT title_id FROM marks)",
            "UPDATE viewer_grant SET swept = 1 WHERE id = ?",
        ] {
            sqlx::query(statement).bind(id).execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }

    /// Grants that ended (expired or revoked) before `before`, RFC 3339, and are not kept for a marked title.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn grants_ended_before(&self, before: &str) -> Result<Vec<GrantRow>, StudioError> {
        let query = sqlx::query_as::<_, GrantRow>(
            "SELECT * FROM viewer_grant WHERE coalesce(revoked_at, expires_at) < ? \
             AND (swept = 0 OR title_id NOT IN (SELECT title_id FROM marks))",
        );
        Ok(query.bind(before).fetch_all(&self.pool).await?)
    }
}
