//! Putting objects: headers and fingerprints. What is too large for one request is `parts`'s.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use futures_util::StreamExt as _;
use object_store::path::Path;
use object_store::{
    Attribute, AttributeValue, Attributes, ObjectStoreExt as _, PutOptions, PutPayload,
};
use sha2::{Digest as _, Sha256};

use super::{Bucket, is_playlist};
use crate::StudioError;

/// The bytes of one request: what is larger goes in parts of this size. S3 takes parts from 5 MiB on.
pub(crate) const PART_BYTES: u64 = 8 << 20;
/// The metadata that holds an object's SHA-256 in hex: `x-amz-meta-sha256`.
const SHA256_KEY: &str = "sha256";

/// The SHA-256 of an object's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// What hashed all of the bytes.
    pub(super) fn finish(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }

    /// The text of a checksum in S3's requests and answers.
    pub(super) fn base64(&self) -> String {
        BASE64_STANDARD.encode(self.0)
    }

    pub(crate) fn parse(hex: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if hex.len() != 64 || !hex.is_ascii() {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The fingerprint that an object's metadata has.
pub(super) fn noted(attributes: &Attributes) -> Option<Fingerprint> {
    let hex = attributes.get(&Attribute::Metadata(SHA256_KEY.into()))?;
    Fingerprint::parse(hex)
}

impl Bucket {
    pub(crate) async fn put(&self, key: &Path, body: Bytes) -> Result<(), StudioError> {
        let attributes = self.attributes(key, || Some(Fingerprint::of(&body)));
        let options = PutOptions { attributes, ..PutOptions::default() };
        let put = self.store.put_opts(key, PutPayload::from_bytes(body), options).await;
        put.map(drop).map_err(self.failed("cannot be written"))
    }

    /// An object's fingerprint: what its metadata says, or what its bytes give where there is no metadata; `None` when it
    /// isn't there.
    pub(crate) async fn fingerprint(&self, key: &Path) -> Result<Option<Fingerprint>, StudioError> {
        let missing =
            |error: &object_store::Error| matches!(error, object_store::Error::NotFound { .. });
        let found = match self.head(key).await {
            Err(error) if missing(&error) => return Ok(None),
            found => found.map_err(self.failed("cannot be read"))?,
        };
        if let Some(noted) = noted(&found.attributes) {
            return Ok(Some(noted));
        }
        let read = self.store.get(key).await.map_err(self.failed("cannot be read"))?;
        let mut hasher = Sha256::new();
        let mut chunks = read.into_stream();
        while let Some(chunk) = chunks.next().await {
            hasher.update(chunk.map_err(self.failed("cannot be read"))?);
        }
        Ok(Some(Fingerprint::finish(hasher)))
    }

    /// What an S3 store keeps beside the bytes; a folder keeps nothing.
    pub(super) fn attributes(
        &self,
        key: &Path,
        fingerprint: impl FnOnce() -> Option<Fingerprint>,
    ) -> Attributes {
        if self.folder.is_some() {
            return Attributes::new();
        }
        let (media_type, caching) = if is_playlist(key) {
            ("application/vnd.apple.mpegurl", "no-cache")
        } else if key.as_ref().starts_with("g/") {
            ("application/json", "no-store")
        } else {
            ("application/octet-stream", "public, max-age=31536000, immutable")
        };
        let mut attributes = Attributes::from_iter([
            (Attribute::ContentType, media_type),
            (Attribute::CacheControl, caching),
        ]);
        if let Some(noted) = fingerprint() {
            let noted: AttributeValue = noted.to_string().into();
            attributes.insert(Attribute::Metadata(SHA256_KEY.into()), noted);
        }
        attributes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_survives_its_text_and_nothing_else_is_one() {
        let one = Fingerprint::of(b"sealed");
        assert_eq!(Fingerprint::parse(&one.to_string()), Some(one));
        for text in ["", "00", &"g".repeat(64), &"é".repeat(32), &"0".repeat(65)] {
            assert_eq!(Fingerprint::parse(text), None, "{text}");
        }
    }
}
