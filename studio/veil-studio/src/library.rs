//! The media library's files, and what is made of them for the eye.
//!
//! Owns: where they lie (`media/<id>` of the data folder: a name that somebody gave is in the catalogue alone and never one of a file), what a
//! file must be to be taken, and the cache of thumbnails and waveforms. Refuses to know: how files arrive.
//!
//! Invariants: a file of the library has been probed in the sandbox; one content is there once; a row's file is in its place before the row is.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Semaphore;
use veil_ffmpeg::look::{self, Peaks};
use veil_ffmpeg::produce::still::Still;
use veil_ffmpeg::{SourceInfo, probe};

use crate::catalogue::library::Medium;
use crate::error::MAX_NAME_CHARS;
use crate::make::MakeError;
use crate::make::cache::{Cache, Key};
use crate::make::document::Production;
use crate::make::preview::{self, Moment};
use crate::pipeline::Encoder;
use crate::{Studio, StudioError, time};

/// How many looks at files are taken at once, and how many moments are rendered: they are in nobody's way.
const AT_ONCE: usize = 1;
/// The versions of what is derived; they name cache entries.
const THUMBNAIL: &str = "thumbnail/1";
const WAVEFORM: &str = "waveform/1";

/// What a file is.
enum Look {
    Still(Still),
    Stream(Box<SourceInfo>),
}

/// A file that arrived.
#[derive(Clone, Debug)]
pub struct Added {
    /// The medium; the one that was there, where its content was.
    pub medium: Medium,
    /// Whether it is new.
    pub is_new: bool,
}

/// Thumbnails and waveforms, kept within a bound.
pub struct Shelf {
    encoder: Encoder,
    cache: Cache,
    looks: Semaphore,
    stills: Semaphore,
}

impl Studio {
    /// Where a medium's file lies.
    #[must_use]
    pub fn medium_path(&self, medium: &Medium) -> PathBuf {
        self.data().media().join(&medium.id)
    }

    /// Takes a file of the data folder into the library: probes it and moves it into its place. `id` is 32 hex digits that are new.
    ///
    /// # Errors
    /// [`StudioError::Ffmpeg`] for what is no media; the file stays where it is then.
    pub async fn add_medium(
        &self,
        encoder: &Encoder,
        file: &Path,
        (id, name): (&str, &str),
        now: Timestamp,
    ) -> Result<Added, StudioError> {
        let hashed = file.to_owned();
        let hash = tokio::task::spawn_blocking(move || Key::of_file(&hashed)).await;
        let hash = hash.map_err(std::io::Error::other).and_then(|hash| hash);
        let hash = hash.map_err(StudioError::file("cannot read", file))?;
        if let Some(medium) = self.catalogue().find_content(&hash).await? {
            fs::remove_file(file).map_err(StudioError::file("cannot remove", file))?;
            return Ok(Added { medium, is_new: false });
        }
        let look = Look::at(encoder, file).await?;
        let bytes = fs::metadata(file).map_err(StudioError::file("cannot read", file))?.len();
        let mut medium = look.facts(encoder).await?;
        medium.id = id.to_owned();
        medium.name = clean_name(name);
        medium.bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        medium.added_at = time::text(now);
        medium.hash = hash;
        let place = self.medium_path(&medium);
        fs::rename(file, &place).map_err(StudioError::file("cannot move", &place))?;
        let kept = self.catalogue().insert_medium(&medium).await?;
        let is_new = kept.id == medium.id;
        if !is_new {
            // The same content came by another way meanwhile.
            let _ = fs::remove_file(place);
        }
        Ok(Added { medium: kept, is_new })
    }

    /// Removes a file from the library.
    ///
    /// # Errors
    /// [`StudioError::NoMedium`], [`StudioError::File`].
    pub async fn remove_medium(&self, id: &str) -> Result<(), StudioError> {
        let medium = self.catalogue().find_medium(id).await?;
        self.catalogue().delete_medium(id).await?;
        let path = self.medium_path(&medium);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StudioError::file("cannot remove", path)(error))
            }
            _ => Ok(()),
        }
    }
}

