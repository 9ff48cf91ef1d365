//! What is to be done: the five verbs, as they are submitted and as they are kept.
//!
//! Owns: names, what is refused at the door. Refuses to know: who may name which file (who submits decides).
//!
//! Invariant: a passphrase or message that is typed can be read from JSON and not be written to it; what is kept has it sealed.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use veil_ffmpeg::LadderRequest;
use veil_ffmpeg::raw::{Codec, Container};
use veil_seal::identity::Recipient;
use zeroize::Zeroizing;

use super::JobError;
use crate::hide::{Profile, Rate, RobustProfile};
use crate::make::document::Production;
use crate::make::story;
use crate::marking::MarkStrength;
use crate::trace::{EPSILON, EPSILON_MAX};

/// The longest name of a job, in characters; more is cut.
const NAME_CHARS_MAX: usize = 120;

/// A job to do.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobSpec {
    /// Encode, seal and publish a video.
    Import(ImportJob),
    /// Make a video from a production.
    Make(MakeJob),
    /// Hide files in a video.
    Hide(HideJob),
    /// Take hidden files out of a video.
    Reveal(RevealJob),
    /// Find out whose copy a leak was made of.
    Trace(TraceJob),
}

/// A video to import.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportJob {
    /// The video, an absolute path.
    pub source: PathBuf,
    /// What to call it; the file's name where nothing is said.
    #[serde(default)]
    pub name: Option<String>,
    /// `auto`, or heights such as `480,720`.
    #[serde(default = "auto")]
    pub ladder: String,
    /// The store's URL; the own bucket where nothing is said.
    #[serde(default)]
    pub to: Option<String>,
    /// Whether each rendition becomes one object.
    #[serde(default)]
    pub single_file: bool,
    /// How strongly its picture is marked; it isn't where nothing is said.
    #[serde(default)]
    pub mark: Option<MarkStrength>,
}

/// A video to make.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeJob {
    /// The production document (`docs/format/production.md`).
    pub document: serde_json::Value,
    /// Where relative names of its files begin, an absolute path.
    pub base: PathBuf,
    /// What to call the video; the document's title where nothing is said.
    #[serde(default)]
    pub name: Option<String>,
    /// For a look: encoded as quickly as it goes.
    #[serde(default)]
    pub draft: bool,
    /// The production that the document is of.
    #[serde(default)]
    pub production: Option<String>,
}

/// Files to hide.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HideJob {
    /// The video that carries, an absolute path.
    pub carrier: PathBuf,
    /// Files and folders, absolute paths.
    #[serde(default)]
    pub payload: Vec<PathBuf>,
    /// A text to hide, by itself or with files.
    #[serde(default)]
    pub message: Option<JobMessage>,
    /// The file to write: its name ends in `.mkv`, `.mp4` or `.mov`.
    pub output: String,
    /// `default` or `careful` without loss; `same-size`, `scaled` or `hard` to survive encoding.
    #[serde(default)]
    pub profile: HideProfile,
    /// Who can open it, `age1pq1…`; nobody else then.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// Where it lies, and without recipients also who can open it.
    #[serde(default)]
    pub secret: Option<JobSecret>,
}

/// A video to look into.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevealJob {
    /// The video, an absolute path.
    pub video: PathBuf,
    /// Where the message lies.
    #[serde(default)]
    pub secret: Option<JobSecret>,
    /// The file of an identity that isn't locked, an absolute path.
    #[serde(default)]
    pub identity: Option<PathBuf>,
}

/// A leak to examine.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceJob {
    /// The leak, an absolute path.
    pub leak: PathBuf,
    /// What to call it; the file's name where nothing is said.
    #[serde(default)]
    pub name: Option<String>,
    /// The title that it is of, by name or id; found out where nothing is said.
    #[serde(default)]
    pub title: Option<String>,
    /// The highest probability with which an innocent viewer may be named.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
}

/// What is spent to stay unseen, or to survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HideProfile {
    /// Without loss: quick.
    #[default]
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

/// A profile of one of the two modes.
pub(super) enum Mode {
    Lossless(Profile),
    Robust(RobustProfile),
}

impl HideProfile {
    pub(super) fn mode(self) -> Mode {
        match self {
            Self::Default => Mode::Lossless(Profile::Default),
            Self::Careful => Mode::Lossless(Profile::Careful),
            Self::SameSize => Mode::Robust(RobustProfile::SameSize),
            Self::Scaled => Mode::Robust(RobustProfile::Scaled),
            Self::Hard => Mode::Robust(RobustProfile::Hard),
        }
    }
}

/// A passphrase or message as it was typed.
#[derive(Deserialize, JsonSchema)]
#[serde(from = "String")]
pub struct Typed(#[schemars(with = "String")] Zeroizing<String>);

impl From<String> for Typed {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl Typed {
    /// Takes what was typed.
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    pub(super) fn text(&self) -> &Zeroizing<String> {
        &self.0
    }
}

/// A text to hide.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum JobMessage {
    /// What a person types. It is sealed before it is kept.
    #[serde(skip_serializing)]
    Text {
        /// The message, at most a MiB.
        text: Typed,
    },
    /// It lies in the job's folder, sealed to the studio's identity.
    #[schemars(skip)]
    Sealed {},
}

/// A secret that says where a message lies.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum JobSecret {
    /// What a person types. It is sealed before it is kept.
    #[serde(skip_serializing)]
    Passphrase {
        /// The passphrase.
        text: Typed,
    },
    /// A file whose first line is the passphrase, readable for its owner alone.
    PassphraseFile {
        /// An absolute path.
        path: PathBuf,
    },
    /// A key file of 32 bytes at least, readable for its owner alone.
    KeyFile {
        /// An absolute path.
        path: PathBuf,
    },
    /// A passphrase, sealed to the studio's identity.
    #[schemars(skip)]
    Sealed {
        /// The envelope in Base64.
        sealed: String,
    },
    /// It was needed no more.
    #[schemars(skip)]
    Forgotten,
}

