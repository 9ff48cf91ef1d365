//! `veilcast doctor`: does this machine have what Veilcast needs?

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpStream;
use veil_ffmpeg::produce::speak;
use veil_ffmpeg::{Launcher, Tools, sandbox};
use veil_studio::bucket::open::Access;
use veil_studio::catalogue::TitleState;
use veil_studio::make::MakeError;
use veil_studio::place::Place;
use veil_studio::{Studio, StudioError};

use crate::commands::import::find_tools;
use crate::commands::make::services::helper;
use crate::commands::up::gateway_binary;
use crate::error::CliError;
use crate::output::{self, Format};

/// Below this, an import of any length is at risk.
const LOW_SPACE_BYTES: u64 = 2_000_000_000;
/// How long the gateway may take to accept a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How long a store may take to answer.
const STORE_LIMIT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Failed,
}

#[derive(Serialize)]
struct Check {
    name: &'static str,
    state: State,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, state: State::Ok, detail: detail.into(), hint: None }
    }

    fn warning(name: &'static str, detail: impl Into<String>, hint: &str) -> Self {
        Self { name, state: State::Warning, detail: detail.into(), hint: Some(hint.into()) }
    }

    fn failed(name: &'static str, error: impl Into<CliError>) -> Self {
        let CliError { message, hint } = error.into();
        Self { name, state: State::Failed, detail: message, hint }
    }
}

/// Runs all checks; `true` when none failed.
pub(crate) async fn run(root: &Path, access: Access, format: Format) -> bool {
    let mut checks = vec![ffmpeg().await, sandbox(), gateway_program(), voice().await, piper()];
    match Studio::open(root).await {
        Ok(studio) => {
            let studio = studio.with_access(access);
            checks.extend(folder_checks(&studio).await);
            checks.extend(store_checks(&studio).await);
            studio.close().await;
        }
        Err(error) => checks.push(Check::failed("data folder", error)),
    }
    let healthy = checks.iter().all(|check| check.state != State::Failed);
    let answer = serde_json::json!({ "ok": healthy, "checks": checks });
    format.answer(&answer, || text(&checks));
    healthy
}

async fn ffmpeg() -> Check {
    match find_tools(&Launcher::default()).await {
        Ok(Tools { version, ffmpeg, tone_maps: true, .. }) => {
            Check::ok("FFmpeg", format!("{version} at {}", ffmpeg.display()))
        }
        Ok(Tools { version, .. }) => Check::warning(
            "FFmpeg",
            format!("{version}, without the zscale and tonemap filters"),
            "HDR sources will be refused: use a full build, as Debian's `ffmpeg` package is",
        ),
        Err(error) => Check::failed("FFmpeg", error),
    }
}

fn sandbox() -> Check {
    match sandbox::landlock_abi() {
        abi @ 1.. => Check::ok("sandbox", format!("Landlock ABI {abi}")),
        _ => Check {
            name: "sandbox",
            state: State::Failed,
            detail: "this kernel has no Landlock, so FFmpeg can't be locked in".into(),
            hint: Some("use Linux 5.13 or newer with Landlock enabled".into()),
        },
    }
}

fn gateway_program() -> Check {
    match gateway_binary() {
        Ok(path) => Check::ok("gateway program", path.display().to_string()),
        Err(error) => Check::failed("gateway program", error),
    }
}

/// What speaks where a production names no other voice.
async fn voice() -> Check {
    const HINT: &str =
        "`veilcast make` can't speak by itself: apt-get install espeak-ng, or name another voice";
    let Some(path) = helper() else {
        return Check::warning("voice", MakeError::NoHelper.to_string(), HINT);
    };
    match speak::version(&Launcher::default(), &path).await {
        Ok(version) => Check::ok("voice", format!("espeak-ng {version} by {}", path.display())),
        Err(error) => Check::warning("voice", error.to_string(), HINT),
    }
}

