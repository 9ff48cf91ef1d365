//! The blind gateway: hands out grants, signs playlists, serves sealed objects and the watch page.
//!
//! Owns the HTTP interface of `docs/format/gateway-api.md`, over a bucket that is its only state. It
//! sees names, sizes and timings, and a credential that signs reads. It refuses to know keys: nothing
//! in its dependency tree can open a sealed object, and it writes nothing anywhere. The clock, the
//! credential, the bucket and the listener are arguments.
//!
//! A room a file: [`bucket`](Bucket) reads, `grant` says who may watch, `manifest` signs playlists,
//! `objects` serves sealed bytes, `page` the watch page; `headers`, `hosts`, `limits`, `problem` and
//! `access` hold for every answer; `metrics` counts, `performance`, `ready` and `admin` are the
//! operator's; and [`serve()`] is the only file that knows sockets.

mod access;
mod admin;
mod batch;
mod bucket;
mod conditions;
mod config;
mod gateway;
mod grant;
mod headers;
mod hosts;
mod limits;
mod manifest;
mod metrics;
mod names;
mod objects;
mod page;
mod performance;
mod problem;
mod ready;
mod serve;
mod signer;

pub use admin::{AdminFiles, AdminToken, AdminTokenError};
pub use batch::{BatchEntry, BatchError, parse_batch};
pub use bucket::{Bucket, BucketError};
pub use config::{Config, ConfigError, LogForm};
pub use gateway::{Clock, Gateway};
pub use headers::TRUSTED_TYPES_POLICIES;
pub use hosts::{Hosts, PublicUrlError};
pub use metrics::{MetricsSettings, OtlpSettings, PushError, Pusher};
pub use page::{PageError, PageFiles};
pub use performance::ProcessHooks;
pub use serve::{Drained, ServeLimits, serve, serve_metrics};
pub use signer::Signer;
