//! Pictures for the report: the leak's, and beside each the title's own.
//!
//! Owns: which moments are shown, and taking the title's pictures out of its sealed storyboard. Refuses to know: the page around them.
//! Invariant: a picture that can't be had is left out; no plaintext touches a disk.

use std::path::Path;

use jiff::Timestamp;
use veil_ffmpeg::{probe, sight};
use veil_seal::object::{self, Kind, Role};
use veil_seal::schedule::TitleKey;

use super::report::{Evidence, Report};
use crate::bucket::{Bucket, title_folder};
use crate::catalogue::Title;
use crate::manifest::{StoryboardFacts, TitleManifest};
use crate::pipeline::Encoder;
use crate::{Studio, StudioError};

/// Moments that are shown.
const STILLS: usize = 4;

/// The longest side of a picture of the leak, in pixels.
const SIDE: u32 = 480;

/// A moment of the leak and of the title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Still {
    /// When it is in the leak, in microseconds.
    pub leak_us: u64,
    /// When it is in the title, in microseconds.
    pub title_us: u64,
    /// The leak's picture, a WebP.
    pub leak: Option<Vec<u8>>,
    /// The title's.
    pub title: Option<Tile>,
}

/// A part of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The picture that it is a part of, a WebP.
    pub sheet: Vec<u8>,
    /// The size of that picture in pixels.
    pub sheet_size: (u32, u32),
    /// Its left and upper edge in it.
    pub at: (u32, u32),
    /// Its width and height.
    pub size: (u32, u32),
}

/// A title's storyboard, and what opens it.
struct Board {
    title: Title,
    key: TitleKey,
    bucket: Bucket,
    facts: StoryboardFacts,
}

impl Studio {
    /// Takes the pictures that a report is illustrated with.
    ///
    /// # Errors
    /// [`StudioError::Ffmpeg`] when the leak can't be read any more.
    pub async fn trace_stills(
        &self,
        report: &Report,
        leak: &Path,
        encoder: &Encoder,
        now: Timestamp,
    ) -> Result<Vec<Still>, StudioError> {
        let (Some(title), Some(slots)) = (&report.title, report.slots) else {
            return Ok(Vec::new());
        };
        let source = probe(&encoder.launcher, &encoder.tools, leak).await?;
        let board = self.board(&title.id, now).await.unwrap_or_default();
        let mut stills = Vec::new();
        let interval_us = board.as_ref().map(|board| board.facts.interval_us);
        for (shown, into_us) in moments(&report.evidence, slots.slot_us, interval_us) {
            let leak_us = shown.leak_us + into_us;
            let title_us = u64::from(shown.slot) * slots.slot_us + into_us;
            let still =
                sight::still(&encoder.launcher, &encoder.tools, &source, leak_us, SIDE).await;
            let tile = match &board {
                Some(board) => board.tile(title_us).await.unwrap_or_default(),
                None => None,
            };
            stills.push(Still { leak_us, title_us, leak: still.unwrap_or_default(), title: tile });
        }
        Ok(stills)
    }

    async fn board(&self, title: &str, now: Timestamp) -> Result<Option<Board>, StudioError> {
        let title = self.catalogue().find_title(title).await?;
        let key = self.keystore().unseal(title.id, title.epoch, &title.sealed_key, now)?;
        let copies = self.catalogue().copies(Some(title.id)).await?;
        let Some(copy) = copies.first() else { return Ok(None) };
        let bucket = self.bucket_at(&copy.place).await?;
        let manifest = opened(&bucket, &key, &Role::single(title.id, Kind::Manifest)).await?;
        let manifest = manifest.and_then(|json| serde_json::from_slice(&json).ok());
        let facts = manifest.and_then(|manifest: TitleManifest| manifest.storyboard);
        Ok(facts.map(|facts| Board { title, key, bucket, facts }))
    }
}

impl Board {
    async fn tile(&self, title_us: u64) -> Result<Option<Tile>, StudioError> {
        let Some((sheet, tile)) = place(&self.facts, title_us) else { return Ok(None) };
        let title = self.title.id;
        let role =
            Role { title, kind: Kind::Storyboard, rendition: 0, index: sheet, variant: None };
        let sheet = opened(&self.bucket, &self.key, &role).await?;
        Ok(sheet.map(|sheet| Tile { sheet, ..tile }))
    }
}

