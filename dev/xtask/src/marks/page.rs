//! The table of attacks on marks, for people: `docs/format/mark-attacks.md`.
//!
//! Owns: columns and words. Refuses to know: how anything came about.

use std::fmt::Write as _;

use super::desk::{Alarms, FPS, Read};
use super::leaks::ATTACKS;
use super::{Result, Results};

const OPENING: &str = "\
# Attacks on marks

What is left of forensic marks ([mark](mark.md)) when FFmpeg encodes, scales, cuts, crops and turns a video. `cargo xtask marks` writes this page.

A cell says how many of the clip's slots were read rightly, how many wrongly, and z, how many deviations the title's template stands above decoys; a mark is there from 8 on. Slots that aren't counted were not found, shown by nobody, or read with less than 0.2 of confidence:
they accuse nobody. *Searched*: nothing was to be seen as it was, so the map of the picture was searched. The command fails if a slot is wrong with a confidence of 0.9, if an innocent of 1,000 viewers is named at 10⁻⁶, or if a wrong key sees a mark.

H.264 is x264 veryfast, HEVC x265 veryfast, AV1 SVT-AV1 preset 10. Titles are encoded with x264 veryfast at CRF 23, a closed group of pictures for each slot; attacks begin there.
";

/// The whole page.
pub(super) fn page(results: &Results, date: &str, ffmpeg: &str) -> String {
    let mut text = OPENING.to_owned();
    let seconds = results.seconds;
    let _ = writeln!(
        text,
        "\n{date}, FFmpeg {ffmpeg}; 1280×720, {FPS} frames a second, {seconds} s: half from the trailer of Sintel, half from Big Buck Bunny.\n"
    );
    if results.is_part {
        text.push_str("It was stopped before all was run; – is what wasn't.\n\n");
    }
    text.push_str(&attacks(results));
    text.push_str(QUALITY);
    text.push_str(&quality(&results.columns));
    text.push_str(LEAKS);
    let mut rows =
        vec!["| leak | slots | named | best p-value |".to_owned(), "|---|---|---|---|".to_owned()];
    for (leak, read) in &results.leaks {
        let Read { slots, right, wrong, named, p_value, .. } = read;
        rows.push(format!(
            "| {}, {} s | {right} right, {wrong} wrong of {slots} | {named}, innocents {} | {p_value:.1e} |",
            leak.name, leak.seconds, read.innocents
        ));
    }
    text.push_str(&rows.join("\n"));
    text.push('\n');
    if let Some([marked, plain]) = &results.alarms {
        let words = |alarms: &Alarms| {
            format!(
                "{} keys, highest z {:.1}; the title's key {:.1}",
                alarms.keys, alarms.highest, alarms.own
            )
        };
        let _ = writeln!(
            text,
            "{ALARMS}- on the marked clip: {}\n- on the clip without a mark: {}",
            words(marked),
            words(plain)
        );
    }
    text
}

const QUALITY: &str = "
## What it costs

PSNR and SSIM of luma, between the clip's frames and the marked ones before anything is encoded. *Edges*: the same of the differences between a frame and the next, across the edge of a slot, and in brackets elsewhere. *Rate*: how much larger the
encoded file is than one without a mark.

";

const LEAKS: &str = "
## Who is named

Leaks of 640×360 (the same pieces over and over), marked with standard strength in slots of 1 s, encoded once more at CRF 28, among 1,000 viewers at ε = 10⁻⁶. What two have not in common is not counted as right or wrong.

";

const ALARMS: &str = "
## Alarms where nothing is

Keys that never marked anything, z = 8 being an alarm:

";

/// The table of attacks.
pub(super) fn attacks(results: &Results) -> String {
    let names: Vec<&str> = results.columns.iter().map(|column| column.column.name).collect();
    let mut text =
        format!("| attack | {} |\n|{}\n", names.join(" | "), "---|".repeat(names.len() + 1));
    for (at, attack) in ATTACKS.iter().enumerate() {
        let cells: Vec<String> =
            results.columns.iter().map(|column| cell(column.read[at].as_ref())).collect();
        if cells.iter().any(|cell| cell != "–") {
            let _ = writeln!(text, "| {} | {} |", attack.name, cells.join(" | "));
        }
    }
    text
}

fn cell(read: Option<&Read>) -> String {
    let Some(read) = read else { return "–".to_owned() };
    let searched = if read.is_searched { "; searched" } else { "" };
    format!("{read}{searched}")
}

/// The table of what marking does to pictures.
fn quality(columns: &[Result]) -> String {
    let mut text = "| | PSNR-Y | SSIM | edges | rate |\n|---|---|---|---|---|\n".to_owned();
    for column in columns {
        let Some(quality) = column.quality else { continue };
        let _ = writeln!(
            text,
            "| {} | {:.1} dB | {:.4} | {:.1} dB ({:.1}) | {:+.0} % |",
            column.column.name,
            quality.psnr_db,
            quality.ssim,
            quality.edge_db,
            quality.inside_db,
            (quality.rate - 1.0) * 100.0
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::leaks::COLUMNS;

    #[test]
    fn what_was_not_run_has_no_row_and_what_is_wrong_is_said() {
        let mut read = vec![None; ATTACKS.len()];
        let (slots, right, presence, p_value) = (30, 28, 41.3, 1e-3);
        read[1] = Some(Read {
            slots,
            right,
            wrong: 1,
            wrong_and_sure: 0,
            presence,
            named: 0,
            innocents: 0,
            p_value,
            is_searched: true,
        });
        let columns = vec![Result { column: &COLUMNS[0], quality: None, read }];
        let results =
            Results { seconds: 30, columns, leaks: Vec::new(), alarms: None, is_part: true };
        let table = attacks(&results);
        assert!(table.ends_with("|---|---|\n| H.264, CRF 28 | 28 of 30, 1 wrong (0 with confidence); z 41; searched |\n"), "{table}");
    }
}
