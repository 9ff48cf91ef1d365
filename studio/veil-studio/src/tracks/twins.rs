//! One rendition of two encoders: its segments in two variants.
//!
//! Owns the pairing of what comes out of both, and the padding that makes a pair's lengths equal. Refuses to know what they differ
//! in. Invariant: a segment that is published exists in both variants, which have one start, one duration and one length; what
//! waits for its twin is bounded by the frames by which one encoder can be ahead of the other.

use tokio::io::AsyncRead;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use veil_hls::cmaf::{Piece, pad, padded_length};
use veil_seal::object::Kind;

use super::{Desk, Track, next_index};
use crate::StudioError;
use crate::stages::package::Pieces;

/// The most segments of a marked rendition: 21 hours of long slots. Both names of each, 108 bytes in all, fit into a playlist
/// that a gateway reads.
const MAX_SLOTS: u32 = 38_000;

type Waiting = UnboundedReceiver<Result<Piece, StudioError>>;

/// Reads a rendition in both variants, cut at slots of `slot_us`, seals and publishes it.
pub(super) async fn read<R: AsyncRead + Unpin + Send + 'static>(
    pipes: [R; 2],
    slot_us: u64,
    id: u16,
    desk: &Desk,
) -> Result<Track, StudioError> {
    let mut readers = JoinSet::new();
    let [mut first, mut second] = pipes.map(|pipe| {
        let (sender, receiver) = unbounded_channel();
        readers.spawn(drain(Pieces::new(pipe, slot_us), sender));
        receiver
    });
    let (mut init, mut segments) = (None, Vec::new());
    while let Some(pair) = next_pair(&mut first, &mut second).await? {
        match pair {
            (Piece::Init { bytes, info }, Piece::Init { bytes: twin, .. }) if bytes == twin => {
                desk.put(Kind::Init, id, 0, &bytes).await?;
                init = Some((info, bytes.len() as u64));
            }
            (
                Piece::Segment { bytes, start_us, duration_us },
                Piece::Segment {
                    bytes: twin,
                    start_us: its_start_us,
                    duration_us: its_duration_us,
                },
            ) if (start_us, duration_us) == (its_start_us, its_duration_us) => {
                let slot = next_index(segments.len(), MAX_SLOTS, "slots")?;
                let length = put(desk, id, slot, [bytes, twin]).await?;
                segments.push((duration_us, length));
            }
            _ => return Err(StudioError::Unequal),
        }
    }
    let (info, init_length) = init.ok_or(StudioError::Nothing)?;
    Ok(Track { info, init_length, single_file: false, marked: true, segments })
}

/// Pads both variants to one length, which it returns, and publishes them.
async fn put(
    desk: &Desk,
    id: u16,
    slot: u32,
    mut variants: [Vec<u8>; 2],
) -> Result<u64, StudioError> {
    let length = padded_length(variants.iter().map(Vec::len));
    for segment in &mut variants {
        pad(segment, length);
    }
    desk.put_variants(id, slot, &variants).await?;
    Ok(length as u64)
}

/// The next piece of both; `None` behind the last.
async fn next_pair(
    first: &mut Waiting,
    second: &mut Waiting,
) -> Result<Option<(Piece, Piece)>, StudioError> {
    match (first.recv().await.transpose()?, second.recv().await.transpose()?) {
        (None, None) => Ok(None),
        (Some(piece), Some(twin)) => Ok(Some((piece, twin))),
        _ => Err(StudioError::Unequal),
    }
}

/// Reads a pipe as fast as it comes: an encoder that waited for the other one's reader could make both wait for ever.
async fn drain<R: AsyncRead + Unpin>(
    mut pieces: Pieces<R>,
    to: UnboundedSender<Result<Piece, StudioError>>,
) {
    while let Some(piece) = pieces.next().await.transpose() {
        let failed = piece.is_err();
        if to.send(piece).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use veil_hls::marked::{MarkedLine, MarkedPlaylist, SLOTS_MAX, marked_playlist};
    use veil_hls::template::Limits;

    use super::*;

    #[test]
    fn a_playlist_of_the_most_slots_is_one_that_a_gateway_reads() {
        let name = "0".repeat(32);
        let line = MarkedLine { first: &name, second: &name, duration_us: 2_000_000 };
        let text = marked_playlist(&name, &vec![line; MAX_SLOTS as usize]);
        assert!(text.len() <= Limits::default().playlist_bytes, "{} bytes", text.len());
        assert!(MAX_SLOTS as usize <= SLOTS_MAX);
        assert_eq!(MarkedPlaylist::parse(&text).unwrap().slot_count(), MAX_SLOTS as usize);
    }
}
