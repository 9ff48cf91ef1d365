//! A small, short memory for what envelopes held: a key that is needed again isn't unwrapped again.
//!
//! Knows nothing of clocks: the time is an argument. Invariants: an entry answers only for the very
//! envelope, purpose, place and identity that it was unwrapped with, and never later than [`TTL`]
//! after that; there are at most [`MAX_ENTRIES`]; whatever leaves is zeroized.

use std::collections::VecDeque;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use zeroize::Zeroizing;

use crate::SealError;
use crate::envelope::{self, Purpose};
use crate::identity::Identity;

/// The most entries; the oldest makes room.
pub const MAX_ENTRIES: usize = 256;
/// The largest payload that is kept: keys and grants are far below, so 1 MiB is the most that is
/// held.
pub const MAX_ENTRY_BYTES: usize = 4096;
/// How long an entry lives, from its unwrapping on; use does not lengthen it.
pub const TTL: Duration = Duration::from_secs(5 * 60);

/// Names what was unwrapped: a hash of identity, purpose, place and envelope.
type EntryId = [u8; SHA256_OUTPUT_LEN];

struct Entry {
    id: EntryId,
    since: Duration,
    payload: Zeroizing<Vec<u8>>,
}

impl Entry {
    /// A clock that was set back makes entries from the future: nothing tells their age, so they
    /// go.
    fn is_expired(&self, now: Duration) -> bool {
        now.checked_sub(self.since).is_none_or(|age| age >= TTL)
    }
}

/// Unwrapped payloads, oldest first.
#[derive(Default)]
pub struct UnwrapCache {
    entries: VecDeque<Entry>,
}

impl UnwrapCache {
    /// Unwraps an envelope, or answers from memory. `now` is the time since any moment that the
    /// caller keeps to.
    ///
    /// # Errors
    /// Those of [`envelope::unwrap`]; failures are not remembered.
    pub fn unwrap(
        &mut self,
        identity: &Identity,
        purpose: Purpose,
        aad: &[u8],
        envelope: &[u8],
        now: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.forget_expired(now);
        let id = entry_id(identity, purpose, aad, envelope);
        if let Some(entry) = self.entries.iter().find(|entry| entry.id == id) {
            return Ok(entry.payload.clone());
        }
        let payload = envelope::unwrap(identity, purpose, aad, envelope)?;
        if payload.len() <= MAX_ENTRY_BYTES {
            if self.entries.len() == MAX_ENTRIES {
                self.entries.pop_front();
            }
            self.entries.push_back(Entry { id, since: now, payload: payload.clone() });
        }
        Ok(payload)
    }

    /// Zeroizes what is older than [`TTL`]. Every use does so too; a process in which uses are rare
    /// calls it now and then.
    pub fn forget_expired(&mut self, now: Duration) {
        self.entries.retain(|entry| !entry.is_expired(now));
    }

