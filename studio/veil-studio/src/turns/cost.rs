//! What hiding and revealing take of a machine.
//!
//! Owns: the figures, which are upper bounds of what was measured (decision 62); `veilcast stress` fails where a run takes more. Refuses to
//! know: the budget.

use veil_ffmpeg::carrier::Carrier;
use veil_seal::hidden::COST;

use super::Resources;

/// What a process of ours has without any frame.
const OWN_BYTES: u64 = 18 << 20;

/// What Argon2id has for a moment, before frames come or after.
const STRETCHING_BYTES: u64 = COST.memory_kib as u64 * 1024;

/// Frames that a process that hides holds beside those of its threads, luma planes of the frames before included.
const OWN_FRAMES: u64 = 5;

/// Frames that a process that reveals holds: one that is looked at, and those that are read ahead or free.
const REVEALING_FRAMES: u64 = 6;

/// What a thread holds for each luma sample beside the frame: costs.
const THREAD_BYTES_A_SAMPLE: u64 = 5;

/// What a thread holds for paths through the trellis of ten rows.
const THREAD_BYTES: u64 = 4 << 20;

/// What an FFmpeg has without any frame, its libraries included.
const FFMPEG_BYTES: u64 = 64_000_000;

/// Pictures that a decoder keeps to predict from, 16 at most (H.264, HEVC), and those under way.
const DECODER_FRAMES: u64 = 24;

/// Pictures that an encoder without loss has waiting, under way and done; some more for each processor.
const ENCODER_FRAMES: u64 = 22;
const ENCODER_FRAMES_A_PROCESSOR: u64 = 4;

/// What an FFmpeg that draws text has besides: fonts of many scripts.
const FONT_BYTES: u64 = 60_000_000;

/// Pictures that a scene has under way: a backdrop of up to four times the size, filters, and what the encoder looks ahead.
const SCENE_FRAMES: u64 = 60;

/// Pictures that an encoder of a rendition looks ahead, refers to and has under way; each is padded and has its halves beside it.
const RENDITION_FRAMES: u64 = 90;

/// What a process that traces keeps: small pictures of a minute, windows, and 256 bytes for each quarter of a slot of a day.
const TRACING_BYTES: u64 = 160 << 20;
/// Frames that marking holds: one as it came, those that wait for two encoders, in pipes too, and the plane of the mark.
const MARKING_FRAMES: u64 = 16;

/// How large the raw frames of a video are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameSize {
    /// Samples of luma.
    pub samples: u64,
    /// Bytes of all planes.
    pub bytes: u64,
}

impl FrameSize {
    /// Frames of 8 bit 4:2:0, as most videos have them.
    #[must_use]
    pub fn of_8_bit_420(width: u32, height: u32) -> Self {
        let samples = u64::from(width) * u64::from(height);
        let chroma = u64::from(width.div_ceil(2)) * u64::from(height.div_ceil(2));
        Self { samples, bytes: samples + 2 * chroma }
    }
}

impl From<&Carrier> for FrameSize {
    fn from(carrier: &Carrier) -> Self {
        let samples = u64::from(carrier.width) * u64::from(carrier.height);
        Self { samples, bytes: carrier.frame_bytes() }
    }
}

/// The most that a process of ours has in memory while it hides with so many threads; revealing takes less. 105 MB at 1440p with two.
#[must_use]
pub fn own_bytes_max(frame: FrameSize, threads: usize) -> u64 {
    let threads = threads as u64;
    let each = THREAD_BYTES + frame.bytes + frame.samples * THREAD_BYTES_A_SAMPLE;
    OWN_BYTES + frame.bytes * OWN_FRAMES + each * threads
}

impl Resources {
    /// A run that hides, with so many threads of its own on a machine of so many processors, for each of which FFmpeg has a frame or two.
    #[must_use]
    pub fn of_hiding(frame: FrameSize, threads: usize, processors: usize) -> Self {
        let processors = processors as u64;
        let decoder = FFMPEG_BYTES + frame.bytes * (DECODER_FRAMES + processors);
        let encoded = ENCODER_FRAMES + ENCODER_FRAMES_A_PROCESSOR * processors;
        let encoder = FFMPEG_BYTES + frame.bytes * encoded;
        let own = own_bytes_max(frame, threads).max(OWN_BYTES + STRETCHING_BYTES);
        let memory_bytes = own + decoder + encoder;
        Self { memory_bytes, cores: threads as u64 }
    }

    /// A run that makes a video, with so many scenes under way.
    #[must_use]
    pub fn of_making(frame: FrameSize, scenes: usize) -> Self {
        let scenes = scenes as u64;
        let each = FFMPEG_BYTES + FONT_BYTES + frame.bytes * SCENE_FRAMES;
        Self { memory_bytes: OWN_BYTES + each * scenes, cores: scenes }
    }

    /// A run that imports: one FFmpeg that decodes once and encodes every rendition. It takes half of the processors, so that short runs go beside
    /// it; what it uses of the others the system shares out.
    #[must_use]
    pub fn of_importing(source: FrameSize, rungs: &[FrameSize], processors: usize) -> Self {
        let processors = processors as u64;
        let decoder = FFMPEG_BYTES + source.bytes * (DECODER_FRAMES + processors);
        let encoders: u64 =
            rungs.iter().map(|rung| rung.bytes * (RENDITION_FRAMES + processors)).sum();
        let memory_bytes = OWN_BYTES + decoder + encoders;
        Self { memory_bytes, cores: processors.div_ceil(2) }
    }

    /// A run that traces: one FFmpeg, and what is kept of pictures and windows of one size, whatever the video's.
    #[must_use]
    pub fn of_tracing(frame: FrameSize, processors: usize) -> Self {
        let decoder = FFMPEG_BYTES + frame.bytes * (DECODER_FRAMES + processors as u64);
        Self { memory_bytes: OWN_BYTES + TRACING_BYTES + decoder, cores: 1 }
    }

    /// This import with its picture marked: frames of the largest rung pass through us, and a second FFmpeg encodes as well.
    #[must_use]
    pub fn marked(self, frame: FrameSize, rungs: &[FrameSize], processors: usize) -> Self {
        let second = Self::of_importing(frame, rungs, processors);
        let memory_bytes = self.memory_bytes + second.memory_bytes + MARKING_FRAMES * frame.bytes;
        Self { memory_bytes, ..self }
    }

    /// A run that reveals: one thread of ours that looks and one that reads, one FFmpeg.
    #[must_use]
    pub fn of_revealing(frame: FrameSize, processors: usize) -> Self {
        let own = OWN_BYTES + frame.bytes * REVEALING_FRAMES + STRETCHING_BYTES;
        let decoder = FFMPEG_BYTES + frame.bytes * (DECODER_FRAMES + processors as u64);
        Self { memory_bytes: own + decoder, cores: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_at_1440p_stay_below_105_mb() {
        let frame = FrameSize::of_8_bit_420(2560, 1440);
        let own = own_bytes_max(frame, 2);
        assert!((100_000_000..=105_000_000).contains(&own), "{own}");
        let run = Resources::of_hiding(frame, 2, 2);
        assert!((own..600_000_000).contains(&run.memory_bytes), "{run:?}");
        assert!(Resources::of_revealing(frame, 2).memory_bytes < run.memory_bytes);
    }
}
