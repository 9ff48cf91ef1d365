//! Why a sealed file could not be read or written, in words for a person.

use std::io;

use veil_seal::SealError;
use veil_seal::chunks::CHUNK_BYTES;

use crate::error::CliError;
use crate::flow::FlowError;

/// Says what is wrong with the sealed file `name`.
pub(crate) fn refused(error: SealError, name: &str) -> CliError {
    let says = |text: &str| CliError::new(format!("{name} {text}"));
    match error {
        SealError::Truncated => {
            says("is truncated: its end is missing").hint("copy or download it again")
        }
        SealError::WrongKey => says("holds a body that belongs to another keyring")
            .hint("two files were mixed up, or its key was changed: get another copy"),
        SealError::Tampered { chunk } => {
            let first = chunk * CHUNK_BYTES as u64;
            says(&format!("was changed or damaged: chunk {chunk}, from byte {first}, is not what was sealed"))
                .hint("get another copy; another --range may still open")
        }
        SealError::WrongIdentity => says("was not sealed for this identity").hint(
            "give -i the identity of one of its recipients; `veilcast inspect` tells how many there are",
        ),
        SealError::WrongPassphrase => CliError::new(format!("the passphrase does not open {name}"))
            .hint("try again; upper and lower case and every space count"),
        SealError::TamperedKeyring => says("has a keyring that was changed or damaged")
            .hint("get another copy, or ask whoever sealed it"),
        SealError::UnknownVersion { .. } => {
            says("is sealed in a newer way than this program knows").hint("update Veilcast")
        }
        SealError::NoRecipient => CliError::new("nobody could open the file")
            .hint("name at least one recipient with -r, or give it a --passphrase"),
        error => says(&format!("is not possible: {error}")),
    }
}

/// Says why bytes did not get from `input` to `output`.
pub(crate) fn stopped(error: FlowError, input: &str, output: &str) -> CliError {
    match error {
        FlowError::Read(error) => unreadable(&error, input),
        FlowError::Write(error) => unwritable(&error, output),
        FlowError::Changed => CliError::new(format!("{input} changed while it was read"))
            .hint("wait until nothing writes to it any more, and try again"),
        FlowError::Seal(error) => refused(error, input),
    }
}

/// Says why `name` can't be read; a refusal inside the error is told as one.
pub(crate) fn unreadable(error: &io::Error, name: &str) -> CliError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<SealError>());
    if let Some(refusal) = inner {
        return refused(*refusal, name);
    }
    if let Some(told) = error.get_ref().and_then(|inner| inner.downcast_ref::<CliError>()) {
        return told.clone();
    }
    match error.kind() {
        io::ErrorKind::IsADirectory => CliError::new(format!("{name} is a folder"))
            .hint(format!("pack it first: tar -c {name} | veilcast seal …")),
        _ => CliError::new(format!("cannot read {name}: {error}")),
    }
}

/// Says why `name` can't be written.
pub(crate) fn unwritable(error: &io::Error, name: &str) -> CliError {
    let failed = CliError::new(format!("cannot write {name}: {error}"));
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            failed.hint("free some space; nothing was kept of what was written")
        }
        io::ErrorKind::BrokenPipe => failed.hint("whoever read the output has stopped"),
        io::ErrorKind::PermissionDenied => failed.hint("choose a folder that you may write to"),
        _ => failed,
    }
}
