//! The file that is examined: what it is, and its pictures.
//!
//! Owns: reading it, in the sandbox alone. Refuses to know: what is looked for. Invariants: memory is a picture or two, whatever the length;
//! a file that breaks off is read as far as it goes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use veil_ffmpeg::raw::End;
use veil_ffmpeg::sight::{self, PICTURE_BYTES, View};
use veil_ffmpeg::{SourceInfo, probe};

use super::{TELL_EVERY, TraceProgress, report};
use crate::StudioError;
use crate::pipeline::Encoder;

/// Time of a picture in microseconds.
pub(super) const PICTURE_US: u64 = 1_000_000 / sight::RATE as u64;

/// Most pictures that are read of a leak: a day of them.
const PICTURES_MAX: u64 = 24 * 3600 * sight::RATE as u64;

/// A leak that can be read.
pub(super) struct Leak {
    pub(super) source: SourceInfo,
    pub(super) facts: report::Leak,
}

/// What a reading of a leak came to.
pub(super) struct Seen<T> {
    /// What looked at it.
    pub(super) by: T,
    /// Why it broke off, where it did.
    pub(super) broke_off: Option<String>,
}

/// How a reading is told of: the step, and the pictures before it that count as the same step's.
#[derive(Clone, Copy)]
pub(super) struct Told<'t> {
    pub(super) step: &'static str,
    pub(super) before_us: u64,
    pub(super) total_us: u64,
    pub(super) progress: &'t watch::Sender<TraceProgress>,
}

impl Leak {
    /// Probes and hashes a file.
    pub(super) async fn open(encoder: &Encoder, path: &Path) -> Result<Self, StudioError> {
        let source = probe(&encoder.launcher, &encoder.tools, path).await?;
        let video = source.video.as_ref();
        video.ok_or(veil_ffmpeg::Error::from(veil_ffmpeg::Refusal::NoPicture))?;
        let (hashed, failed) = (source.path.clone(), path.to_owned());
        let (sha256, blake3) = blocking(move || hashes(&hashed))
            .await?
            .map_err(StudioError::file("cannot read", failed))?;
        let facts = report::Leak {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            bytes: source.size_bytes,
            sha256,
            blake3,
            duration_us: source.duration_us.unwrap_or(0),
            width: video.map_or(0, |video| video.display_width),
            height: video.map_or(0, |video| video.display_height),
        };
        Ok(Self { source, facts })
    }

    /// Has `each` look at every picture of a view, on a thread of its own.
    pub(super) async fn watch<T: Send + 'static>(
        &self,
        encoder: &Encoder,
        view: View,
        (mut by, each): (T, fn(&mut T, &[u8])),
        told: Told<'_>,
    ) -> Result<Seen<T>, StudioError> {
        let Encoder { launcher, tools, .. } = encoder;
        let mut decoding = sight::start(launcher, tools, &self.source, view).await?;
        let Some(mut end) = decoding.take_frames() else {
            return Err(StudioError::Worker("the pictures were taken before".to_owned()));
        };
        let done = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&done);
        let work = blocking(move || {
            let mut picture = vec![0; PICTURE_BYTES];
            while next(&mut end, &mut picture)? && counted.load(Ordering::Relaxed) < PICTURES_MAX {
                each(&mut by, &picture);
                counted.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<T, io::Error>(by)
        });
        let by = told.of(&done, work).await?.map_err(StudioError::Pipe)?;
        let pictures = done.load(Ordering::Relaxed);
        let broke_off = match decoding.finish().await {
            Ok(()) => None,
            // What FFmpeg says of a damaged end is no reason to throw away what came before it.
            Err(veil_ffmpeg::Error::Failed { stderr, .. }) if pictures > 0 => Some(stderr),
            Err(error) => return Err(error.into()),
        };
        Ok(Seen { by, broke_off })
    }
}

impl Told<'_> {
    /// Waits for work that counts pictures, and tells how far it is.
    async fn of<T>(self, done: &AtomicU64, work: impl Future<Output = T>) -> T {
        let Self { step, before_us, total_us, progress } = self;
        let mut work = std::pin::pin!(work);
        loop {
            let done_us = before_us + done.load(Ordering::Relaxed) * PICTURE_US;
            progress.send_replace(TraceProgress { step, done_us, total_us });
            tokio::select! {
                result = &mut work => return result,
                () = tokio::time::sleep(TELL_EVERY) => {}
            }
        }
    }
}

/// Reads the next picture; `false` at the end, or where the last one is not whole.
fn next(end: &mut End, picture: &mut [u8]) -> io::Result<bool> {
    match end.read_exact(picture) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// SHA-256 and BLAKE3 of a file, in hex.
fn hashes(path: &Path) -> io::Result<(String, String)> {
    let mut file = File::open(path)?;
    let (mut sha256, mut blake3) = (Sha256::new(), blake3::Hasher::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        sha256.update(bytes);
        blake3.update(bytes);
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((hex(&sha256.finalize()), blake3.finalize().to_hex().to_string()))
}

/// Runs work that blocks on a thread for that.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StudioError> {
    let broken = |error: tokio::task::JoinError| StudioError::Worker(error.to_string());
    tokio::task::spawn_blocking(work).await.map_err(broken)
}
