//! The sound of a production: which voice, film and music is heard when, and what all of it is kept by.
//!
//! Owns: places on the timeline, in samples. Refuses to know: levels and filters (`sound`).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use veil_ffmpeg::produce::sound::{FilmSound, Mix, Music, RATE_HZ};

use super::cache::Key;
use super::document::Background;
use super::error::MakeError;
use super::media::{Looked, Medium};
use super::plan::{Edges, Part, Span};
use super::sound::{Loudness, Placed, lay, lay_over, render};
use super::speaking::{Speech, Studio};

/// Samples over which a film's sound appears and ends where no transition says more: 10 ms, so that nothing clicks.
const SOFT: u64 = RATE_HZ as u64 / 100;

/// A film that is heard.
struct Heard {
    sound: FilmSound,
    /// Samples before it.
    at: u64,
    is: Value,
}

impl Studio<'_> {
    /// The sound of the whole, encoded; out of the cache, if nothing of it has changed.
    pub(super) async fn sound(
        &self,
        (parts, spans, edges): (&[Part<'_>], &[Span], &[Edges]),
        speeches: &[Option<Speech>],
        out: &Path,
    ) -> Result<Option<Loudness>, MakeError> {
        let production = &self.request.production;
        let samples_at = |frame: u64| frame * u64::from(RATE_HZ) / u64::from(production.fps);
        let samples =
            spans.last().map_or(0, |span| samples_at(span.first + u64::from(span.frames)));
        let heard = || {
            spans.iter().zip(speeches).filter_map(|(span, speech)| Some((span, speech.as_ref()?)))
        };
        let voices: Vec<Placed> = heard()
            .map(|(span, speech)| Placed { pcm: speech.pcm.clone(), at: samples_at(span.first) })
            .collect();
        let keys: Vec<(&str, u64)> =
            heard().map(|(span, speech)| (speech.key.as_str(), samples_at(span.first))).collect();
        let music = production.music.as_ref().and_then(|music| match self.media.get(&music.file) {
            Some(Looked { medium: Medium::Stream(source), hash }) => Some((music, source, hash)),
            _ => None,
        });
        let music_is = music.map(|(music, _, hash)| (music, hash));
        let version = &self.encoder.tools.version;
        let films = self.films(parts, spans, edges);
        let films_are: Vec<_> = films.iter().map(|film| (&film.is, film.at)).collect();
        let volume = production.voice_volume;
        let key = Key::of("sound/2", &json!([version, samples, keys, volume, music_is, films_are]));
        if self.cache.find(&key, "m4a", out) {
            return Ok(None);
        }
        let voice = self.work.path().join("voice.pcm");
        lay_in_thread(voices, samples, voice.clone()).await?;
        let films = self.films_track(&films, samples).await?;
        let mix = Mix {
            voice,
            films,
            volume_permille: thousandths(volume),
            music: music.map(|(music, source, _)| Music {
                source: (**source).clone(),
                volume_permille: thousandths(music.volume),
                ducked: music.duck,
                fade_out_ms: thousandths(music.fade_out),
            }),
            samples,
        };
        let made = self.work.file("made.m4a")?;
        let loudness = render(self.encoder, self.work, &mix, &made).await?;
        std::fs::rename(&made, out).map_err(MakeError::io("cannot write", out))?;
        self.cache.keep(&key, "m4a", out)?;
        Ok((loudness.lufs > -70.0).then_some(loudness))
    }

    /// The films that are heard: each with its scene, and on behind its end while the next one dissolves in.
    fn films(&self, parts: &[Part<'_>], spans: &[Span], edges: &[Edges]) -> Vec<Heard> {
        let fps = u64::from(self.request.production.fps);
        let samples = |frames: u32| u64::from(frames) * u64::from(RATE_HZ) / fps;
        let each = parts.iter().zip(spans).zip(edges).enumerate();
        each.filter_map(|(at, ((part, span), own))| {
            let Some(Background::Video { file, start, sound, .. }) = part.background else {
                return None;
            };
            let Looked { medium: Medium::Stream(source), hash } = self.media.get(file)? else {
                return None;
            };
            if *sound <= 0.0 {
                return None;
            }
            let beyond = edges.get(at + 1).map_or(0, |next| next.dissolve);
            let fades = [own.fade_in.max(own.dissolve), own.fade_out.max(beyond)];
            let fades = fades.map(|frames| samples(frames).max(SOFT));
            let length = samples(span.frames + beyond);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a day")]
            let start_us = (start * 1e6) as u64;
            let is = json!([hash, start_us, sound, length, fades]);
            let sound = FilmSound {
                source: (**source).clone(),
                start_us,
                volume_permille: thousandths(*sound),
                samples: length,
                fades: (fades[0], fades[1]),
            };
            Some(Heard { sound, at: span.first * u64::from(RATE_HZ) / fps, is })
        })
        .collect()
    }

    /// All films on one track; `None` where none is heard.
    async fn films_track(
        &self,
        films: &[Heard],
        samples: u64,
    ) -> Result<Option<PathBuf>, MakeError> {
        if films.is_empty() {
            return Ok(None);
        }
        let mut placed = Vec::with_capacity(films.len());
        for (number, film) in films.iter().enumerate() {
            let pcm = self.work.file(&format!("film-{number:05}.pcm"))?;
            film.sound.render(&self.encoder.launcher, &self.encoder.tools, &pcm).await?;
            placed.push(Placed { pcm, at: film.at });
        }
        let out = self.work.path().join("films.pcm");
        let path = out.clone();
        let laid = tokio::task::spawn_blocking(move || lay_over(&placed, samples, &path)).await;
        let laid = laid.map_err(|gone| MakeError::Broken(gone.to_string()))?;
        laid.map_err(MakeError::io("cannot write", &out))?;
        Ok(Some(out))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn thousandths(value: f64) -> u32 {
    (value * 1000.0).round() as u32
}

async fn lay_in_thread(voices: Vec<Placed>, samples: u64, out: PathBuf) -> Result<(), MakeError> {
    let path = out.clone();
    let laid = tokio::task::spawn_blocking(move || lay(&voices, samples, &out)).await;
    let laid = laid.map_err(|gone| MakeError::Broken(gone.to_string()))?;
    laid.map_err(MakeError::io("cannot write", path))
}
