//! The picture of one scene: a backdrop, captions, fades and a watermark, encoded as it stays.
//!
//! Owns: filters and encoder of a scene. Refuses to know: sound, and what the captions say: they are a file, [`CAPTIONS`], in the scene's folder.
//!
//! Invariants: a scene has exactly the frames that were asked for; all scenes of one size, rate and quality have the same parameter sets, so
//! that they are joined without encoding them again.

use std::ffi::OsString;
use std::path::Path;

use tokio::sync::watch;

use super::still::Still;
use super::{Job, words};
use crate::child::{Launcher, file_url};
use crate::error::Error;
use crate::graph;
use crate::probe::{
    ALLOCATION_BYTES_MAX, PIXELS_MAX, PROBE_ARGS, SIDE_MAX, SourceInfo, VideoTrack, guard_args,
};
use crate::progress::Progress;
use crate::tools::Tools;

/// The name of a scene's captions, in its folder: Advanced `SubStation` Alpha, of the size of the picture.
pub const CAPTIONS: &str = "captions.ass";

/// What errors call the step.
const STEP: &str = "rendering a scene";

/// How much larger than the picture that is seen a moving backdrop is, in percent.
const MOVING_PERCENT: u32 = 115;

/// Ticks of a second in the file: a multiple of every rate.
const TIMESCALE: &str = "90000";

/// What a second of picture may take at most, beside a raw frame for each: twenty times what a busy scene has.
const ROOM_BYTES: u64 = 1 << 20;

/// One scene's picture.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Pixels in a row, even.
    pub width: u32,
    /// Rows, even.
    pub height: u32,
    /// Frames a second, a divisor of 90,000.
    pub fps: u32,
    /// Frames, one at least.
    pub frames: u32,
    /// What is behind everything.
    pub backdrop: Backdrop,
    /// The scene's folder has [`CAPTIONS`].
    pub captions: bool,
    /// Frames over which it comes out of black.
    pub fade_in: u32,
    /// Frames over which it goes into black.
    pub fade_out: u32,
    /// A picture on top of everything.
    pub watermark: Option<Watermark>,
    /// For a look, or to keep.
    pub quality: Quality,
    /// Threads that encode.
    pub threads: u32,
}

/// What is behind everything.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Backdrop {
    /// A gradient between two colours, red, green and blue of each, that moves slowly.
    Gradient([[u8; 3]; 2]),
    /// A picture that fills the frame, and moves.
    Still(Still, Motion),
    /// A video, from so many microseconds on, again and again until the scene is over.
    Film(Box<SourceInfo>, Fit, u64),
}

/// How a still picture moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Not at all.
    Still,
    /// Nearer.
    ZoomIn,
    /// Farther.
    ZoomOut,
    /// The eye goes from left to right.
    PanRight,
    /// The eye goes from right to left.
    PanLeft,
}

/// How a video of another shape fills the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It fills it, and its edges are cut off.
    Crop,
    /// All of it is seen, between bars of black.
    Pad,
    /// All of it is seen, before itself, large and blurred.
    BlurPad,
}

/// A picture on top of everything, in a corner.
#[derive(Debug, Clone)]
pub struct Watermark {
    /// The picture.
    pub still: Still,
    /// At the right, or at the left.
    pub right: bool,
    /// At the bottom, or at the top.
    pub bottom: bool,
    /// Its width, in thousandths of the frame's.
    pub width_permille: u32,
    /// How much of it is seen, in thousandths.
    pub opacity_permille: u32,
}

/// How a scene is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// As quickly as it goes.
    Draft,
    /// To keep.
    Full,
}

