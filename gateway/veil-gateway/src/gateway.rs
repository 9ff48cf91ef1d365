//! The gateway as a value, and the table of its routes.
//!
//! Owns the order in which a request meets the layers: access log, security headers, CORS, rate and
//! size limits, host, route. Refuses to know sockets. Invariant: every answer, whoever made it, leaves through the
//! first two.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use jiff::Timestamp;

use crate::bucket::Bucket;
use crate::cors::Cors;
use crate::hosts::{HEALTH_PATH, Hosts};
use crate::page::PageFiles;
use crate::peer::Proxies;
use crate::problem::Problem;
use crate::rate::{RateLimits, Rates};
use crate::signer::Signer;
use crate::{access, cors, grant, headers, hosts, limits, manifest, objects, page, rate};

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
    pub(crate) rates: Arc<Rates>,
    hosts: Hosts,
    cors: Arc<Cors>,
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
        Self {
            bucket,
            signer: Arc::new(signer),
            page: Arc::new(page),
            clock,
            rates: Arc::new(Rates::new(RateLimits::default(), Proxies::default())),
            hosts,
            cors: Arc::default(),
        }
    }

    /// Lets pages of these origins read the answers; without this, of none.
    #[must_use]
    pub fn with_cors(self, cors: Cors) -> Self {
        Self { cors: Arc::new(cors), ..self }
    }

    /// Limits how often somebody may ask, and believes these proxies on who that is; without this, the
    /// default limits and no proxy.
    #[must_use]
    pub fn with_rates(self, limits: RateLimits, proxies: Proxies) -> Self {
        Self { rates: Arc::new(Rates::new(limits, proxies)), ..self }
    }

    /// The current time, by this gateway's clock.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The HTTP service.
    pub fn router(self) -> Router {
        let (hosts, rates, cors) =
            (self.hosts.clone(), Arc::clone(&self.rates), Arc::clone(&self.cors));
        Router::new()
            .route("/", get(|| async { ABOUT }))
            .route(HEALTH_PATH, get(|| async { "ok" }))
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
            .layer(from_fn_with_state(rates, rate::check))
            .layer(from_fn_with_state(cors, cors::answer))
            .layer(from_fn(headers::secure))
            .layer(from_fn(access::log))
    }
}
