//! The certificate's files: reading them, and following their renewal.
//!
//! Owns when they are read again: at SIGHUP, and when one of them is another than it was. Invariant:
//! the certificate in use stays until another has been read whole, fits its key and is in force.

use std::convert::Infallible;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::Signal;
use veil_gateway::{Certificate, Config, Tls};
use zeroize::Zeroizing;

use crate::Failure;

/// Largest certificate or key file, in bytes: a chain of four takes 8 KB.
const FILE_BYTES_MAX: u64 = 256 << 10;

/// A file's device, number, time of change (seconds, nanoseconds) and size.
type Stamp = (u64, u64, i64, i64, u64);

/// Both files' paths, and how often to look at them.
#[derive(Clone)]
pub(crate) struct Files<'a> {
    certificate: &'a Path,
    key: &'a Path,
    look_every: Duration,
}

impl<'a> Files<'a> {
    /// The files that a configuration names; none for HTTP in clear.
    pub(crate) fn of(config: &'a Config) -> Option<Self> {
        let (certificate, key) = (config.tls.certificate.as_deref()?, config.tls.key.as_deref()?);
        let look_every = Duration::from_secs(config.tls.check_every_s.into());
        Some(Self { certificate, key, look_every })
    }

    /// Reads both files.
    pub(crate) fn read(&self) -> Result<Certificate, Failure> {
        let chain = read(self.certificate, "tls.certificate", |_| true)?;
        // A group may: certificates' keys are often shared with one (Debian's ssl-cert).
        let is_closed = |metadata: &Metadata| metadata.mode() & 0o027 == 0;
        let key = read(self.key, "tls.key", is_closed)?;
        Certificate::from_pem(&chain, &key).map_err(|error| {
            let (chain, key) = (self.certificate.display(), self.key.display());
            let hint =
                "name the chain as tls.certificate and its own private key as tls.key, in PEM";
            Failure::new(format!("{chain} with {key}: {error}"), hint)
        })
    }

    /// What tells one state of the files from another.
    fn stamp(&self) -> [Option<Stamp>; 2] {
        [self.certificate, self.key].map(|path| {
            let m = path.metadata().ok()?;
            Some((m.dev(), m.ino(), m.mtime(), m.mtime_nsec(), m.size()))
        })
    }

    /// Keeps `tls` at what lies in the files, for ever.
    pub(crate) async fn follow(self, tls: Tls, hangups: &mut Signal) -> Infallible {
        let mut looks = tokio::time::interval(self.look_every);
        let mut stamp = self.stamp();
        loop {
            let is_told = tokio::select! {
                told = hangups.recv() => told.is_some(),
                _ = looks.tick() => false,
            };
            let found = self.stamp();
            if !is_told && found == stamp {
                continue;
            }
            stamp = found;
            match self.read().and_then(in_force) {
                Ok(certificate) => {
                    tracing::info!(ends = %certificate.ends, "the certificate was read again");
                    tls.replace(certificate);
                }
                Err(Failure { error, hint }) => {
                    tracing::warn!(
                        error,
                        hint,
                        "the certificate stays: the new one cannot be used"
                    );
                }
            }
        }
    }
}

/// Refuses a certificate that has ended.
pub(crate) fn in_force(certificate: Certificate) -> Result<Certificate, Failure> {
    if certificate.ends > Timestamp::now() {
        return Ok(certificate);
    }
    let error = format!("the certificate ended at {}", certificate.ends);
    Err(Failure::new(error, "renew it, then send SIGHUP or wait until the change is seen"))
}

fn read(
    path: &Path,
    name: &str,
    is_fine: impl Fn(&Metadata) -> bool,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let shown = path.display();
    let unreadable = |error| {
        let hint = format!("name a file that this user may read as {name}");
        Failure::new(format!("{name} {shown} cannot be read: {error}"), hint)
    };
    let file = File::open(path).map_err(unreadable)?;
    if !is_fine(&file.metadata().map_err(unreadable)?) {
        let error = format!("{name} {shown} is open to other users of this machine");
        return Err(Failure::new(
            error,
            "close it: chmod 600 FILE, or 640 for a group that may read it",
        ));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 << 10));
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let hint = "name a PEM file, with one chain or one key";
        return Err(Failure::new(format!("{name} {shown} is larger than 256 KiB"), hint));
    }
    Ok(bytes)
}