impl Scene {
    /// Renders the scene into `out`, a file that is there: H.264 in MP4 without sound. `folder` has what the scene reads by name.
    ///
    /// # Errors
    /// [`Error::Failed`], [`Error::Stalled`], [`Error::Start`], [`Error::Sandbox`].
    pub async fn render(
        &self,
        launcher: &Launcher,
        tools: &Tools,
        (folder, out): (&Path, &Path),
        progress: &watch::Sender<Progress>,
    ) -> Result<(), Error> {
        let folder = tokio::fs::canonicalize(folder).await.map_err(Error::Read)?;
        let mut read = Vec::new();
        match &self.backdrop {
            Backdrop::Gradient(_) => {}
            Backdrop::Still(still, _) => read.push(still.path.clone()),
            Backdrop::Film(source, ..) => read.push(source.path.clone()),
        }
        read.extend(self.watermark.iter().map(|mark| mark.still.path.clone()));
        if self.captions {
            read.push(folder.join(CAPTIONS));
        }
        let frame = u64::from(self.width) * u64::from(self.height) * 3 / 2;
        let job = Job {
            step: STEP,
            args: self.arguments(tools),
            read,
            folder: Some(&folder),
            fonts: self.captions,
            out,
            bytes_max: frame * u64::from(self.frames) + ROOM_BYTES,
        };
        job.run(launcher, tools, progress).await?;
        let made = progress.borrow().frames;
        if made == u64::from(self.frames) {
            return Ok(());
        }
        let stderr = format!("{made} of {} frames came out", self.frames);
        Err(Error::Failed { step: STEP, stderr })
    }

    fn arguments(&self, tools: &Tools) -> Vec<OsString> {
        let mut args = self.input();
        let threads = self.threads.to_string();
        if let Some(mark) = &self.watermark {
            args.extend(still_input(&mark.still));
        }
        args.extend(words(["-filter_complex", &self.graph(tools), "-map", "[out]", "-an", "-sn"]));
        args.extend(words(["-frames:v", &self.frames.to_string(), "-c:v", "libx264"]));
        let speed = match self.quality {
            Quality::Draft => ["-preset", "ultrafast", "-crf", "28"],
            Quality::Full => ["-preset", "veryfast", "-crf", "20"],
        };
        args.extend(words(speed));
        // A scene begins with a picture of its own; within it there is one every two seconds.
        let group = (self.fps * 2).to_string();
        args.extend(words(["-g", &group, "-threads", &threads, "-pix_fmt", "yuv420p"]));
        args.extend(words(["-color_range", "tv", "-colorspace", "bt709"]));
        args.extend(words(["-color_primaries", "bt709", "-color_trc", "bt709"]));
        args.extend(words(["-map_metadata", "-1", "-video_track_timescale", TIMESCALE]));
        args.extend(words(["-fps_mode", "cfr", "-f", "mp4"]));
        args
    }

    /// Everything up to the backdrop's `-i` and its source.
    fn input(&self) -> Vec<OsString> {
        let mut args = words(["-filter_complex_threads", "1"]);
        match &self.backdrop {
            Backdrop::Gradient(colours) => {
                args.extend(words(["-f", "lavfi", "-i", &self.gradient(colours)]));
            }
            Backdrop::Still(still, _) => args.extend(still_input(still)),
            Backdrop::Film(source, _, from_us) => {
                args.extend(words(guard_args()));
                args.extend(words(PROBE_ARGS));
                args.extend(words(["-threads", "1", "-noautorotate", "-reinit_filter", "0"]));
                args.extend(words(["-stream_loop", "-1", "-ss", &format!("{from_us}us"), "-i"]));
                args.push(file_url(&source.path));
            }
        }
        args
    }

    fn gradient(&self, [first, second]: &[[u8; 3]; 2]) -> String {
        let (width, height) = self.larger();
        let hex = |[red, green, blue]: &[u8; 3]| format!("0x{red:02x}{green:02x}{blue:02x}");
        // Points outside of the picture, and whatever isn't said, would be random.
        format!(
            "gradients=s={width}x{height}:r={}:nb_colors=2:c0={}:c1={}:x0=0:y0=0:x1={}:y1={}:speed=0.00001:seed=1",
            self.fps,
            hex(first),
            hex(second),
            width - 1,
            height - 1
        )
    }

