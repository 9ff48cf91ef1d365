//! Who can open a file: making a keyring, unlocking it, changing it in place.

use std::ops::Range;

use rand_core::CryptoRng;

use super::FileKey;
use super::half::{self, Half, MAX_RECIPIENTS};
use super::passphrase::{Cost, Passphrase, Stanza};
use crate::SealError;
use crate::chunks::{self, SALT_BYTES};
use crate::envelope::{self, Purpose};
use crate::id::{ID_BYTES, KeyId};
use crate::identity::{Identity, Recipient};
use crate::secret::Secret;

/// Makes the bytes that come before the body of a new file.
///
/// # Errors
/// [`SealError::NoRecipient`] when nobody could open it, [`SealError::TooManyRecipients`].
pub fn new_header(
    key: &FileKey,
    recipients: &[Recipient],
    passphrase: Option<(&Passphrase, Cost)>,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let mut keyring = Keyring { sequence: 1, members: Vec::new(), passphrase: None };
    recipients.iter().try_for_each(|recipient| keyring.add(key, recipient, rng).map(drop))?;
    if let Some((passphrase, cost)) = passphrase {
        keyring.passphrase = Some(Stanza::wrap(key, passphrase, cost, rng)?);
    }
    let half_bytes = half::fitting_bytes(keyring.members.len());
    let first = keyring.encode(key, half_bytes, rng)?;
    Ok([first, half::empty(half_bytes)].concat())
}

/// Everything before the body of a file, whole enough to be tried.
pub struct Header {
    half_bytes: usize,
    /// Halves by place, 0 or 1; the higher sequence comes first.
    halves: Vec<(u64, Half)>,
}

/// What is told about a file without a key. Nobody vouches for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Where the body begins.
    pub body_offset: u64,
    /// How many recipients can open it.
    pub recipients: usize,
    /// What a guess of the passphrase costs, if there is one.
    pub passphrase: Option<Cost>,
    /// How often the keyring was written.
    pub sequence: u64,
}

impl Header {
    /// How many bytes of a file to hand to [`Self::parse`], by its first [`super::PREFIX_BYTES`].
    ///
    /// # Errors
    /// [`SealError::NotSealed`], [`SealError::UnknownVersion`] or [`SealError::Malformed`].
    pub fn bytes(prefix: &[u8]) -> Result<usize, SealError> {
        half::half_bytes(prefix).map(|bytes| 2 * bytes)
    }

