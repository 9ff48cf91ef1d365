//! The gateway is blind: what is built into it can't open a sealed object.
//!
//! Of our own crates it may contain those of [`GATEWAY_MAY_CONTAIN`] and no other, so that a new crate is outside until
//! someone thinks about it. Of others' crates it may contain none that opens: an AEAD, a block cipher in a mode, a KEM,
//! HPKE, or a toolkit of these.
//!
//! A toolkit under TLS is the considered exception. A gateway that talks to S3 by HTTPS brings rustls, and rustls brings
//! aws-lc-rs or ring, which have AES-GCM inside. Code can name a crate only if its own manifest does, so a toolkit that
//! is reached through rustls alone is out of our code's reach, and its keys are those of a connection. The client of S3
//! (object_store) is another: it signs requests by the toolkit's HMAC, and gives nothing else of it on. Any other
//! way to it, above all a direct one, is a finding. What rustls itself shows of its toolkit ([`SHOWN_BY_TLS`]: HPKE
//! for Encrypted Client Hello, and the ciphers of records) may not be named in the gateway's code.
//!
//! The list can't go stale unseen: whatever `veil-seal` depends on is either on it or known to be harmless
//! ([`HARMLESS_IN_SEAL`]); a dependency that is neither is a finding of its own.

use super::code::{code_only, has_word};
use super::finding::{Finding, Rule};
use super::graph::Graph;
use super::tree::Tree;

static BLIND: Rule = Rule {
    name: "blind gateway",
    why: "whoever takes the gateway over learns names, sizes and times and no frame: that promise rests on the gateway \
          holding no code that could open an object, for then a mistake can't make it hold a key",
};

const GATEWAY: &str = "veil-gateway";
const SEAL: &str = "veil-seal";

/// Crates of ours that are built into the gateway.
const GATEWAY_MAY_CONTAIN: [&str; 3] = ["veil-hls", "veil-page", "veil-presign"];

/// Ciphers, KEMs and HPKE.
const OPENERS: [&str; 47] = [
    // AEADs, and the ciphers and authenticators that they are made of.
    "aead",
    "aegis",
    "aes",
    "aes-gcm",
    "aes-gcm-siv",
    "aes-siv",
    "aes-soft",
    "aesni",
    "ascon-aead",
    "ccm",
    "chacha20poly1305",
    "crypto_secretbox",
    "ctr",
    "deoxys",
    "eax",
    "ghash",
    "mgm",
    "ocb3",
    "poly1305",
    "polyval",
    "salsa20",
    "xsalsa20poly1305",
    // Key encapsulation and agreement.
    "crypto_box",
    "crypto_kx",
    "fips203",
    "kem",
    "libcrux-kem",
    "libcrux-ml-kem",
    "ml-kem",
    "oqs",
    "pqc_kyber",
    "pqcrypto-kyber",
    "pqcrypto-mlkem",
    "x-wing",
    "x25519-dalek",
    // Whole schemes.
    "age",
    "ecies",
    "hpke",
    "hpke-rs",
    "libcrux",
    "libcrux-hpke",
    "orion",
    "rage",
    "rust-hpke",
    "sodiumoxide",
    "dryoc",
    "libsodium-sys",
];

/// Toolkits with an AEAD inside, and the crates that may bring them along: those of TLS, the client of S3, and a toolkit's
/// own parts.
const TOOLKITS: [&str; 8] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "aws-lc-fips-sys",
    "boring",
    "boring-sys",
    "openssl",
    "openssl-sys",
    "ring",
];
const TOOLKIT_BRINGERS: [&str; 7] = [
    "aws-lc-rs",
    "native-tls",
    "object_store",
    "openssl",
    // TLS of HTTP/3, which the lock file has for the sake of a feature that nobody asks for: it isn't built.
    "quinn-proto",
    "rustls",
    "rustls-webpki",
];

/// Names by which rustls lends its toolkit's ciphers.
const SHOWN_BY_TLS: [&str; 7] = [
    "hpke",
    "Hpke",
    "HpkeOpener",
    "MessageDecrypter",
    "Tls12AeadAlgorithm",
    "Tls13AeadAlgorithm",
    "dangerous_extract_secrets",
];

