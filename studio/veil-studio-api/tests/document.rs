//! The published document of the interface is made of its code.

use std::fs;
use std::path::Path;

/// `VEILCAST_WRITE_API=1` writes it anew: on purpose, and the page's client after it.
#[test]
fn the_published_document_is_that_of_these_routes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/format/studio-api.json");
    let text = serde_json::to_string_pretty(&veil_studio_api::openapi()).unwrap() + "\n";
    if std::env::var_os("VEILCAST_WRITE_API").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), text, "set VEILCAST_WRITE_API=1 to write it");
}

#[test]
fn each_operation_has_a_name_of_its_own() {
    let document = serde_json::to_value(veil_studio_api::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
    let mut names: Vec<&str> =
        operations.filter_map(|operation| operation["operationId"].as_str()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert!(count > 40 && names.len() == count, "{names:?}");
}
