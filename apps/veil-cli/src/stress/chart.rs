//! A stress test as a picture: four small charts, a group of bars for each size of picture, a bar for each number of users.
//!
//! Owns: places, colours and scales of an SVG that needs nothing else, light or dark as its viewer is. Refuses to know: what figures mean.

use std::fmt::Write as _;

use super::Row;
use super::report::megabytes;

const WIDTH: f64 = 960.0;
const PANEL: (f64, f64) = (440.0, 240.0);
const MARGIN: f64 = 24.0;
/// From a panel's top to its plot, and from its plot to its bottom.
const ABOVE: f64 = 38.0;
const BELOW: f64 = 26.0;
const HEAD: f64 = 64.0;

/// For the first, second, third… number of users: apart in lightness too, so that they are told apart in grey.
const COLOURS: [(&str, &str); 6] = [
    ("#9ecae1", "#2f5f8a"),
    ("#3182bd", "#5aa9e6"),
    ("#08306b", "#c6e2ff"),
    ("#fdae6b", "#8a4b13"),
    ("#e6550d", "#ff9e4f"),
    ("#7f2704", "#ffd9b3"),
];

/// One of the small charts.
struct Panel {
    title: &'static str,
    value: fn(&Row) -> f64,
    /// A bound that is drawn across each group.
    bound: Option<fn(&Row) -> f64>,
}

const PANELS: [Panel; 4] = [
    Panel {
        title: "hiding: seconds for the median user",
        value: |row| row.hide.median_s,
        bound: None,
    },
    Panel {
        title: "hiding: frames a second, all users together",
        value: |row| row.hide.frames_per_s,
        bound: None,
    },
    Panel {
        title: "peak memory of a process, MB, and its bound",
        value: |row| megabytes(row.hide.own_bytes.max(row.reveal.own_bytes)) as f64,
        bound: Some(|row| megabytes(row.own_bytes_max) as f64),
    },
    Panel {
        title: "peak memory of all runs with their FFmpegs, MB",
        value: |row| megabytes(row.all_bytes) as f64,
        bound: None,
    },
];

