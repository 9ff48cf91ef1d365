//! Revealing, from the video to the files.
//!
//! Owns: the order of the steps, and when decoding ends. Refuses to know: where keys come from. Invariant: as the folder's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::watch;
use veil_ffmpeg::carrier::Carrier;
use veil_ffmpeg::raw::{Decoding, End};
use veil_stego::Picture;

use super::hiding::{blocking, watched};
use super::read::Search;
use super::unpack::{self, Opened};
use super::{HideError, HideProgress, RevealKeys, plan};
use crate::pipeline::Encoder;
use crate::turns::Resources;

/// What was revealed.
#[derive(Clone, Debug)]
pub struct Revealed {
    /// The files and folders.
    pub paths: Vec<PathBuf>,
}

/// Reveals what is hidden in `video` into `folder`, which is made if it isn't there. Decoding stops when the message is complete.
///
/// # Errors
/// [`HideError`]; nothing is left in the folder then.
pub async fn reveal(
    encoder: &Encoder,
    video: &Path,
    keys: RevealKeys,
    folder: &Path,
    progress: &watch::Sender<HideProgress>,
) -> Result<Revealed, HideError> {
    progress.send_replace(HideProgress { step: "reading", ..HideProgress::default() });
    let Encoder { launcher, tools, .. } = encoder;
    let carrier = Carrier::inspect(launcher, tools, video).await?;
    let picture = plan::picture(&carrier)?;
    progress.send_replace(HideProgress { step: "waiting", ..HideProgress::default() });
    let cost = Resources::of_revealing((&carrier).into(), encoder.processors);
    let _turn = encoder.turn(cost).await?;
    let mut decoding = Decoding::start(launcher, tools, &carrier).await?;
    let from = decoding.take_frames().ok_or(HideError::Thread)?;
    let done = Arc::new(AtomicU64::new(0));
    let (counted, shape) = (Arc::clone(&done), (picture, carrier.frame_bytes()));
    let work = blocking(move || search(from, shape, &keys, &counted));
    let opened = watched("revealing", progress, &done, carrier.packet_count, work).await?;
    let Some(opened) = opened else {
        decoding.finish().await?;
        return Err(HideError::Nothing);
    };
    drop(decoding);
    let folder = folder.to_owned();
    let paths = blocking(move || opened.unpack(&folder)).await?;
    Ok(Revealed { paths })
}

fn search(
    from: End,
    shape: (Picture, u64),
    keys: &RevealKeys,
    done: &AtomicU64,
) -> Result<Option<Opened>, HideError> {
    let mut search = Search::new(from, shape, &keys.finder, done);
    let message = search.message()?;
    let opened = unpack::open(message, keys);
    if opened.is_none() {
        search.drain();
    }
    Ok(opened)
}
