//! What every request works with.
//!
//! Owns: the studio, its sessions, figures and events, held together for as long as the server runs.

use std::net::SocketAddr;
use std::sync::{Arc, RwLock};

use veil_studio::Studio;
use zeroize::Zeroizing;

use crate::ApiError;
use crate::events::Events;
use crate::hosts::Hosts;
use crate::metrics::Metrics;
use crate::page::Page;
use crate::password::Password;
use crate::random;
use crate::session::Sessions;
use crate::settings;
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

/// The interface. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    studio: Arc<Studio>,
    token: Zeroizing<String>,
    sessions: Sessions,
    hosts: Hosts,
    page: Page,
    metrics: Metrics,
    events: Arc<Events>,
    settings: RwLock<Settings>,
}

impl Api {
    /// Makes the interface of a studio, with a token that is its own.
    ///
    /// # Errors
    /// [`ApiError`] where others could reach it without a password, or an address is none.
    pub fn new(studio: Arc<Studio>, reach: Reach) -> Result<Self, ApiError> {
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
        Ok(Self(Arc::new(Inner {
            studio,
            token,
            sessions,
            hosts,
            page: Page::embedded(),
            metrics: Metrics::default(),
            events: Arc::default(),
            settings: RwLock::new(settings),
        })))
    }

    /// What opens a session; it goes into the printed address.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.0.token
    }

    pub(crate) fn studio(&self) -> &Studio {
        &self.0.studio
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    pub(crate) fn page(&self) -> &Page {
        &self.0.page
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn events(&self) -> &Arc<Events> {
        &self.0.events
    }

    pub(crate) fn settings(&self) -> Settings {
        self.0.settings.read().map_or_else(|lost| lost.into_inner().clone(), |held| held.clone())
    }

    pub(crate) fn set_settings(&self, settings: Settings) {
        let mut held = self.0.settings.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *held = settings;
    }
}
