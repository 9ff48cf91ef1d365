//! espeak-ng, by its helper program: any language, offline, and a time for each word.
//!
//! Owns: the files between us and the helper. Refuses to know: where the helper lies (its path is an argument).

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use veil_ffmpeg::Launcher;
use veil_ffmpeg::produce::speak::{SpeakRequest, speak};

use super::{Utterance, VoiceProvider};
use crate::make::error::MakeError;
use crate::make::words::Anchor;

/// A voice of espeak-ng.
#[derive(Clone, Debug)]
pub struct Espeak {
    /// Starts the helper.
    pub launcher: Launcher,
    /// The helper.
    pub helper: PathBuf,
    /// Which voice, how quick, how high.
    pub request: SpeakRequest,
}

impl VoiceProvider for Espeak {
    fn speak<'a>(
        &'a self,
        text: &'a str,
        work: &'a Path,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Utterance, MakeError>> {
        Box::pin(async move {
            let (spoken_text, sound) =
                (work.join(format!("{name}.txt")), work.join(format!("{name}.wav")));
            let write = |path: &Path, bytes: &[u8]| {
                std::fs::write(path, bytes).map_err(MakeError::io("cannot write", path))
            };
            write(&spoken_text, text.as_bytes())?;
            write(&sound, b"")?;
            let files = (spoken_text.as_path(), sound.as_path());
            let said = speak(&self.launcher, &self.helper, &self.request, files).await;
            let said = said.map_err(|error| match error {
                veil_ffmpeg::Error::Failed { stderr: why, .. } => {
                    MakeError::Voice { path: "voice".to_owned(), why }
                }
                other => other.into(),
            })?;
            let anchors = said.iter().map(|word| Anchor {
                offset: word.offset as usize,
                at_us: u64::from(word.at_ms) * 1000,
            });
            Ok(Utterance { sound, anchors: anchors.collect() })
        })
    }
}
