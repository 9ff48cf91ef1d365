//! What the operator has of this process: the token, a listener for figures alone, and the pushing of
//! figures to a collector.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use veil_gateway::{AdminToken, Config, Gateway, ProcessHooks, Pusher, ServeLimits, serve_metrics};
use zeroize::Zeroizing;

use crate::logging::Log;
use crate::{Failure, memory, private_file};

/// How long the end waits for the collector.
const LAST_PUSH_TIMEOUT: Duration = Duration::from_secs(2);

const FORM: &str = "write one line of random characters: openssl rand -hex 32 > FILE";

const HEADERS: &str = "write one header a line, such as Authorization: Basic …";

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
pub(crate) fn equip(gateway: Gateway, config: &Config, log: &Log) -> Result<Gateway, Failure> {
    let token = token(config)?;
    let (lost, release) = (Arc::new(log.dropped()), Arc::new(memory::release));
    let hooks = ProcessHooks { log_lines_dropped: lost, release_memory: release };
    let gateway = gateway.with_process(hooks).with_logged_networks(config.log_networks);
    Ok(match token {
        None => gateway,
        Some(token) => gateway.with_admin(token),
    })
}

/// What pushes figures to the collector, if one is set.
pub(crate) fn pusher(config: &Config, port: u16) -> Result<Option<Pusher>, Failure> {
    let otlp = &config.metrics.otlp;
    let headers = match &otlp.headers {
        None => Zeroizing::default(),
        Some(path) => private_file::read(path, "headers file", "metrics.otlp.headers", HEADERS)?,
    };
    let name = rustix::system::uname();
    let instance = format!("{}:{port}", name.nodename().to_string_lossy());
    Pusher::new(otlp, &headers, instance)
        .map_err(|error| Failure::new(format!("metrics.otlp: {error}"), HEADERS))
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

/// Pushes of figures that go on while the gateway serves.
pub(crate) struct Pushing {
    pusher: Arc<Pusher>,
    gateway: Gateway,
    task: JoinHandle<()>,
}

/// Begins to push figures, if a collector is set.
pub(crate) fn push(
    config: &Config,
    port: u16,
    gateway: &Gateway,
) -> Result<Option<Pushing>, Failure> {
    let Some(pusher) = pusher(config, port)?.map(Arc::new) else { return Ok(None) };
    let (mine, theirs) = (Arc::clone(&pusher), gateway.clone());
    let task = tokio::spawn(async move { mine.run(&theirs).await });
    Ok(Some(Pushing { pusher, gateway: gateway.clone(), task }))
}

impl Pushing {
    /// Pushes once more, so that the collector has the last requests too.
    pub(crate) async fn end(self) {
        self.task.abort();
        let _ = timeout(LAST_PUSH_TIMEOUT, self.pusher.push(&self.gateway)).await;
    }
}
