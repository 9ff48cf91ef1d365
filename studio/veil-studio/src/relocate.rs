//! Publish to another place, move, take a copy back: which copies a title has, and when viewers are sent to them.
//!
//! Owns the order that keeps a title whole at every moment: what is new is complete before the catalogue names it, the catalogue
//! switches in one transaction, and only then is the old deleted. A command that was killed is run again, or its rest is swept.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::watch;
use veil_seal::id::TitleId;
use veil_seal::object::{Kind, Role};

use jiff::Timestamp;

use crate::bucket::{Bucket, grant_key, title_folder};
use crate::catalogue::Title;
use crate::catalogue::copies::{CopyState, TitleCopy};
use crate::place::Place;
use crate::stages::publish::playlist_file;
use crate::transfer::{Transfer, TransferProgress};
use crate::{Studio, StudioError};

/// Grant records under way at a time.
const GRANTS_IN_FLIGHT: usize = 8;

/// What a copy came to.
#[derive(Clone, Debug)]
pub struct Relocated {
    /// The title.
    pub title: Title,
    /// Where it lies now.
    pub place: Place,
    /// What was copied, and what was there already.
    pub progress: TransferProgress,
    /// Grant records that were copied.
    pub grant_count: usize,
    /// Places that it was moved away from, each with what could not be deleted there, if anything.
    pub left: Vec<(Place, Option<String>)>,
}

impl Studio {
    /// Copies a title and its grants to another place, where viewers can be sent as well from then on.
    ///
    /// Objects that are there already, with the same size and SHA-256, are skipped: a copy that was interrupted goes on.
    ///
    /// # Errors
    /// [`StudioError::NoTitle`], [`StudioError::Busy`], or that either bucket fails; what has arrived stays for the next attempt.
    pub async fn publish_to(
        &self,
        name_or_id: &str,
        place: &Place,
        progress: &watch::Sender<TransferProgress>,
        now: Timestamp,
    ) -> Result<Relocated, StudioError> {
        self.relocate(name_or_id, place, progress, now, false).await
    }

    /// Moves a title and its grants to another place: copies, verifies, switches, and then deletes every other copy.
    ///
    /// # Errors
    /// As [`Studio::publish_to`]. Until the switch the title is where it was; after it, what can't be deleted is no error
    /// but told, and swept later.
    pub async fn move_to(
        &self,
        name_or_id: &str,
        place: &Place,
        progress: &watch::Sender<TransferProgress>,
        now: Timestamp,
    ) -> Result<Relocated, StudioError> {
        self.relocate(name_or_id, place, progress, now, true).await
    }

    /// Deletes one copy of a title that has another.
    ///
    /// # Errors
    /// [`StudioError::NoTitle`], [`StudioError::NoCopy`], [`StudioError::LastCopy`], [`StudioError::Busy`], or that the bucket fails; what
    /// is left then is swept later.
    pub async fn unpublish(&self, name_or_id: &str, place: &Place) -> Result<Title, StudioError> {
        let title = self.catalogue().find_title(name_or_id).await?;
        let _lock =
            self.lock_title(title.id)?.ok_or_else(|| StudioError::Busy(title.name.clone()))?;
        let copies = self.catalogue().copies(Some(title.id)).await?;
        let no_copy =
            || StudioError::NoCopy { title: title.name.clone(), store: place.to_string() };
        let copy = copies.iter().find(|one| one.place.is_same(place)).ok_or_else(no_copy)?;
        let others =
            copies.iter().filter(|one| one.state == CopyState::Ready && one.place != copy.place);
        if others.count() == 0 {
            return Err(StudioError::LastCopy(title.name));
        }
        let gone = [copy.place.clone()];
        {
            let _grants = self.lock_grants(title.id).await?;
            self.catalogue().switch_copies(title.id, None, &gone).await?;
        }
        self.finish_removing(title.id, &copy.place).await?;
        Ok(title)
    }

