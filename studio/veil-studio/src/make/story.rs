//! A story, a template, settings and fields: from all of them one document.
//!
//! Owns: what comes from where, and which wins. Refuses to know: the command line, and who writes the script (a provider's scenes are given).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::document::Production;
use super::error::Fault;
use super::merge::{fill, set};
use super::script::Script;

/// What a story's scenes are worth as a document: its title and its scenes.
///
/// # Errors
/// [`Fault`] for a story in which there is nothing.
pub fn of_script(script: &Script) -> Result<Value, Fault> {
    if script.scenes.is_empty() {
        return Err(Fault::new("", "the story has no text"));
    }
    let scenes: Vec<Value> = script.scenes.iter().map(bare).collect();
    Ok(serde_json::json!({ "title": script.title, "scenes": scenes }))
}

/// A scene without the members that say nothing.
fn bare(scene: &super::document::Scene) -> Value {
    let mut value = serde_json::to_value(scene).unwrap_or_default();
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}

/// Puts a document over a template: its members win; a template has no scenes.
///
/// # Errors
/// [`Fault`] where either is no object, or the template has scenes.
pub fn over(template: Value, document: Value) -> Result<Value, Fault> {
    let (Value::Object(mut below), Value::Object(above)) = (template, document) else {
        return Err(Fault::new("", "a production is a JSON object"));
    };
    if below.contains_key("scenes") {
        return Err(Fault::new("scenes", "a template has none: they come from the story"));
    }
    for (name, value) in above.into_iter().filter(|(_, value)| !value.is_null()) {
        match (below.get_mut("fields"), value) {
            (Some(Value::Object(fields)), Value::Object(own)) if name == "fields" => {
                fields.extend(own);
            }
            (_, value) => drop(below.insert(name, value)),
        }
    }
    Ok(Value::Object(below))
}

/// Has relative names of files begin in `folder`; names that are yet to be filled in stay.
pub fn anchor(document: &mut Value, folder: &Path) {
    match document {
        Value::Array(items) => items.iter_mut().for_each(|item| anchor(item, folder)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(file) if name == "file" && !file.starts_with("{{") => {
                        if let Some(path) = folder.join(&*file).to_str() {
                            *file = path.to_owned();
                        }
                    }
                    other => anchor(other, folder),
                }
            }
        }
        _ => {}
    }
}

/// Puts settings into a document, fills its fields in, and reads it.
///
/// # Errors
/// [`Fault`] with the place.
pub fn read(
    mut document: Value,
    settings: &[(String, String)],
    fields: &BTreeMap<String, String>,
) -> Result<Production, Fault> {
    if !document.is_object() {
        return Err(Fault::new("", "a production is a JSON object"));
    }
    for (name, value) in settings {
        set(&mut document, name, value)?;
    }
    fill(&mut document, fields)?;
    Production::from_json(document)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::script::rules::Rules;
    use super::*;

    #[test]
    fn a_story_over_a_template_with_settings_is_a_production() {
        let template =
            json!({ "fps": 25, "fields": { "who": "x" }, "watermark": { "file": "logo.png" } });
        let mut template = template;
        anchor(&mut template, Path::new("/t"));
        let story = of_script(&Rules::default().split("Title\n\nHello {{who}}. {{day}}")).unwrap();
        let document = over(template, story).unwrap();
        let settings =
            [("format".to_owned(), "16:9".to_owned()), ("who".to_owned(), "Ann".to_owned())];
        let fields = [("day".to_owned(), "Good day.".to_owned())].into();
        let production = read(document, &settings, &fields).unwrap();
        assert_eq!(production.scenes[0].text, "Hello Ann. Good day.");
        assert_eq!((production.fps, production.size()), (25, (1920, 1080)));
        assert_eq!(production.watermark.unwrap().file, "/t/logo.png");
    }

    #[test]
    fn faults_name_their_place() {
        let check = |document: Value, expected: &str| {
            let fault = read(document, &[], &BTreeMap::new()).unwrap_err().to_string();
            assert!(fault.contains(expected), "{fault}");
        };
        let text = |text: &str| json!({ "text": text });
        check(json!({ "scenes": [{ "txt": "a" }] }), "scenes[0].txt: unknown field `txt`");
        check(
            json!({ "scenes": [text("a"), text(&"x".repeat(5001))] }),
            "scenes[1].text: has 5001",
        );
        check(json!({ "scenes": vec![text("a"); 501] }), "scenes: has 501 entries, at most 500");
        check(json!({ "scenes": [text("a")], "height": 4000 }), "height: is 4000");
        check(json!({ "scenes": [text("a")], "height": "x" }), "height: invalid type");
        check(json!({ "scenes": [text("a")], "format": "3:2" }), "format: unknown variant `3:2`");
        check(json!({ "scenes": [text("a")], "fps": 31 }), "fps: is 31");
        check(json!({ "scenes": [text("a")], "version": 2 }), "version: is 2");
        check(json!({ "scenes": [text("a")], "captions": { "color": "red" } }), "captions.color");
        check(json!({ "scenes": [text("a")], "captions": { "font": "a,b" } }), "captions.font");
        check(
            json!({ "scenes": [text("a")], "voice": { "provider": "espeak", "voice": "../x" } }),
            "voice.voice",
        );
        check(json!({ "scenes": [{ "duration": 601 }] }), "scenes[0].duration: is 601");
        check(json!({ "scenes": [] }), "scenes: has none");
        check(json!([]), "a production is a JSON object");
        check(json!({ "scenes": [text("a")], "music": { "file": "" } }), "music.file: is no name");
    }

    #[test]
    fn a_template_with_scenes_and_an_empty_story_are_refused() {
        assert!(over(json!({ "scenes": [] }), json!({})).is_err());
        assert!(over(json!([]), json!({})).is_err());
        assert!(of_script(&Script::default()).is_err());
    }
}
