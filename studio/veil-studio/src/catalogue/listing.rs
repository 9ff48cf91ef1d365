//! Parts of long lists, in an order that stays while they are read.
//!
//! Owns: cursors (the place of the last item that was told, so that what comes and goes meanwhile moves nothing), and titles newest first.

use sqlx::FromRow;

use super::{Catalogue, Title, TitleRow};
use crate::StudioError;

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Part<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<String>,
    /// How many there are in all.
    pub total: i64,
}

impl<T> Part<T> {
    /// A part of at most `limit`, out of one item more where there is more.
    pub(crate) fn cut(
        mut items: Vec<T>,
        limit: u32,
        total: i64,
        cursor: impl FnOnce(&T) -> String,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor) } else { None };
        Self { items, next, total }
    }

    /// The same part of other items.
    #[must_use]
    pub fn map<U>(self, of: impl FnMut(T) -> U) -> Part<U> {
        let Self { items, next, total } = self;
        Part { items: items.into_iter().map(of).collect(), next, total }
    }
}

/// Which part of a list.
#[derive(Clone, Debug)]
pub struct PartQuery<'q> {
    /// [`Part::next`] of the part before.
    pub after: Option<&'q str>,
    /// How many at most.
    pub limit: u32,
    /// What names are to contain.
    pub query: Option<&'q str>,
}

impl PartQuery<'_> {
    /// Time and id of the last item that was told; both beyond all where nothing was.
    pub(crate) fn cursor(&self) -> (String, String) {
        let beyond = || ("~".to_owned(), String::new());
        let split =
            |after: &str| after.split_once('_').map(|(at, id)| (at.to_owned(), id.to_owned()));
        self.after.and_then(split).unwrap_or_else(beyond)
    }

    /// What names are compared with by `LIKE … ESCAPE '\'`.
    pub(crate) fn pattern(&self) -> String {
        let escape = |text: String, letter| match letter {
            '%' | '_' | '\\' => text + "\\" + letter.encode_utf8(&mut [0; 4]),
            letter => text + letter.encode_utf8(&mut [0; 4]),
        };
        format!("%{}%", self.query.unwrap_or_default().chars().fold(String::new(), escape))
    }
}

pub(crate) fn cursor(at: &str, id: &str) -> String {
    format!("{at}_{id}")
}

/// A title in a list.
#[derive(Clone, Debug)]
pub struct ListedTitle {
    /// The title.
    pub title: Title,
    /// Its grants that hold.
    pub grants: i64,
}

#[derive(FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    title: TitleRow,
    grants: i64,
}

impl Catalogue {
    /// Ready titles, newest first; `now` (RFC 3339) decides which grants hold.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`] or [`StudioError::Damaged`].
    pub async fn list_titles(
        &self,
        query: &PartQuery<'_>,
        now: &str,
    ) -> Result<Part<ListedTitle>, StudioError> {
        let (at, id) = query.cursor();
        let pattern = query.pattern();
        let rows = sqlx::query_as::<_, ListedRow>(
            "SELECT *, (SELECT count(*) FROM viewer_grant WHERE title_id = title.id AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > ?1)) AS grants FROM title WHERE state = 'ready' \
             AND (created_at, id) < (?2, ?3) AND name LIKE ?4 ESCAPE '\\' \
             ORDER BY created_at DESC, id DESC LIMIT ?5",
        );
        let rows = rows.bind(now).bind(at).bind(id).bind(&pattern).bind(i64::from(query.limit) + 1);
        let rows = rows.fetch_all(&self.pool).await?;
        let total = sqlx::query_scalar(
            "SELECT count(*) FROM title WHERE state = 'ready' AND name LIKE ? ESCAPE '\\'",
        );
        let total = total.bind(&pattern).fetch_one(&self.pool).await?;
        let listed = |row: ListedRow| {
            Ok::<_, StudioError>(ListedTitle { title: row.title.title()?, grants: row.grants })
        };
        let rows: Result<Vec<ListedTitle>, StudioError> = rows.into_iter().map(listed).collect();
        Ok(Part::cut(rows?, query.limit, total, |row| {
            cursor(&row.title.created_at, &row.title.id.to_string())
        }))
    }

    /// Gives a ready title another name.
    ///
    /// # Errors
    /// [`StudioError::BadName`], [`StudioError::NameTaken`], [`StudioError::NoTitle`].
    pub async fn rename_title(&self, id: &str, name: &str) -> Result<Title, StudioError> {
        super::check_name(name)?;
        let query = sqlx::query("UPDATE title SET name = ? WHERE id = ? AND state = 'ready'");
        match query.bind(name).bind(id).execute(&self.pool).await {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(StudioError::NameTaken(name.to_owned()))
            }
            result => {
                result?;
                self.find_title(id).await
            }
        }
    }

    /// Moves what the write-ahead log holds into the file, and shortens the log.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn checkpoint(&self) -> Result<(), StudioError> {
        let query = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        Ok(query.execute(&self.pool).await.map(drop)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_where_the_next_one_begins() {
        let part = Part::cut(vec![1, 2, 3], 2, 9, ToString::to_string);
        assert_eq!((part.items, part.next), (vec![1, 2], Some("2".to_owned())));
        let part = Part::cut(vec![1, 2], 2, 2, ToString::to_string);
        assert_eq!((part.items.len(), part.next), (2, None));
    }

    #[test]
    fn what_is_looked_for_is_no_pattern() {
        let query = PartQuery { after: None, limit: 1, query: Some("5%_\\ä") };
        assert_eq!(query.pattern(), "%5\\%\\_\\\\ä%");
    }
}
