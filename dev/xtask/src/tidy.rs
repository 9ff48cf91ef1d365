//! `cargo xtask tidy`: the rules of this repository that no compiler checks.
//!
//! A rule is a pure function from the [`Tree`] of files or the [`Graph`] of crates to [`Finding`]s; only this file and
//! the two readers touch the disk. Each rule's tests break it on purpose and see the finding.

use std::time::Instant;

use self::finding::{Finding, Rule};
use self::graph::Graph;
use self::tree::Tree;
use crate::console::{duration, heading, note};
use crate::failure::{Outcome, fail};
use crate::repo::Repo;

mod blind;
mod code;
mod docs;
mod finding;
mod graph;
mod links;
mod lints;
mod neutral;
mod sizes;
mod spawning;
mod tree;
mod web;
mod words;
mod zones;

/// Checks everything and prints what it finds.
pub(crate) fn run(repo: &Repo) -> Outcome {
    let start = Instant::now();
    heading("tidy");
    let tree = Tree::read(repo)?;
    let findings = check(&tree, &Graph::read(repo)?);
    if findings.is_empty() {
        note(format_args!("{} files are tidy ({})", tree.files.len(), duration(start.elapsed())));
        return Ok(());
    }
    show(&findings);
    Err(fail(format!("tidy: {} findings", findings.len())))
}

fn check(tree: &Tree, graph: &Graph) -> Vec<Finding> {
    let on_tree: [fn(&Tree) -> Vec<Finding>; 8] = [
        docs::check,
        links::check,
        lints::check,
        neutral::check,
        sizes::check,
        spawning::check,
        web::check,
        words::check,
    ];
    let mut findings: Vec<Finding> = on_tree.iter().flat_map(|rule| rule(tree)).collect();
    findings.extend(zones::check(graph, tree));
    findings.extend(blind::check(graph, tree));
    findings
}

/// Prints the findings of each rule together, and after them why the rule exists.
fn show(findings: &[Finding]) {
    let mut rules: Vec<&Rule> = findings.iter().map(|finding| finding.rule).collect();
    rules.sort_by_key(|rule| rule.name);
    rules.dedup_by_key(|rule| rule.name);
    for rule in rules {
        for finding in findings.iter().filter(|finding| finding.rule.name == rule.name) {
            println!("{finding}");
        }
        println!("   why: {}\n", rule.why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        let repo = Repo::here();
        let findings = check(&Tree::read(&repo).unwrap(), &Graph::read(&repo).unwrap());
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}
