//! Samples as a WAV file: one channel of 16-bit integers.
//!
//! Owns: the head of 44 bytes (RIFF, Multimedia Programming Interface 1.0). Refuses to know: where samples come from.

/// The file of these samples.
///
/// # Errors
/// For more than fit into a file of 4 GiB.
pub(crate) fn bytes(rate_hz: u32, samples: &[i16]) -> Result<Vec<u8>, String> {
    let too_long = |_| "the speech is too long for a WAV file".to_owned();
    let length = u32::try_from(samples.len() * 2).map_err(too_long)?;
    let whole = length.checked_add(36).ok_or_else(|| "the speech is too long".to_owned())?;
    let mut bytes = Vec::with_capacity(44 + samples.len() * 2);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&whole.to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend_from_slice(&rate_hz.to_le_bytes());
    bytes.extend_from_slice(&(rate_hz * 2).to_le_bytes());
    bytes.extend_from_slice(b"\x02\0\x10\0data");
    bytes.extend_from_slice(&length.to_le_bytes());
    samples.iter().for_each(|sample| bytes.extend_from_slice(&sample.to_le_bytes()));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_says_what_follows() {
        let file = bytes(22_050, &[1, -1]).unwrap();
        assert_eq!(file.len(), 48);
        assert_eq!(&file[4..8], &40_u32.to_le_bytes());
        assert_eq!(&file[24..28], &22_050_u32.to_le_bytes());
        assert_eq!(&file[40..], &[4, 0, 0, 0, 1, 0, 255, 255]);
    }
}
