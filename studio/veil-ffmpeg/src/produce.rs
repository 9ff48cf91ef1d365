//! Making a video out of parts: scenes, sound, and both joined.
//!
//! Owns: how such a run is started, watched and judged (`Job`); [`scene`] makes the pictures, [`sound`] what is heard, [`join`] the file, and
//! [`speak`] has text spoken. Refuses to know: stories, captions' texts, caches. Every run writes one file, which is there before.
//!
//! Invariants: arguments are numbers, names of ours and paths; text comes by files alone. What is written is bounded.

pub mod join;
pub mod scene;
pub mod sound;
pub mod speak;
pub mod still;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::child::{Invocation, Launcher, file_url};
use crate::error::Error;
use crate::lines::each_line;
use crate::package::STALL_LIMIT;
use crate::progress::{Progress, Report};
use crate::raw::judge;
use crate::sandbox::{Confinement, Jail};
use crate::tools::Tools;

/// Address space of a run, most of it untouched.
const ADDRESS_SPACE_BYTES: u64 = 16 << 30;

/// How often a run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Where fontconfig finds which fonts there are; the fonts of the system lie below `/usr`.
const FONTS: [&str; 2] = ["/etc/fonts", "/var/cache/fontconfig"];

/// A run of FFmpeg that writes one file.
pub(crate) struct Job<'j> {
    /// What errors call it.
    pub(crate) step: &'static str,
    /// Everything between the global flags and the output.
    pub(crate) args: Vec<OsString>,
    /// What it reads.
    pub(crate) read: Vec<PathBuf>,
    /// Where relative names begin.
    pub(crate) folder: Option<&'j Path>,
    /// It writes text on pictures.
    pub(crate) fonts: bool,
    /// The file that it writes, which is there.
    pub(crate) out: &'j Path,
    /// The most bytes that the file may have.
    pub(crate) bytes_max: u64,
}

impl Job<'_> {
    /// Runs it to its end; progress comes by the channel, whose last value stays.
    pub(crate) async fn run(
        self,
        launcher: &Launcher,
        tools: &Tools,
        progress: &watch::Sender<Progress>,
    ) -> Result<(), Error> {
        let out = tokio::fs::canonicalize(self.out).await.map_err(Error::Read)?;
        let mut read = self.read;
        // A second pass puts the index in front of what was written.
        read.push(out.clone());
        if self.fonts {
            read.extend(FONTS.map(PathBuf::from));
        }
        let jail = Jail {
            read,
            write: Some((out.clone(), self.bytes_max)),
            address_space_bytes: ADDRESS_SPACE_BYTES,
            cpu_seconds: None,
            landlock_optional: false,
        };
        let start = ["-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", "level+error"];
        let report = ["-progress", "pipe:1", "-stats_period", "0.5"];
        let mut invocation = Invocation::new(&tools.ffmpeg, Confinement::Full(jail))
            .args(start)
            .args(report)
            .args(self.args)
            .args([file_url(&out)])
            .stdout_piped();
        if let Some(folder) = self.folder {
            invocation = invocation.current_dir(folder);
        }
        let mut child = invocation.start(launcher).await?;
        let stdout = child.take_stdout();
        let follow = async {
            let mut report = Report::default();
            let take = |line: &str| {
                if let Some(now) = report.line(line) {
                    progress.send_replace(now);
                }
            };
            if let Some(stdout) = stdout {
                // What can't be read of it is a bar that stands still.
                let _ = each_line(stdout, take).await;
            }
        };
        let wait = async {
            let look =
                || (*progress.borrow(), std::fs::metadata(&out).map_or(0, |file| file.len()));
            let (mut seen, mut since) = (look(), Instant::now());
            loop {
                tokio::select! {
                    exit = child.wait() => return judge(self.step, exit?),
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
                let now = look();
                if now != seen {
                    (seen, since) = (now, Instant::now());
                } else if since.elapsed() >= STALL_LIMIT {
                    return Err(Error::Stalled { step: self.step, after: STALL_LIMIT });
                }
            }
        };
        let (verdict, ()) = tokio::join!(wait, follow);
        verdict
    }
}

/// Words of ours as arguments.
pub(crate) fn words<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Vec<OsString> {
    words.into_iter().map(|word| word.as_ref().to_owned()).collect()
}
