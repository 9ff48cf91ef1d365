//! What marked titles look like, in SQLite: the table `likeness`.
//!
//! Refuses to know: how two are compared (`trace::matching`).

use sqlx::FromRow;
use veil_seal::id::TitleId;

use super::{Catalogue, parse_id};
use crate::StudioError;
use crate::trace::likeness::Likeness;

#[derive(FromRow)]
struct LikenessRow {
    title_id: String,
    data: Vec<u8>,
}

impl Catalogue {
    /// Keeps what a title looks like; what was kept before is replaced.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`], or [`StudioError::Worker`] when it can't be compressed.
    pub async fn keep_likeness(
        &self,
        title: TitleId,
        likeness: &Likeness,
    ) -> Result<(), StudioError> {
        let data = likeness.to_bytes().map_err(|error| StudioError::Worker(error.to_string()))?;
        let steps = i64::try_from(likeness.steps.len()).unwrap_or(i64::MAX);
        let query = sqlx::query(
            "INSERT INTO likeness (title_id, steps, data) VALUES (?, ?, ?) \
             ON CONFLICT (title_id) DO UPDATE SET steps = excluded.steps, data = excluded.data",
        );
        let query = query.bind(title.to_string()).bind(steps).bind(data);
        Ok(query.execute(&self.pool).await.map(drop)?)
    }

    /// What the next ready title after `after` looks like, in the order of their ids; `None` after the last one.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`], or [`StudioError::Damaged`].
    pub(crate) async fn likeness_after(
        &self,
        after: Option<TitleId>,
    ) -> Result<Option<(TitleId, Likeness)>, StudioError> {
        let query = sqlx::query_as::<_, LikenessRow>(
            "SELECT likeness.title_id, likeness.data FROM likeness JOIN title ON title.id = likeness.title_id \
             WHERE title.state = 'ready' AND likeness.title_id > ? ORDER BY likeness.title_id LIMIT 1",
        );
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let Some(row) = query.bind(after).fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        let damaged = || StudioError::Damaged { what: "the likeness", id: row.title_id.clone() };
        let likeness = Likeness::from_bytes(&row.data).ok_or_else(damaged)?;
        Ok(Some((parse_id(&row.title_id, "the title's id")?, likeness)))
    }
}
