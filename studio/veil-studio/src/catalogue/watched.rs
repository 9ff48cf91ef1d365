//! What became of the files of watched folders.
//!
//! Refuses to know: which folders are watched (`crate::watch` does). Invariant: a file is known by its path, size and time of change; one that
//! was changed since is another one.

use std::collections::HashMap;

use sqlx::FromRow;

use super::Catalogue;
use crate::StudioError;

/// A file of a watched folder. Two are equal where the file hasn't changed.
#[derive(Clone, Debug, Default, Eq, FromRow)]
pub struct Seen {
    /// Where it lies.
    pub path: String,
    /// Its size.
    pub bytes: i64,
    /// When it was changed, in microseconds since 1970.
    pub modified_us: i64,
    /// The medium that it became.
    pub medium: Option<String>,
    /// Why it became none.
    pub error: Option<String>,
    /// When that was, RFC 3339.
    pub at: String,
}

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        (self.bytes, self.modified_us) == (other.bytes, other.modified_us)
    }
}

/// How many files became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct WatchedCounts {
    /// They are in the library.
    pub taken: i64,
    /// They are no media.
    pub refused: i64,
}

impl Catalogue {
    /// All files that are known, by their paths.
    pub(crate) async fn watched(&self) -> Result<HashMap<String, Seen>, StudioError> {
        let query = sqlx::query_as::<_, Seen>("SELECT * FROM watched");
        let rows = query.fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|row| (row.path.clone(), row)).collect())
    }

    /// The last files that became something, or nothing, newest first.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn last_watched(&self, limit: u32) -> Result<Vec<Seen>, StudioError> {
        let query =
            sqlx::query_as::<_, Seen>("SELECT * FROM watched ORDER BY at DESC, path LIMIT ?");
        Ok(query.bind(i64::from(limit)).fetch_all(&self.pool).await?)
    }

    pub(crate) async fn count_watched(&self) -> Result<WatchedCounts, StudioError> {
        let query = sqlx::query_as::<_, WatchedCounts>(
            "SELECT count(medium) AS taken, count(error) AS refused FROM watched",
        );
        Ok(query.fetch_one(&self.pool).await?)
    }

    pub(crate) async fn note_watched(&self, seen: &Seen) -> Result<(), StudioError> {
        let query = sqlx::query(
            "INSERT OR REPLACE INTO watched (path, bytes, modified_us, medium, error, at) VALUES (?, ?, ?, ?, ?, ?)",
        );
        let query = query.bind(&seen.path).bind(seen.bytes).bind(seen.modified_us);
        let query = query.bind(&seen.medium).bind(&seen.error).bind(&seen.at);
        Ok(query.execute(&self.pool).await.map(drop)?)
    }

    /// Forgets files that are gone.
    pub(crate) async fn forget_watched(&self, paths: &[&String]) -> Result<(), StudioError> {
        if paths.is_empty() {
            return Ok(());
        }
        let mut change = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for path in paths {
            let query = sqlx::query("DELETE FROM watched WHERE path = ?").bind(path);
            query.execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }
}