/// The chart of rows that come in groups of the same size of picture.
pub(crate) fn svg(rows: &[Row]) -> String {
    let groups: Vec<&[Row]> =
        rows.chunk_by(|one, next| one.resolution == next.resolution).collect();
    let mut users: Vec<u32> = rows.iter().map(|row| row.users).collect();
    users.sort_unstable();
    users.dedup();
    let height = HEAD + 2.0 * (PANEL.1 + MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Stress test: time, speed and memory by size of picture and number of users\">\n{}",
        style(users.len())
    );
    let _ = writeln!(svg, "<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>");
    svg.push_str(&head(rows, &users));
    for (at, panel) in PANELS.iter().enumerate() {
        let (column, row) = ((at % 2) as f64, (at / 2) as f64);
        let x = MARGIN + column * (PANEL.0 + MARGIN + 8.0);
        let y = HEAD + row * (PANEL.1 + MARGIN);
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">");
        svg.push_str(&drawn(panel, &groups, &users));
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// Colours by class, for paper that is light and for paper that is dark.
fn style(series: usize) -> String {
    let colours = |dark: bool| {
        let rules = (0..series).map(|at| {
            let (light, night) = COLOURS[at % COLOURS.len()];
            format!(".u{at}{{fill:{}}}", if dark { night } else { light })
        });
        rules.collect::<String>()
    };
    format!(
        "<style>text{{font:12px system-ui,sans-serif;fill:#222}}.title{{font-weight:600}}.head{{font-size:16px;font-weight:600}}\
         .small{{font-size:10.5px}}.mid{{text-anchor:middle}}.end{{text-anchor:end}}.paper{{fill:#fff}}.grid{{stroke:#ddd}}\
         .bound{{stroke:#c1121f;stroke-width:2;stroke-dasharray:5 3}}{}\
         @media(prefers-color-scheme:dark){{text{{fill:#e6e6e6}}.paper{{fill:#16181c}}.grid{{stroke:#3a3d44}}.bound{{stroke:#ff6b6b}}{}}}\
         </style>\n",
        colours(false),
        colours(true)
    )
}

/// The title, who was carried, and which colour is which number of users.
fn head(rows: &[Row], users: &[u32]) -> String {
    let (carried, all) =
        rows.iter().fold((0, 0), |(carried, all), row| (carried + row.carried, all + row.users));
    let frames = rows.first().map_or(0, |row| row.frames);
    let mut text = format!(
        "<text class=\"head\" x=\"{MARGIN}\" y=\"28\">hide and reveal, {frames} frames each: {carried} of {all} users carried</text>\n"
    );
    let mut x = MARGIN;
    for (at, count) in users.iter().enumerate() {
        let word = if *count == 1 { "user" } else { "users at once" };
        let _ = writeln!(
            text,
            "<rect class=\"u{at}\" x=\"{x}\" y=\"40\" width=\"12\" height=\"12\" rx=\"2\"/>\
             <text x=\"{}\" y=\"50\">{count} {word}</text>",
            x + 18.0
        );
        x += 130.0;
    }
    text
}

fn drawn(panel: &Panel, groups: &[&[Row]], users: &[u32]) -> String {
    let values = groups
        .iter()
        .copied()
        .flatten()
        .flat_map(|row| [(panel.value)(row), panel.bound.map_or(0.0, |bound| bound(row))]);
    let top = ceiling(values.fold(0.0, f64::max));
    let plot = PANEL.1 - ABOVE - BELOW;
    let place = |value: f64| ABOVE + plot * (1.0 - value / top);
    let mut text = format!("<text class=\"title\" x=\"0\" y=\"16\">{}</text>\n", panel.title);
    for part in 0..=4 {
        let value = top * f64::from(part) / 4.0;
        let y = place(value);
        let _ = writeln!(
            text,
            "<line class=\"grid\" x1=\"38\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"small end\" x=\"32\" y=\"{:.1}\">{}</text>",
            PANEL.0,
            y + 4.0,
            mark(value)
        );
    }
    let room = (PANEL.0 - 38.0) / groups.len().max(1) as f64;
    for (at, group) in groups.iter().enumerate() {
        let left = 38.0 + room * at as f64;
        text.push_str(&bars(panel, group, users, (left, room), &place));
    }
    text
}

fn bars(
    panel: &Panel,
    group: &[Row],
    users: &[u32],
    (left, room): (f64, f64),
    place: &dyn Fn(f64) -> f64,
) -> String {
    let mut text = String::new();
    let width = (room * 0.84 / group.len().max(1) as f64).min(54.0);
    let first = left + (room - width * group.len() as f64) / 2.0;
    for (at, row) in group.iter().enumerate() {
        let value = (panel.value)(row);
        let (x, y) = (first + width * at as f64, place(value));
        let series = users.iter().position(|count| *count == row.users).unwrap_or(0);
        let _ = writeln!(
            text,
            "<rect class=\"u{series}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\"/>\
             <text class=\"small mid\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x + 1.5,
            width - 3.0,
            (place(0.0) - y).max(0.5),
            x + width / 2.0,
            y - 4.0,
            short(value)
        );
    }
    if let (Some(bound), Some(row)) = (panel.bound, group.first()) {
        let (y, end) = (place(bound(row)), first + width * group.len() as f64);
        let _ = writeln!(
            text,
            "<line class=\"bound\" x1=\"{first:.1}\" x2=\"{end:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"small mid\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            f64::midpoint(first, end),
            y - 5.0,
            short(bound(row))
        );
    }
    let name = group.first().map_or("", |row| row.resolution);
    let _ = writeln!(
        text,
        "<text class=\"mid\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
        left + room / 2.0,
        PANEL.1 - 8.0
    );
    text
}

/// The next round figure above a value, with some room for what stands on the highest bar.
fn ceiling(value: f64) -> f64 {
    let wanted = (value * 1.1).max(0.1);
    let unit = 10_f64.powf(wanted.log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|step| step * unit);
    steps.into_iter().find(|step| *step >= wanted).unwrap_or(wanted)
}

/// A mark of a scale: a quarter of a round figure.
fn mark(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A figure in as few characters as say it.
fn short(value: f64) -> String {
    if value == 0.0 || value >= 20.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::rows;
    use super::*;

    #[test]
    fn every_row_has_a_bar_in_every_chart() {
        let svg = svg(&rows());
        // Two in the legend, the paper, and four rows in four charts.
        assert_eq!(svg.matches("<rect").count(), 2 + 1 + 4 * 4);
        assert_eq!(svg.matches("class=\"bound\"").count(), 2);
        assert!(
            svg.contains("10 of 10 users carried") && svg.contains("prefers-color-scheme:dark")
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn scales_end_above_their_values_at_round_figures() {
        assert_eq!([0.0, 10.0, 22.5, 0.375].map(mark), ["0", "10", "22.5", "0.38"]);
        assert_eq!([0.0, 0.95, 1.0, 7.2, 105.0].map(ceiling), [0.1, 1.5, 1.5, 8.0, 150.0]);
    }
}
