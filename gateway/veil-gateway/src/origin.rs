//! The store as players see it: where its objects' presigned URLs lie, and the credential that signs them.
//!
//! Owns signing for one store. Refuses to sign with a credential that ends by itself: its URLs would end with it, in the
//! middle of a film, and nobody is told when. Invariant: one folder, date and life give one text, on every gateway.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use veil_presign::{
    Batch, Credentials, Lanes, Names, PresignError, Request, S3Place, SigningKeys, UrlText,
};

/// When URLs are signed and how long they live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) signed_at: Timestamp,
    pub(crate) expires_s: u32,
}

/// A store that takes presigned URLs.
pub struct Origin {
    scheme: &'static str,
    host: String,
    folder: String,
    access_key_id: String,
    keys: Mutex<SigningKeys>,
    lanes: Lanes,
}

/// Why a credential can't sign URLs.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the credential that signs URLs is a temporary one: its URLs would end with it")]
pub struct TemporaryCredential;

/// Signed objects of one folder.
pub(crate) struct Signed<'n> {
    names: &'n Names,
    signatures: Vec<veil_presign::Signature>,
    text: UrlText,
}

impl Origin {
    /// Signs for the objects of a place. Give it a credential that may read and nothing else: whoever sees a URL can try
    /// secrets against it offline, and what they could find is that credential's.
    ///
    /// # Errors
    /// A credential with a session token.
    pub fn new(place: &S3Place, credentials: Credentials) -> Result<Self, TemporaryCredential> {
        if credentials.session_token().is_some() {
            return Err(TemporaryCredential);
        }
        let address = place.address();
        Ok(Self {
            scheme: address.endpoint.scheme(),
            host: address.endpoint.host().to_owned(),
            folder: address.folder,
            access_key_id: credentials.access_key_id().to_owned(),
            keys: Mutex::new(SigningKeys::new(credentials, address.region)),
            lanes: Lanes::detect(),
        })
    }

    /// The id of the key that signs.
    pub(crate) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Signs reads of `names` below `folder`, both as they lie in the bucket; `folder` is empty or ends with a slash.
    pub(crate) fn sign<'n>(
        &self,
        folder: &str,
        names: &'n Names,
        life: Life,
    ) -> Result<Signed<'n>, PresignError> {
        let batch = self.batch(folder, life)?;
        let signatures = batch.sign(self.lanes, names);
        Ok(Signed { names, signatures, text: batch.urls(self.scheme) })
    }

    /// The presigned URL of one object.
    pub(crate) fn url(&self, folder: &str, name: &str, life: Life) -> Result<String, PresignError> {
        let names = Names::new([name]);
        let signed = self.sign(folder, &names, life)?;
        let mut url = Vec::new();
        signed.push(0, &mut url);
        Ok(String::from_utf8_lossy(&url).into_owned())
    }

    fn batch(&self, folder: &str, life: Life) -> Result<Batch, PresignError> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let key = keys.covering(life.signed_at)?;
        let path = format!("{}{folder}", self.folder);
        Batch::new(key, &Request::get(&self.host, &path, life.expires_s), life.signed_at)
    }
}

impl Signed<'_> {
    /// Appends the URL of the name of this number.
    pub(crate) fn push(&self, at: usize, out: &mut Vec<u8>) {
        self.text.push(self.names.get(at), &self.signatures[at], out);
    }
}

#[cfg(test)]
mod tests {
    use veil_presign::StoreUrl;

    use super::*;

    fn place(url: &str) -> S3Place {
        let StoreUrl::S3(place) = StoreUrl::parse(url).unwrap() else { panic!("{url}") };
        place
    }

    fn credentials() -> Credentials {
        Credentials::new("AKIATEST", "0123456789abcdef".to_owned()).unwrap()
    }

    #[test]
    fn a_url_has_the_stores_host_and_the_place_of_the_key() {
        let check = |store: &str, start: &str| {
            let origin = Origin::new(&place(store), credentials()).unwrap();
            let life = Life { signed_at: "2026-11-20T10:00:00Z".parse().unwrap(), expires_s: 60 };
            let url = origin.url("vod/a b/", "é.ts", life).unwrap();
            assert!(url.starts_with(start), "{url}");
            assert!(url.contains("X-Amz-Date=20261120T100000Z&X-Amz-Expires=60&"), "{url}");
        };
        let name = "vod/a%20b/%C3%A9.ts?X-Amz-Algorithm=";
        check(
            "s3://films?region=eu-west-1",
            &format!("https://films.s3.eu-west-1.amazonaws.com/{name}"),
        );
        let endpoint = "endpoint=http%3A%2F%2F127.0.0.1%3A9000&region=local";
        check(
            &format!("s3://films/sub?{endpoint}"),
            &format!("http://127.0.0.1:9000/films/sub/{name}"),
        );
    }

    #[test]
    fn a_temporary_credential_signs_no_urls() {
        let temporary = credentials().with_session_token("token".to_owned()).unwrap();
        assert!(Origin::new(&place("s3://films"), temporary).is_err());
    }
}
