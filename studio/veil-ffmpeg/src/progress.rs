//! How far FFmpeg is, read from its `-progress` lines.
//!
//! Owns: the few keys that matter. Refuses to know: what they are shown on.

/// How far a packaging run is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    /// Pictures encoded of the first rung.
    pub frames: u64,
    /// Pictures a second, over the whole run.
    pub fps: f64,
    /// Seconds of video a second; 0 while unknown.
    pub speed: f64,
    /// Position in the video, in microseconds.
    pub position_us: u64,
}

impl Progress {
    /// How much is done, from 0 to 1.
    #[must_use]
    pub fn fraction(&self, duration_us: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a progress bar")]
        let fraction = self.position_us as f64 / duration_us.max(1) as f64;
        fraction.min(1.0)
    }

    /// Seconds that are left at the present speed, if it is known.
    #[must_use]
    pub fn remaining_seconds(&self, duration_us: u64) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let left = duration_us.saturating_sub(self.position_us) as f64 / 1e6;
        (self.speed > 0.0).then(|| left / self.speed)
    }
}

/// Collects the lines of one report.
#[derive(Debug, Default)]
pub(crate) struct Report(Progress);

impl Report {
    /// Takes a line; returns the report when the line ends it.
    pub(crate) fn line(&mut self, line: &str) -> Option<Progress> {
        let (key, value) = line.split_once('=')?;
        let value = value.trim();
        match key {
            "frame" => self.0.frames = value.parse().unwrap_or(self.0.frames),
            "fps" => self.0.fps = positive(value).unwrap_or(self.0.fps),
            "speed" => self.0.speed = positive(value.trim_end_matches('x')).unwrap_or(0.0),
            // Negative or `N/A` before the first packet.
            "out_time_us" => self.0.position_us = value.parse().unwrap_or(self.0.position_us),
            "progress" => return Some(self.0),
            _ => {}
        }
        None
    }
}

fn positive(value: &str) -> Option<f64> {
    value.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_what_stands_between_two_progress_lines() {
        let mut report = Report::default();
        let text = "frame=48\nfps=24.5\nstream_0_0_q=28.0\nout_time_us=2000000\nspeed=1.5x\nprogress=continue";
        let progress = text.lines().find_map(|line| report.line(line)).unwrap();
        let expected = Progress { frames: 48, fps: 24.5, speed: 1.5, position_us: 2_000_000 };
        assert_eq!(progress, expected);
        assert!((progress.fraction(4_000_000) - 0.5).abs() < 1e-9);
        assert_eq!(progress.remaining_seconds(5_000_000), Some(2.0));
    }

    #[test]
    fn what_ffmpeg_does_not_know_yet_stays_as_it_was() {
        let mut report = Report::default();
        let text = "frame=0\nfps=0.00\nout_time_us=-21333\nspeed=N/A\nbogus\nout_time_us=N/A\nprogress=continue";
        let progress = text.lines().find_map(|line| report.line(line)).unwrap();
        assert_eq!(progress, Progress::default());
        assert_eq!(progress.remaining_seconds(5_000_000), None);
    }
}
