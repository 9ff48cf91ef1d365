//! Secrets of jobs: sealed before they are kept, opened when they are needed, forgotten when they aren't any more.
//!
//! Owns: what lies in the table. Refuses to know: what a secret is for. Invariant: a row never holds a passphrase in clear.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use veil_seal::SealError;
use veil_seal::file::Passphrase;
use zeroize::Zeroizing;

use super::{JobError, JobId, JobSecret, JobSpec};
use crate::hide::StructuralSecret;
use crate::{Studio, StudioError, data};

/// The longest key file that is read.
const KEY_BYTES_MAX: u64 = 1 << 20;

/// What is kept of a job: its passphrase is sealed to the studio's identity, for this job alone.
pub(super) fn sealed(studio: &Studio, id: JobId, spec: &mut JobSpec) -> Result<String, JobError> {
    if let Some(secret) = spec.secret_mut() {
        match secret {
            JobSecret::Passphrase { text } => {
                let sealed = studio.keystore().seal_for_job(number(id), text.text().as_bytes())?;
                *secret = JobSecret::Sealed { sealed: BASE64_STANDARD.encode(sealed) };
            }
            JobSecret::PassphraseFile { .. } | JobSecret::KeyFile { .. } => {}
            JobSecret::Sealed { .. } | JobSecret::Forgotten => {
                return Err(JobError::Spec("a secret is typed, or lies in a file".to_owned()));
            }
        }
    }
    text(spec)
}

/// What is kept of a job that is done; `None` where that is what is kept already.
pub(super) fn forgotten(mut spec: JobSpec) -> Option<String> {
    let secret = spec.secret_mut()?;
    *secret = JobSecret::Forgotten;
    text(&spec).ok()
}

fn text(spec: &JobSpec) -> Result<String, JobError> {
    serde_json::to_string(spec).map_err(|error| JobError::Spec(error.to_string()))
}

/// Opens a secret.
pub(super) fn opened(
    studio: &Studio,
    id: JobId,
    secret: &JobSecret,
) -> Result<StructuralSecret, StudioError> {
    let malformed = || StudioError::from(SealError::Malformed { what: "the passphrase" });
    let passphrase = match secret {
        JobSecret::KeyFile { path } => {
            return Ok(StructuralSecret::KeyFile(data::read_key(path, KEY_BYTES_MAX)?));
        }
        JobSecret::PassphraseFile { path } => {
            let text = data::read_secret(path)?.ok_or_else(|| {
                StudioError::file("cannot read", path)(std::io::ErrorKind::NotFound.into())
            })?;
            Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
        }
        JobSecret::Passphrase { text } => text.text().clone(),
        JobSecret::Sealed { sealed } => {
            let sealed = BASE64_STANDARD.decode(sealed).map_err(|_| malformed())?;
            let opened = studio.keystore().unseal_for_job(number(id), &sealed)?;
            let text = str::from_utf8(&opened).map_err(|_| malformed())?;
            Zeroizing::new(text.to_owned())
        }
        JobSecret::Forgotten => return Err(malformed()),
    };
    Ok(StructuralSecret::Passphrase(Passphrase::new(passphrase)?))
}

fn number(id: JobId) -> u64 {
    id.0.unsigned_abs()
}
