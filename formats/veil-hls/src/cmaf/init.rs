//! Reads the initialisation segment: one track, its codec, its clock, its defaults.
//!
//! Owns: the way through `moov` (ISO/IEC 14496-12 §8.2). Refuses to know: fragments.

use super::boxes::{Fields, Kind, child, children, find, malformed};
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

/// Reads the payload of a `moov` box.
pub(super) fn parse(moov: &[u8]) -> Result<(TrackInfo, Defaults), CmafError> {
    let mut traks = Vec::new();
    for found in children(MOOV, moov) {
        let found = found?;
        if found.kind == TRAK {
            traks.push(found.body);
        }
    }
    let [trak] = traks[..] else {
        return Err(CmafError::Unsupported("a stream that does not have exactly one track"));
    };
    Ok((track(trak)?, defaults(moov)?))
}

fn defaults(moov: &[u8]) -> Result<Defaults, CmafError> {
    let mvex = child(MOOV, moov, *b"mvex", "no `mvex`: the stream is not fragmented")?;
    let mut trex = Fields::new(*b"trex", child(*b"mvex", mvex, *b"trex", "no `trex`")?);
    trex.version_and_flags()?;
    trex.skip(8)?; // track and sample description
    Ok(Defaults { duration: trex.u32()?, size: trex.u32()?, flags: trex.u32()? })
}

fn track(trak: &[u8]) -> Result<TrackInfo, CmafError> {
    let mdia = child(TRAK, trak, *b"mdia", "no `mdia`")?;
    let timescale = timescale(child(*b"mdia", mdia, *b"mdhd", "no `mdhd`")?)?;
    let minf = child(*b"mdia", mdia, *b"minf", "no `minf`")?;
    let stbl = child(*b"minf", minf, *b"stbl", "no `stbl`")?;
    let stsd = child(*b"stbl", stbl, *b"stsd", "no `stsd`")?;
    let mut fields = Fields::new(*b"stsd", stsd);
    fields.version_and_flags()?;
    if fields.u32()? != 1 {
        return Err(CmafError::Unsupported("a track with more than one sample description"));
    }
    let media_time = edit(trak)?;
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

fn timescale(mdhd: &[u8]) -> Result<u32, CmafError> {
    let mut fields = Fields::new(*b"mdhd", mdhd);
    let (version, _) = fields.version_and_flags()?;
    fields.skip(if version == 1 { 16 } else { 8 })?; // creation and modification
    match fields.u32()? {
        0 => Err(malformed(*b"mdhd", "a timescale of zero")),
        timescale => Ok(timescale),
    }
}

/// The media time at which presentation starts, from an edit list of at most one edit.
fn edit(trak: &[u8]) -> Result<u64, CmafError> {
    let Some(edts) = find(TRAK, trak, *b"edts")? else { return Ok(0) };
    let mut elst = Fields::new(*b"elst", child(*b"edts", edts, *b"elst", "no `elst`")?);
    let (version, _) = elst.version_and_flags()?;
    if elst.u32()? != 1 {
        return Err(CmafError::Unsupported("an edit list with more than one edit"));
    }
    // Read as unsigned, so that the empty edit (-1) is far too large and refused like the rest.
    let media_time = if version == 1 {
        elst.skip(8)?;
        elst.u64()?
    } else {
        elst.skip(4)?;
        u64::from(elst.u32()?)
    };
    if media_time > u64::from(u16::MAX) {
        return Err(CmafError::Unsupported("an edit list that delays or cuts the track"));
    }
    Ok(media_time)
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
