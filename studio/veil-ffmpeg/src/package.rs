//! A packaging run: one FFmpeg process, one decode, a pipe for every output.
//!
//! Owns: the run from start to verdict, its progress and its stall rule. Refuses to know: boxes,
//! sealing, storage. Nothing is written to a disk.
//!
//! Invariant: a run that did not end well says so in [`Packaging::finish`], whatever its pipes gave;
//! until `finish` has said yes, nothing of what was read may be published.

mod marked;

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::ChildStdout;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::child::{Child, Exit, Invocation, Launcher};
use crate::error::Error;
use crate::lines::each_line;
use crate::pipe::{Flow, Outlet, pipe};
use crate::plan::{self, Plan, Role};
use crate::probe::SourceInfo;
use crate::progress::{Progress, Report};
use crate::sandbox::{Confinement, Jail};
use crate::tools::Tools;

/// What errors call the run.
const STEP: &str = "packaging";

/// How long a run may stand still, though every reader waits for it.
pub const STALL_LIMIT: Duration = Duration::from_secs(60);

/// How often the run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Address space of a run: an 8K source with five encoders maps some 8 GiB, most of it untouched.
const ADDRESS_SPACE_BYTES: u64 = 24 << 30;

/// A packaging run. Dropping it stops FFmpeg.
#[derive(Debug)]
pub struct Packaging {
    outputs: Vec<Output>,
    progress: watch::Receiver<Progress>,
    verdict: JoinHandle<Result<Summary, Error>>,
}

/// How a run ended well.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Where it ended.
    pub progress: Progress,
    /// What FFmpeg complained about, if it did: damaged frames that were left out.
    pub complaints: String,
}

/// One output of a run: bytes as FFmpeg makes them. All outputs must be read at the same time, or
/// the one that is not read holds up the others.
#[derive(Debug)]
pub struct Output {
    /// What it carries.
    pub role: Role,
    outlet: Outlet,
}

impl AsyncRead for Output {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.outlet).poll_read(context, buffer)
    }
}

impl Packaging {
    /// Starts FFmpeg on `source`, inside the sandbox.
    ///
    /// # Errors
    /// [`Error::Start`] when a pipe or the process cannot be made.
    pub async fn start(
        launcher: &Launcher,
        tools: &Tools,
        source: &SourceInfo,
        plan: &Plan,
    ) -> Result<Self, Error> {
        Self::start_with(launcher, tools, source, plan, STALL_LIMIT).await
    }

    /// As [`Packaging::start`], with another patience than [`STALL_LIMIT`].
    ///
    /// # Errors
    /// As [`Packaging::start`].
    pub async fn start_with(
        launcher: &Launcher,
        tools: &Tools,
        source: &SourceInfo,
        plan: &Plan,
        stall_limit: Duration,
    ) -> Result<Self, Error> {
        let arguments = |urls: &[String]| plan::arguments(plan, source, tools, urls);
        let start = Start {
            roles: plan.roles(),
            reads: Some(&source.path),
            frames: None,
            has_picture: !plan.rungs.is_empty(),
            stall_limit,
        };
        start.run(launcher, tools, arguments).await
    }

    /// The outputs, once; read all of them at the same time.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// The latest progress; FFmpeg reports twice a second.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Waits for the end and tells whether it was a good one.
    ///
    /// # Errors
    /// [`Error::Failed`] with FFmpeg's last errors, also when nothing could be decoded;
    /// [`Error::Stalled`]; [`Error::Sandbox`]. A sound track in which nothing can be decoded beside
    /// a picture is no error: its output has no samples.
    pub async fn finish(mut self) -> Result<Summary, Error> {
        // Outputs that nobody took would never be read.
        self.outputs.clear();
        let verdict = (&mut self.verdict).await;
        verdict.unwrap_or_else(|gone| Err(Error::Read(std::io::Error::other(gone))))
    }
}

impl Drop for Packaging {
    fn drop(&mut self) {
        // The task owns the child, and a dropped child is stopped.
        self.verdict.abort();
    }
}

/// What a run begins with, beside its arguments.
struct Start<'s> {
    roles: Vec<Role>,
    /// The file that it reads.
    reads: Option<&'s Path>,
    /// Its end of a pipe of frames, and what is known of ours.
    frames: Option<(OwnedFd, Arc<Flow>)>,
    has_picture: bool,
    stall_limit: Duration,
}

