//! Sessions, settings, batches and figures.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What opens a session: the token of the printed address, or the password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The token.
    #[serde(default)]
    pub token: Option<String>,
    /// The password, where one is set.
    #[serde(default)]
    pub password: Option<String>,
}

/// An open session; its cookie comes with it.
#[derive(Serialize, ToSchema)]
pub struct Session {
    /// What every request that changes something carries in `X-Veilcast-Csrf`.
    pub csrf: String,
}

/// What is preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long shares hold: `30m`, `12h`, `7d`, `never`.
    pub share_expires: String,
    /// The address of the gateway or of an exported page for links; that of the last `veilcast up` where it is empty.
    pub share_base_url: String,
    /// Renditions of imports: `auto`, or heights such as `480,720,1080`.
    pub import_ladder: String,
    /// The largest upload, in bytes.
    pub upload_bytes_max: u64,
    /// How long an unfinished upload is kept, in hours.
    pub upload_hours: u32,
    /// The most that thumbnails and previews may take on disk, in bytes.
    pub cache_bytes_max: u64,
    /// How long nothing of them is kept that nobody looked at, in days.
    pub cache_days: u32,
    /// How often a client may hide or reveal, a minute.
    pub hide_per_minute: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            share_expires: "7d".to_owned(),
            share_base_url: String::new(),
            import_ladder: "auto".to_owned(),
            upload_bytes_max: 64_000_000_000,
            upload_hours: 24,
            cache_bytes_max: 5_000_000_000,
            cache_days: 7,
            hide_per_minute: 5,
        }
    }
}

/// Several reads in one request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// At most 50.
    pub requests: Vec<BatchRequest>,
}

/// One of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// Comes back with its answer.
    pub id: String,
    /// `GET`; `GET` as well where it isn't said.
    #[serde(default)]
    pub method: Option<String>,
    /// A path below `/v1/`, with its query.
    pub path: String,
}

/// The answers of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchAnswers {
    /// In the order of the requests.
    pub responses: Vec<BatchAnswer>,
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchAnswer {
    /// Its request's.
    pub id: String,
    /// The HTTP status.
    pub status: u16,
    /// What the path answers.
    pub body: Value,
}

/// Figures of the studio's process.
#[derive(Debug, Serialize, ToSchema)]
pub struct Performance {
    /// Seconds since it began.
    pub uptime_s: u64,
    /// Memory that it holds, in bytes.
    pub rss_bytes: u64,
    /// The most that it held, in bytes.
    pub rss_peak_bytes: u64,
    /// Processor time that it took, in milliseconds.
    pub cpu_ms: u64,
    /// Processor time of ended children, in milliseconds.
    pub children_cpu_ms: u64,
    /// Threads.
    pub threads: u64,
    /// What runs below it, FFmpeg above all.
    pub children: Vec<ChildProcess>,
    /// Requests, by route.
    pub requests: Vec<RouteFigures>,
    /// The last requests that took more than half a second, newest first.
    pub slow: Vec<SlowRequest>,
    /// What is kept on disk.
    pub cache: CacheFigures,
    /// Listeners of `/v1/events`.
    pub listeners: u64,
    /// Open sessions.
    pub sessions: u64,
}

/// A process below the studio's.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChildProcess {
    /// Its program.
    pub name: String,
    /// Memory that it holds, in bytes.
    pub rss_bytes: u64,
    /// Processor time that it took, in milliseconds.
    pub cpu_ms: u64,
}

/// Requests of one route.
#[derive(Debug, Serialize, ToSchema)]
pub struct RouteFigures {
    /// Method and pattern.
    pub route: String,
    /// How many.
    pub count: u64,
    /// How many were answered with 5xx.
    pub errors: u64,
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: f64,
    /// 95 % of them took no longer.
    pub p95_ms: f64,
    /// 99 % of them took no longer.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// A request that took long.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SlowRequest {
    /// Method and pattern.
    pub route: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// The HTTP status.
    pub status: u16,
    /// How long it took, in milliseconds.
    pub ms: f64,
}

/// What is kept on disk.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct CacheFigures {
    /// Thumbnails, waveforms and previews, in bytes.
    pub bytes: u64,
    /// How many.
    pub entries: u64,
    /// The most that they may take.
    pub bytes_max: u64,
    /// Unfinished uploads, in bytes.
    pub upload_bytes: u64,
    /// The library's files, in bytes.
    pub media_bytes: u64,
}

/// What tidying up gave back.
#[derive(Debug, Serialize, ToSchema)]
pub struct Collected {
    /// Memory before, in bytes.
    pub rss_before_bytes: u64,
    /// Memory after.
    pub rss_after_bytes: u64,
    /// Bytes on disk that are gone.
    pub freed_bytes: u64,
    /// Unfinished uploads that were too old.
    pub uploads: u64,
}
