//! One file a command; each gets an open studio and answers once.

pub(crate) mod doctor;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod remove;
pub(crate) mod revoke;
pub(crate) mod share;
pub(crate) mod up;

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
