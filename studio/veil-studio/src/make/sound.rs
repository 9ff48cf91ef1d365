//! The sound of the whole video: voices in their places, music under them, as loud as it should be.
//!
//! Owns: the voice track, and how loud is measured (EBU R 128 by ITU-R BS.1770) and brought to the target. Refuses to know: scenes.
//!
//! Invariant: what comes out has exactly the samples that the pictures have time.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use ebur128::{EbuR128, Mode};
use veil_ffmpeg::produce::sound::{
    FILM_SAMPLE_BYTES, Level, Mix, RATE_HZ, VOICE_SAMPLE_BYTES, encode, level,
};

use super::cache::Work;
use super::error::MakeError;
use crate::pipeline::Encoder;

/// Programme loudness, in LUFS.
pub const TARGET_LUFS: f64 = -14.0;

/// The highest true peak of the video, in dBTP.
pub const PEAK_DBTP: f64 = -1.5;

/// The limiter's ceiling: encoding moves peaks, by a decibel at most.
const CEILING_DB: f64 = PEAK_DBTP - 1.0;

/// How near to the target is near enough, in loudness units.
const NEAR_LU: f64 = 0.2;

/// The limiter takes loudness with the peaks; so often is asked for more.
const ROUNDS: usize = 4;

/// The most that is made louder: a whisper, but no noise.
const GAIN_MAX_DB: f64 = 40.0;

/// Quieter than that is silence, and stays so.
const SILENCE_LUFS: f64 = -69.0;

/// How loud a sound is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loudness {
    /// Integrated loudness, in LUFS; −70 or less is silence.
    pub lufs: f64,
    /// The highest true peak, in dBTP.
    pub peak_dbtp: f64,
}

/// A voice and its place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Bare samples.
    pub pcm: PathBuf,
    /// Samples before it.
    pub at: u64,
}

/// Writes voices in their places, with silence between them, `samples` in all.
///
/// # Errors
/// The system's.
pub fn lay(voices: &[Placed], samples: u64, out: &Path) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(out)?);
    let mut at = 0;
    for voice in voices {
        silence(&mut out, voice.at.saturating_sub(at))?;
        at = at.max(voice.at);
        let room = samples.saturating_sub(at) * VOICE_SAMPLE_BYTES;
        let copied = io::copy(&mut File::open(&voice.pcm)?.take(room), &mut out)?;
        at += copied / VOICE_SAMPLE_BYTES;
    }
    silence(&mut out, samples.saturating_sub(at))?;
    out.flush()
}

/// Adds films' sound in their places, `samples` in all; where two are at once, both are heard.
///
/// # Errors
/// The system's.
pub fn lay_over(films: &[Placed], samples: u64, out: &Path) -> io::Result<()> {
    let file = File::options().read(true).write(true).create(true).truncate(true).open(out)?;
    file.set_len(samples * FILM_SAMPLE_BYTES)?;
    for film in films {
        let mut at = film.at * FILM_SAMPLE_BYTES;
        let room = samples.saturating_sub(film.at) * FILM_SAMPLE_BYTES;
        let mut sound = BufReader::new(File::open(&film.pcm)?.take(room));
        let mut piece = Vec::with_capacity(1 << 16);
        loop {
            piece.clear();
            sound.by_ref().take(1 << 16).read_to_end(&mut piece)?;
            piece.truncate(piece.len() / 2 * 2);
            if piece.is_empty() {
                break;
            }
            let mut there = vec![0; piece.len()];
            file.read_exact_at(&mut there, at)?;
            for (sum, new) in there.chunks_exact_mut(2).zip(piece.chunks_exact(2)) {
                let old = i16::from_le_bytes([sum[0], sum[1]]);
                let new = i16::from_le_bytes([new[0], new[1]]);
                sum.copy_from_slice(&old.saturating_add(new).to_le_bytes());
            }
            file.write_all_at(&there, at)?;
            at += there.len() as u64;
        }
    }
    Ok(())
}

fn silence(out: &mut impl io::Write, samples: u64) -> io::Result<()> {
    io::copy(&mut io::repeat(0).take(samples * VOICE_SAMPLE_BYTES), out).map(drop)
}

