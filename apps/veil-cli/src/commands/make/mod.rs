//! `veilcast make`: from a story to a video.

mod place;
pub(crate) mod services;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::sync::watch;
use veil_studio::make::cache::Cache;
use veil_studio::make::document::Production;
use veil_studio::make::script::rules::Rules;
use veil_studio::make::script::{STORY_BYTES_MAX, Script, ScriptProvider};
use veil_studio::make::{
    Fault, Made, MakeError, MakeProgress, MakeRequest, Services, make, story, table,
};
use veil_studio::pipeline::Encoder;

use self::place::{Place, captions_beside};
use crate::args::make::{MakeArgs, ScriptArg};
use crate::commands::import::encoder;
use crate::commands::stop_signal;
use crate::error::CliError;
use crate::output::{self, Format, note};
use crate::sealed::refusal::unreadable;
use crate::{progress, turns};

pub(crate) async fn run(
    args: &MakeArgs,
    data: Option<&Path>,
    format: Format,
) -> Result<(), CliError> {
    tokio::select! {
        // Dropping the work removes every file that isn't in its place yet.
        done = work(args, data, format) => done,
        stopped = stop_signal() => {
            stopped?;
            Err(CliError::new("the run was stopped; nothing was kept that isn't finished"))
        }
    }
}

async fn work(args: &MakeArgs, data: Option<&Path>, format: Format) -> Result<(), CliError> {
    let document = document(args).await?;
    if let Some(path) = &args.export {
        return export(&document, args, path, format);
    }
    let videos = videos(args, &document)?;
    let services = services::services(&args.services)?;
    let folder = data.map_or_else(crate::default_data, |data| Ok(data.to_owned()))?;
    let cache = Cache::open(&folder.join("cache/make"))?;
    let turns = turns::open(&args.turns.budget, args.turns.no_wait, data)?;
    let encoder = Encoder { turns: Some(turns), ..encoder().await? };
    let count = videos.len();
    let mut answers = Vec::new();
    for (at, video) in videos.into_iter().enumerate() {
        let one = One { encoder: &encoder, cache: &cache, services: &services, args };
        let name = video.out.display().to_string();
        let made = one.make(video).await.map_err(|error| match (count, answers.len()) {
            (1, _) => error,
            (_, done) => CliError {
                message: format!("row {}: {}; {done} videos are made", at + 1, error.message),
                ..error
            },
        })?;
        let summary = text(&made, &name);
        if count > 1 {
            note(&format!("{} of {count}: {summary}", at + 1));
        }
        answers.push((answer(&made, &name), summary));
    }
    match answers.as_slice() {
        [(value, text)] if args.batch.is_none() => format.answer(value, || text.clone()),
        all => {
            let values: Vec<&Value> = all.iter().map(|(value, _)| value).collect();
            format.answer(&json!({ "videos": values }), || format!("made {} videos", all.len()));
        }
    }
    Ok(())
}

/// The document of a story, before fields are filled in; relative names of files begin where the story lies.
async fn document(args: &MakeArgs) -> Result<Value, CliError> {
    let extension = args.story.extension().and_then(|end| end.to_str()).unwrap_or_default();
    let extension = extension.to_ascii_lowercase();
    let text = read_text(&args.story)?;
    let mut document = match extension.as_str() {
        "json" => parse(&text, &args.story)?,
        "txt" | "text" | "md" | "markdown" => {
            let script = script(args, &text, extension.starts_with('m')).await?;
            story::of_script(&script).map_err(|fault| at(&args.story, &fault))?
        }
        _ => {
            return Err(CliError::new(format!("{} is no story", args.story.display()))
                .hint("a story ends in .txt, .md or .json"));
        }
    };
    story::anchor(&mut document, &folder_of(&args.story)?);
    if let Some(path) = &args.template {
        let mut template = parse(&read_text(path)?, path)?;
        story::anchor(&mut template, &folder_of(path)?);
        document = story::over(template, document).map_err(|fault| at(path, &fault))?;
    }
    Ok(document)
}

async fn script(args: &MakeArgs, text: &str, markdown: bool) -> Result<Script, CliError> {
    let provider: Box<dyn ScriptProvider> = match args.script {
        ScriptArg::Rules => Box::new(Rules { markdown }),
        ScriptArg::Openai => Box::new(services::chat(&args.services)?),
    };
    Ok(provider.scenes(text).await?)
}

/// What is to be made: one video, or one for each row of the table.
struct Video {
    production: Production,
    out: PathBuf,
}