impl Look {
    async fn at(encoder: &Encoder, file: &Path) -> Result<Self, StudioError> {
        Ok(match Still::inspect(file).await? {
            Some(still) => Self::Still(still),
            None => {
                let source = probe(&encoder.launcher, &encoder.tools, file).await?;
                Self::Stream(Box::new(source))
            }
        })
    }

    /// A medium without what the look doesn't tell.
    async fn facts(&self, encoder: &Encoder) -> Result<Medium, StudioError> {
        let medium = |kind: &str, codec: String, media_type: &str| Medium {
            id: String::new(),
            name: String::new(),
            bytes: 0,
            kind: kind.to_owned(),
            duration_us: 0,
            width: 0,
            height: 0,
            codec,
            media_type: media_type.to_owned(),
            added_at: String::new(),
            hash: String::new(),
            has_thumbnail: kind != "audio",
            has_waveform: false,
        };
        match self {
            Self::Still(still) => {
                let info = look::measure_still(&encoder.launcher, &encoder.tools, still).await?;
                let media_type = match info.codec.as_str() {
                    "png" => "image/png",
                    "mjpeg" => "image/jpeg",
                    _ => "image/webp",
                };
                let (width, height) = (info.width.into(), info.height.into());
                Ok(Medium { width, height, ..medium("image", info.codec, media_type) })
            }
            Self::Stream(source) => {
                let sound = source.audio.first();
                let duration_us = i64::try_from(source.duration_us.unwrap_or(0)).unwrap_or(0);
                let (has_waveform, container) = (sound.is_some(), source.container.as_str());
                let media_type = media_type(container, source.video.is_some());
                let Some(video) = &source.video else {
                    let codec = sound.map(|track| track.codec.clone()).unwrap_or_default();
                    return Ok(Medium {
                        duration_us,
                        has_waveform,
                        ..medium("audio", codec, media_type)
                    });
                };
                let (width, height) = (video.display_width.into(), video.display_height.into());
                let codec = video.codec.clone();
                Ok(Medium {
                    duration_us,
                    width,
                    height,
                    has_waveform,
                    ..medium("video", codec, media_type)
                })
            }
        }
    }
}

impl Shelf {
    /// Opens the cache in the data folder.
    ///
    /// # Errors
    /// [`MakeError::Io`].
    pub fn open(studio: &Studio, encoder: Encoder) -> Result<Self, MakeError> {
        let cache = Cache::open(&studio.data().root().join("cache/media"))?;
        Ok(Self { encoder, cache, looks: Semaphore::new(AT_ONCE), stills: Semaphore::new(AT_ONCE) })
    }

    /// What looks at files.
    #[must_use]
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The cache of small things.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Shrinks the cache to a bound.
    pub fn trim(&self, bytes_max: u64, age_max: Duration) {
        self.cache.trim_to(bytes_max, age_max);
    }

    /// A moment of a production, a WebP; one is made at a time.
    ///
    /// # Errors
    /// [`MakeError`].
    pub async fn still(
        &self,
        production: &Production,
        moment: Moment,
    ) -> Result<Vec<u8>, MakeError> {
        let _place = self.stills.acquire().await;
        preview::still(&self.encoder, &self.cache, production, moment).await
    }

    /// A small picture of a medium, a WebP; `None` where there is nothing to see.
    ///
    /// # Errors
    /// [`StudioError::Ffmpeg`].
    pub async fn thumbnail(
        &self,
        studio: &Studio,
        medium: &Medium,
    ) -> Result<Option<Vec<u8>>, StudioError> {
        if !medium.has_thumbnail {
            return Ok(None);
        }
        let key = Key::of(THUMBNAIL, &medium.hash);
        self.derive(&key, "webp", async {
            let Encoder { launcher, tools, .. } = &self.encoder;
            Ok(match Look::at(&self.encoder, &studio.medium_path(medium)).await? {
                Look::Still(still) => look::thumbnail_of_still(launcher, tools, &still).await?,
                Look::Stream(source) => {
                    look::thumbnail(launcher, tools, &source).await?.map(|poster| poster.bytes)
                }
            })
        })
        .await
    }

