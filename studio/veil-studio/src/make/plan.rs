//! What of a production each scene gets, and how long it is.
//!
//! Owns: what holds where a scene says nothing, and the timeline in frames. Refuses to know: files, sound, pixels.
//!
//! Invariant: scenes follow each other without a gap; each has one frame at least, and time for all that is spoken in it.

use super::document::{Background, Captions, Production, Scene, Transition, Voice};
use super::error::MakeError;
use super::script::rules::tidy;
use super::voice::Spoken;
use super::words::words;

/// The longest video, in hours.
const HOURS_MAX: u32 = 4;

/// Silence after what is spoken, in seconds, where a scene doesn't say.
const PAUSE_S: f64 = 0.35;

/// How long a scene without voice and duration is: at least, and for each word, in seconds.
const READING_LEAST_S: f64 = 2.5;
const READING_WORD_S: f64 = 0.4;

/// How long a fade takes on each side of a cut, and a dissolve behind it, in seconds, where a scene doesn't say.
const FADE_S: f64 = 0.3;
const DISSOLVE_S: f64 = 0.5;

/// Pairs of colours that scenes without background take in turn.
const GRADIENTS: [[[u8; 3]; 2]; 6] = [
    [[0x1b, 0x26, 0x6b], [0xc9, 0x4b, 0x8c]],
    [[0x0f, 0x4c, 0x5c], [0xe3, 0x6f, 0x47]],
    [[0x23, 0x1f, 0x50], [0x2a, 0x9d, 0x8f]],
    [[0x3d, 0x0c, 0x3f], [0xd9, 0x6a, 0x3b]],
    [[0x10, 0x2a, 0x43], [0x48, 0x8f, 0xb1]],
    [[0x2d, 0x3a, 0x1f], [0xb0, 0x8d, 0x3c]],
];

/// A scene with all that holds for it.
#[derive(Clone, Debug)]
pub(super) struct Part<'p> {
    /// Its place in the document.
    pub(super) place: String,
    pub(super) heading: Option<String>,
    /// What captions show.
    pub(super) text: String,
    /// What is spoken.
    pub(super) speech: String,
    pub(super) voice: &'p Voice,
    pub(super) captions: &'p Captions,
    /// They are the scene's own: a file of them is timed from its beginning.
    pub(super) own_captions: bool,
    pub(super) background: Option<&'p Background>,
    /// Its colours where there is no background.
    pub(super) colours: [[u8; 3]; 2],
    pub(super) transition: Transition,
    transition_s: f64,
    duration_s: Option<f64>,
    pause_s: f64,
}

/// When a scene is, in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) frames: u32,
}

/// Every scene, intro and outro among them, with its place in the document.
pub(super) fn all_scenes(production: &Production) -> Vec<(String, &Scene)> {
    let scenes = production.scenes.iter().enumerate();
    let intro = production.intro.iter().map(|scene| ("intro".to_owned(), scene));
    let outro = production.outro.iter().map(|scene| ("outro".to_owned(), scene));
    let scenes = scenes.map(|(at, scene)| (format!("scenes[{at}]"), scene));
    intro.chain(scenes).chain(outro).collect()
}

/// What each scene gets.
pub(super) fn parts(production: &Production) -> Vec<Part<'_>> {
    let all = all_scenes(production).into_iter().enumerate();
    all.map(|(at, (place, scene))| {
        let heading = scene.heading.as_deref().map(tidy).filter(|heading| !heading.is_empty());
        let text = tidy(&scene.text);
        let speech =
            if text.is_empty() { heading.clone().unwrap_or_default() } else { text.clone() };
        let in_turn = production.backgrounds.get(at % production.backgrounds.len().max(1));
        let transition = scene.transition.unwrap_or(production.transition);
        let fades = transition == Transition::Fade;
        let seconds = scene.transition_seconds.or(production.transition_seconds);
        Part {
            place,
            heading,
            text,
            speech,
            voice: scene.voice.as_ref().unwrap_or(&production.voice),
            captions: scene.captions.as_ref().unwrap_or(&production.captions),
            own_captions: scene.captions.is_some(),
            background: scene.background.as_ref().or(in_turn),
            colours: GRADIENTS[at % GRADIENTS.len()],
            transition,
            transition_s: seconds.unwrap_or(if fades { FADE_S } else { DISSOLVE_S }),
            duration_s: scene.duration,
            pause_s: scene.pause.unwrap_or(PAUSE_S),
        }
    })
    .collect()
}

impl Part<'_> {
    /// How long it is, in seconds.
    fn length_s(&self, spoken: Option<&Spoken>) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "some minutes, in microseconds")]
        let needed = match spoken {
            Some(spoken) => spoken.duration_us() as f64 / 1e6 + self.pause_s,
            None if self.duration_s.is_some() => 0.0,
            None => READING_LEAST_S.max(words(&self.speech).len() as f64 * READING_WORD_S),
        };
        needed.max(self.duration_s.unwrap_or(0.0))
    }
}

