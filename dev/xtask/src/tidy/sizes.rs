//! Sizes: no file over 1 MiB, no source over 800 lines, none over 400 but those on a list that only shrinks.
//!
//! Functions of Rust are held to 70 lines by Clippy (see `lints`), those of the web by its linter (see `web`).

use std::collections::BTreeMap;

use super::finding::{Finding, Rule};
use super::tree::{FILE_LIMIT_BYTES, Tree, TreeFile};

/// Longest source of all.
const LINES_LIMIT: usize = 800;

/// Longest source that is not on the list.
const LINES_UNLISTED: usize = 400;

/// The list: lines `<path> <lines>`, `#` begins a comment.
const LIST: &str = "dev/xtask/tidy-sizes.txt";

static SOURCE_SIZE: Rule = Rule {
    name: "source size",
    why: "a file is one noun of the field; one that grows past 400 lines has become two, and the list of exceptions may \
          only shrink",
};

static FILE_SIZE: Rule = Rule {
    name: "file size",
    why: "the repository is cloned by everyone for ever; videos and builds belong elsewhere",
};

/// Checks all files and the list.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let (list, mut findings) = read_list(tree);
    for file in &tree.files {
        if file.size_bytes > FILE_LIMIT_BYTES {
            let what = format!("{} bytes, more than 1 MiB", file.size_bytes);
            findings.push(FILE_SIZE.at(&file.path, 1, what));
        }
        findings.extend(check_source(file, list.get(file.path.as_str())));
    }
    let sources: Vec<&str> =
        tree.files.iter().filter(|file| is_source(file)).map(|file| file.path.as_str()).collect();
    for (path, entry) in list.iter().filter(|(path, _)| !sources.contains(path)) {
        findings.push(SOURCE_SIZE.at(LIST, entry.at, format!("{path} is no source file")));
    }
    findings
}

fn check_source(file: &TreeFile, entry: Option<&Entry>) -> Option<Finding> {
    if !is_source(file) {
        return None;
    }
    let lines = file.text.lines().count();
    let found = |what| Some(SOURCE_SIZE.at(&file.path, lines, what));
    match entry {
        _ if lines > LINES_LIMIT => found(format!("{lines} lines, more than {LINES_LIMIT}")),
        None if lines > LINES_UNLISTED => {
            found(format!("{lines} lines, more than {LINES_UNLISTED}, and not in {LIST}"))
        }
        Some(entry) if lines > entry.lines => {
            found(format!("{lines} lines, more than the {} that {LIST} grants", entry.lines))
        }
        Some(entry) if lines <= LINES_UNLISTED || lines < entry.lines => {
            let what = format!("{} has {lines} lines: lower or remove its entry", file.path);
            Some(SOURCE_SIZE.at(LIST, entry.at, what))
        }
        _ => None,
    }
}

fn is_source(file: &TreeFile) -> bool {
    file.is_script() || matches!(file.extension(), "rs" | "svelte" | "css" | "html" | "sql")
}

struct Entry {
    lines: usize,
    at: usize,
}

fn read_list(tree: &Tree) -> (BTreeMap<&str, Entry>, Vec<Finding>) {
    let mut list = BTreeMap::new();
    let mut findings = Vec::new();
    let lines = tree.get(LIST).into_iter().flat_map(TreeFile::lines);
    for (at, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let entry =
            line.split_once(' ').and_then(|(path, lines)| Some((path, lines.parse().ok()?)));
        match entry {
            Some((path, lines)) => drop(list.insert(path, Entry { lines, at })),
            None => findings.push(SOURCE_SIZE.at(LIST, at, "not `<path> <lines>`")),
        }
    }
    (list, findings)
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_found;
    use super::*;

    fn check_with(lines: usize, list: &str, parts: &[&str]) {
        let text = "// x\n".repeat(lines);
        let tree = Tree::of(&[(LIST, list), ("a.rs", &text)]);
        assert_found(&check(&tree), parts);
    }

    #[test]
    fn a_long_source_needs_an_entry_and_a_very_long_one_is_always_found() {
        check_with(400, "", &[]);
        check_with(401, "", &["a.rs:401: source size: 401 lines, more than 400"]);
        check_with(401, "# long\na.rs 401\n", &[]);
        check_with(402, "a.rs 401", &["more than the 401"]);
        check_with(801, "a.rs 801", &["more than 800"]);
    }

    #[test]
    fn the_list_only_shrinks() {
        check_with(450, "a.rs 451", &["tidy-sizes.txt:1: source size: a.rs has 450 lines: lower"]);
        check_with(399, "a.rs 399", &["remove its entry"]);
        check_with(1, "b.rs 500", &["b.rs is no source file"]);
        check_with(1, "a.rs many", &["not `<path> <lines>`"]);
    }

    #[test]
    fn a_large_file_is_found_whatever_it_holds() {
        let mut tree = Tree::of(&[("a.mp4", "")]);
        tree.files[0].size_bytes = FILE_LIMIT_BYTES + 1;
        assert_found(&check(&tree), &["a.mp4:1: file size: 1048577 bytes"]);
    }
}
