//! Jobs and the queue.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Its turn has not come.
    Waiting,
    /// It is worked on.
    Running,
    /// Somebody paused it.
    Paused,
    /// Somebody cancelled it, and it has not ended yet.
    Cancelling,
    /// It is done.
    Done,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// How far a job is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Progress {
    /// What is being done.
    pub step: String,
    /// How much of it is done, in `unit`.
    pub done: u64,
    /// How much there is to do; 0 where that isn't known.
    pub total: u64,
    /// What is counted: `frames`, `us`, `bytes`.
    pub unit: String,
    /// Frames a second; 0 where none are counted.
    pub fps: f64,
    /// Seconds that it will take; null where nobody knows.
    #[schema(required)]
    pub eta_s: Option<u64>,
}

/// A file that a job made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobOutput {
    /// Its name, for `/outputs/{name}`.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// A job.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// `import`, `make`, `hide`, `reveal`.
    pub kind: String,
    /// What a person knows it by.
    pub name: String,
    /// Where it stands.
    pub state: JobState,
    /// Higher goes first.
    pub priority: i64,
    /// How far it is; null while it doesn't run.
    #[schema(required)]
    pub progress: Option<Progress>,
    /// How often it was begun.
    pub attempts: i64,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC; null before it began.
    #[schema(required)]
    pub started_at: Option<String>,
    /// RFC 3339, UTC; null before it ended.
    #[schema(required)]
    pub ended_at: Option<String>,
    /// Why it failed; null where it did not.
    #[schema(required)]
    pub error: Option<String>,
    /// The command lines that it ran.
    pub commands: Vec<String>,
    /// What it made.
    pub outputs: Vec<JobOutput>,
    /// The production that it is of.
    #[schema(required)]
    pub production: Option<String>,
    /// The title that it made.
    #[schema(required)]
    pub title: Option<String>,
}

/// What to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum NewJob {
    /// Make a production's video.
    Make {
        /// The production's id.
        production: String,
        /// For a look: encoded as quickly as it goes.
        #[serde(default)]
        draft: bool,
        /// Higher goes first.
        #[serde(default)]
        priority: i64,
    },
    /// Make a title of a video.
    Import {
        /// A medium's id; this or `job`.
        #[serde(default)]
        media: Option<String>,
        /// A finished job's id, whose first output it is; this or `media`.
        #[serde(default)]
        job: Option<String>,
        /// What to call the title.
        name: String,
        /// Higher goes first.
        #[serde(default)]
        priority: i64,
    },
    /// Hide a file in a video.
    Hide {
        /// The video: a medium's id.
        media: String,
        /// The text that is hidden.
        message: String,
        /// The passphrase that opens it again.
        passphrase: String,
        /// Whether it survives being encoded again (`true`), or the video stays lossless.
        #[serde(default)]
        robust: bool,
        /// Higher goes first.
        #[serde(default)]
        priority: i64,
    },
    /// Take a hidden file out of a video.
    Reveal {
        /// The video: a medium's id.
        media: String,
        /// The passphrase.
        passphrase: String,
        /// Higher goes first.
        #[serde(default)]
        priority: i64,
    },
}

/// Which jobs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct JobQuery {
    /// States, with commas between them; all where it isn't said.
    pub state: Option<String>,
    /// What `next` of the part before was.
    pub after: Option<String>,
    /// How many items at most, from 1 to 500; 100 where it isn't said.
    pub limit: Option<u32>,
}

/// A new priority.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reprioritise {
    /// Higher goes first.
    pub priority: i64,
}

/// The end of a job's log.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobLog {
    /// Lines, oldest first.
    pub lines: Vec<String>,
}

/// The queue.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Queue {
    /// Whether nothing new is begun.
    pub drained: bool,
    /// How many jobs may run at once.
    pub slots: u64,
    /// How many run.
    pub running: u64,
    /// How many wait.
    pub pending: u64,
    /// How long the oldest has waited, in seconds.
    pub oldest_pending_s: u64,
}
