//! Text spoken by the helper `veilcast-voice-espeak`, a program of its own under another licence.
//!
//! Owns: the helper's command line and what it answers: one JSON value a line, `{"word":…}` for each word and `{"end":…}` at the end; the
//! sound goes into a file. Refuses to know: espeak-ng. The helper runs in the same sandbox as FFmpeg: no network, one file to write.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::child::{Bounds, Invocation, Launcher, collect};
use crate::error::Error;
use crate::sandbox::{Confinement, Jail};

/// What errors call the step.
const STEP: &str = "speaking";

/// The program, beside ours or in `PATH`.
pub const HELPER: &str = "veilcast-voice-espeak";

/// A word takes some 70 bytes, and a text of a scene has some thousand.
const BOUNDS: Bounds = Bounds { step: STEP, time: Duration::from_secs(120), output_bytes: 4 << 20 };

/// Ten minutes of 22,050 samples of 16 bits, and a head.
const SOUND_BYTES_MAX: u64 = 600 * 22_050 * 2 + 4096;

/// The longest version that is believed.
const VERSION_BYTES_MAX: usize = 100;

/// Slowest and quickest speech, in words a minute, as espeak-ng takes it.
pub const WORDS_A_MINUTE: std::ops::RangeInclusive<u32> = 80..=450;

/// How a text is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakRequest {
    /// The voice: letters, digits, `-`, `_` and `+`.
    pub voice: String,
    /// Words a minute.
    pub words_a_minute: u32,
    /// From 0 to 100.
    pub pitch: u32,
}

/// When a word begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpokenWord {
    /// Milliseconds from the beginning.
    pub at_ms: u32,
    /// Characters before it in the text.
    pub offset: u32,
    /// Its characters.
    pub length: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    version: String,
}

/// Asks the helper for the version of espeak-ng, as it calls it: `1.51`.
///
/// # Errors
/// [`Error::Failed`] with the helper's words, among them that espeak-ng is missing; [`Error::TimedOut`], [`Error::Start`].
pub async fn version(launcher: &Launcher, helper: &Path) -> Result<String, Error> {
    let jail = Jail {
        read: Vec::new(),
        write: None,
        address_space_bytes: 2 << 30,
        cpu_seconds: Some(BOUNDS.time.as_secs()),
        landlock_optional: false,
    };
    let invocation = Invocation::new(helper, Confinement::Full(jail)).args(["--version"]);
    let (output, _) = collect(launcher, invocation, BOUNDS).await?;
    let line = String::from_utf8_lossy(&output);
    let failed = |stderr: String| Error::Failed { step: STEP, stderr };
    match serde_json::from_str(&line) {
        Ok(Version { version }) if version.len() <= VERSION_BYTES_MAX => Ok(version),
        _ => match serde_json::from_str(&line) {
            Ok(Line::Error(why)) => Err(failed(why)),
            _ => Err(failed("the helper doesn't say which espeak-ng it has".to_owned())),
        },
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Word(SpokenWord),
    End {},
    Error(String),
}

/// Whether a voice has a name that the helper is given.
#[must_use]
pub fn is_voice_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+');
    (1..=40).contains(&name.len()) && name.chars().all(fine) && !name.starts_with(['-', '+'])
}

/// Has the text of a file spoken into `out`, a file that is there: WAV. Returns when each word begins.
///
/// # Errors
/// [`Error::Failed`] with the helper's words, also for a voice whose name isn't one; [`Error::TimedOut`], [`Error::Start`].
pub async fn speak(
    launcher: &Launcher,
    helper: &Path,
    request: &SpeakRequest,
    (text, out): (&Path, &Path),
) -> Result<Vec<SpokenWord>, Error> {
    let failed = |stderr: String| Error::Failed { step: STEP, stderr };
    if !is_voice_name(&request.voice) {
        return Err(failed("a voice's name has letters, digits, `-`, `_` and `+`".to_owned()));
    }
    let text = tokio::fs::canonicalize(text).await.map_err(Error::Read)?;
    let out = tokio::fs::canonicalize(out).await.map_err(Error::Read)?;
    let jail = Jail {
        read: vec![text.clone()],
        write: Some((out.clone(), SOUND_BYTES_MAX)),
        address_space_bytes: 2 << 30,
        cpu_seconds: Some(BOUNDS.time.as_secs()),
        landlock_optional: false,
    };
    let speed = request.words_a_minute.clamp(*WORDS_A_MINUTE.start(), *WORDS_A_MINUTE.end());
    let invocation = Invocation::new(helper, Confinement::Full(jail))
        .args([request.voice.clone(), speed.to_string(), request.pitch.min(100).to_string()])
        .args([text, out]);
    let (output, exit) = collect(launcher, invocation, BOUNDS).await?;
    let (mut spoken, mut ended) = (Vec::new(), false);
    for line in String::from_utf8_lossy(&output).lines() {
        match serde_json::from_str(line) {
            Ok(Line::Word(word)) => spoken.push(word),
            Ok(Line::End {}) => ended = true,
            Ok(Line::Error(why)) => return Err(failed(why)),
            Err(error) => return Err(failed(format!("the helper answers rubbish: {error}"))),
        }
    }
    if !exit.status.success() || !ended {
        return Err(failed(format!("{} {}", exit.status, exit.stderr)));
    }
    Ok(spoken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_is_a_name_and_neither_a_flag_nor_a_path() {
        for fine in ["en", "en-us", "de", "zh-yue", "en+f3", "mb_de2", "en-029"] {
            assert!(is_voice_name(fine), "{fine}");
        }
        let long = "a".repeat(41);
        for wrong in ["", "-v", "../en", "en us", "en\0", "+f3", &long, "é"] {
            assert!(!is_voice_name(wrong), "{wrong}");
        }
    }
}
