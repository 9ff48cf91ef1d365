//! Advanced `SubStation` Alpha, and its elder: the lines of `[Events]`.
//!
//! Owns: the columns, and what of a line's text is text. Styles, places and effects are left out: how captions look is the document's.

use super::{Anchor, Written, checked, stamp};

/// Where in a line what is read stands.
struct Columns {
    start: usize,
    end: usize,
    count: usize,
}

/// Reads a whole file.
pub(super) fn read(text: &str) -> Result<Vec<Written>, String> {
    let mut all = Vec::new();
    let mut columns: Option<Columns> = None;
    let mut events = false;
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        let wrong = |why: String| format!("line {number}: {why}");
        if line.starts_with('[') {
            events = line.eq_ignore_ascii_case("[Events]");
        } else if let Some(names) = line.strip_prefix("Format:").filter(|_| events) {
            columns = Some(Columns::read(names).map_err(wrong)?);
        } else if let Some(values) = line.strip_prefix("Dialogue:").filter(|_| events) {
            let columns = columns.as_ref();
            let columns =
                columns.ok_or_else(|| wrong("no `Format` stands before it".to_owned()))?;
            let cue = dialogue(columns, values).map_err(wrong)?;
            checked(&all, &cue, number)?;
            all.push(cue);
        }
    }
    Ok(all)
}

impl Columns {
    fn read(names: &str) -> Result<Self, String> {
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        let find = |wanted: &str| {
            let found = names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
            found.ok_or_else(|| format!("the format has no `{wanted}`"))
        };
        let (start, end, text) = (find("Start")?, find("End")?, find("Text")?);
        if text + 1 != names.len() {
            return Err("the format doesn't end with `Text`".to_owned());
        }
        Ok(Self { start, end, count: names.len() })
    }
}

fn dialogue(columns: &Columns, values: &str) -> Result<Written, String> {
    let values: Vec<&str> = values.splitn(columns.count, ',').map(str::trim).collect();
    let time = |at: usize| {
        let text = values.get(at).copied().unwrap_or_default();
        stamp(text).ok_or_else(|| format!("`{text}` is no time"))
    };
    let (start_us, end_us) = (time(columns.start)?, time(columns.end)?);
    let mut cue = Written { start_us, end_us, ..Written::default() };
    let text = values.get(columns.count - 1).copied().unwrap_or_default();
    plain(&mut cue, text);
    Ok(cue)
}

/// Adds text without its tags; those of karaoke tell when what follows begins.
fn plain(cue: &mut Written, text: &str) {
    let (mut rest, mut at_us, mut drawing) = (text, cue.start_us, false);
    while let Some(c) = rest.chars().next() {
        if let Some((tags, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            for tag in tags.split('\\').map(str::trim) {
                if let Some(hundredths) = karaoke(tag) {
                    cue.anchors.push(Anchor { offset: cue.text.chars().count(), at_us });
                    at_us = at_us.saturating_add(hundredths.saturating_mul(10_000));
                }
                if let Some(scale) = tag.strip_prefix('p').and_then(|on| on.parse::<u32>().ok()) {
                    drawing = scale > 0;
                }
            }
            rest = after;
            continue;
        }
        let escape = ["\\N", "\\n", "\\h"].iter().find_map(|escape| rest.strip_prefix(escape));
        let (sign, after) = escape.map_or((c, &rest[c.len_utf8()..]), |after| (' ', after));
        if !drawing {
            cue.text.push(sign);
        }
        rest = after;
    }
}

/// How long a syllable takes, in hundredths of a second, where a tag says so: `k`, `K`, `kf`, `ko`.
fn karaoke(tag: &str) -> Option<u64> {
    let number = tag.strip_prefix(['k', 'K'])?;
    number.strip_prefix(['f', 'o']).unwrap_or(number).parse().ok()
}