/// The folder whose code may not name them; its tests are clients.
const GATEWAY_CODE: &str = "gateway/veil-gateway/src/";

/// What `veil-seal` may use besides openers.
const HARMLESS_IN_SEAL: [&str; 13] = [
    "argon2",
    "base64",
    "bech32",
    "getrandom",
    "hmac",
    "rand_core",
    "serde",
    "serde_json",
    "sha2",
    "subtle",
    "thiserror",
    "zeroize",
    "jiff",
];

/// Checks what is built into the gateway, and that the list of openers knows what `veil-seal` uses.
pub(super) fn check(graph: &Graph, tree: &Tree) -> Vec<Finding> {
    let mut findings = unclassed(graph, tree);
    findings.extend(shown_by_tls(tree));
    let Some((gateway, _)) = graph.member(GATEWAY) else {
        findings.push(BLIND.at(
            "Cargo.toml",
            1,
            format!("there is no crate {GATEWAY} to hold the rule to"),
        ));
        return findings;
    };
    let led_by = graph.closure(gateway);
    for (id, from) in &led_by {
        let name = graph.name(id);
        let is_ours = graph.crates.get(id).is_some_and(|one| one.dir.is_some());
        let forbidden = (is_ours && !GATEWAY_MAY_CONTAIN.contains(&name))
            || OPENERS.contains(&name)
            || (TOOLKITS.contains(&name) && !only_by_tls(graph, &led_by, gateway, id));
        if forbidden {
            let path = path_to(graph, &led_by, id, from);
            let manifest = "gateway/veil-gateway/Cargo.toml";
            let line = tree.get(manifest).map_or(1, |file| file.line_of(&path[1]));
            findings.push(BLIND.at(manifest, line, path.join(" -> ")));
        }
    }
    findings
}

/// Finds ciphers that are borrowed from TLS.
fn shown_by_tls(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| file.path.starts_with(GATEWAY_CODE)) {
        for (at, line) in code_only(&file.text).lines().enumerate() {
            for name in SHOWN_BY_TLS.iter().filter(|name| has_word(line, name)) {
                findings.push(BLIND.at(&file.path, at + 1, format!("`{name}`, by way of TLS")));
            }
        }
    }
    findings
}

/// Tells whether every crate of the gateway that depends on `toolkit` is one that may bring it.
fn only_by_tls(
    graph: &Graph,
    led_by: &std::collections::BTreeMap<String, String>,
    gateway: &str,
    toolkit: &str,
) -> bool {
    let inside = led_by.keys().map(String::as_str).chain([gateway]);
    let users = inside.filter(|id| {
        let edges = graph.crates.get(*id).into_iter().flat_map(|one| &one.edges);
        edges.into_iter().any(|edge| !edge.dev_only && edge.to == toolkit)
    });
    users.into_iter().all(|id| TOOLKIT_BRINGERS.contains(&graph.name(id)))
}

/// Names the crates from the gateway down to `id`.
fn path_to(
    graph: &Graph,
    led_by: &std::collections::BTreeMap<String, String>,
    id: &str,
    from: &str,
) -> Vec<String> {
    let mut path = vec![graph.name(id).to_owned()];
    let mut at = Some(from);
    while let Some(id) = at {
        path.push(graph.name(id).to_owned());
        at = led_by.get(id).map(String::as_str);
    }
    path.reverse();
    path
}

