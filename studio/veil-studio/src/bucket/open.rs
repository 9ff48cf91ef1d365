//! Opening a bucket: which store, which credential, how patiently.
//!
//! The library reads no environment: an [`Access`] brings what the user has set, as a function from a place to its credential.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::client::{HttpConnector as _, ReqwestConnector};
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use tokio::net::TcpStream;
use tokio::time::timeout;
use veil_presign::{Chain, ChainError, CredentialSource, Endpoint, S3Address, S3Place, Style};

use super::Bucket;
use super::unfinished::Uploads;
use crate::StudioError;

/// How long a request is tried again, unless told otherwise. Below five minutes, since a request isn't signed anew.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The first pause before a request is tried again; later ones are drawn between it and twice the last one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Times that a request is tried again: as often as the patience allows.
const RETRIES: usize = 1000;
/// How long a store may take to accept a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long one request may take: a part at 0.25 Mbit/s.
const REQUEST_LIMIT: Duration = Duration::from_secs(300);
/// How long a store may say nothing in the middle of an answer.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
/// Where a machine of AWS's would find its own credential, and how long it takes to know that there is none.
const MACHINE: &str = "169.254.169.254:80";
const MACHINE_LIMIT: Duration = Duration::from_secs(1);

/// Finds the credential of a place.
type Find = dyn Fn(&S3Place) -> Result<Chain, ChainError> + Send + Sync;

/// How S3 stores are opened.
#[derive(Clone)]
pub struct Access {
    find: Arc<Find>,
    patience: Duration,
}

impl Access {
    /// Takes what finds the credential of a place, and how long a request is tried again.
    pub fn new(
        find: impl Fn(&S3Place) -> Result<Chain, ChainError> + Send + Sync + 'static,
        patience: Duration,
    ) -> Self {
        Self { find: Arc::new(find), patience }
    }

    /// No credential for any store.
    #[must_use]
    pub fn none() -> Self {
        Self::new(
            |_| Ok(Chain { source: None, end: None, region: None, endpoint_url: None }),
            PATIENCE,
        )
    }

    /// The place with what the user's settings say of its address and region, so that its text means the same later.
    ///
    /// # Errors
    /// [`StudioError::Credential`] when the settings can't be used.
    pub fn settle(&self, place: S3Place) -> Result<S3Place, StudioError> {
        let chain = self.find(&place)?;
        let endpoint = match (place.endpoint(), chain.endpoint_url) {
            (None, Some(url)) => {
                let bad = |_| StudioError::Endpoint(url.clone());
                Some(Endpoint::parse(&url).map_err(bad)?)
            }
            _ => None,
        };
        Ok(place.with_defaults(endpoint, chain.region.as_deref()))
    }

    fn find(&self, place: &S3Place) -> Result<Chain, StudioError> {
        (self.find)(place)
            .map_err(|error| StudioError::Credential { bucket: place.to_string(), error })
    }
}

impl Bucket {
    /// A local folder as a bucket. Files are synced before they are renamed into place.
    ///
    /// # Errors
    /// [`StudioError::Bucket`] when the folder can't be opened.
    pub fn local(folder: &FilePath) -> Result<Self, StudioError> {
        Self::folder(folder, "")
    }

