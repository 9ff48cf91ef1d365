//! Jobs and the queue.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use veil_studio::jobs::{self, HideProfile};
use veil_studio::marking::MarkStrength;

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
    /// What is counted: `frames`, or `us` of the video.
    pub unit: String,
    /// Frames a second; null where none are counted.
    #[schema(required)]
    pub fps: Option<f64>,
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
    /// `import`, `make`, `hide`, `reveal`, `trace`.
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
#[derive(Deserialize, ToSchema)]
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
        /// How strongly its picture is marked, so that every viewer's copy tells whose it is; it isn't where nothing is said.
        #[serde(default)]
        mark: Option<Mark>,
        /// Higher goes first.
        #[serde(default)]
        priority: i64,
    },
    /// Hide files in a video.
    Hide {
        /// The video that carries them: a medium's id.
        media: String,
        /// A text that is hidden, as `message.txt`.
        #[serde(default)]
        message: Option<String>,
        /// Files that are hidden: media's ids.
        #[serde(default)]
        payload: Vec<String>,
        /// The passphrase that opens it again. It is kept sealed.
        passphrase: String,
        /// Whether it survives encoding at the same size, or the video stays as it is without loss.
        #[serde(default)]
        robust: bool,
        /// What is spent to stay unseen, or to survive; goes before `robust`.
        #[serde(default)]
        profile: Option<Profile>,
        /// The file to write, `.mkv`, `.mp4` or `.mov`; the video's name with `.mkv` where it isn't said.
        #[serde(default)]
        output: Option<String>,
        /// Higher goes first.
        #[serde(default)]
        priority: i64,
    },
    /// Take hidden files out of a video.
    Reveal {
        /// The video: a medium's id.
        media: String,
        /// The passphrase.
        passphrase: String,
        /// Higher goes first.
        #[serde(default)]
        priority: i64,
    },
    /// Find out whose copy a leak was made of. Its outputs are `report.json` and `report.html`.
    Trace {
        /// The leak: a medium's id.
        media: String,
        /// The title that it is of, by name or id; found out where it isn't said.
        #[serde(default)]
        title: Option<String>,
        /// The highest probability with which an innocent viewer may be named, at most 0.01; one in a million where it isn't said.
        #[serde(default)]
        epsilon: Option<f64>,
        /// Higher goes first.
        #[serde(default)]
        priority: i64,
    },
}

/// What is spent to stay unseen, or to survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Without loss: quick.
    Default,
    /// Without loss: fewer changes.
    Careful,
    /// Survives encoding at the same size.
    SameSize,
    /// Survives scaling down to 480 lines and encoding.
    Scaled,
    /// Survives more than that.
    Hard,
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
    /// Why nothing new is begun though it could be; null where nothing holds it up.
    #[schema(required)]
    pub held: Option<String>,
    /// How many jobs may run at once.
    pub slots: i64,
    /// How many run.
    pub running: i64,
    /// How many wait.
    pub pending: i64,
    /// How long the oldest has waited, in seconds.
    pub oldest_pending_s: i64,
}

impl From<jobs::JobState> for JobState {
    fn from(state: jobs::JobState) -> Self {
        match state {
            jobs::JobState::Waiting => Self::Waiting,
            jobs::JobState::Running => Self::Running,
            jobs::JobState::Paused => Self::Paused,
            jobs::JobState::Cancelling => Self::Cancelling,
            jobs::JobState::Done => Self::Done,
            jobs::JobState::Failed => Self::Failed,
            jobs::JobState::Cancelled => Self::Cancelled,
        }
    }
}

impl From<jobs::Progress> for Progress {
    fn from(progress: jobs::Progress) -> Self {
        let unit = match progress.unit {
            jobs::Unit::Frames => "frames",
            jobs::Unit::Us => "us",
        };
        Self {
            step: progress.step,
            done: progress.done,
            total: progress.total,
            unit: unit.to_owned(),
            fps: progress.fps,
            eta_s: progress.eta_s,
        }
    }
}

impl From<jobs::OutputFile> for JobOutput {
    fn from(file: jobs::OutputFile) -> Self {
        Self { name: file.name, bytes: file.bytes }
    }
}

impl From<jobs::QueueState> for Queue {
    fn from(queue: jobs::QueueState) -> Self {
        let jobs::QueueState { drained, held, slots, running, pending, oldest_pending_s } = queue;
        let slots = i64::try_from(slots).unwrap_or(i64::MAX);
        Self { drained, held, slots, running, pending, oldest_pending_s }
    }
}

/// How strongly a picture is marked. Either way it is stored twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Nobody sees it.
    Standard,
    /// For short leaks and hard encoding.
    Strong,
}

impl From<Mark> for MarkStrength {
    fn from(mark: Mark) -> Self {
        match mark {
            Mark::Standard => Self::Standard,
            Mark::Strong => Self::Strong,
        }
    }
}

impl From<Profile> for HideProfile {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Default => Self::Default,
            Profile::Careful => Self::Careful,
            Profile::SameSize => Self::SameSize,
            Profile::Scaled => Self::Scaled,
            Profile::Hard => Self::Hard,
        }
    }
}
