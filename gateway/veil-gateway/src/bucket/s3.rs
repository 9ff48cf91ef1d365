//! A bucket of an S3 store: how long it may take, how often it is asked again, how many requests run at a time.
//!
//! Owns the client's limits. Refuses to know where its credential comes from ([`StoreCredential`]). Invariant: no request outlives its limits, and a store that is slow or away
//! costs a bounded number of connections.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::limit::LimitStore;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use serde::{Deserialize, Serialize};
use veil_presign::{S3Place, Style};

use super::{Bucket, BucketError, StoreCredential};
use crate::config::{ConfigError, in_range};

/// How an S3 store is asked, `[store]` in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// How long a connection to the store may take to be made, in milliseconds (100 to 30,000; default 3,000).
    pub connect_timeout_ms: u32,
    /// How long the store may be silent within an answer, in milliseconds (100 to 60,000; default 8,000).
    pub read_timeout_ms: u32,
    /// How often a request that failed is sent again (0 to 5; default 2). A player asks again by itself.
    pub retry_count: u32,
    /// How long requests to the store are repeated at most, in milliseconds (0 to 60,000; default 5,000).
    pub retry_timeout_ms: u32,
    /// Most requests to the store at a time, downloads that are passed through among them (1 to 10,000; default 512).
    pub request_count: u32,
    /// The file of a credential that may read and nothing else, to sign URLs for players with; of the same form as
    /// `credentials`. Default: the credential that the gateway itself reads with.
    pub signing_credentials: Option<PathBuf>,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 3_000,
            read_timeout_ms: 8_000,
            retry_count: 2,
            retry_timeout_ms: 5_000,
            request_count: 512,
            signing_credentials: None,
        }
    }
}

impl StoreSettings {
    /// Checks that every value is in its range.
    ///
    /// # Errors
    /// The first that isn't.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        in_range("store.connect_timeout_ms", self.connect_timeout_ms.into(), 100..=30_000)?;
        in_range("store.read_timeout_ms", self.read_timeout_ms.into(), 100..=60_000)?;
        in_range("store.retry_count", self.retry_count.into(), 0..=5)?;
        in_range("store.retry_timeout_ms", self.retry_timeout_ms.into(), 0..=60_000)?;
        in_range("store.request_count", self.request_count.into(), 1..=10_000)
    }

    fn client(&self) -> ClientOptions {
        let ms = |value: u32| Duration::from_millis(value.into());
        ClientOptions::new()
            // A download takes as long as its viewer does; silence is what ends it.
            .with_timeout_disabled()
            .with_connect_timeout(ms(self.connect_timeout_ms))
            .with_read_timeout(ms(self.read_timeout_ms))
            .with_pool_max_idle_per_host(self.request_count.min(64) as usize)
            .with_pool_idle_timeout(Duration::from_secs(60))
    }

    fn retry(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(50),
                max_backoff: Duration::from_secs(1),
                base: 2.0,
            },
            max_retries: self.retry_count as usize,
            retry_timeout: Duration::from_millis(self.retry_timeout_ms.into()),
        }
    }
}

impl Bucket {
    /// A bucket of an S3 store. Nothing is asked of the store yet.
    ///
    /// # Errors
    /// A place that the client can't be set up for.
    pub fn s3(
        place: &S3Place,
        credential: StoreCredential,
        settings: &StoreSettings,
    ) -> Result<Self, BucketError> {
        let store = client(place, credential, settings).map_err(|_| BucketError::Client)?;
        let store = LimitStore::new(store, settings.request_count as usize);
        let store: Arc<dyn ObjectStore> = match place.prefix() {
            "" => Arc::new(store),
            prefix => Arc::new(PrefixStore::new(store, prefix)),
        };
        Ok(Self::store(store))
    }
}

fn client(
    place: &S3Place,
    credential: StoreCredential,
    settings: &StoreSettings,
) -> object_store::Result<AmazonS3> {
    let address = place.address();
    let is_plain_http = address.endpoint.scheme() == "http";
    let endpoint = format!("{}://{}", address.endpoint.scheme(), address.endpoint.host());
    AmazonS3Builder::new()
        .with_client_options(settings.client())
        .with_retry(settings.retry())
        .with_allow_http(is_plain_http)
        .with_bucket_name(place.bucket())
        .with_region(address.region)
        .with_endpoint(endpoint)
        .with_virtual_hosted_style_request(address.style == Style::Virtual)
        .with_credentials(Arc::new(credential))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_out_of_its_range_is_named() {
        assert_eq!(StoreSettings::default().check(), Ok(()));
        let settings = StoreSettings::default();
        let check = |settings: StoreSettings, key: &str| {
            let error = settings.check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("store.{key} is ")), "{error}");
        };
        check(StoreSettings { connect_timeout_ms: 99, ..settings.clone() }, "connect_timeout_ms");
        check(StoreSettings { read_timeout_ms: 60_001, ..settings.clone() }, "read_timeout_ms");
        check(StoreSettings { retry_count: 6, ..settings.clone() }, "retry_count");
        check(StoreSettings { retry_timeout_ms: 60_001, ..settings.clone() }, "retry_timeout_ms");
        check(StoreSettings { request_count: 0, ..settings }, "request_count");
    }
}
