//! `veilcast up`: studio and gateway on this machine, until Ctrl-C.
//!
//! The gateway is a process of its own that gets the bucket, its signing credential and nothing
//! else; over a store, that is what finds the store's credential as well. It serves one place. The studio's part is
//! housekeeping: it sweeps what killed imports and ended grants left.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::ChildStdout;
use veil_ffmpeg::sandbox::Confinement;
use veil_ffmpeg::{Child, Invocation, Launcher};
use veil_studio::catalogue::TitleState;
use veil_studio::catalogue::copies::CopyState;
use veil_studio::place::Place;
use veil_studio::{Studio, StudioError};

use crate::args::UpArgs;
use crate::commands::share::checked_url;
use crate::commands::stop_signal;
use crate::error::CliError;
use crate::output::{Format, note};
use crate::stores;

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
/// How long the store may take to answer before the gateway starts.
const STORE_LIMIT: Duration = Duration::from_secs(10);
/// What a gateway needs of this process's environment to reach a store, besides AWS's variables: their files, the authorities
/// of certificates, and proxies.
const STORE_VARIABLES: [&str; 9] = [
    "HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

pub(crate) async fn run(studio: &Studio, args: &UpArgs, format: Format) -> Result<(), CliError> {
    let public_url = args.public_url.as_deref().map(checked_url).transpose()?;
    let place = stores::place(studio, &args.bucket)?;
    reach(studio, &place).await?;
    tell_elsewhere(studio, &place).await?;
    let mut gateway = start_gateway(studio, args, &place, public_url.as_deref()).await?;
    let own_url = wait_ready(&mut gateway).await?;
    studio.data().set_gateway_address(Some(&own_url))?;
    let url = public_url.unwrap_or(own_url);
    studio.data().set_gateway_url(&url)?;
    studio.data().set_gateway_store(&place.to_string())?;
    let answer = json!({ "event": "ready", "url": url, "store": place.to_string() });
    let titles = match &place {
        Place::Own => String::new(),
        place => format!(", for titles in {place}"),
    };
    format.answer(&answer, || {
        format!(
            "Veilcast is up at {url}{titles}\n\n  veilcast import FILE --title NAME   add a video\n  \
             veilcast share NAME                 print a link to watch it\n\nCtrl-C stops it."
        )
    });
    let ended = keep_house(studio, &mut gateway).await;
    let stopped = gateway.stop().await.map_err(StudioError::from);
    studio.data().set_gateway_address(None)?;
    ended.and(stopped.map(drop).map_err(CliError::from))
}

/// Asks a store once, so that a wrong name or credential is told here and not to viewers.
async fn reach(studio: &Studio, place: &Place) -> Result<(), CliError> {
    if *place == Place::Own {
        return Ok(());
    }
    let bucket = studio.bucket_at(place).await?;
    match tokio::time::timeout(STORE_LIMIT, bucket.reach()).await {
        Ok(reached) => Ok(reached?),
        Err(_) => Err(CliError::new(format!("{place} does not answer"))
            .hint("check the endpoint and the network")),
    }
}

/// Names the titles that can't be watched by this gateway, since they lie elsewhere.
async fn tell_elsewhere(studio: &Studio, served: &Place) -> Result<(), CliError> {
    let mut copies = studio.catalogue().copies(None).await?;
    copies.retain(|copy| copy.state == CopyState::Ready);
    for title in studio.catalogue().titles(TitleState::Ready).await? {
        let mut places = copies.iter().filter(|copy| copy.title == title.id);
        let first = places.clone().next().map(|copy| &copy.place);
        if let (Some(first), false) = (first, places.any(|copy| copy.place.is_same(served))) {
            note(&format!(
                "note: {:?} is not served here: it lies at {first}, which --bucket names",
                title.name
            ));
        }
    }
    Ok(())
}

async fn start_gateway(
    studio: &Studio,
    args: &UpArgs,
    place: &Place,
    public_url: Option<&str>,
) -> Result<Child, CliError> {
    let credentials = studio.gateway_credentials().await?;
    let token = studio.new_gateway_admin_token()?;
    let bucket = match place {
        Place::Own => studio.data().bucket().into_os_string(),
        elsewhere => elsewhere.to_string().into(),
    };
    let mut command = Invocation::new(gateway_binary()?, Confinement::DeathSignalOnly)
        .args(["--bucket".as_ref(), bucket.as_os_str()])
        .args(["--credentials".as_ref(), credentials.as_os_str()])
        .args(["--admin-token".as_ref(), token.as_os_str()])
        .args(["--listen", &args.listen.to_string()]);
    if let Some(url) = public_url {
        command = command.args(["--public-url", url]);
    }
    if let Place::S3(_) = place {
        let is_needed = |name: &str| name.starts_with("AWS_") || STORE_VARIABLES.contains(&name);
        for (name, value) in std::env::vars_os() {
            if name.to_str().is_some_and(is_needed) {
                command = command.env(name, value);
            }
        }
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
