//! The formats are neutral: bytes in, bytes out. No I/O, clock, thread, environment or async in their code.

use super::code::{has_word, product_code_only};
use super::finding::{Finding, Rule};
use super::tree::{Tree, TreeFile};

static NEUTRAL: Rule = Rule {
    name: "neutral formats",
    why: "a format that reads a clock, a file or the environment can't be tested by vectors alone, nor run in a browser, \
          a gateway or a fuzzer; time, randomness and the environment are arguments",
};

/// Paths and calls that reach out of a function's arguments.
const FORBIDDEN: [&str; 16] = [
    "std::fs",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "tokio",
    "async",
    "await",
    "rayon",
];

/// Checks the formats' sources, tests aside.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let held = |file: &&TreeFile| file.path.starts_with("formats/") && file.path.contains("/src/");
    tree.rust().filter(held).flat_map(check_file).collect()
}

fn check_file(file: &TreeFile) -> Vec<Finding> {
    let code = product_code_only(&file.text);
    let mut findings = Vec::new();
    for (at, line) in code.lines().enumerate() {
        for name in FORBIDDEN.iter().filter(|name| has_word(line, name)) {
            findings.push(NEUTRAL.at(&file.path, at + 1, format!("`{name}`")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_found;
    use super::*;

    const PATH: &str = "formats/veil-seal/src/object.rs";

    #[test]
    fn each_way_out_is_found() {
        for name in FORBIDDEN {
            let text = format!("fn a() {{\n    {name}::b();\n}}");
            assert_found(&check(&Tree::of(&[(PATH, &text)])), &["object.rs:2: neutral formats"]);
        }
    }

    #[test]
    fn tests_comments_and_other_zones_may_reach_out() {
        let text = "// std::fs\nfn a() {}\n#[cfg(test)]\nmod tests { use std::fs; }";
        let tree = Tree::of(&[
            (PATH, text),
            ("formats/veil-seal/tests/vectors.rs", "use std::fs;"),
            ("studio/veil-studio/src/lib.rs", "use std::fs;"),
        ]);
        assert_found(&check(&tree), &[]);
    }
}
