//! What the operator has of this process: the token, and a listener for figures alone.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use veil_gateway::{AdminToken, Config, Gateway, ServeLimits, serve_metrics};

use crate::{Failure, private_file};

const FORM: &str = "write one line of random characters: openssl rand -hex 32 > FILE";

/// Reads the operator's token, if a file is named.
pub(crate) fn token(config: &Config) -> Result<Option<AdminToken>, Failure> {
    let Some(path) = &config.admin.token else { return Ok(None) };
    let text = private_file::read(path, "admin token", "--admin-token", FORM)?;
    let token = AdminToken::new(&text).map_err(|error| {
        Failure::new(format!("the admin token {}: {error}", path.display()), FORM)
    })?;
    Ok(Some(token))
}

/// Gives the gateway what it needs for its operator.
pub(crate) fn equip(gateway: Gateway, config: &Config) -> Result<Gateway, Failure> {
    let token = token(config)?;
    Ok(match token {
        None => gateway,
        Some(token) => gateway.with_admin(token),
    })
}

/// Serves the figures on an address of their own, if one is set, for as long as the process lives;
/// probes go on being answered while the gateway drains. Returns the address.
pub(crate) async fn listen(
    config: &Config,
    gateway: &Gateway,
) -> Result<Option<SocketAddr>, Failure> {
    let Some(address) = config.metrics.listen else { return Ok(None) };
    let listener = TcpListener::bind(address).await;
    let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) = bound.map_err(|error| {
        let hint = "choose another address with metrics.listen, or --metrics-listen";
        Failure::new(format!("cannot listen on {address}: {error}"), hint)
    })?;
    tokio::spawn(serve_metrics(listener, gateway.clone(), ServeLimits::default()));
    Ok(Some(address))
}
