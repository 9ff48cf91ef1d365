//! The bucket, and the credential of its store.
//!
//! Owns the environment's part of the chain: AWS's variables and shared files are read here, and their order is
//! [`veil_presign::Settings`]'s. Shows no part of a store's URL in an error, which might hold what belongs elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use veil_gateway::{
    Bucket, Config, CredentialSource, Platform, SigningCredential, StoreCredential, Unfetched,
};
use veil_presign::{Chain, CredentialSource as Way, Endpoint, S3Place, Settings, StoreUrl};
use zeroize::Zeroizing;

use crate::{Failure, credentials, runtime};

/// A bucket, and the store that it is in.
pub(crate) struct Store {
    pub(crate) bucket: Bucket,
    /// `None` for a folder.
    pub(crate) s3: Option<S3>,
}

/// A bucket of an S3 store, and what reads it.
pub(crate) struct S3 {
    pub(crate) place: S3Place,
    pub(crate) credential: StoreCredential,
}

/// Opens the bucket that the configuration names.
pub(crate) fn open(config: &Config) -> Result<Store, Failure> {
    match named(config)? {
        StoreUrl::S3(place) => {
            let s3 = S3::find(place)?;
            let bucket = Bucket::s3(&s3.place, s3.credential.clone(), &config.store);
            let bucket = bucket.map_err(|error| {
                Failure::new(error, "install the system's certificates (ca-certificates)")
            })?;
            Ok(Store { bucket, s3: Some(s3) })
        }
        StoreUrl::Folder(path) if !path.is_empty() => folder(Path::new(&path)),
        _ => folder(config.bucket.as_deref().unwrap_or(Path::new(""))),
    }
}

fn folder(path: &Path) -> Result<Store, Failure> {
    let hint = "name the folder that `veilcast` publishes into, or create it first";
    let bucket = Bucket::folder(path).map_err(|error| Failure::new(error, hint))?;
    Ok(Store { bucket, s3: None })
}

/// What signs URLs of a store for players: the credential of the file that is `named`, or of the one that
/// `store.signing_credentials` names, or else what reads the bucket.
pub(crate) fn signing(
    config: &Config,
    s3: Option<&S3>,
    named: Option<&Path>,
) -> Result<CredentialSource, Failure> {
    if let Some(path) = named.or(config.store.signing_credentials.as_deref()) {
        return credentials::read(path).map(SigningCredential::lasting);
    }
    let s3 = s3.ok_or_else(|| {
        let hint = "name one by urls.credentials or store.signing_credentials";
        Failure::new("the bucket is a folder, and no credential signs URLs for a store", hint)
    })?;
    runtime()?.block_on(s3.credential.renew()).map_err(|error| unfetched(&error))?;
    s3.credential.source().ok_or_else(|| {
        let hint = "say when it ends by AWS_CREDENTIAL_EXPIRATION, as `aws configure export-credentials` does; or \
                    name one that may read and nothing else by store.signing_credentials";
        Failure::new("URLs for players can't be signed with a token that ends nobody knows when", hint)
    })
}

fn unfetched(error: &Unfetched) -> Failure {
    let hint = "check the role of this machine or container, or name a credential by store.signing_credentials";
    Failure::new(error, hint)
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

impl S3 {
    /// Finds what reads a place.
    fn find(place: S3Place) -> Result<Self, Failure> {
        let chain = chain(&place)?;
        let place = with_defaults(place, &chain)?;
        let source = chain.source.ok_or_else(|| {
            let hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of \
                        ~/.aws/credentials by ?profile=NAME";
            Failure::new("there is no credential for the store", hint)
        })?;
        let clock = Arc::new(Timestamp::now);
        let credential = match source {
            Way::Keys(keys) => StoreCredential::given(keys, chain.end, clock),
            way => {
                let token_service = std::env::var("AWS_ENDPOINT_URL_STS").ok();
                let platform = Platform::new(way, &place.address().region, token_service);
                let platform = platform.map_err(|error| {
                    Failure::new(error, "install the system's certificates (ca-certificates)")
                })?;
                StoreCredential::of(platform, clock)
            }
        };
        Ok(Self { place, credential })
    }
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
