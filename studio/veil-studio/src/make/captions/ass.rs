//! Captions as Advanced `SubStation` Alpha, drawn into the picture by libass.
//!
//! Owns: styles, safe areas, marks of words, what is escaped. Refuses to know: FFmpeg.
//!
//! Invariants: no text becomes a tag; a line whose script runs from right to left has no tag inside, since libass would put the parts
//! between tags in the order of the file: in such lines the style marks the line and not the word.

use std::fmt::Write as _;

use super::{Cue, Room, columns, lines};
use crate::make::document::{CaptionStyle, Captions, Position, Shape};
use crate::make::limits::rgb;
use crate::make::words::{TimedWord, is_rtl};

/// Width of a letter, in thousandths of the size of the font: a wide one of a bold font.
const LETTER_PERMILLE: u32 = 560;

/// Words of a cue that pops up.
const POP_WORDS: usize = 3;

/// How long a heading stays over a text, in microseconds.
const HEADING_US: u64 = 4_000_000;

/// Where text may stand, and how large it is.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    width: u32,
    height: u32,
    font: u32,
    side: u32,
    top: u32,
    bottom: u32,
}

impl Layout {
    /// The layout of a picture. Phones lay their buttons over the lower fifth of an upright picture and over its right edge.
    #[must_use]
    pub fn new(shape: Shape, (width, height): (u32, u32), captions: &Captions) -> Self {
        let (side, top, bottom) = match shape {
            Shape::Portrait => (100, 110, 220),
            Shape::Tall => (70, 80, 130),
            Shape::Square => (60, 70, 90),
            Shape::Landscape => (90, 60, 70),
        };
        let part = |whole: u32, permille: u32| whole * permille / 1000;
        let short = width.min(height);
        let twelfth = if shape == Shape::Landscape { short / 15 } else { short / 12 };
        let font = (twelfth * captions.size / 100).max(8);
        let (side, top, bottom) = (part(width, side), part(height, top), part(height, bottom));
        Self { width, height, font, side, top, bottom }
    }

    /// What a cue may have.
    #[must_use]
    pub fn room(&self, style: CaptionStyle) -> Room {
        let free = self.width - 2 * self.side;
        let columns = (free * 1000 / (self.font * LETTER_PERMILLE)).max(6) as usize;
        match style {
            CaptionStyle::Pop => Room { columns, lines: 1, words: POP_WORDS },
            _ => Room { columns, lines: 2, words: 12 },
        }
    }
}

/// What is drawn over a scene.
#[derive(Clone, Copy, Debug)]
pub struct Overlay<'o> {
    /// The scene's heading.
    pub heading: Option<&'o str>,
    /// Captions, timed from the scene's beginning.
    pub cues: &'o [Cue],
    /// How they look.
    pub captions: &'o Captions,
    /// How long the scene is, in microseconds.
    pub scene_us: u64,
    /// From when to when it is looked at: nothing else is drawn.
    pub seen_us: (u64, u64),
}

/// The file for a scene; `None` where there is nothing to draw.
#[must_use]
pub fn draw(layout: &Layout, overlay: &Overlay<'_>) -> Option<String> {
    let style = overlay.captions.style;
    let cues = if style == CaptionStyle::None { &[] } else { overlay.cues };
    let mut file = head(layout, overlay.captions);
    let bare = file.len();
    let (from, to) = overlay.seen_us;
    let seen = |start: u64, end: u64| start < to && end > from;
    if let Some(heading) = overlay.heading {
        let end = if overlay.cues.is_empty() {
            overlay.scene_us
        } else {
            overlay.scene_us.min(HEADING_US)
        };
        let style = if overlay.cues.is_empty() { "Card" } else { "Heading" };
        if seen(0, end) {
            event(&mut file, (0, end), style, &format!("{{\\fad(250,250)}}{}", escaped(heading)));
        }
    }
    for cue in cues.iter().filter(|cue| seen(cue.start_us, cue.end_us)) {
        draw_cue(&mut file, layout, cue, style);
    }
    (file.len() > bare).then_some(file)
}

