//! The S3 store of the tests as a program, for tests that are not written in Rust.
//!
//! Writes one line of JSON when it answers: its URL, the folder of its bucket, the variables with its credential. Ends when
//! its standard input does, so that it never outlives the test that started it.

use std::io::{self, Read as _, Write as _};

use serde_json::{Map, Value, json};
use veil_testkit::S3Server;

fn main() -> io::Result<()> {
    let store = S3Server::start()?;
    let variables: Map<String, Value> = store
        .variables()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let line = json!({ "url": store.url(), "folder": store.folder(), "variables": variables });
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    io::stdin().lock().read_to_end(&mut Vec::new())?;
    Ok(())
}
