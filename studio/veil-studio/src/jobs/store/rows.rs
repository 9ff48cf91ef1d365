//! Reading the job table.

use sqlx::FromRow;

use super::Store;
use crate::jobs::job::{Job, JobState, OutputFile, Progress, QueueState};
use crate::jobs::{JobError, JobId, JobQuery};
use crate::time;

/// A row, without what is to be done.
#[derive(FromRow)]
struct JobRow {
    id: i64,
    kind: String,
    name: String,
    state: String,
    priority: i64,
    attempt: i64,
    created_ms: i64,
    started_ms: Option<i64>,
    ended_ms: Option<i64>,
    progress: Option<String>,
    error: Option<String>,
    commands: String,
    outputs: String,
    production: Option<String>,
    title: Option<String>,
}

/// A job that somebody works on now.
#[derive(FromRow, Clone, Debug)]
pub(in crate::jobs) struct Claimed {
    pub(in crate::jobs) id: i64,
    pub(in crate::jobs) spec: String,
    /// Its number among the attempts of the job.
    pub(in crate::jobs) attempt: i64,
    /// How often it was begun since somebody asked for it.
    pub(in crate::jobs) tries: i64,
    /// The title that an earlier attempt began.
    pub(in crate::jobs) title: Option<String>,
}

const COLUMNS: &str = "id, kind, name, state, priority, attempt, created_ms, started_ms, ended_ms, progress, error, \
     commands, outputs, production, title";

impl JobRow {
    fn job(self, whole: bool) -> Result<Job, JobError> {
        let id = JobId(self.id);
        let damaged = |what| JobError::Damaged { what, id };
        let state = JobState::of_word(&self.state).ok_or(damaged("the state"))?;
        let progress: Option<Progress> = match (state, &self.progress) {
            (JobState::Running | JobState::Cancelling, Some(text)) => {
                Some(serde_json::from_str(text).map_err(|_| damaged("the progress"))?)
            }
            _ => None,
        };
        let outputs: Vec<OutputFile> =
            serde_json::from_str(&self.outputs).map_err(|_| damaged("the outputs"))?;
        let commands = match whole {
            true => serde_json::from_str(&self.commands).map_err(|_| damaged("the commands"))?,
            false => Vec::new(),
        };
        Ok(Job {
            id,
            kind: self.kind,
            name: self.name,
            state,
            priority: self.priority,
            progress,
            attempts: self.attempt,
            created_at: time::of_ms(self.created_ms),
            started_at: self.started_ms.map(time::of_ms),
            ended_at: self.ended_ms.map(time::of_ms),
            error: self.error,
            commands,
            outputs,
            production: self.production,
            title: self.title,
        })
    }
}

impl Store {
    pub(in crate::jobs) async fn get(&self, id: JobId) -> Result<Job, JobError> {
        let text = format!("SELECT {COLUMNS} FROM job WHERE id = ?");
        let query = sqlx::query_as::<_, JobRow>(sqlx::AssertSqlSafe(text)).bind(id.0);
        let row = query.fetch_optional(&self.pool).await?;
        row.ok_or(JobError::NoJob(id))?.job(true)
    }

    /// What is kept of what a job is to do.
    pub(in crate::jobs) async fn spec(&self, id: JobId) -> Result<String, JobError> {
        let query = sqlx::query_scalar("SELECT spec FROM job WHERE id = ?").bind(id.0);
        query.fetch_optional(&self.pool).await?.ok_or(JobError::NoJob(id))
    }

    /// Jobs, the newest first.
    pub(in crate::jobs) async fn list(&self, query: &JobQuery) -> Result<Vec<Job>, JobError> {
        let text = format!(
            "SELECT {COLUMNS} FROM job WHERE id < ?1 AND state IN ({}) ORDER BY id DESC LIMIT ?2",
            words(&query.states)
        );
        let before = query.after.map_or(i64::MAX, |after| after.0);
        let rows = sqlx::query_as::<_, JobRow>(sqlx::AssertSqlSafe(text)).bind(before);
        let rows = rows.bind(query.limit).fetch_all(&self.pool).await?;
        rows.into_iter().map(|row| row.job(false)).collect()
    }

