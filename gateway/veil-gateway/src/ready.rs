//! Whether new requests should come here.
//!
//! Owns `/healthz` (the process lives) and `/readyz` (it can do its work: the bucket answers, and nobody
//! has asked it to stop). The bucket is asked at most every [`FRESH`], however often a probe comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::bucket::Bucket;
use crate::gateway::Gateway;

/// Paths that answer for any host: probes address machines, not names.
pub(crate) const PROBE_PATHS: [&str; 2] = [HEALTH_PATH, READY_PATH];
pub(crate) const HEALTH_PATH: &str = "/healthz";
pub(crate) const READY_PATH: &str = "/readyz";

/// How long the bucket's last answer counts.
const FRESH: Duration = Duration::from_secs(5);

/// How long the bucket may take; probes give up after a few seconds themselves.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether this gateway can do its work.
#[derive(Default)]
pub(crate) struct Readiness {
    draining: AtomicBool,
    /// When the bucket was asked last, and whether it answered.
    asked: Mutex<Option<(Instant, bool)>>,
}

impl Readiness {
    /// From here on, new requests should go elsewhere.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// What stands in the way; nothing when ready.
    async fn reasons(&self, bucket: &Bucket) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        if self.draining.load(Ordering::Relaxed) {
            reasons.push("draining");
        }
        if !self.bucket_answers(bucket).await {
            reasons.push("store-unavailable");
        }
        reasons
    }

    /// Whoever comes while the bucket is being asked waits for the same answer.
    async fn bucket_answers(&self, bucket: &Bucket) -> bool {
        let mut asked = self.asked.lock().await;
        if let Some((at, answered)) = *asked
            && at.elapsed() < FRESH
        {
            return answered;
        }
        let answered = timeout(PROBE_TIMEOUT, bucket.is_reachable()).await.unwrap_or(false);
        *asked = Some((Instant::now(), answered));
        answered
    }
}

/// `GET /healthz`
pub(crate) async fn health() -> &'static str {
    "ok"
}

/// `GET /readyz`
pub(crate) async fn ready(State(gateway): State<Gateway>) -> Response {
    let readiness = Arc::clone(&gateway.ready);
    let reasons = readiness.reasons(&gateway.bucket).await;
    if reasons.is_empty() {
        return "ready".into_response();
    }
    let body = json!({
        "type": "not-ready", "title": "this gateway takes no requests now", "status": 503,
        "reasons": reasons
    });
    let content = (header::CONTENT_TYPE, "application/problem+json");
    let retry = (header::RETRY_AFTER, "5");
    (StatusCode::SERVICE_UNAVAILABLE, [content, retry], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use object_store::throttle::{ThrottleConfig, ThrottledStore};

    use super::*;

    fn bucket(wait: Duration) -> Bucket {
        let config = ThrottleConfig { wait_get_per_call: wait, ..ThrottleConfig::default() };
        Bucket::store(Arc::new(ThrottledStore::new(InMemory::new(), config)))
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_bucket_that_answers_is_ready_and_a_silent_one_is_not() {
        let readiness = Readiness::default();
        assert!(readiness.reasons(&bucket(Duration::from_millis(1))).await.is_empty());
        let silent = bucket(Duration::from_secs(60));
        // The last answer still counts.
        assert!(readiness.reasons(&silent).await.is_empty());
        tokio::time::advance(FRESH).await;
        let started = Instant::now();
        assert_eq!(readiness.reasons(&silent).await, ["store-unavailable"]);
        assert_eq!(started.elapsed(), PROBE_TIMEOUT);
        readiness.drain();
        assert_eq!(readiness.reasons(&silent).await, ["draining", "store-unavailable"]);
        assert_eq!(started.elapsed(), PROBE_TIMEOUT);
    }
}
