//! What was found out about FFmpeg before, in a file.
//!
//! Owns: the file, and when it still holds: both programs are the files that were asked, as their place, length and times say, and were
//! asked for all that is needed now. Refuses to know: where the file lies. Invariant: a file that is missing, strange or unwritable costs the
//! questions, and is no error.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ENCODERS, FILTERS, HDR_FILTERS, Tools};

/// The longest file that is read.
const BYTES_MAX: u64 = 16 << 10;

/// What the file says.
#[derive(Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Known {
    ffmpeg: Program,
    ffprobe: Program,
    /// What was asked for.
    needs: Vec<String>,
    version: String,
    tone_maps: bool,
}

/// A program's file, as it was when it was asked.
#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Program {
    path: PathBuf,
    bytes: u64,
    inode: (u64, u64),
    /// When content and owner, mode or name changed last, in seconds and nanoseconds.
    changed: [i64; 4],
}

/// Reads what is known of these two programs.
pub(super) fn read(file: &Path, ffmpeg: &Path, ffprobe: &Path) -> Option<Tools> {
    let metadata = fs::metadata(file).ok()?;
    let text = (metadata.len() <= BYTES_MAX).then(|| fs::read(file).ok())??;
    let known: Known = serde_json::from_slice(&text).ok()?;
    let tools = known.tools();
    let now = Known::of(&Tools { ffmpeg: ffmpeg.into(), ffprobe: ffprobe.into(), ..tools.clone() });
    (now? == known).then_some(tools)
}

/// Keeps what was found out.
pub(super) fn write(file: &Path, tools: &Tools) {
    let Some(known) = Known::of(tools) else { return };
    let Some(folder) = file.parent() else { return };
    let written = serde_json::to_vec(&known).map_err(std::io::Error::from).and_then(|text| {
        let mut beside = tempfile::NamedTempFile::new_in(folder)?;
        beside.write_all(&text)?;
        beside.persist(file).map_err(|error| error.error)
    });
    // It is asked again next time.
    drop(written);
}

impl Known {
    fn of(tools: &Tools) -> Option<Self> {
        let needs = ENCODERS.iter().chain(&FILTERS).chain(&HDR_FILTERS);
        Some(Self {
            ffmpeg: Program::of(&tools.ffmpeg)?,
            ffprobe: Program::of(&tools.ffprobe)?,
            needs: needs.map(|need| (*need).to_owned()).collect(),
            version: tools.version.clone(),
            tone_maps: tools.tone_maps,
        })
    }

    fn tools(&self) -> Tools {
        Tools {
            ffmpeg: self.ffmpeg.path.clone(),
            ffprobe: self.ffprobe.path.clone(),
            version: self.version.clone(),
            tone_maps: self.tone_maps,
        }
    }
}

impl Program {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let changed =
            [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
        let inode = (metadata.dev(), metadata.ino());
        Some(Self { path: path.to_owned(), bytes: metadata.len(), inode, changed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools(folder: &Path) -> Tools {
        let program = |name: &str| {
            let path = folder.join(name);
            fs::write(&path, name).unwrap();
            path
        };
        let (ffmpeg, ffprobe) = (program("ffmpeg"), program("ffprobe"));
        Tools { ffmpeg, ffprobe, version: "7.1".to_owned(), tone_maps: true }
    }

    #[test]
    fn what_is_known_holds_until_a_program_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (tools, file) = (tools(folder.path()), folder.path().join("known"));
        let read = || read(&file, &tools.ffmpeg, &tools.ffprobe);
        assert_eq!(read(), None);
        write(&file, &tools);
        assert_eq!(read().as_ref(), Some(&tools));
        assert_eq!(super::read(&file, &tools.ffprobe, &tools.ffprobe), None, "another program");
        fs::write(&tools.ffprobe, "another").unwrap();
        assert_eq!(read(), None);
        write(&file, &tools);
        assert!(read().is_some());
        fs::remove_file(&tools.ffmpeg).unwrap();
        assert_eq!(read(), None);
    }

    #[test]
    fn a_strange_file_and_one_that_asked_for_less_say_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (tools, file) = (tools(folder.path()), folder.path().join("known"));
        for strange in [&b"{}"[..], b"\xff", &[b' '; 20_000]] {
            fs::write(&file, strange).unwrap();
            assert_eq!(read(&file, &tools.ffmpeg, &tools.ffprobe), None);
        }
        let mut known = Known::of(&tools).unwrap();
        known.needs.pop();
        fs::write(&file, serde_json::to_vec(&known).unwrap()).unwrap();
        assert_eq!(read(&file, &tools.ffmpeg, &tools.ffprobe), None);
        write(Path::new("/nonexistent/known"), &tools);
    }
}
