//! The bucket, as the studio writes it.
//!
//! Layout: `docs/format/bucket.md`. This is storage alone: what may be written is decided by
//! `stages::publish`, which takes sealed objects and playlists only.

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use veil_seal::id::{GrantId, TitleId};

use crate::StudioError;

/// Deletions under way at once when a title is removed.
const DELETE_CONCURRENCY: usize = 8;

/// Where titles and grants are published.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
}

impl Bucket {
    /// A local folder as a bucket. Files are synced before they are renamed into place.
    ///
    /// # Errors
    /// [`StudioError::Bucket`] when the folder can't be opened.
    pub fn local(folder: &FilePath) -> Result<Self, StudioError> {
        let store = LocalFileSystem::new_with_prefix(folder).map_err(failed("cannot be opened"))?;
        let store = store.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self { store: Arc::new(store) })
    }

    pub(crate) async fn put(&self, key: &Path, body: Bytes) -> Result<(), StudioError> {
        let put = self.store.put(key, PutPayload::from_bytes(body)).await;
        put.map(drop).map_err(failed("cannot be written"))
    }

    pub(crate) async fn get(&self, key: &Path) -> Result<Option<Bytes>, StudioError> {
        let body = match self.store.get(key).await {
            Ok(found) => found.bytes().await,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => Err(error),
        };
        body.map(Some).map_err(failed("cannot be read"))
    }

    pub(crate) async fn delete(&self, key: &Path) -> Result<(), StudioError> {
        match self.store.delete(key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("cannot be deleted from")(error)),
        }
    }

    /// Deletes whatever lies in a title's folder.
    pub(crate) async fn delete_title(&self, title: TitleId) -> Result<(), StudioError> {
        let folder = title_folder(title);
        let keys = self.store.list(Some(&folder)).map_ok(|meta| meta.location);
        keys.map_err(failed("cannot be listed"))
            .try_for_each_concurrent(
                DELETE_CONCURRENCY,
                |key| async move { self.delete(&key).await },
            )
            .await
    }

    /// Counts the objects in a title's folder.
    ///
    /// # Errors
    /// [`StudioError::Bucket`] when the bucket can't be listed.
    pub async fn object_count(&self, title: TitleId) -> Result<usize, StudioError> {
        let listed = self.store.list(Some(&title_folder(title)));
        let counted = listed.try_fold(0, async |count, _| Ok(count + 1)).await;
        counted.map_err(failed("cannot be listed"))
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

fn failed(what: &'static str) -> impl Fn(object_store::Error) -> StudioError {
    move |source| StudioError::Bucket { what, source }
}
