//! The files that a production names: looked at once, before anything is rendered.
//!
//! Owns: where names lead, and what a file is. Refuses to know: what is made of it.
//!
//! Invariant: what is in [`Media`] is a picture, a video or sound that FFmpeg can decode, or captions that were read, with the BLAKE3 of its content.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use veil_ffmpeg::produce::still::Still;
use veil_ffmpeg::{Refusal, SourceInfo, probe};

use super::cache::Key;
use super::captions::Cue;
use super::captions::import;
use super::document::{Background, Captions, Production, Voice};
use super::error::{Fault, MakeError};
use crate::pipeline::Encoder;

/// What a file is.
#[derive(Clone, Debug)]
pub(super) enum Medium {
    Still(Still),
    Stream(Box<SourceInfo>),
    Captions(Vec<Cue>),
}

/// A file, and the BLAKE3 of its content.
#[derive(Clone, Debug)]
pub(super) struct Looked {
    pub(super) medium: Medium,
    pub(super) hash: String,
}

/// What a name is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Picture,
    Film,
    /// With its sound.
    HeardFilm,
    Sound,
    Captions,
}

/// All files of a production, by the names that it gives them.
#[derive(Debug, Default)]
pub(super) struct Media(HashMap<String, Looked>);

impl Media {
    /// Looks at every file; relative names begin in `base`.
    pub(super) async fn look(
        encoder: &Encoder,
        production: &Production,
        base: &Path,
    ) -> Result<Self, MakeError> {
        let mut media = Self::default();
        for (place, name, what) in named(production) {
            let path = format!("{place} ({name:?})");
            if !media.0.contains_key(name) {
                let looked = match what {
                    Use::Captions => written(&base.join(name), &path).await?,
                    _ => look(encoder, &base.join(name), &path).await?,
                };
                media.0.insert(name.to_owned(), looked);
            }
            let Some(Looked { medium, .. }) = media.0.get(name) else { continue };
            let wrong = match (what, medium) {
                (Use::Picture, Medium::Stream(_)) => "it is no PNG, JPEG or WebP picture",
                (Use::Film | Use::HeardFilm, Medium::Still(_)) => {
                    "it is a picture: write `\"kind\": \"image\"`"
                }
                (Use::Film | Use::HeardFilm, Medium::Stream(source)) if source.video.is_none() => {
                    "there is no picture in it"
                }
                (Use::Sound, Medium::Still(_)) => "it is a picture",
                (Use::Sound | Use::HeardFilm, Medium::Stream(source))
                    if source.audio.is_empty() =>
                {
                    "there is no sound in it"
                }
                (Use::Captions, Medium::Still(_) | Medium::Stream(_)) => "it is no captions",
                (_, Medium::Captions(_)) if what != Use::Captions => "it is captions",
                _ => continue,
            };
            let source = Refusal::NotMedia(wrong.to_owned()).into();
            return Err(MakeError::Media { path, source });
        }
        Ok(media)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Looked> {
        self.0.get(name)
    }
}

async fn look(encoder: &Encoder, file: &Path, path: &str) -> Result<Looked, MakeError> {
    let media = |source| MakeError::Media { path: path.to_owned(), source };
    let medium = match Still::inspect(file).await.map_err(media)? {
        Some(still) => Medium::Still(still),
        None => {
            let source = probe(&encoder.launcher, &encoder.tools, file).await.map_err(media)?;
            Medium::Stream(Box::new(source))
        }
    };
    let owned: PathBuf = file.to_owned();
    let hash = tokio::task::spawn_blocking(move || Key::of_file(&owned)).await;
    let hash = hash.map_err(|gone| MakeError::Broken(gone.to_string()))?;
    Ok(Looked { medium, hash: hash.map_err(MakeError::io("cannot read", file))? })
}

/// Reads a file of captions.
async fn written(file: &Path, path: &str) -> Result<Looked, MakeError> {
    let owned: PathBuf = file.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        let opened = std::fs::File::open(&owned)?;
        std::io::Read::read_to_end(
            &mut std::io::Read::take(opened, import::BYTES_MAX + 1),
            &mut bytes,
        )?;
        Ok((import::read(&bytes), blake3::hash(&bytes).to_hex().to_string()))
    });
    let read = read.await.map_err(|gone| MakeError::Broken(gone.to_string()))?;
    let (cues, hash) = read.map_err(MakeError::io("cannot read", file))?;
    let cues = cues.map_err(|why| Fault::new(path, why))?;
    Ok(Looked { medium: Medium::Captions(cues), hash })
}

/// Every file, with its place in the document.
fn named(production: &Production) -> Vec<(String, &str, Use)> {
    let mut all = Vec::new();
    for (at, one) in production.backgrounds.iter().enumerate() {
        behind(&mut all, format!("backgrounds[{at}]"), one);
    }
    spoken(&mut all, "voice".to_owned(), &production.voice);
    captioned(&mut all, "captions".to_owned(), Some(&production.captions));
    for (place, scene) in super::plan::all_scenes(production) {
        if let Some(one) = &scene.background {
            behind(&mut all, format!("{place}.background"), one);
        }
        captioned(&mut all, format!("{place}.captions"), scene.captions.as_ref());
        if let Some(voice) = &scene.voice {
            spoken(&mut all, format!("{place}.voice"), voice);
        }
    }
    all.extend(
        production
            .music
            .iter()
            .map(|music| ("music.file".to_owned(), music.file.as_str(), Use::Sound)),
    );
    let mark = production.watermark.as_ref();
    all.extend(mark.map(|mark| ("watermark.file".to_owned(), mark.file.as_str(), Use::Picture)));
    all
}

fn behind<'p>(all: &mut Vec<(String, &'p str, Use)>, place: String, one: &'p Background) {
    match one {
        Background::Gradient { .. } => {}
        Background::Image { file, .. } => all.push((format!("{place}.file"), file, Use::Picture)),
        Background::Video { file, sound, .. } => {
            let heard = if *sound > 0.0 { Use::HeardFilm } else { Use::Film };
            all.push((format!("{place}.file"), file, heard));
        }
    }
}

fn spoken<'p>(all: &mut Vec<(String, &'p str, Use)>, place: String, voice: &'p Voice) {
    if let Voice::Recording { file, .. } = voice {
        all.push((format!("{place}.file"), file, Use::Sound));
    }
}

fn captioned<'p>(
    all: &mut Vec<(String, &'p str, Use)>,
    place: String,
    captions: Option<&'p Captions>,
) {
    if let Some(file) = captions.and_then(|captions| captions.file.as_deref()) {
        all.push((format!("{place}.file"), file, Use::Captions));
    }
}
