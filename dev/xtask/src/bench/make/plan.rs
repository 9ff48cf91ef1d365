//! The film that all sides of the bench make, and the command of each.
//!
//! The captions and the narration come of a small run of ours, so that no side has to speak or to lay words.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of};

/// What is said in each scene, and the sample that is behind it.
const SCENES: [(&str, &str); 6] = [
    (
        "chelsea.png",
        "The cat had slept on the warm stones all day. Nobody who came by would have said that she was waiting for anything.",
    ),
    (
        "rocket.jpg",
        "Far away, on the other side of the bay, somebody had lit a fire that went straight up into the morning.",
    ),
    (
        "coffee.png",
        "In the kitchen the coffee was getting cold, as it did every day when there was more to look at than to drink.",
    ),
    (
        "hubble_deep_field.jpg",
        "Every point of light up there is a city of stars, and most of them had gone out before we began to count.",
    ),
    (
        "chelsea.png",
        "The cat knew nothing of this. She knew the door, the bowl, and the sound of the boat when it came home.",
    ),
    (
        "rocket.jpg",
        "And when it came, she got up, stretched one leg after the other, and went down to the water without any haste.",
    ),
];

/// Seconds of a scene: more than is spoken in it.
const SCENE_S: u32 = 10;

/// The scene whose caption changes, and what is said in it then.
const CHANGE: &str = "scenes.2.text=In the kitchen the tea was getting cold, as it did every day when there was so much to look at.";

const MUSIC: &str = "ambi_piano.flac";
const FPS: u32 = 30;
const WIDTH: u32 = 1080;
const HEIGHT: u32 = 1920;

/// The font's file for MoviePy, which knows no names; the others ask for it by its name.
const FONT: &str = "/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf";

/// A twelfth of the width, as `veilcast make` has it.
const FONT_SIZE: u32 = WIDTH / 12;

/// The film, with what is known of it.
pub(super) struct Plan<'r> {
    repo: &'r Repo,
    folder: PathBuf,
    images: PathBuf,
    music: PathBuf,
    captions: Vec<Value>,
}

impl<'r> Plan<'r> {
    /// Writes the film's documents into a folder, and has its narration spoken.
    pub(super) fn new(repo: &'r Repo, folder: &Path) -> Outcome<Self> {
        let samples = veil_testkit::samples().ok_or_else(|| {
            fail("there are no samples")
                .hint("VEILCAST_SAMPLES names their folder: pictures and music are needed")
        })?;
        let story = samples.join("story").canonicalize().during("opening the samples")?;
        let (images, music) = (story.join("images"), story.join("audio").join(MUSIC));
        let mut plan =
            Self { repo, folder: folder.to_owned(), images, music, captions: Vec::new() };
        for count in 1..=SCENES.len() {
            plan.write(&film(count), &plan.document(count, true))?;
        }
        plan.write("words.json", &plan.document(SCENES.len(), false))?;
        let mut words = plan.veilcast();
        words.args(["make", "words.json", "--draft", "--set", "height=320", "-o", "words.mp4"]);
        output_of(&mut words)?;
        let srt = fs::read_to_string(folder.join("words.srt")).during("reading the captions")?;
        plan.captions = cues(&srt);
        if plan.captions.is_empty() {
            return Err(fail("the narration has no captions"));
        }
        Ok(plan)
    }

    fn write(&self, name: &str, value: &Value) -> Outcome {
        let path = self.folder.join(name);
        fs::write(&path, value.to_string()).during(format_args!("writing {}", path.display()))
    }

    pub(super) fn scenes(&self) -> usize {
        SCENES.len()
    }

    /// Length of the film, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.seconds_of(SCENES.len())
    }

    /// Length of its first scenes, in seconds.
    pub(super) fn seconds_of(&self, scenes: usize) -> f64 {
        SCENES.iter().take(scenes).map(|_| f64::from(SCENE_S)).sum()
    }

    fn document(&self, scenes: usize, music: bool) -> Value {
        let scenes = SCENES.iter().take(scenes).enumerate().map(|(at, (file, text))| {
            let background =
                json!({ "kind": "image", "file": self.images.join(file), "motion": motion(at) });
            json!({ "text": text, "duration": SCENE_S, "background": background })
        });
        let music = music.then(|| json!({ "file": self.music, "volume": 0.25 }));
        json!({
            "format": "9:16", "height": HEIGHT, "fps": FPS, "music": music,
            "captions": { "style": "block" }, "scenes": scenes.collect::<Vec<_>>(),
        })
    }

    fn veilcast(&self) -> Command {
        let mut command = self.repo.command(self.repo.bin_dir("release").join("veilcast"));
        command.current_dir(&self.folder).arg("--data").arg(self.folder.join("data"));
        command
    }

    /// Our side: the first scenes of the film, with another caption if it is to have changed.
    pub(super) fn make(&self, scenes: usize, changed: bool) -> Command {
        let mut command = self.veilcast();
        command.args(["make", &film(scenes), "--force", "-o", "ours.mp4"]);
        if changed {
            command.args(["--set", CHANGE]);
        }
        command
    }

    /// One FFmpeg command for the whole film.
    pub(super) fn ffmpeg(&self) -> Command {
        let mut command = self.repo.command("ffmpeg");
        command.current_dir(&self.folder);
        command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]);
        for (file, _) in SCENES {
            command.arg("-i").arg(self.images.join(file));
        }
        command.args(["-i", "words.mp4", "-stream_loop", "-1", "-i"]).arg(&self.music);
        command.args(["-filter_complex", &graph(), "-map", "[picture]", "-map", "[sound]"]);
        command.args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-g", "60"]);
        command.args(["-c:a", "aac", "-b:a", "192k", "-t", &self.seconds().to_string()]);
        command.args(["-movflags", "+faststart", "theirs.mp4"]);
        command
    }

    /// The first scenes of the film as MoviePy makes them.
    pub(super) fn moviepy(&self, python: &Path, film: &Path, scenes: usize) -> Outcome<Command> {
        let shown = SCENES.iter().take(scenes).enumerate().map(|(at, (file, _))| {
            json!({ "file": self.images.join(file), "seconds": SCENE_S, "motion": motion(at) })
        });
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let plan = json!({
            "width": WIDTH, "height": HEIGHT, "fps": FPS, "threads": threads,
            "font": FONT, "font_size": FONT_SIZE, "scenes": shown.collect::<Vec<_>>(),
            "captions": self.captions, "voice": "words.mp4", "music": self.music,
        });
        self.write("plan.json", &plan)?;
        let mut command = self.repo.command(python);
        command.current_dir(&self.folder).env("IMAGEIO_FFMPEG_EXE", "ffmpeg");
        command.arg(film).args(["plan.json", "moviepy.mp4"]);
        Ok(command)
    }
}