impl Start<'_> {
    /// Makes a pipe for each role and starts FFmpeg with the arguments for those.
    async fn run(
        self,
        launcher: &Launcher,
        tools: &Tools,
        arguments: impl FnOnce(&[String]) -> Vec<OsString>,
    ) -> Result<Packaging, Error> {
        let (mut inlets, mut outputs) = (Vec::new(), Vec::new());
        for role in self.roles {
            let (inlet, outlet) = pipe()?;
            inlets.push(inlet);
            outputs.push(Output { role, outlet });
        }
        let urls: Vec<String> = inlets.iter().map(crate::pipe::Inlet::url).collect();
        let jail = Jail {
            read: self.reads.map(Path::to_owned).into_iter().collect(),
            write: None,
            address_space_bytes: ADDRESS_SPACE_BYTES,
            cpu_seconds: None,
            landlock_optional: false,
        };
        let mut invocation = Invocation::new(&tools.ffmpeg, Confinement::Full(jail))
            .args(arguments(&urls))
            .stdout_piped();
        for inlet in inlets {
            invocation = invocation.inherit(inlet.into_descriptor());
        }
        let mut flows: Vec<_> = outputs.iter().map(|output| output.outlet.flow()).collect();
        if let Some((theirs, flow)) = self.frames {
            invocation = invocation.inherit(theirs);
            flows.push(flow);
        }
        let mut child = invocation.start(launcher).await?;
        let (sender, progress) = watch::channel(Progress::default());
        let follower = child.take_stdout().map(|stdout| tokio::spawn(follow(stdout, sender)));
        let run = Run {
            flows,
            has_picture: self.has_picture,
            progress: progress.clone(),
            follower,
            stall_limit: self.stall_limit,
        };
        let verdict = tokio::spawn(run.watch(child));
        Ok(Packaging { outputs, progress, verdict })
    }
}

async fn follow(stdout: ChildStdout, sender: watch::Sender<Progress>) {
    let mut report = Report::default();
    let take = |line: &str| {
        if let Some(progress) = report.line(line) {
            sender.send_replace(progress);
        }
    };
    if let Err(error) = each_line(stdout, take).await {
        tracing::debug!(%error, "FFmpeg's progress cannot be read");
    }
}

/// What is watched while FFmpeg runs.
struct Run {
    flows: Vec<Arc<Flow>>,
    has_picture: bool,
    progress: watch::Receiver<Progress>,
    /// The reader of the progress; ends with FFmpeg.
    follower: Option<JoinHandle<()>>,
    stall_limit: Duration,
}

impl Run {
    async fn watch(self, mut child: Child) -> Result<Summary, Error> {
        let mut seen = self.signs_of_life();
        let mut since = Instant::now();
        loop {
            tokio::select! {
                exit = child.wait() => return self.judge(exit?).await,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = self.signs_of_life();
            // An output that is not being read holds FFmpeg up: its reader is slow, not FFmpeg.
            if now != seen || !self.flows.iter().all(|flow| flow.is_hungry()) {
                (seen, since) = (now, Instant::now());
            } else if since.elapsed() >= self.stall_limit {
                child.stop().await?;
                return Err(Error::Stalled { step: STEP, after: self.stall_limit });
            }
        }
    }

    /// Changes whenever FFmpeg gets any further.
    fn signs_of_life(&self) -> (u64, u64, u64) {
        let progress = *self.progress.borrow();
        let bytes = self.flows.iter().map(|flow| flow.bytes()).sum();
        (progress.frames, progress.position_us, bytes)
    }

    async fn judge(self, exit: Exit) -> Result<Summary, Error> {
        if let Some(follower) = self.follower {
            // Its last report comes before the end of the process, but may still be on its way.
            let _ = follower.await;
        }
        let progress = *self.progress.borrow();
        let nothing =
            if self.has_picture { progress.frames == 0 } else { progress.position_us == 0 };
        if exit.status.success() && !nothing {
            return Ok(Summary { progress, complaints: exit.stderr });
        }
        let mut stderr = exit.stderr;
        if stderr.is_empty() {
            stderr = if nothing && exit.status.success() {
                "nothing in the file could be decoded".to_owned()
            } else {
                format!("FFmpeg ended with {}", exit.status)
            };
        }
        Err(Error::Failed { step: STEP, stderr })
    }
}
