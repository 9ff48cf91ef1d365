//! Changing a job's state. Every change names the state that it is from, so that of two only one happens.

use sqlx::sqlite::SqliteQueryResult;

use super::{Claimed, Store, note};
use crate::jobs::job::{JobState, OutputFile, Progress};
use crate::jobs::{JobError, JobId};

/// How an attempt ended.
#[derive(Clone, Debug)]
pub(in crate::jobs) enum End {
    /// What it was to make is in place.
    Done { outputs: Vec<OutputFile>, spec: Option<String> },
    /// It failed for good.
    Failed(String),
    /// It failed in a way that may pass, and is begun again.
    Again(String),
    /// It was stopped because somebody asked for it.
    Cancelled,
    /// It was stopped until it is resumed.
    Paused,
    /// The program stops; the job goes on with the next start.
    Stopped,
}

impl End {
    fn state(&self) -> JobState {
        match self {
            Self::Done { .. } => JobState::Done,
            Self::Failed(_) => JobState::Failed,
            Self::Again(_) | Self::Stopped => JobState::Waiting,
            Self::Cancelled => JobState::Cancelled,
            Self::Paused => JobState::Paused,
        }
    }

    fn error(&self) -> Option<&str> {
        match self {
            Self::Failed(error) | Self::Again(error) => Some(error),
            _ => None,
        }
    }

    pub(in crate::jobs) fn word(&self) -> &'static str {
        match self {
            Self::Again(_) => "tried again",
            Self::Stopped => "stopped",
            other => other.state().word(),
        }
    }
}

impl Store {
    /// Takes the job whose turn it is, if one waits and the queue isn't drained.
    pub(in crate::jobs) async fn claim(
        &self,
        owner: &str,
        now_ms: i64,
    ) -> Result<Option<Claimed>, JobError> {
        let mut change = self.change().await?;
        let query = sqlx::query_as::<_, Claimed>(
            "UPDATE job SET state = 'running', owner = ?1, attempt = attempt + 1, tries = tries + 1, \
             started_ms = ?2, ended_ms = NULL, progress = NULL, pause_wanted = 0, commands = '[]' \
             WHERE id = (SELECT id FROM job WHERE state = 'waiting' ORDER BY priority DESC, id LIMIT 1) \
             AND NOT EXISTS (SELECT 1 FROM setting WHERE name = 'drained') \
             RETURNING id, spec, attempt, tries, title",
        );
        let claimed = query.bind(owner).bind(now_ms).fetch_optional(&mut *change).await?;
        if let Some(claimed) = &claimed {
            let query = sqlx::query(
                "INSERT INTO attempt (job_id, number, owner, started_ms) VALUES (?, ?, ?, ?)",
            );
            let query = query.bind(claimed.id).bind(claimed.attempt).bind(owner).bind(now_ms);
            query.execute(&mut *change).await?;
            note(&mut change, Some(JobId(claimed.id)), now_ms).await?;
        }
        change.commit().await?;
        Ok(claimed)
    }

    /// Ends an attempt; `false` where the job is in another one by now, and nothing of this one counts.
    pub(in crate::jobs) async fn end(
        &self,
        (owner, claimed): (&str, &Claimed),
        end: &End,
        commands: &[String],
        now_ms: i64,
    ) -> Result<bool, JobError> {
        let mut change = self.change().await?;
        let ended = end.state().is_ended().then_some(now_ms);
        let (outputs, spec) = match end {
            End::Done { outputs, spec } => (json(outputs), spec.as_deref()),
            _ => ("[]".to_owned(), None),
        };
        // Somebody may have asked for a stop just before: what is finished is done, what isn't is cancelled.
        let query = sqlx::query(
            "UPDATE job SET state = CASE WHEN state = 'cancelling' AND ?1 <> 'done' THEN 'cancelled' ELSE ?1 END, \
             ended_ms = CASE WHEN state = 'cancelling' THEN ?2 ELSE ?3 END, \
             owner = NULL, progress = NULL, pause_wanted = 0, error = ?4, commands = ?5, outputs = ?6, \
             spec = coalesce(?7, spec), tries = tries - ?8, title = CASE WHEN ?1 = 'done' THEN title END \
             WHERE id = ?9 AND owner = ?10 AND attempt = ?11 AND state IN ('running', 'cancelling')",
        );
        // A stop from outside is no fault of the job's.
        let forgiven = i64::from(matches!(end, End::Stopped | End::Paused));
        let query = query.bind(end.state().word()).bind(now_ms).bind(ended).bind(end.error());
        let query = query.bind(json(commands)).bind(outputs).bind(spec).bind(forgiven);
        let query = query.bind(claimed.id).bind(owner).bind(claimed.attempt);
        let counted = query.execute(&mut *change).await?.rows_affected() == 1;
        let query = sqlx::query(
            "UPDATE attempt SET ended_ms = ?, outcome = ?, error = ? WHERE job_id = ? AND number = ?",
        );
        let query = query.bind(now_ms).bind(if counted { end.word() } else { "overtaken" });
        let query = query.bind(end.error()).bind(claimed.id).bind(claimed.attempt);
        query.execute(&mut *change).await?;
        note(&mut change, Some(JobId(claimed.id)), now_ms).await?;
        change.commit().await?;
        Ok(counted)
    }

