//! The gateway as a value, and the table of its routes.
//!
//! Owns which path is whose. Refuses to know sockets. Invariant: every route, and what answers where there is none, is behind
//! [`crate::guard`].

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use jiff::Timestamp;

use crate::admin::{self, AdminToken};
use crate::bucket::Bucket;
use crate::cache::{Absent, CacheSettings, Documents, Room};
use crate::cors::Cors;
use crate::desk::{Desk, WAITING_MAX};
use crate::grant::Sheet;
use crate::hosts::Hosts;
use crate::manifest::Manifests;
use crate::metrics::Metrics;
use crate::names::TitleId;
use crate::objects::SignedUrls;
use crate::page::PageFiles;
use crate::peer::Proxies;
use crate::performance::{self, Cache, ProcessHooks};
use crate::plain::PlainTrees;
use crate::playlist::Playlist;
use crate::problem::Problem;
use crate::rate::{RateLimits, Rates};
use crate::ready::{self, HEALTH_PATH, READY_PATH, Readiness};
use crate::signer::Signer;
use crate::{
    access, batch, compress, grant, guard, headers, limits, manifest, objects, page, plain,
};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Many reads at once; a batch inside a batch finds no such path.
const BATCH_PATH: &str = "/v1/batch";

/// What `GET /` says. There is no list of titles to show, and none to leak.
const ABOUT: &str = "This is a Veilcast gateway. It plays private videos to who has a link to one.\n\
    There is no list of them here.\n";

/// A gateway: one bucket, one credential, the hosts it answers for, its page and its clock.
///
/// Every layer of every request has a clone of it, so that is one count.
#[derive(Clone)]
pub struct Gateway(Arc<Parts>);

/// What a gateway consists of; nothing of it is for other crates.
#[derive(Clone)]
pub struct Parts {
    pub(crate) bucket: Bucket,
    pub(crate) grants: Documents<Sheet>,
    pub(crate) playlists: Documents<Playlist>,
    pub(crate) manifests: Manifests,
    pub(crate) urls: Arc<SignedUrls>,
    signer: Arc<Signer>,
    title_signers: Arc<HashMap<TitleId, Arc<Signer>>>,
    pub(crate) page: Arc<PageFiles>,
    pub(crate) page_policy: HeaderValue,
    pub(crate) clock: Clock,
    pub(crate) plain: PlainTrees,
    pub(crate) hosts: Hosts,
    pub(crate) rates: Arc<Rates>,
    proxies: Proxies,
    logs_networks: bool,
    cors: Arc<Cors>,
    transport: Option<HeaderValue>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) ready: Arc<Readiness>,
    pub(crate) caches: Arc<[Arc<dyn Cache>]>,
    pub(crate) process: ProcessHooks,
    pub(crate) admin: Option<Arc<AdminToken>>,
}

