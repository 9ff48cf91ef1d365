//! The catalogue: titles and grants in SQLite.
//!
//! It holds no key in clear (title keys are sealed by `keystore`) and knows nothing of the bucket.
//! Many processes may use one catalogue at once: the database's own locks decide.

pub mod audit;
pub mod copies;
mod files;
mod grants;
pub mod library;
mod likenesses;
pub mod listing;
pub(crate) mod marks;
pub mod productions;
pub mod watched;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{FromRow, SqlitePool};
use veil_seal::id::TitleId;

use self::audit::{Action, Chain, Event};
use crate::StudioError;
use crate::error::MAX_NAME_CHARS;
use crate::place::Place;

pub use grants::GrantRow;

/// How long a statement waits for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// Connections of one process.
const MAX_CONNECTIONS: u32 = 4;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// Where a title stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TitleState {
    /// Its objects are being written; nobody sees it.
    Importing,
    /// It can be watched.
    Ready,
    /// Its objects are being deleted; nobody sees it.
    Removing,
}

impl TitleState {
    fn text(self) -> &'static str {
        match self {
            Self::Importing => "importing",
            Self::Ready => "ready",
            Self::Removing => "removing",
        }
    }
}

/// A title in the catalogue.
#[derive(Clone, Debug)]
pub struct Title {
    /// Its id.
    pub id: TitleId,
    /// What people call it.
    pub name: String,
    /// Key epoch, from 1.
    pub epoch: u32,
    /// The title key, sealed to the studio's identity.
    pub sealed_key: Vec<u8>,
    /// When it was imported, RFC 3339.
    pub created_at: String,
    /// What it measures.
    pub facts: TitleFacts,
}

/// What a published title measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct TitleFacts {
    /// Duration in microseconds.
    pub duration_us: i64,
    /// Width of the largest picture in pixels; 0 without picture.
    pub width: i64,
    /// Height of the largest picture in pixels; 0 without picture.
    pub height: i64,
    /// Sealed objects and playlists.
    pub object_count: i64,
    /// Bytes in the bucket.
    pub sealed_bytes: i64,
    /// Whether there is a poster.
    pub has_poster: bool,
    /// Whether each rendition is one object, which players read in ranges.
    pub single_file: bool,
    /// Whether its picture is marked.
    pub marked: bool,
}

#[derive(FromRow)]
struct TitleRow {
    id: String,
    name: String,
    epoch: i64,
    sealed_key: Vec<u8>,
    created_at: String,
    #[sqlx(flatten)]
    facts: TitleFacts,
}

impl TitleRow {
    fn title(self) -> Result<Title, StudioError> {
        let damaged = |_| StudioError::Damaged { what: "the epoch", id: self.id.clone() };
        let epoch = u32::try_from(self.epoch).map_err(damaged)?;
        let id = parse_id(&self.id, "the id")?;
        let Self { name, sealed_key, created_at, facts, .. } = self;
        Ok(Title { id, name, epoch, sealed_key, created_at, facts })
    }
}

/// An open catalogue.
#[derive(Clone, Debug)]
pub struct Catalogue {
    pool: SqlitePool,
    /// Who the audit trail says did it.
    actor: &'static str,
    /// How much of the trail was found to hold.
    held: Arc<tokio::sync::Mutex<Chain>>,
}

