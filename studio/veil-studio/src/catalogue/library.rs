//! The media library in SQLite: what its files are, by facts that were probed.
//!
//! Refuses to know: where files lie (`crate::library` does).

use sqlx::FromRow;

use super::listing::{Part, PartQuery, cursor};
use super::{Catalogue, check_name};
use crate::StudioError;

/// A file of the library.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Medium {
    /// 32 hex digits.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its size.
    pub bytes: i64,
    /// `video`, `audio` or `image`.
    pub kind: String,
    /// Its length in microseconds; 0 where there is none.
    pub duration_us: i64,
    /// Pixels in a row; 0 without a picture.
    pub width: i64,
    /// Rows; 0 without a picture.
    pub height: i64,
    /// What it is encoded by, as FFmpeg calls it.
    pub codec: String,
    /// What browsers call it, such as `video/mp4`.
    pub media_type: String,
    /// RFC 3339.
    pub added_at: String,
    /// BLAKE3 of its content, in hex.
    pub hash: String,
    /// Whether there is a thumbnail of it.
    pub has_thumbnail: bool,
    /// Whether there is a waveform of it.
    pub has_waveform: bool,
}

impl Catalogue {
    /// Adds a file, unless one of this content is there: that one then.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn insert_medium(&self, one: &Medium) -> Result<Medium, StudioError> {
        let query = sqlx::query(
            "INSERT INTO media (id, name, search, bytes, kind, duration_us, width, height, codec, media_type, added_at, \
             hash, has_thumbnail, has_waveform) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (hash) DO NOTHING",
        );
        let query = query.bind(&one.id).bind(&one.name).bind(one.name.to_lowercase());
        let query = query.bind(one.bytes).bind(&one.kind).bind(one.duration_us).bind(one.width);
        let query = query
            .bind(one.height)
            .bind(&one.codec)
            .bind(&one.media_type)
            .bind(&one.added_at)
            .bind(&one.hash);
        query.bind(one.has_thumbnail).bind(one.has_waveform).execute(&self.pool).await?;
        let known = self.find_content(&one.hash).await?;
        known.ok_or_else(|| StudioError::NoMedium(one.id.clone()))
    }

    /// The file with this content, by its BLAKE3.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn find_content(&self, hash: &str) -> Result<Option<Medium>, StudioError> {
        let query = sqlx::query_as::<_, Medium>("SELECT * FROM media WHERE hash = ?");
        Ok(query.bind(hash).fetch_optional(&self.pool).await?)
    }

    /// The file with this id.
    ///
    /// # Errors
    /// [`StudioError::NoMedium`].
    pub async fn find_medium(&self, id: &str) -> Result<Medium, StudioError> {
        let query = sqlx::query_as::<_, Medium>("SELECT * FROM media WHERE id = ?");
        let row = query.bind(id).fetch_optional(&self.pool).await?;
        row.ok_or_else(|| StudioError::NoMedium(id.to_owned()))
    }

    /// Files, newest first.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn list_media(&self, query: &PartQuery<'_>) -> Result<Part<Medium>, StudioError> {
        let ((at, id), pattern) = (query.cursor(), query.pattern().to_lowercase());
        let rows = sqlx::query_as::<_, Medium>(
            "SELECT * FROM media WHERE (added_at, id) < (?, ?) AND search LIKE ? ESCAPE '\\' \
             ORDER BY added_at DESC, id DESC LIMIT ?",
        );
        let rows = rows.bind(at).bind(id).bind(&pattern).bind(i64::from(query.limit) + 1);
        let rows = rows.fetch_all(&self.pool).await?;
        let total =
            sqlx::query_scalar("SELECT count(*) FROM media WHERE search LIKE ? ESCAPE '\\'");
        let total = total.bind(&pattern).fetch_one(&self.pool).await?;
        Ok(Part::cut(rows, query.limit, total, |row| cursor(&row.added_at, &row.id)))
    }

    /// Gives a file another name.
    ///
    /// # Errors
    /// [`StudioError::BadName`], [`StudioError::NoMedium`].
    pub async fn rename_medium(&self, id: &str, name: &str) -> Result<Medium, StudioError> {
        check_name(name)?;
        let query = sqlx::query("UPDATE media SET name = ?, search = ? WHERE id = ?");
        query.bind(name).bind(name.to_lowercase()).bind(id).execute(&self.pool).await?;
        self.find_medium(id).await
    }

    /// Forgets a file.
    ///
    /// # Errors
    /// [`StudioError::NoMedium`].
    pub async fn delete_medium(&self, id: &str) -> Result<(), StudioError> {
        let query = sqlx::query("DELETE FROM media WHERE id = ?");
        match query.bind(id).execute(&self.pool).await?.rows_affected() {
            0 => Err(StudioError::NoMedium(id.to_owned())),
            _ => Ok(()),
        }
    }

    /// Bytes of all files.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn media_bytes(&self) -> Result<i64, StudioError> {
        let query = sqlx::query_scalar("SELECT coalesce(sum(bytes), 0) FROM media");
        Ok(query.fetch_one(&self.pool).await?)
    }
}
