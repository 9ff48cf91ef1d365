//! Speaks a text by espeak-ng into a WAV file and tells when each word begins.
//!
//! `veilcast-voice-espeak VOICE WORDS-A-MINUTE PITCH TEXT-FILE WAV-FILE`: one JSON value a line on standard output, `{"word":{"at_ms","offset",
//! "length"}}` in characters of the text, then `{"end":{}}`; or `{"error":"…"}` and exit code 1. `--version` answers `{"version":"…"}`. A program of its own because espeak-ng is under
//! the GPL, and so is this one; nothing links it, and what it says are plain lines. Owns: the arguments, the lines and the WAV. Refuses to know:
//! scenes and videos. It is started in a sandbox, reads one file and writes one.

mod library;
mod speech;
mod wav;

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use crate::library::Library;
use crate::speech::Speech;

/// The longest text that is read.
const TEXT_BYTES_MAX: usize = 64 << 10;

struct Order {
    voice: String,
    words_a_minute: i32,
    pitch: i32,
    text: String,
    wav: PathBuf,
}

fn main() -> ExitCode {
    let result = match std::env::args_os().nth(1) {
        Some(word) if word == "--version" => version(),
        _ => order().and_then(|order| carry_out(&order)),
    };
    let mut out = std::io::stdout().lock();
    match result {
        Ok(lines) => match out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            // Whoever doesn't read it sees the exit code.
            let _ = writeln!(out, "{}", json!({ "error": error }));
            ExitCode::FAILURE
        }
    }
}

fn version() -> Result<String, String> {
    let version = Library::open()?.version()?;
    Ok(format!("{}\n", json!({ "version": version })))
}

fn order() -> Result<Order, String> {
    let mut args = std::env::args_os().skip(1);
    let usage = || "usage: VOICE WORDS-A-MINUTE PITCH TEXT-FILE WAV-FILE".to_owned();
    let mut next = || args.next().ok_or_else(usage);
    let (voice, speed, pitch, text, wav) = (next()?, next()?, next()?, next()?, next()?);
    let number = |word: std::ffi::OsString| word.to_str()?.parse().ok();
    let file = std::fs::File::open(&text);
    let mut text = Vec::new();
    let read = file.and_then(|file| file.take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut text));
    read.map_err(|error| format!("cannot read the text: {error}"))?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("the text has more than {} KiB", TEXT_BYTES_MAX >> 10));
    }
    Ok(Order {
        voice: voice.into_string().map_err(|_| usage())?,
        words_a_minute: number(speed).ok_or_else(usage)?,
        pitch: number(pitch).ok_or_else(usage)?,
        text: String::from_utf8(text).map_err(|_| "the text is not UTF-8".to_owned())?,
        wav: wav.into(),
    })
}

fn carry_out(order: &Order) -> Result<String, String> {
    let Speech { rate_hz, samples, words } = speech::speak(order)?;
    let bytes = wav::bytes(rate_hz, &samples)?;
    std::fs::write(&order.wav, bytes)
        .map_err(|error| format!("cannot write the sound: {error}"))?;
    let mut lines = String::new();
    for word in words {
        let word = json!({ "at_ms": word.at_ms, "offset": word.offset, "length": word.length });
        lines.push_str(&json!({ "word": word }).to_string());
        lines.push('\n');
    }
    lines.push_str("{\"end\":{}}\n");
    Ok(lines)
}
