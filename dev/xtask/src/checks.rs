//! `cargo xtask test`: every check and test, cheap ones first, each with a heading, a time and a place in the last table.
//!
//! Programs are built once, in the development profile (its dependencies are optimised, so ciphers and codecs run at
//! speed): unit, integration and browser tests all use those.

use std::process::Command;
use std::time::{Duration, Instant};

use veil_testkit::{BIN_DIR_VARIABLE, FULL_VARIABLE, GARAGE_VARIABLE};

use crate::args::{AttackOptions, TestOptions};
use crate::console::{self, duration, heading};
use crate::failure::{Outcome, fail};
use crate::repo::{Repo, run as run_command};
use crate::{attacks, setup, tidy};

/// The folder of cargo's development profile.
const PROFILE_DIR: &str = "debug";

/// One step: a name and what it does.
struct Step {
    name: &'static str,
    work: Work,
}

enum Work {
    /// Runs inside this program.
    Here(fn(&Repo) -> Outcome),
    /// Runs a program; the command is made when its turn comes, after set-up.
    Command(fn(&Repo) -> Command),
}

/// How a step went.
enum Result {
    Passed(Duration),
    Failed(Duration),
    NotRun,
}

/// Runs all steps; the first that fails ends it unless `keep_going`.
pub(crate) fn run(repo: &Repo, options: TestOptions) -> Outcome {
    let mut results = Vec::new();
    let mut failed: Vec<&str> = Vec::new();
    for step in steps(options) {
        let result = if failed.is_empty() || options.keep_going {
            run_step(repo, step.name, step.work)
        } else {
            Result::NotRun
        };
        if matches!(result, Result::Failed(_)) {
            failed.push(step.name);
        }
        results.push((step.name, result));
    }
    summary(&results);
    match failed.as_slice() {
        [] => Ok(()),
        names => Err(fail(format!("failed: {}", names.join(", ")))),
    }
}

fn steps(options: TestOptions) -> Vec<Step> {
    let mut steps = vec![
        here("set-up", setup::run),
        command("formatting", |repo| repo.cargo(["fmt", "--all", "--check"])),
        here("tidy", tidy::run),
        command("web checks", |repo| repo.npm(["run", "--silent", "check"])),
        command("web unit tests", |repo| repo.npm(["test", "--silent"])),
        command("clippy", clippy),
        command("build", build),
        command("tests", tests),
        command("doc tests", doc_tests),
        command("documentation", documentation),
    ];
    if options.full {
        steps.insert(1, here("Garage", setup::garage::install));
        steps.push(here("attacks", |repo| attacks::run(repo, &AttackOptions::default())));
        for step in &mut steps {
            if step.name == "tests" {
                step.work = Work::Command(all_tests);
            }
        }
    }
    if !options.fast {
        steps.push(command("browser end to end", browser));
    }
    steps
}

fn build(repo: &Repo) -> Command {
    repo.cargo(["build", "--locked", "--workspace", "--all-targets"])
}

fn doc_tests(repo: &Repo) -> Command {
    repo.cargo(["test", "--locked", "--workspace", "--doc", "--quiet"])
}

/// The fuzz program is built by nobody else here; without libFuzzer itself it can be checked and not linked.
fn clippy(repo: &Repo) -> Command {
    let mut command = repo.cargo(["clippy", "--locked", "--workspace", "--all-targets"]);
    command.args(["--features", "veil-fuzz/libfuzzer", "--", "-D", "warnings"]);
    command
}

/// The same tests with cargo-nextest (each in a process of its own) and without.
fn tests(repo: &Repo) -> Command {
    let mut command = if repo.find("cargo-nextest").is_some() {
        repo.cargo(["nextest", "run", "--locked", "--workspace", "--no-fail-fast"])
    } else {
        let words = ["--locked", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"];
        let mut command = repo.cargo(["test"]);
        command.args(words);
        command
    };
    command.env(BIN_DIR_VARIABLE, repo.bin_dir(PROFILE_DIR));
    command
}

fn all_tests(repo: &Repo) -> Command {
    let mut command = tests(repo);
    command.env(GARAGE_VARIABLE, setup::garage::program(repo));
    command.env(FULL_VARIABLE, "1");
    command
}

fn documentation(repo: &Repo) -> Command {
    let mut command = repo.cargo(["doc", "--locked", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

fn browser(repo: &Repo) -> Command {
    let mut command = repo.npm(["run", "--silent", "e2e"]);
    command.current_dir(repo.root.join("e2e"));
    command.env(BIN_DIR_VARIABLE, repo.bin_dir(PROFILE_DIR));
    command
}

fn here(name: &'static str, work: fn(&Repo) -> Outcome) -> Step {
    Step { name, work: Work::Here(work) }
}

fn command(name: &'static str, command: fn(&Repo) -> Command) -> Step {
    Step { name, work: Work::Command(command) }
}

fn run_step(repo: &Repo, name: &str, work: Work) -> Result {
    let start = Instant::now();
    let outcome = match work {
        Work::Here(work) => work(repo),
        Work::Command(command) => {
            heading(name);
            run_command(&mut command(repo))
        }
    };
    let time = start.elapsed();
    match outcome {
        Ok(()) => {
            console::note(format_args!("{name}: {}", duration(time)));
            Result::Passed(time)
        }
        Err(failure) => {
            console::error(&format_args!("{name}: {failure}"));
            Result::Failed(time)
        }
    }
}

fn summary(results: &[(&str, Result)]) {
    heading("summary");
    let mut total = Duration::ZERO;
    let mut rows = Vec::new();
    for (name, result) in results {
        let (word, time) = match result {
            Result::Passed(time) => ("passed", *time),
            Result::Failed(time) => ("FAILED", *time),
            Result::NotRun => ("not run", Duration::ZERO),
        };
        total += time;
        rows.push(vec![(*name).to_owned(), word.to_owned(), duration(time)]);
    }
    rows.push(vec!["all".into(), String::new(), duration(total)]);
    console::table(&rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(fast: bool) -> Vec<&'static str> {
        let options = TestOptions { fast, ..TestOptions::default() };
        steps(options).iter().map(|step| step.name).collect()
    }

    #[test]
    fn the_full_run_has_garage_before_the_tests_and_all_attacks_behind_them_and_nothing_else_more()
    {
        let full = TestOptions { full: true, ..TestOptions::default() };
        let mut all: Vec<&str> = steps(full).iter().map(|step| step.name).collect();
        assert_eq!(all.remove(1), "Garage");
        let attacks = all.iter().position(|name| *name == "attacks").unwrap();
        assert!(attacks > all.iter().position(|name| *name == "tests").unwrap());
        all.remove(attacks);
        assert_eq!(all, names(false));
        let plain = tests as fn(&Repo) -> Command;
        let is_plain = |step: &Step| match step.work {
            Work::Command(work) => std::ptr::fn_addr_eq(work, plain),
            Work::Here(_) => false,
        };
        assert!(!steps(full).iter().any(is_plain));
    }

    #[test]
    fn fast_leaves_out_the_browser_and_nothing_else() {
        let mut all = names(false);
        assert_eq!(all.pop(), Some("browser end to end"));
        assert_eq!(all, names(true));
    }

    #[test]
    fn the_programs_are_built_before_anything_runs_them() {
        let all = names(false);
        let at = |name| all.iter().position(|step| *step == name).unwrap();
        assert!(at("build") < at("tests") && at("tests") < at("browser end to end"));
    }
}
