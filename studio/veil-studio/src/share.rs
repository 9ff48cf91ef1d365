//! Share and revoke: grants for recipients and links.
//!
//! Formats: `docs/format/grant.md`, `docs/format/link.md`. A link's secret is returned once and
//! stored nowhere.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use veil_seal::grant::{
    self, GrantBinding, GrantKind, GrantPayload, GrantRecord, GrantState, seal_payload,
};
use veil_seal::id::{GrantId, TitleId};
use veil_seal::identity::Recipient;
use veil_seal::link::LinkSecret;
use veil_seal::object::{Kind, Role};
use veil_seal::schedule::TitleKey;
use zeroize::Zeroizing;

use crate::bucket::{Bucket, grant_key, title_folder};
use crate::catalogue::{GrantRow, Title, check_name, parse_id};
use crate::keystore::os_rng;
use crate::marking::Copy;
use crate::place::Place;
use crate::stages::publish::playlist_file;
use crate::stages::seal::{SealedObject, Sealer};
use crate::sweep::Stores;
use crate::{Studio, StudioError, time};

/// Who may watch, and until when.
#[derive(Debug)]
pub struct ShareRequest {
    /// The recipient whose identity opens the grant; `None` for whoever has the link.
    pub to: Option<Recipient>,
    /// When it ends; `None` for never.
    pub expires: Option<Timestamp>,
    /// What to write on it, for whoever looks at the list; may be empty.
    pub label: String,
}

/// Where a link leads, both without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkBase {
    /// To the page that the gateway at this address serves.
    Gateway(String),
    /// To an exported page at this address.
    Page(String),
}

/// A new grant.
pub struct Shared {
    /// The grant's id.
    pub grant: GrantId,
    /// The link to watch, with its secret in the fragment.
    pub link: Zeroizing<String>,
    /// When it ends, RFC 3339.
    pub expires: Option<String>,
    /// Where the title lies, and so the grant: a gateway reads one of these.
    pub places: Vec<Place>,
}

impl Studio {
    /// Grants the right to watch a title, under a link below `base`.
    ///
    /// # Errors
    /// [`StudioError::NoTitle`], [`StudioError::AlreadyExpired`], or that the grant can't be written.
    pub async fn share(
        &self,
        name_or_id: &str,
        request: &ShareRequest,
        base: &LinkBase,
        now: Timestamp,
    ) -> Result<Shared, StudioError> {
        if request.expires.is_some_and(|expires| expires <= now) {
            return Err(StudioError::AlreadyExpired);
        }
        check_label(&request.label)?;
        let title = self.catalogue().find_title(name_or_id).await?;
        let _grants = self.lock_grants(title.id).await?;
        let title = self.catalogue().find_title(&title.id.to_string()).await?;
        let places = self.ready_places(title.id).await?;
        let key = self.keystore().unseal(title.id, title.epoch, &title.sealed_key, now)?;
        let secret = LinkSecret::random(&mut os_rng());
        let grant = GrantId::random(&mut os_rng());
        let copy = match self.marks(&title).await? {
            Some(marks) => Some(marks.copy_for(&title, grant)?),
            None => None,
        };
        let (record, list) = make_record(&title, grant, (key, copy), &secret, request, now)?;
        let row = row(&record, list.as_ref(), &request.label);
        self.catalogue().insert_grant(&row).await?;
        if let Err(error) = self.put_everywhere(&places, &row, &record, list.as_ref()).await {
            self.catalogue().undo_grant(&row).await?;
            return Err(error);
        }
        let link = match base {
            LinkBase::Gateway(url) => secret.to_link(url, grant),
            LinkBase::Page(url) => secret.to_page_link(url, grant),
        };
        Ok(Shared { grant, link, expires: record.expires, places })
    }

    /// Takes a grant back: its record becomes a tombstone. Doing so again changes nothing.
    ///
    /// A viewer who is watching keeps what the player has fetched, and signed URLs until they end.
    ///
    /// # Errors
    /// [`StudioError::NoGrant`], or that a bucket can't be written; it is then taken back in the others.
    pub async fn revoke(&self, grant: &str, now: Timestamp) -> Result<GrantRow, StudioError> {
        let row = self.catalogue().find_grant(grant).await?;
        let id = row.grant_id()?;
        let title: TitleId = parse_id(&row.title_id, "the title's id")?;
        {
            let _grants = self.lock_grants(title).await?;
            let mut revoked = Ok(());
            for copy in self.catalogue().copies(Some(title)).await? {
                let one = self.revoke_at(&copy.place, id).await;
                let list = self.delete_list(&copy.place, title, &row).await;
                revoked = revoked.and(one).and(list);
            }
            revoked?;
        }
        self.catalogue().revoke_grant(&row.id, &time::text(now)).await?;
        self.catalogue().find_grant(grant).await
    }

    async fn revoke_at(&self, place: &Place, grant: GrantId) -> Result<(), StudioError> {
        let bucket = self.bucket_at(place).await?;
        let key = grant_key(grant);
        let Some(body) = bucket.get(&key).await? else { return Ok(()) };
        let record: Option<GrantRecord> = serde_json::from_slice(&body).ok();
        match record {
            Some(record) => put_record(&bucket, grant, &record.revoked()).await,
            None => bucket.delete(&key).await,
        }
    }

    /// Deletes the slot keys of a grant of a marked title.
    async fn delete_list(
        &self,
        place: &Place,
        title: TitleId,
        row: &GrantRow,
    ) -> Result<(), StudioError> {
        let Some(name) = &row.list_name else { return Ok(()) };
        self.bucket_at(place).await?.delete(&title_folder(title).join(name.as_str())).await
    }

