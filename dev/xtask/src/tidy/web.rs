//! The web's linter holds functions to the length that Clippy holds them to in Rust.

use serde_json::Value;

use super::finding::{Finding, Rule};
use super::tree::Tree;

static WEB_LINTS: Rule = Rule {
    name: "web lints",
    why: "a function that is too long is too long in every language; the linter of `npm run check` counts, this rule sees \
          to it that it does",
};

/// The linter's configuration.
const CONFIGURATION: &str = ".oxlintrc.json";

/// Longest function, in lines, as in `clippy.toml`.
const FUNCTION_LIMIT: u64 = 70;

/// Checks that the linter's configuration has the rule, where there is a web part at all.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    if tree.get("package.json").is_none() {
        return Vec::new();
    }
    let Some(file) = tree.get(CONFIGURATION) else {
        return vec![WEB_LINTS.at(CONFIGURATION, 1, "is missing")];
    };
    let line = file.line_of("max-lines-per-function");
    let said = |what: &str| vec![WEB_LINTS.at(CONFIGURATION, line, what)];
    let Ok(configuration) = serde_json::from_str::<Value>(&file.text) else {
        return said("is no JSON");
    };
    match limit(&configuration) {
        Some(limit) if limit <= FUNCTION_LIMIT => Vec::new(),
        Some(limit) => {
            said(&format!("functions may have {limit} lines, more than {FUNCTION_LIMIT}"))
        }
        None => said("does not make `max-lines-per-function` an error with a `max`"),
    }
}

fn limit(configuration: &Value) -> Option<u64> {
    let rules = configuration["rules"].as_object()?;
    let named = |name: &str| name.rsplit('/').next() == Some("max-lines-per-function");
    let rule = rules.iter().find(|(name, _)| named(name))?.1;
    let severity = rule.get(0)?;
    let denies = severity == "error" || severity == "deny" || *severity == 2;
    let setting = rule.get(1)?;
    setting["max"].as_u64().or_else(|| setting.as_u64()).filter(|_| denies)
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_found;
    use super::*;

    fn check_rule(rule: &str, parts: &[&str]) {
        let text = format!("{{\"rules\": {{\n{rule}\n}}}}");
        let tree = Tree::of(&[("package.json", "{}"), (CONFIGURATION, &text)]);
        assert_found(&check(&tree), parts);
    }

    #[test]
    fn a_limit_as_in_rust_is_fine_and_none_is_found() {
        check_rule(r#""max-lines-per-function": ["error", {"max": 70}]"#, &[]);
        check_rule(r#""eslint/max-lines-per-function": ["error", 60]"#, &[]);
        check_rule(
            r#""max-lines-per-function": ["error", {"max": 90}]"#,
            &["rc.json:2: web lints"],
        );
        check_rule(r#""max-lines-per-function": ["warn", {"max": 70}]"#, &["an error"]);
        check_rule("", &["an error with a `max`"]);
        check_rule(",", &["is no JSON"]);
    }

    #[test]
    fn a_web_part_without_its_linter_is_found() {
        assert_found(&check(&Tree::of(&[("package.json", "{}")])), &["is missing"]);
    }
}
