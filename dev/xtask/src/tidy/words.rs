//! Words that mean "not finished": they may not enter the repository.

use super::code::code_only;
use super::finding::{Finding, Rule};
use super::tree::{Tree, TreeFile};

static UNFINISHED: Rule = Rule {
    name: "unfinished",
    why: "what is not done is an issue and not a note in the code; a skipped test is a test that does not exist",
};

/// Marks in any text, comments included. (Written in two halves, so as not to be found here.)
const MARKS: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("HA", "CK")];

/// Marks in Rust code.
const RUST: [&str; 3] = ["todo!", "unimplemented!", "#[ignore"];

/// Marks in the code of tests for the web.
const SCRIPT: [&str; 7] =
    [".skip(", ".only(", ".todo(", ".fixme(", ".skipIf(", "xit(", "xdescribe("];

/// Checks all text files but lock files, which are not ours.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let ours =
        |file: &&TreeFile| !file.path.ends_with(".lock") && !file.path.ends_with("-lock.json");
    tree.files.iter().filter(ours).flat_map(check_file).collect()
}

fn check_file(file: &TreeFile) -> Vec<Finding> {
    let mut findings = search(file, &file.text, &MARKS);
    if file.extension() == "rs" {
        findings.extend(search(file, &code_only(&file.text), &RUST));
    } else if file.is_script() {
        findings.extend(search(file, &file.text, &SCRIPT));
    }
    findings
}

fn search(file: &TreeFile, text: &str, marks: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for mark in marks.iter().filter(|mark| has_mark(line, mark)) {
            findings.push(UNFINISHED.at(&file.path, at + 1, format!("`{mark}`")));
        }
    }
    findings
}

/// A mark counts where no letter touches it: `mkdtempXXXXXX` and `process.exit(` are none.
fn has_mark(line: &str, mark: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let joins_before = |before: &str| mark.starts_with(is_part) && before.ends_with(is_part);
    let joins_after = |after: &str| mark.ends_with(is_part) && after.starts_with(is_part);
    line.match_indices(mark).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + mark.len()..]);
        !joins_before(before) && !joins_after(after)
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_found;
    use super::*;

    #[test]
    fn every_mark_is_found_at_its_line() {
        for mark in MARKS {
            let text = format!("fine\n# {mark}: later\n");
            assert_found(&check(&Tree::of(&[("a.md", &text)])), &["a.md:2: unfinished"]);
        }
        for mark in RUST {
            let text = format!("fn a() {{\n    {mark}(\"later\")]\n}}");
            assert_found(&check(&Tree::of(&[("a.rs", &text)])), &["a.rs:2: unfinished"]);
        }
        for mark in SCRIPT {
            let text = format!("test{mark}'plays', () => {{}});\n");
            let text = if mark.starts_with('x') { text.replacen("test", "", 1) } else { text };
            assert_found(&check(&Tree::of(&[("a.test.ts", &text)])), &["a.test.ts:1: unfinished"]);
        }
    }

    #[test]
    fn what_only_looks_like_a_mark_is_left_alone() {
        let tree = Tree::of(&[
            ("a.rs", "// todo! in a comment\nlet a = b.skip(1); let c = \"unimplemented!\";"),
            ("b.ts", "process.exit(1); await page.submit('x'); mkdtemp('XXXXXX')"),
            ("Cargo.lock", concat!("# TO", "DO")),
        ]);
        assert_found(&check(&tree), &[]);
    }
}
