//! The runs of a picture that is marked on its way: one decodes it, two encode what they are given.
//!
//! Owns their pipes of bare frames, which are [`Plan::frame_bytes`] each and nothing between them. Refuses to know marks.
//! Both ends are for threads that block.

use std::os::fd::AsRawFd as _;

use super::{Packaging, STALL_LIMIT, Start};
use crate::child::Launcher;
use crate::error::{Error, Refusal};
use crate::plan::{self, Plan};
use crate::probe::{SourceInfo, VideoTrack};
use crate::raw::{End, new_pipe};
use crate::tools::Tools;

impl Packaging {
    /// Starts the run that decodes: bare frames come out of the end, sound and storyboard out of the run's outputs.
    ///
    /// # Errors
    /// [`Refusal::Carrier`] without a picture; as [`Packaging::start`].
    pub async fn start_source(
        launcher: &Launcher,
        tools: &Tools,
        source: &SourceInfo,
        plan: &Plan,
    ) -> Result<(Self, End), Error> {
        let video = picture(source)?;
        let (ours, theirs) = new_pipe()?;
        let (frames, url) = (End::new(ours), format!("pipe:{}", theirs.as_raw_fd()));
        let start = Start {
            roles: plan.source_roles(),
            reads: Some(&source.path),
            frames: Some((theirs, frames.flow())),
            has_picture: true,
            stall_limit: STALL_LIMIT,
        };
        let arguments =
            |urls: &[String]| plan::source_arguments(plan, (source, video), tools, &url, urls);
        Ok((start.run(launcher, tools, arguments).await?, frames))
    }

    /// Starts a run that encodes the whole ladder of the bare frames that are written to the end, and ends when that is dropped.
    ///
    /// # Errors
    /// As [`Packaging::start_source`].
    pub async fn start_ladder(
        launcher: &Launcher,
        tools: &Tools,
        source: &SourceInfo,
        plan: &Plan,
    ) -> Result<(Self, End), Error> {
        let video = picture(source)?;
        let (theirs, ours) = new_pipe()?;
        let (frames, url) = (End::new(ours), format!("pipe:{}", theirs.as_raw_fd()));
        let start = Start {
            roles: plan.ladder_roles(),
            reads: None,
            frames: Some((theirs, frames.flow())),
            has_picture: true,
            stall_limit: STALL_LIMIT,
        };
        let arguments = |urls: &[String]| plan::ladder_arguments(plan, (source, video), &url, urls);
        Ok((start.run(launcher, tools, arguments).await?, frames))
    }
}

fn picture(source: &SourceInfo) -> Result<&VideoTrack, Error> {
    let none = || Refusal::Carrier("it has no picture".to_owned());
    Ok(source.video.as_ref().ok_or_else(none)?)
}
