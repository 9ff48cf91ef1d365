//! Files with a secret in them.
//!
//! Owns the condition under which one is read: nobody but its owner may. Refuses to show what is in it.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::Failure;

/// Largest file, in bytes: a few short lines and a comment.
const FILE_BYTES_MAX: u64 = 16 << 10;

/// Reads a file; `what` is what a person calls it, `option` what named it, and `form` says what it
/// should hold.
pub(crate) fn read(
    path: &Path,
    what: &str,
    option: &str,
    form: &'static str,
) -> Result<Zeroizing<String>, Failure> {
    let shown = path.display();
    let unreadable = |error| {
        let hint = format!("name a file that this user may read with {option}");
        Failure::new(format!("the {what} {shown} cannot be read: {error}"), hint)
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.mode() & 0o077 != 0 {
        let error = format!("the {what} {shown} is open to other users of this machine");
        return Err(Failure::new(error, "close it: chmod 600 FILE"));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let error = format!("the {what} {shown} is larger than 16 KiB");
        return Err(Failure::new(error, form));
    }
    Ok(text)
}
