//! Tracks that come by pipes, put into one MP4 file as they are.
//!
//! Owns: the run and its pipes. Refuses to know where tracks come from; each is fragmented MP4 of one track. Nothing is encoded.
//! The ends are for threads that block, one for each, since FFmpeg takes of each what it wants next.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use tokio::task::JoinHandle;

use crate::child::{Invocation, Launcher, file_url};
use crate::error::Error;
use crate::package::STALL_LIMIT;
use crate::probe::guard_args;
use crate::raw::{End, Run, new_pipe};
use crate::sandbox::{Confinement, Jail};
use crate::tools::Tools;

/// What a file may be longer than its tracks: its own head.
const ROOM_BYTES: u64 = 64 << 20;

/// FFmpeg without a decoder or encoder maps little.
const ADDRESS_SPACE_BYTES: u64 = 8 << 30;

/// A run that puts tracks into a file. Dropping it stops FFmpeg.
#[derive(Debug)]
pub struct Remuxing {
    ends: Vec<End>,
    verdict: JoinHandle<Result<(), Error>>,
}

impl Remuxing {
    /// Starts FFmpeg, inside the sandbox, with as many pipes as there are `tracks`. `out` is a file that is there and may be
    /// written; its content is replaced. `bytes` is how long the tracks are together.
    ///
    /// # Errors
    /// [`Error::Start`] when a pipe or the process can't be made.
    pub async fn start(
        launcher: &Launcher,
        tools: &Tools,
        tracks: usize,
        (out, bytes): (&Path, u64),
    ) -> Result<Self, Error> {
        let out = tokio::fs::canonicalize(out).await.map_err(Error::Read)?;
        let jail = Jail {
            read: Vec::new(),
            write: Some((out.clone(), bytes.saturating_add(ROOM_BYTES))),
            address_space_bytes: ADDRESS_SPACE_BYTES,
            cpu_seconds: None,
            landlock_optional: false,
        };
        let mut invocation = Invocation::new(&tools.ffmpeg, Confinement::Full(jail)).args([
            "-hide_banner",
            "-nostdin",
            "-nostats",
            "-y",
            "-loglevel",
            "level+error",
        ]);
        let (mut ends, mut maps) = (Vec::new(), Vec::new());
        for track in 0..tracks {
            let (theirs, ours) = new_pipe()?;
            let url = format!("pipe:{}", theirs.as_raw_fd());
            invocation =
                invocation.args(guard_args()).args(["-f", "mp4", "-i", &url]).inherit(theirs);
            maps.extend(["-map".to_owned(), format!("{track}:0")]);
            ends.push(End::new(ours));
        }
        let output = ["-c", "copy", "-map_metadata", "-1", "-fflags", "+bitexact", "-f", "mp4"];
        let encoder = invocation
            .args(maps.into_iter().map(OsString::from))
            .args(output)
            .args([file_url(&out)])
            .start(launcher)
            .await?;
        let flows = ends.iter().map(End::flow).collect();
        let run = Run { flows, written: File::open(&out).ok(), stall_limit: STALL_LIMIT };
        Ok(Self { ends, verdict: tokio::spawn(run.watch(None, Some(encoder))) })
    }

    /// Where the tracks go, once. A track ends when its end is dropped.
    pub fn take_ends(&mut self) -> Vec<End> {
        std::mem::take(&mut self.ends)
    }

    /// Waits for the end and tells whether it was a good one.
    ///
    /// # Errors
    /// [`Error::Failed`], [`Error::Stalled`], [`Error::Sandbox`].
    pub async fn finish(mut self) -> Result<(), Error> {
        self.ends.clear();
        (&mut self.verdict)
            .await
            .unwrap_or_else(|gone| Err(Error::Read(std::io::Error::other(gone))))
    }
}

impl Drop for Remuxing {
    fn drop(&mut self) {
        // The task owns the child, and a dropped child is stopped.
        self.verdict.abort();
    }
}
