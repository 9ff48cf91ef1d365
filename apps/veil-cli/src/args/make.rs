//! The command line of `make`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::turns::TurnArgs;

pub(crate) const MAKE_EXAMPLES: &str = "\
Examples:
  veilcast make story.txt                                 a video of a text, 1080×1920, spoken and captioned
  veilcast make story.md -o film.mp4 --set format=16:9 --set height=720
  veilcast make story.txt --draft --set height=640        a quick look
  veilcast make story.txt --template brand.json --set captions.style=pop --set voice.voice=de
  veilcast make greeting.json --set name=Ann              fills {{name}} in
  veilcast make greeting.json --batch guests.csv -o 'out/{{name}}.mp4'
                                                          one video for each row
  veilcast make story.txt --export story.json             the document, to be edited; nothing is rendered

A story is plain text (.txt), Markdown (.md) or a production document (.json, docs/format/production.md). Markdown's
headings are titles, and a picture on its own line is the background of what follows it. --set changes any member of the
document by its path, such as captions.style or scenes.0.text; any other name is a field for {{name}}.

Captions lie beside the video as .vtt and .srt. What was rendered once is kept in the data folder (5 GB, 7 days), so that a
change costs no more than the scenes that it touches.

Voices: espeak-ng speaks on this machine. `--set voice.provider=piper` asks a Piper server (VEILCAST_PIPER_URL),
`voice.provider=openai` an OpenAI-compatible one (VEILCAST_OPENAI_URL, and the key in VEILCAST_OPENAI_KEY or in the file
that VEILCAST_OPENAI_KEY_FILE names), `voice.provider=none` nobody.";

/// Who turns a story into scenes.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ScriptArg {
    /// Rules, on this machine: headings, paragraphs, sentences
    Rules,
    /// A model behind VEILCAST_OPENAI_URL; it rewrites the story
    Openai,
}

/// `veilcast make`.
#[derive(Args, Debug)]
pub(crate) struct MakeArgs {
    /// The story: .txt, .md, or a production document in .json
    pub(crate) story: PathBuf,
    /// A production document without scenes, which holds where the story says nothing
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
    /// Set a member of the document or a field, such as height=640; may be given again
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,
    /// Make a video for each row of a CSV table, whose first row names the fields
    #[arg(long, value_name = "TABLE")]
    pub(crate) batch: Option<PathBuf>,
    /// The video to write: .mp4. With --batch, {{field}} in it is the row's value, or else a number is added
    /// [default: the story's name, in this folder]
    #[arg(short, long = "output", value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Overwrite OUT and its captions if they are there
    #[arg(long)]
    pub(crate) force: bool,
    /// Encode as quickly as it goes, for a look
    #[arg(long)]
    pub(crate) draft: bool,
    /// Write the production document to FILE and render nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["batch", "output"])]
    pub(crate) export: Option<PathBuf>,
    /// Who turns a story into scenes
    #[arg(long, value_enum, default_value_t = ScriptArg::Rules)]
    pub(crate) script: ScriptArg,
    #[command(flatten)]
    pub(crate) services: ServiceArgs,
    #[command(flatten)]
    pub(crate) turns: TurnArgs,
}

/// Services that may be asked.
#[derive(Args, Debug)]
#[command(next_help_heading = "Services")]
pub(crate) struct ServiceArgs {
    /// A Piper server, such as http://127.0.0.1:5000
    #[arg(long, value_name = "URL", env = "VEILCAST_PIPER_URL")]
    pub(crate) piper_url: Option<String>,
    /// An OpenAI-compatible interface, such as https://host/v1, for voices and scripts
    #[arg(long, value_name = "URL", env = "VEILCAST_OPENAI_URL")]
    pub(crate) openai_url: Option<String>,
    /// The file whose first line is its key [default: the variable VEILCAST_OPENAI_KEY]
    #[arg(long, value_name = "FILE", env = "VEILCAST_OPENAI_KEY_FILE")]
    pub(crate) openai_key_file: Option<PathBuf>,
    /// The model that writes the script
    #[arg(
        long,
        value_name = "MODEL",
        env = "VEILCAST_OPENAI_MODEL",
        default_value = "gpt-4o-mini"
    )]
    pub(crate) openai_model: String,
}

/// `NAME=VALUE`.
fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("NAME=VALUE, such as height=640".to_owned()),
    }
}
