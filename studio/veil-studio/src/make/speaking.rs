//! Every scene spoken: by its provider, or out of the cache.
//!
//! Owns: which provider a voice of the document is, and what a speech is kept by. Refuses to know: how providers speak.

use std::path::{Path, PathBuf};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::json;
use veil_ffmpeg::produce::speak::{self, SpeakRequest};

use super::cache::{Cache, Key, Work};
use super::document::Voice;
use super::error::MakeError;
use super::making::{MakeRequest, Services};
use super::media::{Looked, Media, Medium};
use super::plan::Part;
use super::voice::espeak::Espeak;
use super::voice::service::{Piper, SpeechApi};
use super::voice::{Recording, Spoken, VoiceProvider, decode};
use crate::pipeline::Encoder;

/// What has a voice, spoken: its samples lie in the run's folder.
pub(super) struct Speech {
    pub(super) pcm: PathBuf,
    pub(super) spoken: Spoken,
    pub(super) key: String,
}

/// Where all of it comes from and goes to.
pub(super) struct Studio<'s> {
    pub(super) encoder: &'s Encoder,
    pub(super) cache: &'s Cache,
    pub(super) work: &'s Work,
    pub(super) media: &'s Media,
    pub(super) request: &'s MakeRequest,
    /// How many at once.
    pub(super) slots: usize,
    /// espeak-ng's, if it speaks here.
    pub(super) espeak_version: Option<&'s str>,
}

/// The version of espeak-ng, where any of the scenes is spoken by it; `None` where it can't tell, and says why when it is to speak.
pub(super) async fn espeak_version(
    encoder: &Encoder,
    services: &Services,
    parts: &[Part<'_>],
) -> Option<String> {
    let speaks = parts.iter().any(|part| matches!(part.voice, Voice::Espeak { .. }));
    let helper = services.espeak.as_deref().filter(|_| speaks)?;
    speak::version(&encoder.launcher, helper).await.ok()
}

impl Studio<'_> {
    /// Speaks all scenes; `None` for those in which nobody does. The number is of those that were not in the cache.
    pub(super) async fn speak(
        &self,
        parts: &[Part<'_>],
    ) -> Result<(Vec<Option<Speech>>, usize), MakeError> {
        let each = (0..parts.len()).map(|at| self.speech(at, &parts[at]));
        let all: Vec<(Option<Speech>, bool)> =
            stream::iter(each).buffered(self.slots).try_collect().await?;
        let made = all.iter().filter(|(_, made)| *made).count();
        Ok((all.into_iter().map(|(speech, _)| speech).collect(), made))
    }

    async fn speech(
        &self,
        at: usize,
        part: &Part<'_>,
    ) -> Result<(Option<Speech>, bool), MakeError> {
        let recorded = matches!(part.voice, Voice::Recording { .. });
        if (part.speech.is_empty() && !recorded) || matches!(part.voice, Voice::None {}) {
            return Ok((None, false));
        }
        let key = self.key(part);
        let name = format!("voice-{at:05}");
        let folder = self.work.path();
        let (pcm, facts) =
            (folder.join(format!("{name}.pcm")), folder.join(format!("{name}.json")));
        let text = key.text();
        if self.cache.find(&key, "json", &facts) && self.cache.find(&key, "pcm", &pcm) {
            let read = std::fs::read(&facts).ok();
            let spoken = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            if let Some(spoken) = spoken {
                return Ok((Some(Speech { pcm, spoken, key: text }), false));
            }
        }
        let spoken = self.say(part, &name).await?;
        let made = folder.join(format!("{name}.made.pcm"));
        std::fs::rename(&made, &pcm).map_err(MakeError::io("cannot write", &pcm))?;
        let _ = std::fs::remove_file(&facts);
        let bytes = serde_json::to_vec(&spoken).unwrap_or_default();
        std::fs::write(&facts, bytes).map_err(MakeError::io("cannot write", &facts))?;
        self.cache.keep(&key, "pcm", &pcm)?;
        self.cache.keep(&key, "json", &facts)?;
        Ok((Some(Speech { pcm, spoken, key: text }), true))
    }

    async fn say(&self, part: &Part<'_>, name: &str) -> Result<Spoken, MakeError> {
        let place = format!("{}.voice", part.place);
        let provider = self.provider(part.voice)?;
        let said = provider.speak(&part.speech, self.work.path(), name).await;
        let utterance = said.map_err(|error| match error {
            MakeError::Voice { why, .. } => MakeError::Voice { path: place.clone(), why },
            other => other,
        })?;
        let out = self.work.file(&format!("{name}.made.pcm"))?;
        let cut_silence = match part.voice {
            Voice::Recording { cut_silence, .. } => *cut_silence,
            _ => None,
        };
        decode(self.encoder, utterance, (&place, &out), cut_silence).await
    }

    /// What a speech is kept by: everything that it depends on.
    fn key(&self, part: &Part<'_>) -> Key {
        let Services { piper, openai, .. } = &self.request.services;
        let source = match part.voice {
            Voice::Recording { file, .. } => {
                self.media.get(file).map(|looked| looked.hash.as_str())
            }
            Voice::Piper { .. } => piper.as_ref().map(super::service::Service::base),
            Voice::Openai { .. } => openai.as_ref().map(super::service::Service::base),
            Voice::Espeak { .. } => self.espeak_version,
            Voice::None {} => None,
        };
        Key::of("voice/2", &json!([part.voice, part.speech, source]))
    }

    fn provider(&self, voice: &Voice) -> Result<Box<dyn VoiceProvider>, MakeError> {
        let Services { piper, openai, espeak } = &self.request.services;
        let not_set = |what, variable| MakeError::NotSet { what, variable };
        Ok(match voice {
            Voice::Espeak { voice, words_a_minute, pitch } => {
                let (voice, words_a_minute, pitch) = (voice.clone(), *words_a_minute, *pitch);
                Box::new(Espeak {
                    launcher: self.encoder.launcher.clone(),
                    helper: espeak.clone().ok_or(MakeError::NoHelper)?,
                    request: SpeakRequest { voice, words_a_minute, pitch },
                })
            }
            Voice::Piper { voice } => {
                let service = piper.clone();
                let service = service.ok_or(not_set("a Piper voice", "VEILCAST_PIPER_URL"))?;
                Box::new(Piper { service, voice: voice.clone() })
            }
            Voice::Openai { model, voice } => {
                let service = openai.clone();
                let service =
                    service.ok_or(not_set("an OpenAI-compatible voice", "VEILCAST_OPENAI_URL"))?;
                Box::new(SpeechApi { service, model: model.clone(), voice: voice.clone() })
            }
            Voice::Recording { file, .. } => Box::new(Recording(self.recording(file))),
            Voice::None {} => Box::new(Recording(PathBuf::new())),
        })
    }

    /// Where a recording lies, as it was found when it was looked at.
    fn recording(&self, file: &str) -> PathBuf {
        match self.media.get(file) {
            Some(Looked { medium: Medium::Stream(source), .. }) => source.path.clone(),
            _ => Path::new(file).to_owned(),
        }
    }
}
