//! Copying a large object in parts, from its first part or from those that an interrupted copy left.
//!
//! Owns what a part is and how many are under way. A part that the store has is kept when its length and SHA-256 are those
//! of the bytes that would be sent; so all bytes are read, and only what is missing is sent. Invariants: the object becomes
//! visible when all of its bytes have the hash that was announced; memory holds eight parts, whatever its length.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::multipart::MultipartStore as _;
use object_store::path::Path;
use object_store::{MultipartUpload, PutMultipartOptions, PutPayload};
use sha2::{Digest as _, Sha256};

use super::Bucket;
use super::unfinished::{Part, Unfinishable, Uploads};
use super::write::{Fingerprint, PART_BYTES};
use crate::StudioError;

/// The most parts of one object, by S3's rules; a still larger object has larger parts.
const MAX_PARTS: u64 = 10_000;
/// Parts of one object under way at a time.
const PARTS_IN_FLIGHT: usize = 8;

/// An object that is too large for one request, and where it is read.
pub(crate) struct LargeObject<'a> {
    pub(crate) key: &'a Path,
    pub(crate) from: &'a Bucket,
    pub(crate) size_bytes: u64,
    pub(crate) fingerprint: Fingerprint,
}

/// Bytes that are in place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moved {
    /// They were sent.
    Now(u64),
    /// They were there.
    Before(u64),
}

/// A part on its way.
type Sent = Pin<Box<dyn Future<Output = object_store::Result<()>> + Send>>;

/// Where parts go.
enum Parts {
    New(Box<dyn MultipartUpload>),
    Resumed(Resumed),
}

/// An upload that an interrupted copy began.
struct Resumed {
    uploads: Arc<Uploads>,
    /// The whole key, with the bucket's prefix.
    key: Path,
    id: String,
    /// What has arrived, by part number from 1.
    present: BTreeMap<usize, Part>,
}

impl Bucket {
    /// Copies a large object from another bucket, a part at a time, some under way at once; goes on with the upload `begun`,
    /// if the store says what it has of it.
    ///
    /// Reads in order, so that what is sent is hashed as it goes by. `moved` is told of each part that is in place. What
    /// fails because of the store can be gone on with; a folder keeps nothing.
    pub(crate) async fn put_parts(
        &self,
        object: &LargeObject<'_>,
        begun: Option<&str>,
        moved: &(impl Fn(Moved) + Sync),
    ) -> Result<(), StudioError> {
        let resumed = match begun {
            Some(id) => self.resume(object.key, id).await,
            None => None,
        };
        let mut parts = match resumed {
            Some(resumed) => Parts::Resumed(resumed),
            None => Parts::New(self.begin(object).await?),
        };
        let (found, checksums) = self.send_parts(&mut parts, object, moved).await?;
        if found != object.fingerprint {
            parts.discard().await;
            return Err(altered(object));
        }
        match parts {
            Parts::New(mut upload) => {
                upload.complete().await.map(drop).map_err(self.failed("cannot be written"))
            }
            Parts::Resumed(resumed) => {
                let finished = resumed.finish(&checksums).await;
                finished.map_err(self.failed("cannot be written"))?;
                match self.fingerprint(object.key).await? {
                    Some(noted) if noted == object.fingerprint => Ok(()),
                    _ => Err(altered(object)),
                }
            }
        }
    }

    async fn begin(
        &self,
        object: &LargeObject<'_>,
    ) -> Result<Box<dyn MultipartUpload>, StudioError> {
        let attributes = self.attributes(object.key, || Some(object.fingerprint));
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let upload = self.store.put_multipart_opts(object.key, options).await;
        upload.map_err(self.failed("cannot be written"))
    }

    /// What the store has of an upload; `None`, and nothing of it is left, when there is no part whose checksum it tells.
    async fn resume(&self, key: &Path, id: &str) -> Option<Resumed> {
        let uploads = Arc::clone(self.uploads.as_ref()?);
        let key = uploads.full(key);
        let present = uploads.parts(&key, id).await.unwrap_or_default();
        let resumed = Resumed { uploads, key, id: id.to_owned(), present };
        if resumed.present.values().any(|part| part.checksum.is_some()) {
            return Some(resumed);
        }
        resumed.discard().await;
        None
    }

