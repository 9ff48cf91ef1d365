//! The words of a text, and when each is spoken.
//!
//! Owns: what a word is on the screen (in scripts without spaces, what Unicode Standard Annex 29 calls one), and how times that a voice tells
//! are laid over them. Refuses to know: voices, and how words are shown.
//!
//! Invariants: words follow each other in the text and in time; none begins before the one before it, none ends after the speech.

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;

/// What an end of a sentence and of a clause weigh beside characters, where nobody tells times.
const SENTENCE_WEIGHT: f64 = 7.0;
const CLAUSE_WEIGHT: f64 = 3.0;

/// A word on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word, with the marks that stand at it.
    pub text: String,
    /// Characters of the text before it.
    pub offset: usize,
    /// A space follows in the text.
    pub spaced: bool,
}

/// When somebody began to say what stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Characters of the text before it.
    pub offset: usize,
    /// Microseconds from the beginning of the speech.
    pub at_us: u64,
}

/// A word, and when it is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedWord {
    /// The word.
    pub word: Word,
    /// Microseconds from the beginning of the scene.
    pub start_us: u64,
    /// Not before `start_us`.
    pub end_us: u64,
}

/// Whether a character belongs to a script that is written without spaces.
#[must_use]
pub fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff      // Thai and Lao
        | 0x1000..=0x109f    // Burmese
        | 0x1780..=0x17ff    // Khmer
        | 0x2e80..=0x312f    // radicals, punctuation, kana, bopomofo
        | 0x3190..=0x9fff    // ideographs
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f
        | 0xff00..=0xffef    // full-width forms
        | 0x20000..=0x3ffff)
}

/// Whether a character belongs to a script that is written from right to left.
#[must_use]
pub fn is_rtl(c: char) -> bool {
    matches!(u32::from(c), 0x0590..=0x08ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x10800..=0x10fff | 0x1e800..=0x1efff)
}

/// The words of a text.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let (mut offset, mut fresh) = (0, true);
    for part in text.split_word_bounds() {
        let blank = part.chars().all(char::is_whitespace);
        let solid = part.chars().any(char::is_alphanumeric);
        let unspaced = part.chars().next().is_some_and(is_unspaced);
        match words.last_mut() {
            Some(last) if blank => {
                last.spaced = true;
                fresh = true;
            }
            // Marks stay at the word that they follow, and parts of one run of letters together.
            Some(last) if !(fresh || solid && begins_anew(&last.text, unspaced)) => {
                last.text.push_str(part);
            }
            _ if !blank => {
                words.push(Word { text: part.to_owned(), offset, spaced: false });
                fresh = false;
            }
            _ => {}
        }
        offset += part.chars().count();
    }
    words
}

/// Whether a part with letters begins a word of its own right behind `last`.
fn begins_anew(last: &str, unspaced: bool) -> bool {
    let solid = last.chars().any(char::is_alphanumeric);
    let before = last.chars().next_back().is_some_and(is_unspaced);
    solid && (unspaced || before)
}

/// Lays times over words. `speech_us` is when the speech begins and ends in the sound; `anchors` are in order and may be none.
#[must_use]
pub fn align(words: Vec<Word>, anchors: &[Anchor], speech_us: (u64, u64)) -> Vec<TimedWord> {
    let (first, last) = (speech_us.0, speech_us.1.max(speech_us.0));
    let mut starts: Vec<Option<u64>> = Vec::with_capacity(words.len());
    for word in &words {
        let end = word.offset + word.text.chars().count();
        let anchor = anchors.iter().find(|anchor| (word.offset..end).contains(&anchor.offset));
        let known = anchor.map(|anchor| anchor.at_us.clamp(first, last));
        // Times that go back are nobody's.
        let before = starts.iter().flatten().next_back().copied().unwrap_or(first);
        starts.push(known.filter(|at| *at >= before));
    }
    let starts = between(&words, starts, (first, last));
    let ends = starts.iter().skip(1).copied().chain([last]);
    let timed = words.into_iter().zip(starts.iter().zip(ends));
    timed.map(|(word, (start, end))| TimedWord { word, start_us: *start, end_us: end }).collect()
}

