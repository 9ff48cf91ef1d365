//! Reads the initialisation segment: one track, its codec, its clock, its defaults.
//!
//! Owns: the way through `moov` (ISO/IEC 14496-12 §8.2). Refuses to know: fragments.

use super::boxes::{Fields, Kind, child, children, children_of_kind, malformed};
use super::{CmafError, codec};

const MOOV: Kind = *b"moov";
const TRAK: Kind = *b"trak";

/// What an initialisation segment says about its track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackInfo {
    /// RFC 6381 codec string: `avc1.64001f`, `mp4a.40.2`.
    pub codecs: String,
    /// Units a second of the track's decode times.
    pub timescale: u32,
    /// What kind of track it is.
    pub media: Media,
}

/// The kind of a track, with what a playlist says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Media {
    /// H.264 pictures.
    Video {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// AAC sound.
    Audio {
        /// Number of channels.
        channels: u16,
        /// Samples a second.
        sample_rate_hz: u32,
        /// Encoder priming in timescale units: decoded, but cut away by the edit list.
        priming: u64,
    },
}

/// The values of `trex`, which a fragment uses where it is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Defaults {
    pub(super) duration: u32,
    pub(super) size: u32,
    pub(super) flags: u32,
}

/// A pause before the track, asked for by an edit list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    /// Its length in units of the track's timescale.
    pub(super) length: u64,
    /// Where the four characters of `edts` are in the payload of `moov`.
    pub(super) edts_at: usize,
}

/// What a `moov` box says.
#[derive(Debug)]
pub(super) struct Init {
    pub(super) info: TrackInfo,
    pub(super) defaults: Defaults,
    pub(super) pause: Option<Pause>,
    /// Where the display matrix of `tkhd` is in the payload of `moov`, if there is a `tkhd`.
    pub(super) matrix_at: Option<usize>,
}

/// The display matrix that turns and stretches nothing (ISO/IEC 14496-12 §8.3.2).
pub(super) const UPRIGHT: [u8; 36] = {
    let mut matrix = [0; 36];
    (matrix[1], matrix[17], matrix[32]) = (1, 1, 0x40);
    matrix
};

/// Reads the payload of a `moov` box.
pub(super) fn parse(moov: &[u8]) -> Result<Init, CmafError> {
    let traks = children_of_kind(MOOV, moov, TRAK)?;
    let [trak] = &traks[..] else {
        return Err(CmafError::Unsupported("a stream that does not have exactly one track"));
    };
    let mdia = child(TRAK, trak.body, *b"mdia", "no `mdia`")?;
    let timescale = timescale(child(*b"mdia", mdia, *b"mdhd", "no `mdhd`")?)?;
    let edit = edit(trak.body)?;
    let info = track(mdia, timescale, edit.media_time)?;
    let mut pause = None;
    if edit.pause > 0 {
        if !matches!(info.media, Media::Audio { priming: 0, .. }) {
            return Err(CmafError::Unsupported("an edit list that both delays and cuts"));
        }
        let mvhd = child(MOOV, moov, *b"mvhd", "no `mvhd`")?;
        let movie_timescale = self::timescale(mvhd)?;
        let length = u128::from(edit.pause) * u128::from(timescale) / u128::from(movie_timescale);
        let length = u64::try_from(length).ok().filter(|length| *length <= u64::from(u32::MAX));
        let length = length.ok_or(CmafError::Unsupported("an edit list that delays for hours"))?;
        pause = Some(Pause { length, edts_at: trak.offset + edit.edts_at });
    }
    let matrix_at = matrix(trak.body)?.map(|at| trak.offset + at);
    Ok(Init { info, defaults: defaults(moov)?, pause, matrix_at })
}

/// Where the display matrix is in the payload of `trak`.
fn matrix(trak: &[u8]) -> Result<Option<usize>, CmafError> {
    for found in children(TRAK, trak) {
        let found = found?;
        if found.kind != *b"tkhd" {
            continue;
        }
        let mut fields = Fields::new(*b"tkhd", found.body);
        let (version, _) = fields.version_and_flags()?;
        fields.skip(if version == 1 { 32 } else { 20 })?; // times, track, duration
        fields.skip(16)?; // reserved, layer, group, volume
        let before = found.body.len() - fields.rest().len();
        fields.skip(UPRIGHT.len())?;
        return Ok(Some(found.offset + before));
    }
    Ok(None)
}

fn defaults(moov: &[u8]) -> Result<Defaults, CmafError> {
    let mvex = child(MOOV, moov, *b"mvex", "no `mvex`: the stream is not fragmented")?;
    let mut trex = Fields::new(*b"trex", child(*b"mvex", mvex, *b"trex", "no `trex`")?);
    trex.version_and_flags()?;
    trex.skip(8)?; // track and sample description
    Ok(Defaults { duration: trex.u32()?, size: trex.u32()?, flags: trex.u32()? })
}

