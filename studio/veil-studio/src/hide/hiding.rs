//! Hiding, from the video and the payload to the proof that it comes out again.
//!
//! Owns: the order of the steps. Refuses to know: where the output is published. Invariant: [`hide`] says yes only for a file whose
//! message is whole, and that it has read back, unless it was told not to.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use getrandom::SysRng;
use rand_core::UnwrapErr;
use tokio::sync::watch;
use veil_ffmpeg::carrier::Carrier;
use veil_ffmpeg::raw::{Codec, Container, Decoding, Encoding, Recoding};
use veil_stego::Picture;

use super::payload::{self, Message, PayloadSource};
use super::plan::{self, Profile, Rate};
use super::read::{Search, is_same};
use super::write::{Outcome, Task, pass};
use super::{HideError, HideKeys, HideProgress};
use crate::pipeline::Encoder;
use crate::turns::Resources;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// What to hide, where and how.
pub struct HideRequest {
    /// The video.
    pub carrier: PathBuf,
    /// What is hidden.
    pub payload: Vec<PayloadSource>,
    /// Who can find and open it.
    pub keys: HideKeys,
    /// The file to write, which is there already.
    pub out: PathBuf,
    /// The file around the picture.
    pub container: Container,
    /// How the picture is encoded; `None` is what fits.
    pub codec: Option<Codec>,
    /// What is spent to stay unseen.
    pub profile: Profile,
    /// The most that may be hidden in a sample.
    pub max_rate: Rate,
    /// Threads that put shares into frames; each wants some 25 MB at 1440p.
    pub threads: usize,
    /// Read the message back before saying yes.
    pub verify: bool,
}

/// What was hidden.
#[derive(Clone, Copy, Debug)]
pub struct Hidden {
    /// Frames of the video.
    pub frames: u64,
    /// Bytes of the message, sealed, its head included.
    pub message_bytes: u64,
    /// Bits for each sample.
    pub rate: Rate,
}

/// Hides a payload in a video.
///
/// # Errors
/// [`HideError`]; what `out` holds then is worth nothing.
pub async fn hide(
    encoder: &Encoder,
    request: HideRequest,
    progress: &watch::Sender<HideProgress>,
) -> Result<Hidden, HideError> {
    let tell = |step| progress.send_replace(HideProgress { step, ..HideProgress::default() });
    tell("reading");
    let carrier = Carrier::inspect(&encoder.launcher, &encoder.tools, &request.carrier).await?;
    let encoding = Encoding::new(&carrier, request.codec, request.container)
        .map_err(veil_ffmpeg::Error::from)?;
    let picture = plan::picture(&carrier)?;
    tell("sealing");
    let request = Arc::new(request);
    let message = seal(&request, picture, carrier.packet_count).await?;
    tell("waiting");
    let cost = Resources::of_hiding((&carrier).into(), request.threads, encoder.processors);
    let _turn = encoder.turn(cost).await?;
    let run = Run { encoder, carrier: &carrier, encoding, picture, progress };
    let first = (carrier.packet_count, carrier.packet_count);
    let (outcome, message) = run.once(&request, message, first).await?;
    let (outcome, mut message) = match outcome.left_bytes {
        0 => (outcome, message),
        // The video ended sooner than its packets said, or in flat frames: now it is known where.
        _ => run.once(&request, message, (outcome.end, outcome.usable)).await?,
    };
    if outcome.left_bytes > 0 {
        return Err(HideError::Flat { left_bytes: outcome.left_bytes });
    }
    if request.verify && !verify(encoder, &request, &mut message, progress).await? {
        return Err(HideError::Unproven);
    }
    let message_bytes = message.bytes + veil_seal::hidden::HEAD_BYTES as u64;
    let rate = Rate::of(message_bytes, picture.sample_count().into(), outcome.frames);
    Ok(Hidden { frames: outcome.frames, message_bytes, rate })
}

/// Packs and seals the payload, away from the runtime's threads.
async fn seal(
    request: &Arc<HideRequest>,
    picture: Picture,
    frames: u64,
) -> Result<Message, HideError> {
    let rate = request.max_rate;
    let most = plan::body_bytes_max(picture, frames, rate);
    let request = Arc::clone(request);
    let packed = blocking(move || {
        payload::pack(&request.payload, &request.keys, most, &mut UnwrapErr(SysRng))
    });
    packed.await?.ok_or(HideError::TooLarge { capacity_bytes: most, frames, rate })
}