/// Opens an object of a title.
async fn opened(
    bucket: &Bucket,
    key: &TitleKey,
    role: &Role,
) -> Result<Option<Vec<u8>>, StudioError> {
    let place = title_folder(role.title).join(key.object_name(role).to_string());
    let Some(sealed) = bucket.get(&place).await? else { return Ok(None) };
    Ok(Some(object::open(&key.object_key(role), role, &sealed)?))
}

/// Where the tile of a moment is: the sheet's number, and the tile without its sheet.
fn place(facts: &StoryboardFacts, title_us: u64) -> Option<(u32, Tile)> {
    let StoryboardFacts { tile_width, tile_height, columns, rows, .. } = *facts;
    let tile = title_us.checked_div(facts.interval_us)?;
    let tile = tile.min(facts.tile_count.checked_sub(1)?);
    let a_sheet = u64::from(columns) * u64::from(rows);
    let sheet = u32::try_from(tile.checked_div(a_sheet)?).ok()?;
    let within = u32::try_from(tile % a_sheet).ok()?;
    let at = (within % columns * tile_width, within / columns * tile_height);
    let sheet_size = (columns * tile_width, rows * tile_height);
    let size = (tile_width, tile_height);
    Some((sheet, Tile { sheet: Vec::new(), sheet_size, at, size }))
}

/// The surest slots of as many equal parts of the leak, each with how far into it the moment is: where the title has a picture, else in the
/// middle.
fn moments(evidence: &[Evidence], slot_us: u64, interval_us: Option<u64>) -> Vec<(Evidence, u64)> {
    let into = |shown: &Evidence| {
        let from_us = u64::from(shown.slot) * slot_us;
        let to_us = from_us.next_multiple_of(interval_us.filter(|interval| *interval > 0)?);
        Some((*shown, to_us - from_us)).filter(|(_, into_us)| *into_us < slot_us)
    };
    let mut found: Vec<(Evidence, u64)> = evidence.iter().filter_map(into).collect();
    if found.is_empty() {
        found = evidence.iter().map(|shown| (*shown, slot_us / 2)).collect();
    }
    let part = found.len().div_ceil(STILLS).max(1);
    let surest = |part: &[(Evidence, u64)]| {
        part.iter().copied().max_by(|(one, _), (two, _)| one.confidence.total_cmp(&two.confidence))
    };
    found.chunks(part).filter_map(surest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> StoryboardFacts {
        StoryboardFacts {
            media_type: "image/webp".to_owned(),
            interval_us: 2_000_000,
            tile_width: 160,
            tile_height: 90,
            columns: 5,
            rows: 5,
            tile_count: 60,
            sheets: vec![1; 3],
        }
    }

    #[test]
    fn a_tile_is_where_its_moment_is() {
        let at = |title_us| place(&facts(), title_us).map(|(sheet, tile)| (sheet, tile.at));
        assert_eq!(at(0), Some((0, (0, 0))));
        assert_eq!(at(13_999_999), Some((0, (160, 90))));
        assert_eq!(at(50_000_000), Some((1, (0, 0))));
        assert_eq!(at(u64::MAX), Some((2, (640, 90))));
        let none = StoryboardFacts { tile_count: 0, ..facts() };
        assert_eq!(place(&none, 0), None);
        let broken = StoryboardFacts { interval_us: 0, ..facts() };
        assert_eq!(place(&broken, 0), None);
    }

    #[test]
    fn the_surest_moments_are_shown_from_all_of_the_leak() {
        let evidence: Vec<Evidence> = (0..10)
            .map(|slot| Evidence {
                slot,
                leak_us: 0,
                symbol: 1,
                confidence: if slot % 3 == 1 { 0.9 } else { 0.5 },
            })
            .collect();
        let shown = |interval_us| -> Vec<(u32, u64)> {
            let moments = moments(&evidence, 1_000_000, interval_us);
            moments.iter().map(|(shown, into_us)| (shown.slot, *into_us)).collect()
        };
        assert_eq!(shown(None), [(1, 500_000), (4, 500_000), (7, 500_000), (9, 500_000)]);
        assert_eq!(shown(Some(2_500_000)), [(0, 0), (2, 500_000), (5, 0), (7, 500_000)]);
        assert_eq!(shown(Some(0)).len(), 4);
        assert_eq!(moments(&evidence[..2], 1_000_000, None).len(), 2);
        assert!(moments(&[], 1_000_000, Some(1)).is_empty());
    }
}