/// Whether a Piper server is named: whether it answers shows when it is asked to speak.
fn piper() -> Check {
    match std::env::var("VEILCAST_PIPER_URL") {
        Ok(_) => Check::ok("Piper", "named by VEILCAST_PIPER_URL"),
        Err(_) => Check::ok("Piper", "not set up: VEILCAST_PIPER_URL names a server"),
    }
}

async fn folder_checks(studio: &Studio) -> Vec<Check> {
    let data = studio.data();
    let mut checks = vec![Check::ok("data folder", data.root().display().to_string())];
    checks.push(match data.free_bytes() {
        Ok(bytes) if bytes < LOW_SPACE_BYTES => Check::warning(
            "free space",
            output::bytes(i64::try_from(bytes).unwrap_or(i64::MAX)),
            "a film takes several gigabytes: free some space",
        ),
        Ok(bytes) => {
            Check::ok("free space", output::bytes(i64::try_from(bytes).unwrap_or(i64::MAX)))
        }
        Err(error) => Check::failed("free space", error),
    });
    checks.push(outcome("catalogue", catalogue(studio).await));
    let bucket = studio.bucket().check().await;
    checks.push(outcome("bucket", bucket.map(|()| "can be written and read".into())));
    checks.push(gateway(studio).await);
    checks
}

/// One check for each store that has titles.
async fn store_checks(studio: &Studio) -> Vec<Check> {
    let copies = match studio.catalogue().copies(None).await {
        Ok(copies) => copies,
        Err(error) => return vec![Check::failed("stores", error)],
    };
    let mut places: Vec<Place> = Vec::new();
    for copy in copies {
        if copy.place != Place::Own && !places.contains(&copy.place) {
            places.push(copy.place);
        }
    }
    let mut checks = Vec::new();
    for place in places {
        let reached = async { studio.bucket_at(&place).await?.reach().await };
        checks.push(match tokio::time::timeout(STORE_LIMIT, reached).await {
            Ok(reached) => outcome("store", reached.map(|()| format!("{place} answers"))),
            Err(_) => Check::failed("store", CliError::new(format!("{place} does not answer"))),
        });
    }
    checks
}

fn outcome(name: &'static str, result: Result<String, StudioError>) -> Check {
    match result {
        Ok(detail) => Check::ok(name, detail),
        Err(error) => Check::failed(name, error),
    }
}

async fn catalogue(studio: &Studio) -> Result<String, StudioError> {
    let catalogue = studio.catalogue();
    catalogue.check().await?;
    let ready = catalogue.titles(TitleState::Ready).await?;
    let single = ready.iter().filter(|title| title.facts.single_file).count();
    let single = if single > 0 { format!(" ({single} in single files)") } else { String::new() };
    let marked = ready.iter().filter(|title| title.facts.marked).count();
    let marked = if marked > 0 { format!(" ({marked} marked)") } else { String::new() };
    let importing = catalogue.titles(TitleState::Importing).await?.len();
    Ok(format!("{} titles{single}{marked}, {importing} imports begun", ready.len()))
}

async fn gateway(studio: &Studio) -> Check {
    let known = match studio.data().gateway_url() {
        Ok(known) => known,
        Err(error) => return Check::failed("gateway", error),
    };
    let Some(url) = known else {
        return Check::ok("gateway", "never started: `veilcast up` does");
    };
    let (scheme, host) = url.split_once("://").unwrap_or(("http", &url));
    let port = if scheme == "https" { ":443" } else { ":80" };
    let last = host.rsplit(']').next().unwrap_or(host);
    let address = if last.contains(':') { host.to_owned() } else { format!("{host}{port}") };
    match tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Check::ok("gateway", format!("answers at {url}")),
        _ => Check::ok("gateway", format!("not running (was last at {url})")),
    }
}

fn text(checks: &[Check]) -> String {
    let mut lines = Vec::new();
    for check in checks {
        let mark = match check.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "FAILED",
        };
        lines.push(format!("{mark:8} {:16} {}", check.name, check.detail));
        lines.extend(check.hint.iter().map(|hint| format!("{:25} hint: {hint}", "")));
    }
    lines.join("\n")
}
