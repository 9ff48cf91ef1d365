//! Which title a leak may be of: a look at pieces of it, and at all that marked titles look like.
//!
//! Owns: which pieces, and in which order titles come. Refuses to know: marks. Invariant: what is kept in memory is bounded: pictures of
//! about a minute, and one title's likeness at a time.

use std::sync::Arc;

use veil_ffmpeg::sight::{HEIGHT, PICTURE_BYTES, View, WIDTH};
use veil_seal::id::TitleId;
use veil_stego::{Depth, Picture};

use super::leak::{Leak, PICTURE_US, Told, blocking};
use super::likeness::{Onlooker, STEP_US};
use super::matching::{self, Match, RUN_STEPS, Run, WORTH};
use crate::pipeline::Encoder;
use crate::{Studio, StudioError};

/// Time of a run in microseconds.
const RUN_US: u64 = RUN_STEPS as u64 * STEP_US;

/// Runs that a leak is known by: about a minute.
const RUNS: u64 = 8;

/// Titles that are alike and looked at closer.
const CANDIDATES_MAX: usize = 4;

/// Other marked titles whose mark is looked for where none that is alike has one.
const OTHERS_MAX: usize = 32;

/// Pieces of a leak.
pub(super) struct Pieces {
    /// What they look like.
    pub(super) runs: Arc<Vec<Run>>,
    /// Their pictures.
    pub(super) pictures: Arc<Vec<Vec<Vec<u8>>>>,
}

/// A title that a leak may be of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) title: TitleId,
    /// `None` for one that doesn't look like it.
    pub(super) alike: Option<Match>,
}

struct Look {
    onlooker: Onlooker,
    pictures: Vec<Vec<u8>>,
}

/// How much of a leak [`pieces`] reads, in microseconds.
pub(super) fn pieces_us(duration_us: u64) -> u64 {
    starts(duration_us).len() as u64 * RUN_US
}

/// Where pieces begin: side by side in a short leak, spread over a long one.
fn starts(duration_us: u64) -> Vec<u64> {
    if duration_us <= RUNS * RUN_US {
        let whole = duration_us.div_ceil(RUN_US).clamp(1, RUNS);
        return (0..whole).map(|run| run * RUN_US).collect();
    }
    (0..RUNS).map(|run| run * (duration_us - RUN_US) / (RUNS - 1)).collect()
}

/// Looks at pieces of a leak.
pub(super) async fn pieces(
    leak: &Leak,
    encoder: &Encoder,
    told: Told<'_>,
) -> Result<Pieces, StudioError> {
    let shape = Picture::new(WIDTH, HEIGHT, Depth::Eight, true);
    let shape = shape.map_err(|error| StudioError::Worker(error.to_string()))?;
    let (mut runs, mut pictures) = (Vec::new(), Vec::new());
    for (from_us, before) in starts(leak.facts.duration_us).into_iter().zip(0..) {
        let look = Look { onlooker: Onlooker::new(shape), pictures: Vec::new() };
        let view = View { from_us, length_us: Some(RUN_US), part: None };
        let told = Told { before_us: before * RUN_US, ..told };
        let seen = leak.watch(encoder, view, (look, see), told).await?;
        let steps = seen.by.onlooker.finish().steps;
        runs.push(Run { steps });
        pictures.push(seen.by.pictures);
    }
    Ok(Pieces { runs: Arc::new(runs), pictures: Arc::new(pictures) })
}

fn see(look: &mut Look, picture: &[u8]) {
    let index = look.pictures.len();
    // A header may tell a wrong length, and FFmpeg seek to a wrong place.
    if (index as u64) < RUN_US / PICTURE_US && picture.len() == PICTURE_BYTES {
        look.onlooker.push(index as u64 * PICTURE_US, picture);
        look.pictures.push(picture.to_vec());
    }
}

impl Studio {
    /// The marked titles that a leak may be of: first those that it looks like, the likest first, then some of the others.
    pub(super) async fn candidates(&self, pieces: &Pieces) -> Result<Vec<Candidate>, StudioError> {
        let (mut alike, mut others): (Vec<(TitleId, Match)>, Vec<Candidate>) = Default::default();
        let mut after = None;
        while let Some((title, likeness)) = self.catalogue().likeness_after(after).await? {
            after = Some(title);
            let runs = Arc::clone(&pieces.runs);
            let found = blocking(move || matching::compare(&runs, &likeness)).await?;
            match found.filter(|found| found.score >= WORTH) {
                Some(found) => alike.push((title, found)),
                None if others.len() < OTHERS_MAX => others.push(Candidate { title, alike: None }),
                None => {}
            }
        }
        alike.sort_by(|(_, one), (_, two)| two.score.total_cmp(&one.score));
        let alike = alike.into_iter().take(CANDIDATES_MAX);
        let alike = alike.map(|(title, found)| Candidate { title, alike: Some(found) });
        Ok(alike.chain(others).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_leak_is_seen_whole_and_a_long_one_from_end_to_end() {
        assert_eq!(starts(0), [0]);
        assert_eq!(starts(20_000_000), [0, RUN_US, 2 * RUN_US]);
        assert_eq!(starts(64_000_000).len(), 8);
        let long = starts(7_200_000_000);
        assert_eq!((long.len(), long[0], long[7]), (8, 0, 7_200_000_000 - RUN_US));
        assert_eq!(pieces_us(7_200_000_000), 64_000_000);
    }
}
