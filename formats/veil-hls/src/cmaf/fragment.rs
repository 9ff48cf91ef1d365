//! Reads one `moof`, and shifts its composition offsets in place.
//!
//! Owns: `tfhd`, `tfdt` and `trun` (ISO/IEC 14496-12 §8.8). Refuses to know: segments, codecs.
//!
//! Invariant: the sizes of the samples add up to the `mdat` that follows, or the splitter refuses.

use super::boxes::{Child, Fields, Kind, children, children_of_kind, malformed};
use super::init::Defaults;
use super::{CmafError, RUNS_MAX, SAMPLES_MAX};

const MOOF: Kind = *b"moof";
const TRAF: Kind = *b"traf";
const TRUN: Kind = *b"trun";

/// `sample_is_non_sync_sample` of the sample flags.
const NON_SYNC: u32 = 0x1_0000;

/// What the splitter needs of a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fragment {
    /// Decode time of the first sample, in timescale units.
    pub(super) start: u64,
    /// Sum of the sample durations.
    pub(super) duration: u64,
    /// Sum of the sample sizes.
    pub(super) data_bytes: u64,
    /// The first sample can be decoded alone.
    pub(super) starts_with_sync: bool,
    /// Composition offset of the first sample; two's complement for version 1.
    pub(super) first_offset: i64,
    /// Where the payload of `tfdt` is in the payload of `moof`.
    time_at: usize,
    runs: Vec<Run>,
}

/// Where the composition offsets of one `trun` are, as positions in the payload of `moof`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    version_at: usize,
    /// Absent when the box has no composition offsets.
    offsets: Option<Offsets>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Offsets {
    first_at: usize,
    stride: usize,
    count: usize,
}

/// Reads the payload of a `moof` box.
pub(super) fn parse(moof: &[u8], defaults: Defaults) -> Result<Fragment, CmafError> {
    let trafs = children_of_kind(MOOF, moof, TRAF)?;
    let [traf] = &trafs[..] else {
        return Err(malformed(MOOF, "not exactly one `traf`"));
    };
    track_fragment(traf, defaults)
}

fn track_fragment(traf: &Child<'_>, defaults: Defaults) -> Result<Fragment, CmafError> {
    let mut defaults = defaults;
    let (mut start, mut time_at) = (None, 0);
    let mut samples = Samples::default();
    for found in children(TRAF, traf.body) {
        let found = found?;
        match &found.kind {
            b"tfhd" => defaults = header(found.body, defaults)?,
            b"tfdt" => {
                start = Some(decode_time(found.body)?);
                time_at = traf.offset + found.offset;
            }
            b"trun" => samples.run(&found, traf.offset, defaults)?,
            _ => {}
        }
    }
    let start = start.ok_or_else(|| malformed(TRAF, "no `tfdt`"))?;
    let first = samples.first.ok_or_else(|| malformed(TRAF, "no samples"))?;
    Ok(Fragment {
        start,
        duration: samples.duration,
        data_bytes: samples.data_bytes,
        starts_with_sync: first.flags & NON_SYNC == 0,
        first_offset: first.offset,
        time_at,
        runs: samples.runs,
    })
}

fn header(tfhd: &[u8], defaults: Defaults) -> Result<Defaults, CmafError> {
    let mut fields = Fields::new(*b"tfhd", tfhd);
    let (_, flags) = fields.version_and_flags()?;
    fields.skip(4)?; // track
    if flags & 0x1 != 0 {
        return Err(CmafError::Unsupported("fragments with absolute data offsets"));
    }
    if flags & 0x2 != 0 {
        fields.skip(4)?; // sample description
    }
    let mut or = |bit: u32, other: u32| if flags & bit != 0 { fields.u32() } else { Ok(other) };
    Ok(Defaults {
        duration: or(0x8, defaults.duration)?,
        size: or(0x10, defaults.size)?,
        flags: or(0x20, defaults.flags)?,
    })
}

fn decode_time(tfdt: &[u8]) -> Result<u64, CmafError> {
    let mut fields = Fields::new(*b"tfdt", tfdt);
    let (version, _) = fields.version_and_flags()?;
    let time = if version == 1 { fields.u64()? } else { u64::from(fields.u32()?) };
    // Half of the range, so that sums of a time and a fragment's duration cannot overflow.
    if time > u64::MAX / 2 { Err(malformed(*b"tfdt", "a time beyond reason")) } else { Ok(time) }
}

#[derive(Default)]
struct Samples {
    duration: u64,
    data_bytes: u64,
    count: u32,
    first: Option<First>,
    runs: Vec<Run>,
}