/// Measures bare samples of a mix.
///
/// # Errors
/// The system's.
pub fn measure(path: &Path) -> io::Result<Loudness> {
    let odd = |error: ebur128::Error| io::Error::other(error.to_string());
    let mut meter = EbuR128::new(2, RATE_HZ, Mode::I | Mode::TRUE_PEAK).map_err(odd)?;
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let (mut bytes, mut samples) = (vec![0; 1 << 16], Vec::with_capacity(1 << 14));
    loop {
        let mut filled = 0;
        while filled < bytes.len() {
            match file.read(&mut bytes[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        samples.clear();
        let words = bytes[..filled].chunks_exact(4);
        samples.extend(words.map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]])));
        samples.truncate(samples.len() / 2 * 2);
        if samples.is_empty() {
            break;
        }
        meter.add_frames_f32(&samples).map_err(odd)?;
    }
    let peak = |channel| meter.true_peak(channel).map_err(odd);
    let highest = peak(0)?.max(peak(1)?);
    let lufs = meter.loudness_global().map_err(odd)?;
    Ok(Loudness { lufs: lufs.max(-120.0), peak_dbtp: (20.0 * highest.log10()).max(-120.0) })
}

/// Mixes, brings to the target and encodes, into `out`; returns how loud it was before it was encoded.
///
/// # Errors
/// [`MakeError`].
pub async fn render(
    encoder: &Encoder,
    work: &Work,
    mix: &Mix,
    out: &Path,
) -> Result<Loudness, MakeError> {
    let Encoder { launcher, tools, .. } = encoder;
    let (mixed, levelled) = (work.file("mix.pcm")?, work.file("level.pcm")?);
    mix.render(launcher, tools, &mixed).await?;
    let before = measured(&mixed).await?;
    let mut loudness = before;
    let mut final_mix = &mixed;
    if before.lufs > SILENCE_LUFS {
        let mut gain_db = (TARGET_LUFS - before.lufs).min(GAIN_MAX_DB);
        for _ in 0..ROUNDS {
            let wanted = Level { gain_db, ceiling_db: CEILING_DB };
            level(launcher, tools, (&mixed, mix.samples), wanted, &levelled).await?;
            loudness = measured(&levelled).await?;
            final_mix = &levelled;
            let missing = TARGET_LUFS - loudness.lufs;
            if missing.abs() <= NEAR_LU || gain_db >= GAIN_MAX_DB {
                break;
            }
            gain_db = (gain_db + missing).min(GAIN_MAX_DB);
        }
    }
    encode(launcher, tools, (final_mix, mix.samples), out).await?;
    Ok(loudness)
}

async fn measured(path: &Path) -> Result<Loudness, MakeError> {
    let owned = path.to_owned();
    let measured = tokio::task::spawn_blocking(move || measure(&owned)).await;
    let measured = measured.map_err(|gone| MakeError::Broken(gone.to_string()))?;
    measured.map_err(MakeError::io("cannot read", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voices_lie_in_their_places_and_nothing_is_longer_than_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (voice, out) = (folder.path().join("v"), folder.path().join("o"));
        std::fs::write(&voice, [7; 8]).unwrap();
        let placed = |at| Placed { pcm: voice.clone(), at };
        lay(&[placed(2), placed(8)], 10, &out).unwrap();
        let bytes = std::fs::read(&out).unwrap();
        assert_eq!(bytes.len(), 20);
        assert_eq!((&bytes[..4], &bytes[4..12]), (&[0; 4][..], &[7; 8][..]));
        assert_eq!((&bytes[12..16], &bytes[16..]), (&[0; 4][..], &[7; 4][..]));
    }

    #[test]
    fn films_that_are_at_once_are_both_heard() {
        let folder = tempfile::tempdir().unwrap();
        let (film, out) = (folder.path().join("f"), folder.path().join("o"));
        std::fs::write(&film, [5, 0, 7, 0, 5, 0, 7, 0]).unwrap();
        let placed = |at| Placed { pcm: film.clone(), at };
        lay_over(&[placed(0), placed(1), placed(3)], 4, &out).unwrap();
        let bytes = std::fs::read(&out).unwrap();
        assert_eq!(bytes, [5, 0, 7, 0, 10, 0, 14, 0, 5, 0, 7, 0, 5, 0, 7, 0]);
    }

    #[test]
    fn a_tone_is_as_loud_as_the_standard_says() {
        // EBU Tech 3341, case 1: a stereo sine of 1 kHz at −23 dBFS has −23 LUFS.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone");
        let amplitude = 10_f32.powf(-23.0 / 20.0);
        let tone = (0..RATE_HZ * 5).flat_map(|at| {
            #[expect(clippy::cast_precision_loss, reason = "some seconds")]
            let phase = at as f32 / RATE_HZ as f32 * 1000.0 % 1.0 * std::f32::consts::TAU;
            [(amplitude * phase.sin()).to_le_bytes(); 2]
        });
        std::fs::write(&path, tone.flatten().collect::<Vec<u8>>()).unwrap();
        let loudness = measure(&path).unwrap();
        assert!((loudness.lufs + 23.0).abs() < 0.1, "{loudness:?}");
        assert!((loudness.peak_dbtp + 23.0).abs() < 0.2, "{loudness:?}");
    }
}
