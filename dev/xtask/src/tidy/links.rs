//! Links between the Markdown pages resolve: the file is there, and the heading in it.

use std::collections::BTreeMap;

use super::finding::{Finding, Rule};
use super::tree::{Tree, TreeFile};

static LINK: Rule = Rule {
    name: "docs link",
    why: "a specification that points at nothing is read as if it said nothing",
};

/// Checks all Markdown files. Links to other sites are not followed: a test must not depend on them.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let pages = || tree.files.iter().filter(|file| file.extension() == "md");
    let headings: BTreeMap<&str, Vec<String>> =
        pages().map(|page| (page.path.as_str(), headings(page))).collect();
    let mut findings = Vec::new();
    for page in pages() {
        for (line, target) in links(page) {
            if let Some(what) = broken(tree, &headings, page, &target) {
                findings.push(LINK.at(&page.path, line, what));
            }
        }
    }
    findings
}

fn broken(
    tree: &Tree,
    headings: &BTreeMap<&str, Vec<String>>,
    page: &TreeFile,
    target: &str,
) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = resolve(&page.path, path) else {
        return Some(format!("`{target}` leads out of the repository"));
    };
    let folder = format!("{path}/");
    if tree.get(&path).is_none() && !tree.files.iter().any(|file| file.path.starts_with(&folder)) {
        return Some(format!("`{target}`: there is no {path}"));
    }
    let known = anchor.is_empty()
        || headings.get(path.as_str()).is_none_or(|known| known.iter().any(|name| name == anchor));
    (!known).then(|| format!("`{target}`: {path} has no heading `#{anchor}`"))
}

/// Resolves a relative link against the page that holds it; `None` when it leaves the root.
fn resolve(page: &str, link: &str) -> Option<String> {
    if link.is_empty() {
        return Some(page.to_owned());
    }
    let mut parts: Vec<&str> =
        if link.starts_with('/') { Vec::new() } else { page.split('/').collect() };
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Returns the targets of inline links and images `[…](…)` and of reference definitions `[…]: …`.
fn links(page: &TreeFile) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in prose(page) {
        for (opening, _) in line.match_indices("](") {
            let rest = &line[opening + 2..];
            let target = rest.split([')', ' ']).next().unwrap_or("");
            found.push((at, target.trim_matches(['<', '>']).to_owned()));
        }
        let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some((_, target)) = definition.filter(|(name, _)| !name.starts_with('^')) {
            found.push((at, target.split(' ').next().unwrap_or("").to_owned()));
        }
    }
    found
}

/// Returns the lines outside fenced code, with inline code blanked.
fn prose(page: &TreeFile) -> impl Iterator<Item = (usize, String)> {
    let mut fenced = false;
    page.lines().filter_map(move |(at, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        (!fenced && !is_fence).then(|| (at, without_code(line)))
    })
}

/// Drops what stands between back-ticks; an odd one stays as it is.
fn without_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    let paired = parts.len() - (parts.len() + 1) % 2;
    let kept = parts.iter().enumerate().filter(|(at, _)| at % 2 == 0 || *at >= paired);
    kept.map(|(_, part)| *part).collect()
}

/// Returns the anchors of a page as GitHub and GitLab make them: lower case, words joined by dashes.
fn headings(page: &TreeFile) -> Vec<String> {
    let mut fenced = false;
    let mut anchors: Vec<String> = Vec::new();
    for (_, line) in page.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        if fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let anchor = anchor_of(title.trim());
        let again = anchors.iter().filter(|known| **known == anchor).count();
        anchors.push(if again == 0 { anchor } else { format!("{anchor}-{again}") });
    }
    anchors
}

fn anchor_of(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_found;
    use super::*;

    fn check_line(line: &str, parts: &[&str]) {
        let other =
            "# Sealed object\n\n## `Range` answers\n```\n# no heading\n```\n## Errors\n## Errors\n";
        let tree = Tree::of(&[("docs/a.md", line), ("docs/b.md", other), ("src/main.rs", "")]);
        assert_found(&check(&tree), parts);
    }

    #[test]
    fn a_link_that_resolves_is_fine() {
        for target in [
            "b.md",
            "./b.md",
            "../docs/b.md",
            "/docs/b.md",
            "b.md#sealed-object",
            "b.md#range-answers",
            "b.md#errors-1",
            "../src",
            "../src/main.rs#L1",
            "https://example.org/x",
            "mailto:a@example.org",
        ] {
            check_line(&format!("see [this]({target}) and [that]({target} \"title\")"), &[]);
        }
        check_line("# Here\nsee [above](#here)", &[]);
    }

    #[test]
    fn a_link_that_points_at_nothing_is_found() {
        check_line(
            "one\nsee [this](c.md)",
            &["docs/a.md:2: docs link: `c.md`: there is no docs/c.md"],
        );
        check_line("see ![this](../b.png)", &["there is no b.png"]);
        check_line("see [this](b.md#error)", &["docs/b.md has no heading `#error`"]);
        check_line("see [this](b.md#no-heading)", &["has no heading"]);
        check_line("see [this](../../b.md)", &["leads out of the repository"]);
        check_line("[this]: c.md", &["there is no docs/c.md"]);
        check_line("see [`code`](c.md)", &["there is no docs/c.md"]);
    }

    #[test]
    fn what_is_code_is_no_link() {
        check_line("`[a](b)` and\n```\n[a](b)\n```\n", &[]);
    }
}
