//! Hiding in slots of time, from the video and the payload to the proof that it comes out again.
//!
//! Owns: the order of the steps. Refuses to know: where the output is published. Invariant: [`hide_robust`] says yes only for a file
//! whose message is whole, and that it has found and read back as anybody with the key would, unless it was told not to.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use getrandom::SysRng;
use rand_core::{Rng as _, UnwrapErr};
use tokio::sync::watch;
use veil_ffmpeg::carrier::Carrier;
use veil_ffmpeg::raw::{Codec, Container, Encoding, Recoding};
use veil_seal::hidden::{HEAD_BYTES, SlotLayout, salt_of};
use veil_stego::robust::{Codewords, HeadBits, Hider, LANES, Packets, Spread, packet_count};
use veil_stego::{Picture, StructuralKey};

use super::super::hiding::{blocking, rewind, watched};
use super::super::payload::{self, Message, PayloadSource};
use super::super::read::is_same;
use super::super::{HideError, HideKeys, HideProgress};
use super::plan::{self, RobustProfile};
use super::read::{Found, front_key};
use super::run::{find, hear};
use super::write::{Task, pass};
use crate::pipeline::Encoder;
use crate::turns::Resources;

/// What a run is counted as: one thread of ours works, and what it holds of a slot is as much as two of the lossless mode hold.
const THREADS: usize = 2;

/// What to hide, where and how.
pub struct RobustRequest {
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
    /// What the message is made to survive.
    pub profile: RobustProfile,
    /// Find and read the message before saying yes.
    pub verify: bool,
}

/// What was hidden.
#[derive(Clone, Copy, Debug)]
pub struct RobustHidden {
    /// Frames of the video.
    pub frames: u64,
    /// Bytes of the message, sealed, its head included.
    pub message_bytes: u64,
    /// Bytes that would have fitted.
    pub capacity_bytes: u64,
    /// Packets that are needed, and packets that there are.
    pub packets: (u64, u64),
}

/// Hides a payload in a video so that it survives what its profile says.
///
/// # Errors
/// [`HideError`]; what `out` holds then is worth nothing.
pub async fn hide_robust(
    encoder: &Encoder,
    request: RobustRequest,
    progress: &watch::Sender<HideProgress>,
) -> Result<RobustHidden, HideError> {
    let tell = |step| progress.send_replace(HideProgress { step, ..HideProgress::default() });
    tell("reading");
    let carrier = Carrier::inspect(&encoder.launcher, &encoder.tools, &request.carrier).await?;
    let encoding = Encoding::new(&carrier, Some(Codec::H264), request.container)
        .map_err(veil_ffmpeg::Error::from)?;
    let picture = super::super::plan::picture(&carrier)?;
    tell("sealing");
    let request = Arc::new(request);
    let slots = plan::slots(&carrier);
    let most = plan::body_bytes_max(request.profile, picture, slots);
    let mut message = seal(&request, most, slots).await?;
    let hider = prepare(&request, picture, slots, &mut message)?;
    tell("waiting");
    let cost = Resources::of_hiding((&carrier).into(), THREADS, encoder.processors);
    let _turn = encoder.turn(cost).await?;
    let Encoder { launcher, tools, .. } = encoder;
    let mut recoding = Recoding::start(launcher, tools, &carrier, encoding, &request.out).await?;
    let (from, to) = recoding.take_ends().ok_or(HideError::Thread)?;
    let done = Arc::new(AtomicU64::new(0));
    let (counted, frame_bytes) = (Arc::clone(&done), carrier.frame_bytes());
    let work =
        blocking(move || pass(Task { picture, frame_bytes, hider, done: &counted }, from, to));
    let passed = watched("hiding", progress, &done, carrier.packet_count, work).await;
    let frames = match (passed, recoding.finish().await) {
        // What the processes say explains why a pipe broke.
        (Err(HideError::Io { .. }) | Ok(_), Err(error)) => return Err(error.into()),
        (passed, _) => passed?,
    };
    if request.verify && !verify(encoder, &request, &mut message, progress).await? {
        return Err(HideError::Faint);
    }
    Ok(RobustHidden {
        frames,
        message_bytes: message.bytes + HEAD_BYTES as u64,
        capacity_bytes: most,
        packets: packet_count(message.bytes),
    })
}

/// Packs and seals the payload, away from the runtime's threads.
async fn seal(request: &Arc<RobustRequest>, most: u64, slots: u64) -> Result<Message, HideError> {
    let request = Arc::clone(request);
    let packed = blocking(move || {
        payload::pack(&request.payload, &request.keys, most, &mut UnwrapErr(SysRng))
    });
    let slot_ms = veil_stego::robust::SLOT_US / 1000;
    let seconds = slots * slot_ms / 1000;
    packed.await?.ok_or(HideError::TooLong { capacity_bytes: most, seconds })
}

/// Makes the message bits of slots.
fn prepare(
    request: &RobustRequest,
    picture: Picture,
    slots: u64,
    message: &mut Message,
) -> Result<Hider, HideError> {
    let shape = request.profile.shape(picture);
    let layout = SlotLayout {
        profile: shape.profile().number(),
        keyring_bytes: message.keyring_bytes,
        slot_count: slots,
        body_bytes: message.bytes,
    };
    rewind(message)?;
    let mut body = Vec::new();
    let cannot = HideError::io("cannot read the sealed payload again");
    message.spool.read_to_end(&mut body).map_err(cannot)?;
    // The capacity was computed from the same spread.
    let spread = Spread::new(shape, message.bytes, slots).ok_or(HideError::Thread)?;
    let mut rng = UnwrapErr(SysRng);
    let head = request.keys.finder.seal_slot_head(&layout, &mut rng);
    let place = request.keys.finder.body_place(&salt_of(&head));
    let key = StructuralKey::new(*place.expose());
    let codewords = Codewords::new(&Packets::new(body), spread, &key);
    let lane = u16::try_from(rng.next_u32() % u32::from(LANES)).unwrap_or(0);
    let find = front_key(&request.keys.finder);
    Ok(Hider::new((picture, shape), (&find, lane, key), HeadBits::new(&head), codewords))
}

/// Finds the message, reads it back and compares.
async fn verify(
    encoder: &Encoder,
    request: &Arc<RobustRequest>,
    message: &mut Message,
    progress: &watch::Sender<HideProgress>,
) -> Result<bool, HideError> {
    let carrier = Carrier::glance(&encoder.launcher, &encoder.tools, &request.out).await?;
    let key = Arc::new(front_key(&request.keys.finder));
    let lock = find(encoder, &carrier, &key, progress).await?;
    let heard = hear(encoder, &carrier, (&key, lock), (progress, "checking")).await?;
    let request = Arc::clone(request);
    let found = blocking(move || heard.message(&request.keys.finder, &key, lock));
    let Found::Message(mut found) = found.await? else { return Ok(false) };
    is_same(message, &mut found).map_err(HideError::io("cannot read the sealed payload again"))
}
