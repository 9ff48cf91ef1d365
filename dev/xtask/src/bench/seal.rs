//! `seal`: `veilcast seal` and `open` beside `cp`, age, rage and the cipher alone, in a folder that lies in memory.
//!
//! In memory because a disk would hide what is compared. Every command is a process of its own, as a person starts it; CPU time and memory are what the
//! kernel counted for it, by GNU time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use serde_json::{Value, json};

use self::peers::Peers;
use super::measure::median;
use super::verdict;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, run as run_command};
use crate::stop::Stop;

mod peers;
mod range;

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// What the folder must have room for: the large file twice over, and the small ones.
const ROOM_BYTES: u64 = 14 << 30;

const CONTENT_BYTES: u64 = 1 << 30;

const RUNS: usize = 7;

/// Takes the memory that an output wants and gives it back: under a hypervisor, memory that was not in use for a while costs
/// several times as much to touch, and that would hit whoever comes first.
const WARM: &str = "head -c 1200m /dev/zero > warm; rm warm";

/// Aims of the wall time over that of `cp`, and of age's and rage's over ours.
const COPY_AIM: f64 = 1.3;
const PEER_AIM: f64 = 2.5;
/// User CPU seconds for the 1 GiB, and peak memory of one process.
const CPU_AIM_S: f64 = 0.25;
const PEAK_AIM_KIB: f64 = 16.0 * 1024.0;

/// One command and what it is called.
struct Side {
    name: &'static str,
    /// The file that it makes; removed before each run, since replacing one costs too.
    output: &'static str,
    /// For `sh -c`, in the folder.
    line: String,
}

/// What one run took.
struct Took {
    wall_s: f64,
    user_s: f64,
    peak_kib: f64,
}

/// The medians of a side; the peak is the highest.
struct Figures {
    name: &'static str,
    wall_s: f64,
    user_s: f64,
    peak_kib: f64,
}

/// Runs all sides in turn and prints the table.
pub(super) fn run(repo: &Repo, options: &BenchOptions, _: &Stop) -> Outcome<Value> {
    let peers = Peers::install(repo)?;
    let folder = folder()?;
    let veilcast = repo.bin_dir("release").join("veilcast");
    let bench = Bench { repo, dir: folder.path(), veilcast: &veilcast };
    let sides = bench.prepare(&peers)?;
    let runs = options.runs.unwrap_or(RUNS);
    note(format_args!("{runs} turns with 1 GiB in {}", folder.path().display()));
    let mut taken: Vec<Vec<Took>> = sides.iter().map(|_| Vec::new()).collect();
    for _ in 0..runs {
        for (side, taken) in sides.iter().zip(&mut taken) {
            taken.push(bench.time(side)?);
        }
    }
    bench.check()?;
    let figures: Vec<Figures> = sides.iter().zip(&taken).map(figures).collect();
    let cipher_s = peers::cipher_alone(repo)?;
    show(&figures, cipher_s)?;
    let range = range::run(&bench)?;
    Ok(json!({
        "bench": "seal",
        "runs": runs,
        "cipher_s": cipher_s,
        "medians": figures.iter().map(Figures::json).collect::<Vec<_>>(),
        "range": range,
        "aim": { "of_cp": COPY_AIM, "of_peers": PEER_AIM, "cpu_s": CPU_AIM_S, "peak_kib": PEAK_AIM_KIB },
    }))
}

fn folder() -> Outcome<tempfile::TempDir> {
    let what = format!("looking at {MEMORY}");
    let room = rustix::fs::statvfs(MEMORY).map_err(io::Error::from).during(what)?;
    if room.f_bavail.saturating_mul(room.f_frsize) < ROOM_BYTES {
        return Err(fail(format!("{MEMORY} has less than 14 GiB free"))
            .hint("this bench wants files in memory: free some, or run it on a larger machine"));
    }
    tempfile::Builder::new().prefix("bench-seal-").tempdir_in(MEMORY).during("making a folder")
}

/// Where and with what is measured.
struct Bench<'a> {
    repo: &'a Repo,
    dir: &'a Path,
    veilcast: &'a PathBuf,
}