fn film(scenes: usize) -> String {
    format!("film-{scenes}.json")
}

fn motion(scene: usize) -> &'static str {
    if scene.is_multiple_of(2) { "zoom-in" } else { "pan-right" }
}

/// The filters of one command: what a person would write who knows FFmpeg well.
fn graph() -> String {
    let (frames, count) = (SCENE_S * FPS, SCENES.len());
    let cover = |percent: u32| {
        let even = |side: u32| (side * percent / 100).next_multiple_of(2);
        let (width, height) = (even(WIDTH), even(HEIGHT));
        format!(
            "scale={width}:{height}:force_original_aspect_ratio=increase,crop={width}:{height},format=yuv420p"
        )
    };
    let mut graph = String::new();
    for at in 0..count {
        let moves = match motion(at) {
            "zoom-in" => format!(
                "{},zoompan=z='1+0.15*on/{frames}':x='(iw-iw/zoom)/2':y='(ih-ih/zoom)/2':d={frames}:s={WIDTH}x{HEIGHT}:fps={FPS}",
                cover(200)
            ),
            _ => format!(
                "{},loop=-1:1:0,setpts=N/{FPS}/TB,fps={FPS},crop={WIDTH}:{HEIGHT}:'(iw-ow)*n/{frames}':'(ih-oh)*n/{frames}',trim=end_frame={frames}",
                cover(115)
            ),
        };
        graph.push_str(&format!("[{at}:v]{moves},setsar=1[v{at}];"));
    }
    // Sizes in a subtitle file's own coordinates, which are 288 high.
    let (size, margin) = (FONT_SIZE * 288 / HEIGHT, 288 * 220 / 1000);
    let style = format!(
        "Fontname=Noto Sans,Fontsize={size},Bold=1,BorderStyle=3,OutlineColour=&H60000000,Outline=2,Alignment=2,MarginV={margin}"
    );
    let inputs: String = (0..count).map(|at| format!("[v{at}]")).collect();
    graph.push_str(&format!(
        "{inputs}concat=n={count},subtitles=words.srt:force_style='{style}',format=yuv420p[picture];"
    ));
    let (voice, music) = (count, count + 1);
    graph.push_str(&format!(
        "[{voice}:a]aresample=48000,aformat=channel_layouts=stereo,asplit[said][key];[{music}:a]aresample=48000,aformat=channel_layouts=stereo,volume=0.25[tune];\
         [tune][key]sidechaincompress=threshold=0.03:ratio=8:attack=20:release=400[under];\
         [said][under]amix=inputs=2:normalize=0:duration=first,aformat=channel_layouts=stereo,loudnorm=I=-14:TP=-1.5,aresample=48000,aformat=channel_layouts=stereo[sound]"
    ));
    graph
}

/// The cues of a `SubRip` file, in seconds.
fn cues(srt: &str) -> Vec<Value> {
    let seconds = |stamp: &str| {
        let parts = stamp.trim().split([':', ',']).map(str::parse::<f64>);
        let parts: Vec<f64> = parts.collect::<Result<_, _>>().ok()?;
        let [hours, minutes, seconds, ms] = parts.as_slice() else { return None };
        Some((hours * 60.0 + minutes) * 60.0 + seconds + ms / 1000.0)
    };
    let cue = |block: &str| {
        let mut lines = block.lines().skip(1);
        let (start, end) = lines.next()?.split_once("-->")?;
        let text = lines.collect::<Vec<_>>().join(" ");
        Some(json!({ "start": seconds(start)?, "end": seconds(end)?, "text": text }))
    };
    srt.split("\n\n").filter_map(cue).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_are_read_and_the_filters_name_every_input() {
        let cues = cues(
            "1\n00:00:01,500 --> 00:00:02,000\na b\n\n2\n01:00:00,000 --> 01:00:01,250\nc\n\n",
        );
        assert_eq!(cues[0], json!({ "start": 1.5, "end": 2.0, "text": "a b" }));
        assert_eq!(cues[1], json!({ "start": 3600.0, "end": 3601.25, "text": "c" }));
        let graph = graph();
        assert!((0..SCENES.len()).all(|at| graph.contains(&format!("[{at}:v]"))), "{graph}");
        assert!(graph.contains("[6:a]") && graph.contains("[7:a]"), "{graph}");
    }
}
