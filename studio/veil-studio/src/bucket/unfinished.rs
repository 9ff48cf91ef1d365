//! Uploads in parts that nobody finished: an S3 store keeps their parts, unseen and paid for, until they are discarded.
//!
//! The client of the store has no requests for them, so this file makes them: S3 API Reference, "ListMultipartUploads",
//! "ListParts" and "CompleteMultipartUpload", by URLs that the client signs. Finding them is best effort: a store without
//! those requests, or a policy without `s3:ListBucketMultipartUploads`, costs space and time and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use http::{Method, StatusCode};
use object_store::aws::AmazonS3;
use object_store::client::{HttpClient, HttpRequestBody};
use object_store::multipart::MultipartStore as _;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use veil_seal::id::TitleId;

use super::{Bucket, title_folder};

/// How long a request's signature holds, and how long finding uploads may take.
const LIMIT: Duration = Duration::from_secs(60);
/// The largest answer that is read: a thousand uploads of 3 kB each.
const MAX_LIST_BYTES: usize = 4 << 20;
/// Lists that are asked for, one after the other.
const MAX_LISTS: usize = 100;

/// What it takes to see, finish and discard uploads.
#[derive(Clone)]
pub(super) struct Uploads {
    pub(super) store: AmazonS3,
    pub(super) http: HttpClient,
    /// The bucket's prefix, which keys begin with.
    pub(super) prefix: String,
}

/// The ids of uploads that may be gone on with, by the keys of their objects.
pub(crate) type Begun = HashMap<Path, String>;

/// A part that a store has.
#[derive(Clone, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Part {
    pub(super) part_number: usize,
    pub(super) size: u64,
    #[serde(rename = "ETag", default)]
    e_tag: String,
    /// In base64; stores that keep no checksums of parts have none.
    #[serde(rename = "ChecksumSHA256")]
    pub(super) checksum: Option<String>,
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PartList {
    #[serde(rename = "Part", default)]
    parts: Vec<Part>,
    #[serde(default)]
    is_truncated: bool,
}

#[derive(Serialize)]
#[serde(rename = "CompleteMultipartUpload")]
struct Complete<'a> {
    #[serde(rename = "Part")]
    parts: Vec<CompletePart<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CompletePart<'a> {
    part_number: usize,
    #[serde(rename = "ETag")]
    e_tag: &'a str,
    #[serde(rename = "ChecksumSHA256", skip_serializing_if = "Option::is_none")]
    checksum: Option<&'a str>,
}

impl<'a> CompletePart<'a> {
    fn of(part: &'a Part) -> Self {
        Self {
            part_number: part.part_number,
            e_tag: &part.e_tag,
            checksum: part.checksum.as_deref(),
        }
    }
}

impl Bucket {
    /// Discards what was begun in a title's folder and not finished. Only for who holds the title's lock.
    pub(crate) async fn discard_unfinished(&self, title: TitleId) {
        self.begun(title, |_| false).await;
    }

    /// Finds what was begun in a title's folder and not finished, for keys that are wanted; discards everything else.
    /// Only for who holds the title's lock.
    pub(crate) async fn begun(&self, title: TitleId, is_wanted: impl Fn(&Path) -> bool) -> Begun {
        let mut begun = Begun::new();
        if let Some(uploads) = &self.uploads {
            let found = uploads.sort(title, is_wanted, &mut begun);
            let _ = tokio::time::timeout(LIMIT, found).await;
        }
        begun
    }
}

impl Uploads {
    async fn sort(
        &self,
        title: TitleId,
        is_wanted: impl Fn(&Path) -> bool,
        begun: &mut Begun,
    ) -> Option<()> {
        let folder = self.full(&title_folder(title));
        let prefix = format!("{folder}/");
        for _ in 0..MAX_LISTS {
            let list = self.list(&prefix).await?;
            let mut discarded = 0;
            for Upload { key, upload_id } in list.uploads {
                let full = Path::parse(key).ok().filter(|key| key.as_ref().starts_with(&prefix))?;
                let key = Path::from_iter(full.prefix_match(&Path::from(self.prefix.as_str()))?);
                let known = begun.get(&key).is_some_and(|id| *id == upload_id);
                if known || (is_wanted(&key) && !begun.contains_key(&key)) {
                    begun.insert(key, upload_id);
                    continue;
                }
                self.store.abort_multipart(&full, &upload_id).await.ok()?;
                discarded += 1;
            }
            if !list.is_truncated || discarded == 0 {
                break;
            }
        }
        Some(())
    }

    /// A key as the store has it.
    pub(super) fn full(&self, key: &Path) -> Path {
        Path::from_iter(Path::from(self.prefix.as_str()).parts().chain(key.parts()))
    }