impl Bench<'_> {
    /// Makes content and keys, and the sides that use them.
    fn prepare(&self, peers: &Peers) -> Outcome<Vec<Side>> {
        let veilcast = self.veilcast.display();
        let age = peers.age.display();
        let rage = peers.rage.display();
        self.shell(&format!("head -c {CONTENT_BYTES} /dev/urandom > in"))?;
        self.shell(&format!("'{veilcast}' identity new -o me.txt 2> said"))?;
        self.shell(&format!("'{veilcast}' identity recipient me.txt > me.pub"))?;
        self.shell(&format!("'{}' -o age.txt 2> said", peers.age_keygen.display()))?;
        self.shell(&format!("'{}' -y age.txt > age.pub", peers.age_keygen.display()))?;
        let side = |name, output, line| Side { name, output, line };
        let seal = format!("'{veilcast}' seal -R me.pub");
        let open = format!("'{veilcast}' open -i me.txt");
        Ok(vec![
            side("cp", "out", "cp in out".into()),
            side("veilcast seal", "x.veil", format!("{seal} -o x.veil in")),
            side("veilcast open", "out", format!("{open} -o out x.veil")),
            side("veilcast seal, pipes", "y.veil", format!("cat in | {seal} > y.veil")),
            side("veilcast open, pipes", "out2", format!("cat y.veil | {open} > out2")),
            side("age", "x.age", format!("'{age}' -R age.pub -o x.age in")),
            side("age -d", "out", format!("'{age}' -d -i age.txt -o out x.age")),
            side("rage", "x.rage", format!("'{rage}' -R age.pub -o x.rage in")),
            side("rage -d", "out", format!("'{rage}' -d -i age.txt -o out x.rage")),
        ])
    }

    fn shell(&self, line: &str) -> Outcome {
        run_command(self.repo.command("sh").args(["-ec", line]).current_dir(self.dir))
    }

    fn time(&self, side: &Side) -> Outcome<Took> {
        match fs::remove_file(self.dir.join(side.output)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).during(format_args!("removing {}", side.output));
            }
            _ => {}
        }
        self.shell(WARM)?;
        let report = self.dir.join("time");
        let mut command = self.repo.command("time");
        command.args(["-q", "-f", "%U %M", "-o"]).arg(&report).args(["sh", "-ec", &side.line]);
        let start = Instant::now();
        run_command(command.current_dir(self.dir).stdin(Stdio::null()))?;
        let wall_s = start.elapsed().as_secs_f64();
        let said = fs::read_to_string(&report).during("reading what GNU time says")?;
        let numbers: Vec<f64> =
            said.split_whitespace().filter_map(|one| one.parse().ok()).collect();
        let [user_s, peak_kib] = numbers[..] else {
            return Err(fail(format!("GNU time says {said:?}")));
        };
        Ok(Took { wall_s, user_s, peak_kib })
    }

    /// A bench of something that doesn't work is worth nothing.
    fn check(&self) -> Outcome {
        self.shell("cmp in out2")?;
        let veilcast = self.veilcast.display();
        self.shell(&format!("'{veilcast}' open -i me.txt x.veil | cmp - in"))
    }

    /// Runs a program with nothing to read and nobody to read it; how long it took.
    fn once(&self, program: &Path, words: &[&str]) -> Outcome<f64> {
        let mut command = self.repo.command(program);
        command.args(words).current_dir(self.dir).stdin(Stdio::null()).stdout(Stdio::null());
        let start = Instant::now();
        run_command(&mut command)?;
        Ok(start.elapsed().as_secs_f64())
    }
}

fn figures((side, taken): (&Side, &Vec<Took>)) -> Figures {
    let of = |value: fn(&Took) -> f64| median(taken.iter().map(value));
    Figures {
        name: side.name,
        wall_s: of(|took| took.wall_s),
        user_s: of(|took| took.user_s),
        peak_kib: taken.iter().map(|took| took.peak_kib).fold(0.0, f64::max),
    }
}

impl Figures {
    fn json(&self) -> Value {
        let Self { name, wall_s, user_s, peak_kib } = self;
        json!({ "name": name, "wall_s": wall_s, "user_s": user_s, "peak_kib": peak_kib })
    }
}

fn show(figures: &[Figures], cipher_s: f64) -> Outcome {
    let of = |name: &str| {
        let found = figures.iter().find(|one| one.name == name);
        found.ok_or_else(|| fail(format!("there is no side {name}")))
    };
    let copy_s = of("cp")?.wall_s;
    let mut rows =
        vec![["1 GiB", "wall", "of cp", "CPU, user", "peak memory"].map(String::from).to_vec()];
    for one in figures {
        rows.push(vec![
            one.name.to_owned(),
            format!("{:.2} s", one.wall_s),
            format!("{:.2}", one.wall_s / copy_s),
            format!("{:.2} s", one.user_s),
            format!("{:.1} MiB", one.peak_kib / 1024.0),
        ]);
    }
    let ratio = format!("{:.2}", cipher_s / copy_s);
    rows.push(vec!["AES-256-GCM alone, one core".into(), format!("{cipher_s:.2} s"), ratio]);
    table(&rows);
    for (ours, peers) in
        [("veilcast seal", ["age", "rage"]), ("veilcast open", ["age -d", "rage -d"])]
    {
        let mine = of(ours)?;
        let ratio = mine.wall_s / copy_s;
        verdict(&format!("{ours}: {ratio:.2} of cp, aim {COPY_AIM}"), ratio <= COPY_AIM);
        for peer in peers {
            let ratio = of(peer)?.wall_s / mine.wall_s;
            let what = format!("{ours}: {ratio:.1}× faster than {peer}, aim {PEER_AIM}×");
            verdict(&what, ratio >= PEER_AIM);
        }
    }
    let ours = || figures.iter().filter(|one| one.name.starts_with("veilcast"));
    let cpu_s = ours().map(|one| one.user_s).fold(0.0, f64::max);
    verdict(&format!("user CPU {cpu_s:.2} s, aim {CPU_AIM_S} s"), cpu_s <= CPU_AIM_S);
    let peak_kib = ours().map(|one| one.peak_kib).fold(0.0, f64::max);
    let what = format!("peak memory {:.1} MiB, aim 16 MiB", peak_kib / 1024.0);
    verdict(&what, peak_kib <= PEAK_AIM_KIB);
    Ok(())
}