/// Lays scenes one after another.
///
/// # Errors
/// [`MakeError::TooLong`].
pub(super) fn timeline(
    parts: &[Part<'_>],
    spoken: &[Option<Spoken>],
    fps: u32,
) -> Result<Vec<Span>, MakeError> {
    let mut first = 0;
    let mut spans = Vec::with_capacity(parts.len());
    for (part, spoken) in parts.iter().zip(spoken) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes")]
        let frames = (part.length_s(spoken.as_ref()) * f64::from(fps)).ceil().max(1.0) as u32;
        spans.push(Span { first, frames });
        first += u64::from(frames);
    }
    if first > u64::from(fps) * 3600 * u64::from(HOURS_MAX) {
        return Err(MakeError::TooLong(HOURS_MAX));
    }
    Ok(spans)
}

/// How each scene begins and ends, in frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Edges {
    /// Frames over which it comes out of black.
    pub(super) fade_in: u32,
    /// Frames over which it goes into black.
    pub(super) fade_out: u32,
    /// Frames over which it appears over the scene before, which goes on behind its end.
    pub(super) dissolve: u32,
}

/// Lays transitions over scenes: none takes more than half of a scene that it is in, and no scene is longer or shorter for one.
pub(super) fn edges(parts: &[Part<'_>], spans: &[Span], fps: u32) -> Vec<Edges> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some frames")]
    let wanted = |part: &Part<'_>| ((part.transition_s * f64::from(fps)).round() as u32).max(1);
    let half = |at: usize| spans.get(at).map_or(0, |span: &Span| span.frames / 2);
    let is = |at: usize, transition| {
        let begins = parts.get(at).filter(|part| part.transition == transition);
        begins.map_or(0, wanted)
    };
    let each = 0..parts.len();
    each.map(|at| Edges {
        fade_in: is(at, Transition::Fade).min(half(at)),
        fade_out: is(at + 1, Transition::Fade).min(half(at)),
        // Nothing is before the first scene.
        dissolve: if at == 0 { 0 } else { is(at, Transition::Dissolve).min(half(at)) },
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_scene_takes_what_the_document_says_where_it_says_nothing() {
        let production = Production::from_json(json!({
            "voice": { "provider": "none" },
            "transition": "fade",
            "backgrounds": [{ "kind": "gradient", "colors": ["#000000", "#ffffff"] }],
            "intro": { "heading": " Hello \n there " },
            "scenes": [{ "text": "a b", "transition": "cut", "duration": 4 }, { "text": "c" }],
        }))
        .unwrap();
        let parts = parts(&production);
        let places: Vec<&str> = parts.iter().map(|part| part.place.as_str()).collect();
        assert_eq!(places, ["intro", "scenes[0]", "scenes[1]"]);
        assert_eq!(parts[0].speech, "Hello there");
        assert!(parts.iter().all(|part| part.background.is_some()));
        let spans = timeline(&parts, &[None, None, None], 25).unwrap();
        assert_eq!(spans[1], Span { first: 63, frames: 100 });
        let edges = edges(&parts, &spans, 25);
        assert_eq!(edges[0], Edges { fade_in: 8, ..Edges::default() });
        assert_eq!(edges[1], Edges { fade_out: 8, ..Edges::default() });
    }

    #[test]
    fn a_dissolve_lengthens_nothing_and_takes_no_more_than_half_of_its_scene() {
        let production = Production::from_json(json!({
            "transition": "dissolve", "transition_seconds": 2, "voice": { "provider": "none" },
            "scenes": [{ "duration": 4 }, { "duration": 4 }, { "duration": 1 }, { "duration": 4, "transition": "cut" }],
        }))
        .unwrap();
        let parts = parts(&production);
        let spans = timeline(&parts, &[None, None, None, None], 30).unwrap();
        assert_eq!(spans[3], Span { first: 270, frames: 120 });
        let dissolves: Vec<u32> =
            edges(&parts, &spans, 30).iter().map(|edges| edges.dissolve).collect();
        assert_eq!(dissolves, [0, 60, 15, 0]);
    }

    #[test]
    fn nothing_spoken_is_cut_off() {
        let production = Production::from_json(
            json!({ "scenes": [{ "text": "a", "duration": 1, "pause": 0.5 }] }),
        )
        .unwrap();
        let parts = parts(&production);
        let spoken = Spoken { samples: 96_000, ..Spoken::default() };
        let spans = timeline(&parts, &[Some(spoken)], 30).unwrap();
        assert_eq!(spans[0].frames, 75);
        assert!(matches!(
            timeline(
                &vec![parts[0].clone(); 4000],
                &vec![Some(Spoken { samples: 48_000 * 10, ..Spoken::default() }); 4000],
                30
            ),
            Err(MakeError::TooLong(4))
        ));
    }
}
