//! What a packaging run will make, decided before it starts.
//!
//! Owns: the decision and its spelling as FFmpeg's command line. Refuses to know: processes. Pure
//! functions, so that the whole command can be read in a test.
//!
//! Invariant: no argument comes from a user or from the source, but numbers and names that were
//! checked by [`probe`](crate::probe).

mod marked;
mod slots;

use std::ffi::OsString;

use crate::child::file_url;
use crate::error::Refusal;
use crate::graph;
use crate::ladder::{LadderRequest, Rung, ladder};
use crate::probe::{
    AudioTrack, DURATION_MAX_US, Dynamics, PROBE_ARGS, SourceInfo, VideoTrack, guard_args,
};
use crate::storyboard::Storyboard;
use crate::tools::Tools;

pub(crate) use marked::{ladder_arguments, source_arguments};
pub use slots::{SHORT_SLOTS_MAX, Slots};

/// x264's preset. Measured at CRF 22 on 20 s of 720p film: `fast` takes twice the processor time and
/// 14 % more bits for an SSIM of 0.993 instead of 0.991.
const PRESET: &str = "veryfast";

/// Bit rate of each sound rendition, in bits a second: generous for two channels of AAC.
pub const AUDIO_BPS: u32 = 160_000;

/// Sampling rate of each sound rendition.
pub const AUDIO_RATE_HZ: u32 = 48_000;

/// Length of a fragment: what a player has to receive before it can show the first picture.
const FRAGMENT_US: u32 = 500_000;

/// Most threads of one encoder: each holds frames of its own, and the rungs run side by side.
const THREADS_MAX: usize = 16;

/// Jump in the timestamps of a file, in seconds, that is taken for damage instead of a pause.
const JUMP_SECONDS_MAX: u32 = 3600;

/// What one output of a run carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The rung of this number: fragmented MP4, one H.264 track.
    Video(usize),
    /// The sound track of this number: fragmented MP4, one AAC track.
    Audio(usize),
    /// Sheets of small pictures: WebP images, one after another.
    Storyboard,
}

/// What a packaging run will make.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The sizes of the picture, rising; empty for sound alone.
    pub rungs: Vec<Rung>,
    /// The sound tracks.
    pub audio: Vec<AudioTrack>,
    /// The pictures for the seek bar.
    pub storyboard: Option<Storyboard>,
    /// Threads of the decoder and of each encoder.
    pub threads: usize,
    /// How the picture is divided where it is to be marked; else keyframes are a second apart, by the clock.
    pub slots: Option<Slots>,
}

impl Plan {
    /// The plan for `source` with the ladder asked for, on a machine with `processors`.
    ///
    /// # Errors
    /// [`Refusal::Ladder`]; [`Refusal::Colour`] when HDR meets an FFmpeg without `zscale`.
    pub fn new(
        source: &SourceInfo,
        request: &LadderRequest,
        tools: &Tools,
        processors: usize,
    ) -> Result<Self, Refusal> {
        let rungs = ladder(source, request)?;
        if let Some(video) = &source.video
            && video.dynamics != Dynamics::Sdr
            && !tools.tone_maps
        {
            let reason = "HDR colours: this FFmpeg lacks the filters `zscale` and `tonemap`";
            return Err(Refusal::Colour(reason));
        }
        let storyboard =
            rungs.first().map(|rung| Storyboard::new(rung.width, rung.height, source.duration_us));
        let threads = (processors + processors / 2).clamp(1, THREADS_MAX);
        Ok(Self { rungs, audio: source.audio.clone(), storyboard, threads, slots: None })
    }

    /// The outputs, in the order in which [`arguments`] wants their pipes.
    pub(crate) fn roles(&self) -> Vec<Role> {
        let video = (0..self.rungs.len()).map(Role::Video);
        let storyboard = self.storyboard.iter().map(|_| Role::Storyboard);
        video.chain(storyboard).chain((0..self.audio.len()).map(Role::Audio)).collect()
    }
}

/// FFmpeg's arguments for `plan`, writing to `urls` in the order of [`Plan::roles`].
pub(crate) fn arguments(
    plan: &Plan,
    source: &SourceInfo,
    tools: &Tools,
    urls: &[String],
) -> Vec<OsString> {
    let mut args = input(plan, source);
    if let Some(video) = &source.video {
        args.extend(["-filter_complex".into(), filters(plan, video, tools.tone_maps).into()]);
    }
    for (role, url) in plan.roles().into_iter().zip(urls) {
        args.extend(output(plan, source, role, url));
    }
    args
}

/// One output, its pipe included.
fn output(plan: &Plan, source: &SourceInfo, role: Role, url: &str) -> Vec<OsString> {
    let output = match role {
        Role::Video(index) => video_output(plan, source, index),
        Role::Audio(index) => audio_output(plan, index),
        Role::Storyboard => storyboard_output(),
    };
    output.into_iter().map(OsString::from).chain(ending(url)).collect()
}