    /// How many jobs there are in these states.
    pub(in crate::jobs) async fn count(&self, states: &[JobState]) -> Result<i64, JobError> {
        let text = format!("SELECT count(*) FROM job WHERE state IN ({})", words(states));
        Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(&self.pool).await?)
    }

    pub(in crate::jobs) async fn queue(&self, now_ms: i64) -> Result<QueueState, JobError> {
        let query = sqlx::query_as::<_, (i64, i64, Option<i64>)>(
            "SELECT count(*) FILTER (WHERE state IN ('running', 'cancelling')), \
             count(*) FILTER (WHERE state = 'waiting'), min(created_ms) FILTER (WHERE state = 'waiting') \
             FROM job WHERE state IN ('running', 'cancelling', 'waiting')",
        );
        let (running, pending, oldest) = query.fetch_one(&self.pool).await?;
        let oldest_pending_s = oldest.map_or(0, |oldest| (now_ms - oldest).max(0) / 1000);
        let drained = self.is_drained().await?;
        Ok(QueueState { drained, running, pending, oldest_pending_s, ..QueueState::default() })
    }

    /// The number of the last event; 0 before the first.
    pub(in crate::jobs) async fn last_event(&self) -> Result<i64, JobError> {
        let query = "SELECT coalesce(max(id), 0) FROM event";
        Ok(sqlx::query_scalar(query).fetch_one(&self.pool).await?)
    }

    /// What changed after an event, each job once: the number of its last event, and the job (`None` for the queue).
    pub(in crate::jobs) async fn changed(
        &self,
        after: i64,
        limit: i64,
    ) -> Result<Vec<(i64, Option<JobId>)>, JobError> {
        let query = sqlx::query_as::<_, (i64, Option<i64>)>(
            "SELECT max(id), job_id FROM event WHERE id > ? GROUP BY job_id ORDER BY max(id) LIMIT ?",
        );
        let rows = query.bind(after).bind(limit).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(id, job)| (id, job.map(JobId))).collect())
    }

    /// Which of an owner's running jobs are to be stopped: the job, and whether it is to be paused rather than cancelled.
    pub(in crate::jobs) async fn asked(&self, owner: &str) -> Result<Vec<(JobId, bool)>, JobError> {
        let query = sqlx::query_as::<_, (i64, bool)>(
            "SELECT id, state = 'running' FROM job WHERE owner = ? \
             AND (state = 'cancelling' OR (state = 'running' AND pause_wanted))",
        );
        let rows = query.bind(owner).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(id, pause)| (JobId(id), pause)).collect())
    }

    /// The jobs whose turn comes next.
    pub(in crate::jobs) async fn waiting(&self, limit: usize) -> Result<Vec<JobId>, JobError> {
        let query = sqlx::query_scalar::<_, i64>(
            "SELECT id FROM job WHERE state = 'waiting' ORDER BY priority DESC, id LIMIT ?",
        );
        let query = query.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        Ok(query.fetch_all(&self.pool).await?.into_iter().map(JobId).collect())
    }

    /// Who works on anything.
    pub(in crate::jobs) async fn owners(&self) -> Result<Vec<String>, JobError> {
        let query = "SELECT DISTINCT owner FROM job WHERE owner IS NOT NULL";
        Ok(sqlx::query_scalar(query).fetch_all(&self.pool).await?)
    }

    /// The attempt that has done a step, if one has.
    pub(in crate::jobs) async fn step_done(
        &self,
        id: JobId,
        name: &str,
    ) -> Result<Option<i64>, JobError> {
        let query = sqlx::query_scalar::<_, i64>(
            "SELECT attempt FROM step WHERE job_id = ? AND name = ? AND done_ms IS NOT NULL",
        );
        Ok(query.bind(id.0).bind(name).fetch_optional(&self.pool).await?)
    }
}

/// Words of ours, for a list in SQL; all of them where none are named.
fn words(states: &[JobState]) -> String {
    let states = if states.is_empty() { &JobState::ALL[..] } else { states };
    let quoted: Vec<String> = states.iter().map(|state| format!("'{}'", state.word())).collect();
    quoted.join(", ")
}