impl Deref for Gateway {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
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
        let rooms = Rooms::new(&bucket, &CacheSettings::default());
        let signer = Arc::new(signer);
        Self(Arc::new(Parts {
            bucket,
            caches: rooms.all(),
            grants: rooms.grants,
            playlists: rooms.playlists,
            manifests: rooms.manifests,
            urls: rooms.urls,
            page_policy: policy_for([&signer]),
            signer,
            title_signers: Arc::default(),
            page: Arc::new(page),
            clock,
            plain: PlainTrees::default(),
            hosts,
            rates: Arc::new(Rates::new(RateLimits::default(), Proxies::default())),
            proxies: Proxies::default(),
            logs_networks: false,
            cors: Arc::default(),
            transport: None,
            metrics,
            ready: Arc::default(),
            process: ProcessHooks::default(),
            admin: None,
        }))
    }

    /// This gateway with other parts.
    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Sets what caches may take, and for how long they hold.
    #[must_use]
    pub fn with_caches(self, settings: &CacheSettings) -> Self {
        let rooms = Rooms::new(&self.bucket, settings);
        self.with(|parts| {
            parts.caches = rooms.all();
            parts.grants = rooms.grants;
            parts.playlists = rooms.playlists;
            parts.manifests = rooms.manifests;
            parts.urls = rooms.urls;
        })
    }

    /// Gives single titles, by their ids, URLs of their own.
    ///
    /// # Errors
    /// The first id that is none.
    pub fn with_title_signers(
        self,
        signers: impl IntoIterator<Item = (String, Signer)>,
    ) -> Result<Self, String> {
        let by_id = |(id, signer): (String, Signer)| {
            TitleId::parse(&id).map(|id| (id, Arc::new(signer))).ok_or(id)
        };
        let title_signers: HashMap<_, _> =
            signers.into_iter().map(by_id).collect::<Result<_, _>>()?;
        let page_policy = policy_for(title_signers.values().chain([&self.signer]));
        Ok(self.with(|parts| {
            parts.title_signers = Arc::new(title_signers);
            parts.page_policy = page_policy;
        }))
    }

    /// Drops everything that was read or signed; what is asked for next is read anew.
    pub fn purge(&self) {
        self.caches.iter().for_each(|cache| cache.purge());
    }

    /// The signer of a title's URLs.
    pub(crate) fn signer(&self, title: &TitleId) -> Arc<Signer> {
        Arc::clone(self.title_signers.get(title).unwrap_or(&self.signer))
    }

    /// Lets pages of these origins read the answers; without this, of none.
    #[must_use]
    pub fn with_cors(self, cors: Cors) -> Self {
        self.with(|parts| parts.cors = Arc::new(cors))
    }

    /// Tells browsers to come by TLS alone for so many seconds (RFC 6797), 0 to take that back; without this, nothing is
    /// said. For a gateway that serves by TLS.
    #[must_use]
    pub fn with_strict_transport(self, max_age_s: u32) -> Self {
        let value = HeaderValue::try_from(format!("max-age={max_age_s}"));
        self.with(|parts| parts.transport = value.ok())
    }

    /// Limits how often somebody may ask, and believes these proxies on who that is; without this, the
    /// default limits and no proxy.
    #[must_use]
    pub fn with_rates(self, limits: RateLimits, proxies: Proxies) -> Self {
        self.with(|parts| {
            parts.rates = Arc::new(Rates::new(limits, proxies.clone()));
            parts.proxies = proxies;
        })
    }

    /// Sets whether lines of the access log have the client's network (IPv4 /24, IPv6 /48).
    #[must_use]
    pub fn with_logged_networks(self, logs_networks: bool) -> Self {
        self.with(|parts| parts.logs_networks = logs_networks)
    }

    /// Sets the operator's token, which opens `/performance` and, beyond loopback, `/metrics`.
    #[must_use]
    pub fn with_admin(self, token: AdminToken) -> Self {
        self.with(|parts| parts.admin = Some(Arc::new(token)))
    }

    /// Sets what the process around this gateway can tell and do.
    #[must_use]
    pub fn with_process(self, process: ProcessHooks) -> Self {
        self.with(|parts| parts.process = process)
    }

    /// Serves plain HLS trees as well.
    #[must_use]
    pub fn with_plain(self, plain: PlainTrees) -> Self {
        self.with(|parts| parts.plain = plain)
    }

    /// The current time, by this gateway's clock.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The HTTP service.
    pub fn router(self) -> Router {
        let reads = self.reads();
        let single = self.layered(reads.clone().with_state(self.clone()));
        let run = post(batch::run).layer(from_fn(compress::json));
        let batch = Router::new().route(BATCH_PATH, run).with_state(single);
        let whole = reads
            .route("/metrics", get(performance::text))
            .route("/hls/{*path}", plain_routes())
            .merge(operator(&self))
            .with_state(self.clone())
            .merge(batch);
        self.layered(whole)
    }

    /// What a viewer may ask for, alone or in a batch.
    fn reads(&self) -> Router<Self> {
        Router::new()
            .route("/", get(|| async { ABOUT }))
            .route(HEALTH_PATH, get(ready::health))
            .route(READY_PATH, get(ready::ready))
            .merge(page_routes())
            .route("/v1/grants/{grant}", get(grant::show).layer(from_fn(compress::json)))
            .route("/v1/grants/{grant}/sign", post(objects::sign).layer(from_fn(compress::json)))
            .route("/v1/grants/{grant}/{playlist}", get(manifest::show))
            .route("/o/t/{title}/{name}", get(objects::serve))
    }

    fn guard(&self) -> guard::Guard {
        let (metrics, proxies) = (Arc::clone(&self.metrics), self.proxies.clone());
        guard::Guard(Arc::new(guard::Rooms {
            log: access::Log { metrics, proxies, networks: self.logs_networks },
            cors: Arc::clone(&self.cors),
            rates: Arc::clone(&self.rates),
            hosts: self.hosts.clone(),
            transport: self.transport.clone(),
        }))
    }

    /// Puts around routes what holds for every request.
    fn layered(&self, router: Router) -> Router {
        router
            .fallback(|| async { Problem::not_found() })
            .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
            .layer(self.guard())
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
            .layer(from_fn(aside))
    }
}