/// What every output ends with. Backstop of the probe: damaged timestamps must not make a film of a year.
fn ending(url: &str) -> Vec<OsString> {
    let seconds = DURATION_MAX_US / 1_000_000;
    let ending = format!("-map_metadata -1 -map_chapters -1 -fflags +bitexact -t {seconds} {url}");
    words(&ending).into_iter().map(OsString::from).collect()
}

/// Everything up to the source, the source included.
fn input(plan: &Plan, source: &SourceInfo) -> Vec<OsString> {
    let mut args = head();
    // Damaged frames are left out; a file of nothing but damage produces nothing, and that is an error.
    args.extend(["-max_error_rate", "1", "-dts_error_threshold"].map(OsString::from));
    args.push(JUMP_SECONDS_MAX.to_string().into());
    args.extend(guard_args().map(OsString::from));
    args.extend(PROBE_ARGS.map(OsString::from));
    args.extend(["-threads".into(), plan.threads.to_string().into()]);
    // The graph turns the picture itself and survives a change of size: see `graph`.
    if source.video.is_some() {
        args.extend(["-noautorotate", "-reinit_filter:v", "0"].map(OsString::from));
    }
    args.extend(["-i".into(), file_url(&source.path)]);
    args
}

/// What every run that reports its progress begins with.
fn head() -> Vec<OsString> {
    let head = "-hide_banner -nostdin -nostats -y -loglevel level+error -progress pipe:1 -stats_period 0.5";
    words(head).into_iter().map(OsString::from).collect()
}

/// One decode to every rung, and to the storyboard.
fn filters(plan: &Plan, video: &VideoTrack, has_zscale: bool) -> String {
    let Some(top) = plan.rungs.last() else { return String::new() };
    let chain = graph::picture(video, top.width, top.height, has_zscale);
    ladder_graph(plan, &format!("[0:{}]{chain}", video.index), plan.storyboard.as_ref())
}

/// From a picture of the largest rung's size to every rung, each scaled from the next larger one.
fn ladder_graph(plan: &Plan, picture: &str, storyboard: Option<&Storyboard>) -> String {
    let mut graph = format!("{picture}[s{}]", plan.rungs.len());
    for (index, _) in plan.rungs.iter().enumerate().rev() {
        let below = index.checked_sub(1).and_then(|below| plan.rungs.get(below));
        let source = index + 1;
        match (below, storyboard) {
            (Some(below), _) => {
                let (width, height) = (below.width, below.height);
                graph += &format!(
                    ";[s{source}]split[v{index}][t{index}];[t{index}]scale=w={width}:h={height}:flags=bicubic[s{index}]"
                );
            }
            (None, Some(storyboard)) => {
                let filters = storyboard.filters(&format!("[t{index}]"));
                graph += &format!(";[s{source}]split[v{index}][t{index}];{filters}");
            }
            (None, None) => graph += &format!(";[s{source}]null[v{index}]"),
        }
    }
    graph
}

fn video_output(plan: &Plan, source: &SourceInfo, index: usize) -> Vec<String> {
    let Some((rung, video)) = plan.rungs.get(index).zip(source.video.as_ref()) else {
        return Vec::new();
    };
    let rate = video.rate.to_string();
    let (keyframes, gop) = keyframes(plan, video);
    let (threads, max_bps) = (plan.threads, rung.max_bps);
    let command = format!(
        "-map [v{index}] -c:v libx264 -preset {PRESET} -profile:v high -level:v {level} -pix_fmt yuv420p \
         -crf {crf} -maxrate {max_bps} -bufsize {max_bps} -g {gop} -x264-params scenecut=0:open-gop=0 \
         -force_key_frames {keyframes} -threads {threads} -fps_mode cfr -r {rate} \
         -color_range tv -color_primaries bt709 -color_trc bt709 -colorspace bt709 -f mp4 \
         -movflags +cmaf+frag_keyframe+empty_moov+default_base_moof+skip_trailer -frag_duration {FRAGMENT_US}",
        level = rung.level,
        crf = rung.crf,
    );
    words(&command)
}

