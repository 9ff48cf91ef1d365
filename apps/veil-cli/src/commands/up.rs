//! `veilcast up`: studio and gateway on this machine, until Ctrl-C.
//!
//! The gateway is a process of its own that gets the bucket, its signing credential and nothing
//! else. The studio's part is housekeeping: it sweeps what killed imports and ended grants left.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::ChildStdout;
use veil_ffmpeg::sandbox::Confinement;
use veil_ffmpeg::{Child, Invocation, Launcher};
use veil_studio::{Studio, StudioError};

use crate::args::UpArgs;
use crate::commands::share::checked_url;
use crate::commands::stop_signal;
use crate::error::CliError;
use crate::output::{Format, note};

/// Where the gateway listens, and where links point, unless told otherwise.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:8787";

/// How long the gateway may finish running downloads after Ctrl-C.
const GATEWAY_GRACE: Duration = Duration::from_secs(5);
/// How long the gateway may take to listen.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// The longest first line that the gateway prints.
const READY_LINE_BYTES: u64 = 4096;
/// How often the studio sweeps.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

pub(crate) async fn run(studio: &Studio, args: &UpArgs, format: Format) -> Result<(), CliError> {
    let public_url = args.public_url.as_deref().map(checked_url).transpose()?;
    let mut gateway = start_gateway(studio, args, public_url.as_deref()).await?;
    let own_url = wait_ready(&mut gateway).await?;
    studio.data().set_gateway_address(Some(&own_url))?;
    let url = public_url.unwrap_or(own_url);
    studio.data().set_gateway_url(&url)?;
    let answer = json!({ "event": "ready", "url": url });
    format.answer(&answer, || {
        format!(
            "Veilcast is up at {url}\n\n  veilcast import FILE --title NAME   add a video\n  \
             veilcast share NAME                 print a link to watch it\n\nCtrl-C stops it."
        )
    });
    let ended = keep_house(studio, &mut gateway).await;
    let stopped = gateway.stop().await.map_err(StudioError::from);
    studio.data().set_gateway_address(None)?;
    ended.and(stopped.map(drop).map_err(CliError::from))
}

async fn start_gateway(
    studio: &Studio,
    args: &UpArgs,
    public_url: Option<&str>,
) -> Result<Child, CliError> {
    let credentials = studio.gateway_credentials()?;
    let token = studio.new_gateway_admin_token()?;
    let mut command = Invocation::new(gateway_binary()?, Confinement::DeathSignalOnly)
        .args(["--bucket".as_ref(), studio.data().bucket().as_os_str()])
        .args(["--credentials".as_ref(), credentials.as_os_str()])
        .args(["--admin-token".as_ref(), token.as_os_str()])
        .args(["--listen", &args.listen.to_string()]);
    if let Some(url) = public_url {
        command = command.args(["--public-url", url]);
    }
    let command = command.streams_inherited().stdout_piped().grace(GATEWAY_GRACE);
    Ok(command.start(&Launcher::default()).await.map_err(StudioError::from)?)
}

/// `veilcast-gateway` beside this binary.
pub(crate) fn gateway_binary() -> Result<PathBuf, CliError> {
    let own = std::env::current_exe()
        .map_err(|error| CliError::new(format!("cannot find this program's own file: {error}")))?;
    let path = own.with_file_name("veilcast-gateway");
    if path.is_file() {
        return Ok(path);
    }
    Err(CliError::new(format!("there is no gateway at {}", path.display()))
        .hint("`veilcast` and `veilcast-gateway` belong into one folder"))
}

/// Waits for the gateway's ready line and returns its URL.
async fn wait_ready(gateway: &mut Child) -> Result<String, CliError> {
    let stdout = gateway.take_stdout();
    let ready = tokio::time::timeout(READY_LIMIT, async {
        tokio::select! {
            Some(url) = ready_url(stdout) => Ok(url),
            exit = gateway.wait() => Err(stopped(exit.map_err(StudioError::from)?.status)),
        }
    });
    ready.await.unwrap_or_else(|_| Err(CliError::new("the gateway did not become ready")))
}

/// `None` when the gateway ends without a ready line; then its exit says why.
async fn ready_url(stdout: Option<ChildStdout>) -> Option<String> {
    let mut line = String::new();
    BufReader::new(stdout?.take(READY_LINE_BYTES)).read_line(&mut line).await.ok()?;
    let event: Value = serde_json::from_str(&line).ok()?;
    event["url"].as_str().map(str::to_owned)
}

fn stopped(status: std::process::ExitStatus) -> CliError {
    CliError::new(format!("the gateway stopped ({status})"))
        .hint("what it said stands above; another --listen address helps when the port is in use")
}

/// Sweeps from time to time until a signal comes or the gateway ends.
async fn keep_house(studio: &Studio, gateway: &mut Child) -> Result<(), CliError> {
    let mut stopped_by_signal = std::pin::pin!(stop_signal());
    let mut told = Vec::new();
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            result = &mut stopped_by_signal => return result,
            exit = gateway.wait() => {
                return Err(stopped(exit.map_err(StudioError::from)?.status));
            }
            _ = sweep.tick() => {
                let failures = match studio.sweep(Timestamp::now()).await {
                    Ok(swept) => swept.failures,
                    Err(error) => vec![error.to_string()],
                };
                // Said once, and again when it is another failure.
                if failures != told {
                    for failure in &failures {
                        note(&format!("warning: sweeping failed: {failure}"));
                    }
                    told = failures;
                }
            }
        }
    }
}
