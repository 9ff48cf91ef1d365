//! `player`: seeks, starts, memory and dropped frames of the player in Chromium, against the same HLS in clear, and the
//! vault's opening by itself.
//!
//! The visits are made by `bench/player`, which writes a line of JSON for each; here the product is put up for them and
//! the figures are made.

use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::awake::Awake;
use super::measure::{median, upper_tenth};
use super::source::named_or_usual;
use super::verdict;
use super::visits::visits;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::demo::Product;
use crate::failure::{Outcome, fail};
use crate::repo::Repo;
use crate::stop::{Ended, Stop};

/// Taken once and given back before anything is opened.
const WARM_BYTES: usize = 1_200_000_000;

/// Visits of each side where none are asked for.
const VISITS: usize = 5;

/// What is watched, and how it is imported.
const TITLE: &str = "bench";
const LADDER: [&str; 2] = ["--ladder", "480,720"];

const PLAYING_AIM_MS: f64 = 10.0;
const BUFFERED_AIM_MS: f64 = 90.0;
const UNBUFFERED_RATIO_AIM: f64 = 1.15;
const OPENING_ALL_AIM_MS: f64 = 110.0;
const OPENING_LAST_AIM_MS: f64 = 2.0;
const LONG_TASK_AIM_MS: f64 = 50.0;
const MEMORY_AIM_MB: f64 = 5.0;
/// What memory may grow from the first to the last third of a loop of seeks.
const GROWTH_AIM_MB: f64 = 1.0;

const START_LIMIT: Duration = Duration::from_secs(180);
const VISIT_LIMIT: Duration = Duration::from_secs(60);

/// Which side a visit was to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Sealed,
    Unsealed,
}

/// What a visit saw; times in milliseconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Visit {
    side: Side,
    unbuffered_ms: Vec<f64>,
    buffered_ms: Vec<f64>,
    playing_ms: f64,
    longest_task_ms: f64,
    frames: f64,
    dropped: f64,
    memory_bytes: f64,
    /// Of the sealed side: from an object's last byte until it was verified.
    opening_ms: Option<f64>,
}

/// One line of the visits.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Visit(Visit),
    #[serde(rename_all = "camelCase")]
    Loop {
        loop_bytes: f64,
    },
}

/// Times of 100 MB, in milliseconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Passes {
    opening_ms: Vec<f64>,
    /// The same bytes in the same calls of WebCrypto and nothing else.
    decrypting_ms: Vec<f64>,
}

/// Medians and least times of opening 100 MB and of their decryption alone, in milliseconds.
#[derive(Debug, Serialize)]
struct Opening {
    opened: f64,
    opened_least: f64,
    decrypted: f64,
    decrypted_least: f64,
}

impl Opening {
    fn of(passes: &[Passes]) -> Outcome<Self> {
        let [Passes { opening_ms, decrypting_ms }] = passes else {
            return Err(fail("nothing was opened"));
        };
        let least = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
        Ok(Self {
            opened: median(opening_ms.iter().copied()),
            opened_least: least(opening_ms),
            decrypted: median(decrypting_ms.iter().copied()),
            decrypted_least: least(decrypting_ms),
        })
    }

    fn row(&self, name: &str) -> Vec<String> {
        let times = [self.opened, self.opened_least, self.decrypted, self.decrypted_least];
        let cells = times.map(|ms| format!("{ms:.0} ms"));
        let ratio = format!("{:.2}", self.opened / self.decrypted);
        std::iter::once(name.to_owned()).chain(cells).chain([ratio]).collect()
    }
}

/// Opening with cores that are kept awake, and with cores that sleep between two calls.
struct Openings {
    awake: Opening,
    asleep: Opening,
}

impl Openings {
    fn measure(repo: &Repo, stop: &Stop) -> Outcome<Self> {
        let one = || {
            let words = |node: &mut Command| {
                node.arg(repo.target.join("bench/player/opening"));
            };
            Opening::of(&visits(repo, "opening", words, VISIT_LIMIT, stop)?)
        };
        // Under a hypervisor memory that nobody used for a while is several times as dear to touch.
        drop(vec![1_u8; WARM_BYTES]);
        let asleep = one()?;
        let keeper = Awake::keep()?;
        let awake = one()?;
        drop(keeper);
        Ok(Self { awake, asleep })
    }

    fn show(&self) {
        let head = ["100 MB", "opened", "least", "WebCrypto alone", "least", "ratio"];
        let rows = [self.awake.row("cores kept awake"), self.asleep.row("cores that fall asleep")];
        let head = std::iter::once(head.map(str::to_owned).to_vec());
        table(&head.chain(rows).collect::<Vec<_>>());
        let what = format!("100 MB opened by the pool in {:.0} ms", self.awake.opened);
        verdict(
            &format!("{what}, aim {OPENING_ALL_AIM_MS}"),
            self.awake.opened <= OPENING_ALL_AIM_MS,
        );
    }
}

