//! Documents that come by HTTP: their files are media of the library, named `media:<id>`, and no paths.
//!
//! Owns: that a document that came from a page or a program reaches no file of this machine but the library's. Refuses to know: what is made of it.

use std::collections::BTreeMap;

use serde_json::Value;
use veil_studio::Studio;
use veil_studio::make::story;

use crate::problem::Problem;

/// How documents name media.
const SCHEME: &str = "media:";

/// The document with its fields filled in and the files of its media in the place of their names.
pub(crate) async fn of_files(studio: &Studio, document: Value) -> Result<Value, Problem> {
    // Fields first: a name may come out of one.
    let production = story::read(document, &[], &BTreeMap::new())?;
    let mut document = serde_json::to_value(production).map_err(|_| Problem::internal())?;
    let mut names = Vec::new();
    collect(&mut document, &mut |name| names.push(name.clone()));
    let mut files = BTreeMap::new();
    for name in names {
        let foreign =
            || Problem::unprocessable().detail(format!("{name:?} is no medium: write media:<id>"));
        let id = name.strip_prefix(SCHEME).ok_or_else(foreign)?;
        let medium = studio.catalogue().find_medium(id).await?;
        let path = studio.medium_path(&medium);
        let path = path.to_str().ok_or(Problem::internal())?.to_owned();
        files.insert(name, path);
    }
    collect(&mut document, &mut |name| {
        if let Some(path) = files.get(name) {
            name.clone_from(path);
        }
    });
    Ok(document)
}

/// Every name of a file in a document: a member `file` that is a text.
fn collect(document: &mut Value, each: &mut impl FnMut(&mut String)) {
    match document {
        Value::Array(items) => items.iter_mut().for_each(|item| collect(item, each)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(file) if name == "file" => each(file),
                    other => collect(other, each),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_document_from_elsewhere_names_no_file_of_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let studio = Studio::open(folder.path()).await.unwrap();
        let check = async |document: Value| {
            of_files(&studio, document).await.map_err(|problem| problem.body().status)
        };
        let image = |file: &str| json!({ "kind": "image", "file": file });
        let scene =
            |background: Value| json!({ "scenes": [{ "text": "a", "background": background }] });
        assert!(check(json!({ "scenes": [{ "text": "a" }] })).await.is_ok());
        for file in ["/etc/passwd", "../x", "x.png", "media"] {
            assert_eq!(check(scene(image(file))).await, Err(422), "{file}");
        }
        // By a field, and where there is no such medium.
        let mut by_field = scene(image("{{bg}}"));
        by_field["fields"] = json!({ "bg": "/etc/passwd" });
        assert_eq!(check(by_field).await, Err(422));
        assert_eq!(check(scene(image("media:none"))).await, Err(404));
        assert_eq!(
            check(json!({ "music": { "file": "/a" }, "scenes": [{ "text": "a" }] })).await,
            Err(422)
        );
        assert_eq!(
            check(json!({ "watermark": { "file": "/a" }, "scenes": [{ "text": "a" }] })).await,
            Err(422)
        );
        studio.close().await;
    }
}
