//! What is heard: sources to bare samples, voice and music to one mix, the mix to AAC.
//!
//! Owns: the filters of each step. Refuses to know: which voice says what and when; how loud it is to be (the gain is an argument).
//!
//! Invariant: bare samples are little-endian, at [`RATE_HZ`]; a voice has one channel of 16-bit integers, a mix two of 32-bit floats.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::{Job, words};
use crate::child::{Launcher, file_url};
use crate::error::Error;
use crate::probe::{PROBE_ARGS, SourceInfo, guard_args};
use crate::progress::Progress;
use crate::tools::Tools;

/// Samples a second, everywhere.
pub const RATE_HZ: u32 = 48_000;

/// Bytes of a voice's sample.
pub const VOICE_SAMPLE_BYTES: u64 = 2;

/// Bytes of a sample of films, both channels.
pub const FILM_SAMPLE_BYTES: u64 = 4;

/// Bytes of a mix's sample, both channels.
pub const MIX_SAMPLE_BYTES: u64 = 8;

/// Bits a second of the sound that is kept.
const AAC_BPS: u64 = 192_000;

/// Room beside samples.
const ROOM_BYTES: u64 = 1 << 20;

/// How much of the music is taken back while somebody speaks: from −30 dB of voice on, 8 to 1, quickly down and slowly up.
const DUCKING: &str = "sidechaincompress=threshold=0.03:ratio=8:attack=20:release=400";

/// How often the limiter looks between two samples: a true peak lies between them (ITU-R BS.1770-5, annex 2).
const OVERSAMPLED_HZ: u32 = RATE_HZ * 4;

/// Music under the voice.
#[derive(Debug, Clone)]
pub struct Music {
    /// The file; its first track of sound is taken, again and again.
    pub source: SourceInfo,
    /// How loud, in thousandths.
    pub volume_permille: u32,
    /// It steps back while somebody speaks.
    pub ducked: bool,
    /// Over how long it ends, in milliseconds.
    pub fade_out_ms: u32,
}

/// A film's own sound under a scene.
#[derive(Debug, Clone)]
pub struct FilmSound {
    /// The film; its first track of sound is taken, again and again.
    pub source: SourceInfo,
    /// Microseconds of it that are left out at its beginning.
    pub start_us: u64,
    /// How loud, in thousandths.
    pub volume_permille: u32,
    /// Samples of it.
    pub samples: u64,
    /// Samples over which it appears, and over which it ends.
    pub fades: (u64, u64),
}

impl FilmSound {
    /// Decodes it into bare samples of two channels of 16 bits, into `out`, a file that is there.
    ///
    /// # Errors
    /// As [`decode_voice`].
    pub async fn render(
        &self,
        launcher: &Launcher,
        tools: &Tools,
        out: &Path,
    ) -> Result<(), Error> {
        let mut args = words(guard_args());
        args.extend(words(PROBE_ARGS));
        let from = format!("{}us", self.start_us);
        args.extend(words(["-stream_loop", "-1", "-ss", &from, "-i"]));
        args.push(file_url(&self.source.path));
        let (fade_in, fade_out) = self.fades;
        let volume = f64::from(self.volume_permille) / 1000.0;
        let filter = format!(
            "aresample={RATE_HZ}:async=1:first_pts=0,aformat=sample_fmts=flt:channel_layouts=stereo,volume={volume:.3},apad,\
             atrim=end_sample={},afade=t=in:ss=0:ns={},afade=t=out:ss={}:ns={}",
            self.samples,
            fade_in.max(1),
            self.samples.saturating_sub(fade_out.max(1)),
            fade_out.max(1),
        );
        args.extend(words(["-map", "0:a:0", "-vn", "-sn", "-af", &filter, "-f", "s16le"]));
        let bytes_max = self.samples * FILM_SAMPLE_BYTES + ROOM_BYTES;
        let read = vec![self.source.path.clone()];
        run("reading a film's sound", launcher, tools, (args, read), (out, bytes_max)).await
    }
}

