//! Spells the RFC 6381 codec string of a sample entry.
//!
//! Owns: the fields of `avcC` (ISO/IEC 14496-15 §5.3.3) and `esds` (ISO/IEC 14496-1 §7.2.6) that
//! the string needs. Refuses to know: everything else about the codec.

use super::CmafError;
use super::boxes::{Fields, malformed};

/// The `avc1.PPCCLL` string of an `avcC` payload.
pub(super) fn avc(avcc: &[u8]) -> Result<String, CmafError> {
    let mut fields = Fields::new(*b"avcC", avcc);
    if fields.u8()? != 1 {
        return Err(malformed(*b"avcC", "unknown configuration version"));
    }
    let (profile, constraints, level) = (fields.u8()?, fields.u8()?, fields.u8()?);
    Ok(format!("avc1.{profile:02x}{constraints:02x}{level:02x}"))
}

/// The `mp4a.40.N` string of an `esds` payload.
pub(super) fn mp4a(esds: &[u8]) -> Result<String, CmafError> {
    let mut fields = Fields::new(*b"esds", esds);
    fields.version_and_flags()?;
    let mut stream = descriptor(fields.rest(), 0x03)?;
    stream.skip(2)?; // ES_ID
    let flags = stream.u8()?;
    if flags & 0xe0 != 0 {
        return Err(CmafError::Unsupported("an elementary stream descriptor with dependencies"));
    }
    let mut decoder = descriptor(stream.rest(), 0x04)?;
    let object_type = decoder.u8()?;
    if object_type != 0x40 {
        return Err(CmafError::Unsupported("audio that is not MPEG-4 AAC"));
    }
    decoder.skip(12)?; // stream type, buffer size, maximum and average bit rate
    let mut config = descriptor(decoder.rest(), 0x05)?;
    let first = config.u16()?;
    let audio_object_type = match first >> 11 {
        31 => 32 + ((first >> 5) & 0x3f),
        small => small,
    };
    Ok(format!("mp4a.40.{audio_object_type}"))
}

/// The body of the descriptor with tag `tag` that `bytes` starts with.
fn descriptor(bytes: &[u8], tag: u8) -> Result<Fields<'_>, CmafError> {
    let mut fields = Fields::new(*b"esds", bytes);
    if fields.u8()? != tag {
        return Err(malformed(*b"esds", "descriptors out of order"));
    }
    // A length of at most four bytes, seven bits each, the top bit set on all but the last.
    let mut length = 0_usize;
    for _ in 0..4 {
        let byte = fields.u8()?;
        length = (length << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok(Fields::new(*b"esds", fields.bytes(length)?));
        }
    }
    Err(malformed(*b"esds", "a descriptor length of more than four bytes"))
}
