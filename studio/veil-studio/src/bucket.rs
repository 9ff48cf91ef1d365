//! A bucket, as the studio writes it: a folder or a bucket of an S3 store.
//!
//! Layout and headers: `docs/format/bucket.md`. This is storage alone: what may be written is decided by
//! `stages::publish`, which takes sealed objects and playlists only, and by `transfer`, which copies what was published.
//! Credentials and retries are [`open`]'s. Invariant: what is put into an S3 store carries its SHA-256 twice, in the request,
//! where the store checks it, and in the object's metadata, where a later copy compares it.

pub mod open;

mod fault;
mod parts;
mod unfinished;
mod upload;
mod write;

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _};
use veil_seal::id::{GrantId, TitleId};

pub(crate) use self::fault::{hint, told};
pub(crate) use self::parts::{LargeObject, Moved};
use self::unfinished::Uploads;
pub(crate) use self::upload::Upload;
pub(crate) use self::write::{Fingerprint, PART_BYTES};
use crate::StudioError;

/// Where titles and grants are published.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    /// What errors call it: empty for the data folder's own.
    name: Arc<str>,
    /// Its folder, when it is one.
    folder: Option<PathBuf>,
    /// How to find unfinished uploads, in an S3 store.
    uploads: Option<Arc<Uploads>>,
}

impl Bucket {
    pub(crate) async fn get(&self, key: &Path) -> Result<Option<Bytes>, StudioError> {
        let body = match self.store.get(key).await {
            Ok(found) => found.bytes().await,
            Err(object_store::Error::NotFound { .. }) if !self.is_missing().await => {
                return Ok(None);
            }
            Err(error) => Err(error),
        };
        body.map(Some).map_err(self.failed("cannot be read"))
    }

    /// Reads an object and its fingerprint, and holds it to the one that its metadata has.
    pub(crate) async fn get_checked(
        &self,
        key: &Path,
    ) -> Result<Option<(Bytes, Fingerprint)>, StudioError> {
        let found = match self.store.get(key).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(self.failed("cannot be read"))?,
        };
        let noted = write::noted(&found.attributes);
        let body = found.bytes().await.map_err(self.failed("cannot be read"))?;
        let fingerprint = Fingerprint::of(&body);
        if noted.is_some_and(|noted| noted != fingerprint) {
            return Err(StudioError::Altered { key: key.to_string() });
        }
        Ok(Some((body, fingerprint)))
    }

    /// Reads a part of an object; fewer bytes than were asked for are an error.
    pub(crate) async fn get_range(
        &self,
        key: &Path,
        range: std::ops::Range<u64>,
    ) -> Result<Bytes, StudioError> {
        let body = self.store.get_range(key, range).await;
        body.map_err(self.failed("cannot be read"))
    }

    pub(crate) async fn delete(&self, key: &Path) -> Result<(), StudioError> {
        match self.store.delete(key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("cannot be deleted from")(error)),
        }
    }

    /// Everything in a title's folder, in no order.
    pub(crate) async fn list_title(&self, title: TitleId) -> Result<Vec<ObjectMeta>, StudioError> {
        let folder = title_folder(title);
        let listed = self.store.list(Some(&folder)).try_collect().await;
        listed.map_err(self.failed("cannot be listed"))
    }

    /// Tells whether the bucket can be reached and listed, before work is done for it.
    ///
    /// # Errors
    /// [`StudioError::Bucket`] with what the store said.
    pub async fn reach(&self) -> Result<(), StudioError> {
        let listed = self.store.list(Some(&Path::from("t"))).next().await.transpose();
        listed.map(drop).map_err(self.failed("cannot be listed"))
    }

    /// Deletes a title's objects with whatever lies among them, half-written files included; playlists first.
    pub(crate) async fn delete_title(&self, title: TitleId) -> Result<(), StudioError> {
        self.discard_unfinished(title).await;
        let mut keys: Vec<Path> =
            self.list_title(title).await?.into_iter().map(|meta| meta.location).collect();
        keys.sort_by_key(|key| !is_playlist(key));
        let split = keys.iter().take_while(|key| is_playlist(key)).count();
        let objects = keys.split_off(split);
        for keys in [keys, objects] {
            let keys = futures_util::stream::iter(keys.into_iter().map(Ok)).boxed();
            let mut deleted = self.store.delete_stream(keys);
            while let Some(deleted) = deleted.next().await {
                match deleted {
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(self.failed("cannot be deleted from")(error)),
                }
            }
        }
        self.delete_folder(title).await
    }

    /// Deletes what listing doesn't show: the folder itself, and files that were half-written.
    async fn delete_folder(&self, title: TitleId) -> Result<(), StudioError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let folder = folder.join("t").join(title.to_string());
        match tokio::fs::remove_dir_all(&folder).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(StudioError::file("cannot delete", folder)(error))
            }
            _ => Ok(()),
        }
    }

    /// Deletes grant records that a killed command left half-written, longer than `age` ago.
    ///
    /// A folder's store writes `<name>#<number>` and renames; no finished record has a `#` in its name. An S3 store has
    /// nothing half-written to show.
    pub(crate) async fn sweep_half_written(&self, age: Duration) -> Result<(), StudioError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let folder = folder.join("g");
        let failed = |error| StudioError::file("cannot sweep", &folder)(error);
        let mut entries = match tokio::fs::read_dir(&folder).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed)?,
        };
        while let Some(entry) = entries.next_entry().await.map_err(failed)? {
            let half_written = entry.file_name().as_encoded_bytes().contains(&b'#');
            let modified = entry.metadata().await.and_then(|meta| meta.modified());
            let old = modified.is_ok_and(|at| at.elapsed().is_ok_and(|passed| passed > age));
            if half_written && old {
                tokio::fs::remove_file(entry.path()).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Writes, reads and deletes a probe, to tell whether the bucket works.
    ///
    /// # Errors
    /// [`StudioError::Bucket`] with what failed.
    pub async fn check(&self) -> Result<(), StudioError> {
        let key = Path::from(format!("probe-{}", std::process::id()));
        self.put(&key, Bytes::from_static(b"probe")).await?;
        let read = self.get(&key).await;
        self.delete(&key).await?;
        read.map(drop)
    }

    /// Whether the bucket itself is what is not there, which S3 answers by the status of a missing object.
    async fn is_missing(&self) -> bool {
        self.folder.is_none()
            && matches!(self.reach().await, Err(StudioError::Bucket { source, .. })
                if matches!(*source, object_store::Error::NotFound { .. }))
    }

    fn failed(&self, what: &'static str) -> impl Fn(object_store::Error) -> StudioError {
        let bucket = Arc::clone(&self.name);
        move |source| StudioError::Bucket {
            bucket: Arc::clone(&bucket),
            what,
            source: Box::new(source),
        }
    }

    async fn head(&self, key: &Path) -> Result<object_store::GetResult, object_store::Error> {
        self.store.get_opts(key, GetOptions { head: true, ..GetOptions::default() }).await
    }
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bucket({})", self.store)
    }
}

/// `t/<title id>`.
pub(crate) fn title_folder(title: TitleId) -> Path {
    Path::from_iter(["t".to_owned(), title.to_string()])
}

/// `g/<grant id>`.
pub(crate) fn grant_key(grant: GrantId) -> Path {
    Path::from_iter(["g".to_owned(), grant.to_string()])
}

pub(crate) fn is_playlist(key: &Path) -> bool {
    key.as_ref().ends_with(".m3u8")
}