/// Voice, films and music.
#[derive(Debug, Clone)]
pub struct Mix {
    /// Bare samples of the voice, from the beginning to the end of the video.
    pub voice: PathBuf,
    /// How loud the voice is, in thousandths.
    pub volume_permille: u32,
    /// Bare samples of films' own sound, of two channels of 16 bits, from the beginning to the end of the video.
    pub films: Option<PathBuf>,
    /// Music, if any.
    pub music: Option<Music>,
    /// Samples of the whole.
    pub samples: u64,
}

/// Decodes the first track of sound of `source` into bare samples of a voice, at most so many.
///
/// # Errors
/// [`Error::Failed`], [`Error::Stalled`], [`Error::Start`], [`Error::Sandbox`].
pub async fn decode_voice(
    launcher: &Launcher,
    tools: &Tools,
    source: &SourceInfo,
    (out, samples_max): (&Path, u64),
) -> Result<(), Error> {
    let mut args = source_input(source, false);
    let end =
        format!("aresample={RATE_HZ},aformat=channel_layouts=mono,atrim=end_sample={samples_max}");
    args.extend(words(["-map", "0:a:0", "-vn", "-sn", "-af", &end, "-f", "s16le"]));
    let bytes_max = samples_max * VOICE_SAMPLE_BYTES + ROOM_BYTES;
    run("reading the voice", launcher, tools, (args, vec![source.path.clone()]), (out, bytes_max))
        .await
}

impl Mix {
    /// Writes voice and music as one mix of bare samples into `out`, a file that is there.
    ///
    /// # Errors
    /// As [`decode_voice`].
    pub async fn render(
        &self,
        launcher: &Launcher,
        tools: &Tools,
        out: &Path,
    ) -> Result<(), Error> {
        let mut args = words(["-f", "s16le", "-ar", &RATE_HZ.to_string(), "-ac", "1", "-i"]);
        args.push(file_url(&self.voice));
        let mut read = vec![self.voice.clone()];
        if let Some(films) = &self.films {
            args.extend(words(["-f", "s16le", "-ar", &RATE_HZ.to_string(), "-ac", "2", "-i"]));
            args.push(file_url(films));
            read.push(films.clone());
        }
        if let Some(music) = &self.music {
            args.extend(source_input(&music.source, true));
            read.push(music.source.path.clone());
        }
        args.extend(words(["-filter_complex", &self.graph(), "-map", "[out]", "-f", "f32le"]));
        let bytes_max = self.samples * MIX_SAMPLE_BYTES + ROOM_BYTES;
        run("mixing the sound", launcher, tools, (args, read), (out, bytes_max)).await
    }

    fn graph(&self) -> String {
        let stereo = format!("aresample={RATE_HZ},aformat=sample_fmts=flt:channel_layouts=stereo");
        let volume = |permille: u32| format!("volume={:.3}", f64::from(permille) / 1000.0);
        let end = format!("atrim=end_sample={}", self.samples);
        let voice = format!("[0:a]{stereo},{},apad,{end}", volume(self.volume_permille));
        // Nothing steps back for films, and they for nothing.
        let (films, mixed) = match &self.films {
            Some(_) => (format!("[1:a]{stereo},apad,{end}[films];"), "[films]"),
            None => (String::new(), ""),
        };
        let sum = |inputs: u32| format!("amix=inputs={inputs}:normalize=0:duration=first[out]");
        let Some(music) = &self.music else {
            return match &self.films {
                Some(_) => format!("{films}{voice}[said];[said][films]{}", sum(2)),
                None => format!("{voice}[out]"),
            };
        };
        let input = if self.films.is_some() { 2 } else { 1 };
        let fade = u64::from(music.fade_out_ms) * u64::from(RATE_HZ) / 1000;
        let fade = fade.min(self.samples);
        let from = self.samples - fade;
        let tune = format!(
            "[{input}:a:0]{stereo},{},apad,{end},afade=t=out:ss={from}:ns={}[music]",
            volume(music.volume_permille),
            fade.max(1)
        );
        let (split, under) = match music.ducked {
            true => ("asplit[voice][key]", format!("[music][key]{DUCKING}[under];")),
            false => ("acopy[voice]", "[music]acopy[under];".to_owned()),
        };
        format!("{films}{voice},{split};{tune};{under}[voice][under]{mixed}{}", sum(input + 1))
    }
}

