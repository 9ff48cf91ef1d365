//! What a production may hold: every number and every text of it, held against the limits of `document`.
//!
//! Owns: the words in which a fault is told, with its place. Refuses to know: whether files are there.

use super::document::{
    BACKGROUNDS_MAX, Background, Captions, FIELDS_MAX, FILE_BYTES_MAX, HEADING_CHARS_MAX, HEIGHTS,
    Production, RATES, SCENE_SECONDS_MAX, SCENES_MAX, SHORT_SIDE_MAX, Scene, TEXT_CHARS_MAX,
    TRANSITION_SECONDS_MAX, VERSION, Voice,
};
use super::error::Fault;

/// The longest name of a voice, model or font.
const NAME_CHARS_MAX: usize = 64;

/// Holds a production to the limits.
pub(super) fn check(production: &Production) -> Result<(), Fault> {
    if production.version != VERSION {
        let why = format!("is {}; this program knows {VERSION}", production.version);
        return Err(Fault::new("version", why));
    }
    text("title", production.title.as_deref().unwrap_or_default(), HEADING_CHARS_MAX)?;
    let (width, height) = production.size();
    let asked = production.height.unwrap_or(height);
    if !HEIGHTS.contains(&asked) || width.min(height) > SHORT_SIDE_MAX || width.min(height) < 64 {
        let why = format!(
            "is {asked}; heights go from {} to {}, and the short side to {SHORT_SIDE_MAX}",
            HEIGHTS.start(),
            HEIGHTS.end()
        );
        return Err(Fault::new("height", why));
    }
    if !RATES.contains(&production.fps) {
        return Err(Fault::new("fps", format!("is {}; there are {RATES:?}", production.fps)));
    }
    number("voice_volume", production.voice_volume, 0.0, 4.0)?;
    voice("voice", &production.voice)?;
    captions("captions", &production.captions)?;
    count("backgrounds", production.backgrounds.len(), BACKGROUNDS_MAX)?;
    for (at, one) in production.backgrounds.iter().enumerate() {
        background(&format!("backgrounds[{at}]"), one)?;
    }
    if let Some(music) = &production.music {
        file("music.file", &music.file)?;
        number("music.volume", music.volume, 0.0, 4.0)?;
        number("music.fade_out", music.fade_out, 0.0, 60.0)?;
    }
    if let Some(mark) = &production.watermark {
        file("watermark.file", &mark.file)?;
        number("watermark.width", mark.width, 0.02, 1.0)?;
        number("watermark.opacity", mark.opacity, 0.0, 1.0)?;
    }
    number(
        "transition_seconds",
        production.transition_seconds.unwrap_or(1.0),
        0.1,
        TRANSITION_SECONDS_MAX,
    )?;
    count("fields", production.fields.len(), FIELDS_MAX)?;
    count("scenes", production.scenes.len(), SCENES_MAX)?;
    let named = [("intro", &production.intro), ("outro", &production.outro)];
    for (path, one) in named.into_iter().filter_map(|(path, one)| Some((path, one.as_ref()?))) {
        scene(path, one)?;
    }
    for (at, one) in production.scenes.iter().enumerate() {
        scene(&format!("scenes[{at}]"), one)?;
    }
    if production.scenes.is_empty() && production.intro.is_none() && production.outro.is_none() {
        return Err(Fault::new("scenes", "has none"));
    }
    Ok(())
}

fn scene(path: &str, scene: &Scene) -> Result<(), Fault> {
    let at = |name: &str| format!("{path}.{name}");
    text(&at("text"), &scene.text, TEXT_CHARS_MAX)?;
    let heading = scene.heading.as_deref().unwrap_or_default();
    text(&at("heading"), heading, HEADING_CHARS_MAX)?;
    if let Some(one) = &scene.voice {
        voice(&at("voice"), one)?;
    }
    if let Some(one) = &scene.background {
        background(&at("background"), one)?;
    }
    if let Some(one) = &scene.captions {
        captions(&at("captions"), one)?;
    }
    if let Some(seconds) = scene.duration {
        number(&at("duration"), seconds, 0.1, SCENE_SECONDS_MAX)?;
    }
    let seconds = scene.transition_seconds.unwrap_or(1.0);
    number(&at("transition_seconds"), seconds, 0.1, TRANSITION_SECONDS_MAX)?;
    number(&at("pause"), scene.pause.unwrap_or(0.0), 0.0, 60.0)
}

