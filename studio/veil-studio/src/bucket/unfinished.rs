//! Uploads in parts that nobody finished: an S3 store keeps their parts, unseen and paid for, until they are discarded.
//!
//! The client of the store has no request that lists them, so this file makes it: S3 API Reference, "ListMultipartUploads", by a URL
//! that the client signs. Best effort: a store without that request, or a policy without `s3:ListBucketMultipartUploads`,
//! costs space and nothing else.

use std::time::Duration;

use object_store::aws::AmazonS3;
use object_store::client::{HttpClient, HttpRequestBody};
use object_store::multipart::MultipartStore as _;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer as _};
use serde::Deserialize;
use veil_seal::id::TitleId;

use super::{Bucket, title_folder};

/// How long the request's signature holds, and how long all of it may take.
const LIMIT: Duration = Duration::from_secs(60);
/// The largest list that is read: a thousand uploads of 3 kB each.
const MAX_LIST_BYTES: usize = 4 << 20;
/// Lists that are asked for, one after the other.
const MAX_LISTS: usize = 100;

/// What it takes to see and discard uploads.
#[derive(Clone)]
pub(super) struct Uploads {
    pub(super) store: AmazonS3,
    pub(super) http: HttpClient,
    /// The bucket's prefix, which keys begin with.
    pub(super) prefix: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    #[serde(rename = "Upload", default)]
    uploads: Vec<Upload>,
    #[serde(default)]
    is_truncated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    upload_id: String,
}

impl Bucket {
    /// Discards what was begun in a title's folder and not finished. Only for who holds the title's lock.
    pub(crate) async fn discard_unfinished(&self, title: TitleId) {
        if let Some(uploads) = &self.uploads {
            let _ = tokio::time::timeout(LIMIT, uploads.discard(title)).await;
        }
    }
}

impl Uploads {
    async fn discard(&self, title: TitleId) -> Option<()> {
        let folder = title_folder(title);
        let prefix = match self.prefix.as_str() {
            "" => format!("{folder}/"),
            prefix => format!("{prefix}/{folder}/"),
        };
        for _ in 0..MAX_LISTS {
            let list = self.list(&prefix).await?;
            for Upload { key, upload_id } in list.uploads {
                let key = Path::parse(key).ok().filter(|key| key.as_ref().starts_with(&prefix))?;
                self.store.abort_multipart(&key, &upload_id).await.ok()?;
            }
            if !list.is_truncated {
                break;
            }
        }
        Some(())
    }

    async fn list(&self, prefix: &str) -> Option<List> {
        let options = SignedUrlOptions::new().with_query([("uploads", ""), ("prefix", prefix)]);
        let bucket = Path::default();
        let url = self.store.signed_url_opts(http::Method::GET, &bucket, LIMIT, &options);
        let request = http::Request::get(url.await.ok()?.as_str());
        let request = request.body(HttpRequestBody::from(Vec::new())).ok()?;
        let answer = self.http.execute(request).await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        let text = answer.into_body().bytes().await.ok()?;
        let text = text.get(..text.len().min(MAX_LIST_BYTES))?;
        quick_xml::de::from_reader(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_stores_write_it() {
        let text = "<?xml version=\"1.0\"?><ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                    <Bucket>b</Bucket><KeyMarker/><IsTruncated>true</IsTruncated>\
                    <Upload><Key>t/a</Key><UploadId>x&amp;y</UploadId><Owner><ID>1</ID></Owner></Upload>\
                    <Upload><Key>t/b</Key><UploadId>z</UploadId></Upload></ListMultipartUploadsResult>";
        let list: List = quick_xml::de::from_reader(text.as_bytes()).unwrap();
        let found: Vec<_> =
            list.uploads.iter().map(|one| (one.key.as_str(), one.upload_id.as_str())).collect();
        assert_eq!((found, list.is_truncated), (vec![("t/a", "x&y"), ("t/b", "z")], true));
        let none: List = quick_xml::de::from_str("<ListMultipartUploadsResult/>").unwrap();
        assert!(none.uploads.is_empty() && !none.is_truncated);
    }
}
