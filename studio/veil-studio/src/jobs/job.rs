//! A job as others see it: its state, how far it is, what it left.
//!
//! Owns: the words of the JSON. Refuses to know: tables, and how work is done. Invariant: nothing in a [`Job`] is a secret.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A job's number; text in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(pub i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = NoJobId;

    fn from_str(text: &str) -> Result<Self, NoJobId> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Self).ok_or(NoJobId)
    }
}

impl TryFrom<String> for JobId {
    type Error = NoJobId;

    fn try_from(text: String) -> Result<Self, NoJobId> {
        text.parse()
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.to_string()
    }
}

impl JsonSchema for JobId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "JobId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]+$" })
    }
}

/// A text that is no job's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a job's id is a number")]
pub struct NoJobId;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Until its turn comes.
    Waiting,
    /// Somebody works on it.
    Running,
    /// Until it is resumed.
    Paused,
    /// It is being stopped.
    Cancelling,
    /// What it was to make is there.
    Done,
    /// It ended with an error.
    Failed,
    /// It was stopped.
    Cancelled,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Running,
        Self::Paused,
        Self::Cancelling,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// As text.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelling => "cancelling",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether nothing more happens to it by itself.
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// What progress is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Pictures.
    #[default]
    Frames,
    /// Microseconds of the video.
    Us,
}

/// How far a job is in its present step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// What is being done, for a person.
    pub step: String,
    /// Units that are done.
    pub done: u64,
    /// Units in all; 0 while that is not known.
    pub total: u64,
    /// What is counted.
    pub unit: Unit,
    /// Pictures a second, if known.
    pub fps: Option<f64>,
    /// Seconds that are left of this step, if known.
    pub eta_s: Option<u64>,
}

/// A file that a job left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutputFile {
    /// Its name, below the folder of outputs; `/` between folders.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// `import`, `make`, `hide`, `reveal` or `trace`.
    pub kind: String,
    /// What a person calls it.
    pub name: String,
    /// Where it stands.
    pub state: JobState,
    /// Higher ones come first; 0 as a rule.
    pub priority: i64,
    /// How far it is, while it runs.
    pub progress: Option<Progress>,
    /// How often it was begun.
    pub attempts: i64,
    /// When it was submitted, RFC 3339.
    pub created_at: String,
    /// When its last attempt began, RFC 3339.
    pub started_at: Option<String>,
    /// When it ended, RFC 3339.
    pub ended_at: Option<String>,
    /// Why it failed, or why it is tried again.
    pub error: Option<String>,
    /// The last command lines of its last attempt; the log has all. Empty in lists.
    pub commands: Vec<String>,
    /// The files that it left.
    pub outputs: Vec<OutputFile>,
    /// The production that it makes a video of.
    pub production: Option<String>,
    /// The title that it imported.
    pub title: Option<String>,
}

/// What the queue as a whole is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueueState {
    /// Nothing new is begun.
    pub drained: bool,
    /// Why nothing new is begun though it could be: too little disk or memory.
    pub held: Option<String>,
    /// Jobs that may run at once.
    pub slots: usize,
    /// Jobs that run.
    pub running: i64,
    /// Jobs that wait.
    pub pending: i64,
    /// For how many seconds the oldest of them has waited.
    pub oldest_pending_s: i64,
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq)]
pub struct JobEvent {
    /// Rises; progress has the number of the change before it.
    pub id: i64,
    /// What is so now.
    pub change: Change,
}

/// What is so now.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A job.
    Job(Box<Job>),
    /// A job that is forgotten.
    Removed(JobId),
    /// The queue.
    Queue(QueueState),
}