fn voice(path: &str, voice: &Voice) -> Result<(), Fault> {
    let at = |name: &str| format!("{path}.{name}");
    match voice {
        Voice::Espeak { voice, words_a_minute, pitch } => {
            if !veil_ffmpeg::produce::speak::is_voice_name(voice) {
                let why = format!("{voice:?} is no voice: it has letters, digits, `-`, `_`, `+`");
                return Err(Fault::new(at("voice"), why));
            }
            number(&at("words_a_minute"), f64::from(*words_a_minute), 80.0, 450.0)?;
            number(&at("pitch"), f64::from(*pitch), 0.0, 100.0)
        }
        Voice::Piper { voice } => {
            text(&at("voice"), voice.as_deref().unwrap_or_default(), NAME_CHARS_MAX)
        }
        Voice::Openai { model, voice } => {
            text(&at("model"), model, NAME_CHARS_MAX)?;
            text(&at("voice"), voice, NAME_CHARS_MAX)
        }
        Voice::Recording { file, cut_silence } => {
            self::file(&at("file"), file)?;
            number(&at("cut_silence"), cut_silence.unwrap_or(1.0), 0.1, 10.0)
        }
        Voice::None {} => Ok(()),
    }
}

fn captions(path: &str, captions: &Captions) -> Result<(), Fault> {
    let at = |name: &str| format!("{path}.{name}");
    number(&at("size"), f64::from(captions.size), 50.0, 200.0)?;
    colour(&at("color"), &captions.color)?;
    colour(&at("highlight"), &captions.highlight)?;
    captions.file.as_ref().map_or(Ok(()), |file| self::file(&at("file"), file))?;
    // It stands between commas in a file that FFmpeg reads.
    let fine = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    let font = &captions.font;
    if font.is_empty() || font.chars().count() > NAME_CHARS_MAX || !font.chars().all(fine) {
        let why = format!("{font:?} is no font: a name has letters, digits, spaces and `-_.`");
        return Err(Fault::new(at("font"), why));
    }
    Ok(())
}

fn background(path: &str, background: &Background) -> Result<(), Fault> {
    let at = |name: &str| format!("{path}.{name}");
    match background {
        Background::Gradient { colors } => {
            colors.iter().try_for_each(|one| colour(&at("colors"), one))
        }
        Background::Image { file, .. } => self::file(&at("file"), file),
        Background::Video { file, start, sound, .. } => {
            self::file(&at("file"), file)?;
            number(&at("sound"), *sound, 0.0, 4.0)?;
            number(&at("start"), *start, 0.0, 86_400.0)
        }
    }
}

fn colour(path: &str, text: &str) -> Result<(), Fault> {
    match rgb(text) {
        Some(_) => Ok(()),
        None => Err(Fault::new(path, format!("{text:?} is no colour: write `#rrggbb`"))),
    }
}

/// Red, green and blue of `#rrggbb`.
pub(super) fn rgb(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then_some([part(0)?, part(2)?, part(4)?])
}

fn file(path: &str, name: &str) -> Result<(), Fault> {
    if name.is_empty() || name.len() > FILE_BYTES_MAX || name.contains('\0') {
        return Err(Fault::new(path, "is no name of a file"));
    }
    Ok(())
}

fn text(path: &str, text: &str, chars_max: usize) -> Result<(), Fault> {
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(Fault::new(path, format!("has {chars} characters, at most {chars_max} fit")));
    }
    Ok(())
}

fn count(path: &str, found: usize, most: usize) -> Result<(), Fault> {
    if found > most {
        return Err(Fault::new(path, format!("has {found} entries, at most {most} fit")));
    }
    Ok(())
}

fn number(path: &str, value: f64, least: f64, most: f64) -> Result<(), Fault> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Fault::new(path, format!("is {value}; it goes from {least} to {most}")))
}