    /// The size of a backdrop that moves.
    fn larger(&self) -> (u32, u32) {
        let larger = |side: u32| (side * MOVING_PERCENT / 100).next_multiple_of(2);
        (larger(self.width), larger(self.height))
    }

    /// The filters from the inputs to `[out]`.
    fn graph(&self, tools: &Tools) -> String {
        let mut chain = match &self.backdrop {
            Backdrop::Gradient(_) => {
                let (width, height) = self.larger();
                let whole = format!("[0:v]trim=end_frame=1,{}", to_yuv(width, height, ""));
                format!("{whole},{},{}", self.held(), self.moving(true))
            }
            Backdrop::Still(_, motion) => format!("[0:v]{}", self.still(*motion)),
            Backdrop::Film(source, fit, _) => match &source.video {
                Some(video) => self.film(video, *fit, tools),
                None => format!("color=s={}x{}:r={}", self.width, self.height, self.fps),
            },
        };
        chain.push_str(",setsar=1");
        if self.fade_in > 0 {
            chain.push_str(&format!(",fade=t=in:s=0:n={}", self.fade_in));
        }
        if self.captions {
            chain.push_str(&format!(",ass=f={CAPTIONS}"));
        }
        if self.fade_out > 0 {
            let from = self.frames.saturating_sub(self.fade_out);
            chain.push_str(&format!(",fade=t=out:s={from}:n={}", self.fade_out));
        }
        match &self.watermark {
            None => chain.push_str(",format=yuv420p[out]"),
            Some(mark) => chain.push_str(&self.marked(mark)),
        }
        chain
    }

    fn marked(&self, mark: &Watermark) -> String {
        let width = (self.width * mark.width_permille / 1000).max(2);
        let margin = self.width.min(self.height) / 30;
        let x = if mark.right { format!("W-w-{margin}") } else { margin.to_string() };
        let y = if mark.bottom { format!("H-h-{margin}") } else { margin.to_string() };
        let opacity = f64::from(mark.opacity_permille) / 1000.0;
        format!(
            "[below];[1:v]scale=w={width}:h=-2,format=rgba,colorchannelmixer=aa={opacity:.3}[mark];\
             [below][mark]overlay=x={x}:y={y}:eof_action=repeat,format=yuv420p[out]"
        )
    }

    /// One picture for as long as it takes.
    fn held(&self) -> String {
        format!("loop=loop=-1:size=1:start=0,setpts=N/{}/TB,fps={}", self.fps, self.fps)
    }

    /// A window of the frame's size that goes over a larger picture: no sample is computed for it.
    fn moving(&self, to_right: bool) -> String {
        let Self { width, height, .. } = self;
        let last = self.frames.max(2) - 1;
        let done = if to_right { format!("n/{last}") } else { format!("(1-n/{last})") };
        format!("crop=w={width}:h={height}:x='(iw-ow)*{done}':y='(ih-oh)*n/{last}'")
    }

    fn still(&self, motion: Motion) -> String {
        let Self { width, height, frames, fps, .. } = self;
        let cover = ":force_original_aspect_ratio=increase";
        let filled = |width: u32, height: u32| {
            format!("{},crop=w={width}:h={height}", to_yuv(width, height, cover))
        };
        match motion {
            Motion::Still => format!("{},{}", filled(*width, *height), self.held()),
            Motion::PanRight | Motion::PanLeft => {
                let (width, height) = self.larger();
                let window = self.moving(motion == Motion::PanRight);
                format!("{},{},{window}", filled(width, height), self.held())
            }
            Motion::ZoomIn | Motion::ZoomOut => {
                // Positions are whole samples: in a picture of twice the size a step is half as far.
                let last = (*frames).max(2) - 1;
                let most = f64::from(MOVING_PERCENT) / 100.0 - 1.0;
                let zoom = match motion {
                    Motion::ZoomIn => format!("1+{most:.2}*on/{last}"),
                    _ => format!("1+{most:.2}*(1-on/{last})"),
                };
                format!(
                    "{},zoompan=z='{zoom}':x='(iw-iw/zoom)/2':y='(ih-ih/zoom)/2':d={frames}:s={width}x{height}:fps={fps}",
                    filled(width * 2, height * 2)
                )
            }
        }
    }

