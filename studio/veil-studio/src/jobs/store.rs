//! The job table: the truth about jobs, whatever becomes of the dispatch.
//!
//! Owns: SQL, and that a change and its event are one transaction. Refuses to know: work, files, clocks (times are arguments).
//!
//! Invariants: a job ends, and is requeued, only by the attempt that it is in (compare-and-set on owner and attempt); ids are never used again.

mod changes;
mod rows;
mod upkeep;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

pub(super) use self::changes::End;
pub(super) use self::rows::Claimed;
pub(super) use self::upkeep::Bounds;
use super::{JobError, JobId};

/// How long a statement waits for another's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// Connections of one process.
const MAX_CONNECTIONS: u32 = 4;
/// The time for which a rate is.
const MINUTE_MS: i64 = 60_000;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/jobs");

/// An open job table.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pool: SqlitePool,
}

/// A job that is to be written down, and what its client may submit.
pub(super) struct Entry<'e> {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) production: Option<String>,
    pub(super) priority: i64,
    pub(super) client: &'e str,
    pub(super) now_ms: i64,
    /// Whether the rate holds for it.
    pub(super) limited: bool,
    pub(super) rate_per_minute: i64,
    pub(super) pending_max: i64,
}

impl Store {
    /// Opens or creates the table.
    pub(super) async fn open(path: &Path) -> Result<Self, JobError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new().max_connections(MAX_CONNECTIONS);
        // As for the catalogue: no lock of SQLite spans the switch to WAL and the migrations.
        let _lock = crate::catalogue::lock_beside(path).await?;
        let pool = pool.connect_with(options).await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self { pool })
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins a change that takes the writer's lock at once: one that reads first could not be repeated by waiting.
    async fn change(&self) -> Result<Transaction<'static, Sqlite>, JobError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Writes a job down, in state *waiting*. `seal` gets its number and makes what is kept.
    pub(super) async fn insert(
        &self,
        entry: Entry<'_>,
        seal: impl FnOnce(JobId) -> Result<String, JobError>,
    ) -> Result<JobId, JobError> {
        let now_ms = entry.now_ms;
        let mut change = self.change().await?;
        admit(&mut change, &entry).await?;
        let query = sqlx::query_scalar::<_, i64>(
            "INSERT INTO job (kind, name, spec, client, state, priority, created_ms, production) \
             VALUES (?, ?, '', ?, 'waiting', ?, ?, ?) RETURNING id",
        );
        let query = query.bind(entry.kind).bind(entry.name).bind(entry.client).bind(entry.priority);
        let query = query.bind(now_ms).bind(entry.production);
        let id = JobId(query.fetch_one(&mut *change).await?);
        let kept = seal(id)?;
        let query = sqlx::query("UPDATE job SET spec = ? WHERE id = ?").bind(kept).bind(id.0);
        query.execute(&mut *change).await?;
        note(&mut change, Some(id), now_ms).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Whether nothing new is to be begun.
    pub(super) async fn is_drained(&self) -> Result<bool, JobError> {
        let query = "SELECT count(*) FROM setting WHERE name = 'drained'";
        Ok(sqlx::query_scalar::<_, i64>(query).fetch_one(&self.pool).await? > 0)
    }

    /// Says whether anything new is to be begun.
    pub(super) async fn set_drained(&self, drained: bool, now_ms: i64) -> Result<(), JobError> {
        let mut change = self.change().await?;
        let statement = match drained {
            true => "INSERT OR IGNORE INTO setting (name, value) VALUES ('drained', '1')",
            false => "DELETE FROM setting WHERE name = 'drained'",
        };
        sqlx::query(statement).execute(&mut *change).await?;
        note(&mut change, None, now_ms).await?;
        Ok(change.commit().await?)
    }
}

/// Refuses a job that is one too many, of its client or of all.
async fn admit(
    change: &mut Transaction<'static, Sqlite>,
    entry: &Entry<'_>,
) -> Result<(), JobError> {
    let query = "SELECT count(*) FROM job WHERE state = 'waiting'";
    let pending: i64 = sqlx::query_scalar(query).fetch_one(&mut **change).await?;
    if pending >= entry.pending_max {
        return Err(JobError::Full(pending));
    }
    if !entry.limited {
        return Ok(());
    }
    let query = sqlx::query_as::<_, (i64, i64)>(
        "SELECT count(*), coalesce(min(created_ms), 0) FROM job \
         WHERE client = ? AND kind IN ('hide', 'reveal') AND created_ms > ?",
    );
    let query = query.bind(entry.client).bind(entry.now_ms - MINUTE_MS);
    let (count, oldest_ms) = query.fetch_one(&mut **change).await?;
    if count < entry.rate_per_minute {
        return Ok(());
    }
    let wait_ms = (oldest_ms + MINUTE_MS - entry.now_ms).clamp(1, MINUTE_MS);
    Err(JobError::TooMany { retry_after_s: wait_ms.unsigned_abs().div_ceil(1000) })
}

/// Notes an event: a job has changed, or the queue.
async fn note(
    change: &mut Transaction<'static, Sqlite>,
    job: Option<JobId>,
    now_ms: i64,
) -> Result<(), JobError> {
    let query = sqlx::query("INSERT INTO event (job_id, at_ms) VALUES (?, ?)");
    query.bind(job.map(|job| job.0)).bind(now_ms).execute(&mut **change).await?;
    Ok(())
}
