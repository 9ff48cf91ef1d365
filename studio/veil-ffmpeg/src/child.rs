//! A child process from its start to its end.
//!
//! Owns: what a child inherits (nothing but what it is given), its death (TERM, then KILL, always
//! reaped) and the end of its standard error. Refuses to know: what the child does.
//!
//! Invariant: dropping a [`Child`] stops the process; no path leaves one behind.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::ChildStdout;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::sandbox::{self, Confinement};
use crate::stderr::Tail;
use crate::supervisor;
use crate::witness::{self, Witness};

/// How long a child of ours may take to end by itself after TERM. FFmpeg that blocks on a pipe
/// never hears of it, and nothing of a cancelled run is kept.
const FFMPEG_GRACE: Duration = Duration::from_millis(400);

/// How long standard error may stay open after the child's end, held by a child of its own.
const STDERR_GRACE: Duration = Duration::from_millis(500);

/// Starts children through the sandbox helper.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// A binary whose `main` begins with [`sandbox::enter_if_asked`].
    pub helper: PathBuf,
    /// Go without Landlock where the kernel has none.
    pub landlock_optional: bool,
    /// Who is told of every child.
    pub witness: Option<Arc<dyn Witness>>,
}

impl Default for Launcher {
    /// This very binary, even when its file was replaced by an upgrade meanwhile.
    fn default() -> Self {
        Self { helper: "/proc/self/exe".into(), landlock_optional: false, witness: None }
    }
}

/// A program to start, with all that it gets.
#[derive(Debug)]
pub struct Invocation {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    confinement: Confinement,
    inherited: Vec<OwnedFd>,
    folder: PathBuf,
    stdout: Stdio,
    stderr_inherited: bool,
    grace: Duration,
}