/// Imports, serves, visits and prints the tables.
pub(super) fn run(repo: &Repo, options: &BenchOptions, stop: &Stop) -> Outcome<Value> {
    let video = named_or_usual(repo, options.video.as_deref())?;
    let count = options.runs.unwrap_or(VISITS);
    let minutes = options.minutes.unwrap_or(0);
    let openings = Openings::measure(repo, stop)?;
    openings.show();
    note(format_args!("{count} visits a side to {}", video.display()));
    let product = Product::new(repo, "bench")?;
    let mut import = product.import(&video, TITLE, &LADDER)?;
    match stop.wait(&mut import)? {
        Ended::Asked => return product.end(import).and_then(|()| Err(fail("stopped"))),
        Ended::Child(status) if status.success() => {}
        Ended::Child(status) => return Err(fail(format!("the import ended with {status}"))),
    }
    let up = product.up()?;
    let lines =
        product.share(TITLE).and_then(|link| visit(repo, &product, &link, count, minutes, stop));
    let ended = product.end(up);
    let lines = lines?;
    ended?;
    report(&lines, &openings)
}

fn visit(
    repo: &Repo,
    product: &Product<'_>,
    link: &str,
    count: usize,
    minutes: usize,
    stop: &Stop,
) -> Outcome<Vec<Line>> {
    let words = |node: &mut Command| {
        node.arg(link).arg(product.bucket()).arg(repo.target.join("bench/player"));
        node.args([count.to_string(), minutes.to_string()]);
    };
    let pairs = u32::try_from(2 * (count + 1)).unwrap_or(u32::MAX);
    let looping = Duration::from_secs(60 * minutes as u64);
    visits(repo, "player", words, START_LIMIT + VISIT_LIMIT * pairs + looping, stop)
}

/// The figures of one side.
struct Figures {
    playing_ms: f64,
    buffered_ms: f64,
    buffered_p90_ms: f64,
    unbuffered_ms: f64,
    longest_task_ms: f64,
    dropped: f64,
    memory_mb: f64,
}

impl Figures {
    fn of(visits: &[&Visit]) -> Self {
        let each = |figure: fn(&Visit) -> f64| median(visits.iter().map(|visit| figure(visit)));
        let buffered = || visits.iter().flat_map(|visit| visit.buffered_ms.iter().copied());
        let unbuffered = visits.iter().flat_map(|visit| visit.unbuffered_ms.iter().copied());
        Self {
            playing_ms: each(|visit| visit.playing_ms),
            buffered_ms: median(buffered()),
            buffered_p90_ms: upper_tenth(buffered()),
            unbuffered_ms: median(unbuffered),
            longest_task_ms: each(|visit| visit.longest_task_ms),
            dropped: each(|visit| 100.0 * visit.dropped / visit.frames),
            memory_mb: each(|visit| visit.memory_bytes / 1e6),
        }
    }

    fn json(&self) -> Value {
        json!({
            "playing_ms": self.playing_ms,
            "seek_buffered_ms": self.buffered_ms,
            "seek_buffered_p90_ms": self.buffered_p90_ms,
            "seek_unbuffered_ms": self.unbuffered_ms,
            "longest_task_ms": self.longest_task_ms,
            "dropped_percent": self.dropped,
            "memory_mb": self.memory_mb,
        })
    }

    /// The column of a table.
    fn column(&self) -> [String; 7] {
        let ms = |value: f64| format!("{value:.1} ms");
        [
            ms(self.playing_ms),
            ms(self.buffered_ms),
            ms(self.buffered_p90_ms),
            ms(self.unbuffered_ms),
            // Below 50 ms the browser names none.
            if self.longest_task_ms > 0.0 { ms(self.longest_task_ms) } else { "none".to_owned() },
            format!("{:.2} %", self.dropped),
            format!("{:.2} MB", self.memory_mb),
        ]
    }
}

const ROWS: [&str; 7] = [
    "play() to playing, prefetched",
    "seek, buffered, anywhere in a GOP",
    "nine of ten within",
    "seek, unbuffered",
    "longest main-thread task above 50 ms",
    "frames dropped",
    "memory of the page at its end",
];

fn report(lines: &[Line], openings: &Openings) -> Outcome<Value> {
    let of = |side: Side| {
        let is_of = |line: &'_ Line| matches!(line, Line::Visit(visit) if visit.side == side);
        let visits: Vec<&Visit> = lines
            .iter()
            .filter(|line| is_of(line))
            .filter_map(|line| if let Line::Visit(visit) = line { Some(visit) } else { None })
            .collect();
        if visits.is_empty() { Err(fail("there was no visit")) } else { Ok(visits) }
    };
    let (sealed_visits, unsealed_visits) = (of(Side::Sealed)?, of(Side::Unsealed)?);
    let (sealed, unsealed) = (Figures::of(&sealed_visits), Figures::of(&unsealed_visits));
    let opening_last = median(sealed_visits.iter().filter_map(|visit| visit.opening_ms));
    show(&sealed, &unsealed);
    judge(&sealed, &unsealed, opening_last);
    let growth = growth_mb(lines);
    if let Some(growth) = growth {
        let what = format!("memory over the loop of seeks {growth:+.2} MB, aim {GROWTH_AIM_MB}");
        verdict(&what, growth <= GROWTH_AIM_MB);
    }
    Ok(json!({
        "bench": "player",
        "sealed": sealed.json(),
        "unsealed": unsealed.json(),
        "opening_100_mb_ms": { "awake": openings.awake, "asleep": openings.asleep },
        "opening_after_last_byte_ms": opening_last,
        "loop_growth_mb": growth,
    }))
}