    async fn relocate(
        &self,
        name_or_id: &str,
        place: &Place,
        progress: &watch::Sender<TransferProgress>,
        now: Timestamp,
        away: bool,
    ) -> Result<Relocated, StudioError> {
        let title = self.catalogue().find_title(name_or_id).await?;
        let _lock =
            self.lock_title(title.id)?.ok_or_else(|| StudioError::Busy(title.name.clone()))?;
        let copies = self.catalogue().copies(Some(title.id)).await?;
        let mut grant_count = 0;
        if let Some(source) = source_of(&copies, place) {
            let from = self.bucket_at(&source.place).await?;
            Self::make_folder(place)?;
            let to = self.bucket_at(place).await?;
            to.reach().await?;
            self.catalogue().begin_copy(title.id, place).await?;
            let index = self.index_key(&title, now)?;
            let files = self.catalogue().files(title.id).await?;
            let transfer =
                Transfer { title: title.id, from: &from, to: &to, index, files, progress };
            let copied = transfer.run().await?;
            if away {
                transfer.verify(&copied).await?;
            }
            progress.send_modify(|state| state.step = "grants");
            let _grants = self.lock_grants(title.id).await?;
            grant_count = self.copy_grants(title.id, &from, &to).await?;
            let others = if away { others(&copies, place) } else { Vec::new() };
            self.catalogue().switch_copies(title.id, Some(place), &others).await?;
        }
        let mut left = Vec::new();
        if away {
            progress.send_modify(|state| state.step = "deleting");
            left = self.leave(title.id).await?;
        }
        let progress = *progress.borrow();
        Ok(Relocated { title, place: place.clone(), progress, grant_count, left })
    }

    /// Deletes the copies that a title was moved away from.
    async fn leave(&self, title: TitleId) -> Result<Vec<(Place, Option<String>)>, StudioError> {
        let mut left = Vec::new();
        for copy in self.catalogue().copies(Some(title)).await? {
            if copy.state == CopyState::Removing {
                let failure = self.finish_removing(title, &copy.place).await.err();
                left.push((copy.place, failure.map(|error| error.to_string())));
            }
        }
        Ok(left)
    }

    /// Deletes what a copy in state *removing* still has, and forgets it.
    pub(crate) async fn finish_removing(
        &self,
        title: TitleId,
        place: &Place,
    ) -> Result<(), StudioError> {
        let bucket = self.bucket_at(place).await?;
        bucket.delete_title(title).await?;
        for grant in self.catalogue().grants(Some(title)).await? {
            bucket.delete(&grant_key(grant.grant_id()?)).await?;
        }
        self.catalogue().forget_copy(title, place).await
    }

    async fn copy_grants(
        &self,
        title: TitleId,
        from: &Bucket,
        to: &Bucket,
    ) -> Result<usize, StudioError> {
        let grants = self.catalogue().grants(Some(title)).await?;
        let copied = stream::iter(grants)
            .map(|grant| async move {
                let key = grant_key(grant.grant_id()?);
                let Some(record) = from.get(&key).await? else { return Ok(0) };
                to.put(&key, record).await.map(|()| 1)
            })
            .buffer_unordered(GRANTS_IN_FLIGHT);
        copied.try_fold(0, |sum, one| async move { Ok::<usize, StudioError>(sum + one) }).await
    }

    fn index_key(
        &self,
        title: &Title,
        now: Timestamp,
    ) -> Result<object_store::path::Path, StudioError> {
        let key = self.keystore().unseal(title.id, title.epoch, &title.sealed_key, now)?;
        let role = Role::single(title.id, Kind::MultivariantPlaylist);
        Ok(title_folder(title.id).join(playlist_file(key.object_name(&role))))
    }

    /// The places where viewers may be sent, the own bucket first.
    pub(crate) async fn ready_places(&self, title: TitleId) -> Result<Vec<Place>, StudioError> {
        let copies = self.catalogue().copies(Some(title)).await?;
        let ready = copies.into_iter().filter(|copy| copy.state == CopyState::Ready);
        Ok(ready.map(|copy| copy.place).collect())
    }
}

/// The copy to copy from: a finished one that lies elsewhere.
fn source_of<'a>(copies: &'a [TitleCopy], place: &Place) -> Option<&'a TitleCopy> {
    let ready = |copy: &&TitleCopy| copy.state == CopyState::Ready;
    copies.iter().filter(ready).find(|copy| !copy.place.is_same(place))
}

/// Every other place that has something of the title.
fn others(copies: &[TitleCopy], place: &Place) -> Vec<Place> {
    let others = copies.iter().filter(|copy| !copy.place.is_same(place));
    others.map(|copy| copy.place.clone()).collect()
}
