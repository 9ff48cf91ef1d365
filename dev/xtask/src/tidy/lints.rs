//! The bans that Clippy holds are in force everywhere: no crate opts out, no file loosens them unseen.
//!
//! Clippy takes the nearest `clippy.toml` upward and does not merge, so a new one below the root lifts every ban there.

use super::code::code_only;
use super::finding::{Finding, Rule};
use super::tree::{Tree, TreeFile};

static LINTS: Rule = Rule {
    name: "lints",
    why: "clippy takes the nearest clippy.toml and does not merge it with the one above, and a crate without \
          `[lints] workspace = true` has no lints at all: either would lift the ban on processes without a trace",
};

/// The only Clippy configurations, and lines that each must have.
const CONFIGURATIONS: [(&str, &[&str]); 3] = [
    (
        "clippy.toml",
        &[FUNCTION_LIMIT, "path=\"std::process::Command\"", "path=\"tokio::process::Command\""],
    ),
    ("dev/clippy.toml", &[FUNCTION_LIMIT]),
    ("studio/veil-ffmpeg/clippy.toml", &[FUNCTION_LIMIT]),
];

/// The lint that bans the types that start processes.
const TYPES: &str = "clippy::disallowed_types";

/// The lint that bans unsafe code. It can't be `forbid`, which no file could lift.
const UNSAFE: &str = "unsafe_code";

/// The only files with unsafe code, each for a processor's vectors or for the one C library that is called: its module doc says why it has any
/// and what checks it.
const MAY_BE_UNSAFE: [&str; 4] = [
    "formats/veil-presign/src/lanes/x86.rs",
    "formats/veil-stego/src/cost/x86.rs",
    "formats/veil-stego/src/trellis/x86.rs",
    "studio/veil-voice-espeak/src/library.rs",
];

const FUNCTION_LIMIT: &str = "too-many-lines-threshold=70";

/// Lines of the root manifest that make the bans errors.
const DENIED: [&str; 4] = [
    "disallowed_types=\"deny\"",
    "disallowed_methods=\"deny\"",
    "too_many_lines=\"deny\"",
    "unsafe_code=\"deny\"",
];

/// Checks Clippy's configurations, all manifests, and attributes that switch a ban off.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = configurations(tree);
    findings.extend(root_manifest(tree));
    for file in &tree.files {
        if file.path.ends_with("/Cargo.toml") && !inherits(file) {
            findings.push(LINTS.at(&file.path, 1, "no `[lints]` with `workspace = true`"));
        }
    }
    findings.extend(tree.rust().flat_map(switched_off));
    findings
}

fn configurations(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, lines) in CONFIGURATIONS {
        let text = tree.get(path).map(settings).unwrap_or_default();
        for line in lines.iter().filter(|line| !says(&text, line)) {
            findings.push(LINTS.at(path, 1, format!("does not say `{line}`")));
        }
    }
    let known = |path: &str| CONFIGURATIONS.iter().any(|(known, _)| *known == path);
    let stray = tree.files.iter().filter(|file| is_configuration(&file.path) && !known(&file.path));
    findings.extend(stray.map(|file| LINTS.at(&file.path, 1, "a further Clippy configuration")));
    findings
}

fn is_configuration(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "clippy.toml" || name == ".clippy.toml"
}

fn root_manifest(tree: &Tree) -> Vec<Finding> {
    let text = tree.get("Cargo.toml").map(settings).unwrap_or_default();
    let lacking = DENIED.iter().filter(|line| !says(&text, line));
    lacking.map(|line| LINTS.at("Cargo.toml", 1, format!("does not say `{line}`"))).collect()
}

/// Returns a TOML file's settings without spaces and without comments.
fn settings(file: &TreeFile) -> String {
    let lines = file.text.lines().map(|line| line.split('#').next().unwrap_or(""));
    lines.map(|line| line.split_whitespace().collect::<String>() + "\n").collect()
}

/// A setting is a line of its own, or the first of an inline table.
fn says(settings: &str, wanted: &str) -> bool {
    let entry = format!("{{{wanted}");
    settings.lines().any(|line| line == wanted || line.starts_with(&entry))
}

fn inherits(manifest: &TreeFile) -> bool {
    settings(manifest).contains("[lints]\nworkspace=true\n")
}

