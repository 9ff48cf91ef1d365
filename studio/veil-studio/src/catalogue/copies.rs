//! Which title lies where, in SQLite: the table `title_copy`.
//!
//! Invariant: a change of more than one row is one transaction, so that a command that is killed leaves a title where it was or
//! where it shall be.

use sqlx::FromRow;
use veil_seal::id::TitleId;

use super::{Catalogue, parse_id};
use crate::StudioError;
use crate::place::Place;

/// Where a copy stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CopyState {
    /// Its objects are being written; nobody is sent there.
    Writing,
    /// It can be watched there.
    Ready,
    /// Its objects are being deleted.
    Removing,
    /// Nothing is left but records of grants that ended.
    Emptied,
}

impl CopyState {
    /// Its name in the catalogue and in answers.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Writing => "writing",
            Self::Ready => "ready",
            Self::Removing => "removing",
            Self::Emptied => "emptied",
        }
    }
}

/// A copy of a title.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TitleCopy {
    /// The title.
    pub title: TitleId,
    /// Where it lies.
    pub place: Place,
    /// Where it stands.
    pub state: CopyState,
}

#[derive(FromRow)]
struct CopyRow {
    title_id: String,
    store: String,
    state: String,
}

impl CopyRow {
    fn copy(self) -> Result<TitleCopy, StudioError> {
        let states =
            [CopyState::Writing, CopyState::Ready, CopyState::Removing, CopyState::Emptied];
        let state = states.into_iter().find(|state| state.text() == self.state);
        let damaged = || StudioError::Damaged { what: "the copy", id: self.title_id.clone() };
        Ok(TitleCopy {
            state: state.ok_or_else(damaged)?,
            title: parse_id(&self.title_id, "the id")?,
            place: Place::parse(&self.store)?,
        })
    }
}

impl Catalogue {
    /// All copies, or those of one title; the own bucket first.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`] or [`StudioError::Damaged`].
    pub async fn copies(&self, title: Option<TitleId>) -> Result<Vec<TitleCopy>, StudioError> {
        let query = sqlx::query_as::<_, CopyRow>(
            "SELECT * FROM title_copy WHERE ?1 IS NULL OR title_id = ?1 ORDER BY title_id, store",
        );
        let rows = query.bind(title.map(|id| id.to_string())).fetch_all(&self.pool).await?;
        rows.into_iter().map(CopyRow::copy).collect()
    }

    /// Notes that a title is being copied to a place. A copy that was begun there before is the same one, by its new text.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn begin_copy(&self, title: TitleId, place: &Place) -> Result<(), StudioError> {
        let same = self.copies(Some(title)).await?.into_iter().find(|one| one.place.is_same(place));
        let mut change = self.pool.begin().await?;
        let state = match same {
            // Its viewers stay there while it is checked and mended.
            Some(TitleCopy { state: CopyState::Ready, .. }) => CopyState::Ready,
            _ => CopyState::Writing,
        };
        if let Some(same) = same {
            forget(&mut change, title, &same.place).await?;
        }
        let query = sqlx::query("INSERT INTO title_copy (title_id, store, state) VALUES (?, ?, ?)");
        let query = query.bind(title.to_string()).bind(place.text()).bind(state.text());
        query.execute(&mut *change).await?;
        Ok(change.commit().await?)
    }

    /// Makes a copy the one that viewers are sent to, and others such that are to be removed, at once.
    ///
    /// # Errors
    /// [`StudioError::NoTitle`] when the title or its copy is gone meanwhile.
    pub async fn switch_copies(
        &self,
        title: TitleId,
        ready: Option<&Place>,
        removing: &[Place],
    ) -> Result<(), StudioError> {
        let mut change = self.pool.begin().await?;
        let set = "UPDATE title_copy SET state = ?3 WHERE title_id = ?1 AND store = ?2 \
                   AND EXISTS (SELECT 1 FROM title WHERE id = ?1 AND state = 'ready')";
        let changes = ready.map(|place| (place, CopyState::Ready)).into_iter();
        let changes = changes.chain(removing.iter().map(|place| (place, CopyState::Removing)));
        for (place, state) in changes {
            let query = sqlx::query(set).bind(title.to_string()).bind(place.text());
            let done = query.bind(state.text()).execute(&mut *change).await?;
            if done.rows_affected() != 1 {
                return Err(StudioError::NoTitle(title.to_string()));
            }
        }
        Ok(change.commit().await?)
    }

    /// Notes that a copy's objects are gone; records of its grants may be left.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn empty_copy(&self, title: TitleId, place: &Place) -> Result<(), StudioError> {
        let query =
            sqlx::query("UPDATE title_copy SET state = 'emptied' WHERE title_id = ? AND store = ?");
        let query = query.bind(title.to_string()).bind(place.text());
        Ok(query.execute(&self.pool).await.map(drop)?)
    }

    /// Forgets a copy of which nothing is left.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn forget_copy(&self, title: TitleId, place: &Place) -> Result<(), StudioError> {
        let mut change = self.pool.begin().await?;
        forget(&mut change, title, place).await?;
        Ok(change.commit().await?)
    }

    /// Forgets the emptied copies of titles that no grant speaks of any more.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub(crate) async fn forget_emptied(&self) -> Result<(), StudioError> {
        let query = sqlx::query(
            "DELETE FROM title_copy WHERE state = 'emptied' AND title_id NOT IN (SELECT id FROM title) \
             AND title_id NOT IN (SELECT title_id FROM viewer_grant)",
        );
        Ok(query.execute(&self.pool).await.map(drop)?)
    }
}

async fn forget(
    change: &mut sqlx::SqliteConnection,
    title: TitleId,
    place: &Place,
) -> Result<(), StudioError> {
    let query = sqlx::query("DELETE FROM title_copy WHERE title_id = ? AND store = ?");
    let query = query.bind(title.to_string()).bind(place.text());
    Ok(query.execute(change).await.map(drop)?)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use sqlx::migrate::Migrator;
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

    use super::super::MIGRATIONS;
    use super::*;

    #[tokio::test]
    async fn titles_of_an_older_catalogue_lie_in_the_own_bucket() {
        let folder = std::env::temp_dir().join(format!("veil-catalogue-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("catalogue.sqlite");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
        let first = MIGRATIONS.migrations[..1].to_vec();
        let older = Migrator { migrations: Cow::Owned(first), ..Migrator::DEFAULT };
        older.run(&pool).await.unwrap();
        for (number, state) in ["importing", "ready", "removing"].iter().enumerate() {
            let text = format!(
                "INSERT INTO title (id, name, state, epoch, sealed_key, created_at) \
                 VALUES ('{number:032x}', 'a{number}', '{state}', 1, x'', '')"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&pool).await.unwrap();
        }
        let ended = format!(
            "INSERT INTO viewer_grant (id, title_id, kind, recipient, created_at) \
             VALUES ('{0:032x}', '{0:032x}', 'link', '', '')",
            9
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(ended)).execute(&pool).await.unwrap();
        pool.close().await;

        let catalogue = Catalogue::open(&path).await.unwrap();
        let copies = catalogue.copies(None).await.unwrap();
        let states: Vec<CopyState> = copies.iter().map(|copy| copy.state).collect();
        let expected =
            [CopyState::Writing, CopyState::Ready, CopyState::Removing, CopyState::Emptied];
        assert_eq!(states, expected);
        assert!(copies.iter().all(|copy| copy.place == Place::Own));
        catalogue.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
