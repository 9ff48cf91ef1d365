//! Captions that somebody else timed: `SubRip`, WebVTT and Advanced `SubStation` Alpha.
//!
//! Owns: how each is read, and its bounds. Refuses to know: where the file lies, and when in the video its zero is.
//!
//! Invariants: what comes out are cues as `cues` makes them: in order, none over another, each with a word; no tag of a file becomes text or a
//! tag of ours. Times inside of a cue (WebVTT's, and karaoke of ASS) are the words'; where there are none, words share the cue by length.

mod ass;
mod blocks;

use super::Cue;
use crate::make::words::{Anchor, TimedWord, align, words};

/// The largest file.
pub const BYTES_MAX: u64 = 4 << 20;

/// Most cues of a file: four hours, three a second.
pub const CUES_MAX: usize = 40_000;

/// Most characters of a cue.
pub const CUE_CHARS_MAX: usize = 1000;

/// The latest time that is read, in microseconds: a hundred hours.
const LAST_US: u64 = 100 * 3600 * 1_000_000;

/// A cue as it stands in a file: plain text, and when what stands at a place of it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Written {
    start_us: u64,
    end_us: u64,
    text: String,
    anchors: Vec<Anchor>,
}

/// Reads a file of captions, whichever of the three it is.
///
/// # Errors
/// In words, with the line.
pub fn read(bytes: &[u8]) -> Result<Vec<Cue>, String> {
    if bytes.len() as u64 > BYTES_MAX {
        return Err(format!("it has more than {} MiB", BYTES_MAX >> 20));
    }
    let text = str::from_utf8(bytes).map_err(|_| "it is no text in UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let written = match first {
        head if head.starts_with('[') => ass::read(text)?,
        "WEBVTT" => blocks::read(text, true)?,
        head if head.starts_with("WEBVTT ") || head.starts_with("WEBVTT\t") => {
            blocks::read(text, true)?
        }
        _ => blocks::read(text, false)?,
    };
    if written.is_empty() {
        return Err("there are no captions in it".to_owned());
    }
    Ok(in_order(written))
}

/// Refuses what is beyond the bounds; `line` is the cue's.
fn checked(all: &[Written], cue: &Written, line: usize) -> Result<(), String> {
    if all.len() >= CUES_MAX {
        return Err(format!("line {line}: it has more than {CUES_MAX} captions"));
    }
    if cue.text.chars().count() > CUE_CHARS_MAX {
        return Err(format!("line {line}: a caption has more than {CUE_CHARS_MAX} characters"));
    }
    if cue.end_us < cue.start_us {
        return Err(format!("line {line}: a caption ends before it begins"));
    }
    Ok(())
}

/// Words with times, one cue after another: what begins together stands together, and what is overtaken ends.
fn in_order(mut written: Vec<Written>) -> Vec<Cue> {
    written.sort_by_key(|cue| cue.start_us);
    let mut cues: Vec<Cue> = Vec::with_capacity(written.len());
    for one in written {
        let timed = align(words(&one.text), &moved(&one), (one.start_us, one.end_us));
        if timed.is_empty() {
            continue;
        }
        match cues.last_mut().filter(|last| last.start_us == one.start_us) {
            Some(last) => {
                if let Some(word) = last.words.last_mut() {
                    word.word.spaced = true;
                }
                last.words.extend(timed);
                last.end_us = last.end_us.max(one.end_us);
            }
            None => cues.push(Cue { start_us: one.start_us, end_us: one.end_us, words: timed }),
        }
    }
    let starts: Vec<u64> = cues.iter().skip(1).map(|cue| cue.start_us).collect();
    for (cue, next) in cues.iter_mut().zip(starts) {
        clip(cue, 0, next);
    }
    cues
}

/// A cue's anchors, which count from its own time already, within its bounds.
fn moved(cue: &Written) -> Vec<Anchor> {
    let within = |anchor: &Anchor| (cue.start_us..=cue.end_us).contains(&anchor.at_us);
    cue.anchors.iter().filter(|anchor| within(anchor)).copied().collect()
}

/// Leaves of a cue what lies within a time.
pub(in crate::make) fn clip(cue: &mut Cue, from_us: u64, to_us: u64) {
    let within = |us: u64| us.clamp(from_us, to_us.max(from_us));
    cue.start_us = within(cue.start_us);
    cue.end_us = within(cue.end_us);
    for TimedWord { start_us, end_us, .. } in &mut cue.words {
        (*start_us, *end_us) = (within(*start_us), within(*end_us));
    }
}

