//! Why something with jobs can't be done.

use std::path::PathBuf;

use super::{JobId, JobState};
use crate::StudioError;

/// Why something with jobs can't be done. Why a job itself failed is in [`super::Job::error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The table can't be read or written.
    #[error("the job table failed: {0}")]
    Table(#[from] sqlx::Error),
    /// The table was made by a newer version, or is damaged.
    #[error("the job table cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The table holds what no version writes.
    #[error("the job table is damaged: {what} of job {id}")]
    Damaged {
        /// What can't be read.
        what: &'static str,
        /// The job.
        id: JobId,
    },
    /// No job has this number.
    #[error("there is no job {0}")]
    NoJob(JobId),
    /// A job in a state in which that can't be done to it.
    #[error("job {id} is {}", state.word())]
    State {
        /// The job.
        id: JobId,
        /// Where it stands.
        state: JobState,
    },
    /// A job that could never be done.
    #[error("{0}")]
    Spec(String),
    /// Too many from one client.
    #[error("too many jobs of this kind in the last minute")]
    TooMany {
        /// When to come again.
        retry_after_s: u64,
    },
    /// Too many wait.
    #[error("{0} jobs wait already")]
    Full(i64),
    /// Nobody can work without FFmpeg.
    #[error("there is nothing to work with: FFmpeg was not given")]
    NoEncoder,
    /// A file of a job.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The studio.
    #[error(transparent)]
    Studio(#[from] StudioError),
    /// Who hands jobs to workers stopped without saying why.
    #[error("the dispatch of jobs failed: {0}")]
    Dispatch(String),
}

impl JobError {
    pub(super) fn file(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }

    /// What a person can do, if there is anything.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoJob(_) => "`veilcast jobs list` shows what there is".to_owned(),
            Self::TooMany { retry_after_s } => format!("try again in {retry_after_s} s"),
            Self::Full(_) => "wait until some are done, or cancel some".to_owned(),
            Self::Migration(_) => "use the newest veilcast with this data folder".to_owned(),
            Self::State { state, .. } if state.is_ended() => {
                "`veilcast jobs retry` begins it again".to_owned()
            }
            Self::File { source, .. } => return crate::error::io_hint(source),
            Self::Studio(error) => return error.hint(),
            _ => return None,
        })
    }
}
