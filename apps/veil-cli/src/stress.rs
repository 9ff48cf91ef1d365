//! The stress test: many people hide and reveal at once, in clips of several sizes, and the memory that it takes is held to bounds.
//!
//! Owns: clips, the order of combinations, what is counted, and which bounds there are. Refuses to know: how figures are shown ([`report`],
//! [`chart`]). Invariant: everything but the report lies in one folder that goes when the future that [`run`] returns is dropped.

pub(crate) mod chart;
pub(crate) mod memory;
pub(crate) mod report;
pub(crate) mod user;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinSet;
use veil_ffmpeg::clip::{CLIP_RATE, ClipRequest, make_clip, repeat_clip};
use veil_studio::pipeline::Encoder;
use veil_studio::turns::{FrameSize, Resources, own_bytes_max};

use self::memory::Memory;
use self::user::{Kind, Step, Work, hide_and_reveal};
use crate::args::stress::Resolution;
use crate::error::CliError;

/// Frames of a clip before it is made longer.
const CLIP_FRAMES: u32 = 100;

/// Bytes hidden for each frame: 200 kB in 100.
pub(crate) const PAYLOAD_BYTES_A_FRAME: u64 = 2000;

/// What is to be tried.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) resolutions: Vec<Resolution>,
    pub(crate) users: Vec<u32>,
    /// How often the clip of 100 frames is repeated.
    pub(crate) repeats: u32,
    pub(crate) threads: usize,
    pub(crate) budget: Resources,
    /// This program, and the arguments that say how its runs share the machine.
    pub(crate) program: PathBuf,
    pub(crate) sharing: Vec<std::ffi::OsString>,
}

/// What came of a number of users in a size of picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) resolution: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) users: u32,
    /// Those whose payload came out again.
    pub(crate) carried: u32,
    pub(crate) frames: u32,
    pub(crate) payload_bytes: u64,
    pub(crate) hide: Side,
    pub(crate) reveal: Side,
    /// The highest that all runs had together.
    pub(crate) all_bytes: u64,
    /// Bounds of a process that hides, of its run, and of all runs together.
    pub(crate) own_bytes_max: u64,
    pub(crate) run_bytes_max: u64,
    pub(crate) all_bytes_max: u64,
    /// Bounds that broke and users that failed, in words.
    pub(crate) failures: Vec<String>,
}

/// The figures of hiding, or of revealing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Side {
    /// What a user waits for it, in seconds, with the time in line: the median, and the longest.
    pub(crate) median_s: f64,
    pub(crate) longest_s: f64,
    /// What of the median user's time was spent in line.
    pub(crate) in_line_s: f64,
    /// Frames a second of all users together.
    pub(crate) frames_per_s: f64,
    /// The highest of a process of ours, and of one with its FFmpegs.
    pub(crate) own_bytes: u64,
    pub(crate) run_bytes: u64,
}

/// What happens, for who shows it.
pub(crate) trait Watcher: Send + Sync {
    /// A clip is being made.
    fn making(&self, resolution: Resolution);
    /// So much of [`Plan::work`] is done since it was last told.
    fn did(&self, work: u64);
    /// A combination is done.
    fn finished(&self, row: &Row);
}

impl Plan {
    /// How often a clip of 100 frames makes so many minutes.
    pub(crate) fn repeats_of(minutes: Option<f64>) -> u32 {
        let frames = minutes.unwrap_or(0.0) * 60.0 * f64::from(CLIP_RATE);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "120 minutes at most"
        )]
        let repeats = (frames / f64::from(CLIP_FRAMES)).round() as u32;
        repeats.max(1)
    }

    pub(crate) fn frames(&self) -> u32 {
        CLIP_FRAMES * self.repeats
    }

    /// All that is to be done, in samples of luma: hiding reads them, encodes them and reads them back, revealing reads them again.
    pub(crate) fn work(&self) -> u64 {
        let samples: u64 = self.resolutions.iter().map(|size| self.samples(*size)).sum();
        samples
            * (HIDING + REVEALING)
            * self.users.iter().map(|count| u64::from(*count)).sum::<u64>()
    }

    fn samples(&self, size: Resolution) -> u64 {
        u64::from(size.width) * u64::from(size.height) * u64::from(self.frames())
    }

    /// Bytes that the largest combination has on the disk at once: what is lossless takes about a third of its raw frames.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let largest = self.resolutions.iter().map(|size| self.samples(*size)).max();
        let most = self.users.iter().max().copied().unwrap_or(1);
        largest.unwrap_or(0) / 2 * u64::from(most + 1)
    }
}

