//! The studio's identity, and title keys at rest sealed to it.
//!
//! Specification: `docs/format/envelope.md`. The identity is a file of its own, so that the
//! catalogue can be backed up without the power to open anything. What was unsealed is kept in
//! memory for five minutes, unless that is turned off.

use std::io::{self, Read, Seek};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use getrandom::SysRng;
use jiff::Timestamp;
use rand_core::{CryptoRng, Rng as _, UnwrapErr};
use veil_seal::SealError;
use veil_seal::cache::UnwrapCache;
use veil_seal::chunks::{self, SALT_BYTES};
use veil_seal::envelope::{self, Purpose};
use veil_seal::file::{BODY_CONTEXT, FileKey, Header, PREFIX_BYTES, new_header};
use veil_seal::id::TitleId;
use veil_seal::identity::Identity;
use veil_seal::reader::Reader;
use veil_seal::schedule::TitleKey;
use veil_seal::secret::Secret;
use veil_seal::variants::MarkKey;
use zeroize::Zeroizing;

use crate::StudioError;
use crate::data::{self, DataDir};

/// The one source of keys: the operating system. It panics only where the system has no generator.
pub(crate) fn os_rng() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// Seals and unseals title keys.
pub struct Keystore {
    identity: Identity,
    /// `None` when unsealed keys are not to be kept.
    cache: Option<Mutex<UnwrapCache>>,
}

impl Keystore {
    /// Opens the studio's identity, and makes one where there is none; `true` says that it did.
    ///
    /// # Errors
    /// [`StudioError::File`], [`StudioError::FileMode`] when others may read it, or
    /// [`StudioError::Seal`] when it is malformed.
    pub fn open(data: &DataDir) -> Result<(Self, bool), StudioError> {
        let path = data.identity();
        let mut is_new = false;
        if data::read_secret(&path)?.is_none() {
            let identity = Identity::random(&mut os_rng());
            let text = identity.to_text();
            let note = "# The studio's identity. Whoever has it can open every title key.\n";
            is_new = data::create_secret(&path, &format!("{note}{}\n", *text))?;
        }
        let text = data::read_secret(&path)?;
        let text = text.ok_or(SealError::Malformed { what: "the studio's identity" })?;
        let cache = Some(Mutex::new(UnwrapCache::default()));
        Ok((Self { identity: Identity::parse(&text)?, cache }, is_new))
    }

    /// The id of the studio's own key, in hex.
    #[must_use]
    pub fn key_id(&self) -> String {
        self.identity.recipient().key_id().to_string()
    }

    /// Turns the cache of unsealed keys off.
    #[must_use]
    pub fn without_cache(self) -> Self {
        Self { cache: None, ..self }
    }

    /// Seals a title key for the catalogue.
    ///
    /// # Errors
    /// [`StudioError::Seal`], which a valid identity never gives.
    pub fn seal(&self, title: TitleId, epoch: u32, key: &TitleKey) -> Result<Vec<u8>, StudioError> {
        let (recipient, aad) = (self.identity.recipient(), aad(title, epoch));
        let key = key.secret().expose();
        Ok(envelope::wrap(&recipient, Purpose::TitleKey, &aad, key, &mut os_rng())?)
    }

    /// Seals the secrets of a marked title for the catalogue.
    ///
    /// # Errors
    /// [`StudioError::Seal`], which a valid identity never gives.
    pub(crate) fn seal_marks(
        &self,
        title: TitleId,
        epoch: u32,
        mark_key: &MarkKey,
        tracing_key: &[u8; 32],
    ) -> Result<Vec<u8>, StudioError> {
        let (recipient, aad) = (self.identity.recipient(), aad(title, epoch));
        let mut keys = Zeroizing::new([0; 64]);
        keys[..32].copy_from_slice(mark_key.secret().expose());
        keys[32..].copy_from_slice(tracing_key);
        Ok(envelope::wrap(&recipient, Purpose::MarkKeys, &aad, &*keys, &mut os_rng())?)
    }

    /// Unseals the mark key and the tracing key of a marked title.
    ///
    /// # Errors
    /// [`StudioError::Seal`] when they were sealed to another identity, or belong to another title.
    pub(crate) fn unseal_marks(
        &self,
        title: TitleId,
        epoch: u32,
        sealed: &[u8],
    ) -> Result<(MarkKey, Zeroizing<[u8; 32]>), StudioError> {
        const WHAT: &str = "the marks";
        let keys = envelope::unwrap(&self.identity, Purpose::MarkKeys, &aad(title, epoch), sealed)?;
        let malformed = SealError::Malformed { what: WHAT };
        let (mark, tracing) = keys.split_at_checked(32).ok_or(malformed)?;
        let tracing_key = tracing.try_into().map_err(|_| SealError::Malformed { what: WHAT })?;
        let mark_key = MarkKey::new(Secret::from_slice(mark, WHAT)?);
        Ok((mark_key, Zeroizing::new(tracing_key)))
    }

