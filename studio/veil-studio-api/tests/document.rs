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
