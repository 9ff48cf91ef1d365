//! A folder in which clips are marked, attacked and read.
//!
//! Owns: the commands, and what they say. Raw frames go through pipes, never through files.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use veil_testkit::{Finished, make_clip, profile_dir, samples};

use super::leaks::{Attack, Column, Leak};
use crate::attacks::Encoder;
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, run};

/// No command takes longer, on the slowest machine.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// From so many deviations on there is a mark (`PRESENCE_THRESHOLD`).
pub(super) const ALARM: f64 = 8.0;

/// Frames of each second.
pub(super) const FPS: u32 = 24;
const SIZE: (u32, u32) = (1280, 720);
/// Long leaks are small, for time's sake.
const LEAK_SIZE: (u32, u32) = (640, 360);

/// Whose copies are attacked.
const LEAKER: &str = "5";

const SINTEL: &str = "media/sintel_trailer-720p.mp4";
const BUNNY: &str = "media/big_buck_bunny_0_30.webm";

/// What was read in a leak.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) slots: u64,
    pub(super) right: u64,
    pub(super) wrong: u64,
    pub(super) wrong_and_sure: u64,
    pub(super) presence: f64,
    /// Leakers and others that are named.
    pub(super) named: usize,
    pub(super) innocents: usize,
    pub(super) p_value: f64,
    pub(super) is_searched: bool,
}

/// How well wrong keys looked.
#[derive(Clone, Copy)]
pub(super) struct Alarms {
    pub(super) keys: u8,
    pub(super) highest: f64,
    /// The key that marked, or would have.
    pub(super) own: f64,
}

pub(super) struct Desk {
    folder: TempDir,
    clips: PathBuf,
    program: PathBuf,
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.right, self.slots)?;
        if self.wrong > 0 {
            write!(f, ", {} wrong ({} with confidence)", self.wrong, self.wrong_and_sure)?;
        }
        write!(f, "; z {:.0}", self.presence)?;
        if self.named > 0 {
            write!(f, "; named")?;
        }
        Ok(())
    }
}

