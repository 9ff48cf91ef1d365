//! Copying a title's objects from one bucket to another: sealed bytes as they are, no key needed.
//!
//! Owns the order (objects, media playlists, the multivariant playlist last) and what is skipped: an object that is there with the
//! same size and the same SHA-256, and parts of a large one that are. So a copy that was interrupted goes on where it was. Memory is bounded by
//! eight parts of 8 MiB, whatever the title's size. Refuses to know the catalogue.

use std::collections::HashMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::path::Path;
use tokio::sync::watch;
use veil_seal::id::TitleId;

use crate::StudioError;
use crate::bucket::{Bucket, Fingerprint, LargeObject, Moved, PART_BYTES, is_playlist};

/// Objects under way at a time; with [`PART_BYTES`] each, the memory of a copy.
const IN_FLIGHT: usize = 8;
/// Objects asked for their fingerprint at a time; these hold no bodies.
const CHECKS_IN_FLIGHT: usize = 16;

/// How far a copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferProgress {
    /// What is being done, for a person.
    pub step: &'static str,
    /// Bytes that are in place, those found there included.
    pub done_bytes: u64,
    /// Bytes of the title.
    pub total_bytes: u64,
    /// Objects that were copied.
    pub copied_objects: u64,
    /// Bytes that were copied.
    pub copied_bytes: u64,
    /// Objects that were there already.
    pub skipped_objects: u64,
}

/// A copy of one title.
pub(crate) struct Transfer<'a> {
    pub(crate) title: TitleId,
    pub(crate) from: &'a Bucket,
    pub(crate) to: &'a Bucket,
    /// The key of the multivariant playlist.
    pub(crate) index: Path,
    /// What the fingerprints of rendition files were when they were made.
    pub(crate) files: HashMap<Path, Fingerprint>,
    pub(crate) progress: &'a watch::Sender<TransferProgress>,
}

/// An object that is in place.
pub(crate) struct Copied {
    key: Path,
    fingerprint: Fingerprint,
}

impl Transfer<'_> {
    /// Copies everything that isn't there yet, and checks the sizes of what then is.
    pub(crate) async fn run(&self) -> Result<Vec<Copied>, StudioError> {
        self.progress.send_modify(|state| state.step = "comparing");
        let wanted = sizes(self.from, self.title).await?;
        let present = sizes(self.to, self.title).await?;
        let is_missing = |key: &Path| {
            let size = wanted.get(key);
            size.is_some_and(|size| *size > PART_BYTES) && present.get(key) != size
        };
        let begun = self.to.begun(self.title, is_missing).await;
        if !wanted.contains_key(&self.index) {
            return Err(StudioError::Altered { key: self.index.to_string() });
        }
        let total_bytes = wanted.values().sum();
        self.progress.send_modify(|state| {
            (state.step, state.total_bytes) = ("copying", total_bytes);
        });
        let mut copied = Vec::with_capacity(wanted.len());
        for turn in self.turns(&wanted) {
            let at_a_time =
                if turn.iter().any(|(_, size)| *size > PART_BYTES) { 1 } else { IN_FLIGHT };
            let mut copies = stream::iter(turn)
                .map(|(key, size)| {
                    let begun = begun.get(key).map(String::as_str);
                    self.copy(key, size, present.get(key).copied(), begun)
                })
                .buffer_unordered(at_a_time);
            while let Some(one) = copies.try_next().await? {
                copied.push(one);
            }
        }
        let arrived = sizes(self.to, self.title).await?;
        match wanted.iter().find(|(key, size)| arrived.get(*key) != Some(size)) {
            Some((key, _)) => Err(StudioError::Altered { key: key.to_string() }),
            None => Ok(copied),
        }
    }

    /// Asks the other bucket for every fingerprint again, before something is deleted because of it.
    pub(crate) async fn verify(&self, copied: &[Copied]) -> Result<(), StudioError> {
        self.progress.send_modify(|state| state.step = "verifying");
        stream::iter(copied.iter().map(Ok))
            .try_for_each_concurrent(CHECKS_IN_FLIGHT, async |one| {
                match self.to.fingerprint(&one.key).await? {
                    Some(found) if found == one.fingerprint => Ok(()),
                    _ => Err(StudioError::Altered { key: one.key.to_string() }),
                }
            })
            .await
    }

    /// What is copied together: objects of one request, larger ones, media playlists, and at last the way in.
    fn turns<'b>(&self, wanted: &'b HashMap<Path, u64>) -> [Vec<(&'b Path, u64)>; 4] {
        let mut turns: [Vec<_>; 4] = Default::default();
        for (key, size) in wanted {
            let turn = match (is_playlist(key), *key == self.index) {
                (false, _) if *size <= PART_BYTES => 0,
                (false, _) => 1,
                (true, false) => 2,
                (true, true) => 3,
            };
            turns[turn].push((key, *size));
        }
        turns
    }

    async fn copy(
        &self,
        key: &Path,
        size_bytes: u64,
        present: Option<u64>,
        begun: Option<&str>,
    ) -> Result<Copied, StudioError> {
        let is_small = size_bytes <= PART_BYTES;
        if is_small && present != Some(size_bytes) {
            return self.copy_small(key, size_bytes).await;
        }
        let fingerprint = match self.files.get(key) {
            Some(known) => *known,
            None => self.from.fingerprint(key).await?.ok_or_else(|| gone(key))?,
        };
        if present == Some(size_bytes) && self.to.fingerprint(key).await? == Some(fingerprint) {
            self.progress.send_modify(|state| {
                state.skipped_objects += 1;
                state.done_bytes += size_bytes;
            });
            return Ok(Copied { key: key.clone(), fingerprint });
        }
        if is_small {
            return self.copy_small(key, size_bytes).await;
        }
        let object = LargeObject { key, from: self.from, size_bytes, fingerprint };
        let moved = |moved| match moved {
            Moved::Now(bytes) => self.moved(bytes, 0),
            Moved::Before(bytes) => self.progress.send_modify(|state| state.done_bytes += bytes),
        };
        self.to.put_parts(&object, begun, &moved).await?;
        self.moved(0, 1);
        Ok(Copied { key: key.clone(), fingerprint })
    }

    async fn copy_small(&self, key: &Path, size_bytes: u64) -> Result<Copied, StudioError> {
        let (body, fingerprint) = self.from.get_checked(key).await?.ok_or_else(|| gone(key))?;
        let is_other = self.files.get(key).is_some_and(|known| *known != fingerprint);
        if body.len() as u64 != size_bytes || is_other {
            return Err(gone(key));
        }
        self.to.put(key, body).await?;
        self.moved(size_bytes, 1);
        Ok(Copied { key: key.clone(), fingerprint })
    }

    fn moved(&self, bytes: u64, objects: u64) {
        self.progress.send_modify(|state| {
            state.done_bytes += bytes;
            state.copied_bytes += bytes;
            state.copied_objects += objects;
        });
    }
}

async fn sizes(bucket: &Bucket, title: TitleId) -> Result<HashMap<Path, u64>, StudioError> {
    let listed = bucket.list_title(title).await?;
    Ok(listed.into_iter().map(|meta| (meta.location, meta.size)).collect())
}

/// An object that changed while it was copied, which no object of a title does by itself.
fn gone(key: &Path) -> StudioError {
    StudioError::Altered { key: key.to_string() }
}
