//! The display matrix of a finished MP4 or `QuickTime` file.
//!
//! FFmpeg 5.1 can't be told how a picture that it encodes is to be turned, only one that it copies. So the nine numbers are put into the
//! track's header afterwards, where they always lie (ISO/IEC 14496-12 §8.3.2). Owns: that walk. Refuses to know: every other box. Invariant:
//! nothing but those 36 bytes changes.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

/// Most boxes that are looked at on one level: a file of ours has some ten.
const BOXES_MAX: usize = 10_000;

/// Writes the matrix of the first picture's track.
///
/// # Errors
/// `InvalidData` where there is no such track, and those of the file.
pub(crate) fn set(file: &File, matrix: [i32; 9]) -> io::Result<()> {
    let length = file.metadata()?.len();
    let missing = || io::Error::new(io::ErrorKind::InvalidData, "no track with a picture");
    let movie = find(file, 0..length, *b"moov")?.ok_or_else(missing)?;
    for (_, track) in boxes(file, movie)?.into_iter().filter(|(kind, _)| kind == b"trak") {
        let media = find(file, track.clone(), *b"mdia")?;
        let handler = media.map(|media| find(file, media, *b"hdlr")).transpose()?.flatten();
        let header = find(file, track, *b"tkhd")?;
        let (Some(handler), Some(header)) = (handler, header) else { continue };
        let mut kind = [0; 4];
        file.read_exact_at(&mut kind, handler.start + 8)?;
        if &kind != b"vide" {
            continue;
        }
        let mut version = [0];
        file.read_exact_at(&mut version, header.start)?;
        // Version and flags; times, number and duration of 4 or 8 bytes; reserved; layer, group, volume.
        let times = if version[0] == 0 { 20 } else { 32 };
        let numbers: Vec<u8> = matrix.iter().flat_map(|number| number.to_be_bytes()).collect();
        return file.write_all_at(&numbers, header.start + 4 + times + 8 + 8);
    }
    Err(missing())
}

fn find(file: &File, within: Range<u64>, kind: [u8; 4]) -> io::Result<Option<Range<u64>>> {
    let found = boxes(file, within)?.into_iter().find(|(found, _)| *found == kind);
    Ok(found.map(|(_, body)| body))
}

/// The boxes of a level: kind, and where the body lies.
fn boxes(file: &File, within: Range<u64>) -> io::Result<Vec<([u8; 4], Range<u64>)>> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a box has no possible size");
    let mut found = Vec::new();
    let mut at = within.start;
    while at + 8 <= within.end && found.len() < BOXES_MAX {
        let mut word = [0; 4];
        file.read_exact_at(&mut word, at)?;
        let mut kind = [0; 4];
        file.read_exact_at(&mut kind, at + 4)?;
        let (header, size) = match u32::from_be_bytes(word) {
            0 => (8, within.end - at),
            1 => {
                let mut long = [0; 8];
                file.read_exact_at(&mut long, at + 8)?;
                (16, u64::from_be_bytes(long))
            }
            size => (8, u64::from(size)),
        };
        let end = at.checked_add(size).filter(|end| *end <= within.end && size >= header);
        let end = end.ok_or_else(damaged)?;
        found.push((kind, at + header..end));
        at = end;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len() + 8).unwrap().to_be_bytes();
        [&size, kind.as_slice(), body].concat()
    }

    fn track(handler: &[u8; 4], version: u8) -> Vec<u8> {
        let header = [vec![version], vec![0; if version == 0 { 83 } else { 95 }]].concat();
        let media =
            boxed(b"mdia", &boxed(b"hdlr", &[&[0; 8], handler.as_slice(), &[0; 12]].concat()));
        boxed(b"trak", &[boxed(b"tkhd", &header), media].concat())
    }

    fn changed(tracks: &[Vec<u8>]) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let bytes = [boxed(b"ftyp", b"isom"), boxed(b"moov", &tracks.concat())].concat();
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("x.mp4");
        File::create(&path)?.write_all(&bytes)?;
        set(&File::options().read(true).write(true).open(&path)?, [1, 2, 3, 4, 5, 6, 7, 8, 9])?;
        Ok((bytes, std::fs::read(path)?))
    }

    #[test]
    fn the_picture_s_track_gets_the_matrix_and_nothing_else_changes() {
        for (version, at) in [(0, 40), (1, 52)] {
            let sound = track(b"soun", 0);
            let (before, after) = changed(&[sound.clone(), track(b"vide", version)]).unwrap();
            let start = 12 + 8 + sound.len() + 8 + 8 + at;
            let numbers: Vec<u8> = (1..=9_i32).flat_map(i32::to_be_bytes).collect();
            assert_eq!(after[start..start + 36], numbers, "version {version}");
            assert_eq!(before[..start], after[..start]);
            assert_eq!(before[start + 36..], after[start + 36..]);
        }
    }

    #[test]
    fn a_file_without_a_picture_or_with_impossible_boxes_is_refused() {
        assert!(changed(&[track(b"soun", 0)]).is_err());
        let mut long = track(b"vide", 0);
        long[0] = 0xff;
        assert!(changed(&[long]).is_err());
        assert!(changed(&[vec![0, 0, 0, 4, b't', b'r', b'a', b'k']]).is_err());
    }
}
