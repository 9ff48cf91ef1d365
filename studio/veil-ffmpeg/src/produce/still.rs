//! What a file of one picture is, told by its first bytes.
//!
//! Owns: the kinds that are taken, and the one demuxer for each: FFmpeg never guesses, and never reads a name as a pattern.

use std::path::{Path, PathBuf};

use tokio::io::AsyncReadExt as _;

use crate::error::{Error, Refusal};

/// The largest file of one picture.
pub const STILL_BYTES_MAX: u64 = 64 << 20;

/// A picture in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// The file, canonical.
    pub path: PathBuf,
    /// FFmpeg's name of the demuxer.
    pub(crate) demuxer: &'static str,
}

impl Still {
    /// Looks at a file. `None` where it is no picture of a kind that is taken: PNG, JPEG, WebP.
    ///
    /// # Errors
    /// [`Refusal`] for a file that can't be read, is no file, or is larger than [`STILL_BYTES_MAX`].
    pub async fn inspect(path: &Path) -> Result<Option<Self>, Error> {
        let unreadable = |error: std::io::Error| Refusal::Unreadable(error.to_string());
        let path = tokio::fs::canonicalize(path).await.map_err(unreadable)?;
        let metadata = tokio::fs::metadata(&path).await.map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Refusal::NotAFile.into());
        }
        let mut head = Vec::new();
        let file = tokio::fs::File::open(&path).await.map_err(unreadable)?;
        file.take(16).read_to_end(&mut head).await.map_err(unreadable)?;
        let Some(demuxer) = demuxer(&head) else { return Ok(None) };
        if metadata.len() > STILL_BYTES_MAX {
            return Err(Refusal::NotMedia("the picture has more than 64 MiB".to_owned()).into());
        }
        Ok(Some(Self { path, demuxer }))
    }
}

fn demuxer(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("png_pipe"),
        [0xff, 0xd8, 0xff, ..] => Some("jpeg_pipe"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp_pipe"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        assert_eq!(demuxer(b"\x89PNG\r\n\x1a\n...."), Some("png_pipe"));
        assert_eq!(demuxer(b"\xff\xd8\xff\xe0"), Some("jpeg_pipe"));
        assert_eq!(demuxer(b"RIFF\0\0\0\0WEBPVP8 "), Some("webp_pipe"));
        for other in [&b"RIFF\0\0\0\0WAVE"[..], b"", b"\x89PNG", b"<svg"] {
            assert_eq!(demuxer(other), None);
        }
    }
}
