//! The bucket, and the credential of its store.
//!
//! Owns the environment's part of the chain: AWS's variables and shared files are read here, and their order is
//! [`veil_presign::Settings`]'s. Shows no part of a store's URL in an error, which might hold what belongs elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use veil_gateway::{Bucket, Config, Origin};
use veil_presign::{Chain, CredentialSource, Credentials, Endpoint, S3Place, Settings, StoreUrl};
use zeroize::Zeroizing;

use crate::{Failure, credentials};

/// Opens the bucket that the configuration names.
pub(crate) fn bucket(config: &Config) -> Result<Bucket, Failure> {
    match named(config)? {
        StoreUrl::S3(place) => {
            let chain = chain(&place)?;
            let place = with_defaults(place, &chain)?;
            let source = chain.source.ok_or_else(|| {
                let hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of \
                            ~/.aws/credentials by ?profile=NAME";
                Failure::new("there is no credential for the store", hint)
            })?;
            Bucket::s3(&place, source, &config.store).map_err(|error| {
                Failure::new(error, "install the system's certificates (ca-certificates)")
            })
        }
        StoreUrl::Folder(path) if !path.is_empty() => folder(Path::new(&path)),
        _ => folder(config.bucket.as_deref().unwrap_or(Path::new(""))),
    }
}

fn folder(path: &Path) -> Result<Bucket, Failure> {
    let hint = "name the folder that `veilcast` publishes into, or create it first";
    Bucket::folder(path).map_err(|error| Failure::new(error, hint))
}

/// The store that takes presigned URLs; `None` for a folder.
pub(crate) fn origin(config: &Config) -> Result<Option<Arc<Origin>>, Failure> {
    let StoreUrl::S3(place) = named(config)? else { return Ok(None) };
    let chain = chain(&place)?;
    let place = with_defaults(place, &chain)?;
    let credentials = match (&config.store.signing_credentials, chain.source) {
        (Some(path), _) => credentials::read(path)?,
        (None, Some(CredentialSource::Keys(keys))) => keys,
        (None, _) => return Err(temporary()),
    };
    signing(&place, credentials).map(Some)
}

fn signing(place: &S3Place, credentials: Credentials) -> Result<Arc<Origin>, Failure> {
    Origin::new(place, credentials).map(Arc::new).map_err(|_| temporary())
}

fn temporary() -> Failure {
    let hint = "name one that may read and nothing else by store.signing_credentials, or serve plain \
                trees in mode \"local\"";
    Failure::new("URLs for players can't be signed with a credential that ends by itself", hint)
}

fn named(config: &Config) -> Result<StoreUrl, Failure> {
    let Some(bucket) = &config.bucket else {
        return Err(Failure::new("no bucket is named", "set bucket, or add --bucket DIR|URL"));
    };
    // A path that is no text is no URL either.
    let Some(text) = bucket.to_str() else { return Ok(StoreUrl::Folder(String::new())) };
    StoreUrl::parse(text).map_err(|error| {
        let hint = "write it as s3://BUCKET/PREFIX?endpoint=https://HOST&region=NAME, or a folder";
        Failure::new(format!("the bucket: {error}"), hint)
    })
}

/// Walks AWS's chain for a place.
fn chain(place: &S3Place) -> Result<Chain, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    let [credentials_file, config_file] =
        [("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")]
            .map(|(name, usual)| shared_file(name, usual));
    let settings = Settings {
        variable: &variable,
        credentials_file: &credentials_file,
        config_file: &config_file,
    };
    settings.find(place.profile()).map_err(|error| {
        Failure::new(error, "check AWS's variables and ~/.aws/credentials of this user")
    })
}

/// The text of one of AWS's shared files; a file that is not there says nothing.
fn shared_file(variable: &str, usual: &str) -> Zeroizing<String> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".aws").join(usual));
    let text = named.or_else(home).and_then(|path| std::fs::read_to_string(path).ok());
    Zeroizing::new(text.unwrap_or_default())
}

fn with_defaults(place: S3Place, chain: &Chain) -> Result<S3Place, Failure> {
    let endpoint = chain.endpoint_url.as_deref().map(Endpoint::parse).transpose();
    let endpoint = endpoint.map_err(|error| {
        Failure::new(format!("AWS_ENDPOINT_URL: {error}"), "write it as https://HOST")
    })?;
    Ok(place.with_defaults(endpoint, chain.region.as_deref()))
}
