//! The production document: what a video is made of, as one JSON value.
//!
//! Owns: its types, their defaults, and the limits (`docs/format/production.md`); the schema is derived from these types. Refuses to know: files
//! (names in it are looked up later), fields (`merge` fills them in before), providers' addresses and keys, which no document names.
//!
//! Invariant: a [`Production`] that [`Production::from_json`] returns is within every limit here.

mod parts;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::Fault;

pub use parts::{
    Background, CaptionStyle, Captions, Corner, Fit, Motion, Music, Position, Transition, Voice,
    Watermark,
};

/// The version of the document.
pub const VERSION: u32 = 1;
/// Most scenes, intro and outro aside: an hour of short ones.
pub const SCENES_MAX: usize = 500;
/// Longest text of a scene, in characters: five minutes of speech.
pub const TEXT_CHARS_MAX: usize = 5000;
/// Longest heading or title, in characters.
pub const HEADING_CHARS_MAX: usize = 200;
/// Longest scene, in seconds.
pub const SCENE_SECONDS_MAX: f64 = 600.0;
/// Longest transition, in seconds: less than the piece of a scene that it lies in.
pub const TRANSITION_SECONDS_MAX: f64 = 4.0;
/// Most fields, and the longest value of one, in characters.
pub const FIELDS_MAX: usize = 200;
/// Most backgrounds that scenes take in turn.
pub const BACKGROUNDS_MAX: usize = 500;
/// Longest name of a file, in bytes.
pub const FILE_BYTES_MAX: usize = 4096;
/// Smallest and largest height, in pixels.
pub const HEIGHTS: std::ops::RangeInclusive<u32> = 128..=3840;
/// Longest short side, in pixels.
pub const SHORT_SIDE_MAX: u32 = 2160;
/// Frames a second that there are.
pub const RATES: [u32; 5] = [24, 25, 30, 50, 60];

/// A production: everything that a video is made of.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Production {
    /// The version of this document's format; 1.
    #[serde(default = "version")]
    pub version: u32,
    /// What the video is called.
    #[serde(default)]
    pub title: Option<String>,
    /// The shape of the picture.
    #[serde(default)]
    pub format: Shape,
    /// Rows of the picture: 128 to 3840, and no short side above 2160. Where there is none, the short side has 1080.
    #[serde(default)]
    pub height: Option<u32>,
    /// Frames a second: 24, 25, 30, 50 or 60.
    #[serde(default = "fps")]
    pub fps: u32,
    /// Who speaks, where a scene doesn't say.
    #[serde(default)]
    pub voice: Voice,
    /// How loud the voice is; 1 is as it is.
    #[serde(default = "one")]
    pub voice_volume: f64,
    /// How captions look, where a scene doesn't say.
    #[serde(default)]
    pub captions: Captions,
    /// What is behind the scenes, in turn; gradients where there are none.
    #[serde(default)]
    pub backgrounds: Vec<Background>,
    /// How a scene begins, where it doesn't say.
    #[serde(default)]
    pub transition: Transition,
    /// Seconds that it takes, from 0.1 to 4, where a scene doesn't say; 0.3 on each side of black, and 0.5 to appear over another.
    #[serde(default)]
    pub transition_seconds: Option<f64>,
    /// Music under everything.
    #[serde(default)]
    pub music: Option<Music>,
    /// A scene before all others.
    #[serde(default)]
    pub intro: Option<Scene>,
    /// A scene after all others.
    #[serde(default)]
    pub outro: Option<Scene>,
    /// A picture on top of everything.
    #[serde(default)]
    pub watermark: Option<Watermark>,
    /// Values of fields: `{{name}}` in any text of this document is replaced by the value of `name`.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// The scenes.
    #[serde(default)]
    pub scenes: Vec<Scene>,
}

/// The shape of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Shape {
    /// Upright, as phones show it.
    #[default]
    #[serde(rename = "9:16")]
    Portrait,
    /// Wide.
    #[serde(rename = "16:9")]
    Landscape,
    /// As wide as high.
    #[serde(rename = "1:1")]
    Square,
    /// A little higher than wide.
    #[serde(rename = "4:5")]
    Tall,
}

/// One scene.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scene {
    /// A title that is shown, and spoken where the scene has no text.
    pub heading: Option<String>,
    /// What is spoken and shown as captions.
    pub text: String,
    /// Who speaks.
    pub voice: Option<Voice>,
    /// What is behind it.
    pub background: Option<Background>,
    /// How captions look.
    pub captions: Option<Captions>,
    /// Seconds; the scene is never shorter than what is spoken in it.
    pub duration: Option<f64>,
    /// How it begins.
    pub transition: Option<Transition>,
    /// Seconds that this takes.
    pub transition_seconds: Option<f64>,
    /// Seconds of silence after what is spoken.
    pub pause: Option<f64>,
}

fn version() -> u32 {
    VERSION
}
fn fps() -> u32 {
    30
}
fn one() -> f64 {
    1.0
}

impl Production {
    /// Reads a document and checks it.
    ///
    /// # Errors
    /// [`Fault`] with the place in the document.
    pub fn from_json(document: serde_json::Value) -> Result<Self, Fault> {
        let read: Result<Self, _> = serde_path_to_error::deserialize(document);
        let production = read.map_err(|error| {
            let path = error.path().to_string();
            Fault::new(if path == "." { String::new() } else { path }, error.inner().to_string())
        })?;
        super::limits::check(&production)?;
        Ok(production)
    }

    /// Width and height in pixels, both even.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        let (across, down) = self.format.ratio();
        let default = if across < down { 1080 * down / across } else { 1080 };
        let height = self.height.unwrap_or(default) / 2 * 2;
        let width = (height * across).div_ceil(down) / 2 * 2;
        (width, height)
    }
}

impl Shape {
    /// Width to height.
    #[must_use]
    pub fn ratio(self) -> (u32, u32) {
        match self {
            Self::Portrait => (9, 16),
            Self::Landscape => (16, 9),
            Self::Square => (1, 1),
            Self::Tall => (4, 5),
        }
    }
}

/// The schema of the document, as it is published.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Production).to_value()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// `VEILCAST_WRITE_SCHEMA=1` writes it anew: on purpose, with the page beside it and its lock.
    #[test]
    fn the_published_schema_is_that_of_these_types() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let path = root.join("docs/format/production.schema.json");
        let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        if std::env::var_os("VEILCAST_WRITE_SCHEMA").is_some() {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            text,
            "set VEILCAST_WRITE_SCHEMA=1 to write it"
        );
    }

    #[test]
    fn sizes_are_even_and_have_the_shape() {
        let size = |format, height| {
            let document =
                serde_json::json!({ "format": format, "height": height, "scenes": [{}] });
            Production::from_json(document).unwrap().size()
        };
        assert_eq!(size("9:16", None::<u32>), (1080, 1920));
        assert_eq!(size("16:9", None), (1920, 1080));
        assert_eq!(size("4:5", None), (1080, 1350));
        assert_eq!(size("1:1", Some(321)), (320, 320));
        assert_eq!(size("9:16", Some(640)), (360, 640));
        assert_eq!(size("16:9", Some(2160)), (3840, 2160));
    }
}
