//! Handing this process over to another program.
//!
//! Owns the one call by which a command becomes the program that it stands for: no child, no sandbox, the
//! same process id. It is here because everything is that starts a program.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Becomes `program` with `args`, in place of the running program. Open files that are not inherited are
/// closed; standard streams, environment and process id stay.
///
/// Returns only when that fails, with the system's error.
pub fn replace_process(
    program: &Path,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> io::Error {
    Command::new(program).args(args).exec()
}
