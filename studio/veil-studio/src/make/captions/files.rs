//! Captions as files beside the video: WebVTT (with a time for each word) and `SubRip`.
//!
//! Owns: both forms, and what they escape. Refuses to know: where the files lie.

use std::fmt::Write as _;

use super::Cue;

/// A WebVTT file.
#[must_use]
pub fn webvtt(cues: &[Cue]) -> String {
    let mut file = "WEBVTT\n".to_owned();
    for cue in cues {
        let (start, end) = (stamp(cue.start_us, '.'), stamp(cue.end_us, '.'));
        let _ = write!(file, "\n{start} --> {end}\n");
        for (at, word) in cue.words.iter().enumerate() {
            if at > 0 && word.start_us > cue.start_us && word.start_us < cue.end_us {
                let _ = write!(file, "<{}>", stamp(word.start_us, '.'));
            }
            file.push_str(&escaped(&word.word.text));
            if word.word.spaced && at + 1 < cue.words.len() {
                file.push(' ');
            }
        }
        file.push('\n');
    }
    file
}

/// A `SubRip` file.
#[must_use]
pub fn subrip(cues: &[Cue]) -> String {
    let mut file = String::new();
    for (at, cue) in cues.iter().enumerate() {
        let (start, end) = (stamp(cue.start_us, ','), stamp(cue.end_us, ','));
        // No text of ours is a line of arrows: that would be another cue's head.
        let text = cue.text().replace("-->", "—>");
        let _ = write!(file, "{}\n{start} --> {end}\n{text}\n\n", at + 1);
    }
    file
}

fn stamp(us: u64, mark: char) -> String {
    let ms = us / 1000;
    let (seconds, minutes, hours) = (ms / 1000 % 60, ms / 60_000 % 60, ms / 3_600_000);
    format!("{hours:02}:{minutes:02}:{seconds:02}{mark}{:03}", ms % 1000)
}

/// As cue text has it (WebVTT §4.2.2).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::super::words::{align, words};
    use super::super::{Room, cues};
    use super::*;

    #[test]
    fn both_forms_tell_the_same_times_and_escape_what_they_must() {
        let room = Room { columns: 40, lines: 2, words: 20 };
        let cues = cues(
            &align(words("a <b> --> c & d"), &[], (3_600_000_000, 3_602_000_000)),
            room,
            3_603_000_000,
        );
        let vtt = webvtt(&cues);
        assert!(vtt.starts_with("WEBVTT\n\n01:00:00.000 --> 01:00:02.400\na <01:00:00."), "{vtt}");
        assert!(
            vtt.contains("&lt;b&gt;") && vtt.contains("--&gt;") && vtt.contains("&amp;"),
            "{vtt}"
        );
        let srt = subrip(&cues);
        assert_eq!(srt, "1\n01:00:00,000 --> 01:00:02,400\na <b> —> c & d\n\n");
    }
}