fn track(mdia: &[u8], timescale: u32, media_time: u64) -> Result<TrackInfo, CmafError> {
    let minf = child(*b"mdia", mdia, *b"minf", "no `minf`")?;
    let stbl = child(*b"minf", minf, *b"stbl", "no `stbl`")?;
    let stsd = child(*b"stbl", stbl, *b"stsd", "no `stsd`")?;
    let mut fields = Fields::new(*b"stsd", stsd);
    fields.version_and_flags()?;
    if fields.u32()? != 1 {
        return Err(CmafError::Unsupported("a track with more than one sample description"));
    }
    let entry = children(*b"stsd", fields.rest())
        .next()
        .ok_or_else(|| malformed(*b"stsd", "no sample entry"))??;
    match &entry.kind {
        b"avc1" if media_time != 0 => Err(CmafError::Unsupported("video with an edit list")),
        b"avc1" => video(entry.body, timescale),
        b"mp4a" => audio(entry.body, timescale, media_time),
        _ => Err(CmafError::Unsupported("a codec other than H.264 and AAC")),
    }
}

/// Units a second, from `mdhd` or `mvhd`, which begin alike.
fn timescale(mdhd: &[u8]) -> Result<u32, CmafError> {
    let mut fields = Fields::new(*b"mdhd", mdhd);
    let (version, _) = fields.version_and_flags()?;
    fields.skip(if version == 1 { 16 } else { 8 })?; // creation and modification
    match fields.u32()? {
        0 => Err(malformed(*b"mdhd", "a timescale of zero")),
        timescale => Ok(timescale),
    }
}

/// An edit list: an optional pause, then the track from `media_time` on.
#[derive(Debug, Default)]
struct Edit {
    /// In units of the movie's timescale.
    pause: u64,
    /// In units of the track's timescale.
    media_time: u64,
    /// Where the four characters of `edts` are in the payload of `trak`.
    edts_at: usize,
}

fn edit(trak: &[u8]) -> Result<Edit, CmafError> {
    let mut edit = Edit::default();
    for found in children(TRAK, trak) {
        let found = found?;
        if found.kind != *b"edts" {
            continue;
        }
        edit.edts_at = found.offset.saturating_sub(4);
        let elst = child(*b"edts", found.body, *b"elst", "no `elst`")?;
        let mut fields = Fields::new(*b"elst", elst);
        let (version, _) = fields.version_and_flags()?;
        let entries = fields.u32()?;
        for index in 0..entries.min(3) {
            let (duration, media_time) = entry(&mut fields, version)?;
            match (index, media_time) {
                (0, None) if entries == 2 => edit.pause = duration,
                (_, Some(time)) if index + 1 == entries => edit.media_time = time,
                _ => {
                    return Err(CmafError::Unsupported(
                        "an edit list of more than a delay and a cut",
                    ));
                }
            }
        }
        break;
    }
    // The priming of an encoder is a frame or two; more would be cut out of the film.
    if edit.media_time > u64::from(u16::MAX) {
        return Err(CmafError::Unsupported("an edit list that cuts the track"));
    }
    Ok(edit)
}

/// Duration and media time of one edit; no media time for an empty edit.
fn entry(fields: &mut Fields<'_>, version: u8) -> Result<(u64, Option<u64>), CmafError> {
    let entry = if version == 1 {
        (fields.u64()?, Some(fields.u64()?).filter(|time| *time != u64::MAX))
    } else {
        let (duration, time) = (fields.u32()?, fields.u32()?);
        (u64::from(duration), Some(time).filter(|time| *time != u32::MAX).map(u64::from))
    };
    fields.skip(4)?; // rate
    Ok(entry)
}

fn video(entry: &[u8], timescale: u32) -> Result<TrackInfo, CmafError> {
    let mut fields = Fields::new(*b"avc1", entry);
    fields.skip(24)?;
    let (width, height) = (u32::from(fields.u16()?), u32::from(fields.u16()?));
    fields.skip(50)?; // resolution, frame count, compressor name, depth
    let avcc = child(*b"avc1", fields.rest(), *b"avcC", "no `avcC`")?;
    if width == 0 || height == 0 {
        return Err(malformed(*b"avc1", "a picture without width or height"));
    }
    Ok(TrackInfo { codecs: codec::avc(avcc)?, timescale, media: Media::Video { width, height } })
}

fn audio(entry: &[u8], timescale: u32, priming: u64) -> Result<TrackInfo, CmafError> {
    let mut fields = Fields::new(*b"mp4a", entry);
    fields.skip(16)?;
    let channels = fields.u16()?;
    fields.skip(6)?; // sample size, pre-defined, reserved
    let sample_rate_hz = fields.u32()? >> 16; // 16.16 fixed point
    let esds = child(*b"mp4a", fields.rest(), *b"esds", "no `esds`")?;
    let media = Media::Audio { channels, sample_rate_hz, priming };
    Ok(TrackInfo { codecs: codec::mp4a(esds)?, timescale, media })
}
