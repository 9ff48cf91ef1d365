//! Revealing, from the video to the files.
//!
//! Owns: the order of the steps, and when decoding ends. Refuses to know: where keys come from. Invariant: as the folder's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;
use veil_ffmpeg::carrier::Carrier;
use veil_ffmpeg::raw::{Decoding, End};
use veil_stego::robust::{Finding, Lock};
use veil_stego::{Picture, StructuralKey};

use super::hiding::{blocking, watched};
use super::read::Search;
use super::robust::read::{Found, Heard, front_key};
use super::robust::run::hear;
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

/// What the first run through a video came to.
enum First {
    /// A lossless message.
    Opened(Box<Opened>),
    /// None; where else one would be, whether that is sure, and whether a message was found that didn't open.
    Failed { elsewhere: Lock, sure: bool, tried: bool },
}

/// Reveals what is hidden in `video` into `folder`, which is made if it isn't there. Decoding stops when a lossless message is complete; a message
/// in slots takes two runs, the first until it is sure where it is.
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
    let carrier = Carrier::glance(launcher, tools, video).await?;
    let picture = plan::picture(&carrier)?;
    progress.send_replace(HideProgress { step: "waiting", ..HideProgress::default() });
    let cost = Resources::of_revealing((&carrier).into(), encoder.processors);
    let _turn = encoder.turn(cost).await?;
    let mut decoding = Decoding::start(launcher, tools, &carrier).await?;
    let from = decoding.take_frames().ok_or(HideError::Thread)?;
    let done = Arc::new(AtomicU64::new(0));
    let (counted, shape) = (Arc::clone(&done), (picture, carrier.frame_bytes()));
    let (front, keys) = (Arc::new(front_key(&keys.finder)), Arc::new(keys));
    let (with, place) = (Arc::clone(&keys), Arc::clone(&front));
    let work = blocking(move || search(from, shape, (&with, &place), &counted));
    let first = watched("revealing", progress, &done, carrier.packet_count, work).await?;
    let opened = match first {
        First::Opened(opened) => *opened,
        First::Failed { elsewhere, sure, tried } => {
            if !sure {
                decoding.finish().await?;
            }
            let heard =
                hear(encoder, &carrier, (&front, elsewhere), (progress, "revealing")).await?;
            let left = heard.frames().saturating_sub(done.load(Ordering::Relaxed));
            let (with, place) = (Arc::clone(&keys), Arc::clone(&front));
            let opened =
                blocking(move || in_slots(&heard, (&with, &place), elsewhere, tried)).await;
            if sure && matches!(opened, Err(HideError::Nothing)) {
                make_up(encoder, &carrier, (&keys, &front), (left, progress)).await?;
            }
            opened?
        }
    };
    let folder = folder.to_owned();
    let paths = blocking(move || opened.unpack(&folder)).await?;
    Ok(Revealed { paths })
}

fn search(
    from: End,
    shape: (Picture, u64),
    (keys, front): (&RevealKeys, &StructuralKey),
    done: &AtomicU64,
) -> Result<First, HideError> {
    let finding = Finding::new(front, shape.0);
    let mut search = Search::new(from, shape, &keys.finder, done).beside(finding);
    let message = search.message()?;
    let tried = message.is_some();
    if let Some(opened) = message.and_then(|message| unpack::open(Some(message), keys)) {
        return Ok(First::Opened(Box::new(opened)));
    }
    let sure = search.is_elsewhere();
    if !sure {
        search.drain(u64::MAX);
    }
    let elsewhere = search.elsewhere().ok_or(HideError::Nothing)?;
    Ok(First::Failed { elsewhere, sure, tried })
}

/// Looks at as many frames as the first run left out when it was sure where a message is: that it was shall not be told by how long it takes to
/// say that there is none.
async fn make_up(
    encoder: &Encoder,
    carrier: &Carrier,
    (keys, front): (&Arc<RevealKeys>, &Arc<StructuralKey>),
    (frames, progress): (u64, &watch::Sender<HideProgress>),
) -> Result<(), HideError> {
    let picture = plan::picture(carrier)?;
    let mut decoding = Decoding::start(&encoder.launcher, &encoder.tools, carrier).await?;
    let from = decoding.take_frames().ok_or(HideError::Thread)?;
    let done = Arc::new(AtomicU64::new(0));
    let (counted, shape) = (Arc::clone(&done), (picture, carrier.frame_bytes()));
    let (keys, front) = (Arc::clone(keys), Arc::clone(front));
    let work = blocking(move || {
        let finding = Finding::new(&front, picture);
        Search::new(from, shape, &keys.finder, &counted).beside(finding).drain(frames);
        Ok(())
    });
    watched("revealing", progress, &done, frames, work).await
}

/// Opens what slots say. Whatever comes of it, a passphrase is stretched once, here or for the message that was tried before.
fn in_slots(
    heard: &Heard,
    (keys, front): (&RevealKeys, &StructuralKey),
    lock: Lock,
    tried: bool,
) -> Result<Opened, HideError> {
    let message = match heard.message(&keys.finder, front, lock)? {
        Found::Message(message) => Some(message),
        Found::Partly { whole, all, needed } => {
            return Err(HideError::Partly { whole, all, needed });
        }
        Found::Nothing if tried => return Err(HideError::Nothing),
        Found::Nothing => None,
    };
    unpack::open(message, keys).ok_or(HideError::Nothing)
}
