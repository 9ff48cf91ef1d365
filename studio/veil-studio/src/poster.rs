//! A title's poster, for the studio's own eyes.

use jiff::Timestamp;
use veil_seal::object::{self, Kind, Role};

use crate::bucket::title_folder;
use crate::{Studio, StudioError};

impl Studio {
    /// The poster of a title, a WebP, read from where it was published and opened; `None` where it has none.
    ///
    /// # Errors
    /// [`StudioError::NoTitle`], or that no bucket has it, or that it can't be opened.
    pub async fn poster(
        &self,
        name_or_id: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StudioError> {
        let title = self.catalogue().find_title(name_or_id).await?;
        if !title.facts.has_poster {
            return Ok(None);
        }
        let key = self.keystore().unseal(title.id, title.epoch, &title.sealed_key, now)?;
        let role = Role::single(title.id, Kind::Poster);
        let path = title_folder(title.id).join(key.object_name(&role).to_string());
        for place in self.ready_places(title.id).await? {
            if let Some(sealed) = self.bucket_at(&place).await?.get(&path).await? {
                return Ok(Some(object::open(&key.object_key(&role), &role, &sealed)?));
            }
        }
        Ok(None)
    }
}