impl Desk {
    pub(super) fn new(repo: &Repo) -> Outcome<Self> {
        run(&mut repo.cargo(["build", "--quiet", "-p", "veil-stego", "--example", "marks"]))?;
        let folder = tempfile::Builder::new().prefix("marks-").tempdir_in(&repo.target);
        let clips = repo.target.join("attacks");
        fs::create_dir_all(&clips).during("making a folder for clips")?;
        Ok(Self {
            folder: folder.during("making a folder for the attacks")?,
            clips,
            program: profile_dir().join("examples/marks"),
        })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A clip of so many seconds: half of it animation, half of it a film; drawn where there are no samples.
    pub(super) fn clip(&self, seconds: usize) -> Outcome<PathBuf> {
        self.made(&format!("marks-720p-{seconds}s"), SIZE, (seconds, seconds / 2, 1))
    }

    fn made(
        &self,
        name: &str,
        (width, height): (u32, u32),
        (seconds, piece, turns): (usize, usize, usize),
    ) -> Outcome<PathBuf> {
        let folder = samples().filter(|folder| folder.join(SINTEL).is_file());
        let kind = if folder.is_some() { "film" } else { "drawn" };
        let path = self.clips.join(format!("{name}-{kind}.mp4"));
        let mut words: Vec<String> = ["-nostdin", "-v", "error", "-y"].map(String::from).into();
        for _ in 0..turns {
            for (sample, start) in [(SINTEL, 12), (BUNNY, 4)] {
                match &folder {
                    Some(folder) => {
                        let sample = folder.join(sample).to_string_lossy().into_owned();
                        words.extend([
                            "-ss".into(),
                            start.to_string(),
                            "-t".into(),
                            piece.to_string(),
                        ]);
                        words.extend(["-i".into(), sample]);
                    }
                    None => {
                        let scale = 1.0 + f64::from(start) / 20.0;
                        let drawn = format!("mandelbrot=s=640x360:r={FPS}:start_scale={scale}");
                        words.extend(
                            ["-t", &piece.to_string(), "-f", "lavfi", "-i", &drawn]
                                .map(String::from),
                        );
                    }
                }
            }
        }
        let inputs = 2 * turns;
        let mut graph = String::new();
        for at in 0..inputs {
            graph += &format!(
                "[{at}:v]fps={FPS},scale={width}:{height},setsar=1,setpts=N/{FPS}/TB[t{at}];"
            );
        }
        (0..inputs).for_each(|at| graph += &format!("[t{at}]"));
        graph += &format!("concat=n={inputs}:v=1,format=yuv420p[picture]");
        words.extend(["-filter_complex".into(), graph, "-map".into(), "[picture]".into()]);
        words.extend(["-t".into(), seconds.to_string()]);
        words.extend("-c:v libx264 -preset veryfast -crf 14".split(' ').map(String::from));
        make_clip(&path, &words).during("making a clip")?;
        Ok(path)
    }

    /// Where a column's marked clip lies.
    pub(super) fn marked_path(&self, column: &Column) -> PathBuf {
        self.path(&format!("{}-{}.mp4", column.strength, column.slot_seconds))
    }

    /// Marks a clip for one viewer, as a title is encoded.
    pub(super) fn mark(&self, clip: &Path, column: &Column) -> Outcome<PathBuf> {
        let marked = self.marked_path(column);
        let how = [column.strength, "alone", LEAKER];
        self.write((clip, SIZE), (column.slot_us(), &how), &encoded(column), &marked)?;
        Ok(marked)
    }

    /// Encodes a clip as a title is.
    pub(super) fn encode_as(&self, clip: &Path, words: &[String], to: &Path) -> Outcome {
        let mut command = ffmpeg();
        command.arg("-i").arg(clip).arg("-an").args(words).arg(to);
        let finished = veil_testkit::run(&mut command, LIMIT).and_then(Finished::success);
        finished.during("encoding a clip").map(drop)
    }

    /// What FFmpeg says of the raw frames of a clip (0) beside those that are marked (1), in our folder.
    pub(super) fn compare(&self, clip: &Path, column: &Column, graph: &str) -> Outcome<String> {
        let how = [column.strength, "alone", LEAKER];
        let (mut children, frames) = self.marking((clip, SIZE), (column.slot_us(), &how))?;
        let mut compare = Command::new("ffmpeg");
        compare.args(["-v", "info", "-nostdin", "-hide_banner", "-nostats", "-i"]).arg(clip);
        compare.args(raw(SIZE)).args(["-lavfi", graph, "-f", "null", "-"]);
        let output = compare.stdin(frames).current_dir(self.folder.path()).output();
        let output = output.during("starting FFmpeg")?;
        ended(output.status.success(), "comparing")?;
        children.iter_mut().try_for_each(finish)?;
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Marks a clip and encodes it.
    fn write(
        &self,
        (clip, size): (&Path, (u32, u32)),
        how: (u32, &[&str]),
        words: &[String],
        to: &Path,
    ) -> Outcome {
        let (mut children, frames) = self.marking((clip, size), how)?;
        let mut encode = ffmpeg();
        let status = encode.args(raw(size)).args(words).arg(to).stdin(frames).status();
        ended(status.during("starting FFmpeg")?.success(), "encoding")?;
        children.iter_mut().try_for_each(finish)
    }

    /// Starts what decodes a clip and what marks it; raw frames come out.
    fn marking(
        &self,
        (clip, (width, height)): (&Path, (u32, u32)),
        (slot_us, how): (u32, &[&str]),
    ) -> Outcome<([Child; 2], ChildStdout)> {
        let mut decode = ffmpeg();
        decode.arg("-i").arg(clip).args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]);
        let (decoding, frames) = piped(&mut decode, Stdio::null())?;
        let mut mark = Command::new(&self.program);
        mark.args(["write", &width.to_string(), &height.to_string(), &FPS.to_string()]);
        mark.arg(slot_us.to_string()).args(how);
        let (marking, frames) = piped(&mut mark, Stdio::from(frames))?;
        Ok(([decoding, marking], frames))
    }

    /// Does to a marked video what the attack does, and reads what is left.
    pub(super) fn attack(
        &self,
        marked: &Path,
        attack: &Attack,
        (column, seconds): (&Column, usize),
    ) -> Outcome<Read> {
        let mut video = marked.to_owned();
        for (at, (filter, encoder)) in attack.steps.iter().enumerate() {
            let to = self.path(&format!("attacked-{at}.mkv"));
            self.encode(&video, filter, *encoder, &to)?;
            video = to;
        }
        let slots = seconds / column.slot_seconds as usize;
        self.read(&video, (column.slot_us(), slots), LEAKER)
    }

    pub(super) fn encode(&self, from: &Path, filter: &str, encoder: Encoder, to: &Path) -> Outcome {
        let mut command = ffmpeg();
        command.arg("-i").arg(from).args(["-an", "-vf", filter]).args(encoder.words()).arg(to);
        command.env("SVT_LOG", "1");
        let finished = veil_testkit::run(&mut command, LIMIT).and_then(Finished::success);
        finished.during(format_args!("ffmpeg -vf {filter}")).map(drop)
    }

