//! A folder in which messages are hidden, attacked and revealed, by the product's own command line and by FFmpeg.
//!
//! Owns: the commands, and what came of them. Invariant: what was revealed is compared with what was hidden, and anything else than the
//! very bytes or a failure that says so is an error.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use veil_testkit::{Finished, run};

use super::chains::{Attack, Encoder, Way};
use crate::failure::{During, Outcome, fail};
use crate::noise::noise;
use crate::repo::Repo;

/// No command takes longer, on the slowest machine.
pub(super) const LIMIT: Duration = Duration::from_secs(20 * 60);

/// What lossless mode hides: it is there to be destroyed.
const LOSSLESS_BYTES: u64 = 1000;

/// What came out of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The very bytes.
    Exact,
    /// An error that says how much came through.
    Partly { whole: u64, all: u64 },
    /// An error that says that there is nothing.
    Nothing,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => write!(f, "exact"),
            Self::Partly { whole, all } => write!(f, "partly: {whole} of {all}"),
            Self::Nothing => write!(f, "nothing"),
        }
    }
}

/// A message in a video.
pub(super) struct Hidden {
    pub(super) way: Way,
    pub(super) video: PathBuf,
    pub(super) payload: Vec<u8>,
}

pub(super) struct Desk {
    folder: TempDir,
    veilcast: PathBuf,
}

impl Desk {
    pub(super) fn new(repo: &Repo, veilcast: &Path) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("attacks-").tempdir_in(&repo.target);
        let folder = folder.during("making a folder for the attacks")?;
        let word = folder.path().join("word");
        fs::write(&word, "correct horse").during("writing the passphrase")?;
        let owner = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&word, owner).during("closing the passphrase to others")?;
        Ok(Self { folder, veilcast: veilcast.to_owned() })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn veilcast(&self, words: &[&str]) -> Outcome<Finished> {
        let mut command = Command::new(&self.veilcast);
        command.args(["--json"]).args(words).current_dir(self.folder.path());
        // Whoever else hides on this machine is not waited for.
        command.env("VEILCAST_BUDGET_DIR", self.path("turns")).env("HOME", self.folder.path());
        command.env("VEILCAST_DATA", self.path("data"));
        run(&mut command, LIMIT).during(format_args!("veilcast {}", words.join(" ")))
    }

    fn answer(&self, words: &[&str]) -> Outcome<Value> {
        let finished = self.veilcast(words)?;
        let finished = finished.success().during(format_args!("veilcast {}", words.join(" ")))?;
        serde_json::from_slice(&finished.stdout).during("reading what veilcast says")
    }

    /// Hides as much as `capacity` says that there is room for.
    pub(super) fn hide(&self, carrier: &Path, way: Way) -> Outcome<Hidden> {
        let carrier = carrier.to_string_lossy();
        let told = self.answer(&["capacity", &carrier])?;
        let rows = told["robust"].as_array().map(Vec::as_slice).unwrap_or_default();
        let row = rows.iter().find(|row| row["profile"] == way.name());
        let bytes = match (way, row) {
            (Way::Lossless, _) => LOSSLESS_BYTES,
            (_, Some(row)) => row["payload_bytes"].as_u64().unwrap_or(0),
            (_, None) => 0,
        };
        let payload = noise(usize::try_from(bytes).unwrap_or(usize::MAX), bytes);
        let name = format!("payload-{}", way.name());
        fs::write(self.path(&name), &payload).during("writing a payload")?;
        let video = format!("{}.{}", way.name(), if way == Way::Lossless { "mkv" } else { "mp4" });
        let mut words =
            vec!["hide", "--force", "--no-verify", "--passphrase-file=word", "--carrier", &carrier];
        words.extend(["--payload", &name, "-o", &video]);
        if way == Way::Lossless {
            words.extend(["--mode", "lossless"]);
        } else {
            words.extend(["--mode", "robust", "--profile", way.name()]);
        }
        self.answer(&words)?;
        Ok(Hidden { way, video: self.path(&video), payload })
    }

    /// Does to a video what the attack does; the file is another's name for the video where it does nothing.
    pub(super) fn attacked(
        &self,
        hidden: &Hidden,
        attack: &Attack,
        number: usize,
    ) -> Outcome<PathBuf> {
        let mut video = hidden.video.clone();
        for (at, (filter, encoder)) in attack.steps.iter().enumerate() {
            let to = self.path(&format!("{}-{number}-{at}.mkv", hidden.way.name()));
            self.encode(&video, filter, *encoder, &to)?;
            video = to;
        }
        Ok(video)
    }

    /// Encodes a video's picture through filters.
    pub(super) fn encode(&self, from: &Path, filter: &str, encoder: Encoder, to: &Path) -> Outcome {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(from);
        command.args(["-an", "-vf", filter]).args(encoder.words()).arg(to);
        command.env("SVT_LOG", "1");
        let finished = run(&mut command, LIMIT).and_then(Finished::success);
        finished.during(format_args!("ffmpeg -vf {filter}")).map(drop)
    }

    /// Reveals what is in a video. Wrong bytes, and failures that don't say what the matter is, are errors.
    pub(super) fn reveal(&self, video: &Path, hidden: &Hidden, number: usize) -> Outcome<Found> {
        let out = self.path(&format!("found-{}-{number}", hidden.way.name()));
        let words = [
            "reveal",
            "--passphrase-file=word",
            "-o",
            &out.to_string_lossy(),
            &video.to_string_lossy(),
        ];
        let finished = self.veilcast(&words)?;
        if finished.status.success() {
            let name = format!("payload-{}", hidden.way.name());
            let found = fs::read(out.join(name)).during("reading what was revealed")?;
            fs::remove_dir_all(&out).during("removing what was revealed")?;
            if found == hidden.payload {
                return Ok(Found::Exact);
            }
            return Err(fail("WRONG BYTES were revealed"));
        }
        if out.exists() {
            return Err(fail("a reveal that failed left something behind"));
        }
        failure(&finished.stderr).ok_or_else(|| {
            fail(format!("reveal ended with {}\n{}", finished.status, finished.stderr))
        })
    }
}

/// What a failed reveal says, if it is one of the two things that it may say.
fn failure(stderr: &str) -> Option<Found> {
    if stderr.contains("nothing is revealed") {
        return Some(Found::Nothing);
    }
    let (_, said) = stderr.split_once("partly destroyed: ")?;
    let mut words = said.split_whitespace();
    let whole = words.next()?.parse().ok()?;
    let all = words.nth(1)?.parse().ok()?;
    Some(Found::Partly { whole, all })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_by_what_it_says() {
        let partly = "{\"error\":\"the message is partly destroyed: 3 of 17 packets came through; 16 are needed\"}";
        assert_eq!(failure(partly), Some(Found::Partly { whole: 3, all: 17 }));
        assert_eq!(failure("error: nothing is revealed: there is"), Some(Found::Nothing));
        assert_eq!(failure("error: no such file"), None);
        assert_eq!(Found::Partly { whole: 3, all: 17 }.to_string(), "partly: 3 of 17");
    }
}
