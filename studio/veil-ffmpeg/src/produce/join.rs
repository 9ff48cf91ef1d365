//! Pieces of the picture one after another, and the sound under them, as one file.
//!
//! Owns: the list that FFmpeg reads. Refuses to know: what they show. Nothing is encoded again; the index comes first, so that a
//! player begins before it has everything.

use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::{Job, words};
use crate::child::{Launcher, file_url};
use crate::error::Error;
use crate::progress::Progress;
use crate::tools::Tools;

/// What errors call the step.
const STEP: &str = "joining the scenes";

/// The name of the list in the folder.
const LIST: &str = "pieces.txt";

/// Room beside what is joined: an index.
const ROOM_BYTES: u64 = 64 << 20;

/// The name that a piece of the picture, counted from 0, has in the folder.
#[must_use]
pub fn piece_name(number: usize) -> String {
    format!("piece-{number:05}.mp4")
}

/// Joins the first `count` pieces in `folder`, named by [`piece_name`], with `sound` into `out`, a file that is there.
///
/// # Errors
/// [`Error::Failed`], [`Error::Stalled`], [`Error::Start`], [`Error::Sandbox`]; [`Error::Read`] where the list can't be written.
pub async fn join(
    launcher: &Launcher,
    tools: &Tools,
    (folder, count): (&Path, usize),
    sound: &Path,
    out: &Path,
) -> Result<(), Error> {
    let folder = tokio::fs::canonicalize(folder).await.map_err(Error::Read)?;
    let sound = tokio::fs::canonicalize(sound).await.map_err(Error::Read)?;
    let names: Vec<String> = (0..count).map(piece_name).collect();
    let list: String = names.iter().map(|name| format!("file '{name}'\n")).collect();
    let list_path = folder.join(LIST);
    tokio::fs::write(&list_path, format!("ffconcat version 1.0\n{list}"))
        .await
        .map_err(Error::Read)?;
    let mut read: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    read.extend([list_path, sound.clone()]);
    let mut bytes = ROOM_BYTES;
    for path in &read {
        bytes += tokio::fs::metadata(path).await.map_err(Error::Read)?.len();
    }
    let mut args = words(["-protocol_whitelist", "file,pipe", "-f", "concat", "-safe", "1"]);
    args.extend(words(["-i", LIST, "-protocol_whitelist", "file,pipe", "-f", "mp4", "-i"]));
    args.push(file_url(&sound));
    args.extend(words(["-map", "0:v:0", "-map", "1:a:0", "-c", "copy", "-map_metadata", "-1"]));
    args.extend(words(["-movflags", "+faststart", "-f", "mp4"]));
    #[rustfmt::skip]
    let job = Job {
        step: STEP, args, read, folder: Some(&folder), fonts: false, out, bytes_max: bytes,
    };
    job.run(launcher, tools, &watch::Sender::new(Progress::default())).await
}
