//! The splitter: takes bytes as they come, hands over pieces as they are complete.
//!
//! Owns: the order of the boxes at the top level and the place of the cuts. Refuses to know: what
//! is inside them beyond what `init` and `fragment` say.
//!
//! Invariant: a byte is copied once, into the piece that it leaves in; boxes that players of CMAF
//! have no use for (`sidx`, `mfra`, `emsg`, `free` …) are passed over without being stored.

use super::boxes::{Kind, malformed, name};
use super::fragment::{self, Fragment};
use super::init::{self, Defaults, Init, Media};
use super::{CmafError, INIT_BYTES_MAX, MOOF_BYTES_MAX, Piece, SEGMENT_BYTES_MAX};

/// Cuts a stream of fragmented MP4 into an initialisation segment and media segments.
///
/// Video is cut before the first fragment that starts with a sync sample at or after each multiple
/// of the segment length; audio at the fragment boundary nearest to it.
#[derive(Debug)]
pub struct Splitter {
    segment_target_us: u64,
    /// Header bytes of the next box, until they are complete.
    header: Vec<u8>,
    current: Option<Current>,
    phase: Phase,
    /// The piece in progress: the init segment at first, then the media segment.
    piece: Vec<u8>,
}

/// The box whose payload is arriving.
#[derive(Debug, Clone, Copy)]
struct Current {
    kind: Kind,
    remaining: u64,
    /// Where it is in the piece; `None` for a box that is dropped.
    place: Option<Place>,
}

/// Positions in the piece.
#[derive(Debug, Clone, Copy)]
struct Place {
    header_at: usize,
    body_at: usize,
}

#[derive(Debug)]
enum Phase {
    Init,
    Media(Box<Track>),
    Failed,
}

#[derive(Debug)]
struct Track {
    timescale: u64,
    audio: bool,
    priming: u64,
    /// Silence before the track, in timescale units.
    pause: u64,
    defaults: Defaults,
    /// Decode time and composition offset of the first sample of all.
    origin: Option<(u64, i64)>,
    /// Start of the segment in progress and end of its last fragment, from the origin.
    start: u64,
    end: u64,
    /// Bytes that the `mdat` after the last `moof` must have.
    awaited: Option<u64>,
    /// The multiple of the segment length at which the segment in progress should end.
    next_us: u64,
}

impl Splitter {
    /// A splitter that aims at segments of `segment_target_us` microseconds (at least 1 ms).
    #[must_use]
    pub fn new(segment_target_us: u64) -> Self {
        Self {
            segment_target_us: segment_target_us.max(1_000),
            header: Vec::with_capacity(16),
            current: None,
            phase: Phase::Init,
            piece: Vec::new(),
        }
    }

    /// Takes the next bytes and appends the pieces that they complete to `pieces`.
    ///
    /// # Errors
    /// Whatever makes the stream unusable; after an error the splitter refuses everything.
    pub fn push(&mut self, input: &[u8], pieces: &mut Vec<Piece>) -> Result<(), CmafError> {
        let outcome = self.advance(input, pieces);
        if outcome.is_err() {
            self.phase = Phase::Failed;
            self.piece = Vec::new();
        }
        outcome
    }

    /// Ends the stream and hands over its last segment.
    ///
    /// # Errors
    /// [`CmafError::Truncated`] inside a fragment, [`CmafError::Empty`] without any sample.
    pub fn finish(self) -> Result<Piece, CmafError> {
        let Phase::Media(track) = self.phase else {
            return Err(match self.phase {
                Phase::Failed => CmafError::Poisoned,
                _ if self.header.is_empty() && self.piece.is_empty() => CmafError::Empty,
                _ => CmafError::Truncated,
            });
        };
        if self.current.is_some() || !self.header.is_empty() || track.awaited.is_some() {
            return Err(CmafError::Truncated);
        }
        if self.piece.is_empty() {
            return Err(CmafError::Empty);
        }
        Ok(track.segment(self.piece, track.end))
    }

