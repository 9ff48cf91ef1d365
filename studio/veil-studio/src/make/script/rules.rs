//! Scenes by rules: headings begin one, sentences fill it up to a bounded length.
//!
//! Owns: what of plain text and Markdown is a heading, a paragraph, a picture; where sentences end in any script (Unicode Standard Annex 29);
//! how many go into a scene. Refuses to know: meaning.
//!
//! Invariants: no word of a story is lost but marks of Markdown; no scene has more than [`LENGTH_MAX`] but one of a single unbroken word.

use futures_util::future::BoxFuture;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Script, ScriptProvider, markdown};
use crate::make::document::{Background, Motion, Scene};
use crate::make::error::MakeError;
use crate::make::words::is_unspaced;

/// The length from which a scene takes no further sentence: some 12 seconds.
const LENGTH_WANTED: usize = 32;

/// The longest scene: some 20 seconds.
pub const LENGTH_MAX: usize = 55;

/// A line of text that was wrapped by hand is not longer, and not shorter but at the end of its paragraph.
const WRAPPED: std::ops::RangeInclusive<usize> = 45..=90;

/// Words with a full stop after which no sentence ends.
const ABBREVIATIONS: [&str; 16] = [
    "mr", "mrs", "ms", "dr", "st", "prof", "sr", "jr", "vs", "etc", "e.g", "i.e", "no", "bzw",
    "z.b", "nr",
];

/// The rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// The story is Markdown.
    pub markdown: bool,
}

impl ScriptProvider for Rules {
    fn scenes<'a>(&'a self, story: &'a str) -> BoxFuture<'a, Result<Script, MakeError>> {
        Box::pin(async move { Ok(self.split(story)) })
    }
}

/// A piece of a story.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Heading(String),
    Paragraph(String),
    Picture(String),
    Break,
}

impl Rules {
    /// Splits a story into scenes.
    #[must_use]
    pub fn split(self, story: &str) -> Script {
        let story = story.strip_prefix('\u{feff}').unwrap_or(story).replace("\r\n", "\n");
        let mut script = Script::default();
        let mut next = Scene::default();
        for piece in self.pieces(&story) {
            match piece {
                Piece::Heading(text) => {
                    if next.heading.is_some() {
                        // Two headings in a row: the first has a scene of its own.
                        script.scenes.push(std::mem::take(&mut next));
                    }
                    script.title.get_or_insert_with(|| text.clone());
                    next.heading = Some(text);
                }
                Piece::Picture(file) => {
                    next.background = Some(Background::Image { file, motion: Motion::default() });
                }
                Piece::Break => {
                    if next.heading.is_some() {
                        script.scenes.push(std::mem::take(&mut next));
                    }
                }
                Piece::Paragraph(text) => {
                    for text in groups(&text) {
                        script.scenes.push(Scene { text, ..std::mem::take(&mut next) });
                    }
                }
            }
        }
        if next.heading.is_some() || next.background.is_some() {
            script.scenes.push(next);
        }
        script
    }

    fn pieces(self, story: &str) -> Vec<Piece> {
        let blocks = story.split("\n\n").flat_map(|block| block.split("\n \n"));
        let blocks: Vec<&str> = blocks.filter(|block| !block.trim().is_empty()).collect();
        let mut pieces = Vec::new();
        for (at, block) in blocks.iter().enumerate() {
            if self.markdown {
                pieces.extend(markdown::pieces(block));
            } else if is_title(block, at == 0 && blocks.len() > 1) {
                pieces.push(Piece::Heading(tidy(block)));
            } else {
                pieces.extend(paragraphs(block).map(Piece::Paragraph));
            }
        }
        pieces
    }
}

/// A line of its own that ends no sentence: the first of all, or one in capitals.
fn is_title(block: &str, first: bool) -> bool {
    let text = block.trim();
    let short = !text.contains('\n') && text.chars().count() <= 80;
    let open = !text.ends_with(['.', '!', '?', '。', '！', '？', '؟', '"', '”', '…', ':', ';']);
    let capitals = text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase);
    short && open && (first || capitals)
}

/// The paragraphs of a block: lines that were wrapped by hand belong together, others are paragraphs.
fn paragraphs(block: &str) -> impl Iterator<Item = String> {
    let mut all: Vec<String> = Vec::new();
    let lines: Vec<&str> = block.lines().filter(|line| !line.trim().is_empty()).collect();
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut open = false;
    for line in lines {
        match all.last_mut().filter(|_| open) {
            Some(last) => {
                last.push('\n');
                last.push_str(line);
            }
            None => all.push(line.to_owned()),
        }
        open = longest <= *WRAPPED.end() && line.chars().count() >= *WRAPPED.start();
    }
    all.into_iter().map(|text| tidy(&text)).filter(|text| !text.is_empty())
}

/// One space between words, none at the ends, and none where a line of an unspaced script was wrapped.
pub(crate) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        for (at, word) in line.split_whitespace().enumerate() {
            let glued = at == 0
                && out.chars().next_back().is_some_and(is_unspaced)
                && word.chars().next().is_some_and(is_unspaced);
            if !out.is_empty() && !glued {
                out.push(' ');
            }
            out.extend(word.chars().filter(|c| !c.is_control()));
        }
    }
    out
}

/// How long a text takes to speak, about: in words, three signs of an unspaced script being two.
fn length(text: &str) -> usize {
    let (mut words, mut signs) = (0, 0);
    for word in text.unicode_words() {
        match word.chars().next().is_some_and(is_unspaced) {
            true => signs += word.chars().count(),
            false => words += 1,
        }
    }
    words + signs * 2 / 3
}

