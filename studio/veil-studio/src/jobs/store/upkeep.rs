//! What keeps the table true and small: jobs of dead owners, history, events.

use super::{Store, note};
use crate::jobs::limits::{EVENTS_MAX, TRIES_MAX};
use crate::jobs::{JobError, JobId};

/// How much is kept of ended jobs.
pub(in crate::jobs) struct Bounds {
    /// None that ended before this.
    pub(in crate::jobs) old_ms: i64,
    /// All that ended after this, whatever the other bounds say.
    pub(in crate::jobs) fresh_ms: i64,
    /// So many.
    pub(in crate::jobs) jobs: i64,
    /// As many, the newest first, as leave so many bytes together.
    pub(in crate::jobs) bytes: i64,
}

impl Store {
    /// Takes jobs back from an owner that is dead: they wait again, or end where somebody asked for that, or where they took the program down
    /// with them too often. Returns them.
    pub(in crate::jobs) async fn take_back(
        &self,
        owner: &str,
        now_ms: i64,
    ) -> Result<Vec<JobId>, JobError> {
        let mut change = self.change().await?;
        let query = sqlx::query_scalar::<_, i64>(
            "UPDATE job SET owner = NULL, progress = NULL, pause_wanted = 0, \
             ended_ms = CASE WHEN state = 'cancelling' OR (NOT pause_wanted AND tries >= ?2) THEN ?3 END, \
             error = CASE WHEN state = 'running' THEN 'the program ended while this ran' END, \
             state = CASE WHEN state = 'cancelling' THEN 'cancelled' WHEN pause_wanted THEN 'paused' \
             WHEN tries >= ?2 THEN 'failed' ELSE 'waiting' END \
             WHERE owner = ?1 AND state IN ('running', 'cancelling') RETURNING id",
        );
        let query = query.bind(owner).bind(TRIES_MAX).bind(now_ms);
        let taken: Vec<JobId> =
            query.fetch_all(&mut *change).await?.into_iter().map(JobId).collect();
        let query = sqlx::query(
            "UPDATE attempt SET ended_ms = ?, outcome = 'abandoned' WHERE owner = ? AND ended_ms IS NULL",
        );
        query.bind(now_ms).bind(owner).execute(&mut *change).await?;
        for id in &taken {
            note(&mut change, Some(*id), now_ms).await?;
        }
        change.commit().await?;
        Ok(taken)
    }

    /// Forgets ended jobs beyond the bounds. Returns them: what they left is to be deleted.
    pub(in crate::jobs) async fn forget(
        &self,
        bounds: &Bounds,
        now_ms: i64,
    ) -> Result<Vec<JobId>, JobError> {
        let mut change = self.change().await?;
        let query = sqlx::query_scalar::<_, i64>(
            "WITH left AS (SELECT id, (SELECT coalesce(sum(value ->> 'bytes'), 0) FROM json_each(outputs)) AS bytes, ended_ms \
             FROM job WHERE ended_ms IS NOT NULL), \
             kept AS (SELECT id, row_number() OVER newest AS jobs, sum(bytes) OVER newest AS bytes FROM left \
             WINDOW newest AS (ORDER BY ended_ms DESC, id DESC)) \
             DELETE FROM job WHERE ended_ms < ?1 AND state IN ('done', 'failed', 'cancelled') AND (ended_ms < ?2 OR id NOT IN \
             (SELECT id FROM kept WHERE jobs <= ?3 AND bytes <= ?4)) RETURNING id",
        );
        let query = query.bind(bounds.fresh_ms).bind(bounds.old_ms);
        let query = query.bind(bounds.jobs).bind(bounds.bytes);
        let gone: Vec<JobId> =
            query.fetch_all(&mut *change).await?.into_iter().map(JobId).collect();
        for id in &gone {
            note(&mut change, Some(*id), now_ms).await?;
        }
        let query = sqlx::query("DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?");
        query.bind(EVENTS_MAX).execute(&mut *change).await?;
        change.commit().await?;
        Ok(gone)
    }
}
