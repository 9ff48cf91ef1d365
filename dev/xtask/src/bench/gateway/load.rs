//! Asking the gateway: wrk as fast as it answers, oha at a given rate, and one request by hand.
//!
//! wrk comes from Debian, oha from crates.io, each installed where it is missing. Both keep their connections.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::bucket::{BEARER, TITLE_COUNT, hot_path};
use crate::console::note;
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of, run};
use crate::setup;

/// The release of oha that is used.
const OHA: &str = "1.16.0";

/// Connections of a load: a few for each viewer that a core can serve at a time.
const CONNECTIONS: &str = "64";

/// Codings, the best first; the gateway takes what it has.
const ACCEPT_ENCODING: &str = "zstd, br, gzip";

/// How long wrk walks before it says how far it came: it knows no end but a time.
const WALK_ROUND: &str = "10s";

/// How long a single answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The programs, and where the gateway answers.
pub(super) struct Load<'a> {
    repo: &'a Repo,
    oha: PathBuf,
    address: SocketAddr,
}

/// What a run of either program says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    /// How many answers there were.
    pub(super) requests: f64,
    /// Answers a second.
    pub(super) rate: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

/// One answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) encoding: String,
    pub(super) body: Vec<u8>,
}

/// Installs what is missing.
pub(super) fn install(repo: &Repo) -> Outcome<PathBuf> {
    setup::packages(repo, &[("wrk", "wrk")])?;
    if repo.find("oha").is_none() {
        note(format_args!("cargo install oha {OHA}"));
        let mut cargo = repo.cargo(["install", "--quiet", "--locked", "--version", OHA]);
        let tools = repo.target.join("tools");
        cargo.arg("--root").arg(&tools).arg("--target-dir").arg(tools.join("build"));
        run(cargo.arg("oha"))?;
    }
    repo.find("oha").ok_or_else(|| fail("there is no oha"))
}

impl<'a> Load<'a> {
    pub(super) fn new(repo: &'a Repo, oha: PathBuf, address: SocketAddr) -> Self {
        Self { repo, oha, address }
    }

    /// The same, with somebody else answering.
    pub(super) fn at(&self, address: SocketAddr) -> Self {
        Self { repo: self.repo, oha: self.oha.clone(), address }
    }

    /// The hot playlist, as fast as it is answered.
    pub(super) fn most(&self, seconds: u32) -> Outcome<Figures> {
        self.wrk(CONNECTIONS, &format!("{seconds}s"), &[])
    }

    /// The hot playlist on one connection, one request after the other.
    pub(super) fn one_by_one(&self, seconds: u32) -> Outcome<Figures> {
        self.wrk("1", &format!("{seconds}s"), &[])
    }

    /// Grant and playlists of one title after the other, until every title was asked for. Figures are the last round's.
    pub(super) fn walk(&self) -> Outcome<Figures> {
        let (all, mut asked) = (3.0 * f64::from(TITLE_COUNT), 0.0);
        loop {
            let words = [("WALK", TITLE_COUNT.to_string()), ("FROM", format!("{asked:.0}"))];
            let figures = self.wrk("8", WALK_ROUND, &words)?;
            asked += figures.requests;
            if asked >= all || figures.requests < 1.0 {
                return Ok(figures);
            }
        }
    }

    fn wrk(&self, connections: &str, time: &str, variables: &[(&str, String)]) -> Outcome<Figures> {
        let mut wrk = self.repo.command("wrk");
        wrk.args(["-t", "1", "-c", connections, "-d", time, "--timeout", "10s"]);
        wrk.args(["-s", "bench/gateway/load.lua", "-H", &bearer(), "-H", &accept()]);
        wrk.envs(variables.iter().map(|(name, value)| (name, value)));
        parse_wrk(&output_of(wrk.arg(self.url()))?)
    }

    /// The hot playlist at a steady rate. A request that has to wait for its turn is timed from when its turn was.
    pub(super) fn steady(&self, rate: f64, seconds: u32) -> Outcome<Figures> {
        let mut oha = self.repo.command(&self.oha);
        oha.args(["--no-tui", "--output-format", "json", "--latency-correction"]);
        oha.args(["-c", CONNECTIONS, "-z", &format!("{seconds}s"), "-q", &format!("{rate:.0}")]);
        oha.args(["-H", &bearer(), "-H", &accept(), &self.url()]);
        parse_oha(&output_of(&mut oha)?)
    }

    fn url(&self) -> String {
        format!("http://{}{}", self.address, hot_path())
    }

