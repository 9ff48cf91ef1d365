//! Pushing figures to a collector by OTLP over HTTP (`POST …/v1/metrics`, protobuf).
//!
//! Owns when and how: at an interval, one request at a time, under a time limit, following no redirect.
//! A collector that is away costs a count and one line of the log, never a viewer anything; nothing is
//! kept for later, since the next push has it all.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use super::otlp;
use crate::config::{ConfigError, in_range};
use crate::gateway::Gateway;
use crate::performance::families;

/// How long a collector may take.
const PUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Pushing to an OpenTelemetry collector: the table `[metrics.otlp]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OtlpSettings {
    /// The collector's URL in full, usually ending in `/v1/metrics`. Default none: nothing is pushed.
    pub endpoint: Option<String>,
    /// A file of headers to send along, one `name: value` a line, closed to other users. Default none.
    pub headers: Option<PathBuf>,
    /// Time between two pushes, in seconds, 1 to 3,600. Default 60.
    pub every_s: u32,
}

impl Default for OtlpSettings {
    fn default() -> Self {
        Self { endpoint: None, headers: None, every_s: 60 }
    }
}

impl OtlpSettings {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let is_url = |text: &String| {
            let uri: Option<Uri> = text.parse().ok();
            uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")))
        };
        if self.endpoint.as_ref().is_some_and(|endpoint| !is_url(endpoint)) {
            let hint = "write it as http://127.0.0.1:4318/v1/metrics";
            return Err(ConfigError::value("metrics.otlp.endpoint", "is no URL", hint));
        }
        in_range("metrics.otlp.every_s", self.every_s.into(), 1..=3600)
    }
}

/// Why nothing can be pushed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// A line of the headers is not `name: value`.
    #[error("line {line} of the headers is not `name: value`")]
    Header {
        /// Which, from 1.
        line: usize,
    },
    /// The HTTP client could not be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(reqwest::Error),
}

/// A collector, and who pushes to it.
pub struct Pusher {
    client: reqwest::Client,
    endpoint: String,
    headers: HeaderMap,
    every: Duration,
    instance: String,
    is_failing: AtomicBool,
}

impl Pusher {
    /// A pusher as the settings say; `None` where they name no endpoint. `headers` is the text of the
    /// file that they name, and `instance` tells this process from others of its kind.
    ///
    /// # Errors
    /// Headers of another form; a system without roots of trust.
    pub fn new(
        settings: &OtlpSettings,
        headers: &str,
        instance: String,
    ) -> Result<Option<Self>, PushError> {
        let Some(endpoint) = settings.endpoint.clone() else { return Ok(None) };
        let client = reqwest::Client::builder()
            .timeout(PUSH_TIMEOUT)
            .redirect(Policy::none())
            .user_agent(concat!("veilcast-gateway/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(PushError::Client)?;
        let mut headers = parse_headers(headers)?;
        let kind = HeaderValue::from_static("application/x-protobuf");
        headers.insert(header::CONTENT_TYPE, kind);
        let every = Duration::from_secs(settings.every_s.into());
        let is_failing = AtomicBool::new(false);
        Ok(Some(Self { client, endpoint, headers, every, instance, is_failing }))
    }

    /// Pushes at every interval; the first one after one interval.
    pub async fn run(&self, gateway: &Gateway) {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            self.push(gateway).await;
        }
    }

    /// Pushes once, and tells the log when that begins to fail or to work again.
    pub async fn push(&self, gateway: &Gateway) {
        let metrics = &gateway.metrics;
        let message =
            otlp::request(families(gateway), &self.instance, metrics.started_at(), gateway.now());
        let request = self.client.post(&self.endpoint).headers(self.headers.clone()).body(message);
        let failure = match request.send().await {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(answer.status().as_str().to_owned()),
            Err(error) if error.is_timeout() => Some("no answer in time".to_owned()),
            Err(error) if error.is_connect() => Some("no connection".to_owned()),
            Err(_) => Some("no HTTP answer".to_owned()),
        };
        metrics.pushed(failure.is_none());
        let was_failing = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(reason) if !was_failing => {
                tracing::warn!(reason, "the collector takes no figures; they are pushed again");
            }
            None if was_failing => tracing::info!("the collector takes figures again"),
            _ => {}
        }
    }
}

fn parse_headers(text: &str) -> Result<HeaderMap, PushError> {
    let mut headers = HeaderMap::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let pair = line.split_once(':').and_then(|(name, value)| {
            let name: HeaderName = name.trim().parse().ok()?;
            let mut value = HeaderValue::from_str(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        let (name, value) = pair.ok_or(PushError::Header { line: at + 1 })?;
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_one_a_line_and_do_not_print_themselves() {
        let headers = parse_headers("Authorization: Basic eDp5\n\nx-scope: a:b\n").unwrap();
        assert_eq!(headers["authorization"], "Basic eDp5");
        assert_eq!(headers["x-scope"], "a:b");
        assert!(!format!("{headers:?}").contains("eDp5"));
        for text in ["a", "\n: b", "a b: c", "a: \u{7f}"] {
            assert!(parse_headers(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_endpoint_is_a_url_and_the_interval_is_in_its_range() {
        let settings = |endpoint: &str, every_s| {
            let endpoint = Some(endpoint.to_owned());
            OtlpSettings { endpoint, every_s, ..OtlpSettings::default() }.check()
        };
        assert!(settings("http://127.0.0.1:4318/v1/metrics", 1).is_ok());
        assert!(settings("https://otlp.example/v1/metrics", 3600).is_ok());
        for endpoint in ["", "otlp.example:4318", "ftp://otlp.example/"] {
            let error = settings(endpoint, 60).unwrap_err();
            assert!(error.to_string().contains("metrics.otlp.endpoint"), "{endpoint}: {error}");
        }
        assert!(settings("http://a/", 0).is_err() && settings("http://a/", 3601).is_err());
    }
}