/// What holds for the operator's listener: no host, rate or log.
async fn aside(request: Request, next: Next) -> Response {
    let mut answer = match limits::check(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    headers::secure(answer.headers_mut());
    answer
}

/// The policy of a page that plays from wherever these signers' URLs lead.
fn policy_for<'a>(signers: impl IntoIterator<Item = &'a Arc<Signer>>) -> HeaderValue {
    headers::page_policy(&signers.into_iter().filter_map(|signer| signer.origin()).collect())
}

/// The caches of a gateway.
struct Rooms {
    grants: Documents<Sheet>,
    playlists: Documents<Playlist>,
    manifests: Manifests,
    urls: Arc<SignedUrls>,
    absent: Absent,
}

impl Rooms {
    fn new(bucket: &Bucket, settings: &CacheSettings) -> Self {
        let absent: Absent =
            Arc::new(Room::new("absent", settings.absent_bytes, |key, _| key.len()));
        let desk = Desk::new(WAITING_MAX);
        let grants = Sheet::kind(settings.grants_bytes);
        let playlists = Playlist::kind(settings.templates_bytes);
        Self {
            grants: Documents::new(bucket, grants, settings.grant_rules(), &absent, &desk),
            playlists: Documents::new(bucket, playlists, settings.playlist_rules(), &absent, &desk),
            manifests: Manifests::new(settings.manifests_bytes, desk),
            urls: Arc::new(Room::new("urls", settings.urls_bytes, |_, url| url.len())),
            absent,
        }
    }

    /// All of them, as the operator sees them.
    fn all(&self) -> Arc<[Arc<dyn Cache>]> {
        let all: [Arc<dyn Cache>; 5] = [
            Arc::new(self.manifests.clone()),
            Arc::new(self.playlists.clone()),
            Arc::new(self.grants.clone()),
            Arc::clone(&self.urls) as Arc<dyn Cache>,
            Arc::clone(&self.absent) as Arc<dyn Cache>,
        ];
        Arc::new(all)
    }
}

/// The watch page and what it consists of.
fn page_routes() -> Router<Gateway> {
    let changing = ["/sw.js", "/app.webmanifest", "/app.sha256"];
    let icons = [
        "/favicon.ico",
        "/favicon.svg",
        "/icon-180.png",
        "/icon-192.png",
        "/icon-512.png",
        "/icon-maskable-512.png",
    ];
    let pages = Router::new()
        .route("/w/", get(page::watch))
        .route("/w/{grant}", get(page::watch))
        .route("/assets/{*name}", get(page::asset));
    let pages = changing.iter().fold(pages, |all, path| all.route(path, get(page::changing)));
    icons.iter().fold(pages, |all, path| all.route(path, get(page::icon)))
}

/// Plain trees; not in a batch, whose answers are small.
fn plain_routes() -> MethodRouter<Gateway> {
    get(plain::show).post(plain::open_session).delete(plain::close_session)
}

/// What wants the operator's token.
fn operator(gateway: &Gateway) -> Router<Gateway> {
    Router::new()
        .route("/performance/metrics", get(performance::show))
        .route("/performance/gc", post(performance::collect_garbage))
        .route("/v1/grants/{grant}/forget", post(grant::forget))
        .route_layer(from_fn_with_state(gateway.clone(), admin::require))
}
