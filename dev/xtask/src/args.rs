//! The command line of `cargo xtask`: words in, a [`Request`] out; the help text lies beside its parser.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::failure::{Failure, Outcome, fail};

/// What `cargo xtask --help` prints.
pub(crate) const HELP: &str = "\
cargo xtask <command>

  setup                  install what is missing, npm packages and the web build
  test                   set up and run every check and test
      --fast               without the browser
      --full               with Garage as well, a store that is built once (10 minutes), and with tests that take minutes
      --keep-going         run what follows a failed step as well
  demo [VIDEO]           seal VIDEO (or a clip made here), serve it, print a link to watch
      --check              open the link in headless Chromium, print figures, and end
  tidy                   the rules that no compiler checks: zones, sizes, module docs, links
  bench [NAME...]        measure side by side; all without a NAME: import, first-frame, gateway, grant,
                         hide, manifest, page, player, seal, sign, stego-security,
                         studio, studio-page
      --video FILE         the source to measure with (a sample, or a clip made here, by default)
      --runs N             runs of each side (3 imports, 15 visits, 5 files by default)
      --minutes N          player alone: seek about for so long and look at memory
  attacks                hide in videos, attack them by FFmpeg, reveal; writes docs/format/stego-attacks.md
      --quick              a few attacks on a small video; writes nothing
      --source NAME        one source alone: 1080p, 720p, 360p; writes nothing
  marks                  mark videos, attack them by FFmpeg, read the marks; writes docs/format/mark-attacks.md
      --quick              one attack on a few seconds; writes nothing
      --seconds N          length of the clip (32 by default); stopped early, it writes what was run
  fuzz TARGET            look for inputs that break a format's promise (fuzz/README.md)
      --seconds N          how long (60 by default)
  help                   this text
";

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Print the help text.
    Help,
    /// Install what is missing.
    Setup,
    /// Run the checks.
    Test(TestOptions),
    /// Show a link that plays.
    Demo(DemoOptions),
    /// Measure.
    Bench(BenchOptions),
    /// Attack hidden messages.
    Attacks(AttackOptions),
    /// Attack marks.
    Marks(MarkOptions),
    /// Look for inputs that break a promise.
    Fuzz(FuzzOptions),
    /// Hold the repository's own rules.
    Tidy,
}

/// Options of `test`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TestOptions {
    /// Leave the browser out.
    pub(crate) fast: bool,
    /// Hold what is signed and stored to Garage as well.
    pub(crate) full: bool,
    /// Don't stop at the first failed step.
    pub(crate) keep_going: bool,
}

/// Options of `demo`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DemoOptions {
    /// The video to show; a generated one by default.
    pub(crate) video: Option<PathBuf>,
    /// Check the link in a browser, then end.
    pub(crate) check: bool,
}

/// Options of `bench`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BenchOptions {
    /// Which benches; all when empty.
    pub(crate) names: Vec<String>,
    /// The source to measure with; a generated one by default.
    pub(crate) video: Option<PathBuf>,
    /// Runs of each side; each bench has its own number by default.
    pub(crate) runs: Option<usize>,
    /// How long `player` looks for what memory it doesn't give back.
    pub(crate) minutes: Option<usize>,
}

/// Options of `attacks`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct AttackOptions {
    /// Few attacks on a small video.
    pub(crate) quick: bool,
    /// One source alone.
    pub(crate) source: Option<String>,
}

/// Options of `marks`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MarkOptions {
    /// One attack on a few seconds.
    pub(crate) quick: bool,
    /// Length of the clip.
    pub(crate) seconds: Option<usize>,
}

/// Options of `fuzz`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FuzzOptions {
    /// The target's name.
    pub(crate) target: String,
    /// How long to look.
    pub(crate) seconds: usize,
}

/// Longest that a fuzz target runs: a week.
const SECONDS_LIMIT: usize = 7 * 24 * 60 * 60;

/// Most runs of a bench: a slip of the finger shall not take a day.
const RUNS_LIMIT: usize = 100;

/// Longest clip whose marks are attacked: what samples give.
const CLIP_SECONDS_LIMIT: usize = 52;

/// Longest loop of a bench: a day.
const MINUTES_LIMIT: usize = 24 * 60;

