//! The studio's HTTP interface, and the page that uses it.
//!
//! Owns: sessions, routes, what travels ([`wire`]), events, limits of requests. Specification: `docs/format/studio-api.json`, which is made of
//! this code. Refuses to know: the gateway, the environment, the terminal; and what the studio does ([`veil_studio`] does it).
//!
//! Invariants: nothing but the page and the login answers without a session; nothing changes for a page that hasn't the session's word; a
//! host that isn't ours is answered nothing; every list, body, stream and table is bounded.

mod app;
mod document;
mod events;
mod exposition;
mod extract;
mod follow;
mod guard;
mod hosts;
mod metrics;
mod page;
mod password;
mod payload;
mod problem;
mod random;
mod range;
mod routes;
mod server;
mod session;
mod settings;
mod uploads;
pub mod wire;

use std::net::SocketAddr;

use veil_studio::StudioError;
use veil_studio::make::MakeError;

pub use app::{Api, Desk, Reach};
pub use hosts::PublicUrlError;
pub use password::{NoPassword, Password};
pub use routes::openapi;
pub use server::serve;
pub use settings::preset;

/// Why there can be no interface.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// Others would reach it, and nothing would ask them who they are.
    #[error("{0} can be reached from other machines, and no password is set")]
    Open(SocketAddr),
    /// It would answer for any name.
    #[error(
        "{0} is every address of this machine, and nothing says by which one the studio is known"
    )]
    Nameless(SocketAddr),
    /// An address that is none.
    #[error(transparent)]
    PublicUrl(#[from] PublicUrlError),
    /// The settings can't be read.
    #[error("studio.json in the data folder holds no settings: {0}")]
    Settings(String),
    /// The system has no random numbers.
    #[error("the system has no random numbers")]
    Random,
    /// The cache can't be used.
    #[error(transparent)]
    Cache(#[from] MakeError),
    /// The studio failed.
    #[error(transparent)]
    Studio(#[from] StudioError),
}

impl ApiError {
    /// What a person can do, if there is anything.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Open(_) => "name a file whose first line is the password: --password-file FILE",
            Self::Nameless(_) => "name it: --public-url https://studio.example.org",
            Self::PublicUrl(_) => "an address looks like https://studio.example.org",
            Self::Settings(_) => "mend it or delete it",
            Self::Random => return None,
            Self::Cache(error) => return error.hint(),
            Self::Studio(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}