fn videos(args: &MakeArgs, document: &Value) -> Result<Vec<Video>, CliError> {
    let read = |fields: &BTreeMap<String, String>| {
        story::read(document.clone(), &args.settings, fields).map_err(MakeError::from)
    };
    let out = match &args.output {
        Some(out) => out.clone(),
        None => Path::new(args.story.file_name().unwrap_or_default()).with_extension("mp4"),
    };
    if out.extension().is_none_or(|end| !end.eq_ignore_ascii_case("mp4")) {
        return Err(CliError::new(format!("{} names no video", out.display()))
            .hint("the output ends in .mp4"));
    }
    let Some(path) = &args.batch else {
        return Ok(vec![Video { production: read(&BTreeMap::new())?, out }]);
    };
    let rows = table::rows(read_text(path)?.as_bytes()).map_err(|fault| at(path, &fault))?;
    let mut videos: Vec<Video> = Vec::with_capacity(rows.len());
    for (number, fields) in rows.iter().enumerate() {
        let out = place::of_row(&out, number + 1, fields);
        if let Some(same) = videos.iter().position(|video| video.out == out) {
            let (first, second) = (same + 1, number + 1);
            let name = out.display();
            return Err(CliError::new(format!("rows {first} and {second} would both be {name}"))
                .hint("name OUT by a column whose values differ, or by none"));
        }
        // Every row is checked before the first is rendered.
        let production = read(fields).map_err(|error| {
            let error = CliError::from(error);
            CliError { message: format!("row {}: {}", number + 1, error.message), ..error }
        })?;
        videos.push(Video { production, out });
    }
    Ok(videos)
}

/// What all videos of a command share.
struct One<'o> {
    encoder: &'o Encoder,
    cache: &'o Cache,
    services: &'o Services,
    args: &'o MakeArgs,
}

impl One<'_> {
    async fn make(&self, video: Video) -> Result<Made, CliError> {
        let force = self.args.force;
        let [vtt, srt] = captions_beside(&video.out);
        let place = Place::begin(&video.out, force)?;
        let places = [Place::begin(&vtt, force)?, Place::begin(&srt, force)?];
        let request = MakeRequest {
            production: video.production,
            base: folder_of(&self.args.story)?,
            out: place.path().to_owned(),
            draft: self.args.draft,
            services: self.services.clone(),
        };
        let before = match &self.encoder.turns {
            Some(turns) => turns.before(),
            None => watch::channel(0).1,
        };
        let (sender, receiver) = watch::channel(MakeProgress::default());
        let bar = tokio::spawn(progress::show_frames(receiver, before));
        let made = make(self.encoder, self.cache, &request, &sender).await;
        drop(sender);
        let _ = bar.await;
        let made = made?;
        for (place, text) in places.into_iter().zip([&made.webvtt, &made.subrip]) {
            if !text.is_empty() {
                place.fill(text)?;
            }
        }
        place.publish()?;
        Ok(made)
    }
}

fn export(document: &Value, args: &MakeArgs, path: &Path, format: Format) -> Result<(), CliError> {
    let production = story::read(document.clone(), &args.settings, &BTreeMap::new());
    let production = production.map_err(MakeError::from)?;
    let text = serde_json::to_string_pretty(&production).unwrap_or_default();
    Place::begin(path, args.force)?.fill(&format!("{text}\n"))?;
    let name = path.display().to_string();
    let scenes = production.scenes.len();
    format.answer(&json!({ "file": name, "scenes": scenes }), || {
        format!("wrote {scenes} scenes to {name}; `veilcast make {name}` renders them")
    });
    Ok(())
}

fn parse(text: &str, path: &Path) -> Result<Value, CliError> {
    serde_json::from_str(text).map_err(|error| at(path, &Fault::new("", error.to_string())))
}

fn read_text(path: &Path) -> Result<String, CliError> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| unreadable(&error, &name))?;
    let read = file.take(STORY_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(&error, &name))?;
    if bytes.len() > STORY_BYTES_MAX {
        return Err(CliError::new(format!("{name} has more than {} MiB", STORY_BYTES_MAX >> 20)));
    }
    String::from_utf8(bytes).map_err(|_| {
        CliError::new(format!("{name} is no text in UTF-8")).hint("convert it: iconv -t UTF-8")
    })
}

fn folder_of(path: &Path) -> Result<PathBuf, CliError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    folder.canonicalize().map_err(|error| unreadable(&error, &folder.display().to_string()))
}

fn at(path: &Path, fault: &Fault) -> CliError {
    CliError::new(format!("{}: {fault}", path.display()))
}

fn answer(made: &Made, name: &str) -> Value {
    json!({
        "file": name,
        "width": made.width,
        "height": made.height,
        "fps": made.fps,
        "duration_us": made.duration_us(),
        "scenes": made.scenes,
        "rendered_scenes": made.rendered,
        "pieces": made.pieces,
        "rendered_pieces": made.rendered_pieces,
        "spoken_scenes": made.spoken,
        "loudness_lufs": made.loudness.map(|loudness| loudness.lufs),
        "true_peak_dbtp": made.loudness.map(|loudness| loudness.peak_dbtp),
    })
}

fn text(made: &Made, name: &str) -> String {
    let length = output::duration(i64::try_from(made.duration_us()).unwrap_or(i64::MAX));
    let reused = made.scenes - made.rendered;
    let reused = if reused > 0 { format!(", {reused} of them made before") } else { String::new() };
    let scenes = if made.scenes == 1 { "scene" } else { "scenes" };
    format!(
        "made {name}: {}×{}, {length}, {} {scenes}{reused}",
        made.width, made.height, made.scenes
    )
}

impl From<MakeError> for CliError {
    fn from(error: MakeError) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}