/// How a mix is made louder or quieter, so that no true peak is above the ceiling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// By how much, in decibels.
    pub gain_db: f64,
    /// The highest true peak, in decibels below full scale; below 0.
    pub ceiling_db: f64,
}

impl Level {
    fn filter(self) -> String {
        let limit = 10_f64.powf(self.ceiling_db / 20.0).clamp(0.0625, 1.0);
        format!(
            "volume={:.3}dB,aresample={OVERSAMPLED_HZ},alimiter=limit={limit:.5}:attack=5:release=50:level=disabled,aresample={RATE_HZ}",
            self.gain_db
        )
    }
}

/// Brings a mix of so many samples to a level, as bare samples again.
///
/// # Errors
/// As [`decode_voice`].
pub async fn level(
    launcher: &Launcher,
    tools: &Tools,
    (mix, samples): (&Path, u64),
    level: Level,
    out: &Path,
) -> Result<(), Error> {
    let mut args = mix_input(mix);
    let end = format!("{},apad,atrim=end_sample={samples}", level.filter());
    args.extend(words(["-af", &end, "-f", "f32le"]));
    let bytes_max = samples * MIX_SAMPLE_BYTES + ROOM_BYTES;
    run("levelling the sound", launcher, tools, (args, vec![mix.to_owned()]), (out, bytes_max))
        .await
}

/// Encodes a mix of so many samples as AAC in MP4.
///
/// # Errors
/// As [`decode_voice`].
pub async fn encode(
    launcher: &Launcher,
    tools: &Tools,
    (mix, samples): (&Path, u64),
    out: &Path,
) -> Result<(), Error> {
    let mut args = mix_input(mix);
    let rate = AAC_BPS.to_string();
    args.extend(words(["-c:a", "aac", "-b:a", &rate, "-map_metadata", "-1", "-f", "mp4"]));
    let seconds = samples / u64::from(RATE_HZ) + 1;
    let bytes_max = seconds * AAC_BPS / 8 * 4 + ROOM_BYTES;
    run("encoding the sound", launcher, tools, (args, vec![mix.to_owned()]), (out, bytes_max)).await
}

fn mix_input(mix: &Path) -> Vec<OsString> {
    let mut args = words(["-f", "f32le", "-ar", &RATE_HZ.to_string(), "-ac", "2", "-i"]);
    args.push(file_url(mix));
    args
}

fn source_input(source: &SourceInfo, again: bool) -> Vec<OsString> {
    let mut args = words(guard_args());
    args.extend(words(PROBE_ARGS));
    if again {
        args.extend(words(["-stream_loop", "-1"]));
    }
    args.push("-i".into());
    args.push(file_url(&source.path));
    args
}

async fn run(
    step: &'static str,
    launcher: &Launcher,
    tools: &Tools,
    (args, read): (Vec<OsString>, Vec<PathBuf>),
    (out, bytes_max): (&Path, u64),
) -> Result<(), Error> {
    let job = Job { step, args, read, folder: None, fonts: false, out, bytes_max };
    job.run(launcher, tools, &watch::Sender::new(Progress::default())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limiter_gets_its_ceiling_as_a_factor() {
        let filter = Level { gain_db: 6.0, ceiling_db: -6.0206 }.filter();
        assert!(
            filter.starts_with("volume=6.000dB,") && filter.contains("limit=0.50000"),
            "{filter}"
        );
        let lowest = Level { gain_db: 0.0, ceiling_db: -90.0 }.filter();
        assert!(lowest.contains("limit=0.06250"), "{lowest}");
    }
}
