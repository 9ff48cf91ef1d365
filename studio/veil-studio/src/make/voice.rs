//! Who speaks: from a text to sound, and when each word is said.
//!
//! Owns: what a voice provider is ([`VoiceProvider`]), and that whatever comes is decoded, bounded and measured the same way ([`Spoken`]).
//! Refuses to know: captions.
//!
//! Invariant: a [`Spoken`] has bare samples of `produce::sound`, and times within them.

pub mod espeak;
pub mod service;
pub mod silence;

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use veil_ffmpeg::probe;
use veil_ffmpeg::produce::sound::{RATE_HZ, decode_voice};

use self::silence::Removed;
use super::document::SCENE_SECONDS_MAX;
use super::error::MakeError;
use super::words::Anchor;
use crate::pipeline::Encoder;

/// Samples that are silence: −50 dB of full scale.
const SILENCE: i16 = 104;

/// What a provider made of a text.
#[derive(Clone, Debug, Default)]
pub struct Utterance {
    /// The sound: a file that FFmpeg reads.
    pub sound: PathBuf,
    /// When words begin, if the provider knows.
    pub anchors: Vec<Anchor>,
}

/// Speaks texts.
pub trait VoiceProvider: Send + Sync {
    /// Speaks `text`; what it makes goes into the folder `work`, in files whose names begin with `name`.
    ///
    /// # Errors
    /// [`MakeError`] where it can't.
    fn speak<'a>(
        &'a self,
        text: &'a str,
        work: &'a Path,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Utterance, MakeError>>;
}

/// Somebody who has spoken already: a recording.
#[derive(Clone, Debug)]
pub struct Recording(pub PathBuf);

impl VoiceProvider for Recording {
    fn speak<'a>(
        &'a self,
        _text: &'a str,
        _work: &'a Path,
        _name: &'a str,
    ) -> BoxFuture<'a, Result<Utterance, MakeError>> {
        let sound = self.0.clone();
        Box::pin(async move { Ok(Utterance { sound, anchors: Vec::new() }) })
    }
}

/// What is known of a voice's sound beside its samples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// Samples.
    pub samples: u64,
    /// When words begin, if the provider knew.
    pub anchors: Vec<Anchor>,
    /// When the first sound that is no silence comes, and the last, in microseconds.
    pub speech_us: (u64, u64),
    /// Silences that were cut out, in order.
    #[serde(default)]
    pub removed: Vec<Removed>,
}

impl Spoken {
    /// How long it is, in microseconds.
    #[must_use]
    pub fn duration_us(&self) -> u64 {
        us(self.samples)
    }
}

/// Microseconds of so many samples.
#[must_use]
pub fn us(samples: u64) -> u64 {
    samples * 1_000_000 / u64::from(RATE_HZ)
}

/// Decodes what a provider made into `out`, a file that is there, shortens its silences to `cut_silence` seconds, and measures it.
///
/// # Errors
/// [`MakeError`] where it is no sound, or FFmpeg fails.
pub async fn decode(
    encoder: &Encoder,
    utterance: Utterance,
    (path, out): (&str, &Path),
    cut_silence: Option<f64>,
) -> Result<Spoken, MakeError> {
    let Encoder { launcher, tools, .. } = encoder;
    let media = |source| MakeError::Media { path: path.to_owned(), source };
    let source = probe(launcher, tools, &utterance.sound).await.map_err(media)?;
    if source.audio.is_empty() {
        let why = "there is no sound in it".to_owned();
        return Err(MakeError::Voice { path: path.to_owned(), why });
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "600")]
    let samples_max = SCENE_SECONDS_MAX as u64 * u64::from(RATE_HZ);
    decode_voice(launcher, tools, &source, (out, samples_max)).await.map_err(media)?;
    let out = out.to_owned();
    let measured = tokio::task::spawn_blocking(move || {
        let cut = cut_silence.map_or(Ok(Vec::new()), |longest_s| silence::cut(&out, longest_s));
        let removed = cut.map_err(MakeError::io("cannot cut", &out))?;
        Ok::<_, MakeError>((measure(&out)?, removed))
    });
    let measured = measured.await.map_err(|gone| MakeError::Broken(gone.to_string()))?;
    let ((samples, speech_us), removed) = measured?;
    let mut anchors = utterance.anchors;
    for anchor in &mut anchors {
        anchor.at_us = silence::shifted(anchor.at_us, &removed);
    }
    Ok(Spoken { samples, anchors, speech_us, removed })
}

/// How many samples a file has, and where in it somebody speaks.
fn measure(path: &Path) -> Result<(u64, (u64, u64)), MakeError> {
    // Ten minutes are 58 MB; they are read in pieces.
    use std::io::Read as _;
    let failed = |source| MakeError::Io { what: "cannot read", path: path.to_owned(), source };
    let mut file =
        std::io::BufReader::with_capacity(1 << 16, std::fs::File::open(path).map_err(failed)?);
    let (mut at, mut first, mut last) = (0_u64, None, 0);
    let mut sample = [0; 2];
    while let Ok(()) = file.read_exact(&mut sample) {
        if i16::from_le_bytes(sample).saturating_abs() > SILENCE {
            first.get_or_insert(at);
            last = at + 1;
        }
        at += 1;
    }
    Ok((at, (us(first.unwrap_or(0)), us(if first.is_some() { last } else { at }))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_at_both_ends_is_no_speech() {
        let mut samples = vec![0_i16; 48_000];
        samples[12_000..24_000].fill(-5000);
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        assert_eq!(measure(file.path()).unwrap(), (48_000, (250_000, 500_000)));
        std::fs::write(file.path(), [0; 96_000]).unwrap();
        assert_eq!(measure(file.path()).unwrap(), (48_000, (0, 1_000_000)));
    }
}
