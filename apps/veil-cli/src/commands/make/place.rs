//! Where a video and its captions go: a file beside its place, renamed when it is whole.
//!
//! Owns: names of rows, and the moment of publishing. Refuses to know: what is in the files. Nothing here listens for signals: whoever stops
//! the run drops what isn't published, and that removes it.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use veil_studio::make::table::file_part;

use crate::error::CliError;
use crate::sealed::refusal::unwritable;

/// How much of a name stands in the name of what is written beside it, in characters.
const HIDDEN_NAME_MAX: usize = 40;

/// A file that isn't in its place yet.
pub(super) struct Place {
    temporary: NamedTempFile,
    place: PathBuf,
    force: bool,
}

impl Place {
    /// Begins a file that shall be at `place`.
    pub(super) fn begin(place: &Path, force: bool) -> Result<Self, CliError> {
        let name = place.display().to_string();
        if place.is_dir() {
            return Err(CliError::new(format!("{name} is a folder")).hint("name a file in it"));
        }
        if !force && fs::symlink_metadata(place).is_ok() {
            return Err(exists(&name));
        }
        let stem = place.file_name().map(|name| name.to_string_lossy().into_owned());
        let stem: String = stem.unwrap_or_default().chars().take(HIDDEN_NAME_MAX).collect();
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty());
        let temporary = tempfile::Builder::new()
            .prefix(&format!(".{stem}.veilcast-"))
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            .map_err(|error| unwritable(&error, &name))?;
        Ok(Self { temporary, place: place.to_owned(), force })
    }

    /// Where it lies until it is published.
    pub(super) fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Writes a text, and publishes it.
    pub(super) fn fill(mut self, text: &str) -> Result<(), CliError> {
        let written = io::Write::write_all(&mut self.temporary, text.as_bytes());
        written.map_err(|error| unwritable(&error, &self.place.display().to_string()))?;
        self.publish()
    }

    /// Makes it durable, and renames it into its place.
    pub(super) fn publish(self) -> Result<(), CliError> {
        let Self { temporary, place, force } = self;
        let name = place.display().to_string();
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(&name),
            _ => unwritable(&error, &name),
        };
        // Another process may have written it, by its name.
        File::open(temporary.path()).and_then(|file| file.sync_all()).map_err(failed)?;
        let moved = match force {
            true => temporary.persist(&place),
            false => temporary.persist_noclobber(&place),
        };
        moved.map(drop).map_err(|error| failed(error.error))
    }
}

fn exists(name: &str) -> CliError {
    CliError::new(format!("{name} is there already")).hint("--force overwrites it")
}

/// The places of a video's captions: WebVTT and `SubRip`.
pub(super) fn captions_beside(video: &Path) -> [PathBuf; 2] {
    ["vtt", "srt"].map(|end| video.with_extension(end))
}

/// The place of a row's video: with its values in the place of `{{field}}`, or with its number.
pub(super) fn of_row(out: &Path, number: usize, fields: &BTreeMap<String, String>) -> PathBuf {
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let filled = fields.iter().fold(name.clone(), |name, (field, value)| {
        name.replace(&format!("{{{{{field}}}}}"), &file_part(value))
    });
    if filled != name {
        return out.with_file_name(filled);
    }
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!("{stem}-{number:04}.mp4"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rows_name_is_its_number_or_what_its_columns_say() {
        let fields = [("who".to_owned(), "../Ann".to_owned())].into();
        let name = |out: &str| of_row(Path::new(out), 7, &fields).display().to_string();
        assert_eq!(name("a/out.mp4"), "a/out-0007.mp4");
        assert_eq!(name("a/hello-{{who}}.mp4"), "a/hello-.._Ann.mp4");
        assert_eq!(name("a/{{who}}.mp4"), "a/_Ann.mp4");
    }
}
