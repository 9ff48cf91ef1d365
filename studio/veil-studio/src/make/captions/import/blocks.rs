//! `SubRip` and WebVTT: blocks between empty lines, each with a line of times and then text.
//!
//! Owns: both, with their tags and entities. `SubRip` has no specification; WebVTT is the W3C's.

use super::{Anchor, Written, checked, stamp};

/// Reads a whole file; `vtt` says which of both it is.
pub(super) fn read(text: &str, vtt: bool) -> Result<Vec<Written>, String> {
    let mut all = Vec::new();
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_end())).peekable();
    let mut head = vtt;
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() {
            head = false;
            continue;
        }
        // What begins a file of WebVTT, and notes and styles, are blocks without times.
        let note = vtt && ["NOTE", "STYLE", "REGION"].iter().any(|word| line.starts_with(word));
        if head || (note && !line.contains("-->")) {
            while lines.next_if(|(_, line)| !line.trim().is_empty()).is_some() {}
            continue;
        }
        // A number or a name may stand before the times.
        let times = match line.contains("-->") {
            true => Some((number, line)),
            false => lines.next_if(|(_, line)| line.contains("-->")),
        };
        let Some((number, times)) = times else {
            if vtt {
                continue;
            }
            return Err(format!("line {number}: no times stand here or in the next line"));
        };
        let (start_us, end_us) = span(times).map_err(|why| format!("line {number}: {why}"))?;
        let mut cue = Written { start_us, end_us, ..Written::default() };
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.trim().is_empty()) {
            if !cue.text.is_empty() {
                cue.text.push(' ');
            }
            plain(&mut cue, line, vtt);
        }
        checked(&all, &cue, number)?;
        all.push(cue);
    }
    Ok(all)
}

/// Reads `START --> END`; WebVTT's settings behind it say where a cue stands, which is ours to say.
fn span(line: &str) -> Result<(u64, u64), String> {
    let (start, rest) = line.split_once("-->").unwrap_or((line, ""));
    let end = rest.split_whitespace().next().unwrap_or_default();
    let time = |text: &str| stamp(text).ok_or_else(|| format!("`{text}` is no time"));
    Ok((time(start.trim())?, time(end)?))
}

/// Adds a line of text without its tags.
fn plain(cue: &mut Written, line: &str, vtt: bool) {
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if let Some((tag, after)) = tag(rest) {
            if let Some(at_us) = stamp(tag).filter(|_| vtt) {
                cue.anchors.push(Anchor { offset: cue.text.chars().count(), at_us });
            }
            rest = after;
        } else if let Some((sign, after)) = entity(rest).filter(|_| vtt) {
            cue.text.push(sign);
            rest = after;
        } else {
            cue.text.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
}

/// What stands in `<…>` or `{\…}` at the beginning of a text, and what follows it. A bare `<` is text.
fn tag(text: &str) -> Option<(&str, &str)> {
    let inside = |begin: &str, end: char| text.strip_prefix(begin)?.split_once(end);
    if let Some(found) = inside("{\\", '}') {
        return Some(found);
    }
    let (tag, after) = inside("<", '>')?;
    let first = tag.chars().next()?;
    (first.is_ascii_alphanumeric() || first == '/').then_some((tag, after))
}

/// The named signs of WebVTT.
fn entity(text: &str) -> Option<(char, &str)> {
    let known = [
        ("&amp;", '&'),
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&nbsp;", ' '),
        ("&lrm;", '\u{200e}'),
        ("&rlm;", '\u{200f}'),
    ];
    known.into_iter().find_map(|(name, sign)| Some((sign, text.strip_prefix(name)?)))
}