    /// A long leak: marked, encoded again, and read.
    pub(super) fn leak(&self, leak: &Leak) -> Outcome<Read> {
        let turns = leak.seconds.div_ceil(45);
        let clip = self.made(
            &format!("marks-360p-{}s", leak.seconds),
            LEAK_SIZE,
            (leak.seconds, 24, turns),
        )?;
        let (marked, again) = (self.path("leak.mp4"), self.path("again.mp4"));
        let how = ["standard", leak.how, leak.viewers];
        let column = &super::COLUMNS[0];
        self.write((&clip, LEAK_SIZE), (column.slot_us(), &how), &encoded(column), &marked)?;
        self.encode(&marked, "null", Encoder::X264("veryfast", 28), &again)?;
        self.read(&again, (column.slot_us(), leak.seconds), leak.viewers)
    }

    fn read(&self, video: &Path, (slot_us, slots): (u32, usize), viewers: &str) -> Outcome<Read> {
        let words = [&slot_us.to_string(), &slots.to_string(), "auto", viewers];
        let said = self.look(video, "read", &words)?;
        let number = |name: &str| said[name].as_u64().unwrap_or(0);
        let leakers: Vec<u64> =
            viewers.split(',').filter_map(|viewer| viewer.parse().ok()).collect();
        let named: Vec<u64> =
            said["named"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        let innocents = named.iter().filter(|viewer| !leakers.contains(viewer)).count();
        Ok(Read {
            slots: slots as u64,
            right: number("right"),
            wrong: number("wrong"),
            wrong_and_sure: number("wrong_and_sure"),
            presence: said["presence"].as_f64().unwrap_or(0.0),
            named: named.len() - innocents,
            innocents,
            p_value: said["p_value"].as_f64().unwrap_or(1.0),
            is_searched: said["is_searched"] == true,
        })
    }

    /// Looks for marks of keys that never marked anything.
    pub(super) fn alarms(&self, video: &Path, column: &Column, keys: u8) -> Outcome<Alarms> {
        let words = [column.slot_us().to_string(), keys.to_string()];
        let said = self.look(video, "alarms", &words.each_ref().map(String::as_str))?;
        let number = |name: &str| said[name].as_f64().unwrap_or(f64::MAX);
        Ok(Alarms { keys, highest: number("highest"), own: number("own") })
    }

    /// Gives the program a video as a reader looks at it.
    fn look(&self, video: &Path, what: &str, words: &[&str]) -> Outcome<Value> {
        let mut decode = ffmpeg();
        decode.arg("-i").arg(video).args([
            "-an",
            "-vf",
            "fps=10,scale=256:160:flags=area,format=gray",
        ]);
        decode.args(["-f", "rawvideo", "-"]);
        let (mut decoding, frames) = piped(&mut decode, Stdio::null())?;
        let output = Command::new(&self.program).arg(what).args(words).stdin(frames).output();
        let output = output.during("starting `marks`")?;
        ended(decoding.wait().during("decoding")?.success(), "decoding")?;
        ended(output.status.success(), "reading")?;
        serde_json::from_slice(&output.stdout).during("reading what `marks` says")
    }
}

/// FFmpeg's words for a title's rendition: each slot stands alone.
pub(super) fn encoded(column: &Column) -> Vec<String> {
    let group = (column.slot_seconds * FPS).to_string();
    let words = "-c:v libx264 -preset veryfast -crf 23 -sc_threshold 0 -flags +cgop -g";
    words.split(' ').map(str::to_owned).chain([group]).collect()
}

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]);
    command
}

fn piped(command: &mut Command, stdin: Stdio) -> Outcome<(Child, ChildStdout)> {
    let mut child =
        command.stdin(stdin).stdout(Stdio::piped()).spawn().during("starting a step")?;
    let stdout = child.stdout.take().ok_or_else(|| fail("a step has no output"))?;
    Ok((child, stdout))
}

/// FFmpeg's words for raw frames on standard input.
fn raw((width, height): (u32, u32)) -> [String; 10] {
    let (size, fps) = (format!("{width}x{height}"), FPS.to_string());
    let words = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &size, "-r", &fps, "-i", "-"];
    words.map(str::to_owned)
}

fn finish(child: &mut Child) -> Outcome {
    ended(child.wait().during("waiting for a step")?.success(), "a step before")
}

fn ended(is_success: bool, what: &str) -> Outcome {
    if is_success { Ok(()) } else { Err(fail(format!("{what} failed"))) }
}