/// Parses the words after `cargo xtask`.
pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Outcome<Request> {
    let mut words = Words { rest: words.collect::<Vec<_>>().into_iter() };
    let Some(command) = words.rest.next() else { return Ok(Request::Help) };
    match command.to_str() {
        Some("help" | "--help" | "-h") => Ok(Request::Help),
        Some("setup") => words.end().map(|()| Request::Setup),
        Some("tidy") => words.end().map(|()| Request::Tidy),
        Some("test") => test(words),
        Some("demo") => demo(words),
        Some("bench") => bench(words),
        Some("attacks") => attacks(words),
        Some("marks") => marks(words),
        Some("fuzz") => fuzz(words),
        _ => Err(unknown("command", &command)),
    }
}

fn test(words: Words) -> Outcome<Request> {
    let mut options = TestOptions::default();
    for word in words.rest {
        match word.to_str() {
            Some("--fast") => options.fast = true,
            Some("--full") => options.full = true,
            Some("--keep-going") => options.keep_going = true,
            _ => return Err(unknown("option of `test`", &word)),
        }
    }
    Ok(Request::Test(options))
}

fn demo(mut words: Words) -> Outcome<Request> {
    let mut options = DemoOptions::default();
    while let Some(word) = words.rest.next() {
        match word.to_str() {
            Some("--check") => options.check = true,
            Some("--") => options.video = words.rest.next().map(PathBuf::from),
            Some(option) if option.starts_with('-') => {
                return Err(unknown("option of `demo`", &word));
            }
            _ if options.video.is_none() => options.video = Some(word.into()),
            _ => return Err(fail("`demo` shows one video").hint(SEE_HELP)),
        }
    }
    Ok(Request::Demo(options))
}

fn bench(mut words: Words) -> Outcome<Request> {
    let mut options = BenchOptions { names: Vec::new(), video: None, runs: None, minutes: None };
    while let Some(word) = words.rest.next() {
        match word.to_str() {
            Some("--video") => options.video = Some(words.value("--video")?.into()),
            Some("--minutes") => {
                options.minutes = Some(words.number("--minutes", MINUTES_LIMIT)?);
            }
            Some("--runs") => options.runs = Some(words.number("--runs", RUNS_LIMIT)?),
            Some(name) if !name.starts_with('-') => options.names.push(name.to_owned()),
            _ => return Err(unknown("option of `bench`", &word)),
        }
    }
    Ok(Request::Bench(options))
}

fn attacks(mut words: Words) -> Outcome<Request> {
    let mut options = AttackOptions::default();
    while let Some(word) = words.rest.next() {
        match word.to_str() {
            Some("--quick") => options.quick = true,
            Some("--source") => {
                options.source = Some(words.value("--source")?.to_string_lossy().into_owned());
            }
            _ => return Err(unknown("option of `attacks`", &word)),
        }
    }
    Ok(Request::Attacks(options))
}

fn marks(mut words: Words) -> Outcome<Request> {
    let mut options = MarkOptions::default();
    while let Some(word) = words.rest.next() {
        match word.to_str() {
            Some("--quick") => options.quick = true,
            Some("--seconds") => {
                options.seconds = Some(words.number("--seconds", CLIP_SECONDS_LIMIT)?);
            }
            _ => return Err(unknown("option of `marks`", &word)),
        }
    }
    Ok(Request::Marks(options))
}

fn fuzz(mut words: Words) -> Outcome<Request> {
    let (mut target, mut seconds) = (None, 60);
    while let Some(word) = words.rest.next() {
        match word.to_str() {
            Some("--seconds") => seconds = words.number("--seconds", SECONDS_LIMIT)?,
            Some(name) if !name.starts_with('-') && target.is_none() => {
                target = Some(name.to_owned());
            }
            _ => return Err(unknown("option of `fuzz`", &word)),
        }
    }
    let target = target.ok_or_else(|| fail("`fuzz` wants the name of a target").hint(SEE_HELP))?;
    Ok(Request::Fuzz(FuzzOptions { target, seconds }))
}

const SEE_HELP: &str = "`cargo xtask help` lists the commands and their options";

