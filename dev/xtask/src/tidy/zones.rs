//! The zones: apps → zones → formats, and no arrow back up.
//!
//! Every crate of the workspace is in [`CRATES`] and lies in its zone's folder. A name in the table that is no crate is
//! an error: a rule about a crate that was renamed would hold for ever and mean nothing.

use super::finding::{Finding, Rule};
use super::graph::{Crate, Graph};
use super::tree::Tree;

static ZONES: Rule = Rule {
    name: "zones",
    why: "the studio sees plaintext and keys, the gateway neither, and the formats know nothing of both: that is what \
          makes the gateway blind and each zone readable alone (apps -> zones -> formats; developer tools aside)",
};

/// Where this table lies.
const TABLE: &str = "dev/xtask/src/tidy/zones.rs";

/// A top-level folder that is a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    Formats,
    Studio,
    Gateway,
    Apps,
    Dev,
    Fuzz,
}

const CRATES: [(&str, Zone); 14] = [
    ("veil-seal", Zone::Formats),
    ("veil-hls", Zone::Formats),
    ("veil-presign", Zone::Formats),
    ("veil-stego", Zone::Formats),
    ("veil-ffmpeg", Zone::Studio),
    ("veil-studio", Zone::Studio),
    ("veil-studio-api", Zone::Studio),
    ("veil-voice-espeak", Zone::Studio),
    ("veil-page", Zone::Gateway),
    ("veil-gateway", Zone::Gateway),
    ("veil-cli", Zone::Apps),
    ("veil-testkit", Zone::Dev),
    ("xtask", Zone::Dev),
    ("veil-fuzz", Zone::Fuzz),
];

/// What tests of any crate may use besides what the crate itself may.
const TEST_KIT: &str = "veil-testkit";

impl Zone {
    fn dir(self) -> &'static str {
        match self {
            Self::Formats => "formats/",
            Self::Studio => "studio/",
            Self::Gateway => "gateway/",
            Self::Apps => "apps/",
            Self::Dev => "dev/",
            Self::Fuzz => "fuzz/",
        }
    }

    /// Tells whether a crate of this zone may depend on another crate of `to`.
    fn may_reach(self, to: Self) -> bool {
        match self {
            Self::Formats => false,
            Self::Studio => matches!(to, Self::Studio | Self::Formats),
            Self::Gateway => matches!(to, Self::Gateway | Self::Formats),
            Self::Apps => matches!(to, Self::Studio | Self::Gateway | Self::Formats),
            Self::Dev => to == Self::Dev,
            Self::Fuzz => matches!(to, Self::Gateway | Self::Formats),
        }
    }
}

/// Checks the table, the folders and every dependency between crates of the workspace.
pub(super) fn check(graph: &Graph, tree: &Tree) -> Vec<Finding> {
    let mut findings = stale_entries(graph, tree);
    for (_, one) in graph.members() {
        let manifest = manifest_of(one);
        match zone_of(&one.name) {
            None => {
                let what = format!("{} is in no zone: add it to {TABLE}", one.name);
                findings.push(ZONES.at(manifest, 1, what));
            }
            Some(zone) if !manifest.starts_with(zone.dir()) => {
                let what = format!("{} belongs in {} ({zone:?})", one.name, zone.dir());
                findings.push(ZONES.at(manifest, 1, what));
            }
            Some(zone) => findings.extend(edges(graph, tree, one, zone)),
        }
    }
    findings
}

fn stale_entries(graph: &Graph, tree: &Tree) -> Vec<Finding> {
    let stale = CRATES.iter().filter(|(name, _)| graph.member(name).is_none());
    let line = |name: &str| tree.get(TABLE).map_or(1, |file| file.line_of(&format!("(\"{name}\"")));
    stale.map(|(name, _)| ZONES.at(TABLE, line(name), format!("{name} is no crate"))).collect()
}

