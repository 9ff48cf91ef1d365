//! What hiding does to a picture and to the size of its file.
//!
//! Owns: peak signal-to-noise ratios of luma, and the rate at which an encoder codes the video again. Refuses to know: messages.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::chains::Encoder;
use super::desk::{Desk, LIMIT};
use crate::failure::{During, Outcome, fail};

/// What `hide --mode robust` encodes with (decision 59).
const AS_HIDDEN: Encoder = Encoder::X264("veryfast", 18);

const AGAIN: Encoder = Encoder::X264("veryfast", 28);

/// The carrier encoded as hiding does it, without a message.
pub(super) struct Plain {
    squared_error: f64,
    again_bytes: u64,
}

/// A video with a message beside one without.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quality {
    /// PSNR-Y of the file against the carrier, in decibels.
    pub(super) file_db: f64,
    /// The same of a file without a message.
    pub(super) plain_db: f64,
    /// What the message alone would come to: mean squared errors are added up by independent causes.
    pub(super) message_db: f64,
    /// Bytes that CRF 28 takes over those that it takes without a message.
    pub(super) rate: f64,
}

impl Plain {
    pub(super) fn new(desk: &Desk, carrier: &Path) -> Outcome<Self> {
        let plain = desk.path("plain.mp4");
        desk.encode(carrier, "null", AS_HIDDEN, &plain)?;
        let squared_error = squared_error(&plain, carrier)?;
        Ok(Self { squared_error, again_bytes: again_bytes(desk, &plain)? })
    }

    /// Compares a video with a message in it.
    pub(super) fn beside(&self, desk: &Desk, carrier: &Path, hidden: &Path) -> Outcome<Quality> {
        let error = squared_error(hidden, carrier)?;
        let again_bytes = again_bytes(desk, hidden)?;
        Ok(Quality {
            file_db: decibels(error),
            plain_db: decibels(self.squared_error),
            message_db: decibels(error - self.squared_error),
            rate: again_bytes as f64 / self.again_bytes as f64,
        })
    }
}

fn again_bytes(desk: &Desk, video: &Path) -> Outcome<u64> {
    let again = desk.path("again.264");
    desk.encode(video, "null", AGAIN, &again)?;
    fs::metadata(&again).during("measuring a file").map(|metadata| metadata.len())
}

/// The mean squared error of luma between two videos of the same frames.
fn squared_error(one: &Path, other: &Path) -> Outcome<f64> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "info", "-nostdin", "-hide_banner", "-i"]).arg(one).arg("-i").arg(other);
    let graph = "[0:v]setpts=N/TB[a];[1:v]setpts=N/TB[b];[a][b]psnr";
    command.args(["-lavfi", graph, "-f", "null", "-"]);
    let finished = veil_testkit::run(&mut command, LIMIT).and_then(veil_testkit::Finished::success);
    let finished = finished.during("comparing two videos")?;
    let decibels = luma_decibels(&finished.stderr);
    let decibels = decibels.ok_or_else(|| fail("FFmpeg does not say how two videos compare"))?;
    Ok(255.0 * 255.0 / 10_f64.powf(decibels / 10.0))
}

fn luma_decibels(said: &str) -> Option<f64> {
    let (_, rest) = said.rsplit_once("PSNR y:")?;
    rest.split_whitespace().next()?.parse().ok()
}

fn decibels(squared_error: f64) -> f64 {
    10.0 * (255.0 * 255.0 / squared_error.max(1e-4)).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luma_is_read_from_what_ffmpeg_says() {
        let said = "frame= 9\n[Parsed_psnr_2 @ 0x55] PSNR y:44.21 u:48.1 v:47.9 average:45.3 min:42 max:50\n";
        assert_eq!(luma_decibels(said), Some(44.21));
        assert!((decibels(255.0 * 255.0 / 1e4) - 40.0).abs() < 1e-9);
    }
}
