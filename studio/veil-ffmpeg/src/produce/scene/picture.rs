//! The filters of a piece: from its files to the picture that is encoded.
//!
//! Owns: inputs and filters, and how a frame of a scene is drawn whatever piece it is in. Refuses to know: encoders.

use std::ffi::OsString;

use super::{Backdrop, CAPTIONS, Fit, Motion, Piece, Scene, Watermark};
use crate::child::file_url;
use crate::graph;
use crate::probe::{
    ALLOCATION_BYTES_MAX, PIXELS_MAX, PROBE_ARGS, SIDE_MAX, VideoTrack, guard_args,
};
use crate::produce::still::Still;
use crate::produce::words;
use crate::tools::Tools;

/// How much larger than the picture that is seen a moving backdrop is, in percent.
const MOVING_PERCENT: u32 = 115;

/// Frames of a scene: the first of them, and how many. They may lie behind the scene's end.
#[derive(Clone, Copy)]
struct Stretch {
    first: u32,
    frames: u32,
}

impl Piece<'_> {
    /// Where the scene's frames are, and those of the scene before.
    fn stretches(&self) -> (Stretch, Option<(&Scene, Stretch)>) {
        let Self { first, frames, .. } = *self;
        let before =
            self.before.map(|scene| (scene, Stretch { first: scene.frames + first, frames }));
        (Stretch { first, frames }, before)
    }

    /// Everything that is read: the backdrop, that of the scene before, the watermark.
    pub(super) fn inputs(&self) -> Vec<OsString> {
        let mut args = words(["-filter_complex_threads", "1"]);
        let (own, before) = self.stretches();
        self.scene.input(&mut args, own);
        if let Some((scene, stretch)) = before {
            scene.input(&mut args, stretch);
        }
        if let Some(mark) = &self.scene.watermark {
            args.extend(still_input(&mark.still));
        }
        args
    }

    /// The filters from the inputs to `[out]`.
    pub(super) fn graph(&self, tools: &Tools) -> String {
        let (own, before) = self.stretches();
        let mut chain = self.scene.body(tools, 0, own, self.captions);
        let mut inputs = 1;
        if let Some((scene, stretch)) = before {
            let (fps, seconds) = (scene.fps, seconds(self.frames, scene.fps));
            let old = scene.body(tools, 1, stretch, false);
            // Both have pictures at the same times, or they could not be laid over each other.
            chain = format!(
                "{chain},fps={fps}[new];{old},fps={fps}[old];[old][new]xfade=transition=fade:duration={seconds}:offset=0"
            );
            inputs += 1;
        }
        match &self.scene.watermark {
            None => chain.push_str(",format=yuv420p[out]"),
            Some(mark) => chain.push_str(&self.scene.marked(mark, inputs)),
        }
        chain
    }
}

/// So many frames, in seconds as FFmpeg reads them.
fn seconds(frames: u32, fps: u32) -> String {
    format!("{:.6}", f64::from(frames) / f64::from(fps))
}