impl Invocation {
    /// `program` (an absolute path) with an empty environment and no standard streams.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, confinement: Confinement) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            confinement,
            inherited: Vec::new(),
            folder: "/".into(),
            stdout: Stdio::null(),
            stderr_inherited: false,
            grace: FFMPEG_GRACE,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((key.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Lets the child keep `descriptor` under its number; ours is closed after the start.
    #[must_use]
    pub fn inherit(mut self, descriptor: OwnedFd) -> Self {
        self.inherited.push(descriptor);
        self
    }

    /// Where relative names begin for the child; the root where nothing is said.
    #[must_use]
    pub fn current_dir(mut self, folder: &Path) -> Self {
        self.folder = folder.to_owned();
        self
    }

    /// Pipes standard output to [`Child::take_stdout`].
    #[must_use]
    pub fn stdout_piped(mut self) -> Self {
        self.stdout = Stdio::piped();
        self
    }

    /// Lets standard output and error go where ours go, for a service with a log of its own.
    #[must_use]
    pub fn streams_inherited(mut self) -> Self {
        self.stdout = Stdio::inherit();
        self.stderr_inherited = true;
        self
    }

    /// How long the child may take to end by itself after TERM.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Starts the program.
    ///
    /// # Errors
    /// [`Error::Start`] when the helper cannot be started. What fails after that, the lock-in
    /// included, shows in [`Child::wait`].
    pub async fn start(self, launcher: &Launcher) -> Result<Child, Error> {
        let confinement = match self.confinement {
            Confinement::Full(mut jail) => {
                jail.landlock_optional |= launcher.landlock_optional;
                Confinement::Full(jail)
            }
            other => other,
        };
        let parent = std::process::id();
        let told = launcher.witness.clone().map(|witness| {
            let words = std::iter::once(self.program.as_os_str());
            let line = witness::line(words.chain(self.args.iter().map(OsString::as_os_str)));
            (witness, line)
        });
        let stderr = if self.stderr_inherited { Stdio::inherit() } else { Stdio::piped() };
        let mut command = Command::new(&launcher.helper);
        command
            .args(sandbox::arguments(&confinement, parent, self.program.as_os_str()))
            .args(self.args)
            .env_clear()
            .envs(self.env)
            .current_dir(self.folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(self.stdout)
            .stderr(stderr);
        let started = supervisor::spawn(command, self.inherited).await;
        let child = started.map_err(|source| Error::Start { what: "a process", source })?;
        let witness = told.map(|(witness, line)| {
            witness.started(child.id(), &line);
            witness
        });
        Ok(Child::watch(child, self.grace, witness))
    }
}

/// A running child. Dropping it stops the process; the reaping goes on in the background.
#[derive(Debug)]
pub struct Child {
    pid: Option<u32>,
    stdout: Option<ChildStdout>,
    tail: Arc<Mutex<Tail>>,
    /// Dropped with the child: that is the order to stop.
    stop: Option<oneshot::Sender<()>>,
    /// `None` once its answer was given.
    watcher: Option<JoinHandle<std::io::Result<ExitStatus>>>,
}

/// How a child ended.
#[derive(Debug)]
pub struct Exit {
    /// Its status.
    pub status: ExitStatus,
    /// The lines of its standard error that explain a failure.
    pub stderr: String,
}

impl Child {
    fn watch(
        mut child: tokio::process::Child,
        grace: Duration,
        witness: Option<Arc<dyn Witness>>,
    ) -> Self {
        let tail = Arc::new(Mutex::new(Tail::default()));
        let (stop, stopped) = oneshot::channel();
        let (pid, stdout, stderr) = (child.id(), child.stdout.take(), child.stderr.take());
        let (kept, seen) = (Arc::clone(&tail), Arc::clone(&tail));
        let watcher = tokio::spawn(async move {
            let reader = stderr.map(|stderr| tokio::spawn(keep_tail(stderr, kept)));
            let (status, ours) = tokio::select! {
                status = child.wait() => (status, false),
                _ = stopped => (end(&mut child, grace).await, true),
            };
            if let Some(reader) = reader {
                let _ = tokio::time::timeout(STDERR_GRACE, reader).await;
            }
            if let Some(witness) = witness {
                let last = seen.lock().unwrap_or_else(PoisonError::into_inner).last();
                witness.ended(pid, status.as_ref().ok().copied(), ours, &last);
            }
            status
        });
        Self { pid, stdout, tail, stop: Some(stop), watcher: Some(watcher) }
    }

    /// The process id, as long as it has not been reaped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// The child's standard output, once, if it was piped.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.stdout.take()
    }

    /// Waits for the end. May be cancelled and called again, until it has answered.
    ///
    /// # Errors
    /// [`Error::Sandbox`] when the program never began, [`Error::Read`] when waiting fails.
    pub async fn wait(&mut self) -> Result<Exit, Error> {
        let answered = || Error::Read(std::io::Error::other("the child was waited for already"));
        let joined = self.watcher.as_mut().ok_or_else(answered)?.await;
        (self.watcher, self.pid) = (None, None);
        let status = joined.map_err(std::io::Error::other).and_then(|status| status);
        let status = status.map_err(Error::Read)?;
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if status.code() == Some(sandbox::HELPER_FAILED)
            && let Some(reason) = tail.line_after(sandbox::HELPER_PREFIX)
        {
            return Err(Error::Sandbox(reason));
        }
        Ok(Exit { status, stderr: tail.told() })
    }

    /// Stops the process and waits until it is reaped.
    ///
    /// # Errors
    /// As [`Child::wait`].
    pub async fn stop(mut self) -> Result<Exit, Error> {
        self.stop = None;
        self.wait().await
    }
}

/// TERM to the group, KILL after the grace; returns when the child is reaped.
async fn end(child: &mut tokio::process::Child, grace: Duration) -> std::io::Result<ExitStatus> {
    // The child is not reaped yet, so that its number cannot be another process's.
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let signal = |signal| group.map(|group| rustix::process::kill_process_group(group, signal));
    signal(Signal::TERM);
    if let Ok(status) = tokio::time::timeout(grace, child.wait()).await {
        return status;
    }
    signal(Signal::KILL);
    child.wait().await
}

async fn keep_tail(mut stderr: impl AsyncRead + Unpin, tail: Arc<Mutex<Tail>>) {
    let mut buffer = vec![0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        let bytes = buffer.get(..count).unwrap_or_default();
        tail.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

/// What a short step may take and write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) step: &'static str,
    pub(crate) time: Duration,
    pub(crate) output_bytes: usize,
}

/// Runs a short step to its end and returns all of its standard output.
pub(crate) async fn collect(
    launcher: &Launcher,
    invocation: Invocation,
    bounds: Bounds,
) -> Result<(Vec<u8>, Exit), Error> {
    let mut child = invocation.stdout_piped().start(launcher).await?;
    let stdout = child.take_stdout();
    let run = async {
        let mut output = Vec::new();
        if let Some(stdout) = stdout {
            let limit = bounds.output_bytes as u64 + 1;
            stdout.take(limit).read_to_end(&mut output).await.map_err(Error::Read)?;
        }
        if output.len() > bounds.output_bytes {
            let limit_bytes = bounds.output_bytes;
            return Err(Error::TooMuchOutput { step: bounds.step, limit_bytes });
        }
        Ok((output, child.wait().await?))
    };
    let timed = tokio::time::timeout(bounds.time, run).await;
    timed.unwrap_or(Err(Error::TimedOut { step: bounds.step, limit: bounds.time }))
}

/// `file:` before the path, so that a name with a colon or a leading dash is a name.
pub(crate) fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}
