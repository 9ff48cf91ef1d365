//! The list of unfinished uploads, and of their parts with checksums, which the store keeps in its notes and does not tell.
//!
//! AWS's "ListMultipartUploads", for a bucket and a prefix, and "ListParts"; signatures are verified as any other's are.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use hyper::http::Extensions;
use hyper::{HeaderMap, Method, Uri};
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result};
use sha2::{Digest as _, Sha256};

/// Parts of one answer: few, so that whoever asks has to ask again.
const PARTS_LISTED: usize = 3;

/// Answers `GET /<bucket>?uploads` and `GET /<bucket>/<key>?uploadId=…`.
pub(super) struct Uploads {
    /// The store's folder.
    pub(super) root: PathBuf,
}

impl S3Route for Uploads {
    fn is_match(&self, method: &Method, uri: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        let asked = |pair: &str| pair.split('=').next().is_some_and(is_ours);
        *method == Method::GET && uri.query().is_some_and(|query| query.split('&').any(asked))
    }

    fn call<'a, 'f>(
        &'a self,
        request: S3Request<Body>,
    ) -> Pin<Box<dyn Future<Output = S3Result<S3Response<Body>>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        let query = request.uri.query().unwrap_or_default().to_owned();
        let asked = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(found, _)| *found == name).map(|(_, value)| value.replace("%2F", "/"))
        };
        let text = match asked("uploadId") {
            Some(id) => {
                let after = asked("part-number-marker").and_then(|text| text.parse().ok());
                part_list(&self.root, &id, after.unwrap_or(0))
            }
            None => {
                let bucket = request.uri.path().trim_matches('/');
                upload_list(&self.root, bucket, &asked("prefix").unwrap_or_default())
            }
        };
        Box::pin(async move { Ok(S3Response::new(Body::from(text))) })
    }
}

fn is_ours(name: &str) -> bool {
    name == "uploads" || name == "uploadId"
}

fn upload_list(root: &Path, bucket: &str, prefix: &str) -> String {
    let entries: String = unfinished(root, bucket)
        .filter(|(key, _)| key.starts_with(prefix))
        .map(|(key, id)| format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId></Upload>"))
        .collect();
    format!(
        "<ListMultipartUploadsResult><Bucket>{bucket}</Bucket><IsTruncated>false</IsTruncated>{entries}\
         </ListMultipartUploadsResult>"
    )
}

fn part_list(root: &Path, id: &str, after: u32) -> String {
    let mut parts = parts(root, id);
    parts.retain(|(number, _)| *number > after);
    parts.sort_unstable();
    let is_truncated = parts.len() > PARTS_LISTED;
    parts.truncate(PARTS_LISTED);
    let part = |(number, path): &(u32, PathBuf)| {
        let bytes = std::fs::read(path).unwrap_or_default();
        let checksum = BASE64_STANDARD.encode(Sha256::digest(&bytes));
        let size = bytes.len();
        format!(
            "<Part><PartNumber>{number}</PartNumber><Size>{size}</Size><ETag>&quot;{number}&quot;</ETag>\
             <ChecksumSHA256>{checksum}</ChecksumSHA256></Part>"
        )
    };
    let entries: String = parts.iter().map(part).collect();
    format!("<ListPartsResult><IsTruncated>{is_truncated}</IsTruncated>{entries}</ListPartsResult>")
}

/// The parts of an upload, by their numbers.
fn parts(root: &Path, id: &str) -> Vec<(u32, PathBuf)> {
    let start = format!(".upload_id-{id}.part-");
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let part = |entry: std::fs::DirEntry| {
        let number = entry.file_name().to_str()?.strip_prefix(&start)?.parse().ok()?;
        Some((number, entry.path()))
    };
    entries.filter_map(part).collect()
}

/// How many whole parts there are of all unfinished uploads.
pub(super) fn part_count(root: &Path, bucket: &str) -> usize {
    unfinished(root, bucket).map(|(_, id)| parts(root, &id).len()).sum()
}

/// Key and id of each upload that was begun in a bucket, from the names of the store's notes.
pub(super) fn unfinished(root: &Path, bucket: &str) -> impl Iterator<Item = (String, String)> {
    let start = format!(".bucket-{}.object-", BASE64_URL_SAFE_NO_PAD.encode(bucket));
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let name = entry.file_name().into_string().ok()?;
        let (key, rest) = name.strip_prefix(&start)?.split_once(".upload-")?;
        let key = BASE64_URL_SAFE_NO_PAD.decode(key).ok()?;
        Some((String::from_utf8(key).ok()?, rest.strip_suffix(".metadata.json")?.to_owned()))
    })
}