fn head(layout: &Layout, captions: &Captions) -> String {
    let Layout { width, height, font, side, top, bottom } = *layout;
    let colour = |text: &str, alpha: &str| {
        let [red, green, blue] = rgb(text).unwrap_or([255; 3]);
        format!("&H{alpha}{blue:02X}{green:02X}{red:02X}")
    };
    let (text, mark) = (colour(&captions.color, "00"), colour(&captions.highlight, "00"));
    let (black, shade) = (colour("#000000", "00"), colour("#000000", "60"));
    let name = &captions.font;
    let line = (font / 14).max(1);
    let (alignment, vertical) = match captions.position {
        Position::Top => (8, top),
        Position::Middle => (5, 0),
        Position::Bottom => (2, bottom),
    };
    // Words that are still to come have the second colour, in karaoke.
    let (first, border, outline) = match captions.style {
        CaptionStyle::Highlight => (&mark, 1, (line, &black)),
        CaptionStyle::Pill => (&text, 3, (font / 6, &mark)),
        CaptionStyle::Block => (&text, 3, (font / 5, &shade)),
        CaptionStyle::Pop | CaptionStyle::None => (&text, 1, (line + 1, &black)),
    };
    let (width_of_outline, outline) = outline;
    let large = font * 5 / 4;
    let mut file = format!(
        "[Script Info]\nScriptType: v4.00+\nPlayResX: {width}\nPlayResY: {height}\nWrapStyle: 0\n\
         ScaledBorderAndShadow: yes\nYCbCr Matrix: TV.709\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, \
         PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, \
         ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n"
    );
    let _ = write!(
        file,
        "Style: Text,{name},{font},{first},{text},{outline},{shade},-1,0,0,0,100,100,0,0,{border},{width_of_outline},0,{alignment},{side},{side},{vertical},-1\n\
         Style: Plain,{name},{font},{text},{text},{black},{shade},-1,0,0,0,100,100,0,0,1,{line},0,{alignment},{side},{side},{vertical},-1\n\
         Style: Heading,{name},{large},{text},{text},{black},{shade},-1,0,0,0,100,100,0,0,1,{line},1,8,{side},{side},{top},-1\n\
         Style: Card,{name},{large},{text},{text},{black},{shade},-1,0,0,0,100,100,0,0,1,{line},1,5,{side},{side},0,-1\n\n\
         [Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    );
    file
}

fn draw_cue(file: &mut String, layout: &Layout, cue: &Cue, style: CaptionStyle) {
    let room = layout.room(style);
    let size = shrunk(layout, cue, room);
    let span = (cue.start_us, cue.end_us);
    let rtl = cue.words.iter().any(|word| word.word.text.chars().any(is_rtl));
    let plain = || laid_out(cue, room, |_, text| text);
    match style {
        CaptionStyle::Highlight if rtl => event(file, span, "Plain", &format!("{size}{}", plain())),
        CaptionStyle::Highlight => {
            event(file, span, "Text", &format!("{size}{}", karaoke(cue, room)));
        }
        CaptionStyle::Pop => {
            let pop = "\\fscx70\\fscy70\\t(0,90,\\fscx108\\fscy108)\\t(90,160,\\fscx100\\fscy100)";
            event(file, span, "Text", &format!("{{{pop}}}{size}{}", plain()));
        }
        CaptionStyle::Pill if !rtl => pills(file, cue, room, &size),
        // Text in the colour of captions on a box of the highlight's can't be read: it stands over the box, with its outline.
        CaptionStyle::Pill => {
            event(file, span, "Text", &format!("{size}{{\\1a&HFF&}}{}", plain()));
            event(file, span, "Plain", &format!("{size}{}", plain()));
        }
        CaptionStyle::Block => {
            event(file, span, "Text", &format!("{size}{}", plain()));
        }
        CaptionStyle::None => {}
    }
}

/// A smaller size where a word is longer than a line.
fn shrunk(layout: &Layout, cue: &Cue, room: Room) -> String {
    let longest = cue.words.iter().map(|word| columns(&word.word.text)).max().unwrap_or(0);
    if longest <= room.columns {
        return String::new();
    }
    let font = layout.font as usize * room.columns / longest;
    format!("{{\\fs{}}}", font.max(6))
}

/// The words in lines, each as `mark` has it.
fn laid_out(cue: &Cue, room: Room, mark: impl Fn(&TimedWord, String) -> String) -> String {
    let mut text = String::new();
    for (number, line) in lines(cue.words.iter(), room.columns).iter().enumerate() {
        if number > 0 {
            text.push_str("\\N");
        }
        for (at, word) in line.iter().enumerate() {
            text.push_str(&mark(word, escaped(&word.word.text)));
            if word.word.spaced && at + 1 < line.len() {
                text.push(' ');
            }
        }
    }
    text
}

/// Words that fill with colour, in hundredths of a second; each counted from the beginning, so that no error adds up.
fn karaoke(cue: &Cue, room: Room) -> String {
    let since = |us: u64| us.saturating_sub(cue.start_us) / 10_000;
    laid_out(cue, room, |word, text| {
        let next = cue.words.iter().find(|next| next.start_us > word.start_us);
        let end = next.map_or(word.end_us, |next| next.start_us);
        format!("{{\\kf{}}}{text}", since(end) - since(word.start_us))
    })
}

/// A box for each word, under the whole text: the text of the lower layer is seen through, and so are the boxes of the other words.
fn pills(file: &mut String, cue: &Cue, room: Room, size: &str) {
    for (at, spoken) in cue.words.iter().enumerate() {
        let start = if at == 0 { cue.start_us } else { spoken.start_us };
        let end = cue.words.get(at + 1).map_or(cue.end_us, |next| next.start_us).min(cue.end_us);
        if end <= start {
            continue;
        }
        let text = laid_out(cue, room, |word, text| match word == spoken {
            true => format!("{{\\3a&H00&}}{text}{{\\3a&HFF&}}"),
            false => text,
        });
        event(file, (start, end), "Text", &format!("{size}{{\\1a&HFF&\\3a&HFF&}}{text}"));
    }
    let text = laid_out(cue, room, |_, text| text);
    event(file, (cue.start_us, cue.end_us), "Plain", &format!("{size}{text}"));
}

fn event(file: &mut String, (start, end): (u64, u64), style: &str, text: &str) {
    let (start, end) = (stamp(start), stamp(end));
    // Boxes lie under the outlined text of the same place.
    let layer = u8::from(style == "Plain");
    let _ = writeln!(file, "Dialogue: {layer},{start},{end},{style},,0,0,0,,{text}");
}

fn stamp(us: u64) -> String {
    let hundredths = us / 10_000;
    let (seconds, minutes) = (hundredths / 100, hundredths / 6000);
    format!("{}:{:02}:{:02}.{:02}", minutes / 60, minutes % 60, seconds % 60, hundredths % 100)
}

/// Text that is nothing but text: braces are escaped, and a backslash stands before a joiner of no width, so that it begins no escape.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '{' => out.push_str("\\{"),
            '}' => out.push_str("\\}"),
            '\\' => out.push_str("\\\u{2060}"),
            c if c.is_whitespace() => out.push(' '),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::words::{align, words};
    use super::super::cues;
    use super::*;

    fn drawn(text: &str, style: CaptionStyle) -> String {
        let captions = Captions { style, ..Captions::default() };
        let layout = Layout::new(Shape::Portrait, (360, 640), &captions);
        let timed = align(words(text), &[], (0, 2_000_000));
        let cues = cues(&timed, layout.room(style), 2_100_000);
        let (scene_us, seen_us) = (2_100_000, (0, 2_100_000));
        let overlay =
            Overlay { heading: None, cues: &cues, captions: &captions, scene_us, seen_us };
        draw(&layout, &overlay).unwrap_or_default()
    }

    #[test]
    fn no_text_becomes_a_tag_or_a_line() {
        let file = drawn("{\\b1}bold \\N new\n[Events] Dialogue: 0,x", CaptionStyle::Block);
        let events: Vec<&str> = file.lines().filter(|line| line.starts_with("Dialogue")).collect();
        let text: String = events.concat();
        assert!(text.contains("\\{\\\u{2060}b1\\}bold"), "{text}");
        assert!(text.contains("\\\u{2060}N"), "{text}");
        assert!(!file.lines().any(|line| line == "[Events] Dialogue: 0,x"), "{file}");
    }

    #[test]
    fn karaoke_lasts_as_long_as_the_words() {
        let file = drawn("one two three", CaptionStyle::Highlight);
        let sum: u64 = file
            .split("{\\kf")
            .skip(1)
            .filter_map(|part| part.split('}').next()?.parse::<u64>().ok())
            .sum();
        assert_eq!(sum, 200, "{file}");
    }

    #[test]
    fn each_word_has_its_pill_and_lines_from_right_to_left_have_no_tag() {
        let file = drawn("one two three", CaptionStyle::Pill);
        assert_eq!(file.matches("Dialogue").count(), 4);
        assert_eq!(file.matches("\\3a&H00&").count(), 3);
        for style in [CaptionStyle::Highlight, CaptionStyle::Pill, CaptionStyle::Block] {
            let file = drawn("مرحبا بالعالم", style);
            let lines: Vec<&str> =
                file.lines().filter(|line| line.starts_with("Dialogue")).collect();
            assert_eq!(lines.len(), if style == CaptionStyle::Pill { 2 } else { 1 });
            let last = lines.last().unwrap();
            assert!(last.ends_with(",مرحبا بالعالم") && !last.contains('{'), "{last}");
            assert!(lines[0].ends_with("مرحبا بالعالم"), "no tag is inside: {}", lines[0]);
        }
    }

    #[test]
    fn a_long_word_gets_smaller_and_none_draws_nothing() {
        assert!(drawn("Donaudampfschifffahrtsgesellschaft", CaptionStyle::Block).contains("{\\fs"));
        assert!(drawn("a", CaptionStyle::None).is_empty());
    }
}
