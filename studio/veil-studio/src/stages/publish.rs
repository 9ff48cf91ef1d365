//! Publish: sealed objects and playlists into the bucket.
//!
//! Layout and playlists: `docs/format/bucket.md`. The multivariant playlist is written last, so a
//! title that was not finished has no way in.

use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use object_store::path::Path;
use veil_hls::marked::{MarkedLine, marked_playlist};
use veil_hls::write::{
    AudioRendition, ByteRange, FileSegmentLine, Multivariant, SegmentLine, SubtitlesRendition,
    VideoVariant, file_playlist, media_playlist, multivariant_playlist,
};
use veil_seal::SealError;
use veil_seal::id::ObjectName;
use veil_seal::object::{Kind, Variant};
use veil_seal::rendition_file::Places;

use crate::StudioError;
use crate::bucket::{Bucket, Fingerprint, Upload, title_folder};
use crate::manifest::{Media, Rendition, TitleManifest};
use crate::stages::seal::{SealedObject, Sealer};

/// What has been written for one title so far.
pub struct Publication {
    bucket: Bucket,
    folder: Path,
    object_count: AtomicI64,
    sealed_bytes: AtomicI64,
    files: Mutex<Vec<(ObjectName, Fingerprint)>>,
}

impl Publication {
    /// Begins to publish a title.
    #[must_use]
    pub fn new(bucket: Bucket, sealer: &Sealer) -> Self {
        Self {
            bucket,
            folder: title_folder(sealer.title()),
            object_count: AtomicI64::new(0),
            sealed_bytes: AtomicI64::new(0),
            files: Mutex::default(),
        }
    }

    /// Puts a sealed object into the bucket.
    ///
    /// # Errors
    /// [`StudioError::Bucket`].
    pub async fn put(&self, object: SealedObject) -> Result<(), StudioError> {
        self.write(object.name().to_string(), object.body().clone()).await
    }

    /// Begins a rendition file.
    ///
    /// # Errors
    /// [`StudioError::Bucket`].
    pub async fn begin_file(&self, name: ObjectName) -> Result<RenditionFile<'_>, StudioError> {
        let upload = self.bucket.upload(&self.folder.clone().join(name.to_string())).await?;
        Ok(RenditionFile { publication: self, name, upload, bytes: 0 })
    }

    /// Writes the playlists of a finished title: media playlists, then the multivariant one.
    ///
    /// # Errors
    /// [`StudioError::Bucket`], or [`StudioError::Incomplete`] when the bucket doesn't list what was written.
    pub async fn finish(
        &self,
        sealer: &Sealer,
        manifest: &TitleManifest,
    ) -> Result<(), StudioError> {
        for rendition in &manifest.renditions {
            let name = sealer.name(Kind::MediaPlaylist, rendition.id, 0);
            let text = rendition_playlist(sealer, rendition)?;
            self.write(playlist_file(name), text.into()).await?;
        }
        self.verify(sealer).await?;
        let name = sealer.name(Kind::MultivariantPlaylist, 0, 0);
        self.write(playlist_file(name), title_playlist(sealer, manifest).into()).await
    }

    /// Holds what the bucket lists to what was written, before anybody is let in.
    async fn verify(&self, sealer: &Sealer) -> Result<(), StudioError> {
        let listed = self.bucket.list_title(sealer.title()).await?;
        let bytes: u64 = listed.iter().map(|meta| meta.size).sum();
        let found = (i64::try_from(listed.len()), i64::try_from(bytes));
        let written = self.written();
        if found == (Ok(written.0), Ok(written.1)) {
            return Ok(());
        }
        Err(StudioError::Incomplete { written: written.0, listed: listed.len() })
    }

    /// Objects and playlists written, and their bytes.
    #[must_use]
    pub fn written(&self) -> (i64, i64) {
        let load = |counter: &AtomicI64| counter.load(Ordering::Relaxed);
        (load(&self.object_count), load(&self.sealed_bytes))
    }

    /// The rendition files that are in place, each with its fingerprint.
    pub(crate) fn files(&self) -> Vec<(ObjectName, Fingerprint)> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn write(&self, name: String, body: Bytes) -> Result<(), StudioError> {
        let bytes = body.len() as u64;
        self.bucket.put(&self.folder.clone().join(name), body).await?;
        self.count(bytes);
        Ok(())
    }

    /// Counts an object that is in place.
    fn count(&self, bytes: u64) {
        self.object_count.fetch_add(1, Ordering::Relaxed);
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.sealed_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Sealed objects of a rendition on their way into one bucket object, which is visible when it is finished.
pub struct RenditionFile<'p> {
    publication: &'p Publication,
    name: ObjectName,
    upload: Upload,
    bytes: u64,
}

