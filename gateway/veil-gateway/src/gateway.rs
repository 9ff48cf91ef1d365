//! The gateway as a value, and the table of its routes.
//!
//! Owns the order in which a request meets the layers: access log, security headers, size limits,
//! host, route. Refuses to know sockets. Invariant: every answer, whoever made it, leaves through the
//! first two.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use jiff::Timestamp;

use crate::admin::{self, AdminToken};
use crate::bucket::Bucket;
use crate::hosts::Hosts;
use crate::metrics::Metrics;
use crate::page::PageFiles;
use crate::performance::{self, Cache, ProcessHooks};
use crate::problem::Problem;
use crate::ready::{self, HEALTH_PATH, READY_PATH, Readiness};
use crate::signer::Signer;
use crate::{access, grant, headers, hosts, limits, manifest, objects, page};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What `GET /` says. There is no list of titles to show, and none to leak.
const ABOUT: &str = "This is a Veilcast gateway. It plays private videos to who has a link to one.\n\
    There is no list of them here.\n";

/// A gateway: one bucket, one credential, the hosts it answers for, its page and its clock.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) bucket: Bucket,
    pub(crate) signer: Arc<Signer>,
    pub(crate) page: Arc<PageFiles>,
    pub(crate) clock: Clock,
    pub(crate) hosts: Hosts,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) ready: Arc<Readiness>,
    pub(crate) caches: Arc<[Arc<dyn Cache>]>,
    pub(crate) process: ProcessHooks,
    pub(crate) admin: Option<Arc<AdminToken>>,
}

impl Gateway {
    /// Puts a gateway together. Nothing is read yet.
    #[must_use]
    pub fn new(
        bucket: Bucket,
        signer: Signer,
        hosts: Hosts,
        page: PageFiles,
        clock: Clock,
    ) -> Self {
        let metrics = Arc::new(Metrics::new(clock()));
        Self {
            bucket,
            signer: Arc::new(signer),
            page: Arc::new(page),
            clock,
            hosts,
            metrics,
            ready: Arc::default(),
            caches: Arc::new([]),
            process: ProcessHooks::default(),
            admin: None,
        }
    }

    /// Sets the operator's token, which opens `/performance` and, beyond loopback, `/metrics`.
    #[must_use]
    pub fn with_admin(self, token: AdminToken) -> Self {
        Self { admin: Some(Arc::new(token)), ..self }
    }

    /// Sets what the process around this gateway can tell and do.
    #[must_use]
    pub fn with_process(self, process: ProcessHooks) -> Self {
        Self { process, ..self }
    }

    /// The current time, by this gateway's clock.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The HTTP service.
    pub fn router(self) -> Router {
        let (hosts, metrics) = (self.hosts.clone(), Arc::clone(&self.metrics));
        Router::new()
            .route("/", get(|| async { ABOUT }))
            .route(HEALTH_PATH, get(ready::health))
            .route(READY_PATH, get(ready::ready))
            .route("/metrics", get(performance::text))
            .merge(operator(&self))
            .route("/w/{grant}", get(page::watch))
            .route("/assets/{*name}", get(page::asset))
            .route("/favicon.ico", get(page::favicon))
            .route("/favicon.svg", get(page::favicon))
            .route("/v1/grants/{grant}", get(grant::show))
            .route("/v1/grants/{grant}/sign", post(objects::sign))
            .route("/v1/grants/{grant}/{playlist}", get(manifest::show))
            .route("/o/t/{title}/{name}", get(objects::serve))
            .fallback(|| async { Problem::not_found() })
            .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
            .with_state(self)
            .layer(from_fn_with_state(hosts, hosts::check))
            .layer(from_fn(limits::check))
            .layer(from_fn(headers::secure))
            .layer(from_fn_with_state(metrics, access::log))
    }

    /// The service of a listener for the operator's machines: `/metrics`, `/healthz` and `/readyz`.
    /// `is_open` leaves the token out, for an address that only this machine reaches.
    pub fn metrics_router(self, is_open: bool) -> Router {
        let text = if is_open { get(performance::open_text) } else { get(performance::text) };
        Router::new()
            .route(HEALTH_PATH, get(ready::health))
            .route(READY_PATH, get(ready::ready))
            .route("/metrics", text)
            .fallback(|| async { Problem::not_found() })
            .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
            .with_state(self)
            .layer(from_fn(limits::check))
            .layer(from_fn(headers::secure))
    }
}

/// What wants the operator's token.
fn operator(gateway: &Gateway) -> Router<Gateway> {
    Router::new()
        .route("/performance/metrics", get(performance::show))
        .route("/performance/gc", post(performance::collect_garbage))
        .route_layer(from_fn_with_state(gateway.clone(), admin::require))
}
