//! Decoding for what reads slots.
//!
//! Owns: the two runs through a video, the first to find where a message is, the second to hear what it says. Refuses to know: keys.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::watch;
use veil_ffmpeg::carrier::Carrier;
use veil_ffmpeg::raw::{Decoding, End};
use veil_stego::robust::{Finding, Lock};
use veil_stego::{Picture, StructuralKey};

use super::super::hiding::{blocking, watched};
use super::super::{HideError, HideProgress, plan};
use super::read::{Heard, each_frame, listen};
use crate::pipeline::Encoder;

/// Looks for a message until it is sure.
pub(super) async fn find(
    encoder: &Encoder,
    carrier: &Carrier,
    key: &Arc<StructuralKey>,
    progress: &watch::Sender<HideProgress>,
) -> Result<Lock, HideError> {
    let key = Arc::clone(key);
    let look = move |from, shape, done: &_| look(from, shape, &key, done);
    // What was decoded beyond is nobody's business.
    let (lock, _) = decode(encoder, carrier, (progress, "checking"), look).await?;
    Ok(lock)
}

fn look(
    from: End,
    (picture, frame_bytes): (Picture, u64),
    key: &StructuralKey,
    done: &AtomicU64,
) -> Result<Lock, HideError> {
    let mut finding = Finding::new(key, picture);
    let ended = each_frame(from, (picture, frame_bytes), done, |luma, time_us| {
        finding.frame(luma, time_us);
        Ok(if finding.is_sure() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    if ended.is_continue() {
        finding.finish();
    }
    Ok(finding.best())
}

/// Hears all slots of a video.
pub(in super::super) async fn hear(
    encoder: &Encoder,
    carrier: &Carrier,
    (key, lock): (&Arc<StructuralKey>, Lock),
    told: (&watch::Sender<HideProgress>, &'static str),
) -> Result<Heard, HideError> {
    let key = Arc::clone(key);
    let listen = move |from, shape, done: &_| listen(from, shape, &key, lock, done);
    let (heard, decoding) = decode(encoder, carrier, told, listen).await?;
    decoding.finish().await?;
    Ok(heard)
}

/// Decodes a video for `read`, which is given its frames, their picture and size in bytes, and where to count them.
async fn decode<T: Send + 'static>(
    encoder: &Encoder,
    carrier: &Carrier,
    (progress, step): (&watch::Sender<HideProgress>, &'static str),
    read: impl FnOnce(End, (Picture, u64), &AtomicU64) -> Result<T, HideError> + Send + 'static,
) -> Result<(T, Decoding), HideError> {
    let shape = (plan::picture(carrier)?, carrier.frame_bytes());
    let mut decoding = Decoding::start(&encoder.launcher, &encoder.tools, carrier).await?;
    let from = decoding.take_frames().ok_or(HideError::Thread)?;
    let done = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&done);
    let work = blocking(move || read(from, shape, &counted));
    Ok((watched(step, progress, &done, carrier.packet_count, work).await?, decoding))
}
