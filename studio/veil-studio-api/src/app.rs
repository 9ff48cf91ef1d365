//! What every request works with.
//!
//! Owns: the studio, its sessions, figures and events, held together for as long as the server runs.

use std::net::SocketAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use veil_studio::Studio;
use veil_studio::jobs::Jobs;
use veil_studio::library::Shelf;
use veil_studio::pipeline::Encoder;
use veil_studio::watch::Watch;
use zeroize::Zeroizing;

use crate::ApiError;
use crate::events::Events;
use crate::hosts::Hosts;
use crate::metrics::Metrics;
use crate::page::Page;
use crate::password::Password;
use crate::payload::Payloads;
use crate::random;
use crate::session::Sessions;
use crate::settings;
use crate::uploads::Uploads;
use crate::wire::desk::Settings;

/// How a studio is to be reached.
pub struct Reach {
    /// Where it listens.
    pub address: SocketAddr,
    /// The address by which others know it, where a proxy stands before it.
    pub public_url: Option<String>,
    /// What opens it to others.
    pub password: Option<Password>,
}

/// What works for a studio.
pub struct Desk {
    /// FFmpeg, for a look at files.
    pub encoder: Encoder,
    /// Its jobs; who makes the desk runs them.
    pub jobs: Jobs,
    /// Its watched folders, if there are any; who makes the desk runs it.
    pub watch: Option<Arc<Watch>>,
}

/// Tells others, such as a running gateway, that grants were taken back.
type Tell = dyn Fn(Vec<String>) -> BoxFuture<'static, ()> + Send + Sync;

/// The interface. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
    tell: Arc<Tell>,
}

struct Inner {
    studio: Arc<Studio>,
    token: Zeroizing<String>,
    sessions: Sessions,
    hosts: Hosts,
    page: Page,
    metrics: Metrics,
    events: Arc<Events>,
    settings: RwLock<Settings>,
    shelf: Shelf,
    jobs: Jobs,
    uploads: Uploads,
    payloads: Payloads,
    watch: Option<Arc<Watch>>,
}

impl Api {
    /// Makes the interface of a studio, with a token that is its own.
    ///
    /// # Errors
    /// [`ApiError`] where others could reach it without a password, or an address is none.
    pub fn new(studio: Arc<Studio>, desk: Desk, reach: Reach) -> Result<Self, ApiError> {
        let Desk { encoder, jobs, watch } = desk;
        let is_ours = reach.address.ip().is_loopback();
        if !is_ours && reach.password.is_none() {
            return Err(ApiError::Open(reach.address));
        }
        if reach.address.ip().is_unspecified() && reach.public_url.is_none() {
            return Err(ApiError::Nameless(reach.address));
        }
        let hosts = Hosts::new(reach.address, reach.public_url.as_deref())?;
        let token = random::token().map_err(|_| ApiError::Random)?;
        let sessions = Sessions::new(&token, reach.password, reach.address.port(), hosts.is_tls);
        let settings = settings::read(studio.data())?;
        let shelf = Shelf::open(&studio, encoder)?;
        let uploads = Uploads::new(studio.data().clone());
        let inner = Inner {
            studio,
            token,
            sessions,
            hosts,
            page: Page::embedded(),
            metrics: Metrics::default(),
            events: Arc::default(),
            settings: RwLock::new(settings),
            shelf,
            jobs,
            uploads,
            payloads: Payloads::default(),
            watch,
        };
        Ok(Self { inner: Arc::new(inner), tell: Arc::new(|_| Box::pin(async {})) })
    }

    /// Has `tell` know of grants that are taken back, by their ids.
    #[must_use]
    pub fn telling(
        self,
        tell: impl Fn(Vec<String>) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        Self { tell: Arc::new(tell), ..self }
    }

    pub(crate) async fn tell_revoked(&self, grants: Vec<String>) {
        (self.tell)(grants).await;
    }

    /// What opens a session; it goes into the printed address.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.inner.token
    }

    pub(crate) fn studio(&self) -> &Studio {
        &self.inner.studio
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.inner.hosts
    }

    pub(crate) fn page(&self) -> &Page {
        &self.inner.page
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    pub(crate) fn events(&self) -> &Arc<Events> {
        &self.inner.events
    }

    pub(crate) fn shelf(&self) -> &Shelf {
        &self.inner.shelf
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.inner.jobs
    }

    pub(crate) fn payloads(&self) -> &Payloads {
        &self.inner.payloads
    }

    pub(crate) fn watch(&self) -> Option<&Arc<Watch>> {
        self.inner.watch.as_ref()
    }

    pub(crate) fn uploads(&self) -> &Uploads {
        &self.inner.uploads
    }

    /// Shrinks what is kept for the eye to what is preset.
    pub(crate) fn trim_cache(&self) {
        let settings = self.settings();
        let age_max = Duration::from_secs(u64::from(settings.cache_days) * 24 * 3600);
        self.shelf().trim(settings.cache_bytes_max, age_max);
    }

    pub(crate) fn settings(&self) -> Settings {
        self.inner
            .settings
            .read()
            .map_or_else(|lost| lost.into_inner().clone(), |held| held.clone())
    }

    pub(crate) fn set_settings(&self, settings: Settings) {
        let mut held =
            self.inner.settings.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *held = settings;
    }
}
