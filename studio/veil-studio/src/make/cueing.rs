//! What captions say and when: words that are spoken, or a file of somebody else's.
//!
//! Owns: which of both holds for a scene, and its times from the scene's beginning and from the video's. Refuses to know: how captions look.

use super::captions::ass::Layout;
use super::captions::{Cue, Room, cues, import, lines};
use super::document::{CaptionStyle, Production};
use super::media::{Looked, Media, Medium};
use super::plan::{Part, Span};
use super::speaking::Speech;
use super::voice::silence::shifted;
use super::words::{TimedWord, align, words};

/// The captions of each scene, timed from its beginning.
pub(super) fn captions(
    production: &Production,
    media: &Media,
    parts: &[Part<'_>],
    spans: &[Span],
    speeches: &[Option<Speech>],
) -> Vec<Vec<Cue>> {
    let each = parts.iter().zip(spans).zip(speeches);
    each.map(|((part, span), speech)| {
        let scene_us = u64::from(span.frames) * 1_000_000 / u64::from(production.fps);
        let layout = Layout::new(production.format, production.size(), part.captions);
        let style = match part.captions.style {
            // Files beside the video are written all the same.
            CaptionStyle::None => CaptionStyle::Highlight,
            style => style,
        };
        let room = layout.room(style);
        let file = part.captions.file.as_deref().and_then(|file| media.get(file));
        if let Some(Looked { medium: Medium::Captions(written), .. }) = file {
            let from_us = span.first * 1_000_000 / u64::from(production.fps);
            let shown = match part.own_captions {
                true => own(written, speech.as_ref()),
                false => from(written, from_us, scene_us),
            };
            return fitted(shown, room, scene_us);
        }
        cues(&timed_words(part, scene_us, speech.as_ref()), room, scene_us)
    })
    .collect()
}

fn timed_words(part: &Part<'_>, scene_us: u64, speech: Option<&Speech>) -> Vec<TimedWord> {
    let words = words(&part.text);
    match speech {
        Some(Speech { spoken, .. }) => {
            let (start, end) = spoken.speech_us;
            align(words, &spoken.anchors, (start, end.min(scene_us)))
        }
        None => align(words, &[], (0, scene_us.saturating_sub(300_000))),
    }
}

/// Captions of all scenes, timed from the beginning of the video.
pub(super) fn on_one_clock(said: &[Vec<Cue>], spans: &[Span], fps: u32) -> Vec<Cue> {
    let mut all = Vec::new();
    for (cues, span) in said.iter().zip(spans) {
        let from = span.first * 1_000_000 / u64::from(fps);
        for cue in cues {
            let mut cue = cue.clone();
            retime(&mut cue, |us| us + from);
            all.push(cue);
        }
    }
    all
}

/// A file of a scene's own: it was timed with the recording, before silences were cut out of that.
fn own(written: &[Cue], speech: Option<&Speech>) -> Vec<Cue> {
    let removed = speech.map_or(&[][..], |speech| &speech.spoken.removed);
    let mut moved = written.to_vec();
    for cue in &mut moved {
        retime(cue, |us| shifted(us, removed));
    }
    moved
}

/// What of a file of the whole video's lies in a scene.
fn from(written: &[Cue], from_us: u64, scene_us: u64) -> Vec<Cue> {
    let to_us = from_us + scene_us;
    let seen = written.iter().filter(|cue| cue.start_us < to_us && cue.end_us > from_us);
    let mut moved: Vec<Cue> = seen.cloned().collect();
    for cue in &mut moved {
        import::clip(cue, from_us, to_us);
        retime(cue, |us| us - from_us);
    }
    moved
}

fn retime(cue: &mut Cue, moved: impl Fn(u64) -> u64) {
    (cue.start_us, cue.end_us) = (moved(cue.start_us), moved(cue.end_us));
    for word in &mut cue.words {
        (word.start_us, word.end_us) = (moved(word.start_us), moved(word.end_us));
    }
}

/// Captions as they were written, but for those that are longer than a scene's room; none beyond the scene.
fn fitted(written: Vec<Cue>, room: Room, scene_us: u64) -> Vec<Cue> {
    let mut fitted = Vec::with_capacity(written.len());
    for mut cue in written.into_iter().filter(|cue| cue.start_us < scene_us) {
        import::clip(&mut cue, 0, scene_us);
        let fits = cue.words.len() <= room.words
            && lines(cue.words.iter(), room.columns).len() <= room.lines;
        match fits {
            true => fitted.push(cue),
            false => fitted.extend(cues(&cue.words, room, cue.end_us)),
        }
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { columns: 20, lines: 2, words: 12 };

    fn written() -> Vec<Cue> {
        let file = "1\n00:00:01,000 --> 00:00:02,000\none two\n\n2\n00:00:02,500 --> 00:00:04,000\nthree\n";
        import::read(file.as_bytes()).unwrap()
    }

    fn told(cues: &[Cue]) -> Vec<(u64, u64, String)> {
        cues.iter().map(|cue| (cue.start_us / 1000, cue.end_us / 1000, cue.text())).collect()
    }

    #[test]
    fn a_file_of_the_whole_is_cut_at_scenes() {
        let shown = fitted(from(&written(), 1_500_000, 1_500_000), ROOM, 1_500_000);
        let expected = [(0, 500, "one two".to_owned()), (1000, 1500, "three".to_owned())];
        assert_eq!(told(&shown), expected);
        assert!(from(&written(), 5_000_000, 1_000_000).is_empty());
    }

    #[test]
    fn what_is_longer_than_its_room_is_divided() {
        let file = format!("1\n00:00:00,000 --> 00:00:06,000\n{}\n", "word ".repeat(24));
        let cues = fitted(import::read(file.as_bytes()).unwrap(), ROOM, 5_000_000);
        assert!(cues.len() >= 3, "{cues:?}");
        assert!(cues.windows(2).all(|pair| pair[0].end_us <= pair[1].start_us));
        assert_eq!(cues.last().unwrap().end_us, 5_000_000);
    }
}
