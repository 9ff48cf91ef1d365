//! The decoded sequence as a picture.
//!
//! Owns: a drawing of slots. Refuses to know: what they prove.

use std::fmt::Write as _;

use super::{clock, grouped};
use crate::trace::report::{Evidence, Report};

/// Slots in a line of the drawing.
const ACROSS: usize = 100;

/// Slots that are drawn: an hour of them.
const DRAWN_MAX: usize = 3600;

/// Size of a slot, and the distance to the next line.
const WIDTH: usize = 8;
const HEIGHT: usize = 18;
const LINE: usize = 24;

pub(super) fn section(report: &Report) -> String {
    let evidence = report.evidence.as_slice();
    let (Some(first), Some(last)) = (evidence.first(), evidence.last()) else {
        return String::new();
    };
    let drawn = evidence.get(..DRAWN_MAX.min(evidence.len())).unwrap_or_default();
    let lines = drawn.len().div_ceil(ACROSS);
    let mut text = format!(
        "<section><h2>What was read</h2>\n<p>Each box is a slot of the title, in the leak’s order: filled for a 1, hollow for a 0, paler the less \
         sure it is. The first is slot {} at {}, the last slot {} at {}.</p>\n\
         <svg class=\"sequence\" role=\"img\" aria-label=\"The sequence that was read\" viewBox=\"0 0 {} {}\">\n",
        first.slot,
        clock(first.leak_us),
        last.slot,
        clock(last.leak_us),
        ACROSS * WIDTH,
        lines * LINE,
    );
    for (index, slot) in drawn.iter().enumerate() {
        text += &boxed(index, slot);
    }
    text += "</svg>\n";
    if evidence.len() > drawn.len() {
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let more = (evidence.len() - drawn.len()) as f64;
        let _ = writeln!(text, "<p>{} more are in the JSON of this report.</p>", grouped(more));
    }
    text += "</section>\n";
    text
}

fn boxed(index: usize, slot: &Evidence) -> String {
    let (x, y) = (index % ACROSS * WIDTH, index / ACROSS * LINE);
    let (width, height) = (WIDTH - 2, HEIGHT - 1);
    let kind = if slot.symbol == 1 { "one" } else { "zero" };
    let opacity = 0.15 + 0.85 * slot.confidence.clamp(0.0, 1.0);
    format!(
        "<rect class=\"{kind}\" x=\"{x}.5\" y=\"{y}.5\" width=\"{width}\" height=\"{height}\" opacity=\"{opacity:.2}\"><title>slot {} at {}: {}, {:.0} %</title></rect>\n",
        slot.slot,
        clock(slot.leak_us),
        slot.symbol,
        slot.confidence * 100.0,
    )
}
