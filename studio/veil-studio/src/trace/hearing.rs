//! Reading a title's mark in a leak.
//!
//! Owns: which passes are made over the leak, and when they are enough. Refuses to know: candidates, and what is made of what was read.
//!
//! The first pass reads as if the leak showed the title's picture whole and unmoved. Where that finds no mark, bars are cut off, and where that
//! finds none either, the picture's place is searched for in a few windows, and a last pass reads with what was found.

use std::sync::Arc;

use tokio::sync::watch;
use veil_ffmpeg::sight::{Part, View};
use veil_stego::mark::{Geometry, PRESENCE_THRESHOLD, Reader, Reading, Sight, Window, search};

use super::TraceProgress;
use super::bars::Bars;
use super::leak::{Leak, Seen, Told, blocking};
use super::report::GeometryFound;
use super::scout::Pieces;
use crate::StudioError;
use crate::marking::Marking;
use crate::pipeline::Encoder;

/// Windows that the picture's place is searched for in.
const WINDOWS_MAX: usize = 32;

/// What was read.
pub(super) struct Heard {
    pub(super) reading: Reading,
    pub(super) geometry: GeometryFound,
    /// Why the leak breaks off, where it does.
    pub(super) broke_off: Option<String>,
}

/// Looks at pictures in one pass.
struct Pass {
    sight: Sight,
    reader: Reader,
    spread: Spread<Window>,
    bars: Bars,
}

/// Some of all that comes, from first to last, however many come: every so many are kept, and each other of them dropped when they are too many.
struct Spread<T> {
    apart: usize,
    seen: usize,
    kept: Vec<T>,
}

impl<T> Spread<T> {
    fn push(&mut self, one: T) {
        if self.seen.is_multiple_of(self.apart) && self.kept.len() == WINDOWS_MAX {
            let mut is_kept = false;
            self.kept.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
            self.apart *= 2;
        }
        if self.seen.is_multiple_of(self.apart) {
            self.kept.push(one);
        }
        self.seen += 1;
    }
}

impl Pass {
    fn new(marking: &Marking, geometry: Geometry) -> Self {
        Self {
            sight: Sight::new(marking.slot_us),
            reader: Reader::new(&marking.tracing, marking.slot_count, geometry),
            spread: Spread { apart: 1, seen: 0, kept: Vec::new() },
            bars: Bars::new(),
        }
    }

    fn see(&mut self, picture: &[u8]) {
        self.bars.push(picture);
        if let Some(window) = self.sight.push(picture) {
            self.take(window);
        }
    }

    fn take(&mut self, window: Window) {
        self.reader.push(&window);
        self.spread.push(window);
    }
}

/// Whether the mark is there, as pieces of a leak tell that are neither moved nor turned.
pub(super) async fn is_in(pieces: &Pieces, marking: &Arc<Marking>) -> Result<bool, StudioError> {
    let (pictures, marking) = (Arc::clone(&pieces.pictures), Arc::clone(marking));
    blocking(move || {
        let identity = Geometry::identity();
        let mut reader = Reader::new(&marking.tracing, marking.slot_count, identity);
        for piece in pictures.iter() {
            // What lies between two pieces isn't in any window.
            let mut sight = Sight::new(marking.slot_us);
            let windows = piece.iter().filter_map(|picture| sight.push(picture));
            windows.for_each(|window| reader.push(&window));
            sight.finish().iter().for_each(|window| reader.push(window));
        }
        reader.presence() >= PRESENCE_THRESHOLD
    })
    .await
}

pub(super) fn is_present(reading: &Reading) -> bool {
    reading.presence >= PRESENCE_THRESHOLD
}