/// Reads `[H:]MM:SS` with a fraction behind a point or a comma, in microseconds.
fn stamp(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = whole.split(':').collect();
    if !(2..=3).contains(&parts.len()) || !parts.iter().copied().all(plain) || !plain(fraction) {
        return None;
    }
    let mut seconds = 0_u64;
    for part in &parts {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
    let us = seconds.checked_mul(1_000_000)?.checked_add(digits.parse().ok()?)?;
    (us <= LAST_US).then_some(us)
}

#[cfg(test)]
mod tests {
    use super::super::files::{subrip, webvtt};
    use super::*;

    fn texts(file: &str) -> Vec<(u64, u64, String)> {
        let ms = |us: u64| us / 1000;
        let cues = read(file.as_bytes()).unwrap();
        cues.iter().map(|cue| (ms(cue.start_us), ms(cue.end_us), cue.text())).collect()
    }

    fn fails(file: &str, why: &str) {
        let error = read(file.as_bytes()).unwrap_err();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn all_three_forms_are_read() {
        let expected = [(1000, 2500, "Hello there.".to_owned()), (3000, 4000, "Bye".to_owned())];
        let srt = "\u{feff}1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Hello</i>\r\n{\\an8}there.\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nBye\r\n";
        assert_eq!(texts(srt), expected);
        let vtt = "WEBVTT - a film\nKind: captions\n\nNOTE nothing\n\nSTYLE\n::cue {}\n\nfirst\n00:01.000 --> 00:02.500 align:start\n<v Ann>Hello</v> <c.x>there.</c>\n\n00:00:03.000 --> 00:00:04.000\nBye\n";
        assert_eq!(texts(vtt), expected);
        let ass = "[Script Info]\nTitle: x\n\n[Events]\nFormat: Layer, Start, End, Style, Text\nComment: 0,0:00:00.00,0:00:01.00,D,no\nDialogue: 0,0:00:01.00,0:00:02.50,D,{\\b1}Hello\\N{\\b0}there.\nDialogue: 0,0:00:03.00,0:00:04.00,D,Bye\nDialogue: 0,0:00:03.00,0:00:04.00,D,{\\p1}m 0 0 l 9 9\n";
        assert_eq!(texts(ass), expected);
    }

    #[test]
    fn what_is_written_beside_a_video_is_read_again_with_its_words() {
        let timed = align(words("a <b> & c, d"), &[], (1_000_000, 3_000_000));
        let cues = vec![Cue { start_us: 1_000_000, end_us: 3_000_000, words: timed }];
        let again = read(webvtt(&cues).as_bytes()).unwrap();
        assert_eq!(again[0].text(), "a <b> & c, d");
        for (old, new) in cues[0].words.iter().zip(&again[0].words) {
            assert!(old.start_us.abs_diff(new.start_us) < 1000, "{old:?} {new:?}");
        }
        assert_eq!(read(subrip(&cues).as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn karaoke_tells_when_words_begin() {
        let ass = "[Events]\nFormat: Start, End, Text\nDialogue: 0:00:10.00,0:00:12.00,{\\k50}one {\\kf100}two, {\\ko50}three";
        let cues = read(ass.as_bytes()).unwrap();
        let starts: Vec<u64> = cues[0].words.iter().map(|word| word.start_us / 1000).collect();
        assert_eq!(
            (starts, cues[0].text().as_str()),
            (vec![10_000, 10_500, 11_500], "one two, three")
        );
    }

    #[test]
    fn cues_that_overlap_end_and_those_that_begin_together_stand_together() {
        let srt = "1\n00:00:02,000 --> 00:00:04,000\nlater\n\n2\n00:00:00,000 --> 00:00:03,000\nfirst\n\n3\n00:00:00,000 --> 00:00:01,000\nand\n";
        assert_eq!(
            texts(srt),
            [(0, 2000, "first and".to_owned()), (2000, 4000, "later".to_owned())]
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        fails("", "no captions");
        fails("a story\nof two lines\n", "line 1");
        fails("1\n00:00:01,000 --> soon\na\n", "line 2: `soon` is no time");
        fails("1\n00:00:02,000 --> 00:00:01,000\na\n", "line 2: a caption ends before");
        fails("WEBVTT\n\n00:00:01.000 -> 00:00:02.000\na\n", "no captions");
        fails("[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,a\n", "line 2");
        fails("[Events]\nFormat: Start, Text\n", "line 2: the format has no `End`");
        fails("[Events]\nFormat: Start, End, Text\nDialogue: 1,2,x\n", "line 3: `1` is no time");
        fails(
            &format!("1\n00:00:01,000 --> 00:00:02,000\n{}\n", "x".repeat(1001)),
            "1000 characters",
        );
        fails("1\n999:00:00,000 --> 999:00:01,000\na\n", "is no time");
        assert!(read(b"\xff\xfe").unwrap_err().contains("UTF-8"));
        let long = vec![b' '; usize::try_from(BYTES_MAX + 1).unwrap()];
        assert!(read(&long).unwrap_err().contains("4 MiB"));
    }
}
