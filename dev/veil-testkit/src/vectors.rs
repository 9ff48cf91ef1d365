//! Published test vectors: `vectors/*.json`, each what it is about and its cases.

use serde_json::{Value, json};

use crate::place::workspace_root;

/// Loads the cases of `vectors/<name>.json`.
///
/// # Panics
///
/// When there are none.
#[must_use]
#[expect(clippy::panic, reason = "a test without its vectors has failed")]
pub fn vectors(name: &str) -> Vec<Value> {
    let path = workspace_root().join(format!("vectors/{name}.json"));
    let text = std::fs::read_to_string(&path);
    let file = text.ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let cases = file.and_then(|file| file["cases"].as_array().cloned());
    let cases = cases.unwrap_or_else(|| panic!("{}: no vectors", path.display()));
    assert!(!cases.is_empty(), "{}: no case", path.display());
    cases
}

/// Loads the cases of `vectors/<name>.json`, after writing them anew with `make` where `VEILCAST_WRITE_VECTORS` asks for it.
///
/// # Panics
///
/// When there are none, or they can't be written.
#[must_use]
#[expect(clippy::panic, reason = "a test without its vectors has failed")]
pub fn vectors_of(name: &str, about: &str, make: impl FnOnce() -> Vec<Value>) -> Vec<Value> {
    if std::env::var_os("VEILCAST_WRITE_VECTORS").is_some() {
        let path = workspace_root().join(format!("vectors/{name}.json"));
        let text = format!("{:#}\n", json!({ "about": about, "cases": make() }));
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    vectors(name)
}