/// Reads all of a leak.
pub(super) async fn hear(
    leak: &Leak,
    encoder: &Encoder,
    marking: &Arc<Marking>,
    progress: &watch::Sender<TraceProgress>,
) -> Result<Heard, StudioError> {
    let total_us = leak.facts.duration_us;
    let told = |step| Told { step, before_us: 0, total_us, progress };
    let whole = View::default();
    let pass = Pass::new(marking, Geometry::identity());
    let seen = leak.watch(encoder, whole, (pass, Pass::see), told("reading the mark")).await?;
    let (first, windows, bars) = finished(seen, Geometry::identity(), None).await?;
    if is_present(&first.reading) {
        return Ok(first);
    }
    let (mut view, mut windows) = (whole, windows);
    if let Some(part) = bars {
        view = View { part: Some(part), ..whole };
        let pass = Pass::new(marking, Geometry::identity());
        let told = told("reading between the bars");
        let seen = leak.watch(encoder, view, (pass, Pass::see), told).await?;
        let (second, kept, _) = finished(seen, Geometry::identity(), view.part).await?;
        if is_present(&second.reading) {
            return Ok(second);
        }
        windows = kept;
    }
    progress.send_replace(TraceProgress { step: "searching", done_us: 0, total_us: 0 });
    let with = Arc::clone(marking);
    let aspect = aspect(leak, view.part);
    let found = blocking(move || search(&with.tracing, &windows, aspect)).await?;
    let geometry = found.geometry;
    let pass = Pass::new(marking, geometry);
    let seen = leak.watch(encoder, view, (pass, Pass::see), told("reading the moved mark")).await?;
    let (last, ..) = finished(seen, geometry, view.part).await?;
    Ok(if last.reading.presence > first.reading.presence { last } else { first })
}

/// What a pass came to: the reading, windows to search in, and what lies between bars.
async fn finished(
    seen: Seen<Pass>,
    geometry: Geometry,
    part: Option<Part>,
) -> Result<(Heard, Vec<Window>, Option<Part>), StudioError> {
    let Seen { by: mut pass, broke_off, .. } = seen;
    if let Some(window) = pass.sight.finish() {
        pass.take(window);
    }
    let Pass { reader, spread, bars, .. } = pass;
    let reading = blocking(move || reader.finish()).await?;
    let heard = Heard { reading, geometry: within(geometry, part), broke_off };
    Ok((heard, spread.kept, bars.between()))
}

/// Width over height of what is looked at.
fn aspect(leak: &Leak, part: Option<Part>) -> f64 {
    let (width, height) = (f64::from(leak.facts.width.max(1)), f64::from(leak.facts.height.max(1)));
    let (across, down) = part.map_or((1.0, 1.0), |part| (part.width, part.height));
    width * across / (height * down)
}

/// A geometry of a part of the leak as one of all of it.
fn within(geometry: Geometry, part: Option<Part>) -> GeometryFound {
    let all = Part { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };
    let part = part.unwrap_or(all);
    let (scale_x, scale_y) = (geometry.scale_x / part.width, geometry.scale_y / part.height);
    GeometryFound {
        scale_x,
        scale_y,
        x: geometry.x - part.x * scale_x,
        y: geometry.y - part.y * scale_y,
        rotation_deg: geometry.rotation_deg,
        mirrored: geometry.mirrored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_of_all_are_kept_however_many_come() {
        for count in [1_usize, 31, 32, 33, 100, 5000] {
            let mut spread = Spread { apart: 1, seen: 0, kept: Vec::new() };
            (0..count).for_each(|one| spread.push(one));
            let kept = &spread.kept;
            assert!((count.min(WINDOWS_MAX / 2)..=WINDOWS_MAX).contains(&kept.len()), "{kept:?}");
            assert!(kept.windows(2).all(|two| two[1] - two[0] == spread.apart), "{kept:?}");
            assert!(count - kept[kept.len() - 1] <= spread.apart, "{kept:?} of {count}");
        }
    }

    #[test]
    fn a_place_between_bars_is_one_in_all_of_the_leak() {
        let part = Part { x: 0.25, y: 0.0, width: 0.5, height: 1.0 };
        let found = within(Geometry::identity(), Some(part));
        assert_eq!((found.scale_x, found.scale_y, found.x, found.y), (2.0, 1.0, -0.5, 0.0));
        let cropped = Geometry { scale_x: 0.9, x: 0.05, ..Geometry::identity() };
        let found = within(cropped, None);
        assert_eq!((found.scale_x, found.x), (0.9, 0.05));
    }
}
