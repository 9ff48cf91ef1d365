//! Every source file opens with its module doc.

use super::finding::{Finding, Rule};
use super::tree::{Tree, TreeFile};

static MODULE_DOC: Rule = Rule {
    name: "module doc",
    why: "a reader who opens one file should learn in its first lines what it owns, what it refuses to know and what \
          always holds; without that the map of the repository has holes",
};

/// Checks Rust, TypeScript, JavaScript and Svelte files.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().filter_map(check_file).collect()
}

fn check_file(file: &TreeFile) -> Option<Finding> {
    let openings: &[&str] = match file.extension() {
        "rs" => &["//!"],
        "svelte" => &["<!--"],
        _ if file.is_script() => &["/**", "/*", "//"],
        _ => return None,
    };
    let text = without_shebang(&file.text).trim_start();
    let doc = openings.iter().find_map(|opening| text.strip_prefix(opening));
    let says_something = doc.is_some_and(|doc| says_something(doc.trim_start()));
    let what = format!("does not open with a module doc (`{}`)", openings[0]);
    (!says_something).then(|| MODULE_DOC.at(&file.path, 1, what))
}

/// Fewest letters of a doc's first words: less is a marker without a doc.
const FEWEST_LETTERS: usize = 10;

fn says_something(doc: &str) -> bool {
    let words = doc.lines().take(3).flat_map(str::chars);
    words.filter(|c| c.is_alphabetic()).take(FEWEST_LETTERS).count() == FEWEST_LETTERS
}

fn without_shebang(text: &str) -> &str {
    match text.strip_prefix("#!/") {
        Some(rest) => rest.split_once('\n').map_or("", |(_, rest)| rest),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_found;
    use super::*;

    #[test]
    fn a_file_without_a_doc_is_found_in_every_language() {
        let tree = Tree::of(&[
            ("a.rs", "use std::fs;\n"),
            ("b.rs", "//!\nfn main() {}"),
            ("c.ts", "export const a = 1;\n"),
            ("d.svelte", "<script lang=\"ts\">\n"),
            ("e.mjs", "#!/usr/bin/env node\nconst a = 1;\n"),
        ]);
        assert_found(&check(&tree), &["a.rs:1", "b.rs:1", "c.ts:1", "d.svelte:1", "e.mjs:1"]);
    }

    #[test]
    fn a_doc_is_seen_in_every_language() {
        let tree = Tree::of(&[
            ("a.rs", "//! What this owns, and what not.\n"),
            ("b.ts", "/**\n * What this owns, and what not.\n */\n"),
            ("c.svelte", "<!-- What this owns, and what not. -->\n"),
            ("d.mjs", "#!/usr/bin/env node\n// What this owns, and what not.\n"),
            ("e.css", "a { color: red }"),
        ]);
        assert_found(&check(&tree), &[]);
    }
}
