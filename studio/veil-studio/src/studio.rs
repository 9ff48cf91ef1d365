//! An open studio: its data folder, catalogue, keystore and bucket.

use std::collections::HashMap;
use std::path::Path;

use tokio::sync::Mutex;

use crate::StudioError;
use crate::bucket::Bucket;
use crate::bucket::open::Access;
use crate::catalogue::Catalogue;
use crate::catalogue::audit::{Action, Event};
use crate::data::DataDir;
use crate::keystore::Keystore;

/// Everything that a studio operation works on. Several processes may have one data folder open.
pub struct Studio {
    data: DataDir,
    catalogue: Catalogue,
    keystore: Keystore,
    bucket: Bucket,
    access: Access,
    /// Buckets of other places that were opened, by the places' text.
    open: Mutex<HashMap<String, Bucket>>,
}

impl Studio {
    /// Opens the studio in a data folder, and makes what is missing: folders, identity, catalogue.
    ///
    /// # Errors
    /// [`StudioError`] when the folder, the identity, the catalogue or the bucket can't be opened.
    pub async fn open(root: &Path) -> Result<Self, StudioError> {
        let data = DataDir::open(root)?;
        let (keystore, is_new) = Keystore::open(&data)?;
        let catalogue = Catalogue::open(&data.catalogue()).await?;
        if is_new {
            note_key(&catalogue, Action::Identity, &keystore.key_id()).await?;
        }
        let bucket = Bucket::local(&data.bucket())?;
        Ok(Self {
            data,
            catalogue,
            keystore,
            bucket,
            access: Access::none(),
            open: Mutex::default(),
        })
    }

    /// Opens S3 stores by these credentials, and as patiently as told.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Says in the audit trail that `actor`, such as `cli`, does what is done with this studio.
    #[must_use]
    pub fn acting_as(self, actor: &'static str) -> Self {
        Self { catalogue: self.catalogue.acting_as(actor), ..self }
    }

    /// Keeps no unsealed key in memory after its use.
    #[must_use]
    pub fn without_key_cache(self) -> Self {
        Self { keystore: self.keystore.without_cache(), ..self }
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &DataDir {
        &self.data
    }

    /// Titles and grants.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The data folder's own bucket.
    #[must_use]
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    pub(crate) fn keystore(&self) -> &Keystore {
        &self.keystore
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    pub(crate) fn open_buckets(&self) -> &Mutex<HashMap<String, Bucket>> {
        &self.open
    }

    /// Closes the catalogue.
    pub async fn close(self) {
        self.catalogue.close().await;
    }
}

/// Notes in the audit trail that a key of the studio was made now.
pub(crate) async fn note_key(
    catalogue: &Catalogue,
    action: Action,
    subject: &str,
) -> Result<(), StudioError> {
    let at = crate::time::text(jiff::Timestamp::now());
    catalogue.note(Event { action, subject, details: serde_json::json!({}), at: &at }).await
}