fn unknown(kind: &str, word: &OsStr) -> Failure {
    fail(format!("there is no {kind} `{}`", word.display())).hint(SEE_HELP)
}

struct Words {
    rest: std::vec::IntoIter<OsString>,
}

impl Words {
    fn value(&mut self, option: &str) -> Outcome<OsString> {
        self.rest.next().ok_or_else(|| fail(format!("`{option}` wants a value")).hint(SEE_HELP))
    }

    /// Takes a number from 1 to `limit`.
    fn number(&mut self, option: &str, limit: usize) -> Outcome<usize> {
        let value = self.value(option)?;
        let number = value.to_str().and_then(|text| text.parse().ok());
        number
            .filter(|number| (1..=limit).contains(number))
            .ok_or_else(|| fail(format!("`{option}` takes a number from 1 to {limit}")))
    }

    fn end(mut self) -> Outcome {
        match self.rest.next() {
            None => Ok(()),
            Some(word) => Err(unknown("further word", &word)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<Request, &str>) {
        let words = line.split_whitespace().map(OsString::from);
        match (parse(words), expected) {
            (Ok(request), Ok(expected)) => assert_eq!(request, expected, "{line}"),
            (Err(error), Err(part)) => {
                assert!(error.to_string().contains(part), "{line}: {error}");
            }
            (got, expected) => panic!("{line}: {got:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn every_command_of_the_help_text_is_understood() {
        check("", Ok(Request::Help));
        check("--help", Ok(Request::Help));
        check("setup", Ok(Request::Setup));
        check("tidy", Ok(Request::Tidy));
        let all = TestOptions { fast: true, full: true, keep_going: true };
        check("test --fast --full --keep-going", Ok(Request::Test(all)));
        let demo = |video: Option<&str>, check| {
            Ok(Request::Demo(DemoOptions { video: video.map(PathBuf::from), check }))
        };
        check("demo", demo(None, false));
        check("demo --check a.mp4", demo(Some("a.mp4"), true));
        check("demo -- -a.mp4", demo(Some("-a.mp4"), false));
        let bench = |names: &[&str], video: Option<&str>, runs, minutes| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let video = video.map(PathBuf::from);
            Ok(Request::Bench(BenchOptions { names, video, runs, minutes }))
        };
        check("bench", bench(&[], None, None, None));
        let both = bench(&["import", "first-frame"], Some("a.mp4"), Some(5), None);
        check("bench import --video a.mp4 first-frame --runs 5", both);
        check("bench player --minutes 30", bench(&["player"], None, None, Some(30)));
        let attacks = |quick, source: Option<&str>| {
            Ok(Request::Attacks(AttackOptions { quick, source: source.map(str::to_owned) }))
        };
        check("attacks", attacks(false, None));
        check("attacks --quick", attacks(true, None));
        check("attacks --source 720p", attacks(false, Some("720p")));
        let marks = |quick, seconds| Ok(Request::Marks(MarkOptions { quick, seconds }));
        check("marks", marks(false, None));
        check("marks --quick", marks(true, None));
        check("marks --seconds 20", marks(false, Some(20)));
        let fuzz = FuzzOptions { target: "link".into(), seconds: 5 };
        check("fuzz link --seconds 5", Ok(Request::Fuzz(fuzz)));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        check("tset", Err("there is no command `tset`"));
        check("test --slow", Err("there is no option of `test` `--slow`"));
        check("setup now", Err("there is no further word `now`"));
        check("demo a.mp4 b.mp4", Err("`demo` shows one video"));
        check("demo --chekc", Err("there is no option of `demo` `--chekc`"));
        check("bench --runs", Err("`--runs` wants a value"));
        check("bench --runs 0", Err("a number from 1 to 100"));
        check("attacks --qiuck", Err("there is no option of `attacks` `--qiuck`"));
        check("marks --seconds 53", Err("a number from 1 to 52"));
        check("marks twice", Err("there is no option of `marks` `twice`"));
        check("fuzz", Err("`fuzz` wants the name of a target"));
        check("fuzz link id", Err("there is no option of `fuzz` `id`"));
        check("fuzz link --seconds 0", Err("a number from 1 to 604800"));
    }
}
