//! The chapters that a source names.
//!
//! Owns: their order, their bounds, the cleaning of their names. Refuses to know: where they are shown.
//! A source's chapters are its maker's wish and no reason to refuse it: what can't be used is left out.

use super::source::{Chapter, seconds_to_us};
use super::wire;

/// Most chapters that are kept: an audio book has a few hundred.
pub const CHAPTERS_MAX: usize = 1000;

/// Longest name of a chapter that is kept, in characters.
pub const CHAPTER_CHARS_MAX: usize = 100;

/// The usable chapters in order, counted from `begins` seconds, where the source's first picture or
/// sound is.
///
/// One that begins no later than the one before it is left out.
pub(super) fn read(found: &[wire::Chapter], begins: f64) -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = Vec::new();
    for chapter in found {
        let Some(start_us) = start_us(chapter, begins) else { continue };
        if chapters.last().is_some_and(|last| last.start_us >= start_us) {
            continue;
        }
        chapters.push(Chapter { start_us, title: clean(chapter.tags.title.as_deref()) });
        if chapters.len() == CHAPTERS_MAX {
            break;
        }
    }
    chapters
}

fn start_us(chapter: &wire::Chapter, begins: f64) -> Option<u64> {
    let start: f64 = chapter.start_time.as_deref()?.parse().ok()?;
    let seconds = start - begins;
    // A first chapter may begin a little before the first frame.
    if seconds <= 0.0 { Some(0) } else { seconds_to_us(seconds) }
}

fn clean(title: Option<&str>) -> String {
    let shown = title.unwrap_or("").chars().filter(|c| !c.is_control());
    let short: String = shown.take(CHAPTER_CHARS_MAX).collect();
    short.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter(start: &str, title: &str) -> wire::Chapter {
        let tags = wire::Tags { title: Some(title.to_owned()), ..wire::Tags::default() };
        wire::Chapter { start_time: Some(start.to_owned()), tags }
    }

    #[track_caller]
    fn check(found: &[(&str, &str)], begins: f64, expected: &[(u64, &str)]) {
        let found: Vec<_> = found.iter().map(|(start, title)| chapter(start, title)).collect();
        let read = read(&found, begins);
        let read: Vec<_> = read.iter().map(|it| (it.start_us, it.title.as_str())).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn chapters_are_counted_from_the_first_frame_and_have_clean_names() {
        let found = [("10.000000", " Opening\u{7}\n"), ("12.500000", ""), ("20.000000", "End")];
        check(&found, 10.0, &[(0, "Opening"), (2_500_000, ""), (10_000_000, "End")]);
        check(
            &[("-0.020000", "Before"), ("3.000000", "One")],
            0.0,
            &[(0, "Before"), (3_000_000, "One")],
        );
    }

    #[test]
    fn what_is_no_time_or_goes_back_is_left_out() {
        let found =
            [("1.0", "a"), ("1.0", "b"), ("0.5", "c"), ("N/A", "d"), ("nan", "e"), ("1e300", "f")];
        check(&found, 0.0, &[(1_000_000, "a")]);
    }

    #[test]
    fn neither_their_number_nor_their_names_are_without_end() {
        let name = "x".repeat(5000);
        let starts: Vec<_> = (0..5000).map(|second| second.to_string()).collect();
        let found: Vec<_> = starts.iter().map(|start| chapter(start, &name)).collect();
        let read = read(&found, 0.0);
        assert_eq!(read.len(), CHAPTERS_MAX);
        assert!(read.iter().all(|it| it.title.len() == CHAPTER_CHARS_MAX));
    }
}
