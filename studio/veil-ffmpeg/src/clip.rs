//! Clips that nobody filmed, for measuring what real ones would cost.
//!
//! Owns: what is in their pictures, and how they are made longer without being encoded again. Refuses to know: what they are for.
//! Invariant: a clip depends on its request and on the version of FFmpeg alone, and needs no file but the one that it is written to.

use std::ffi::OsString;
use std::path::Path;

use crate::child::{Invocation, Launcher, file_url};
use crate::error::Error;
use crate::raw::ENCODING;
use crate::sandbox::{Confinement, Jail};
use crate::tools::Tools;

/// Frames a second of every clip.
pub const CLIP_RATE: u32 = 25;

/// No encoder maps more for a picture that is made here.
const ADDRESS_SPACE_BYTES: u64 = 24 << 30;

/// What a clip is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClipRequest {
    /// Pixels in a row, even.
    pub width: u32,
    /// Rows, even.
    pub height: u32,
    /// Frames.
    pub frames: u32,
}

impl ClipRequest {
    /// The most bytes that its file may have: a raw frame for each.
    fn bytes_max(self) -> u64 {
        u64::from(self.width) * u64::from(self.height) * 3 / 2 * u64::from(self.frames) + (1 << 20)
    }
}

/// Makes a clip with picture alone in `out`, a file that is there: H.264 in Matroska, as a camera's would be after its first encoding. What
/// moves has edges, gradients and grain, so that no frame is flat.
///
/// # Errors
/// [`Error::Failed`], [`Error::Start`], [`Error::Sandbox`].
pub async fn make_clip(
    launcher: &Launcher,
    tools: &Tools,
    request: ClipRequest,
    out: &Path,
) -> Result<(), Error> {
    let ClipRequest { width, height, frames } = request;
    let picture = format!(
        "testsrc2=s={width}x{height}:r={CLIP_RATE},noise=alls=10:allf=t+u:all_seed=7,boxblur=1:1,format=yuv420p"
    );
    let args = ["-f", "lavfi", "-i", &picture, "-frames:v", &frames.to_string()];
    let encoder = ["-c:v", "libx264", "-preset", "superfast", "-crf", "22", "-f", "matroska"];
    let args = args.into_iter().chain(encoder).map(OsString::from);
    run(launcher, tools, (args.collect(), None), (out, request.bytes_max())).await
}

/// Writes `clip` into `out`, a file that is there, so many times one after the other, without encoding it again.
///
/// # Errors
/// As [`make_clip`].
pub async fn repeat_clip(
    launcher: &Launcher,
    tools: &Tools,
    (clip, times): (&Path, u32),
    out: &Path,
) -> Result<(), Error> {
    let clip = tokio::fs::canonicalize(clip).await.map_err(Error::Read)?;
    let length = tokio::fs::metadata(&clip).await.map_err(Error::Read)?.len();
    let again = times.saturating_sub(1).to_string();
    let mut args: Vec<OsString> = ["-stream_loop", &again, "-i"].map(OsString::from).into();
    args.push(file_url(&clip));
    args.extend(["-c", "copy", "-f", "matroska"].map(OsString::from));
    let bytes_max = length.saturating_mul(u64::from(times.max(1)) + 1) + (1 << 20);
    run(launcher, tools, (args, Some(&clip)), (out, bytes_max)).await
}

async fn run(
    launcher: &Launcher,
    tools: &Tools,
    (args, source): (Vec<OsString>, Option<&Path>),
    (out, bytes_max): (&Path, u64),
) -> Result<(), Error> {
    let out = tokio::fs::canonicalize(out).await.map_err(Error::Read)?;
    let jail = Jail {
        read: source.into_iter().map(Path::to_owned).collect(),
        write: Some((out.clone(), bytes_max)),
        address_space_bytes: ADDRESS_SPACE_BYTES,
        cpu_seconds: None,
        landlock_optional: false,
    };
    let quiet = ["-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", "level+error"];
    let mut child = Invocation::new(&tools.ffmpeg, Confinement::Full(jail))
        .args(quiet)
        .args(args)
        .args([file_url(&out)])
        .start(launcher)
        .await?;
    let exit = child.wait().await?;
    if exit.status.success() {
        return Ok(());
    }
    Err(Error::Failed { step: ENCODING, stderr: exit.stderr })
}