/// Fills in what is not known, by length.
fn between(words: &[Word], known: Vec<Option<u64>>, (first, last): (u64, u64)) -> Vec<u64> {
    let mut starts = Vec::with_capacity(words.len());
    let mut at = 0;
    let mut from = first;
    while at < words.len() {
        if let Some(start) = known[at] {
            from = start;
        }
        let next = (at + 1..words.len()).find(|next| known[*next].is_some());
        let to = next.and_then(|next| known[next]).unwrap_or(last);
        let run = &words[at..next.unwrap_or(words.len())];
        let whole: f64 = run.iter().map(weight).sum();
        let mut gone = 0.0;
        for word in run {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of some minutes in microseconds"
            )]
            let share = ((to.saturating_sub(from)) as f64 * gone / whole) as u64;
            starts.push(from + share);
            gone += weight(word);
        }
        at += run.len();
        from = to;
    }
    starts
}

/// How long a word takes to speak, in letters.
fn weight(word: &Word) -> f64 {
    let letters = word.text.chars().map(|c| match c {
        c if is_unspaced(c) && c.is_alphanumeric() => 3.0,
        c if c.is_alphanumeric() => 1.0,
        _ => 0.0,
    });
    let pause =
        match word.text.trim_end_matches(['"', '”', '’', '»', ')', '」', '』']).chars().next_back()
        {
            Some('.' | '!' | '?' | '…' | '。' | '！' | '？' | '؟' | '۔' | '।') => {
                SENTENCE_WEIGHT
            }
            Some(',' | ';' | ':' | '—' | '–' | '，' | '、' | '；' | '：' | '،' | '؛') => {
                CLAUSE_WEIGHT
            }
            _ => 0.0,
        };
    letters.sum::<f64>() + pause + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_keep_their_marks_and_unspaced_scripts_are_cut() {
        assert_eq!(
            texts("\"Don't!\" said Mr. O'Hara — well-known."),
            ["\"Don't!\"", "said", "Mr.", "O'Hara", "—", "well-known."]
        );
        let chinese = words("他说：“你好，世界！” ok。");
        assert!(chinese.len() >= 5, "{chinese:?}");
        assert!(chinese.iter().all(|word| word.text.chars().any(char::is_alphanumeric)));
        let all: String = chinese.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(all, "他说：“你好，世界！”ok。");
        assert_eq!(texts("مرحبا بالعالم؟"), ["مرحبا", "بالعالم؟"]);
        assert_eq!(texts("😀 👨‍👩‍👧 hi"), ["😀", "👨‍👩‍👧", "hi"]);
        assert!(words(" \n ").is_empty());
    }

    #[test]
    fn places_are_counted_in_characters() {
        let places: Vec<usize> = words("é 你好 a").iter().map(|word| word.offset).collect();
        assert_eq!(places.first(), Some(&0));
        assert_eq!(places.get(1), Some(&2));
        assert_eq!(places.last(), Some(&5));
    }

    #[test]
    fn known_times_stay_and_others_are_shared_out() {
        let anchors = [Anchor { offset: 0, at_us: 100 }, Anchor { offset: 8, at_us: 900 }];
        let timed = align(words("one two three"), &anchors, (50, 2000));
        let starts: Vec<u64> = timed.iter().map(|word| word.start_us).collect();
        assert_eq!((starts[0], starts[2]), (100, 900));
        assert!((101..900).contains(&starts[1]), "{starts:?}");
        assert_eq!(timed[2].end_us, 2000);
        // Times that go back or lie outside don't hurt.
        let odd = [Anchor { offset: 0, at_us: 5000 }, Anchor { offset: 4, at_us: 10 }];
        let timed = align(words("one two three"), &odd, (0, 1000));
        assert!(timed.windows(2).all(|pair| pair[0].start_us <= pair[1].start_us));
        assert!(timed.iter().all(|word| word.start_us <= word.end_us && word.end_us <= 1000));
    }

    #[test]
    fn without_times_a_long_word_and_the_end_of_a_sentence_take_longer() {
        let timed = align(words("a considerably. b c"), &[], (0, 1_000_000));
        let long = |at: usize| timed[at].end_us - timed[at].start_us;
        assert!(long(1) > 3 * long(0) && long(2) == long(0), "{timed:?}");
    }
}