    fn film(&self, video: &VideoTrack, fit: Fit, tools: &Tools) -> String {
        let Self { width, height, fps, .. } = *self;
        let shown = (video.display_width.max(1), video.display_height.max(1));
        let steady = |size: (u32, u32)| {
            let picture = graph::stills(video, size.0, size.1, tools.tone_maps, fps);
            // A film whose end can't be gone back from stays at its last picture.
            format!("[0:{}]{picture},tpad=stop=-1:stop_mode=clone", video.index)
        };
        let inside = scaled(shown, (width, height), u64::min);
        let outside = scaled(shown, (width, height), u64::max);
        match fit {
            // A thread of a picture would be blown up without bounds.
            Fit::Crop if outside.0.max(outside.1) <= SIDE_MAX => {
                format!("{},crop=w={width}:h={height}", steady(outside))
            }
            Fit::Crop | Fit::Pad => {
                let bars = format!("pad=w={width}:h={height}:x=(ow-iw)/2:y=(oh-ih)/2:color=black");
                format!("{},{bars}", steady(inside))
            }
            Fit::BlurPad => {
                let (small_w, small_h) = ((width / 8).max(2), (height / 8).max(2));
                format!(
                    "{},split[near][far];[far]scale=w={small_w}:h={small_h}:force_original_aspect_ratio=increase,\
                     crop=w={small_w}:h={small_h},boxblur=lr=4:lp=2:cr=2:cp=2,scale=w={width}:h={height}:flags=bilinear[back];\
                     [back][near]overlay=x=(W-w)/2:y=(H-h)/2",
                    steady(inside)
                )
            }
        }
    }
}

/// A picture to 8 bit 4:2:0 of BT.709 in the studio range.
fn to_yuv(width: u32, height: u32, how: &str) -> String {
    format!("scale=w={width}:h={height}{how}:out_color_matrix=bt709:out_range=tv,format=yuv420p")
}

fn still_input(still: &Still) -> Vec<OsString> {
    let (pixels, bytes) = (PIXELS_MAX.to_string(), ALLOCATION_BYTES_MAX.to_string());
    let mut args = words(["-protocol_whitelist", "file,pipe", "-max_pixels", &pixels]);
    args.extend(words(["-max_alloc", &bytes]));
    args.extend(words(["-f", still.demuxer, "-i"]));
    args.push(file_url(&still.path));
    args
}

/// The even size of a picture of one shape that just fills a frame (`max`) or just fits into it (`min`).
fn scaled(shown: (u32, u32), frame: (u32, u32), choose: fn(u64, u64) -> u64) -> (u32, u32) {
    let [shown_w, shown_h, frame_w, frame_h] = [shown.0, shown.1, frame.0, frame.1].map(u64::from);
    // Both as fractions of one denominator: frame_w / shown_w and frame_h / shown_h.
    let by = choose(frame_w * shown_h, frame_h * shown_w);
    let side = |side: u64| {
        let length = (side * by).div_ceil(shown_w * shown_h).next_multiple_of(2).max(2);
        u32::try_from(length).unwrap_or(u32::MAX)
    };
    (side(shown_w), side(shown_h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_fill_or_fit_whatever_their_shape() {
        let fills = |shown| scaled(shown, (360, 640), u64::max);
        assert_eq!(fills((1920, 1080)), (1138, 640));
        assert_eq!(fills((360, 640)), (360, 640));
        assert_eq!(fills((10, 1000)), (360, 36000));
        let fits = |shown| scaled(shown, (360, 640), u64::min);
        assert_eq!(fits((1920, 1080)), (360, 204));
        assert_eq!(fits((100, 1000)), (64, 640));
    }
}
