//! What the operator has of this process: the token, and a listener for figures alone.

use std::net::SocketAddr;
use std::path::Path;

use tokio::net::TcpListener;
use veil_gateway::{AdminToken, Gateway, ServeLimits, serve_metrics};

use crate::{Failure, private_file};

const FORM: &str = "write one line of random characters: openssl rand -hex 32 > FILE";

/// Gives the gateway its operator's token.
pub(crate) fn equip(gateway: Gateway, token: Option<&Path>) -> Result<Gateway, Failure> {
    let Some(path) = token else { return Ok(gateway) };
    let text = private_file::read(path, "admin token", "--admin-token", FORM)?;
    let token = AdminToken::new(&text).map_err(|error| {
        Failure::new(format!("the admin token {}: {error}", path.display()), FORM)
    })?;
    Ok(gateway.with_admin(token))
}

/// Serves the figures on an address of their own for as long as the process lives, and returns it.
/// Probes go on being answered while the gateway drains.
pub(crate) async fn listen(address: SocketAddr, gateway: &Gateway) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind(address).await;
    let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) = bound.map_err(|error| {
        let hint = "choose another address with --metrics-listen";
        Failure::new(format!("cannot listen on {address}: {error}"), hint)
    })?;
    tokio::spawn(serve_metrics(listener, gateway.clone(), ServeLimits::default()));
    Ok(address)
}