    async fn list(&self, prefix: &str) -> Option<List> {
        let query = [("uploads", ""), ("prefix", prefix)];
        read(self.ask(Method::GET, &Path::default(), &query, String::new()).await)
    }

    /// The parts that have arrived, by their numbers, which begin with 1; `None` when the store doesn't say.
    pub(super) async fn parts(&self, key: &Path, id: &str) -> Option<BTreeMap<usize, Part>> {
        let mut parts = BTreeMap::new();
        for _ in 0..MAX_LISTS {
            let last = parts.last_key_value().map_or(0, |(number, _)| *number).to_string();
            let query = [("uploadId", id), ("part-number-marker", last.as_str())];
            let list: PartList = read(self.ask(Method::GET, key, &query, String::new()).await)?;
            let before = parts.len();
            parts.extend(list.parts.into_iter().map(|part| (part.part_number, part)));
            if !list.is_truncated || parts.len() == before {
                break;
            }
        }
        Some(parts)
    }

    /// Makes an object of these parts.
    pub(super) async fn complete(
        &self,
        key: &Path,
        id: &str,
        parts: &[&Part],
    ) -> Result<(), Unfinishable> {
        let body = Complete { parts: parts.iter().map(|part| CompletePart::of(part)).collect() };
        let body = quick_xml::se::to_string(&body);
        let body = body.map_err(|error| Unfinishable::Away(told(error)))?;
        let answer = self.ask(Method::POST, key, &[("uploadId", id)], body).await;
        let (status, text) = answer.map_err(Unfinishable::Away)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        // An answer that was begun before the work was done tells its failure in the body.
        match status.is_success() && !text.contains("<Error>") {
            true => Ok(()),
            false if status.is_client_error() => Err(Unfinishable::Refused(told(text))),
            false => Err(Unfinishable::Away(told(text))),
        }
    }

    /// Sends a request that the client has no name for.
    async fn ask(
        &self,
        method: Method,
        key: &Path,
        query: &[(&str, &str)],
        body: String,
    ) -> object_store::Result<(StatusCode, Vec<u8>)> {
        let options = SignedUrlOptions::new().with_query(query.iter().copied());
        let url = self.store.signed_url_opts(method.clone(), key, LIMIT, &options).await?;
        let request = http::Request::builder().method(method).uri(url.as_str());
        let request = request.body(HttpRequestBody::from(body.into_bytes())).map_err(told)?;
        let answer = self.http.execute(request).await.map_err(told)?;
        let status = answer.status();
        let text = answer.into_body().bytes().await.map_err(told)?;
        Ok((status, text.slice(..text.len().min(MAX_LIST_BYTES)).to_vec()))
    }
}

/// Why parts became no object.
pub(super) enum Unfinishable {
    /// The store didn't answer, or not now: the parts are still there.
    Away(object_store::Error),
    /// The store doesn't take these parts.
    Refused(object_store::Error),
}

/// What the store's own client would have told.
fn told(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> object_store::Error {
    object_store::Error::Generic { store: "S3", source: source.into() }
}

fn read<T: DeserializeOwned>(answer: object_store::Result<(StatusCode, Vec<u8>)>) -> Option<T> {
    let (status, text) = answer.ok()?;
    if !status.is_success() {
        return None;
    }
    quick_xml::de::from_reader(text.as_slice()).ok()
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

    #[test]
    fn parts_are_read_with_and_without_checksums_and_written_in_their_order() {
        let text = "<ListPartsResult><Bucket>b</Bucket><PartNumberMarker>0</PartNumberMarker>\
                    <IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber><Size>9</Size>\
                    <ETag>&quot;e&quot;</ETag><ChecksumSHA256>AA==</ChecksumSHA256></Part>\
                    <Part><ETag>f</ETag><PartNumber>2</PartNumber><Size>8</Size></Part></ListPartsResult>";
        let list: PartList = quick_xml::de::from_str(text).unwrap();
        let (one, two) = (&list.parts[0], &list.parts[1]);
        assert_eq!((one.size, one.checksum.as_deref(), &*one.e_tag), (9, Some("AA=="), "\"e\""));
        assert_eq!((two.size, &two.checksum), (8, &None));
        let parts = list.parts.iter().map(CompletePart::of).collect();
        let body = quick_xml::se::to_string(&Complete { parts }).unwrap();
        let text = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"e\"</ETag>\
                    <ChecksumSHA256>AA==</ChecksumSHA256></Part>\
                    <Part><PartNumber>2</PartNumber><ETag>f</ETag></Part></CompleteMultipartUpload>";
        assert_eq!(body.replace("&quot;", "\""), text);
    }
}
