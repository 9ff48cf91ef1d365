//! The runs of an import, and which tasks read them.
//!
//! Owns: one run that decodes and encodes, or three with the marking between them. Refuses to know what tasks find. Invariant: each
//! output has one reader, so that none holds up the others.

use veil_ffmpeg::Packaging;
use veil_ffmpeg::raw::End;

use super::{Desk, Found, Tasks, read_outputs, rendition_id, twins};
use crate::StudioError;
use crate::stages::mark::{self, Marked};

/// The runs of an import, one or three.
pub(crate) enum Runs {
    /// One that decodes and encodes.
    Plain(Packaging),
    /// Those of a picture that is marked on its way.
    Marked(Box<MarkedRuns>),
}

/// The runs of a picture that is marked on its way, and what marks it.
pub(crate) struct MarkedRuns {
    /// The run that decodes, and its frames.
    pub(crate) source: (Packaging, End),
    /// The runs that encode the variants, and what takes their frames.
    pub(crate) variants: [(Packaging, End); 2],
    pub(crate) marked: Marked,
}

impl Runs {
    /// Starts the tasks that read them; returns them for their verdicts, the one that decodes first.
    pub(super) fn read(self, desk: &Desk, tasks: &mut Tasks) -> Vec<Packaging> {
        match self {
            Self::Plain(mut packaging) => {
                read_outputs(&mut packaging, desk, tasks);
                vec![packaging]
            }
            Self::Marked(runs) => runs.read(desk, tasks),
        }
    }
}

impl MarkedRuns {
    /// A task for each output of the run that decodes, for each pair of the others', and for the frames between them.
    fn read(self, desk: &Desk, tasks: &mut Tasks) -> Vec<Packaging> {
        let Self { source: (mut source, frames), variants, marked } = self;
        read_outputs(&mut source, desk, tasks);
        let [(mut first, into_first), (mut second, into_second)] = variants;
        let slot_us = marked.slots.duration_us();
        for (output, twin) in first.take_outputs().into_iter().zip(second.take_outputs()) {
            let (role, desk) = (output.role, desk.clone());
            tasks.spawn(async move {
                let track = async {
                    let id = rendition_id(role).ok_or(StudioError::Unequal)?;
                    let track = twins::read([output, twin], slot_us, id, &desk).await?;
                    Ok(Found::Track { role, track })
                };
                (Some(role), track.await)
            });
        }
        tasks.spawn_blocking(move || {
            let passed = mark::run(marked, frames, [into_first, into_second]);
            (None, passed.map(Found::Frames))
        });
        vec![source, first, second]
    }
}