/// A paragraph as texts of scenes.
fn groups(paragraph: &str) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    let mut under_way = String::new();
    for part in sentences(paragraph).iter().flat_map(|sentence| clauses(sentence)) {
        let whole = length(&under_way) + length(part);
        if !under_way.is_empty() && whole > LENGTH_WANTED {
            groups.push(std::mem::take(&mut under_way).trim().to_owned());
        }
        under_way.push_str(part);
    }
    groups.push(under_way.trim().to_owned());
    groups.retain(|group| !group.is_empty());
    groups
}

/// The sentences of a text, with what is between them.
fn sentences(text: &str) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    for part in text.split_sentence_bounds() {
        let open = sentences.last().is_some_and(|last| ends_open(last));
        match sentences.last_mut().filter(|_| open) {
            Some(last) => last.push_str(part),
            None => sentences.push(part.to_owned()),
        }
    }
    sentences
}

/// Ends with an abbreviation, or with a letter alone.
fn ends_open(sentence: &str) -> bool {
    let Some(word) = sentence.trim_end().strip_suffix('.') else { return false };
    let word = word.rsplit([' ', '(', '"']).next().unwrap_or_default();
    let initial =
        word.chars().count() == 1 && word.chars().all(|c| c.is_alphabetic() && c.is_uppercase());
    initial || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

/// A sentence in parts that are no longer than a scene may be: at commas, then between words, then between signs.
fn clauses(sentence: &str) -> Vec<&str> {
    if length(sentence) <= LENGTH_MAX {
        return vec![sentence];
    }
    let marks = [',', ';', ':', '—', '–', '，', '、', '；', '：', '،', '؛'];
    let at_marks: Vec<&str> = sentence.split_inclusive(marks).collect();
    let mut parts = Vec::new();
    for part in at_marks {
        match length(part) <= LENGTH_MAX {
            true => parts.push(part),
            false => parts.extend(pieces_of(part)),
        }
    }
    parts
}

/// Cuts a text between words, each piece as long as a scene is wanted.
fn pieces_of(text: &str) -> Vec<&str> {
    let (mut pieces, mut from, mut long) = (Vec::new(), 0, 0);
    for (at, word) in text.split_word_bound_indices() {
        // Counted by halves, so that three signs are two words.
        let weight = match word.chars().next() {
            Some(first) if is_unspaced(first) => word.chars().count() * 2,
            Some(first) if first.is_alphanumeric() => 3,
            _ => 0,
        };
        if long + weight > LENGTH_WANTED * 3 && at > from {
            pieces.push(&text[from..at]);
            (from, long) = (at, 0);
        }
        long += weight;
    }
    pieces.push(&text[from..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &Script) -> Vec<&str> {
        script.scenes.iter().map(|scene| scene.text.as_str()).collect()
    }

    #[test]
    fn a_first_line_alone_is_the_title_and_paragraphs_are_scenes() {
        let script =
            Rules::default().split("The Hare\n\n\"Ever?\" asked Mr. Fox. It ran.\nThe end.\n");
        assert_eq!(script.title.as_deref(), Some("The Hare"));
        assert_eq!(script.scenes[0].heading.as_deref(), Some("The Hare"));
        assert_eq!(texts(&script), ["\"Ever?\" asked Mr. Fox. It ran.", "The end."]);
    }

    #[test]
    fn markdown_gives_headings_pictures_and_plain_text() {
        let story = "# One *two*\n\nIt is **so** [here](http://x/y) and `there`.\n\n![a](pic.png)\n\n- first\n- second_one\n\n## Last\n---\n";
        let script = Rules { markdown: true }.split(story);
        assert_eq!(texts(&script), ["It is so here and there.", "first", "second_one", ""]);
        assert_eq!(script.scenes[0].heading.as_deref(), Some("One two"));
        assert!(
            matches!(&script.scenes[1].background, Some(Background::Image { file, .. }) if file == "pic.png")
        );
        assert_eq!(script.scenes[3].heading.as_deref(), Some("Last"));
    }

    #[test]
    fn lines_wrapped_by_hand_are_one_paragraph() {
        let line = "a line of some sixty characters, as people wrapped them by hand,";
        let script = Rules::default().split(&format!("{line}\n{line}\nand its end.\nAnother."));
        assert_eq!(script.scenes.len(), 2);
        assert!(script.scenes[0].text.ends_with("hand, and its end."));
        assert_eq!(tidy("他走了很远\n的路。\nthen on"), "他走了很远的路。 then on");
    }

    #[test]
    fn sentences_end_in_every_script_and_no_scene_is_too_long() {
        let chinese = "兔子跑得很快。乌龟走得很慢！谁会赢呢？".repeat(6);
        let arabic = "ركض الأرنب بسرعة. هل سيفوز؟ ".repeat(20);
        let endless = "word ".repeat(400);
        let unbroken = "乌".repeat(500);
        for story in [&chinese, &arabic, &endless, &unbroken] {
            let script = Rules::default().split(story);
            assert!(script.scenes.len() > 1, "{story}");
            for scene in &script.scenes {
                assert!(length(&scene.text) <= LENGTH_MAX, "{}", scene.text);
            }
            let joined: String = texts(&script).concat();
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(bare(&joined), bare(story));
        }
        let script = Rules::default().split(&chinese);
        assert!(script.scenes.iter().all(|scene| scene.text.ends_with(['。', '！', '？'])));
    }

    #[test]
    fn nothing_makes_no_scene() {
        for empty in ["", "\n\n \n", "\u{feff}"] {
            assert!(Rules::default().split(empty).scenes.is_empty());
        }
    }
}