/// Runs work that blocks on a thread for that.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HideError> + Send + 'static,
) -> Result<T, HideError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(HideError::Thread))
}

struct Run<'a> {
    encoder: &'a Encoder,
    carrier: &'a Carrier,
    encoding: Encoding,
    picture: Picture,
    progress: &'a watch::Sender<HideProgress>,
}

impl Run<'_> {
    /// Passes all frames through once, with the message in those that carry.
    async fn once(
        &self,
        request: &Arc<HideRequest>,
        mut message: Message,
        frames: (u64, u64),
    ) -> Result<(Outcome, Message), HideError> {
        if frames.1 == 0 {
            return Err(HideError::Flat { left_bytes: message.bytes });
        }
        rewind(&mut message)?;
        let sizes = (message.keyring_bytes, message.bytes);
        let (layout, code, schedule) = plan::layout(self.picture, frames, sizes, request.profile)?;
        let head = request.keys.finder.seal_head(&layout, &mut UnwrapErr(SysRng));
        let Encoder { launcher, tools, .. } = self.encoder;
        let mut recoding =
            Recoding::start(launcher, tools, self.carrier, self.encoding, &request.out).await?;
        let (from, to) = recoding.take_ends().ok_or(HideError::Thread)?;
        let done = Arc::new(AtomicU64::new(0));
        let (picture, frame_bytes) = (self.picture, self.carrier.frame_bytes());
        let (counted, request) = (Arc::clone(&done), Arc::clone(request));
        let work = blocking(move || {
            let task = Task {
                picture,
                frame_bytes,
                finder: &request.keys.finder,
                head,
                code,
                schedule,
                message: &message.spool,
                threads: request.threads,
                done: &counted,
            };
            Ok(pass(task, from, to).map(|outcome| (outcome, message)))
        });
        let passed = watched("hiding", self.progress, &done, frames.0, work).await?;
        let encoded = recoding.finish().await;
        match (passed, encoded) {
            // What the processes say explains why a pipe broke.
            (Err(HideError::Io { .. }) | Ok(_), Err(error)) => Err(error.into()),
            (passed, _) => passed,
        }
    }
}

pub(super) fn rewind(message: &mut Message) -> Result<(), HideError> {
    use std::io::Seek as _;
    message.spool.rewind().map_err(HideError::io("cannot read the sealed payload again"))
}

/// Waits for work, and tells how many frames are done meanwhile.
pub(super) async fn watched<T>(
    step: &'static str,
    progress: &watch::Sender<HideProgress>,
    done: &AtomicU64,
    total_frames: u64,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        let frames = done.load(Ordering::Relaxed);
        progress.send_replace(HideProgress { step, frames, total_frames });
        tokio::select! {
            result = &mut work => return result,
            () = tokio::time::sleep(TELL_EVERY) => {}
        }
    }
}

/// Reads the message back and compares.
async fn verify(
    encoder: &Encoder,
    request: &Arc<HideRequest>,
    message: &mut Message,
    progress: &watch::Sender<HideProgress>,
) -> Result<bool, HideError> {
    let found = look(encoder, &request.out, request, progress).await?;
    let cannot = HideError::io("cannot read the sealed payload again");
    found.map_or(Ok(false), |mut found| is_same(message, &mut found)).map_err(cannot)
}

async fn look(
    encoder: &Encoder,
    video: &Path,
    request: &Arc<HideRequest>,
    progress: &watch::Sender<HideProgress>,
) -> Result<Option<Message>, HideError> {
    let Encoder { launcher, tools, .. } = encoder;
    let carrier = Carrier::glance(launcher, tools, video).await?;
    let picture = plan::picture(&carrier)?;
    let mut decoding = Decoding::start(launcher, tools, &carrier).await?;
    let from = decoding.take_frames().ok_or(HideError::Thread)?;
    let done = Arc::new(AtomicU64::new(0));
    let (counted, request) = (Arc::clone(&done), Arc::clone(request));
    let shape = (picture, carrier.frame_bytes());
    let work = blocking(move || Search::new(from, shape, &request.keys.finder, &counted).message());
    watched("checking", progress, &done, carrier.packet_count, work).await
}