/// How much of the work each is.
const HIDING: u64 = 3;
const REVEALING: u64 = 1;

/// Runs all combinations, one after the other, in `folder`.
pub(crate) async fn run(
    plan: &Plan,
    encoder: &Encoder,
    folder: &Path,
    memory: &Arc<Memory>,
    watcher: &Arc<dyn Watcher>,
) -> Result<Vec<Row>, CliError> {
    let mut rows = Vec::new();
    for resolution in &plan.resolutions {
        watcher.making(*resolution);
        let clip = clip(plan, encoder, *resolution, folder).await?;
        for users in &plan.users {
            let row =
                combination(plan, encoder, (*resolution, *users), &clip, memory, watcher).await?;
            watcher.finished(&row);
            rows.push(row);
        }
        std::fs::remove_file(&clip).map_err(|error| failed(&error))?;
    }
    Ok(rows)
}

fn failed(error: &std::io::Error) -> CliError {
    CliError::new(format!("cannot use the folder of the stress test: {error}"))
}

async fn clip(
    plan: &Plan,
    encoder: &Encoder,
    size: Resolution,
    folder: &Path,
) -> Result<PathBuf, CliError> {
    let new = |name: &str| {
        let path = folder.join(name);
        File::create(&path).map(|_| path).map_err(|error| failed(&error))
    };
    let Encoder { launcher, tools, .. } = encoder;
    let (short, whole) = (new("short.mkv")?, new("clip.mkv")?);
    let request = ClipRequest { width: size.width, height: size.height, frames: CLIP_FRAMES };
    let cannot = |error: veil_ffmpeg::Error| CliError::new(format!("cannot make a clip: {error}"));
    make_clip(launcher, tools, request, &short).await.map_err(cannot)?;
    repeat_clip(launcher, tools, (&short, plan.repeats), &whole).await.map_err(cannot)?;
    std::fs::remove_file(short).map_err(|error| failed(&error))?;
    Ok(whole)
}

type Done = Result<(Step, Step), String>;

async fn combination(
    plan: &Plan,
    encoder: &Encoder,
    (size, users): (Resolution, u32),
    clip: &Path,
    memory: &Arc<Memory>,
    watcher: &Arc<dyn Watcher>,
) -> Result<Row, CliError> {
    let work = Arc::new(Work {
        program: plan.program.clone(),
        sharing: plan.sharing.clone(),
        threads: plan.threads,
        clip: clip.to_owned(),
        payload_bytes: u64::from(plan.frames()) * PAYLOAD_BYTES_A_FRAME,
    });
    let room = clip.parent().unwrap_or(Path::new("/"));
    let desks = tempfile::Builder::new().prefix("users-").tempdir_in(room);
    let desks = desks.map_err(|error| failed(&error))?;
    memory.take_all_bytes();
    let (begun, mut runs) = (Instant::now(), JoinSet::new());
    for user in 0..users {
        let (work, memory, watcher) = (Arc::clone(&work), Arc::clone(memory), Arc::clone(watcher));
        let folder = desks.path().join(user.to_string());
        let samples = plan.samples(size);
        runs.spawn(async move {
            let left = AtomicU64::new((HIDING + REVEALING) * samples);
            let did = |part| watcher.did(left.fetch_sub(part, Ordering::Relaxed).min(part));
            let done = hide_and_reveal(&work, &folder, &memory, |step| {
                did(samples * if step == Kind::Hide { HIDING } else { REVEALING });
            });
            let done = done.await;
            // One that failed has nothing left to do.
            watcher.did(left.load(Ordering::Relaxed));
            done
        });
    }
    let mut done: Vec<Done> = Vec::new();
    while let Some(run) = runs.join_next().await {
        done.push(run.unwrap_or_else(|error| Err(error.to_string())));
    }
    let size = Measured { size, frames: plan.frames(), begun, processors: encoder.processors };
    Ok(size.row(plan, &done, memory.take_all_bytes()))
}

