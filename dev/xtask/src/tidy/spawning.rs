//! Only `veil-ffmpeg` and the developer tools start processes.
//!
//! Clippy bans the types (see `lints`); this is the second look, at the text, for ways around them: other doors to the
//! kernel, and code that Clippy does not see because it is compiled for something else.
//!
//! An integration test starts the product's programs, so it may build a command; it runs it by veil-testkit.

use super::code::{code_only, has_word};
use super::finding::{Finding, Rule};
use super::tree::{Tree, TreeFile};

static SPAWNING: Rule = Rule {
    name: "spawning",
    why: "every child process runs in veil-ffmpeg's sandbox, dies with its parent and is reaped; one that is started \
          elsewhere has none of that (tests start theirs by veil-testkit)",
};

/// Folders whose code may start processes.
const MAY_SPAWN: [&str; 2] = ["studio/veil-ffmpeg/", "dev/"];

/// Calls by which a test would run a command itself; `status()` is left out, for HTTP answers have one too.
const RUNS: [&str; 2] = [".spawn()", ".output()"];

/// Names that lead to a new process by themselves.
const DOORS: [&str; 12] = [
    "posix_spawn",
    "posix_spawnp",
    "fork",
    "vfork",
    "execv",
    "execve",
    "execvp",
    "execvpe",
    "fexecve",
    "execveat",
    "CommandExt",
    "syscall",
];

/// Checks Rust sources of the product, tests included.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let held = |file: &&TreeFile| !MAY_SPAWN.iter().any(|dir| file.path.starts_with(dir));
    tree.rust().filter(held).flat_map(check_file).collect()
}

fn check_file(file: &TreeFile) -> Vec<Finding> {
    let code = code_only(&file.text);
    let mut findings =
        if file.path.contains("/tests/") { runs(file, &code) } else { names(file, &code) };
    for (at, line) in code.lines().enumerate() {
        for door in DOORS.iter().filter(|door| has_word(line, door)) {
            findings.push(SPAWNING.at(&file.path, at + 1, format!("`{door}`")));
        }
    }
    findings
}

fn names(file: &TreeFile, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, path) in code.match_indices("process::") {
        if names_command(&code[at + path.len()..]) {
            let line = code[..at].matches('\n').count() + 1;
            findings.push(SPAWNING.at(&file.path, line, "`process::Command`"));
        }
    }
    findings
}

fn runs(file: &TreeFile, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in code.lines().enumerate() {
        for call in RUNS.iter().filter(|call| line.contains(**call)) {
            let what = format!("`{call}`: run it by `veil_testkit::run` or `Spawned::start`");
            findings.push(SPAWNING.at(&file.path, at + 1, what));
        }
    }
    findings
}

/// Tells whether a path that goes on with `rest` is, or imports, `Command`; `process::*` imports it too.
fn names_command(rest: &str) -> bool {
    let rest = rest.trim_start();
    match rest.strip_prefix('{') {
        Some(group) => {
            let group = group.split_once('}').map_or(group, |(group, _)| group);
            has_word(group, "Command") || group.contains('*')
        }
        None => rest.starts_with('*') || has_word(rest.get(..8).unwrap_or(rest), "Command"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_found;
    use super::*;

    fn check_text(text: &str, parts: &[&str]) {
        assert_found(&check(&Tree::of(&[("apps/veil-cli/src/main.rs", text)])), parts);
        assert_found(&check(&Tree::of(&[("studio/veil-ffmpeg/src/child.rs", text)])), &[]);
        assert_found(&check(&Tree::of(&[("dev/xtask/src/repo.rs", text)])), &[]);
    }

    #[test]
    fn every_way_to_name_the_command_type_is_found() {
        for text in [
            "use std::process::Command;",
            "use std::process::{self, Command};",
            "use std::process::{\n    ExitStatus,\n    Command as Child,\n};",
            "use tokio::process::*;",
            "let a = std::process::Command::new(b);",
            "let a = std::process:: Command::new(b);",
        ] {
            check_text(text, &["main.rs:1: spawning: `process::Command`"]);
        }
    }

    #[test]
    fn a_test_may_build_a_command_and_not_run_it() {
        let path = "apps/veil-cli/tests/cli/house.rs";
        let built = "let mut a = std::process::Command::new(b);\nrun(a.arg(c), LIMIT);";
        assert_found(&check(&Tree::of(&[(path, built)])), &[]);
        let run = "let mut a = Command::new(b)\n    .spawn()\n    .unwrap();";
        assert_found(&check(&Tree::of(&[(path, run)])), &["house.rs:2: spawning: `.spawn()`"]);
    }

    #[test]
    fn other_doors_to_the_kernel_are_found() {
        for door in DOORS {
            let text = format!("fn a() {{\n    unsafe {{ libc::{door}(b) }}\n}}");
            check_text(&text, &[&format!("main.rs:2: spawning: `{door}`")]);
        }
    }

    #[test]
    fn other_commands_are_left_alone() {
        check_text("use clap::Command; use std::process::ExitCode; enum Command { Up }", &[]);
        check_text("// std::process::Command\nlet a = \"fork\"; query.execute(pool);", &[]);
        check_text("use std::process::{self, ExitCode}; process::exit(1)", &[]);
    }
}