fn edges(graph: &Graph, tree: &Tree, from: &Crate, zone: Zone) -> Vec<Finding> {
    let mut findings = Vec::new();
    for edge in &from.edges {
        let Some(to) = graph.crates.get(&edge.to).filter(|to| to.dir.is_some()) else { continue };
        let allowed = zone_of(&to.name).is_none_or(|to_zone| zone.may_reach(to_zone))
            || (edge.dev_only && to.name == TEST_KIT);
        if !allowed && to.name != from.name {
            let manifest = manifest_of(from);
            let line = tree.get(&manifest).map_or(1, |file| file.line_of(&to.name));
            let kind = if edge.dev_only { "tests of a crate" } else { "a crate" };
            let what = format!(
                "{} depends on {}: {kind} in {} may not reach {}",
                from.name,
                to.name,
                zone.dir(),
                manifest_of(to)
            );
            findings.push(ZONES.at(manifest, line, what));
        }
    }
    findings
}

fn zone_of(name: &str) -> Option<Zone> {
    CRATES.iter().find(|(known, _)| *known == name).map(|(_, zone)| *zone)
}

fn manifest_of(one: &Crate) -> String {
    format!("{}/Cargo.toml", one.dir.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_found;
    use super::*;

    fn check_graph(graph: &Graph, parts: &[&str]) {
        let manifest = "[dependencies]\naxum.workspace = true\nveil-seal.workspace = true\n";
        let tree = Tree::of(&[
            ("gateway/veil-gateway/Cargo.toml", manifest),
            (TABLE, "const CRATES = [\n    (\"veil-seal\", Zone::Formats),\n"),
        ]);
        assert_found(&check(graph, &tree), parts);
    }

    #[test]
    fn an_arrow_to_another_zone_or_back_up_is_found_at_its_line() {
        let real = Graph::real();
        let found = |from, to, part| check_graph(&real.with_edge(from, to, false), &[part]);
        found(
            "veil-gateway",
            "veil-studio",
            "gateway/veil-gateway/Cargo.toml:1: zones: veil-gateway depends on veil-studio",
        );
        found("veil-studio", "veil-gateway", "veil-studio depends on veil-gateway");
        found("veil-ffmpeg", "veil-cli", "veil-ffmpeg depends on veil-cli");
        found("veil-seal", "veil-presign", "veil-seal depends on veil-presign");
        found("veil-hls", "veil-studio", "veil-hls depends on veil-studio");
        found("veil-cli", "veil-testkit", "veil-cli depends on veil-testkit");
        found("veil-testkit", "veil-seal", "veil-testkit depends on veil-seal");
        found("veil-fuzz", "veil-studio", "veil-fuzz depends on veil-studio");
        found("veil-cli", "veil-fuzz", "veil-cli depends on veil-fuzz");
    }

    #[test]
    fn tests_may_use_the_test_kit_and_nothing_else_beyond_their_zone() {
        let real = Graph::real();
        check_graph(&real.with_edge("veil-hls", "veil-testkit", true), &[]);
        let tests_reach = real.with_edge("veil-gateway", "veil-studio", true);
        check_graph(&tests_reach, &["tests of a crate in gateway/ may not reach studio/"]);
        check_graph(&real.with_edge("veil-hls", "xtask", true), &["veil-hls depends on xtask"]);
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_found() {
        let graph = Graph::real().with_crate("veil-new", Some("studio/veil-new"));
        check_graph(&graph, &["studio/veil-new/Cargo.toml:1: zones: veil-new is in no zone"]);
    }

    #[test]
    fn a_table_entry_that_is_no_crate_is_found_at_its_line() {
        let part = "dev/xtask/src/tidy/zones.rs:2: zones: veil-seal is no crate";
        check_graph(&Graph::real().without("veil-seal"), &[part]);
    }

    #[test]
    fn a_crate_in_the_wrong_folder_is_found() {
        let graph =
            Graph::real().without("veil-seal").with_crate("veil-seal", Some("gateway/veil-seal"));
        check_graph(
            &graph,
            &["gateway/veil-seal/Cargo.toml:1: zones: veil-seal belongs in formats/"],
        );
    }
}
