//! Decoding for what reads slots.
//!
//! Owns: the two runs through a video, the first to find where a message is, the second to hear what it says. Refuses to know: keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;
use veil_ffmpeg::carrier::Carrier;
use veil_ffmpeg::nut::Frames;
use veil_ffmpeg::raw::{Decoding, End};
use veil_stego::lossless::luma_bytes;
use veil_stego::robust::{Finding, Lock};
use veil_stego::{Picture, StructuralKey};

use super::super::hiding::{blocking, watched};
use super::super::{HideError, HideProgress, plan};
use super::read::{Heard, listen};
use crate::pipeline::Encoder;

/// Looks for a message until it is sure.
pub(super) async fn find(
    encoder: &Encoder,
    carrier: &Carrier,
    key: &Arc<StructuralKey>,
    progress: &watch::Sender<HideProgress>,
) -> Result<Lock, HideError> {
    let picture = plan::picture(carrier)?;
    let mut decoding = Decoding::start(&encoder.launcher, &encoder.tools, carrier).await?;
    let from = decoding.take_frames().ok_or(HideError::Thread)?;
    let done = Arc::new(AtomicU64::new(0));
    let (counted, key) = (Arc::clone(&done), Arc::clone(key));
    let frame_bytes = carrier.frame_bytes();
    let work = blocking(move || Ok(look(from, (picture, frame_bytes), &key, &counted)));
    watched("checking", progress, &done, carrier.packet_count, work).await
}

fn look(
    from: End,
    (picture, frame_bytes): (Picture, u64),
    key: &StructuralKey,
    done: &AtomicU64,
) -> Lock {
    let mut finding = Finding::new(key, picture);
    let mut frames = Frames::new(from);
    let (mut buffer, mut begin_us) = (Vec::new(), None);
    while let Ok(Some(piece)) = frames.next(std::mem::take(&mut buffer)) {
        let Some(frame) = piece.frame else { continue };
        done.fetch_add(1, Ordering::Relaxed);
        if frame.len() as u64 == frame_bytes {
            let begin_us = *begin_us.get_or_insert(piece.time_us);
            let time_us = u64::try_from(piece.time_us - begin_us).unwrap_or(0);
            finding.frame(&frame[..luma_bytes(picture)], time_us);
        }
        if finding.is_sure() {
            return finding.best();
        }
        buffer = frame;
    }
    finding.finish();
    finding.best()
}

/// Hears all slots of a video.
pub(in super::super) async fn hear(
    encoder: &Encoder,
    carrier: &Carrier,
    (key, lock): (&Arc<StructuralKey>, Lock),
    (progress, step): (&watch::Sender<HideProgress>, &'static str),
) -> Result<Heard, HideError> {
    let picture = plan::picture(carrier)?;
    let mut decoding = Decoding::start(&encoder.launcher, &encoder.tools, carrier).await?;
    let from = decoding.take_frames().ok_or(HideError::Thread)?;
    let done = Arc::new(AtomicU64::new(0));
    let (counted, key) = (Arc::clone(&done), Arc::clone(key));
    let frame_bytes = carrier.frame_bytes();
    let work = blocking(move || listen(from, (picture, frame_bytes), &key, lock, &counted));
    let heard = watched(step, progress, &done, carrier.packet_count, work).await?;
    decoding.finish().await?;
    Ok(heard)
}