    /// How many payloads are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn entry_id(identity: &Identity, purpose: Purpose, aad: &[u8], envelope: &[u8]) -> EntryId {
    let mut hash = Context::new(&SHA256);
    hash.update(&identity.key_id().0);
    for part in [purpose.info(), aad] {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(envelope);
    let mut id = [0; SHA256_OUTPUT_LEN];
    id.copy_from_slice(hash.finish().as_ref());
    id
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;
    use crate::secret::Secret;

    const START: Duration = Duration::from_secs(1_000_000);
    const SECOND: Duration = Duration::from_secs(1);

    fn identity(seed: u8) -> Identity {
        Identity::from_seed(Secret::new([seed; 32]))
    }

    fn envelope(payload: &[u8]) -> Vec<u8> {
        let mut rng = UnwrapErr(SysRng);
        let recipient = identity(1).recipient();
        envelope::wrap(&recipient, Purpose::TitleKey, b"aad", payload, &mut rng).unwrap()
    }

    /// Unwraps at `now` and checks the payload; the answer tells how many entries there are then.
    fn check(cache: &mut UnwrapCache, envelope: &[u8], now: Duration) -> usize {
        let payload = cache.unwrap(&identity(1), Purpose::TitleKey, b"aad", envelope, now).unwrap();
        assert_eq!(**payload, *b"payload");
        cache.len()
    }

    fn holds(cache: &UnwrapCache, envelope: &[u8]) -> bool {
        let id = entry_id(&identity(1), Purpose::TitleKey, b"aad", envelope);
        cache.entries.iter().any(|entry| entry.id == id)
    }

    #[test]
    fn what_is_remembered_is_not_unwrapped_again() {
        let (mut cache, envelope) = (UnwrapCache::default(), envelope(b"payload"));
        assert_eq!(check(&mut cache, &envelope, START), 1);
        // The memory answers: what lies in it is changed here, and the change comes back.
        cache.entries[0].payload[0] = b'P';
        let again = cache.unwrap(&identity(1), Purpose::TitleKey, b"aad", &envelope, START);
        assert_eq!(**again.unwrap(), *b"Payload");
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn another_identity_purpose_place_or_envelope_is_not_answered_from_memory() {
        let (mut cache, envelope) = (UnwrapCache::default(), envelope(b"payload"));
        check(&mut cache, &envelope, START);
        let mut changed = envelope.clone();
        changed[1130] ^= 1;
        for (seed, purpose, aad, envelope) in [
            (2, Purpose::TitleKey, &b"aad"[..], &envelope),
            (1, Purpose::Grant, b"aad", &envelope),
            (1, Purpose::TitleKey, b"aaD", &envelope),
            (1, Purpose::TitleKey, b"aad", &changed),
        ] {
            let unwrapped = cache.unwrap(&identity(seed), purpose, aad, envelope, START).map(drop);
            assert_eq!(unwrapped, Err(SealError::WrongIdentity));
        }
        assert_eq!(cache.len(), 1, "failures are not remembered");
    }

    #[test]
    fn an_entry_lives_five_minutes_however_often_it_is_used() {
        let (mut cache, envelope) = (UnwrapCache::default(), envelope(b"payload"));
        check(&mut cache, &envelope, START);
        check(&mut cache, &envelope, START + TTL - SECOND);
        assert_eq!(cache.entries[0].since, START);
        cache.forget_expired(START + TTL - SECOND);
        assert!(holds(&cache, &envelope));
        cache.forget_expired(START + TTL);
        assert!(cache.is_empty());
        // An access past its time unwraps anew, and the new entry begins a new life.
        check(&mut cache, &envelope, START);
        check(&mut cache, &envelope, START + TTL);
        assert_eq!((cache.len(), cache.entries[0].since), (1, START + TTL));
    }

    #[test]
    fn a_clock_that_was_set_back_forgets() {
        let (mut cache, envelope) = (UnwrapCache::default(), envelope(b"payload"));
        check(&mut cache, &envelope, START);
        cache.forget_expired(START - SECOND);
        assert!(cache.is_empty());
    }

    #[test]
    fn a_full_memory_forgets_its_oldest() {
        let mut cache = UnwrapCache::default();
        let envelopes: Vec<_> = (0..=MAX_ENTRIES).map(|_| envelope(b"payload")).collect();
        for (at, envelope) in envelopes.iter().enumerate() {
            assert_eq!(check(&mut cache, envelope, START), MAX_ENTRIES.min(at + 1));
        }
        assert!(!holds(&cache, &envelopes[0]));
        assert!(holds(&cache, &envelopes[1]) && holds(&cache, &envelopes[MAX_ENTRIES]));
    }

    #[test]
    fn a_large_payload_is_unwrapped_and_not_kept() {
        let mut cache = UnwrapCache::default();
        for (bytes, kept) in [(MAX_ENTRY_BYTES + 1, 0), (MAX_ENTRY_BYTES, 1)] {
            let envelope = envelope(&vec![7; bytes]);
            let now = START;
            let opened = cache.unwrap(&identity(1), Purpose::TitleKey, b"aad", &envelope, now);
            assert_eq!(opened.unwrap().len(), bytes);
            assert_eq!(cache.len(), kept);
        }
    }
}