impl Scene {
    /// Everything up to the backdrop's `-i` and its source.
    fn input(&self, args: &mut Vec<OsString>, stretch: Stretch) {
        match &self.backdrop {
            Backdrop::Gradient(colours) => {
                args.extend(words(["-f", "lavfi", "-i", &self.gradient(colours)]));
            }
            Backdrop::Still(still, _) => args.extend(still_input(still)),
            Backdrop::Film(source, _, start_us) => {
                let seek = self.seek(stretch.first, stretch.frames, *start_us);
                args.extend(words(guard_args()));
                args.extend(words(PROBE_ARGS));
                args.extend(words(["-threads", "1", "-noautorotate", "-reinit_filter", "0"]));
                let from = format!("{}us", seek.from_us);
                if seek.again {
                    args.extend(words(["-stream_loop", "-1"]));
                }
                args.extend(words(["-ss", &from, "-i"]));
                args.push(file_url(&source.path));
            }
        }
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

    /// A stretch of the scene's picture, the watermark aside, from the input of this number on.
    fn body(&self, tools: &Tools, input: u32, stretch: Stretch, captions: bool) -> String {
        let Stretch { first, frames } = stretch;
        let mut chain = match &self.backdrop {
            Backdrop::Gradient(_) => {
                let (width, height) = self.larger();
                let whole = format!("[{input}:v]trim=end_frame=1,{}", to_yuv(width, height, ""));
                format!("{whole},{},{}", self.held(), self.moving(first, true))
            }
            Backdrop::Still(_, motion) => {
                format!("[{input}:v]{}", self.still(*motion, stretch))
            }
            Backdrop::Film(source, fit, start_us) => match &source.video {
                Some(video) => {
                    let lead_us = self.seek(first, frames, *start_us).lead_us;
                    self.film(video, *fit, tools, (input, lead_us))
                }
                None => format!("color=s={}x{}:r={}", self.width, self.height, self.fps),
            },
        };
        chain.push_str(",setsar=1");
        if first < self.fade_in {
            chain.push_str(&format!(",fade=t=in:s=0:n={}", self.fade_in));
        }
        if captions {
            // Captions are timed from the scene's beginning.
            let fps = self.fps;
            chain.push_str(&format!(",settb=1/{fps},setpts=N+{first},ass=f={CAPTIONS},setpts=N"));
        }
        let end = first + frames;
        if self.fade_out > 0 && first < self.frames && end + self.fade_out > self.frames {
            let from = self.frames.saturating_sub(self.fade_out + first);
            chain.push_str(&format!(",fade=t=out:s={from}:n={}", self.fade_out));
        }
        chain
    }

    fn marked(&self, mark: &Watermark, input: u32) -> String {
        let width = (self.width * mark.width_permille / 1000).max(2);
        let margin = self.width.min(self.height) / 30;
        let x = if mark.right { format!("W-w-{margin}") } else { margin.to_string() };
        let y = if mark.bottom { format!("H-h-{margin}") } else { margin.to_string() };
        let opacity = f64::from(mark.opacity_permille) / 1000.0;
        format!(
            "[below];[{input}:v]scale=w={width}:h=-2,format=rgba,colorchannelmixer=aa={opacity:.3}[mark];\
             [below][mark]overlay=x={x}:y={y}:eof_action=repeat,format=yuv420p[out]"
        )
    }

    /// One picture for as long as it takes.
    fn held(&self) -> String {
        format!("loop=loop=-1:size=1:start=0,setpts=N/{}/TB,fps={}", self.fps, self.fps)
    }

    /// A window of the frame's size that goes over a larger picture: no sample is computed for it. Behind the scene's end it stands still.
    fn moving(&self, first: u32, to_right: bool) -> String {
        let Self { width, height, .. } = self;
        let last = self.frames.max(2) - 1;
        let part = format!("min((n+{first})/{last},1)");
        let done = if to_right { part.clone() } else { format!("(1-{part})") };
        format!("crop=w={width}:h={height}:x='(iw-ow)*{done}':y='(ih-oh)*{part}'")
    }

    fn still(&self, motion: Motion, Stretch { first, frames }: Stretch) -> String {
        let Self { width, height, fps, .. } = self;
        let cover = ":force_original_aspect_ratio=increase";
        let filled = |width: u32, height: u32| {
            format!("{},crop=w={width}:h={height}", to_yuv(width, height, cover))
        };
        match motion {
            Motion::Still => format!("{},{}", filled(*width, *height), self.held()),
            Motion::PanRight | Motion::PanLeft => {
                let (width, height) = self.larger();
                let window = self.moving(first, motion == Motion::PanRight);
                format!("{},{},{window}", filled(width, height), self.held())
            }
            Motion::ZoomIn | Motion::ZoomOut => {
                // Positions are whole samples: in a picture of twice the size a step is half as far.
                let last = self.frames.max(2) - 1;
                let most = f64::from(MOVING_PERCENT) / 100.0 - 1.0;
                let zoom = match motion {
                    Motion::ZoomIn => format!("1+{most:.2}*(on+{first})/{last}"),
                    _ => format!("1+{most:.2}*(1-(on+{first})/{last})"),
                };
                format!(
                    "{},zoompan=z='{zoom}':x='(iw-iw/zoom)/2':y='(ih-ih/zoom)/2':d={frames}:s={width}x{height}:fps={fps}",
                    filled(width * 2, height * 2)
                )
            }
        }
    }

    fn film(
        &self,
        video: &VideoTrack,
        fit: Fit,
        tools: &Tools,
        (input, lead_us): (u32, u64),
    ) -> String {
        let Self { width, height, fps, .. } = *self;
        let shown = (video.display_width.max(1), video.display_height.max(1));
        let lead = match lead_us {
            0 => String::new(),
            lead_us => format!(",trim=start={lead_us}us,setpts=PTS-STARTPTS"),
        };
        let steady = |size: (u32, u32)| {
            let picture = graph::stills(video, size.0, size.1, tools.tone_maps, fps);
            // A film whose end can't be gone back from stays at its last picture.
            format!("[{input}:{}]{picture}{lead},tpad=stop=-1:stop_mode=clone", video.index)
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
                    "{},split[near{input}][far{input}];[far{input}]scale=w={small_w}:h={small_h}:force_original_aspect_ratio=increase,\
                     crop=w={small_w}:h={small_h},boxblur=lr=4:lp=2:cr=2:cp=2,scale=w={width}:h={height}:flags=bilinear[back{input}];\
                     [back{input}][near{input}]overlay=x=(W-w)/2:y=(H-h)/2",
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
