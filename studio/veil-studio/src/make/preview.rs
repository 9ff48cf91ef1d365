//! One picture of a production, for whoever edits it: its scene alone, small, silent and quick.
//!
//! Owns: which scene a moment is in, and what of the document that scene needs. Refuses to know: how scenes are rendered.
//!
//! Nothing is spoken: scenes have the length of reading, so that a moment is where it will be about, and words are marked about when they are said.

use serde_json::json;
use tokio::sync::watch;
use veil_ffmpeg::{look, probe};

use super::cache::{Cache, Key};
use super::document::{Background, Captions, Production, Scene, Transition, Voice};
use super::error::{Fault, MakeError};
use super::making::{MakeProgress, MakeRequest, Services, make};
use super::plan::{Part, Span, all_scenes, parts, timeline};
use crate::pipeline::Encoder;

/// The longest side of the picture, in pixels.
const SIDE_MAX: u32 = 640;

/// Which moment to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// A scene by its number from 0, intro and outro aside; where there is none, `at_us` says which.
    pub scene: Option<usize>,
    /// Microseconds from the beginning of the scene, or of the video.
    pub at_us: u64,
}

/// A WebP of a moment of a production, whose files are absolute paths.
///
/// # Errors
/// [`MakeError`]; among them that there is no such scene.
pub async fn still(
    encoder: &Encoder,
    cache: &Cache,
    production: &Production,
    moment: Moment,
) -> Result<Vec<u8>, MakeError> {
    let (alone, at_us) = alone(production, moment)?;
    let version = &encoder.tools.version;
    let key = Key::of("still/1", &json!([version, alone, at_us]));
    if let Some(known) = cache.read(&key, "webp") {
        return Ok(known);
    }
    let work = cache.work()?;
    let out = work.file("still.mp4")?;
    let request = MakeRequest {
        production: alone,
        base: work.path().to_owned(),
        out: out.clone(),
        draft: true,
        services: Services::default(),
    };
    // It is small: it doesn't wait behind runs that share the machine.
    let encoder = Encoder { turns: None, ..encoder.clone() };
    make(&encoder, cache, &request, &watch::Sender::new(MakeProgress::default())).await?;
    let source = probe(&encoder.launcher, &encoder.tools, &out).await?;
    let picture = look::frame(&encoder.launcher, &encoder.tools, &source, at_us).await?;
    let none = || MakeError::Broken("the scene gave no picture".to_owned());
    let bytes = picture.ok_or_else(none)?;
    cache.write(&key, "webp", &bytes)?;
    Ok(bytes)
}

/// The production of the moment's scene alone, and where in it the moment is, in microseconds.
fn alone(production: &Production, moment: Moment) -> Result<(Production, u64), MakeError> {
    let (scenes, parts) = (all_scenes(production), parts(production));
    let fps = production.fps;
    let spans = timeline(&parts, &vec![None; parts.len()], fps)?;
    let us = |frames: u64| frames * 1_000_000 / u64::from(fps);
    let (at, at_us) = match moment.scene {
        Some(number) => (number + usize::from(production.intro.is_some()), moment.at_us),
        None => {
            let is_in = |span: &Span| us(span.first + u64::from(span.frames)) > moment.at_us;
            let at = spans.iter().position(is_in).unwrap_or(spans.len().saturating_sub(1));
            let first = spans.get(at).map_or(0, |span| us(span.first));
            (at, moment.at_us.saturating_sub(first))
        }
    };
    let is_scene = moment.scene.is_none_or(|number| number < production.scenes.len());
    let found = scenes.get(at).zip(parts.get(at)).zip(spans.get(at)).filter(|_| is_scene);
    let none = || Fault::new("scenes", "has no such scene");
    let (((_, scene), part), span) = found.ok_or_else(none)?;
    let length_us = us(u64::from(span.frames));
    let last_us = length_us.saturating_sub(us(1));
    Ok((single(production, scene, part, length_us), at_us.min(last_us)))
}

#[expect(clippy::cast_precision_loss, reason = "minutes, in microseconds")]
fn single(production: &Production, scene: &Scene, part: &Part<'_>, length_us: u64) -> Production {
    let colors = part.colours.map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}"));
    let background = part.background.cloned().unwrap_or(Background::Gradient { colors });
    let scene = Scene {
        voice: Some(Voice::None {}),
        background: Some(background),
        duration: Some(length_us as f64 / 1e6),
        transition: Some(Transition::Cut),
        ..scene.clone()
    };
    let (width, height) = production.size();
    let longest = u64::from(width.max(height).max(SIDE_MAX));
    let small = u64::from(height) * u64::from(SIDE_MAX) / longest;
    Production {
        height: Some(u32::try_from(small).unwrap_or(height).max(*super::document::HEIGHTS.start())),
        backgrounds: Vec::new(),
        // A file of the whole video's captions says nothing of a scene that stands alone.
        captions: Captions { file: None, ..production.captions.clone() },
        transition: Transition::Cut,
        music: None,
        intro: None,
        outro: None,
        scenes: vec![scene],
        ..production.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn production() -> Production {
        Production::from_json(json!({
            "format": "16:9", "fps": 25, "intro": { "heading": "Hi", "duration": 2 },
            "scenes": [{ "text": "one", "duration": 4 }, { "text": "two", "duration": 3 }],
        }))
        .unwrap()
    }

    fn check(scene: Option<usize>, at_us: u64, expected: Option<(&str, u64)>) {
        let found = alone(&production(), Moment { scene, at_us }).ok();
        let found = found.as_ref().map(|(alone, at_us)| (alone.scenes[0].text.as_str(), *at_us));
        assert_eq!(found, expected, "{scene:?} {at_us}");
    }

    #[test]
    fn a_moment_is_in_its_scene() {
        check(None, 0, Some(("", 0)));
        check(None, 2_000_000, Some(("one", 0)));
        check(None, 6_500_000, Some(("two", 500_000)));
        check(None, 99_000_000, Some(("two", 2_960_000)));
        check(Some(1), 500_000, Some(("two", 500_000)));
        check(Some(0), 99_000_000, Some(("one", 3_960_000)));
        check(Some(2), 0, None);
    }

    #[test]
    fn a_scene_alone_is_small_silent_and_as_it_is_among_others() {
        let (alone, _) = alone(&production(), Moment { scene: Some(1), at_us: 0 }).unwrap();
        assert_eq!(alone.size(), (640, 360));
        assert!(alone.intro.is_none() && alone.music.is_none());
        let colours = parts(&production())[2].colours;
        assert_eq!(parts(&alone)[0].voice, &Voice::None {});
        let Some(Background::Gradient { colors }) = &alone.scenes[0].background else { panic!() };
        assert_eq!(
            colors[0],
            format!("#{:02x}{:02x}{:02x}", colours[0][0], colours[0][1], colours[0][2])
        );
    }
}
