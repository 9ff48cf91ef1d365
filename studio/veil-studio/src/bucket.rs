//! The bucket, as the studio writes it.
//!
//! Layout: `docs/format/bucket.md`. This is storage alone: what may be written is decided by
//! `stages::publish`, which takes sealed objects and playlists only.

mod upload;

use std::io::ErrorKind;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use veil_seal::id::{GrantId, TitleId};

use crate::StudioError;
pub(crate) use upload::Upload;

/// Where titles and grants are published.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    root: PathBuf,
}

impl Bucket {
    /// A local folder as a bucket. Files are synced before they are renamed into place.
    ///
    /// # Errors
    /// [`StudioError::Bucket`] when the folder can't be opened.
    pub fn local(folder: &FilePath) -> Result<Self, StudioError> {
        let store = LocalFileSystem::new_with_prefix(folder).map_err(failed("cannot be opened"))?;
        let store = store.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self { store: Arc::new(store), root: folder.to_owned() })
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

    /// Deletes a title's folder with whatever lies in it, half-written files included.
    pub(crate) async fn delete_title(&self, title: TitleId) -> Result<(), StudioError> {
        let folder = self.root.join("t").join(title.to_string());
        match tokio::fs::remove_dir_all(&folder).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(StudioError::file("cannot delete", folder)(error))
            }
            _ => Ok(()),
        }
    }

    /// Deletes grant records that a killed command left half-written, longer than `age` ago.
    ///
    /// The store writes `<name>#<number>` and renames; no finished record has a `#` in its name.
    pub(crate) async fn sweep_half_written(&self, age: Duration) -> Result<(), StudioError> {
        let folder = self.root.join("g");
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