    /// Notes that an attempt has done a step.
    pub(in crate::jobs) async fn step(
        &self,
        claimed: &Claimed,
        name: &str,
        now_ms: i64,
    ) -> Result<(), JobError> {
        let query = sqlx::query(
            "INSERT INTO step (job_id, name, attempt, done_ms) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (job_id, name) DO UPDATE SET attempt = ?3, done_ms = ?4",
        );
        let query = query.bind(claimed.id).bind(name).bind(claimed.attempt).bind(now_ms);
        Ok(query.execute(&self.pool).await.map(drop)?)
    }

    /// Notes the title that an attempt is about to import.
    pub(in crate::jobs) async fn set_title(&self, id: JobId, title: &str) -> Result<(), JobError> {
        let query = sqlx::query("UPDATE job SET title = ? WHERE id = ?").bind(title).bind(id.0);
        Ok(query.execute(&self.pool).await.map(drop)?)
    }

    /// Notes how far a job is. It is no event: who follows in this process is told of it otherwise.
    pub(in crate::jobs) async fn set_progress(
        &self,
        id: JobId,
        progress: &Progress,
        commands: &[String],
    ) -> Result<(), JobError> {
        let query = sqlx::query("UPDATE job SET progress = ?, commands = ? WHERE id = ?");
        let query = query.bind(json(progress)).bind(json(commands)).bind(id.0);
        Ok(query.execute(&self.pool).await.map(drop)?)
    }

    /// Stops a job: at once where it only waits, and else as soon as who works on it hears of it.
    pub(in crate::jobs) async fn cancel(&self, id: JobId, now_ms: i64) -> Result<(), JobError> {
        self.update(
            "UPDATE job SET ended_ms = CASE state WHEN 'running' THEN NULL ELSE ?2 END, \
             state = CASE state WHEN 'running' THEN 'cancelling' ELSE 'cancelled' END \
             WHERE id = ?1 AND state IN ('waiting', 'paused', 'running')",
            (id, now_ms),
        )
        .await
    }

    /// Has a job wait until it is resumed.
    pub(in crate::jobs) async fn pause(&self, id: JobId, now_ms: i64) -> Result<(), JobError> {
        self.update(
            "UPDATE job SET pause_wanted = (state = 'running'), \
             state = CASE state WHEN 'waiting' THEN 'paused' ELSE state END \
             WHERE id = ?1 AND state IN ('waiting', 'running') AND ?2",
            (id, now_ms),
        )
        .await
    }

    /// Lets a paused job go on.
    pub(in crate::jobs) async fn resume(&self, id: JobId, now_ms: i64) -> Result<(), JobError> {
        self.update(
            "UPDATE job SET pause_wanted = 0, state = CASE state WHEN 'paused' THEN 'waiting' ELSE state END \
             WHERE id = ?1 AND (state = 'paused' OR (state = 'running' AND pause_wanted)) AND ?2",
            (id, now_ms),
        )
        .await
    }

    /// Begins an ended job again.
    pub(in crate::jobs) async fn retry(&self, id: JobId, now_ms: i64) -> Result<(), JobError> {
        self.update(
            "UPDATE job SET state = 'waiting', tries = 0, error = NULL, ended_ms = NULL \
             WHERE id = ?1 AND state IN ('failed', 'cancelled') AND ?2",
            (id, now_ms),
        )
        .await
    }

    /// Forgets a job that has ended.
    pub(in crate::jobs) async fn dismiss(&self, id: JobId, now_ms: i64) -> Result<(), JobError> {
        self.update(
            "DELETE FROM job WHERE id = ?1 AND state IN ('done', 'failed', 'cancelled') AND ?2",
            (id, now_ms),
        )
        .await
    }

    /// Has a job come earlier or later.
    pub(in crate::jobs) async fn set_priority(
        &self,
        id: JobId,
        priority: i64,
        now_ms: i64,
    ) -> Result<(), JobError> {
        let mut change = self.change().await?;
        let query = sqlx::query(
            "UPDATE job SET priority = ? WHERE id = ? AND state NOT IN ('done', 'failed', 'cancelled')",
        );
        let done = query.bind(priority).bind(id.0).execute(&mut *change).await?;
        self.noted(change, done, (id, now_ms)).await
    }

    /// Changes one job from a state that allows it.
    async fn update(&self, statement: &'static str, at: (JobId, i64)) -> Result<(), JobError> {
        let mut change = self.change().await?;
        let query = sqlx::query(statement).bind(at.0.0).bind(at.1);
        let done = query.execute(&mut *change).await?;
        self.noted(change, done, at).await
    }

    async fn noted(
        &self,
        mut change: sqlx::Transaction<'static, sqlx::Sqlite>,
        done: SqliteQueryResult,
        (id, now_ms): (JobId, i64),
    ) -> Result<(), JobError> {
        if done.rows_affected() == 0 {
            drop(change);
            let state = self.get(id).await?.state;
            return Err(JobError::State { id, state });
        }
        note(&mut change, Some(id), now_ms).await?;
        Ok(change.commit().await?)
    }
}

fn json(value: &(impl serde::Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