    /// The same with a name of its own in errors.
    pub(crate) fn folder(folder: &FilePath, name: &str) -> Result<Self, StudioError> {
        let failed = |source| StudioError::Bucket {
            bucket: name.into(),
            what: "cannot be opened",
            source: Box::new(source),
        };
        let store = LocalFileSystem::new_with_prefix(folder).map_err(failed)?;
        let store = store.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self {
            store: Arc::new(store),
            name: name.into(),
            folder: Some(folder.to_owned()),
            uploads: None,
        })
    }

    /// A bucket of an S3 store.
    ///
    /// # Errors
    /// [`StudioError::Credential`] and [`StudioError::NoCredential`]; [`StudioError::Bucket`] when it can't be set up. Nothing is asked
    /// of the store yet.
    pub(crate) async fn s3(place: &S3Place, access: &Access) -> Result<Self, StudioError> {
        let source = access.find(place)?.source;
        let source = source.ok_or_else(|| StudioError::NoCredential(place.to_string()))?;
        if matches!(source, CredentialSource::Machine)
            && !matches!(timeout(MACHINE_LIMIT, TcpStream::connect(MACHINE)).await, Ok(Ok(_)))
        {
            return Err(StudioError::NoCredential(place.to_string()));
        }
        let failed = |source| StudioError::Bucket {
            bucket: place.to_string().into(),
            what: "cannot be opened",
            source: Box::new(source),
        };
        let options = client_options(place, access.patience);
        let http = ReqwestConnector::default().connect(&options).map_err(failed)?;
        let s3 = client(place, &source, options, access.patience).map_err(failed)?;
        let store: Arc<dyn ObjectStore> = match place.prefix() {
            "" => Arc::new(s3.clone()),
            prefix => Arc::new(PrefixStore::new(s3.clone(), prefix)),
        };
        let uploads = Uploads { store: s3, http, prefix: place.prefix().to_owned() };
        let uploads = Some(Arc::new(uploads));
        Ok(Self { store, name: place.to_string().into(), folder: None, uploads })
    }
}

fn client_options(place: &S3Place, patience: Duration) -> ClientOptions {
    ClientOptions::new()
        .with_timeout(REQUEST_LIMIT)
        .with_connect_timeout(CONNECT_LIMIT.min(patience))
        .with_read_timeout(SILENCE_LIMIT)
        .with_allow_http(place.address().endpoint.scheme() == "http")
}

fn client(
    place: &S3Place,
    source: &CredentialSource,
    options: ClientOptions,
    patience: Duration,
) -> Result<AmazonS3, object_store::Error> {
    let S3Address { endpoint, region, style, .. } = place.address();
    let backoff =
        BackoffConfig { init_backoff: FIRST_PAUSE, max_backoff: LONGEST_PAUSE, base: 2.0 };
    let retry = RetryConfig { backoff, max_retries: RETRIES, retry_timeout: patience };
    let builder = AmazonS3Builder::new()
        .with_bucket_name(place.bucket())
        .with_region(region)
        .with_endpoint(endpoint.to_string())
        .with_virtual_hosted_style_request(style == Style::Virtual)
        .with_client_options(options)
        .with_retry(retry)
        .with_checksum_algorithm(Checksum::SHA256);
    with_credential(builder, source).build()
}

fn with_credential(builder: AmazonS3Builder, source: &CredentialSource) -> AmazonS3Builder {
    use AmazonS3ConfigKey as Key;
    let set = |builder: AmazonS3Builder, settings: &[(Key, &str)]| {
        settings.iter().fold(builder, |builder, (key, value)| builder.with_config(*key, *value))
    };
    match source {
        CredentialSource::Keys(keys) => {
            let builder = builder
                .with_access_key_id(keys.access_key_id())
                .with_secret_access_key(keys.secret_access_key());
            match keys.session_token() {
                Some(token) => builder.with_token(token),
                None => builder,
            }
        }
        CredentialSource::WebIdentity { token_file, role_arn, session_name } => {
            let builder =
                set(builder, &[(Key::WebIdentityTokenFile, token_file), (Key::RoleArn, role_arn)]);
            match session_name {
                Some(name) => set(builder, &[(Key::RoleSessionName, name)]),
                None => builder,
            }
        }
        CredentialSource::Container { relative_uri } => {
            set(builder, &[(Key::ContainerCredentialsRelativeUri, relative_uri)])
        }
        CredentialSource::ContainerWithToken { full_uri, token_file } => set(
            builder,
            &[
                (Key::ContainerCredentialsFullUri, full_uri),
                (Key::ContainerAuthorizationTokenFile, token_file),
            ],
        ),
        // What is left is the machine's own, which the client asks for by itself.
        _ => builder,
    }
}