fn show(sealed: &Figures, unsealed: &Figures) {
    let head = ["median of", "sealed", "in clear"].map(str::to_owned).to_vec();
    let rows = ROWS.iter().zip(sealed.column()).zip(unsealed.column());
    let rows = rows.map(|((name, ours), theirs)| vec![(*name).to_owned(), ours, theirs]);
    table(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
}

fn judge(sealed: &Figures, unsealed: &Figures, opening_last: f64) {
    let most = |what: &str, value: f64, aim: f64| {
        verdict(&format!("{what} {value:.2}, aim {aim}"), value <= aim);
    };
    most("play() to playing in ms", sealed.playing_ms, PLAYING_AIM_MS);
    most("buffered seek in ms", sealed.buffered_ms, BUFFERED_AIM_MS);
    let ratio = sealed.unbuffered_ms / unsealed.unbuffered_ms;
    most("unbuffered seek, sealed to in clear", ratio, UNBUFFERED_RATIO_AIM);
    most("opening after a segment's last byte in ms", opening_last, OPENING_LAST_AIM_MS);
    most("longest task in ms (0: none above 50)", sealed.longest_task_ms, LONG_TASK_AIM_MS);
    most("frames dropped beyond in clear in %", sealed.dropped - unsealed.dropped, 0.0);
    most("memory beyond in clear in MB", sealed.memory_mb - unsealed.memory_mb, MEMORY_AIM_MB);
}

/// How much the last third of a loop has above the first, `None` where there was no loop long enough to tell.
fn growth_mb(lines: &[Line]) -> Option<f64> {
    let looks: Vec<f64> = lines
        .iter()
        .filter_map(
            |line| if let Line::Loop { loop_bytes } = line { Some(*loop_bytes) } else { None },
        )
        .collect();
    let third = looks.len() / 3;
    let (first, last) = (looks.get(..third)?, looks.get(looks.len() - third..)?);
    (third > 0).then(|| (median(last.iter().copied()) - median(first.iter().copied())) / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(value: Value) -> Line {
        serde_json::from_value(value).unwrap()
    }

    fn openings() -> Openings {
        let one = || {
            let passes = json!({
                "openingMs": [90.0, 100.0, 120.0], "decryptingMs": [75.0, 90.0, 70.0],
            });
            Opening::of(&[serde_json::from_value(passes).unwrap()]).unwrap()
        };
        Openings { awake: one(), asleep: one() }
    }

    fn visit(side: &str, seek: f64, opening: Option<f64>) -> Line {
        line(json!({
            "side": side, "unbufferedMs": [2.0 * seek], "bufferedMs": [seek, seek], "playingMs": 4.0,
            "longestTaskMs": 0, "frames": 100, "dropped": 1, "memoryBytes": 4e6, "openingMs": opening,
        }))
    }

    #[test]
    fn each_side_has_its_medians_and_the_opening_its_own() {
        let lines = [visit("sealed", 30.0, Some(1.5)), visit("unsealed", 20.0, None)];
        let figures = report(&lines, &openings()).unwrap();
        assert_eq!(figures["sealed"]["seek_unbuffered_ms"], 60.0);
        assert_eq!(figures["unsealed"]["seek_buffered_ms"], 20.0);
        assert_eq!(figures["opening_100_mb_ms"]["awake"]["opened"], 100.0);
        assert_eq!(figures["opening_100_mb_ms"]["asleep"]["decrypted_least"], 70.0);
        assert_eq!(figures["opening_after_last_byte_ms"], 1.5);
        assert_eq!(figures["loop_growth_mb"], Value::Null);
        assert_eq!(figures["sealed"]["dropped_percent"], 1.0);
    }

    #[test]
    fn a_side_without_visits_is_told() {
        let error = report(&[visit("sealed", 1.0, None)], &openings()).unwrap_err().to_string();
        assert_eq!(error, "there was no visit");
    }

    #[test]
    fn a_loop_is_judged_by_its_first_and_last_third() {
        let looks = [9.0, 4.0, 4.0, 5.0, 8.0, 5.0, 6.5, 5.5, 6.0];
        let lines = looks.map(|mb| line(json!({ "loopBytes": mb * 1e6 })));
        let growth = growth_mb(&lines).unwrap();
        assert!((growth - 2.0).abs() < 1e-9, "{growth}");
        assert_eq!(growth_mb(&lines[..2]), None);
    }
}
