//! Productions in SQLite: documents that somebody edits.
//!
//! Owns: revisions. Refuses to know: what is in a document (`make::document` does), but for the number of its scenes.
//!
//! Invariant: a change names the revision that it was made on; of two made on one, the second is refused.

use serde_json::Value;
use sqlx::FromRow;

use super::listing::{Part, PartQuery, cursor};
use super::{Catalogue, check_name};
use crate::StudioError;

/// The largest document, in bytes of JSON.
pub const DOCUMENT_BYTES_MAX: usize = 4 << 20;

/// A production.
#[derive(Clone, Debug)]
pub struct Production {
    /// 32 hex digits.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its document: a JSON object.
    pub document: Value,
    /// RFC 3339.
    pub updated_at: String,
    /// Counts changes, from 1.
    pub revision: i64,
}

/// A production without its document.
#[derive(Clone, Debug, FromRow)]
pub struct ProductionHead {
    /// 32 hex digits.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// How many scenes it has.
    pub scenes: i64,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// Counts changes, from 1.
    pub revision: i64,
}

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    document: String,
    updated_at: String,
    revision: i64,
}

/// What of a production is to change.
#[derive(Clone, Debug)]
pub struct Edit<'e> {
    /// The revision that it was made on.
    pub revision: i64,
    /// Another name.
    pub name: Option<&'e str>,
    /// The document.
    pub document: &'e Value,
    /// RFC 3339.
    pub now: &'e str,
}

impl Catalogue {
    /// Adds a production.
    ///
    /// # Errors
    /// [`StudioError::BadName`], [`StudioError::BadDocument`].
    pub async fn insert_production(&self, one: &Production) -> Result<(), StudioError> {
        check_name(&one.name)?;
        let text = text(&one.document)?;
        let query = sqlx::query(
            "INSERT INTO production (id, name, document, scenes, created_at, updated_at, revision) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
        );
        let query = query.bind(&one.id).bind(&one.name).bind(text).bind(scenes(&one.document));
        let query = query.bind(&one.updated_at).bind(one.revision);
        Ok(query.execute(&self.pool).await.map(drop)?)
    }

    /// The production with this id.
    ///
    /// # Errors
    /// [`StudioError::NoProduction`].
    pub async fn find_production(&self, id: &str) -> Result<Production, StudioError> {
        let query = sqlx::query_as::<_, Row>("SELECT * FROM production WHERE id = ?");
        let row = query.bind(id).fetch_optional(&self.pool).await?;
        let row = row.ok_or_else(|| StudioError::NoProduction(id.to_owned()))?;
        let damaged = |_| StudioError::Damaged { what: "the document", id: id.to_owned() };
        let document = serde_json::from_str(&row.document).map_err(damaged)?;
        let Row { id, name, updated_at, revision, .. } = row;
        Ok(Production { id, name, document, updated_at, revision })
    }

    /// Productions, newest first.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn list_productions(
        &self,
        query: &PartQuery<'_>,
    ) -> Result<Part<ProductionHead>, StudioError> {
        let ((at, id), pattern) = (query.cursor(), query.pattern());
        let rows = sqlx::query_as::<_, ProductionHead>(
            "SELECT id, name, scenes, created_at, updated_at, revision FROM production \
             WHERE (created_at, id) < (?, ?) AND name LIKE ? ESCAPE '\\' \
             ORDER BY created_at DESC, id DESC LIMIT ?",
        );
        let rows = rows.bind(at).bind(id).bind(&pattern).bind(i64::from(query.limit) + 1);
        let rows = rows.fetch_all(&self.pool).await?;
        let total =
            sqlx::query_scalar("SELECT count(*) FROM production WHERE name LIKE ? ESCAPE '\\'");
        let total = total.bind(&pattern).fetch_one(&self.pool).await?;
        Ok(Part::cut(rows, query.limit, total, |row| cursor(&row.created_at, &row.id)))
    }

    /// Changes a production, if nobody did since.
    ///
    /// # Errors
    /// [`StudioError::NoProduction`], [`StudioError::Edited`], [`StudioError::BadName`], [`StudioError::BadDocument`].
    pub async fn edit_production(&self, id: &str, edit: &Edit<'_>) -> Result<i64, StudioError> {
        edit.name.map_or(Ok(()), check_name)?;
        let text = text(edit.document)?;
        let query = sqlx::query_scalar::<_, i64>(
            "UPDATE production SET name = coalesce(?, name), document = ?, scenes = ?, updated_at = ?, \
             revision = revision + 1 WHERE id = ? AND revision = ? RETURNING revision",
        );
        let query = query.bind(edit.name).bind(text).bind(scenes(edit.document)).bind(edit.now);
        let changed = query.bind(id).bind(edit.revision).fetch_optional(&self.pool).await?;
        match changed {
            Some(revision) => Ok(revision),
            None => {
                let now = self.find_production(id).await?;
                Err(StudioError::Edited { revision: now.revision })
            }
        }
    }

    /// Forgets a production.
    ///
    /// # Errors
    /// [`StudioError::NoProduction`].
    pub async fn delete_production(&self, id: &str) -> Result<(), StudioError> {
        let query = sqlx::query("DELETE FROM production WHERE id = ?");
        match query.bind(id).execute(&self.pool).await?.rows_affected() {
            0 => Err(StudioError::NoProduction(id.to_owned())),
            _ => Ok(()),
        }
    }
}

fn scenes(document: &Value) -> i64 {
    let scenes = document.get("scenes").and_then(Value::as_array).map_or(0, Vec::len);
    i64::try_from(scenes).unwrap_or(i64::MAX)
}

fn text(document: &Value) -> Result<String, StudioError> {
    if !document.is_object() {
        return Err(StudioError::BadDocument("it is no JSON object".to_owned()));
    }
    let text = document.to_string();
    if text.len() > DOCUMENT_BYTES_MAX {
        let most = DOCUMENT_BYTES_MAX >> 20;
        return Err(StudioError::BadDocument(format!("it has more than {most} MiB")));
    }
    Ok(text)
}
