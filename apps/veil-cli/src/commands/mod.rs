//! One file a command; each answers once. Those on titles get an open studio, those on sealed files don't need one.

pub(crate) mod audit;
pub(crate) mod capacity;
pub(crate) mod copy;
pub(crate) mod doctor;
pub(crate) mod gateway;
pub(crate) mod hide;
pub(crate) mod identity;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod jobs;
pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod open;
pub(crate) mod recipients;
pub(crate) mod rekey;
pub(crate) mod relocate;
pub(crate) mod remove;
pub(crate) mod reveal;
pub(crate) mod revoke;
pub(crate) mod seal;
pub(crate) mod share;
pub(crate) mod sign;
pub(crate) mod stress;
pub(crate) mod studio;
pub(crate) mod tell;
pub(crate) mod token;
pub(crate) mod trace;
pub(crate) mod up;
pub(crate) mod watch;
pub(crate) mod worker;

use tokio::signal::unix::{SignalKind, signal};

use crate::error::CliError;

/// Waits until the user (Ctrl-C), the system (TERM) or a closed terminal (HUP) asks to stop.
pub(crate) async fn stop_signal() -> Result<(), CliError> {
    let listen = |kind| {
        signal(kind).map_err(|error| CliError::new(format!("cannot listen for signals: {error}")))
    };
    let (mut interrupt, mut terminate, mut hang_up) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}
