//! Captions: words put together to what is read at once.
//!
//! Owns: cues ([`cues`]). [`ass`] draws them into the picture, [`files`] writes them beside the video, [`import`] reads those of
//! others. Refuses to know: voices, pixels.
//!
//! Invariant: cues follow each other and don't overlap; each has one word at least.

pub mod ass;
pub mod files;
pub mod import;

use unicode_segmentation::UnicodeSegmentation as _;

use super::words::{TimedWord, is_unspaced};

/// A pause after which a new cue begins, in microseconds.
const PAUSE_US: u64 = 700_000;

/// How long a cue stays when nothing follows, in microseconds.
const LINGER_US: u64 = 400_000;

/// What is read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// When it appears, in microseconds.
    pub start_us: u64,
    /// When it is gone.
    pub end_us: u64,
    /// Its words.
    pub words: Vec<TimedWord>,
}

/// How much goes into a cue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Letters of a line; a sign of an unspaced script is two.
    pub columns: usize,
    /// Lines.
    pub lines: usize,
    /// Words.
    pub words: usize,
}

/// The width of a text in columns.
#[must_use]
pub fn columns(text: &str) -> usize {
    let wide =
        |sign: &str| sign.chars().next().is_some_and(|c| is_unspaced(c) || u32::from(c) >= 0x1f300);
    text.graphemes(true).map(|sign| if wide(sign) { 2 } else { 1 }).sum()
}

/// Puts words together. `until_us` is when the last cue has to be gone.
#[must_use]
pub fn cues(words: &[TimedWord], room: Room, until_us: u64) -> Vec<Cue> {
    let apart = |pair: &[TimedWord]| match pair {
        [last, next] => {
            ends_sentence(&last.word.text) || next.start_us.saturating_sub(last.end_us) > PAUSE_US
        }
        _ => false,
    };
    let mut cues = Vec::new();
    let mut from = 0;
    for to in 1..=words.len() {
        if to == words.len() || apart(&words[to - 1..=to]) {
            let sentence = &words[from..to];
            // As many cues as it needs, and about as much in each: no word is left over for the last.
            let needed = filled(sentence, room, usize::MAX).len();
            let share = width(sentence).div_ceil(needed);
            let even = filled(sentence, room, share);
            let chosen =
                if even.len() > needed { filled(sentence, room, usize::MAX) } else { even };
            cues.extend(chosen.into_iter().map(|words| cue(words.to_vec())));
            from = to;
        }
    }
    let starts: Vec<u64> = cues.iter().skip(1).map(|cue| cue.start_us).chain([until_us]).collect();
    for (cue, next) in cues.iter_mut().zip(starts) {
        cue.end_us = (cue.end_us + LINGER_US).min(next).max(cue.start_us);
    }
    cues
}

/// Cuts a sentence into what fits into the room, each piece closed as soon as it has `wanted` columns.
fn filled(sentence: &[TimedWord], room: Room, wanted: usize) -> Vec<&[TimedWord]> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for at in 1..sentence.len() {
        let piece = &sentence[from..at];
        let full = piece.len() >= room.words
            || width(piece) >= wanted
            || lines(sentence[from..=at].iter(), room.columns).len() > room.lines;
        if full {
            pieces.push(piece);
            from = at;
        }
    }
    pieces.push(&sentence[from..]);
    pieces
}

/// The columns of words on one line.
fn width(words: &[TimedWord]) -> usize {
    let each = words.iter().map(|word| columns(&word.word.text) + usize::from(word.word.spaced));
    each.sum()
}

fn cue(words: Vec<TimedWord>) -> Cue {
    let start_us = words.first().map_or(0, |word| word.start_us);
    let end_us = words.last().map_or(start_us, |word| word.end_us);
    Cue { start_us, end_us, words }
}

/// A full stop ends a cue only where it isn't an abbreviation's: after three letters.
fn ends_sentence(word: &str) -> bool {
    let bare = word.trim_end_matches(['"', '”', '’', '»', ')', '」', '』']);
    match bare.chars().next_back() {
        Some('!' | '?' | '…' | '。' | '！' | '？' | '؟' | '۔' | '।') => true,
        Some('.') => bare.chars().count() > 3,
        _ => false,
    }
}

/// Lays words into lines of so many columns; a longer word has a line of its own.
pub(super) fn lines<'w>(
    words: impl Iterator<Item = &'w TimedWord>,
    width: usize,
) -> Vec<Vec<&'w TimedWord>> {
    let mut lines: Vec<Vec<&TimedWord>> = Vec::new();
    let mut taken = 0;
    for word in words {
        let long = columns(&word.word.text);
        match lines.last_mut().filter(|_| taken + long <= width) {
            Some(line) => line.push(word),
            None => {
                lines.push(vec![word]);
                taken = 0;
            }
        }
        taken += long + usize::from(word.word.spaced);
    }
    lines
}

impl Cue {
    /// Its text, as it is written.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for word in &self.words {
            text.push_str(&word.word.text);
            if word.word.spaced {
                text.push(' ');
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::{align, words};
    use super::*;

    fn cued(text: &str, room: Room) -> Vec<Cue> {
        cues(&align(words(text), &[], (0, 10_000_000)), room, 10_200_000)
    }

    #[test]
    fn cues_end_with_sentences_and_with_the_room() {
        let room = Room { columns: 16, lines: 2, words: 20 };
        let cues = cued("Slow and steady wins the race, said the tortoise. Mr. Fox agreed.", room);
        let texts: Vec<String> = cues.iter().map(Cue::text).collect();
        assert_eq!(
            texts,
            ["Slow and steady wins the", "race, said the tortoise.", "Mr. Fox agreed."]
        );
        assert!(cues.windows(2).all(|pair| pair[0].end_us <= pair[1].start_us));
        assert_eq!(cues.last().unwrap().end_us, 10_200_000);
    }

    #[test]
    fn signs_of_unspaced_scripts_are_two_columns() {
        assert_eq!((columns("你好"), columns("a😀"), columns("é")), (4, 3, 1));
        let room = Room { columns: 10, lines: 1, words: 20 };
        let cues = cued("乌龟慢慢地走着，兔子睡着了", room);
        assert!(cues.len() >= 3 && cues.iter().all(|cue| columns(&cue.text()) <= 12), "{cues:?}");
    }

    #[test]
    fn a_word_longer_than_a_line_is_a_cue_all_the_same() {
        let cues =
            cued("Donaudampfschifffahrtsgesellschaft", Room { columns: 8, lines: 1, words: 3 });
        assert_eq!(cues.len(), 1);
    }
}
