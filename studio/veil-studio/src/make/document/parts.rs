//! What scenes are made of: voices, captions, backgrounds, music, marks.
//!
//! Owns: these types and their defaults. Refuses to know: how a document is read and held to its limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "provider", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Voice {
    /// espeak-ng, on this machine: any language, and a time for each word.
    Espeak {
        /// A voice, as `espeak-ng --voices` lists them.
        #[serde(default = "english")]
        voice: String,
        /// Speed, from 80 to 450.
        #[serde(default = "words_a_minute")]
        words_a_minute: u32,
        /// From 0 to 100.
        #[serde(default = "pitch")]
        pitch: u32,
    },
    /// A Piper server; its address is a setting of who runs this program.
    Piper {
        /// One of the server's voices; its own default where there is none.
        #[serde(default)]
        voice: Option<String>,
    },
    /// Speech by an interface like `OpenAI`'s; address and key are settings of who runs this program.
    Openai {
        /// The model.
        #[serde(default = "speech_model")]
        model: String,
        /// The voice.
        #[serde(default = "speech_voice")]
        voice: String,
    },
    /// A recording of this scene's text.
    Recording {
        /// The file: whatever FFmpeg reads.
        file: String,
        /// Silences are shortened to so many seconds, from 0.1 to 10.
        #[serde(default)]
        cut_silence: Option<f64>,
    },
    /// Nobody.
    None {},
}

/// How captions look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Captions {
    /// What marks the word that is spoken.
    pub style: CaptionStyle,
    /// Where they stand, within what phones and players leave free.
    pub position: Position,
    /// Size in percent, from 50 to 200.
    pub size: u32,
    /// The colour of the text, `#rrggbb`.
    pub color: String,
    /// The colour of the word that is spoken, or of boxes.
    pub highlight: String,
    /// A font of the system.
    pub font: String,
    /// What is shown instead of what is spoken: `SubRip`, WebVTT or Advanced `SubStation` Alpha. A scene's file is timed from its beginning, that of
    /// all scenes from the video's.
    pub file: Option<String>,
}

/// What marks the word that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CaptionStyle {
    /// Words fill with colour as they are spoken.
    #[default]
    Highlight,
    /// A few words at a time, which pop up.
    Pop,
    /// A box behind the word.
    Pill,
    /// A box behind the lines.
    Block,
    /// No captions in the picture.
    None,
}

/// Where captions stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// At the top.
    Top,
    /// In the middle.
    Middle,
    /// At the bottom.
    #[default]
    Bottom,
}

/// What is behind a scene.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Background {
    /// Two colours that flow into each other.
    Gradient {
        /// Both, `#rrggbb`.
        colors: [String; 2],
    },
    /// A picture: PNG, JPEG or WebP.
    Image {
        /// The file.
        file: String,
        /// How it moves.
        #[serde(default)]
        motion: Motion,
    },
    /// A video; again and again, if it is shorter than the scene.
    Video {
        /// The file.
        file: String,
        /// How it fills the picture.
        #[serde(default)]
        fit: Fit,
        /// Seconds of it that are left out at its beginning.
        #[serde(default)]
        start: f64,
        /// How loud its sound is, from 0 to 4; 1 is as it is.
        #[serde(default)]
        sound: f64,
    },
}

/// How a picture moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Motion {
    /// Nearer.
    #[default]
    ZoomIn,
    /// Farther.
    ZoomOut,
    /// The eye goes to the right.
    PanRight,
    /// The eye goes to the left.
    PanLeft,
    /// Not at all.
    None,
}

/// How a video of another shape fills the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Its edges are cut off.
    #[default]
    Crop,
    /// Bars of black.
    Pad,
    /// Before itself, large and blurred.
    BlurPad,
}

/// How a scene begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transition {
    /// At once.
    #[default]
    Cut,
    /// The scene before goes into black, this one comes out of it.
    Fade,
    /// It appears over the scene before.
    Dissolve,
}

/// Music under everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Music {
    /// The file: whatever FFmpeg reads; again and again, if it is shorter than the video.
    pub file: String,
    /// How loud it is; 1 is as it is.
    #[serde(default = "music_volume")]
    pub volume: f64,
    /// Whether it steps back while somebody speaks.
    #[serde(default = "yes")]
    pub duck: bool,
    /// Seconds over which it ends.
    #[serde(default = "fade_out")]
    pub fade_out: f64,
}

/// A picture on top of everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watermark {
    /// The file: PNG, JPEG or WebP.
    pub file: String,
    /// The corner.
    #[serde(default)]
    pub position: Corner,
    /// Its width as a part of the picture's, from 0.02 to 1.
    #[serde(default = "mark_width")]
    pub width: f64,
    /// How much of it is seen, from 0 to 1.
    #[serde(default = "mark_opacity")]
    pub opacity: f64,
}

/// A corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "corners explain themselves")]
pub enum Corner {
    TopLeft,
    #[default]
    TopRight,
    BottomLeft,
    BottomRight,
}

fn english() -> String {
    "en".to_owned()
}

fn words_a_minute() -> u32 {
    165
}

fn pitch() -> u32 {
    50
}

fn speech_model() -> String {
    "tts-1".to_owned()
}

fn speech_voice() -> String {
    "alloy".to_owned()
}

fn music_volume() -> f64 {
    0.25
}

fn fade_out() -> f64 {
    2.0
}

fn mark_width() -> f64 {
    0.15
}

fn mark_opacity() -> f64 {
    0.7
}

fn yes() -> bool {
    true
}

impl Default for Voice {
    fn default() -> Self {
        Self::Espeak { voice: english(), words_a_minute: words_a_minute(), pitch: pitch() }
    }
}

impl Default for Captions {
    fn default() -> Self {
        Self {
            style: CaptionStyle::default(),
            position: Position::default(),
            size: 100,
            color: "#ffffff".to_owned(),
            highlight: "#ffd400".to_owned(),
            font: "Noto Sans".to_owned(),
            file: None,
        }
    }
}