/// Finds `allow` and `expect` of a ban. Integration tests may name the banned types; `spawning` sees to what they do.
fn switched_off(file: &TreeFile) -> Vec<Finding> {
    let code = code_only(&file.text);
    let is_test = file.path.contains("/tests/");
    let mut findings = Vec::new();
    for (at, line) in code.lines().enumerate() {
        for lint in [TYPES, "clippy::disallowed_methods", "clippy::too_many_lines", UNSAFE] {
            let may = line.contains("forbid(")
                || (is_test && lint == TYPES)
                || (lint == UNSAFE && MAY_BE_UNSAFE.contains(&file.path.as_str()));
            if line.contains(lint) && !may {
                findings.push(LINTS.at(&file.path, at + 1, format!("switches `{lint}`")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_found;
    use super::*;

    const ROOT: &str = "too-many-lines-threshold = 70\ndisallowed-types = [\n\
        { path = \"std::process::Command\", reason = \"x\" },\n\
        { path = \"tokio::process::Command\" },\n]\n";
    const ZONE: &str = "too-many-lines-threshold = 70\n";
    const MANIFEST: &str = "[workspace.lints.clippy]\nunsafe_code = \"deny\"\ntoo_many_lines = \"deny\"\n\
        disallowed_types = \"deny\"\ndisallowed_methods = \"deny\"\n";

    fn check_with(extra: (&str, &str), parts: &[&str]) {
        let mut files = vec![
            ("clippy.toml", ROOT),
            ("dev/clippy.toml", ZONE),
            ("studio/veil-ffmpeg/clippy.toml", ZONE),
            ("Cargo.toml", MANIFEST),
        ];
        files.retain(|(path, _)| *path != extra.0);
        files.push(extra);
        assert_found(&check(&Tree::of(&files)), parts);
    }

    #[test]
    fn the_bans_as_they_should_be_are_fine() {
        check_with(("a/Cargo.toml", "[lints]\nworkspace = true\n"), &[]);
    }

    #[test]
    fn a_ban_that_is_lifted_is_found() {
        let without_tokio = ROOT.replace("{ path = \"tokio", "# { path = \"tokio");
        check_with(
            ("clippy.toml", &without_tokio),
            &["clippy.toml:1: lints: does not say `path=\"tokio"],
        );
        check_with(("dev/clippy.toml", "too-many-lines-threshold = 700"), &["does not say"]);
        check_with(("studio/clippy.toml", ZONE), &["studio/clippy.toml:1: lints: a further"]);
        check_with(("apps/.clippy.toml", ZONE), &["apps/.clippy.toml:1: lints: a further"]);
        let warned = MANIFEST.replace("disallowed_types = \"deny\"", "disallowed_types = \"warn\"");
        check_with(("Cargo.toml", &warned), &["does not say `disallowed_types"]);
    }

    #[test]
    fn a_crate_that_opts_out_is_found() {
        check_with(("a/Cargo.toml", "[package]\n"), &["a/Cargo.toml:1: lints: no `[lints]`"]);
        let own = "[lints]\n# workspace = true\n";
        check_with(("a/Cargo.toml", own), &["a/Cargo.toml:1: lints: no `[lints]`"]);
    }

    #[test]
    fn an_attribute_that_switches_a_ban_off_is_found() {
        let allow = "fn a() {}\n#[allow(clippy::disallowed_types, reason = \"b\")]\nfn c() {}";
        check_with(("a.rs", allow), &["a.rs:2: lints: switches `clippy::disallowed_types`"]);
        check_with(("a.rs", "// clippy::disallowed_types"), &[]);
        check_with(("a/tests/b.rs", allow), &[]);
        let long = allow.replace("disallowed_types", "too_many_lines");
        check_with(("a/tests/b.rs", &long), &["b.rs:2: lints: switches `clippy::too_many_lines`"]);
        let raw = "#![allow(unsafe_code, reason = \"b\")]";
        check_with(("a/src/b.rs", raw), &["b.rs:1: lints: switches `unsafe_code`"]);
        for path in MAY_BE_UNSAFE {
            check_with((path, raw), &[]);
        }
        check_with(("a/src/b.rs", "#![forbid(unsafe_code)]"), &[]);
    }
}