fn unclassed(graph: &Graph, tree: &Tree) -> Vec<Finding> {
    let manifest = "formats/veil-seal/Cargo.toml";
    let Some((_, seal)) = graph.member(SEAL) else {
        return vec![BLIND.at("Cargo.toml", 1, format!("there is no crate {SEAL} to learn from"))];
    };
    let names = seal.edges.iter().filter(|edge| !edge.dev_only).map(|edge| graph.name(&edge.to));
    let known = |name: &str| {
        [&OPENERS[..], &TOOLKITS, &HARMLESS_IN_SEAL].iter().any(|list| list.contains(&name))
    };
    names
        .filter(|name| !known(name))
        .map(|name| {
            let line = tree.get(manifest).map_or(1, |file| file.line_of(name));
            let what =
                format!("can {name} open something? class it in dev/xtask/src/tidy/blind.rs");
            BLIND.at(manifest, line, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_found;
    use super::*;

    fn check_graph(graph: &Graph, parts: &[&str]) {
        let manifest = "[dependencies]\naxum.workspace = true\naes-gcm.workspace = true\n";
        let tree = Tree::of(&[("gateway/veil-gateway/Cargo.toml", manifest)]);
        assert_found(&check(graph, &tree), parts);
    }

    #[test]
    fn the_gateway_of_this_repository_is_blind() {
        check_graph(&Graph::real(), &[]);
    }

    #[test]
    fn a_gateway_with_veil_seal_is_not() {
        let graph = Graph::real().with_edge("veil-gateway", "veil-seal", false);
        let findings = check(&graph, &Tree::of(&[]));
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        for path in [
            "veil-gateway -> veil-seal",
            "veil-gateway -> veil-seal -> aes-gcm",
            "veil-gateway -> veil-seal -> aws-lc-rs",
            "veil-gateway -> veil-seal -> hpke",
            "veil-gateway -> veil-seal -> x-wing",
        ] {
            assert!(lines.iter().any(|line| line.ends_with(path)), "{path} is not in {lines:#?}");
        }
    }

    #[test]
    fn an_opener_is_found_at_the_line_that_brings_it_and_by_any_detour() {
        let real = Graph::real();
        let direct = real.with_edge("veil-gateway", "x-wing", false);
        assert!(!check(&direct, &Tree::of(&[])).is_empty());
        let detour = real.with_crate("ocb3", None).with_edge("axum", "ocb3", false);
        check_graph(&detour, &["Cargo.toml:2: blind gateway: veil-gateway -> axum -> ocb3"]);
    }

    #[test]
    fn a_new_crate_of_ours_is_outside_the_gateway_until_it_is_named() {
        let graph = Graph::real().with_crate("veil-new", Some("formats/veil-new"));
        check_graph(&graph.with_edge("veil-hls", "veil-new", false), &["veil-hls -> veil-new"]);
    }

    #[test]
    fn tests_of_the_gateway_may_use_an_oracle() {
        check_graph(&Graph::real().with_edge("veil-gateway", "aes-gcm", true), &[]);
    }

    #[test]
    fn a_toolkit_under_tls_is_fine_and_a_direct_one_is_not() {
        let bare = Graph::real().with_crate("rustls", None).with_crate("ring", None);
        let tls =
            bare.with_edge("veil-gateway", "rustls", false).with_edge("rustls", "ring", false);
        check_graph(&tls, &[]);
        let both = tls.with_edge("veil-gateway", "ring", false);
        check_graph(&both, &["-> ring"]);
        check_graph(&tls.with_edge("veil-presign", "ring", false), &["-> ring"]);
    }

    #[test]
    fn a_cipher_that_is_borrowed_from_tls_is_found_in_code_and_not_in_words() {
        let tree = Tree::of(&[
            ("gateway/veil-gateway/src/a.rs", "// hpke\nuse rustls::crypto::aws_lc_rs::hpke;\n"),
            ("gateway/veil-gateway/tests/a.rs", "use rustls::crypto::aws_lc_rs::hpke;\n"),
            ("formats/veil-seal/src/a.rs", "use hpke::Kem;\n"),
        ]);
        let part = "gateway/veil-gateway/src/a.rs:2: blind gateway: `hpke`, by way of TLS";
        assert_found(&check(&Graph::real(), &tree), &[part]);
    }

    #[test]
    fn a_new_dependency_of_veil_seal_wants_a_thought() {
        let graph = Graph::real().with_crate("new-cipher", None);
        let part = "formats/veil-seal/Cargo.toml:1: blind gateway: can new-cipher open something?";
        check_graph(&graph.with_edge("veil-seal", "new-cipher", false), &[part]);
    }

    #[test]
    fn a_renamed_gateway_is_found() {
        check_graph(&Graph::real().without("veil-gateway"), &["there is no crate veil-gateway"]);
    }
}