    /// Asks once for the hot playlist.
    pub(super) fn hot(&self) -> Outcome<Answer> {
        self.ask(&format!("GET {}", hot_path()), &[&bearer(), &accept()])
    }

    /// Asks once, by hand.
    pub(super) fn ask(&self, start: &str, headers: &[&str]) -> Outcome<Answer> {
        let during = format!("asking {start}");
        let mut stream = TcpStream::connect(self.address).during(&during)?;
        stream.set_read_timeout(Some(PATIENCE)).during(&during)?;
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let host = self.address;
        write!(stream, "{start} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n")
            .during(&during)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).during(&during)?;
        parse_answer(&answer).ok_or_else(|| fail(format!("{start}: no HTTP answer")))
    }
}

fn bearer() -> String {
    format!("Authorization: Bearer {BEARER}")
}

fn accept() -> String {
    format!("Accept-Encoding: {ACCEPT_ENCODING}")
}

fn parse_answer(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let encoding = head.lines().find_map(|line| line.strip_prefix("content-encoding: "));
    let encoding = encoding.unwrap_or("identity").to_owned();
    Some(Answer { status, encoding, body: answer[end + 4..].to_vec() })
}

/// Reads the line of JSON that `load.lua` prints after wrk's own.
fn parse_wrk(said: &str) -> Outcome<Figures> {
    let line = said.lines().find(|line| line.starts_with('{'));
    let line = line.ok_or_else(|| fail(format!("wrk printed no figures:\n{said}")))?;
    let said: Value = serde_json::from_str(line).during("reading what wrk says")?;
    let field = |name: &str| said[name].as_f64().ok_or_else(|| fail(format!("wrk: no `{name}`")));
    let errors = field("errors")?;
    if errors > 0.0 {
        return Err(fail(format!("{errors} requests of wrk failed")));
    }
    let rate = field("requests")? * 1e6 / field("took_us")?;
    let requests = field("requests")?;
    Ok(Figures { requests, rate, p50_us: field("p50_us")?, p99_us: field("p99_us")? })
}

fn parse_oha(said: &str) -> Outcome<Figures> {
    let said: Value = serde_json::from_str(said).during("reading what oha says")?;
    let codes = said["statusCodeDistribution"].as_object();
    if !codes.is_some_and(|codes| codes.keys().eq(["200"])) {
        return Err(fail(format!("oha got other answers: {}", said["statusCodeDistribution"])));
    }
    let field = |value: &Value| value.as_f64().ok_or_else(|| fail("oha: a figure is missing"));
    let percentiles = &said["latencyPercentiles"];
    Ok(Figures {
        requests: field(&said["statusCodeDistribution"]["200"])?,
        rate: field(&said["summary"]["requestsPerSec"])?,
        p50_us: field(&percentiles["p50"])? * 1e6,
        p99_us: field(&percentiles["p99"])? * 1e6,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_programs_figures_are_read() {
        let said = "Running\n{\"requests\": 500, \"bytes\": 9, \"took_us\": 250000, \"p50_us\": 50, \
                    \"p99_us\": 900, \"errors\": 0}\n";
        let expected = Figures { requests: 500.0, rate: 2000.0, p50_us: 50.0, p99_us: 900.0 };
        assert_eq!(parse_wrk(said).unwrap(), expected);
        let said = r#"{"summary": {"requestsPerSec": 2000}, "statusCodeDistribution": {"200": 500},
                       "latencyPercentiles": {"p50": 0.00005, "p99": 0.0009}}"#;
        assert_eq!(parse_oha(said).unwrap(), expected);
    }

    #[test]
    fn a_load_that_met_errors_is_no_figure() {
        let said = "{\"requests\": 5, \"took_us\": 2, \"p50_us\": 5, \"p99_us\": 9, \"errors\": 3}";
        assert_eq!(parse_wrk(said).unwrap_err().to_string(), "3 requests of wrk failed");
        let said = r#"{"statusCodeDistribution": {"200": 5, "503": 1}}"#;
        assert!(parse_oha(said).unwrap_err().to_string().contains("503"));
        assert!(parse_wrk("").unwrap_err().to_string().starts_with("wrk printed no figures"));
    }

    #[test]
    fn an_answers_status_and_coding_are_read() {
        let answer =
            parse_answer(b"HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\n\r\nbody").unwrap();
        assert_eq!((answer.status, answer.encoding.as_str()), (200, "zstd"));
        assert_eq!(answer.body, b"body");
        assert!(parse_answer(b"nothing").is_none());
    }
}
