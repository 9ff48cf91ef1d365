//! Where a title lies: in the data folder's own bucket, another folder, or a bucket of an S3 store.
//!
//! A place is written into the catalogue as one text, so that a later command finds it whatever its settings are. Folders are
//! absolute there. Refuses to hold a credential ([`crate::bucket::open::Access`] has those).

use std::fmt;
use std::path::PathBuf;

use veil_presign::{S3Place, StoreUrl};

use crate::bucket::Bucket;
use crate::{Studio, StudioError};

/// The word for the data folder's own bucket.
pub const OWN: &str = "local";

/// A place for titles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// The data folder's own bucket.
    Own,
    /// Another folder, absolute.
    Folder(PathBuf),
    /// A bucket of an S3 store.
    S3(S3Place),
}

impl Place {
    /// Reads what [`Place::text`] wrote.
    pub(crate) fn parse(text: &str) -> Result<Self, StudioError> {
        if text.is_empty() {
            return Ok(Self::Own);
        }
        match StoreUrl::parse(text) {
            Ok(StoreUrl::Folder(folder)) => Ok(Self::Folder(folder.into())),
            Ok(StoreUrl::S3(place)) => Ok(Self::S3(place)),
            _ => Err(StudioError::Damaged { what: "the store", id: text.to_owned() }),
        }
    }

    /// The text of the catalogue: a store's URL, or nothing for the own bucket.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Own => String::new(),
            other => other.to_string(),
        }
    }

    /// Whether both are one place, by whatever region or credential.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::S3(one), Self::S3(other)) => one.is_same_place(other),
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str(OWN),
            Self::Folder(folder) => StoreUrl::Folder(folder.display().to_string()).fmt(f),
            Self::S3(place) => place.fmt(f),
        }
    }
}

impl Studio {
    /// The place that a person's text names: a store's URL, an absolute folder, or `local`.
    ///
    /// What the text leaves open of an S3 store is filled in from the user's settings, so that it means the same later.
    ///
    /// # Errors
    /// [`StudioError::Store`] when it names none; [`StudioError::Credential`] when the settings can't be used.
    pub fn place(&self, text: &str) -> Result<Place, StudioError> {
        if text == OWN {
            return Ok(Place::Own);
        }
        match StoreUrl::parse(text).map_err(StudioError::Store)? {
            StoreUrl::S3(place) => Ok(Place::S3(self.access().settle(place)?)),
            StoreUrl::Folder(folder) => {
                let folder = PathBuf::from(folder);
                let own = self.data().bucket();
                let is_own = folder == own || folder.canonicalize().is_ok_and(|it| it == own);
                Ok(if is_own { Place::Own } else { Place::Folder(folder) })
            }
            _ => Err(StudioError::Store(veil_presign::StoreUrlError::Scheme)),
        }
    }

    /// The place that `veilcast up` last served titles from; the own bucket, if it never ran.
    ///
    /// # Errors
    /// [`StudioError`] when what was noted can't be read, or is no place.
    pub fn served_place(&self) -> Result<Place, StudioError> {
        match self.data().gateway_store()? {
            Some(text) if text != OWN => Place::parse(&text),
            _ => Ok(Place::Own),
        }
    }

    /// Opens the bucket of a place; one that was opened before is used again, with its connections.
    ///
    /// # Errors
    /// [`StudioError`] when there is no credential for it, or the folder can't be opened.
    pub async fn bucket_at(&self, place: &Place) -> Result<Bucket, StudioError> {
        if *place == Place::Own {
            return Ok(self.bucket().clone());
        }
        let mut open = self.open_buckets().lock().await;
        let name = place.to_string();
        if let Some(bucket) = open.get(&name) {
            return Ok(bucket.clone());
        }
        let bucket = match place {
            Place::S3(place) => Bucket::s3(place, self.access()).await?,
            Place::Folder(folder) => Bucket::folder(folder, &name)?,
            Place::Own => self.bucket().clone(),
        };
        open.insert(name, bucket.clone());
        Ok(bucket)
    }

    /// Makes the folder of a place that is one; the folder around it must be there, or a disk may be missing.
    pub(crate) fn make_folder(place: &Place) -> Result<(), StudioError> {
        let Place::Folder(folder) = place else { return Ok(()) };
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(StudioError::file("cannot create the folder", folder)(error))
            }
            _ => Ok(()),
        }
    }
}
