//! One user: hides something of their own in a clip and reveals it, each as a process of this very program.
//!
//! Owns: command lines, times, and the proof that what comes out went in. Refuses to know: other users. Invariant: dropping the future ends
//! the process.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use veil_ffmpeg::sandbox::Confinement;
use veil_ffmpeg::{Invocation, Launcher};

use super::memory::{Memory, Peak};

/// An answer is a line; more is not read.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// How long a process may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(3);

/// What our processes need of the environment.
const VARIABLES: [&str; 5] = ["PATH", "VEILCAST_FFMPEG", "TMPDIR", "HOME", "XDG_CONFIG_HOME"];

/// What all users of a combination do alike.
#[derive(Debug)]
pub(crate) struct Work {
    /// This program.
    pub(crate) program: PathBuf,
    /// What hides and reveals share, as arguments.
    pub(crate) sharing: Vec<OsString>,
    /// Threads of a run that hides.
    pub(crate) threads: usize,
    /// The clip.
    pub(crate) clip: PathBuf,
    /// Bytes that each user hides.
    pub(crate) payload_bytes: u64,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hide,
    Reveal,
}

/// How a process went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// From its start to its end.
    pub(crate) took: Duration,
    /// What of that it waited for its turn.
    pub(crate) waited: Duration,
    /// When it ended.
    pub(crate) ended: Instant,
    pub(crate) peak: Peak,
}

/// Hides and reveals in `folder`, which is the user's own; says why it failed, if it did.
pub(crate) async fn hide_and_reveal(
    work: &Work,
    folder: &Path,
    memory: &Memory,
    is_done: impl Fn(Kind),
) -> Result<(Step, Step), String> {
    let (payload, key) = (folder.join("payload"), folder.join("key"));
    prepare(folder, work.payload_bytes).map_err(|error| format!("preparing: {error}"))?;
    let (out, found) = (folder.join("out.mkv"), folder.join("found"));
    let mut hide: Vec<OsString> =
        ["--json", "hide", "--max-rate", "0.4", "--carrier"].map(OsString::from).into();
    hide.extend([work.clip.clone().into(), "--payload".into(), payload.clone().into()]);
    hide.extend(["--key".into(), key.clone().into(), "-o".into(), out.clone().into()]);
    hide.extend(["--threads".into(), work.threads.to_string().into()]);
    let hidden = run(work, hide, memory).await.map_err(|why| format!("hiding: {why}"))?;
    is_done(Kind::Hide);
    let mut reveal: Vec<OsString> = ["--json", "reveal"].map(OsString::from).into();
    reveal.extend([out.into(), "--key".into(), key.into(), "-o".into(), found.clone().into()]);
    let revealed = run(work, reveal, memory).await.map_err(|why| format!("revealing: {why}"))?;
    is_done(Kind::Reveal);
    let same = tokio::task::spawn_blocking(move || is_same(&payload, &found.join("payload")));
    match same.await {
        Ok(Ok(true)) => Ok((hidden, revealed)),
        Ok(Ok(false)) => Err("what was revealed is not what was hidden".to_owned()),
        Ok(Err(error)) => Err(format!("comparing: {error}")),
        Err(error) => Err(format!("comparing: {error}")),
    }
}

/// Writes what is hidden, and a key.
fn prepare(folder: &Path, payload_bytes: u64) -> io::Result<()> {
    fs::create_dir(folder)?;
    let mut payload = File::create_new(folder.join("payload"))?;
    let mut random = vec![0; 1 << 16];
    let mut left = payload_bytes;
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(random.len());
        getrandom::fill(&mut random[..count]).map_err(io::Error::other)?;
        payload.write_all(&random[..count])?;
        left -= count as u64;
    }
    let mut key = File::create_new(folder.join("key"))?;
    key.set_permissions(Permissions::from_mode(0o600))?;
    getrandom::fill(&mut random[..32]).map_err(io::Error::other)?;
    key.write_all(&random[..32])
}

async fn run(work: &Work, args: Vec<OsString>, memory: &Memory) -> Result<Step, String> {
    let mut command = Invocation::new(&work.program, Confinement::DeathSignalOnly)
        .args(args)
        .args(&work.sharing)
        .stdout_piped()
        .grace(GRACE);
    for (name, value) in VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))) {
        command = command.env(name, value);
    }
    let begun = Instant::now();
    let started = command.start(&Launcher::default()).await;
    let mut child = started.map_err(|error| error.to_string())?;
    let pid = child.pid().ok_or("it ended before it began")?;
    memory.follow(pid);
    let mut answer = Vec::new();
    if let Some(stdout) = child.take_stdout() {
        let read = stdout.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await;
        read.map_err(|error| error.to_string())?;
    }
    let exit = child.wait().await.map_err(|error| error.to_string())?;
    let (ended, peak) = (Instant::now(), memory.leave(pid));
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    if !exit.status.success() {
        let why = answer["error"].as_str().map_or(exit.stderr, str::to_owned);
        return Err(format!("{why} ({})", exit.status));
    }
    let waited = Duration::from_millis(answer["waited_ms"].as_u64().unwrap_or(0));
    Ok(Step { took: ended - begun, waited, ended, peak })
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let mut left = one.metadata()?.len();
    if other.metadata()?.len() != left {
        return Ok(false);
    }
    let (mut mine, mut theirs) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(mine.len());
        one.read_exact(&mut mine[..count])?;
        other.read_exact(&mut theirs[..count])?;
        if mine[..count] != theirs[..count] {
            return Ok(false);
        }
        left -= count as u64;
    }
    Ok(true)
}
