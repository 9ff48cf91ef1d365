//! Messages of jobs that hide: typed, and sealed to the studio's identity from then on.
//!
//! Owns: the sealed file in a job's folder (`docs/format/sealed-file.md`). Refuses to know: when a job has ended for good. Invariant: no file
//! and no row holds a message in clear.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::folder::Folder;
use super::limits::MESSAGE_BYTES_MAX;
use super::verbs::Failure;
use super::{JobError, JobMessage, JobSpec};
use crate::Studio;
use crate::hide::{PayloadSource, Spooled};
use crate::keystore::os_rng;

/// What a message is called where it is taken out again.
const NAME: &str = "message.txt";

/// Puts the message of a job, if it has one, sealed into its folder; what is kept of the job only says that it is there.
pub(super) fn keep(studio: &Studio, folder: &Folder, spec: &mut JobSpec) -> Result<(), JobError> {
    let JobSpec::Hide(job) = spec else { return Ok(()) };
    let text = match &job.message {
        None => return Ok(()),
        Some(JobMessage::Sealed {}) => {
            return Err(JobError::Spec("a message is typed".to_owned()));
        }
        Some(JobMessage::Text { text }) => text.text().as_bytes(),
    };
    if text.len() > MESSAGE_BYTES_MAX {
        let most = format!("a message has at most {MESSAGE_BYTES_MAX} bytes: hide a file instead");
        return Err(JobError::Spec(most));
    }
    let sealed = studio.keystore().seal_file(text)?;
    let path = folder.made()?.message();
    write(&path, &sealed).map_err(JobError::file("cannot write", path))?;
    job.message = Some(JobMessage::Sealed {});
    Ok(())
}

/// Writes what only we may read; of a job that was never written down its number is given again, and this may be in its place.
fn write(path: &Path, sealed: &[u8]) -> io::Result<()> {
    let mut file =
        fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(sealed)?;
    file.sync_all()
}

/// Opens a job's message for hiding.
pub(super) fn opened(studio: &Studio, folder: &Folder) -> Result<PayloadSource, Failure> {
    let path = folder.message();
    let file = fs::File::open(&path).map_err(JobError::file("cannot read", &path))?;
    let reader = studio.keystore().open_file(file);
    let reader = reader.map_err(JobError::file("cannot open", &path))?;
    let content = Spooled::new(reader, "the message", MESSAGE_BYTES_MAX as u64, &mut os_rng())?;
    Ok(PayloadSource::Spooled { name: NAME.to_owned(), content })
}
