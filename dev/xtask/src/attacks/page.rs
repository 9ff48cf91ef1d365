//! The table of attacks, for people: `docs/format/stego-attacks.md`.
//!
//! Owns: columns and words. Refuses to know: how anything came about.

use std::fmt::Write as _;

use super::chains::{ATTACKS, Way};
use super::desk::Found;
use super::quality::Quality;
use super::sources::{FPS, Source};

/// What was done with one source.
pub(super) struct Chapter {
    pub(super) source: &'static Source,
    pub(super) columns: Vec<Column>,
}

/// What became of one way to hide.
pub(super) struct Column {
    pub(super) way: Way,
    pub(super) payload_bytes: u64,
    /// None for lossless mode.
    pub(super) quality: Option<Quality>,
    /// By attack; `None` where it was not run.
    pub(super) found: Vec<Option<Found>>,
}

const OPENING: &str = "\
# Attacks

What becomes of hidden messages when FFmpeg encodes, scales and cuts the video they are in. `cargo xtask attacks` writes this page; each run hides anew, so cells at the edge
may differ from run to run. A message fills its video to the last byte that `veilcast capacity` names; one that is shorter is repeated, and survives more.

- **exact**: the very file came out, byte by byte. Bold where the profile promises it ([decision 78](../decisions/0078-what-profiles-promise.md)); the command fails where such a promise is broken.
- *partly: n of m*: the error says that n of m packets came through. *nothing*: the error says that nothing is revealed. Bytes that are wrong never came out; the command fails if they do.
- –: not tried. A cell takes half a minute at 1080p, where only what is promised is tried.

H.264 is x264, preset veryfast where no other is named; HEVC is x265 veryfast, AV1 is SVT-AV1 preset 10, VP9 is libvpx in real time.
";

/// The whole page.
pub(super) fn page(chapters: &[Chapter], date: &str, ffmpeg: &str) -> String {
    let mut text = OPENING.to_owned();
    let _ = writeln!(text, "\n{date}, FFmpeg {ffmpeg}.");
    for chapter in chapters {
        let Source { name, width, height, seconds, .. } = chapter.source;
        let origin = chapter.source.origin();
        let _ = write!(
            text,
            "\n## {name}\n\n{width}×{height}, {FPS} frames a second, {seconds} s: {origin}.\n\n{}",
            attacks(chapter)
        );
    }
    text.push_str(QUALITY);
    text.push_str(&quality(chapters));
    text
}

const QUALITY: &str = "
## What it costs

*File*: PSNR-Y of the file against the carrier, and in brackets that of a file encoded alike without a message. *Message*: PSNR-Y of what the message alone adds, from the difference of the
squared errors. *Rate*: how much more x264 at CRF 28, veryfast, takes for the file than for one without a message.

";

/// The table of a source's attacks.
pub(super) fn attacks(chapter: &Chapter) -> String {
    let head = chapter.columns.iter().map(|column| column.way.name().to_owned());
    let mut rows = vec![row("attack", head)];
    rows.push(row("payload", chapter.columns.iter().map(|column| held(chapter.source, column))));
    for (at, attack) in ATTACKS.iter().enumerate() {
        let cells: Vec<String> =
            chapter.columns.iter().map(|column| cell(chapter.source, column, at)).collect();
        if cells.iter().any(|cell| cell != "–") {
            rows.push(row(attack.name, cells.into_iter()));
        }
    }
    table(&rows)
}

fn held(source: &Source, column: &Column) -> String {
    let bytes = column.payload_bytes;
    match column.way {
        Way::Lossless => format!("{bytes} B"),
        _ => {
            let seconds = u64::from(source.seconds);
            format!("{bytes} B, {} B/s, {} bit/s", bytes / seconds, bytes * 8 / seconds)
        }
    }
}

fn cell(source: &Source, column: &Column, at: usize) -> String {
    match column.found.get(at).copied().flatten() {
        None => "–".to_owned(),
        Some(found) if source.promises(&ATTACKS[at], column.way) => format!("**{found}**"),
        Some(found) => found.to_string(),
    }
}

/// The table of what hiding does to pictures.
pub(super) fn quality(chapters: &[Chapter]) -> String {
    let head = ["payload", "file", "message", "rate"].map(str::to_owned);
    let mut rows = vec![row("source, profile", head.into_iter())];
    for Chapter { source, columns } in chapters {
        for column in columns {
            let Some(quality) = column.quality else { continue };
            let Quality { file_db, plain_db, message_db, rate } = quality;
            let cells = [
                held(source, column),
                format!("{file_db:.1} dB ({plain_db:.1})"),
                format!("{message_db:.1} dB"),
                format!("{:+.0} %", (rate - 1.0) * 100.0),
            ];
            let name = format!("{}, {}", source.name, column.way.name());
            rows.push(row(&name, cells.into_iter()));
        }
    }
    table(&rows)
}

fn row(first: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(first.to_owned()).chain(cells).collect()
}

/// Rows as a table of Markdown, the first its head.
fn table(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let _ = writeln!(text, "| {} |", row.join(" | "));
        if at == 0 {
            let _ = writeln!(text, "|{}", "---|".repeat(row.len()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attacks::sources::QUICK;

    #[test]
    fn what_is_promised_is_bold_and_what_was_not_run_has_no_row() {
        let mut found = vec![None; ATTACKS.len()];
        let at = |name| ATTACKS.iter().position(|attack| attack.name == name).unwrap();
        found[at("copied")] = Some(Found::Exact);
        found[at("mirrored, CRF 23")] = Some(Found::Nothing);
        let column = Column { way: Way::Hard, payload_bytes: 200, quality: None, found };
        let chapter = Chapter { source: &QUICK, columns: vec![column] };
        assert_eq!(
            attacks(&chapter),
            "| attack | hard |\n|---|---|\n| payload | 200 B, 16 B/s, 133 bit/s |\n\
             | copied | **exact** |\n| mirrored, CRF 23 | nothing |\n"
        );
    }
}