    fn advance(&mut self, input: &[u8], pieces: &mut Vec<Piece>) -> Result<(), CmafError> {
        if matches!(self.phase, Phase::Failed) {
            return Err(CmafError::Poisoned);
        }
        let mut input = input;
        while !input.is_empty() {
            let Some(current) = &mut self.current else {
                input = self.take_header(input)?;
                self.end_box_if_complete(pieces)?;
                continue;
            };
            let wanted = usize::try_from(current.remaining).unwrap_or(usize::MAX);
            let (head, rest) = input.split_at(wanted.min(input.len()));
            current.remaining -= head.len() as u64;
            if current.place.is_some() {
                self.piece.extend_from_slice(head);
            }
            input = rest;
            self.end_box_if_complete(pieces)?;
        }
        Ok(())
    }

    /// Collects the 8 or 16 header bytes of the next box; returns the input after them.
    fn take_header<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8], CmafError> {
        let length = if self.header.starts_with(&[0, 0, 0, 1]) { 16 } else { 8 };
        let (head, rest) = input.split_at((length - self.header.len()).min(input.len()));
        self.header.extend_from_slice(head);
        let Some(([a, b, c, d], after)) = self.header.split_first_chunk::<4>() else {
            return Ok(rest);
        };
        let Some((kind, large)) = after.split_first_chunk::<4>() else { return Ok(rest) };
        let (kind, small) = (*kind, u32::from_be_bytes([*a, *b, *c, *d]));
        let (size, header_bytes) = match small {
            1 => match large.first_chunk::<8>() {
                Some(large) => (u64::from_be_bytes(*large), 16),
                None => return Ok(rest),
            },
            small => (u64::from(small), 8),
        };
        let remaining = size
            .checked_sub(header_bytes)
            .ok_or_else(|| malformed(kind, "its size is too small"))?;
        self.begin(kind, size, remaining)?;
        Ok(rest)
    }

    fn begin(&mut self, kind: Kind, size: u64, remaining: u64) -> Result<(), CmafError> {
        let unexpected = |what| Err(CmafError::Unexpected { kind: name(kind), what });
        let held = self.piece.len() as u64;
        let (keep, limit) = match (&kind, &self.phase) {
            (b"ftyp" | b"moov", Phase::Init) => (true, INIT_BYTES_MAX.saturating_sub(held)),
            (b"moof" | b"mdat", Phase::Init) => return unexpected("no `moov` came before it"),
            (b"ftyp" | b"moov", _) => return unexpected("the stream has a `moov` already"),
            (b"moof", Phase::Media(track)) if track.awaited.is_some() => {
                return unexpected("the `mdat` of the `moof` before it is missing");
            }
            (b"moof", _) => (true, MOOF_BYTES_MAX),
            (b"mdat", Phase::Media(track)) => match track.awaited {
                None => return unexpected("no `moof` came before it"),
                Some(bytes) if bytes != remaining => {
                    return Err(malformed(kind, "its size is not the sum of its samples"));
                }
                Some(_) => (true, SEGMENT_BYTES_MAX.saturating_sub(held)),
            },
            _ => (false, SEGMENT_BYTES_MAX),
        };
        if size > limit {
            return Err(CmafError::TooLarge { kind: name(kind), size, limit });
        }
        let header = std::mem::take(&mut self.header);
        let place = keep.then(|| {
            let header_at = self.piece.len();
            self.piece.extend_from_slice(&header);
            Place { header_at, body_at: self.piece.len() }
        });
        self.current = Some(Current { kind, remaining, place });
        Ok(())
    }

    fn end_box_if_complete(&mut self, pieces: &mut Vec<Piece>) -> Result<(), CmafError> {
        let Some(current) = self.current.take_if(|current| current.remaining == 0) else {
            return Ok(());
        };
        let Some(place) = current.place else { return Ok(()) };
        match &current.kind {
            b"moov" => self.end_init(place, pieces),
            b"moof" => self.end_moof(place, pieces),
            b"mdat" => {
                if let Phase::Media(track) = &mut self.phase {
                    track.awaited = None;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn end_init(&mut self, moov: Place, pieces: &mut Vec<Piece>) -> Result<(), CmafError> {
        let moov_body = self.piece.get_mut(moov.body_at..).unwrap_or_default();
        let Init { info, defaults, pause, matrix_at } = init::parse(moov_body)?;
        if let Some(matrix) = matrix_at.and_then(|at| moov_body.get_mut(at..)?.first_chunk_mut()) {
            // The picture stands upright already; FFmpeg passes the source's turn on all the same.
            *matrix = init::UPRIGHT;
        }
        if let Some(pause) = pause {
            // Players of fragments do not agree on empty edits: the pause goes into the decode times.
            let edts = moov_body.get_mut(pause.edts_at..).and_then(|rest| rest.first_chunk_mut());
            *edts.ok_or_else(|| malformed(*b"moov", "an edit list out of place"))? = *b"free";
        }
        let (audio, priming) = match info.media {
            Media::Audio { priming, .. } => (true, priming),
            Media::Video { .. } => (false, 0),
        };
        self.phase = Phase::Media(Box::new(Track {
            timescale: u64::from(info.timescale),
            audio,
            priming,
            pause: pause.map_or(0, |pause| pause.length),
            defaults,
            origin: None,
            start: 0,
            end: 0,
            awaited: None,
            next_us: self.segment_target_us,
        }));
        pieces.push(Piece::Init { bytes: std::mem::take(&mut self.piece), info });
        Ok(())
    }

    fn end_moof(&mut self, place: Place, pieces: &mut Vec<Piece>) -> Result<(), CmafError> {
        let Phase::Media(track) = &mut self.phase else { return Ok(()) };
        let moof = self.piece.get_mut(place.body_at..).unwrap_or_default();
        let mut fragment = fragment::parse(moof, track.defaults)?;
        let (epoch, offset) = *track.origin.get_or_insert((fragment.start, fragment.first_offset));
        if offset != 0 {
            fragment::shift(moof, &fragment, offset)?;
        }
        // FFmpeg starts at 0. Another origin would have to be taken out of every `tfdt` as well.
        if epoch != 0 {
            return Err(CmafError::Unsupported("decode times that do not start at zero"));
        }
        if track.pause != 0 {
            fragment::delay(moof, &mut fragment, track.pause)?;
        }
        if track.cuts_before(&fragment)? {
            // The next segment is about as large as this one: reserve it in one piece.
            let at = place.header_at;
            let mut next = Vec::with_capacity(at + at / 8);
            next.extend_from_slice(self.piece.get(at..).unwrap_or_default());
            self.piece.truncate(at);
            pieces.push(track.segment(std::mem::replace(&mut self.piece, next), fragment.start));
            track.start = fragment.start;
            let reached_us = track.us(fragment.start).max(track.next_us);
            let index = (reached_us / self.segment_target_us).saturating_add(1);
            track.next_us = index.saturating_mul(self.segment_target_us);
        }
        track.end = fragment.start + fragment.duration;
        track.awaited = Some(fragment.data_bytes);
        Ok(())
    }
}

impl Track {
    /// Whether the segment in progress ends before `fragment`.
    fn cuts_before(&self, fragment: &Fragment) -> Result<bool, CmafError> {
        if fragment.start < self.end {
            return Err(malformed(*b"tfdt", "decode times run backwards"));
        }
        if self.end == 0 {
            return if fragment.starts_with_sync {
                Ok(false)
            } else {
                Err(CmafError::Unsupported("a stream that does not start with a sync sample"))
            };
        }
        let begins_us = self.us(fragment.start);
        if !fragment.starts_with_sync {
            return Ok(false);
        }
        if !self.audio || begins_us >= self.next_us {
            return Ok(begins_us >= self.next_us);
        }
        // The nearest boundary: this one, unless the one after the fragment is nearer.
        let ends_us = self.us(fragment.start + fragment.duration);
        Ok(self.next_us - begins_us <= ends_us.saturating_sub(self.next_us))
    }

    fn segment(&self, bytes: Vec<u8>, end: u64) -> Piece {
        let (start_us, end_us) = (self.us(self.start), self.us(end));
        Piece::Segment { bytes, start_us, duration_us: end_us - start_us }
    }

    /// Presentation time of a decode time, in microseconds rounded down: differences do not drift.
    fn us(&self, decode_time: u64) -> u64 {
        let time = decode_time.saturating_sub(self.priming);
        let us = u128::from(time) * 1_000_000 / u128::from(self.timescale.max(1));
        u64::try_from(us).unwrap_or(u64::MAX)
    }
}
