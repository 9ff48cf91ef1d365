//! The vectors of `vectors/`, from which targets take their seeds and their keys.

use serde_json::Value;

/// Returns the cases of a file of vectors.
#[must_use]
pub fn cases(file: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).unwrap();
    file["cases"].as_array().unwrap().clone()
}

/// Returns a field that is text.
#[must_use]
pub fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap()
}

/// Returns a field that is hex.
#[must_use]
pub fn hex(case: &Value, name: &str) -> Vec<u8> {
    let digits = text(case, name);
    let pairs = (0..digits.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}
