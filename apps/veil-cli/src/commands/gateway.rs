//! `veilcast gateway`: the gateway's own program, under this program's name.
//!
//! Becomes `veilcast-gateway`, so that signals, exit code and process id are its own. Reads no data
//! folder: a gateway has no keys.

use std::ffi::OsString;

use crate::commands::up::gateway_binary;
use crate::error::CliError;

pub(crate) fn run(args: &[OsString]) -> Result<(), CliError> {
    let program = gateway_binary()?;
    let error = veil_ffmpeg::replace_process(&program, args);
    Err(CliError::new(format!("{} cannot be started: {error}", program.display()))
        .hint("`veilcast` and `veilcast-gateway` belong into one folder, both executable"))
}
