//! The blind gateway: hands out grants, signs playlists, serves sealed objects and the watch page.
//!
//! Owns the HTTP interface of `docs/format/gateway-api.md`, over a bucket that is its only state. It
//! sees names, sizes and timings, and a credential that signs reads. It refuses to know keys: nothing
//! in its dependency tree can open a sealed object, and it writes nothing anywhere. The clock, the
//! credential, the bucket and the listener are arguments.
//!
//! A room a file: [`bucket`](Bucket) reads, [`cache`](CacheSettings) keeps, `grant` says who may watch, `playlist` and
//! [`signer`](Signer) write what `manifest` answers with, `objects` serves sealed bytes, `plain` HLS that was never sealed (by the same signer), `page` the watch page; `headers`,
//! `hosts`, `limits`, `rate`, `cors`, `problem` and `access` hold for every answer, in the order that `guard` has; `metrics` counts, `performance`, `ready`
//! and `admin` are the operator's; and [`serve()`] is the only file that knows sockets.

mod access;
mod admin;
mod batch;
mod bucket;
mod cache;
mod compress;
mod conditions;
mod config;
mod cors;
mod desk;
mod encoding;
mod gateway;
mod grant;
mod guard;
mod headers;
mod hosts;
mod limits;
mod manifest;
mod metrics;
mod names;
mod objects;
mod page;
mod peer;
mod performance;
mod plain;
mod playlist;
mod problem;
mod rate;
mod ready;
mod serve;
mod signer;

pub use admin::{AdminFiles, AdminToken, AdminTokenError};
pub use batch::{BatchEntry, BatchError, parse_batch};
pub use bucket::{Bucket, BucketError, Platform, StoreCredential, StoreSettings, Unfetched};
pub use cache::{CacheSettings, FRESH_MAX_S};
pub use conditions::parse_range;
pub use config::{Config, ConfigError, LogForm, TitleUrls};
pub use cors::Cors;
pub use gateway::{Clock, Gateway};
pub use hosts::{Hosts, PublicUrlError};
pub use metrics::{MetricsSettings, OtlpSettings, PushError, Pusher};
pub use page::{PageError, PageFiles};
pub use peer::{ForwardedHeader, Network, NetworkError, Proxies};
pub use performance::ProcessHooks;
pub use plain::{
    PlainAlgorithm, PlainAuth, PlainError, PlainMode, PlainSettings, PlainTree, PlainTrees,
    SameSite, plain_cookies,
};
pub use rate::RateLimits;
pub use serve::{
    Certificate, CertificateError, Drained, ServeLimits, Tls, serve, serve_metrics, serve_tls,
};
pub use signer::{
    CookieScope, CredentialSource, Given, Origin, Place, Signer, SigningCredential, UnusableMode,
    UrlLife, UrlMode, UrlModeName, UrlSettings, UrlSettingsError,
};