impl RenditionFile<'_> {
    /// Puts a sealed object behind those before it.
    ///
    /// # Errors
    /// [`StudioError::Bucket`].
    pub async fn append(&mut self, object: &SealedObject) -> Result<(), StudioError> {
        self.bytes += object.body().len() as u64;
        self.upload.write(object.body().clone()).await
    }

    /// Makes the file visible, whole.
    ///
    /// # Errors
    /// [`StudioError::Bucket`].
    pub async fn finish(self) -> Result<(), StudioError> {
        let file = (self.name, self.upload.finish().await?);
        self.publication.files.lock().unwrap_or_else(PoisonError::into_inner).push(file);
        self.publication.count(self.bytes);
        Ok(())
    }

    /// Takes back what has been written.
    ///
    /// # Errors
    /// [`StudioError::Bucket`].
    pub async fn abort(self) -> Result<(), StudioError> {
        self.upload.abort().await
    }
}

/// The file name of a playlist.
pub(crate) fn playlist_file(name: ObjectName) -> String {
    format!("{name}.m3u8")
}

fn rendition_playlist(sealer: &Sealer, rendition: &Rendition) -> Result<String, StudioError> {
    match rendition.init_length {
        Some(init_length) if rendition.single_file => {
            rendition_file_playlist(sealer, rendition, init_length)
        }
        _ if rendition.marked => variants_playlist(sealer, rendition),
        _ => Ok(objects_playlist(sealer, rendition)),
    }
}

fn rendition_file_playlist(
    sealer: &Sealer,
    rendition: &Rendition,
    init_length: u64,
) -> Result<String, StudioError> {
    let mut places = Places::default();
    let mut place = |plaintext_bytes| {
        let Range { start, end } = places.next(plaintext_bytes)?;
        Ok::<_, SealError>(ByteRange { length_bytes: end - start, offset_bytes: start })
    };
    let map = place(init_length)?;
    let mut segments = Vec::with_capacity(rendition.segments.len());
    for &(duration_us, plaintext_bytes) in &rendition.segments {
        segments.push(FileSegmentLine { range: place(plaintext_bytes)?, duration_us });
    }
    let uri = sealer.name(Kind::RenditionFile, rendition.id, 0).to_string();
    Ok(file_playlist(&uri, map, &segments))
}

fn variants_playlist(sealer: &Sealer, rendition: &Rendition) -> Result<String, StudioError> {
    let map = sealer.name(Kind::Init, rendition.id, 0).to_string();
    let name = |slot, variant| {
        let name = sealer.variant_name(rendition.id, slot, variant);
        name.map(|name| name.to_string()).ok_or(StudioError::Unequal)
    };
    let names = (0..)
        .zip(&rendition.segments)
        .map(|(slot, _)| Ok([name(slot, Variant::A)?, name(slot, Variant::B)?]))
        .collect::<Result<Vec<_>, StudioError>>()?;
    let lines: Vec<MarkedLine<'_>> = names
        .iter()
        .zip(&rendition.segments)
        .map(|([first, second], (duration_us, _))| MarkedLine {
            first,
            second,
            duration_us: *duration_us,
        })
        .collect();
    Ok(marked_playlist(&map, &lines))
}

fn objects_playlist(sealer: &Sealer, rendition: &Rendition) -> String {
    let map = rendition.init_length.map(|_| sealer.name(Kind::Init, rendition.id, 0).to_string());
    let uris: Vec<String> = (0..)
        .zip(&rendition.segments)
        .map(|(index, _)| sealer.name(Kind::Segment, rendition.id, index).to_string())
        .collect();
    let segments: Vec<SegmentLine<'_>> = uris
        .iter()
        .zip(&rendition.segments)
        .map(|(uri, (duration_us, _))| SegmentLine { uri, duration_us: *duration_us })
        .collect();
    media_playlist(map.as_deref(), &segments)
}

fn title_playlist(sealer: &Sealer, manifest: &TitleManifest) -> String {
    let uri =
        |rendition: &Rendition| playlist_file(sealer.name(Kind::MediaPlaylist, rendition.id, 0));
    let uris: Vec<String> = manifest.renditions.iter().map(uri).collect();
    let mut list = Multivariant::default();
    for (rendition, uri) in manifest.renditions.iter().zip(&uris) {
        list_rendition(&mut list, rendition, uri);
    }
    multivariant_playlist(&list)
}

fn list_rendition<'a>(list: &mut Multivariant<'a>, rendition: &'a Rendition, uri: &'a str) {
    let Rendition { id, codecs, bandwidth_bps, average_bandwidth_bps, .. } = rendition;
    match &rendition.media {
        Media::Video { width, height, frame_rate } => list.video.push(VideoVariant {
            bandwidth_bps: *bandwidth_bps,
            average_bandwidth_bps: *average_bandwidth_bps,
            codecs,
            width: *width,
            height: *height,
            frame_rate_milli: milli(*frame_rate),
            uri,
        }),
        Media::Audio { channels, label } => list.audio.push(AudioRendition {
            number: *id,
            bandwidth_bps: *bandwidth_bps,
            average_bandwidth_bps: *average_bandwidth_bps,
            codecs,
            channels: *channels,
            default: label.default,
            uri,
        }),
        Media::Subtitles { forced, .. } => {
            list.subtitles.push(SubtitlesRendition { number: *id, forced: *forced, uri });
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "frame rates are between 0 and 1,000"
)]
fn milli(frame_rate: f64) -> u32 {
    (frame_rate * 1000.0).round() as u32
}
