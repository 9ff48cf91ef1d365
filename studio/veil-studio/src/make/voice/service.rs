//! Voices by HTTP: a Piper server, and whatever speaks as `OpenAI` does.
//!
//! Owns: what is asked. Refuses to know: addresses and keys (`make::service`). Neither tells when words begin.

use std::path::Path;

use futures_util::future::BoxFuture;
use serde_json::json;

use super::{Utterance, VoiceProvider};
use crate::make::error::MakeError;
use crate::make::service::Service;

/// The longest answer: ten minutes of WAV at 48 kHz.
const SOUND_BYTES_MAX: usize = 64 << 20;

/// A Piper server (`python -m piper.http_server`).
#[derive(Clone, Debug)]
pub struct Piper {
    /// Where it is.
    pub service: Service,
    /// One of its voices.
    pub voice: Option<String>,
}

/// Speech as `OpenAI`'s interface has it.
#[derive(Clone, Debug)]
pub struct SpeechApi {
    /// Where it is.
    pub service: Service,
    /// The model.
    pub model: String,
    /// The voice.
    pub voice: String,
}

impl VoiceProvider for Piper {
    fn speak<'a>(
        &'a self,
        text: &'a str,
        work: &'a Path,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Utterance, MakeError>> {
        let mut body = json!({ "text": text });
        if let Some(voice) = &self.voice {
            body["voice"] = json!(voice);
        }
        Box::pin(async move { ask(&self.service, "/synthesize", &body, (work, name)).await })
    }
}

impl VoiceProvider for SpeechApi {
    fn speak<'a>(
        &'a self,
        text: &'a str,
        work: &'a Path,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Utterance, MakeError>> {
        let Self { model, voice, .. } = self;
        let body =
            json!({ "model": model, "voice": voice, "input": text, "response_format": "wav" });
        Box::pin(async move { ask(&self.service, "/audio/speech", &body, (work, name)).await })
    }
}

async fn ask(
    service: &Service,
    path: &str,
    body: &serde_json::Value,
    (work, name): (&Path, &str),
) -> Result<Utterance, MakeError> {
    let bytes = service.post(path, body, SOUND_BYTES_MAX).await?;
    let sound = work.join(format!("{name}.sound"));
    std::fs::write(&sound, bytes).map_err(MakeError::io("cannot write", &sound))?;
    Ok(Utterance { sound, anchors: Vec::new() })
}
