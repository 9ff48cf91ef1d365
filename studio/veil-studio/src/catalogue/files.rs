//! What the rendition files of a title were when they were written, in SQLite: the table `title_file`.
//!
//! Other objects have their fingerprint beside them in the store; these are sent while they are made.

use std::collections::HashMap;

use object_store::path::Path;
use veil_seal::id::{ObjectName, TitleId};

use super::Catalogue;
use crate::StudioError;
use crate::bucket::{Fingerprint, title_folder};

impl Catalogue {
    /// Notes the rendition files of a title that is being imported.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub(crate) async fn note_files(
        &self,
        title: TitleId,
        files: &[(ObjectName, Fingerprint)],
    ) -> Result<(), StudioError> {
        for (name, fingerprint) in files {
            let query =
                sqlx::query("INSERT INTO title_file (title_id, name, sha256) VALUES (?, ?, ?)");
            let query = query.bind(title.to_string()).bind(name.to_string());
            query.bind(fingerprint.to_string()).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// The fingerprints of a title's rendition files by their keys; none for a title of many objects, or one that was imported
    /// before they were noted.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`] or [`StudioError::Damaged`].
    pub(crate) async fn files(
        &self,
        title: TitleId,
    ) -> Result<HashMap<Path, Fingerprint>, StudioError> {
        let query = sqlx::query_as::<_, (String, String)>(
            "SELECT name, sha256 FROM title_file WHERE title_id = ?",
        );
        let rows = query.bind(title.to_string()).fetch_all(&self.pool).await?;
        let file = |(name, sha256): (String, String)| {
            let damaged = || StudioError::Damaged { what: "the file", id: name.clone() };
            let fingerprint = Fingerprint::parse(&sha256).ok_or_else(damaged)?;
            Ok((title_folder(title).join(name), fingerprint))
        };
        rows.into_iter().map(file).collect()
    }
}