fn epsilon() -> f64 {
    EPSILON
}

fn auto() -> String {
    "auto".to_owned()
}

impl JobSpec {
    /// The verb.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Import(_) => "import",
            Self::Make(_) => "make",
            Self::Hide(_) => "hide",
            Self::Reveal(_) => "reveal",
            Self::Trace(_) => "trace",
        }
    }

    /// What a person calls it.
    #[must_use]
    pub fn name(&self) -> String {
        let title = |document: &serde_json::Value| {
            document.get("title").and_then(|title| title.as_str()).map(str::to_owned)
        };
        let name = match self {
            Self::Import(job) => job.name.clone().unwrap_or_else(|| file_name(&job.source)),
            Self::Make(job) => {
                job.name.clone().or_else(|| title(&job.document)).unwrap_or_default()
            }
            Self::Hide(job) => file_name(&job.carrier),
            Self::Reveal(job) => file_name(&job.video),
            Self::Trace(job) => job.name.clone().unwrap_or_else(|| file_name(&job.leak)),
        };
        let clean = name.chars().filter(|sign| !sign.is_control()).take(NAME_CHARS_MAX);
        let clean: String = clean.collect();
        if clean.trim().is_empty() { self.kind().to_owned() } else { clean.trim().to_owned() }
    }

    /// The production that it is of.
    #[must_use]
    pub fn production(&self) -> Option<&str> {
        match self {
            Self::Make(job) => job.production.as_deref(),
            _ => None,
        }
    }

    pub(super) fn secret_mut(&mut self) -> Option<&mut JobSecret> {
        match self {
            Self::Hide(job) => job.secret.as_mut(),
            Self::Reveal(job) => job.secret.as_mut(),
            Self::Import(_) | Self::Make(_) | Self::Trace(_) => None,
        }
    }

    /// Refuses what could never be done.
    pub(super) fn check(&self) -> Result<(), JobError> {
        let refused = |why: String| Err(JobError::Spec(why));
        for path in self.paths() {
            if !path.is_absolute() {
                return refused(format!("{} is no absolute path", path.display()));
            }
        }
        match self {
            Self::Import(job) if job.mark.is_some() && job.single_file => {
                refused("a marked title can't lie in single files".into())
            }
            Self::Import(job) => job.ladder().map(drop),
            Self::Make(job) => job.production().map(drop),
            Self::Hide(job) if job.payload.is_empty() && job.message.is_none() => {
                refused("there is nothing to hide".into())
            }
            Self::Hide(job) => job.container().and(job.recipients()).map(drop),
            Self::Reveal(job) if job.secret.is_none() && job.identity.is_none() => {
                refused("nothing says where the message lies".into())
            }
            Self::Trace(job) if !(job.epsilon > 0.0 && job.epsilon <= EPSILON_MAX) => {
                refused(format!("{} is no bound: above 0, and at most {EPSILON_MAX}", job.epsilon))
            }
            Self::Reveal(_) | Self::Trace(_) => Ok(()),
        }
    }

    fn paths(&self) -> Vec<&PathBuf> {
        match self {
            Self::Import(job) => vec![&job.source],
            Self::Make(job) => vec![&job.base],
            Self::Trace(job) => vec![&job.leak],
            Self::Hide(job) => {
                job.payload.iter().chain([&job.carrier]).chain(path_of(&job.secret)).collect()
            }
            Self::Reveal(job) => {
                job.identity.iter().chain([&job.video]).chain(path_of(&job.secret)).collect()
            }
        }
    }
}

fn path_of(secret: &Option<JobSecret>) -> Option<&PathBuf> {
    match secret {
        Some(JobSecret::PassphraseFile { path } | JobSecret::KeyFile { path }) => Some(path),
        _ => None,
    }
}

impl ImportJob {
    pub(super) fn ladder(&self) -> Result<LadderRequest, JobError> {
        self.ladder.parse().map_err(|error: veil_ffmpeg::Refusal| JobError::Spec(error.to_string()))
    }
}

impl MakeJob {
    pub(super) fn production(&self) -> Result<Production, JobError> {
        let read = story::read(self.document.clone(), &[], &std::collections::BTreeMap::new());
        read.map_err(|fault| JobError::Spec(fault.to_string()))
    }
}

impl HideJob {
    pub(super) fn container(&self) -> Result<Container, JobError> {
        let plain = Path::new(&self.output).file_name().is_some_and(|name| *name == *self.output);
        let container = Container::of_path(Path::new(&self.output)).filter(|_| plain);
        let wrong =
            || JobError::Spec(format!("{:?} names no video: .mkv, .mp4 or .mov", self.output));
        container.ok_or_else(wrong)
    }

    pub(super) fn recipients(&self) -> Result<Vec<Recipient>, JobError> {
        let read = |text: &String| text.parse::<Recipient>();
        let all = self.recipients.iter().map(read).collect::<Result<_, _>>();
        all.map_err(|error| JobError::Spec(error.to_string()))
    }

    /// What fits.
    pub(super) const CODEC: Option<Codec> = None;
    pub(super) const RATE: Rate = Rate::DEFAULT;
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