impl Catalogue {
    /// Opens or creates the database, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`], [`StudioError::Migration`], or [`StudioError::File`] when its lock
    /// can't be had.
    pub async fn open(path: &Path) -> Result<Self, StudioError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new().max_connections(MAX_CONNECTIONS);
        // SQLite has no lock that spans the switch to WAL and the migrations, so that two first
        // starts at once would trip over each other.
        let _lock = lock_beside(path).await?;
        let pool = pool.connect_with(options).await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self { pool, actor: "studio", held: Arc::default() })
    }

    /// Says in the audit trail that `actor` does what is done from now on.
    #[must_use]
    pub fn acting_as(self, actor: &'static str) -> Self {
        Self { actor, ..self }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Asks SQLite to check the whole file.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`] when it can't be read; [`StudioError::Damaged`] with what it found.
    pub async fn check(&self) -> Result<(), StudioError> {
        let query = sqlx::query_scalar::<_, String>("PRAGMA quick_check");
        match query.fetch_one(&self.pool).await?.as_str() {
            "ok" => Ok(()),
            found => Err(StudioError::Damaged { what: "the file", id: found.to_owned() }),
        }
    }

    /// Adds a title in state importing, which is written to a place.
    ///
    /// # Errors
    /// [`StudioError::BadName`], or [`StudioError::NameTaken`] when a title that isn't being removed has the name.
    pub async fn insert_title(&self, title: &Title, place: &Place) -> Result<(), StudioError> {
        check_name(&title.name)?;
        let mut change = self.pool.begin().await?;
        let query = sqlx::query(
            "INSERT INTO title (id, name, state, epoch, sealed_key, created_at) \
             VALUES (?, ?, 'importing', ?, ?, ?)",
        );
        let query = query
            .bind(title.id.to_string())
            .bind(&title.name)
            .bind(i64::from(title.epoch))
            .bind(&title.sealed_key)
            .bind(&title.created_at);
        match query.execute(&mut *change).await {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                return Err(StudioError::NameTaken(title.name.clone()));
            }
            result => result.map(drop)?,
        }
        let query =
            sqlx::query("INSERT INTO title_copy (title_id, store, state) VALUES (?, ?, 'writing')");
        query.bind(title.id.to_string()).bind(place.text()).execute(&mut *change).await?;
        let details = json!({ "epoch": title.epoch, "name": title.name });
        let subject = title.id.to_string();
        let event =
            Event { action: Action::TitleKey, subject: &subject, details, at: &title.created_at };
        self.append(&mut change, event).await?;
        Ok(change.commit().await?)
    }

    /// Refuses a name that a title has, before any work is done for it.
    ///
    /// # Errors
    /// [`StudioError::NameTaken`].
    pub async fn refuse_taken(&self, name: &str) -> Result<(), StudioError> {
        let query = sqlx::query_scalar::<_, i64>(
            "SELECT count(*) FROM title WHERE name = ? AND state <> 'removing'",
        );
        match query.bind(name).fetch_one(&self.pool).await? {
            0 => Ok(()),
            _ => Err(StudioError::NameTaken(name.to_owned())),
        }
    }

    /// Makes an imported title visible.
    ///
    /// # Errors
    /// [`StudioError::NoTitle`] when it is gone, for instance swept.
    pub async fn publish_title(&self, id: TitleId, facts: &TitleFacts) -> Result<(), StudioError> {
        let mut change = self.pool.begin().await?;
        let query = sqlx::query(
            "UPDATE title SET state = 'ready', duration_us = ?, width = ?, height = ?, \
             object_count = ?, sealed_bytes = ?, has_poster = ?, single_file = ?, marked = ? \
             WHERE id = ? AND state = 'importing'",
        );
        let done = query
            .bind(facts.duration_us)
            .bind(facts.width)
            .bind(facts.height)
            .bind(facts.object_count)
            .bind(facts.sealed_bytes)
            .bind(facts.has_poster)
            .bind(facts.single_file)
            .bind(facts.marked)
            .bind(id.to_string())
            .execute(&mut *change)
            .await?;
        if done.rows_affected() != 1 {
            return Err(StudioError::NoTitle(id.to_string()));
        }
        let query = sqlx::query("UPDATE title_copy SET state = 'ready' WHERE title_id = ?");
        query.bind(id.to_string()).execute(&mut *change).await?;
        Ok(change.commit().await?)
    }

    /// Hides a ready title and all its copies, before its objects are deleted.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn hide_title(&self, id: TitleId, now: &str) -> Result<(), StudioError> {
        let mut change = self.pool.begin().await?;
        for update in [
            "UPDATE title SET state = 'removing' WHERE id = ?",
            "UPDATE title_copy SET state = 'removing' WHERE title_id = ?",
        ] {
            sqlx::query(update).bind(id.to_string()).execute(&mut *change).await?;
        }
        let (subject, details) = (id.to_string(), json!({}));
        let event = Event { action: Action::TitleRemoved, subject: &subject, details, at: now };
        self.append(&mut change, event).await?;
        Ok(change.commit().await?)
    }

    /// Forgets a title, and what it is marked with; of its copies, those that are emptied stay until its grants are forgotten.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn delete_title(&self, id: TitleId) -> Result<(), StudioError> {
        let mut change = self.pool.begin().await?;
        for delete in ["DELETE FROM marks WHERE title_id = ?", "DELETE FROM title WHERE id = ?"] {
            sqlx::query(delete).bind(id.to_string()).execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }

    /// All titles in a state, oldest first.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`] or [`StudioError::Damaged`].
    pub async fn titles(&self, state: TitleState) -> Result<Vec<Title>, StudioError> {
        let query = sqlx::query_as::<_, TitleRow>(
            "SELECT * FROM title WHERE state = ? ORDER BY created_at, name",
        );
        let rows = query.bind(state.text()).fetch_all(&self.pool).await?;
        rows.into_iter().map(TitleRow::title).collect()
    }

    /// The ready title with this name or id.
    ///
    /// # Errors
    /// [`StudioError::NoTitle`].
    pub async fn find_title(&self, name_or_id: &str) -> Result<Title, StudioError> {
        let query = sqlx::query_as::<_, TitleRow>(
            "SELECT * FROM title WHERE state = 'ready' AND (name = ?1 OR id = ?1)",
        );
        let row = query.bind(name_or_id).fetch_optional(&self.pool).await?;
        row.ok_or_else(|| StudioError::NoTitle(name_or_id.to_owned()))?.title()
    }
}

/// Waits for the lock on `<path>.lock`; dropping it lets the next one in.
pub(crate) async fn lock_beside(path: &Path) -> Result<File, StudioError> {
    let path = path.with_extension("lock");
    let failed = path.clone();
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::create(path)?;
        file.lock()?;
        Ok(file)
    });
    let locked = locked.await.map_err(std::io::Error::other).and_then(|locked| locked);
    locked.map_err(StudioError::file("cannot lock", failed))
}

/// Refuses names that a person couldn't type or read.
pub(crate) fn check_name(name: &str) -> Result<(), StudioError> {
    let bad = name.trim() != name
        || name.is_empty()
        || name.chars().count() > MAX_NAME_CHARS
        || name.chars().any(char::is_control);
    if bad { Err(StudioError::BadName(name.to_owned())) } else { Ok(()) }
}

pub(crate) fn parse_id<T: std::str::FromStr>(
    text: &str,
    what: &'static str,
) -> Result<T, StudioError> {
    text.parse().map_err(|_| StudioError::Damaged { what, id: text.to_owned() })
}
