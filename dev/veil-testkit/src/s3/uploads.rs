//! The list of unfinished uploads, which the store keeps in its notes and has no request for.
//!
//! AWS's "ListMultipartUploads", for a bucket and a prefix; its signature is verified as any other's is.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use hyper::http::Extensions;
use hyper::{HeaderMap, Method, Uri};
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result};

/// Answers `GET /<bucket>?uploads`.
pub(super) struct Uploads {
    /// The store's folder.
    pub(super) root: PathBuf,
}

impl S3Route for Uploads {
    fn is_match(&self, method: &Method, uri: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        let asked = |name: &str| name == "uploads" || name == "uploads=";
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
        let bucket = request.uri.path().trim_matches('/').to_owned();
        let prefix = request.uri.query().unwrap_or_default().split('&');
        let prefix = prefix.filter_map(|pair| pair.strip_prefix("prefix=")).next();
        let prefix = prefix.unwrap_or_default().replace("%2F", "/");
        let entries: String = unfinished(&self.root, &bucket)
            .filter(|(key, _)| key.starts_with(&prefix))
            .map(|(key, id)| format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId></Upload>"))
            .collect();
        let text = format!(
            "<ListMultipartUploadsResult><Bucket>{bucket}</Bucket><IsTruncated>false</IsTruncated>{entries}\
             </ListMultipartUploadsResult>"
        );
        Box::pin(async move { Ok(S3Response::new(Body::from(text))) })
    }
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