    /// Writes a new grant's record to all places, or to none; what it names is there before it.
    async fn put_everywhere(
        &self,
        places: &[Place],
        row: &GrantRow,
        record: &GrantRecord,
        list: Option<&SealedObject>,
    ) -> Result<(), StudioError> {
        let (grant, title) = (row.grant_id()?, parse_id(&row.title_id, "the title's id")?);
        let mut put = Ok(());
        for place in places {
            put = self.put_at(place, title, (grant, record), list).await;
            if put.is_err() {
                break;
            }
        }
        if put.is_err() {
            for place in places {
                // The first error is the one to tell; nobody has the link of what is left.
                if let Ok(bucket) = self.bucket_at(place).await {
                    let _ = bucket.delete(&grant_key(grant)).await;
                }
                let _ = self.delete_list(place, title, row).await;
            }
        }
        put
    }

    async fn put_at(
        &self,
        place: &Place,
        title: TitleId,
        (grant, record): (GrantId, &GrantRecord),
        list: Option<&SealedObject>,
    ) -> Result<(), StudioError> {
        let bucket = self.bucket_at(place).await?;
        if let Some(list) = list {
            let key = title_folder(title).join(list.name().to_string());
            bucket.put(&key, list.body().clone()).await?;
        }
        put_record(&bucket, grant, record).await
    }

    /// Forgets grants that ended more than `keep` ago, and their records.
    pub(crate) async fn sweep_grants(
        &self,
        keep: SignedDuration,
        now: Timestamp,
        stores: &mut Stores<'_>,
    ) -> Result<usize, StudioError> {
        let ended = self.catalogue().grants_ended_before(&time::text(now - keep)).await?;
        let mut swept = 0;
        for grant in &ended {
            let title: TitleId = parse_id(&grant.title_id, "the title's id")?;
            if stores.answer_for(title).await? {
                let forgotten = self.forget_grant(title, grant).await;
                swept += usize::from(stores.noted(forgotten).is_some());
            }
        }
        self.catalogue().forget_emptied().await?;
        Ok(swept)
    }

    async fn forget_grant(&self, title: TitleId, grant: &GrantRow) -> Result<(), StudioError> {
        for copy in self.catalogue().copies(Some(title)).await? {
            let bucket = self.bucket_at(&copy.place).await?;
            bucket.delete(&grant_key(grant.grant_id()?)).await?;
            self.delete_list(&copy.place, title, grant).await?;
        }
        self.catalogue().delete_grant(&grant.id).await
    }
}

/// A label is one line, or nothing.
fn check_label(label: &str) -> Result<(), StudioError> {
    if label.is_empty() { Ok(()) } else { check_name(label) }
}

/// The record, and the sealed list of slot keys that it names, where the title is marked.
fn make_record(
    title: &Title,
    grant: GrantId,
    (key, copy): (TitleKey, Option<Copy>),
    secret: &LinkSecret,
    request: &ShareRequest,
    now: Timestamp,
) -> Result<(GrantRecord, Option<SealedObject>), StudioError> {
    let mut rng = os_rng();
    let (kind, recipient) = match &request.to {
        Some(recipient) => (GrantKind::Recipient, recipient.clone()),
        None => (GrantKind::Link, secret.identity().recipient()),
    };
    let binding =
        GrantBinding { grant, title: title.id, epoch: title.epoch, recipient: recipient.key_id() };
    let expires = request.expires.map(time::text);
    let name = |kind| key.object_name(&Role::single(title.id, kind));
    let index = playlist_file(name(Kind::MultivariantPlaylist));
    let mut preload = vec![name(Kind::Manifest).to_string()];
    if title.facts.has_poster {
        preload.push(name(Kind::Poster).to_string());
    }
    let (mut pattern, mut variants, mut list) = (None, None, None);
    if let Some(copy) = copy {
        let sealed = Sealer::seal_list(title.id, &copy.key, &copy.list)?;
        preload.push(sealed.name().to_string());
        (pattern, variants, list) = (Some(copy.pattern), Some(copy.key), Some(sealed));
    }
    let payload = GrantPayload { key, variants, expires: expires.clone() };
    let record = GrantRecord {
        v: grant::VERSION,
        id: binding.grant.to_string(),
        title: title.id.to_string(),
        epoch: title.epoch,
        state: GrantState::Active,
        kind,
        bearer_sha256: hex(&secret.bearer().sha256()),
        created: time::text(now),
        expires,
        recipient: Some(binding.recipient.to_string()),
        index: Some(index),
        preload,
        pattern,
        envelope: Some(seal_payload(&recipient, &binding, &payload, &mut rng)?),
    };
    Ok((record, list))
}

fn row(record: &GrantRecord, list: Option<&SealedObject>, label: &str) -> GrantRow {
    let kind = match record.kind {
        GrantKind::Link => "link",
        GrantKind::Recipient => "recipient",
    };
    GrantRow {
        id: record.id.clone(),
        title_id: record.title.clone(),
        kind: kind.to_owned(),
        recipient: record.recipient.clone().unwrap_or_default(),
        created_at: record.created.clone(),
        expires_at: record.expires.clone(),
        revoked_at: None,
        label: label.to_owned(),
        list_name: list.map(|list| list.name().to_string()),
    }
}

async fn put_record(
    bucket: &Bucket,
    grant: GrantId,
    record: &GrantRecord,
) -> Result<(), StudioError> {
    let damaged = |_| StudioError::Damaged { what: "the record", id: grant.to_string() };
    let body = serde_json::to_vec(record).map_err(damaged)?;
    bucket.put(&grant_key(grant), Bytes::from(body)).await
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