/// The rule for keyframes, and a bound of the distance between them, in frames.
fn keyframes(plan: &Plan, video: &VideoTrack) -> (String, u32) {
    if let Some(slots) = plan.slots {
        return slots.keyframes();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 61")]
    let gop = video.rate.fps().ceil() as u32 + 1;
    ("expr:gte(t,n_forced*1)".to_owned(), gop)
}

fn audio_output(plan: &Plan, index: usize) -> Vec<String> {
    let Some(track) = plan.audio.get(index) else { return Vec::new() };
    // Holes are filled with silence. `first_pts` fills the time before the sound begins; where it
    // begins with the file it is left out, since a change of channels midway would repeat it.
    let start = if track.starts_late { ":first_pts=0" } else { "" };
    // Beyond 7.1 there is no agreed layout to mix down from: the first two channels it is.
    let pick = if track.channels > 8 { "pan=stereo|c0=c0|c1=c1," } else { "" };
    // `delay_moov` writes the edit list that hides the encoder's priming: sound starts at 0 as well,
    // or after a pause that is exact in the movie's timescale.
    let command = format!(
        "-map 0:{stream} -af {pick}aresample={AUDIO_RATE_HZ}:async=1{start},aformat=channel_layouts=stereo \
         -c:a aac -b:a {AUDIO_BPS} -ar {AUDIO_RATE_HZ} -ac 2 -f mp4 \
         -movflags +empty_moov+default_base_moof+delay_moov+skip_trailer -frag_duration {FRAGMENT_US} \
         -movie_timescale {AUDIO_RATE_HZ}",
        stream = track.index,
    );
    words(&command)
}

fn storyboard_output() -> Vec<String> {
    words(
        "-map [story] -c:v libwebp -quality 60 -compression_level 4 -fps_mode passthrough -f image2pipe",
    )
}

fn words(command: &str) -> Vec<String> {
    command.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::tests_support::picture;

    pub(super) fn tools() -> Tools {
        Tools {
            ffmpeg: "/usr/bin/ffmpeg".into(),
            ffprobe: "/usr/bin/ffprobe".into(),
            version: "5.1".to_owned(),
            tone_maps: false,
        }
    }

    pub(super) fn sound(index: u32, channels: u32, starts_late: bool) -> AudioTrack {
        let codec = "aac".to_owned();
        AudioTrack {
            index,
            codec,
            channels,
            language: None,
            title: None,
            default: true,
            starts_late,
        }
    }

    #[test]
    fn one_decode_feeds_every_rung_and_the_storyboard() {
        let source = picture(1920, 1080);
        let plan = Plan::new(&source, &LadderRequest::Auto, &tools(), 2).unwrap();
        let graph = filters(&plan, source.video.as_ref().unwrap(), false);
        assert_eq!(graph.matches("[0:0]").count(), 1);
        let tail = graph.split_once("[s3];").unwrap().1;
        assert_eq!(
            tail,
            "[s3]split[v2][t2];[t2]scale=w=1280:h=720:flags=bicubic[s2];\
             [s2]split[v1][t1];[t1]scale=w=854:h=480:flags=bicubic[s1];\
             [s1]split[v0][t0];[t0]fps=1/2:start_time=0:round=up,scale=w=160:h=90,tile=5x5,\
             setsar=1[sheets];color=c=black:s=800x450:r=1:d=1,format=yuv420p,setsar=1[blank];\
             [blank][sheets]concat=n=2[story]"
        );
    }

    #[test]
    fn the_command_maps_every_output_to_its_own_pipe() {
        let mut source = picture(640, 360);
        source.audio = vec![sound(1, 6, false), sound(2, 16, true)];
        let plan = Plan::new(&source, &LadderRequest::Auto, &tools(), 2).unwrap();
        let roles = plan.roles();
        assert_eq!(roles, [Role::Video(0), Role::Storyboard, Role::Audio(0), Role::Audio(1)]);
        let urls: Vec<String> = (0..4).map(|number| format!("pipe:{}", 10 + number)).collect();
        let args = arguments(&plan, &source, &tools(), &urls);
        let line = args.join(OsString::from(" ").as_os_str()).into_string().unwrap();
        for expected in [
            "-protocol_whitelist file,pipe",
            "-i file:/video.mp4 -filter_complex [0:0]scale=",
            "-map [v0] -c:v libx264 -preset veryfast -profile:v high -level:v 3.0",
            "-t 86400 pipe:10 -map [story]",
            "-map 0:1 -af aresample=48000:async=1,aformat",
            "-map 0:2 -af pan=stereo|c0=c0|c1=c1,aresample=48000:async=1:first_pts=0,aformat",
        ] {
            assert!(line.contains(expected), "{expected}\n{line}");
        }
        assert!(line.ends_with("-t 86400 pipe:13"), "{line}");
    }

    #[test]
    fn sound_alone_has_neither_filters_nor_storyboard() {
        let mut source = picture(640, 360);
        source.video = None;
        source.audio = vec![sound(0, 2, false)];
        let plan = Plan::new(&source, &LadderRequest::Auto, &tools(), 64).unwrap();
        assert_eq!(plan.roles(), [Role::Audio(0)]);
        assert_eq!(plan.threads, THREADS_MAX);
        let args = arguments(&plan, &source, &tools(), &["pipe:9".to_owned()]);
        assert!(!args.contains(&"-filter_complex".into()));
        assert!(!args.contains(&"-noautorotate".into()));
    }

    #[test]
    fn high_dynamic_range_needs_the_filters_for_it() {
        let mut source = picture(640, 360);
        source.video.as_mut().unwrap().dynamics = Dynamics::Hlg;
        let plan = |tone_maps| {
            Plan::new(&source, &LadderRequest::Auto, &Tools { tone_maps, ..tools() }, 2)
        };
        assert!(matches!(plan(false), Err(Refusal::Colour(_))));
        assert!(plan(true).is_ok());
    }
}