    /// Sends every part that isn't there; returns the fingerprint of all bytes, and the checksum of each part of an upload
    /// that is gone on with.
    async fn send_parts(
        &self,
        parts: &mut Parts,
        object: &LargeObject<'_>,
        moved: &(impl Fn(Moved) + Sync),
    ) -> Result<(Fingerprint, Vec<String>), StudioError> {
        let part_bytes = PART_BYTES.max(object.size_bytes.div_ceil(MAX_PARTS));
        let (mut hasher, mut checksums) = (Sha256::new(), Vec::new());
        let mut under_way = FuturesUnordered::new();
        let mut at = 0;
        while at < object.size_bytes {
            let end = object.size_bytes.min(at + part_bytes);
            let part = object.from.get_range(object.key, at..end).await?;
            hasher.update(&part);
            let is_there = match parts {
                Parts::New(_) => false,
                Parts::Resumed(resumed) => {
                    checksums.push(Fingerprint::of(&part).base64());
                    resumed.has(checksums.len(), end - at, &checksums)
                }
            };
            if is_there {
                moved(Moved::Before(end - at));
            } else {
                let put = parts.put(checksums.len(), part);
                under_way.push(async move { put.await.map(|()| end - at) });
            }
            if under_way.len() == PARTS_IN_FLIGHT {
                let arrived = under_way.try_next().await;
                moved(Moved::Now(arrived.map_err(self.failed("cannot be written"))?.unwrap_or(0)));
            }
            at = end;
        }
        while let Some(arrived) = under_way.next().await {
            moved(Moved::Now(arrived.map_err(self.failed("cannot be written"))?));
        }
        Ok((Fingerprint::finish(hasher), checksums))
    }
}

impl Parts {
    /// Sends the next part; `number`, from 1, is its place in an upload that is gone on with.
    fn put(&mut self, number: usize, bytes: Bytes) -> Sent {
        let payload = PutPayload::from_bytes(bytes);
        match self {
            Self::New(upload) => upload.put_part(payload),
            Self::Resumed(resumed) => {
                let (uploads, key, id) =
                    (Arc::clone(&resumed.uploads), resumed.key.clone(), resumed.id.clone());
                Box::pin(async move {
                    let put = uploads.store.put_part(&key, &id, number - 1, payload);
                    put.await.map(drop)
                })
            }
        }
    }

    /// What can't be taken back now is the store's to forget.
    async fn discard(&mut self) {
        match self {
            Self::New(upload) => drop(upload.abort().await),
            Self::Resumed(resumed) => resumed.discard().await,
        }
    }
}

impl Resumed {
    /// Whether the store has this part, by its length and the last of the checksums.
    fn has(&self, number: usize, bytes: u64, checksums: &[String]) -> bool {
        let part = self.present.get(&number);
        part.is_some_and(|part| part.size == bytes && part.checksum.as_ref() == checksums.last())
    }

    /// Makes the object, when the store has every part with its checksum. Parts that it doesn't take are discarded, so that
    /// the next attempt has new ones.
    async fn finish(&self, checksums: &[String]) -> object_store::Result<()> {
        let present = self.uploads.parts(&self.key, &self.id).await.unwrap_or_default();
        let parts: Vec<&Part> = (1..=checksums.len()).map_while(|at| present.get(&at)).collect();
        let is_whole = parts.len() == checksums.len()
            && parts.iter().zip(checksums).all(|(part, sum)| part.checksum.as_ref() == Some(sum));
        if !is_whole {
            let source = "the store does not list every part that it took".into();
            return Err(object_store::Error::Generic { store: "S3", source });
        }
        match self.uploads.complete(&self.key, &self.id, &parts).await {
            Ok(()) => Ok(()),
            Err(Unfinishable::Away(error)) => Err(error),
            Err(Unfinishable::Refused(error)) => {
                self.discard().await;
                Err(error)
            }
        }
    }

    async fn discard(&self) {
        let _ = self.uploads.store.abort_multipart(&self.key, &self.id).await;
    }
}

fn altered(object: &LargeObject<'_>) -> StudioError {
    StudioError::Altered { key: object.key.to_string() }
}