#[derive(Clone, Copy)]
struct First {
    flags: u32,
    offset: i64,
}

impl Samples {
    fn run(&mut self, trun: &Child<'_>, base: usize, defaults: Defaults) -> Result<(), CmafError> {
        if self.runs.len() == RUNS_MAX {
            return Err(malformed(TRAF, "too many `trun` boxes"));
        }
        let mut fields = Fields::new(TRUN, trun.body);
        let (version, flags) = fields.version_and_flags()?;
        let count = fields.u32()?;
        self.count = self.count.saturating_add(count);
        if self.count > SAMPLES_MAX {
            return Err(malformed(TRUN, "too many samples"));
        }
        if flags & 0x1 != 0 {
            fields.skip(4)?; // data offset
        }
        let first_flags = if flags & 0x4 != 0 { Some(fields.u32()?) } else { None };
        let table = fields.rest();
        let stride = 4 * (flags & 0xf00).count_ones() as usize;
        let count = count as usize;
        if table.len() < stride * count {
            return Err(malformed(TRUN, "fewer samples than it says"));
        }
        let offset_at = 4 * (flags & 0x700).count_ones() as usize;
        let table_at = base + trun.offset + (trun.body.len() - table.len());
        self.runs.push(Run {
            version_at: base + trun.offset,
            offsets: (flags & 0x800 != 0).then_some(Offsets {
                first_at: table_at + offset_at,
                stride,
                count,
            }),
        });
        for index in 0..count {
            let first_flags = first_flags.filter(|_| index == 0);
            self.sample(&mut fields, version, flags, first_flags, defaults)?;
        }
        Ok(())
    }

    fn sample(
        &mut self,
        fields: &mut Fields<'_>,
        version: u8,
        flags: u32,
        first_flags: Option<u32>,
        defaults: Defaults,
    ) -> Result<(), CmafError> {
        let mut or = |bit: u32, other: u32| if flags & bit != 0 { fields.u32() } else { Ok(other) };
        self.duration += u64::from(or(0x100, defaults.duration)?);
        self.data_bytes += u64::from(or(0x200, defaults.size)?);
        let sample_flags = or(0x400, first_flags.unwrap_or(defaults.flags))?;
        let offset = or(0x800, 0)?;
        self.first.get_or_insert(First { flags: sample_flags, offset: signed(version, offset) });
        Ok(())
    }
}

/// A composition offset: unsigned in version 0 of `trun`, signed from version 1 on.
fn signed(version: u8, offset: u32) -> i64 {
    if version == 0 { i64::from(offset) } else { i64::from(offset.cast_signed()) }
}

/// Subtracts `shift` from every composition offset, in the payload of the `moof` that `fragment`
/// was read from.
///
/// Every `trun` becomes version 1: a version-0 offset minus the shift may be negative.
pub(super) fn shift(moof: &mut [u8], fragment: &Fragment, shift: i64) -> Result<(), CmafError> {
    for run in &fragment.runs {
        let broken = || malformed(TRUN, "a composition offset out of range");
        let version = moof.get_mut(run.version_at).ok_or_else(broken)?;
        let old = std::mem::replace(version, 1);
        // Without offsets every sample has offset 0, and there is no room to write another one.
        let offsets = run.offsets.as_ref().ok_or_else(broken)?;
        for index in 0..offsets.count {
            let at = offsets.first_at + index * offsets.stride;
            let field = moof.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<4>());
            let field = field.ok_or_else(broken)?;
            let shifted = signed(old, u32::from_be_bytes(*field)) - shift;
            *field = i32::try_from(shifted).map_err(|_| broken())?.to_be_bytes();
        }
    }
    Ok(())
}

/// Delays the fragment by `pause`, in the payload of the `moof` that it was read from.
pub(super) fn delay(moof: &mut [u8], fragment: &mut Fragment, pause: u64) -> Result<(), CmafError> {
    let broken = || malformed(*b"tfdt", "a time that cannot be moved");
    let start = fragment.start + pause;
    let tfdt = moof.get_mut(fragment.time_at..).ok_or_else(broken)?;
    let (version, time) = tfdt.split_at_mut_checked(4).ok_or_else(broken)?;
    if version.first() == Some(&1) {
        *time.first_chunk_mut().ok_or_else(broken)? = start.to_be_bytes();
    } else {
        let start = u32::try_from(start).map_err(|_| broken())?;
        *time.first_chunk_mut().ok_or_else(broken)? = start.to_be_bytes();
    }
    fragment.start = start;
    Ok(())
}