    /// Reads both halves.
    ///
    /// # Errors
    /// As [`Self::bytes`]; [`SealError::Truncated`] when the bytes end too early, [`SealError::TamperedKeyring`] when no half is whole.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        let half_bytes = half::half_bytes(bytes)?;
        let bytes = bytes.get(..2 * half_bytes).ok_or(SealError::Truncated)?;
        let halves = (0..).zip(bytes.chunks(half_bytes).map(Half::parse));
        let mut halves: Vec<_> = halves.filter_map(|(place, half)| Some((place, half?))).collect();
        halves.sort_by_key(|(_, half)| std::cmp::Reverse(half.sequence));
        if halves.is_empty() {
            return Err(SealError::TamperedKeyring);
        }
        Ok(Self { half_bytes, halves })
    }

    /// What anybody can see.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let half = self.halves.first().map(|(_, half)| half);
        Summary {
            body_offset: 2 * self.half_bytes as u64,
            recipients: half.map_or(0, |half| half.envelopes.len()),
            passphrase: half.and_then(|half| half.passphrase.as_ref()).map(Stanza::cost),
            sequence: half.map_or(0, |half| half.sequence),
        }
    }

    /// Unwraps the file key with the first identity that fits, or the passphrase, and authenticates the keyring.
    ///
    /// # Errors
    /// [`SealError::TamperedKeyring`] when a key fits and the keyring doesn't; [`SealError::WrongPassphrase`] or
    /// [`SealError::WrongIdentity`] when no key fits; [`SealError::Malformed`] for a cost beyond the limits.
    pub fn unlock(
        &self,
        identities: &[Identity],
        passphrase: Option<&Passphrase>,
    ) -> Result<Unlocked, SealError> {
        let mut failure = match passphrase {
            Some(_) => SealError::WrongPassphrase,
            None => SealError::WrongIdentity,
        };
        for (place, half) in &self.halves {
            let unlocked = file_key(half, identities, passphrase).and_then(|key| {
                let keyring = Keyring::of_half(&key, half)?;
                Ok(Unlocked { key, keyring, place: *place, half_bytes: self.half_bytes })
            });
            match unlocked {
                Ok(unlocked) => return Ok(unlocked),
                Err(SealError::WrongIdentity | SealError::WrongPassphrase) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

fn file_key(
    half: &Half,
    identities: &[Identity],
    passphrase: Option<&Passphrase>,
) -> Result<FileKey, SealError> {
    for envelope in &half.envelopes {
        for identity in identities {
            if let Ok(key) = envelope::unwrap(identity, Purpose::FileKey, b"", envelope) {
                return Secret::from_slice(&key, "the file key").map(FileKey);
            }
        }
    }
    match (&half.passphrase, passphrase) {
        (Some(stanza), Some(passphrase)) => stanza.unwrap(passphrase),
        _ => Err(SealError::WrongIdentity),
    }
}

/// A keyring whose directory is open.
struct Keyring {
    sequence: u64,
    members: Vec<Member>,
    passphrase: Option<Stanza>,
}

struct Member {
    id: KeyId,
    envelope: Vec<u8>,
}

impl Keyring {
    fn of_half(key: &FileKey, half: &Half) -> Result<Self, SealError> {
        let context = half.directory_context();
        let directory = chunks::open(&key.directory_key(), &context, &half.directory);
        let directory = directory.map_err(|_| SealError::TamperedKeyring)?;
        let (ids, _) = directory.as_chunks::<ID_BYTES>();
        let members = ids.iter().zip(&half.envelopes);
        let members = members
            .map(|(id, envelope)| Member { id: KeyId(*id), envelope: envelope.clone() })
            .collect();
        Ok(Self { sequence: half.sequence, members, passphrase: half.passphrase.clone() })
    }

    /// Adds a recipient; `false` when it is one already.
    fn add(
        &mut self,
        key: &FileKey,
        recipient: &Recipient,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, SealError> {
        let id = recipient.key_id();
        if self.members.iter().any(|member| member.id == id) {
            return Ok(false);
        }
        if self.members.len() == MAX_RECIPIENTS {
            return Err(SealError::TooManyRecipients { limit: MAX_RECIPIENTS });
        }
        let secret = key.secret().expose();
        let envelope = envelope::wrap(recipient, Purpose::FileKey, b"", secret, rng)?;
        self.members.push(Member { id, envelope });
        Ok(true)
    }

    fn encode(
        &self,
        key: &FileKey,
        half_bytes: usize,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SealError> {
        if self.members.is_empty() && self.passphrase.is_none() {
            return Err(SealError::NoRecipient);
        }
        let mut half = Half {
            half_bytes,
            sequence: self.sequence,
            envelopes: self.members.iter().map(|member| member.envelope.clone()).collect(),
            passphrase: self.passphrase.clone(),
            directory: Vec::new(),
        };
        let ids: Vec<u8> = self.members.iter().flat_map(|member| member.id.0).collect();
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        let context = half.directory_context();
        half.directory = chunks::seal(&key.directory_key(), &context, &salt, &ids)?;
        Ok(half.encode())
    }
}

/// A file that is open: its key, and its keyring to be changed.
pub struct Unlocked {
    key: FileKey,
    keyring: Keyring,
    place: u64,
    half_bytes: usize,
}

/// How a changed keyring gets into the file.
pub enum Change {
    /// First this, made durable; then the other, made durable too.
    InPlace {
        /// The new keyring.
        write: Patch,
        /// What wipes the old one.
        wipe: Patch,
    },
    /// It no longer fits: the file is written anew with these bytes before its body.
    Anew(Vec<u8>),
}

/// Bytes for a place in a file.
pub struct Patch {
    /// Where they belong.
    pub offset: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Unlocked {
    /// The file key.
    #[must_use]
    pub fn key(&self) -> &FileKey {
        &self.key
    }

    /// The recipients' key ids, as the keyring vouches for them.
    pub fn recipients(&self) -> impl ExactSizeIterator<Item = KeyId> + '_ {
        self.keyring.members.iter().map(|member| member.id)
    }

    /// Whether there is a passphrase.
    #[must_use]
    pub fn has_passphrase(&self) -> bool {
        self.keyring.passphrase.is_some()
    }

    /// Where the body begins.
    #[must_use]
    pub fn body_offset(&self) -> u64 {
        2 * self.half_bytes as u64
    }

    /// Where the keyring lies that was unlocked.
    #[must_use]
    pub fn in_use(&self) -> Range<u64> {
        let start = self.place * self.half_bytes as u64;
        start..start + self.half_bytes as u64
    }

    /// Adds a recipient; `false` when it is one already.
    ///
    /// # Errors
    /// [`SealError::TooManyRecipients`].
    pub fn add(
        &mut self,
        recipient: &Recipient,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, SealError> {
        self.keyring.add(&self.key, recipient, rng)
    }

    /// Removes a recipient; `false` when it is none.
    pub fn remove(&mut self, recipient: KeyId) -> bool {
        let before = self.keyring.members.len();
        self.keyring.members.retain(|member| member.id != recipient);
        self.keyring.members.len() < before
    }

    /// Sets, changes or removes the passphrase.
    ///
    /// # Errors
    /// [`SealError::Malformed`] for a cost beyond the limits.
    pub fn set_passphrase(
        &mut self,
        passphrase: Option<(&Passphrase, Cost)>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), SealError> {
        let wrap = |(passphrase, cost)| Stanza::wrap(&self.key, passphrase, cost, rng);
        self.keyring.passphrase = passphrase.map(wrap).transpose()?;
        Ok(())
    }

    /// The bytes that bring the changed keyring into the file.
    ///
    /// # Errors
    /// [`SealError::NoRecipient`] when nobody could open the file any more.
    pub fn change(mut self, rng: &mut impl CryptoRng) -> Result<Change, SealError> {
        self.keyring.sequence += 1;
        let members = self.keyring.members.len();
        let fits = half::used_bytes(members, self.has_passphrase()) <= self.half_bytes;
        if !fits {
            let half_bytes = half::fitting_bytes(members);
            let first = self.keyring.encode(&self.key, half_bytes, rng)?;
            return Ok(Change::Anew([first, half::empty(half_bytes)].concat()));
        }
        let half_bytes = self.half_bytes as u64;
        let bytes = self.keyring.encode(&self.key, self.half_bytes, rng)?;
        let write = Patch { offset: (1 - self.place) * half_bytes, bytes };
        let wipe = Patch { offset: self.place * half_bytes, bytes: half::empty(self.half_bytes) };
        Ok(Change::InPlace { write, wipe })
    }
}