    /// Unseals a title key from the catalogue, or remembers it.
    ///
    /// # Errors
    /// [`StudioError::Seal`] when it was sealed to another identity, or belongs to another title.
    pub fn unseal(
        &self,
        title: TitleId,
        epoch: u32,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<TitleKey, StudioError> {
        let (identity, purpose, aad) = (&self.identity, Purpose::TitleKey, aad(title, epoch));
        let key = match &self.cache {
            Some(cache) => lock(cache).unwrap(identity, purpose, &aad, sealed, since_1970(now))?,
            None => envelope::unwrap(identity, purpose, &aad, sealed)?,
        };
        Ok(TitleKey::new(Secret::from_slice(&key, "the title key")?))
    }

    /// Seals a job's passphrase for the job table.
    ///
    /// # Errors
    /// [`StudioError::Seal`] for one that is longer than an envelope may be.
    pub(crate) fn seal_for_job(&self, job: u64, secret: &[u8]) -> Result<Vec<u8>, StudioError> {
        let (recipient, aad) = (self.identity.recipient(), job.to_be_bytes());
        Ok(envelope::wrap(&recipient, Purpose::JobSecret, &aad, secret, &mut os_rng())?)
    }

    /// Unseals a job's passphrase.
    ///
    /// # Errors
    /// [`StudioError::Seal`] when it was sealed to another identity, or belongs to another job.
    pub(crate) fn unseal_for_job(
        &self,
        job: u64,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StudioError> {
        Ok(envelope::unwrap(&self.identity, Purpose::JobSecret, &job.to_be_bytes(), sealed)?)
    }

    /// Seals a small file, of which nobody but this studio is a recipient.
    ///
    /// # Errors
    /// [`StudioError::Seal`], which a valid identity never gives.
    pub(crate) fn seal_file(&self, content: &[u8]) -> Result<Vec<u8>, StudioError> {
        let mut rng = os_rng();
        let key = FileKey::random(&mut rng);
        let mut sealed = new_header(&key, &[self.identity.recipient()], None, &mut rng)?;
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        sealed.extend(chunks::seal(&key.body_key(), BODY_CONTEXT, &salt, content)?);
        Ok(sealed)
    }

    /// Opens a file that was sealed to the studio's identity.
    ///
    /// # Errors
    /// What the file says; [`io::ErrorKind::InvalidData`] with a [`SealError`] inside when it is another's, or was changed.
    pub(crate) fn open_file<F: Read + Seek>(&self, mut file: F) -> io::Result<Reader<F>> {
        let mut front = vec![0; PREFIX_BYTES];
        file.read_exact(&mut front)?;
        front.resize(Header::bytes(&front).map_err(invalid)?, 0);
        file.read_exact(&mut front[PREFIX_BYTES..])?;
        let header = Header::parse(&front).map_err(invalid)?;
        let unlocked =
            header.unlock(std::slice::from_ref(&self.identity), None).map_err(invalid)?;
        Reader::new(file, unlocked.body_offset(), &unlocked.key().body_key(), BODY_CONTEXT)
    }

    /// Zeroizes unsealed keys whose time is over; for a process that unseals seldom.
    pub fn forget_expired(&self, now: Timestamp) {
        if let Some(cache) = &self.cache {
            lock(cache).forget_expired(since_1970(now));
        }
    }
}

/// A panic elsewhere leaves the cache whole: its entries are complete or absent.
fn lock(cache: &Mutex<UnwrapCache>) -> MutexGuard<'_, UnwrapCache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

fn invalid(error: SealError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// A clock before 1970 stands still at 1970.
fn since_1970(now: Timestamp) -> Duration {
    now.as_duration().try_into().unwrap_or_default()
}

fn aad(title: TitleId, epoch: u32) -> [u8; 20] {
    let mut aad = [0; 20];
    aad[..16].copy_from_slice(&title.0);
    aad[16..].copy_from_slice(&epoch.to_be_bytes());
    aad
}

#[cfg(test)]
mod tests {
    use veil_seal::cache::TTL;

    use super::*;

    const TITLE: TitleId = TitleId([2; 16]);

    fn keystore() -> Keystore {
        let identity = Identity::random(&mut os_rng());
        Keystore { identity, cache: Some(Mutex::default()) }
    }

    fn kept(keystore: &Keystore) -> Option<usize> {
        keystore.cache.as_ref().map(|cache| lock(cache).len())
    }

    /// Unseals twice; returns how many keys are kept then.
    fn check(keystore: &Keystore, now: Timestamp) -> Option<usize> {
        let key = TitleKey::new(Secret::new([7; 32]));
        let sealed = keystore.seal(TITLE, 1, &key).unwrap();
        for _ in 0..2 {
            let unsealed = keystore.unseal(TITLE, 1, &sealed, now).unwrap();
            assert!(unsealed.secret().ct_eq(key.secret()));
        }
        assert!(keystore.unseal(TITLE, 2, &sealed, now).is_err());
        kept(keystore)
    }

    #[test]
    fn an_unsealed_key_is_kept_until_its_time_is_over() {
        let (keystore, now) = (keystore(), Timestamp::UNIX_EPOCH);
        assert_eq!(check(&keystore, now), Some(1));
        let end = now + jiff::SignedDuration::try_from(TTL).unwrap();
        keystore.forget_expired(end - jiff::SignedDuration::from_secs(1));
        assert_eq!(kept(&keystore), Some(1));
        keystore.forget_expired(end);
        assert_eq!(kept(&keystore), Some(0));
    }

    #[test]
    fn without_its_cache_a_keystore_unseals_and_keeps_nothing() {
        let keystore = keystore().without_cache();
        assert_eq!(check(&keystore, Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn a_clock_before_1970_is_no_obstacle() {
        assert_eq!(check(&keystore(), Timestamp::MIN), Some(1));
    }
}
