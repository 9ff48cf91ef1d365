//! Documents before they are read: settings put into them, and fields filled in.
//!
//! Owns: `{{name}}` in texts, and `a.b.0.c=value`. Refuses to know: what a production means.
//!
//! Invariant: what is filled in is text and stays text; it never becomes structure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::Fault;

/// The deepest place that a setting names.
const DEPTH_MAX: usize = 8;

/// The members of a document; a setting that begins with another name is a field.
const MEMBERS: [&str; 16] = [
    "version",
    "title",
    "format",
    "height",
    "fps",
    "voice",
    "voice_volume",
    "captions",
    "backgrounds",
    "transition",
    "transition_seconds",
    "music",
    "intro",
    "outro",
    "watermark",
    "scenes",
];

/// Members that are text, also where the text looks like a number.
const TEXTS: [&str; 7] = ["title", "heading", "text", "file", "model", "font", "format"];

/// Puts `name=value` into a document: a member, by its path (`captions.style`, `scenes.0.text`), or else a field.
///
/// # Errors
/// [`Fault`] for a path that leads nowhere.
pub fn set(document: &mut Value, name: &str, value: &str) -> Result<(), Fault> {
    let path: Vec<&str> = name.split('.').collect();
    if path.len() > DEPTH_MAX || path.iter().any(|part| part.is_empty()) {
        return Err(Fault::new(name, "is no name of a setting"));
    }
    let is_field = !MEMBERS.contains(path.first().unwrap_or(&""));
    if is_field && path.len() > 1 && path.first() != Some(&"fields") {
        return Err(Fault::new(name, "the document has no such member"));
    }
    let path = if is_field && path.len() == 1 { vec!["fields", name] } else { path };
    let text =
        path.first() == Some(&"fields") || path.last().is_some_and(|last| TEXTS.contains(last));
    let mut place = &mut *document;
    for part in &path {
        place = match (part.parse::<usize>(), place) {
            (Ok(at), Value::Array(items)) => {
                items.get_mut(at).ok_or_else(|| Fault::new(name, "there are not so many"))?
            }
            (_, Value::Object(members)) => members.entry(*part).or_insert(Value::Null),
            (_, place @ Value::Null) => {
                *place = Value::Object(serde_json::Map::new());
                match place {
                    Value::Object(members) => members.entry(*part).or_insert(Value::Null),
                    other => other,
                }
            }
            _ => return Err(Fault::new(name, "leads into something that has no members")),
        };
    }
    *place = if text { Value::String(value.to_owned()) } else { plain(value) };
    // A voice of which nothing else is said is the usual one's.
    if let Some(Value::Object(voice)) = document.get_mut("voice") {
        voice.entry("provider").or_insert_with(|| "espeak".into());
    }
    Ok(())
}

/// A number, a truth value or nothing as JSON has them, and otherwise text.
fn plain(value: &str) -> Value {
    match serde_json::from_str(value) {
        Ok(found @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => found,
        _ => Value::String(value.to_owned()),
    }
}

/// Replaces every `{{name}}` in the texts of a document by its field, or else by what the document's own `fields` say.
///
/// # Errors
/// [`Fault`] for a name that has no value.
pub fn fill(document: &mut Value, fields: &BTreeMap<String, String>) -> Result<(), Fault> {
    let mut all = BTreeMap::new();
    if let Some(Value::Object(own)) = document.get("fields") {
        let texts = own.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        all.extend(texts.map(|(name, value)| (name.clone(), value.to_owned())));
    }
    all.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
    let Value::Object(members) = document else { return Ok(()) };
    for (name, value) in members.iter_mut().filter(|(name, _)| *name != "fields") {
        fill_in(value, &all, name)?;
    }
    Ok(())
}

fn fill_in(value: &mut Value, fields: &BTreeMap<String, String>, path: &str) -> Result<(), Fault> {
    match value {
        Value::String(text) => *text = filled(text, fields, path)?,
        Value::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                fill_in(item, fields, &format!("{path}[{at}]"))?;
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                fill_in(member, fields, &format!("{path}.{name}"))?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// What is filled in is not looked at again: a value that holds `{{x}}` stays as it is.
fn filled(text: &str, fields: &BTreeMap<String, String>, path: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let inside = after.split_once("}}").map(|(name, rest)| (name.trim(), rest));
        match inside.filter(|(name, _)| is_name(name)) {
            None => {
                out.push_str("{{");
                rest = after;
            }
            Some((name, after)) => {
                let value = fields
                    .get(name)
                    .ok_or_else(|| Fault::new(path, format!("the field {name:?} has no value")))?;
                out.push_str(value);
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn is_name(name: &str) -> bool {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    !name.is_empty() && name.len() <= 64 && name.chars().all(fine)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_filled_in_once_and_only_by_values_that_there_are() {
        let mut document = json!({ "title": "{{ who }}", "scenes": [{ "text": "{{who}} {{day}} {{" }], "fields": { "who": "you", "day": "{{who}}" } });
        fill(&mut document, &[("who".to_owned(), "Ann".to_owned())].into()).unwrap();
        assert_eq!(document["title"], "Ann");
        assert_eq!(document["scenes"][0]["text"], "Ann {{who}} {{");
        let mut document = json!({ "scenes": [{ "text": "{{nobody}}" }] });
        let fault = fill(&mut document, &BTreeMap::new()).unwrap_err().to_string();
        assert_eq!(fault, "scenes[0].text: the field \"nobody\" has no value");
    }

    #[test]
    fn every_member_of_a_document_can_be_set() {
        let schema = crate::make::document::schema();
        let members = schema["properties"].as_object().unwrap().keys();
        let mut settable = MEMBERS.map(str::to_owned).to_vec();
        settable.push("fields".to_owned());
        settable.sort();
        assert_eq!(members.cloned().collect::<Vec<_>>(), settable);
    }

    #[test]
    fn settings_reach_members_and_everything_else_is_a_field() {
        let mut document = json!({ "scenes": [{ "text": "a" }] });
        for (name, value) in [
            ("format", "16:9"),
            ("height", "320"),
            ("captions.style", "pop"),
            ("scenes.0.text", "12"),
            ("who", "7"),
            ("voice.voice", "de"),
        ] {
            set(&mut document, name, value).unwrap();
        }
        let expected = json!({ "scenes": [{ "text": "12" }], "format": "16:9", "height": 320,
            "captions": { "style": "pop" }, "fields": { "who": "7" },
            "voice": { "provider": "espeak", "voice": "de" } });
        assert_eq!(document, expected);
        for wrong in ["", "a..b", "a.b", "scenes.9.text", "format.x", "a.b.c.d.e.f.g.h.i"] {
            assert!(set(&mut document, wrong, "1").is_err(), "{wrong}");
        }
    }
}
