//! The sound of the demo clip: twenty seconds of soft chords and plucked notes, computed, as a WAV file.
//!
//! FFmpeg's expressions could make it too, at a hundred times the cost.

use std::f64::consts::TAU;

/// Samples per second and channel.
const RATE_HZ: u32 = 48_000;

/// Length of the clip in seconds.
pub(super) const SECONDS: u32 = 20;

/// Seconds of one chord, and of one plucked note.
const CHORD_S: f64 = 2.0;
const NOTE_S: f64 = 0.25;

/// Seconds of fading out at the end.
const FADE_S: f64 = 2.5;

/// A minor, F major, C major, G major, as MIDI notes from the root up.
const CHORDS: [[u8; 4]; 4] =
    [[45, 60, 64, 71], [41, 57, 60, 64], [48, 60, 64, 67], [43, 59, 62, 69]];

/// Which of a chord's upper notes is plucked, and how many octaves higher.
const FIGURE: [(usize, u8); 8] = [(1, 1), (3, 1), (2, 1), (1, 2), (3, 1), (2, 2), (3, 1), (2, 1)];

/// Returns the music as a WAV file: 16-bit stereo.
pub(super) fn wav() -> Vec<u8> {
    let frames = SECONDS * RATE_HZ;
    let mut samples = Vec::with_capacity(frames as usize * 2);
    for frame in 0..frames {
        let time = f64::from(frame) / f64::from(RATE_HZ);
        samples.extend(stereo(time).map(|value| pcm(value * envelope(time))));
    }
    file(&samples)
}

/// Returns left and right at a time in seconds, each between -1 and 1.
fn stereo(time: f64) -> [f64; 2] {
    let chord = CHORDS[step(time / CHORD_S) % CHORDS.len()];
    let in_chord = time % CHORD_S;
    let swell = (in_chord / 0.3).min(1.0) * ((CHORD_S - in_chord) / 0.3).min(1.0);
    let bass = 0.22 * swell * tone(chord[0], time);
    let pad: f64 = chord[1..].iter().map(|note| 0.06 * swell * tone(*note, time)).sum();

    let beat = step(time / NOTE_S);
    let (which, octaves) = FIGURE[beat % FIGURE.len()];
    let in_note = time % NOTE_S;
    let decay = (in_note / 0.004).min(1.0) * (-7.0 * in_note).exp();
    let pluck = 0.26 * decay * tone(chord[which] + 12 * octaves, time);
    let pan = if beat.is_multiple_of(2) { 0.75 } else { 0.25 };
    [bass + pad + pluck * pan, bass + pad + pluck * (1.0 - pan)]
}

/// A note with two quiet overtones.
fn tone(note: u8, time: f64) -> f64 {
    let frequency_hz = 440.0 * 2f64.powf((f64::from(note) - 69.0) / 12.0);
    let phase = TAU * frequency_hz * time;
    phase.sin() + 0.25 * (2.0 * phase).sin() + 0.1 * (3.0 * phase).sin()
}

fn envelope(time: f64) -> f64 {
    ((f64::from(SECONDS) - time) / FADE_S).clamp(0.0, 1.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time from zero on in steps: small and not negative"
)]
fn step(steps: f64) -> usize {
    steps as usize
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i16")]
fn pcm(value: f64) -> i16 {
    (value.clamp(-1.0, 1.0) * f64::from(i16::MAX)) as i16
}

/// Wraps samples into a RIFF WAVE file (PCM, 16 bit, two channels).
fn file(samples: &[i16]) -> Vec<u8> {
    let data_bytes = u32::try_from(samples.len() * 2).expect("twenty seconds are a few megabytes");
    let mut file = Vec::with_capacity(samples.len() * 2 + 44);
    file.extend(b"RIFF");
    file.extend((36 + data_bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1_u16, 2].map(u16::to_le_bytes).concat());
    file.extend([RATE_HZ, RATE_HZ * 4].map(u32::to_le_bytes).concat());
    file.extend([4_u16, 16].map(u16::to_le_bytes).concat());
    file.extend(b"data");
    file.extend(data_bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_music_is_heard_and_never_clips() {
        let mut loudest = 0.0_f64;
        for frame in 0..RATE_HZ * 8 {
            for value in stereo(f64::from(frame) / f64::from(RATE_HZ)) {
                loudest = loudest.max(value.abs());
            }
        }
        assert!((0.3..1.0).contains(&loudest), "{loudest}");
    }

    #[test]
    fn it_ends_in_silence() {
        assert_eq!(wav().len(), (SECONDS * RATE_HZ * 4 + 44) as usize);
        assert!(envelope(f64::from(SECONDS)).abs() < f64::EPSILON);
    }
}
