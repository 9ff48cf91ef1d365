//! What of Markdown is a heading, a picture, a paragraph; its marks go.
//!
//! Owns: the marks (a small part of CommonMark: what a story has). Refuses to know: scenes.

use super::rules::{Piece, tidy};
use crate::make::document::HEADING_CHARS_MAX;

/// The pieces of a block.
pub(super) fn pieces(block: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let flush = |text: &mut String, pieces: &mut Vec<Piece>| {
        let paragraph = tidy(&without_marks(text));
        text.clear();
        if !paragraph.is_empty() {
            pieces.push(Piece::Paragraph(paragraph));
        }
    };
    for line in block.lines() {
        let line = line.trim();
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        let heading =
            line.get(level..).filter(|rest| (1..=6).contains(&level) && rest.starts_with(' '));
        let rule = line.len() >= 3
            && ["-", "*", "_"].iter().any(|mark| line.replace(mark, "").trim().is_empty());
        if let Some(heading) = heading {
            flush(&mut text, &mut pieces);
            let heading = tidy(&without_marks(heading.trim_end_matches('#')));
            pieces.push(Piece::Heading(cut(&heading)));
        } else if rule {
            flush(&mut text, &mut pieces);
            pieces.push(Piece::Break);
        } else if let Some(file) = picture(line) {
            flush(&mut text, &mut pieces);
            pieces.push(Piece::Picture(file));
        } else {
            let (item, line) = unlisted(line);
            if item {
                flush(&mut text, &mut pieces);
            }
            text.push_str(line);
            text.push('\n');
        }
    }
    flush(&mut text, &mut pieces);
    pieces
}

/// `![alt](file)` alone on its line.
fn picture(line: &str) -> Option<String> {
    let (_, file) = line.strip_prefix("![")?.split_once("](")?;
    let file = file.strip_suffix(')')?.split(" \"").next()?.trim();
    (!file.is_empty()).then(|| file.to_owned())
}

/// A line without the mark of a list or a quotation before it.
fn unlisted(line: &str) -> (bool, &str) {
    let quoted = line.trim_start_matches('>').trim_start();
    let bullet = ["- ", "* ", "+ "].iter().find_map(|mark| quoted.strip_prefix(mark));
    let digits = quoted.bytes().take_while(u8::is_ascii_digit).count();
    let number = quoted.get(digits..).filter(|_| (1..=3).contains(&digits));
    let number = number.and_then(|rest| rest.strip_prefix(". ").or(rest.strip_prefix(") ")));
    match bullet.or(number) {
        Some(item) => (true, item),
        None => (false, quoted),
    }
}

/// Text without emphasis, code marks and the addresses of links.
fn without_marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        let (before, link) = rest.split_at(at);
        let parts = link[1..].split_once("](").and_then(|(name, after)| {
            let (_, after) = after.split_once(')')?;
            (!name.contains(['[', '\n'])).then_some((name, after))
        });
        match parts {
            Some((name, after)) => {
                out.push_str(before.strip_suffix('!').unwrap_or(before));
                out.push_str(name);
                rest = after;
            }
            None => {
                out.push_str(before);
                out.push('[');
                rest = &link[1..];
            }
        }
    }
    out.push_str(rest);
    let mut plain = out.replace(['*', '`'], "");
    // An underscore inside a word is a part of it.
    if plain.contains('_') {
        let words = plain.split(' ').map(|word| word.trim_matches('_'));
        plain = words.collect::<Vec<_>>().join(" ");
    }
    plain
}

fn cut(heading: &str) -> String {
    heading.chars().take(HEADING_CHARS_MAX).collect()
}
