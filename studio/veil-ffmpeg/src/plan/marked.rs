//! The arguments of the runs between which a picture is marked: one that decodes, two that encode the same ladder.
//!
//! Owns: what leaves the first run as bare frames and how the others take them. Refuses to know marks. Invariant: two runs that
//! encode have the same arguments but for the numbers of their pipes, so that what they make differs in the picture alone.

use std::ffi::OsString;

use super::{Plan, Role, ending, head, input, ladder_graph, output, words};
use crate::graph;
use crate::probe::{SourceInfo, VideoTrack};
use crate::storyboard::Storyboard;
use crate::tools::Tools;

impl Plan {
    /// The outputs of the run that decodes, beside the frames.
    pub(crate) fn source_roles(&self) -> Vec<Role> {
        self.roles().into_iter().filter(|role| !matches!(role, Role::Video(_))).collect()
    }

    /// The outputs of a run that encodes.
    pub(crate) fn ladder_roles(&self) -> Vec<Role> {
        self.roles().into_iter().filter(|role| matches!(role, Role::Video(_))).collect()
    }

    /// Bytes of a frame between the runs: planar 8-bit 4:2:0 of the largest rung, whose sides are even.
    #[must_use]
    pub fn frame_bytes(&self) -> usize {
        let (width, height) = self.frame_size();
        width as usize * height as usize * 3 / 2
    }

    /// Width and height of the frames between the runs: those of the largest rung.
    #[must_use]
    pub fn frame_size(&self) -> (u32, u32) {
        self.rungs.last().map_or((0, 0), |top| (top.width, top.height))
    }
}

/// Arguments of the run that decodes: bare frames of the largest rung's size to `frames`, sound and storyboard to `urls` in the
/// order of [`Plan::source_roles`].
pub(crate) fn source_arguments(
    plan: &Plan,
    (source, video): (&SourceInfo, &VideoTrack),
    tools: &Tools,
    frames: &str,
    urls: &[String],
) -> Vec<OsString> {
    let (width, height) = plan.frame_size();
    let chain = graph::picture(video, width, height, tools.tone_maps);
    let rest = plan.storyboard.as_ref().map_or("null[frames]".to_owned(), board);
    let mut args = input(plan, source);
    let graph = format!("[0:{}]{chain},{rest}", video.index);
    args.extend(["-filter_complex".into(), graph.into()]);
    let rate = video.rate.to_string();
    let raw =
        format!("-map [frames] -c:v rawvideo -pix_fmt yuv420p -fps_mode cfr -r {rate} -f rawvideo");
    args.extend(words(&raw).into_iter().map(OsString::from));
    args.extend(ending(frames));
    for (role, url) in plan.source_roles().into_iter().zip(urls) {
        args.extend(output(plan, source, role, url));
    }
    args
}

fn board(storyboard: &Storyboard) -> String {
    format!("split[frames][small];{}", storyboard.filters("[small]"))
}

/// Arguments of a run that encodes the frames that come by `frames`, writing to `urls` in the order of [`Plan::ladder_roles`].
pub(crate) fn ladder_arguments(
    plan: &Plan,
    (source, video): (&SourceInfo, &VideoTrack),
    frames: &str,
    urls: &[String],
) -> Vec<OsString> {
    let (width, height) = plan.frame_size();
    let mut args = head();
    let rate = video.rate;
    let input = format!(
        "-protocol_whitelist pipe -format_whitelist rawvideo -f rawvideo -pixel_format yuv420p \
         -video_size {width}x{height} -framerate {rate} -i {frames}"
    );
    args.extend(words(&input).into_iter().map(OsString::from));
    let begin = format!("[0:0]{}", graph::TAGS);
    args.extend(["-filter_complex".into(), ladder_graph(plan, &begin, None).into()]);
    for (role, url) in plan.ladder_roles().into_iter().zip(urls) {
        args.extend(output(plan, source, role, url));
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::LadderRequest;
    use crate::plan::Slots;
    use crate::plan::tests::{sound, tools};
    use crate::probe::tests_support::picture;

    fn line(args: &[OsString]) -> String {
        args.join(OsString::from(" ").as_os_str()).into_string().unwrap()
    }

    #[test]
    fn a_picture_is_decoded_once_and_encoded_twice_by_one_rule() {
        let mut source = picture(1280, 720);
        source.audio = vec![sound(1, 2, false)];
        let video = source.video.clone().unwrap();
        let mut plan = Plan::new(&source, &LadderRequest::Auto, &tools(), 2).unwrap();
        plan.slots = Some(Slots::new(video.rate, Some(60_000_000)));
        assert_eq!(plan.frame_bytes(), 1_382_400);
        assert_eq!(plan.source_roles(), [Role::Storyboard, Role::Audio(0)]);
        assert_eq!(plan.ladder_roles(), [Role::Video(0), Role::Video(1)]);
        let urls = ["pipe:11", "pipe:12"].map(str::to_owned);
        let decode = line(&source_arguments(&plan, (&source, &video), &tools(), "pipe:10", &urls));
        for expected in [
            "-i file:/video.mp4 -filter_complex [0:0]scale=w=1280:h=720",
            ",split[frames][small];[small]fps=1/2",
            "-map [frames] -c:v rawvideo -pix_fmt yuv420p -fps_mode cfr -r 30/1 -f rawvideo",
            "-t 86400 pipe:10 -map [story]",
            "-t 86400 pipe:11 -map 0:1 -af aresample",
        ] {
            assert!(decode.contains(expected), "{expected}\n{decode}");
        }
        let encode = line(&ladder_arguments(&plan, (&source, &video), "pipe:9", &urls));
        for expected in [
            "-f rawvideo -pixel_format yuv420p -video_size 1280x720 -framerate 30/1 -i pipe:9",
            "-filter_complex [0:0]setsar=1",
            "[s2];[s2]split[v1][t1];[t1]scale=w=854:h=480:flags=bicubic[s1];[s1]null[v0]",
            "-map [v0] -c:v libx264",
            "-g 31 -x264-params scenecut=0:open-gop=0 -force_key_frames expr:gte(n,n_forced*30)",
        ] {
            assert!(encode.contains(expected), "{expected}\n{encode}");
        }
        assert!(!encode.contains("-map 0:1"), "{encode}");
    }
}