/// What a combination was measured in.
struct Measured {
    size: Resolution,
    frames: u32,
    begun: Instant,
    processors: usize,
}

impl Measured {
    fn row(&self, plan: &Plan, done: &[Done], all_bytes: u64) -> Row {
        let size = self.size;
        let hides: Vec<Step> = done.iter().flatten().map(|(hide, _)| *hide).collect();
        let reveals: Vec<Step> = done.iter().flatten().map(|(_, reveal)| *reveal).collect();
        let frame = FrameSize::of_8_bit_420(size.width, size.height);
        let run = Resources::of_hiding(frame, plan.threads, self.processors);
        let hide = self.side(&hides, self.begun);
        // Revealing begins when the first is done with hiding.
        let first = hides.iter().map(|step| step.ended).min().unwrap_or(self.begun);
        let mut row = Row {
            resolution: size.name,
            width: size.width,
            height: size.height,
            users: u32::try_from(done.len()).unwrap_or(u32::MAX),
            carried: u32::try_from(hides.len()).unwrap_or(u32::MAX),
            frames: self.frames,
            payload_bytes: u64::from(self.frames) * PAYLOAD_BYTES_A_FRAME,
            hide,
            reveal: self.side(&reveals, first),
            all_bytes,
            own_bytes_max: own_bytes_max(frame, plan.threads),
            run_bytes_max: run.memory_bytes,
            all_bytes_max: plan.budget.memory_bytes,
            failures: done.iter().filter_map(|done| done.as_ref().err().cloned()).collect(),
        };
        let broken = row.broken_bounds();
        row.failures.extend(broken);
        row
    }

    fn side(&self, steps: &[Step], begun: Instant) -> Side {
        let longest = |of: &dyn Fn(&Step) -> Duration| {
            steps.iter().map(of).max().unwrap_or_default().as_secs_f64()
        };
        let median = |of: &dyn Fn(&Step) -> Duration| {
            let mut all: Vec<Duration> = steps.iter().map(of).collect();
            all.sort();
            all.get(all.len() / 2).copied().unwrap_or_default().as_secs_f64()
        };
        let most = |of: &dyn Fn(&Step) -> u64| steps.iter().map(of).max().unwrap_or(0);
        let ended = steps.iter().map(|step| step.ended).max().unwrap_or(begun);
        let began = steps.iter().map(|step| step.ended - step.took).min().unwrap_or(begun);
        let frames = f64::from(self.frames) * steps.len() as f64;
        Side {
            median_s: median(&|step| step.took),
            longest_s: longest(&|step| step.took),
            in_line_s: median(&|step| step.waited),
            frames_per_s: frames / (ended - began).as_secs_f64().max(0.001),
            own_bytes: most(&|step| step.peak.own_bytes),
            run_bytes: most(&|step| step.peak.run_bytes),
        }
    }
}

impl Row {
    /// The bounds that this row is beyond, in words.
    fn broken_bounds(&self) -> Vec<String> {
        let own = self.hide.own_bytes.max(self.reveal.own_bytes);
        let run = self.hide.run_bytes.max(self.reveal.run_bytes);
        let bounds = [
            ("a process of ours", own, self.own_bytes_max),
            ("a run with its FFmpegs", run, self.run_bytes_max),
            ("all runs together", self.all_bytes, self.all_bytes_max),
        ];
        let broken = bounds.into_iter().filter(|(_, found, most)| found > most);
        let mb = |bytes: u64| bytes.div_ceil(1_000_000);
        broken
            .map(|(what, found, most)| {
                format!("{what} had {} MB, and the bound is {} MB", mb(found), mb(most))
            })
            .collect()
    }
}