    /// How loud a medium is over time, as JSON; `None` where there is nothing to hear.
    ///
    /// # Errors
    /// [`StudioError::Ffmpeg`].
    pub async fn waveform(
        &self,
        studio: &Studio,
        medium: &Medium,
    ) -> Result<Option<Vec<u8>>, StudioError> {
        if !medium.has_waveform {
            return Ok(None);
        }
        let key = Key::of(WAVEFORM, &medium.hash);
        self.derive(&key, "json", async {
            let Encoder { launcher, tools, .. } = &self.encoder;
            let Look::Stream(source) = Look::at(&self.encoder, &studio.medium_path(medium)).await?
            else {
                return Ok(None);
            };
            let peaks = look::waveform(launcher, tools, &source).await?;
            let json = |Peaks { rate, peaks }| json!({ "rate": rate, "peaks": peaks }).to_string();
            Ok(peaks.map(|peaks| json(peaks).into_bytes()))
        })
        .await
    }

    /// Out of the cache, or made and kept; one is made at a time.
    async fn derive(
        &self,
        key: &Key,
        kind: &str,
        make: impl Future<Output = Result<Option<Vec<u8>>, StudioError>>,
    ) -> Result<Option<Vec<u8>>, StudioError> {
        if let Some(known) = self.cache.read(key, kind) {
            return Ok(Some(known));
        }
        let _place = self.looks.acquire().await;
        if let Some(known) = self.cache.read(key, kind) {
            return Ok(Some(known));
        }
        let made = make.await?;
        if let Some(bytes) = &made {
            // What can't be kept is made again.
            let _ = self.cache.write(key, kind, bytes);
        }
        Ok(made)
    }
}

/// What browsers call a container; nothing that they would run.
fn media_type(container: &str, has_picture: bool) -> &'static str {
    let is = |name: &str| container.split(',').any(|one| one == name);
    match has_picture {
        _ if is("mp4") && !has_picture => "audio/mp4",
        _ if is("mp4") => "video/mp4",
        true if is("webm") || is("matroska") => "video/webm",
        false if is("webm") || is("matroska") => "audio/webm",
        _ if is("ogg") && !has_picture => "audio/ogg",
        _ if is("mp3") => "audio/mpeg",
        _ if is("wav") => "audio/wav",
        _ if is("flac") => "audio/flac",
        _ => "application/octet-stream",
    }
}

/// A name that a person can read, of one that came from anywhere: its last part, without control characters.
#[must_use]
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
    match clean.trim() {
        "" | "." | ".." => "upload".to_owned(),
        clean => clean.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_is_a_plain_one() {
        let check = |name: &str, expected: &str| assert_eq!(clean_name(name), expected, "{name:?}");
        check("../../etc/passwd", "passwd");
        check("..\\..\\boot.ini", "boot.ini");
        check("/", "upload");
        check("..", "upload");
        check("a\0b\r\nc.mp4", "abc.mp4");
        check("  film.mp4 ", "film.mp4");
        check(&"ä".repeat(300), &"ä".repeat(200));
    }

    #[test]
    fn a_file_is_never_told_to_be_a_page() {
        assert_eq!(media_type("mov,mp4,m4a,3gp,3g2,mj2", true), "video/mp4");
        assert_eq!(media_type("matroska,webm", true), "video/webm");
        assert_eq!(media_type("mp3", false), "audio/mpeg");
        assert_eq!(media_type("mpegts", true), "application/octet-stream");
    }
}
