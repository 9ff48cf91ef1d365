//! Marked titles in SQLite: the table `marks`.
//!
//! Invariant: a title's keys are here before anybody sees the title, and gone with it.

use sqlx::FromRow;
use veil_seal::id::TitleId;

use super::Catalogue;
use crate::StudioError;

/// What a marked title is marked with.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct MarksRow {
    /// `standard` or `strong`.
    pub(crate) strength: String,
    /// Length of a slot in microseconds.
    pub(crate) slot_us: i64,
    /// How many slots there are.
    pub(crate) slot_count: i64,
    /// The mark key and the tracing key, sealed.
    pub(crate) sealed_keys: Vec<u8>,
}

impl Catalogue {
    /// Notes what a title that is being imported is marked with.
    pub(crate) async fn insert_marks(
        &self,
        title: TitleId,
        marks: &MarksRow,
    ) -> Result<(), StudioError> {
        let query = sqlx::query(
            "INSERT INTO marks (title_id, strength, slot_us, slot_count, sealed_keys) VALUES (?, ?, ?, ?, ?)",
        );
        let query = query.bind(title.to_string()).bind(&marks.strength).bind(marks.slot_us);
        let query = query.bind(marks.slot_count).bind(&marks.sealed_keys);
        Ok(query.execute(&self.pool).await.map(drop)?)
    }

    /// What a title is marked with; `None` for one that isn't.
    pub(crate) async fn marks(&self, title: TitleId) -> Result<Option<MarksRow>, StudioError> {
        let query = sqlx::query_as::<_, MarksRow>("SELECT * FROM marks WHERE title_id = ?");
        Ok(query.bind(title.to_string()).fetch_optional(&self.pool).await?)
    }
}
