//! The report as a document: one page without script that needs nothing from anywhere, for people who were not there.
//!
//! Owns: what is said and how it looks. Refuses to know: how the report came about. Invariants: what others wrote (names, labels) is text and never
//! markup; the page's policy lets nothing in but its own style and the pictures in it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use super::report::{Report, Verdict, Viewer};
use super::stills::{Still, Tile};

mod sequence;

/// Viewers that are listed; the others are counted.
const VIEWERS_MAX: usize = 50;

const STYLE: &str = include_str!("page/style.css");
const METHOD: &str = include_str!("page/method.html");

/// The report as HTML.
#[must_use]
pub fn render(report: &Report, stills: &[Still]) -> String {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'sha256-{hash}'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Trace of {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escaped(&report.leak.name)
    );
    page += &head(report);
    page += &examined(report);
    page += &certainty(report);
    page += &viewers(report);
    page += &sequence::section(report);
    page += &pictures(stills);
    page += METHOD;
    page += "</main>\n</body>\n</html>\n";
    page
}

fn head(report: &Report) -> String {
    let class = match report.verdict {
        Verdict::Named => "named",
        Verdict::NotEnough => "open",
        Verdict::NoMark | Verdict::UnknownTitle => "none",
    };
    let sentence = report.sentence();
    let mut letters = sentence.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let notes: String = report
        .notes
        .iter()
        .map(|note| format!("<p class=\"note\">{}</p>\n", escaped(note)))
        .collect();
    format!(
        "<header><p class=\"kind\">Forensic trace</p><h1>{}</h1></header>\n\
         <section class=\"result {class}\"><h2>Result</h2><p>{}{}.</p>\n{notes}</section>\n",
        escaped(&report.leak.name),
        first,
        escaped(letters.as_str()),
    )
}

fn examined(report: &Report) -> String {
    let leak = &report.leak;
    let title = report.title.as_ref().map_or_else(
        || "none found".to_owned(),
        |title| {
            let how = match title.likeness {
                Some(likeness) => format!("found by its look (likeness {likeness:.2})"),
                None => "named by who asked, or found by its mark".to_owned(),
            };
            format!(
                "{} <span class=\"soft\">({}; {how})</span>",
                escaped(&title.name),
                escaped(&title.id)
            )
        },
    );
    let rows = [
        ("File", escaped(&leak.name)),
        ("Size", format!("{} bytes", leak.bytes)),
        ("SHA-256", format!("<code>{}</code>", escaped(&leak.sha256))),
        ("BLAKE3", format!("<code>{}</code>", escaped(&leak.blake3))),
        ("Length", clock(leak.duration_us)),
        ("Picture", format!("{} × {} pixels", leak.width, leak.height)),
        ("Title", title),
        ("Examined", format!("{}, by {}", escaped(&report.examined), escaped(&report.program))),
    ];
    let rows: String = rows
        .iter()
        .map(|(name, value)| format!("<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>\n"))
        .collect();
    format!("<section><h2>What was examined</h2><table class=\"facts\">{rows}</table></section>\n")
}

fn certainty(report: &Report) -> String {
    let (Some(presence), Some(slots)) = (report.presence, report.slots) else {
        return String::new();
    };
    let mut text = format!(
        "<section><h2>How sure this is</h2>\n<p>The mark stands out by <b>{:.1}</b> standard deviations from what keys give that the title \
         was not marked with; from {:.1} on it counts as present. <b>{}</b> of the title’s {} slots of {} s were read.</p>\n",
        presence.z,
        presence.threshold,
        slots.read,
        slots.in_title,
        seconds(slots.slot_us),
    );
    if let Some(found) = report.geometry {
        let mirrored = if found.mirrored { ", left and right exchanged" } else { "" };
        let _ = writeln!(
            text,
            "<p>The leak shows {:.1} % of the title’s width and {:.1} % of its height, from {:.1} % and {:.1} % on, turned by {:.2}°{mirrored}.</p>",
            found.scale_x * 100.0,
            found.scale_y * 100.0,
            found.x * 100.0,
            found.y * 100.0,
            found.rotation_deg,
        );
    }
    let _ = writeln!(
        text,
        "<p>A viewer is named only where the probability that <em>anybody</em> innocent among all {} candidates agrees so well with what was read \
         is at most <b>{}</b>: one in {}. That bound is proven for any recording whatsoever, also for one that was made to incriminate \
         somebody without their copy. It doesn’t say who in a household, a firm or after a theft made the recording: it says whose copy it was \
         made of.</p></section>",
        report.viewers.len(),
        power(report.epsilon),
        grouped(1.0 / report.epsilon),
    );
    text
}

fn viewers(report: &Report) -> String {
    if report.viewers.is_empty() {
        return String::new();
    }
    let row = |(rank, viewer): (usize, &Viewer)| {
        let revoked = viewer.revoked.as_deref().map(|at| format!("<br>taken back {}", escaped(at)));
        format!(
            "<tr{}><td>{}</td><td>{}<br><code>{}</code></td><td>{}</td><td>{}{}</td><td class=\"number\">{:.1}</td>\
             <td class=\"number\">{}</td><td>{}</td></tr>\n",
            if viewer.named { " class=\"named\"" } else { "" },
            rank + 1,
            if viewer.label.is_empty() {
                "<i>without a label</i>".to_owned()
            } else {
                escaped(&viewer.label)
            },
            escaped(&viewer.grant),
            escaped(&viewer.kind),
            escaped(&viewer.created),
            revoked.unwrap_or_default(),
            viewer.score,
            power(viewer.p_value),
            if viewer.named { "<b>named</b>" } else { "not named" },
        )
    };
    let rows: String = report.viewers.iter().take(VIEWERS_MAX).enumerate().map(row).collect();
    let more = match report.viewers.len().saturating_sub(VIEWERS_MAX) {
        0 => String::new(),
        more => format!("<p>{more} more agree less.</p>"),
    };
    format!(
        "<section><h2>Who may have given it away</h2>\n<p>Everybody who was ever given the title, also those whose grant was taken back. \
         <i>At most</i> is the highest probability that somebody innocent agrees as well as this.</p>\n<div class=\"wide\" tabindex=\"0\"><table><thead><tr>\
         <th scope=\"col\">#</th><th scope=\"col\">Given to</th><th scope=\"col\">As</th><th scope=\"col\">Given</th>\
         <th scope=\"col\">Agreement</th><th scope=\"col\">At most</th><th scope=\"col\"></th></tr></thead>\n<tbody>{rows}</tbody></table></div>{more}</section>\n"
    )
}

fn pictures(stills: &[Still]) -> String {
    if stills.is_empty() {
        return String::new();
    }
    let side = |caption: String, picture: Option<String>| {
        let picture = picture.unwrap_or_else(|| "<p class=\"missing\">no picture</p>".to_owned());
        format!("<figure>{picture}<figcaption>{caption}</figcaption></figure>\n")
    };
    let pairs: String = stills
        .iter()
        .map(|still| {
            let leak = still.leak.as_deref().map(|webp| {
                format!("<img alt=\"The leak at {}\" src=\"{}\">", clock(still.leak_us), data(webp))
            });
            let title = still.title.as_ref().map(|tile| part(tile, &clock(still.title_us)));
            side(format!("Leak, {}", clock(still.leak_us)), leak)
                + &side(format!("Title, {}", clock(still.title_us)), title)
        })
        .collect();
    format!(
        "<section><h2>The same moments</h2>\n<p>On the left the leak, on the right the title at the time that the mark tells. The \
         title’s pictures are from its overview, which has one every few seconds.</p>\n<div class=\"pairs\">{pairs}</div></section>\n"
    )
}

/// A tile, cut out of its sheet by the view box.
fn part(tile: &Tile, at: &str) -> String {
    let Tile { sheet, sheet_size, at: (x, y), size: (width, height) } = tile;
    format!(
        "<svg role=\"img\" aria-label=\"The title at {at}\" viewBox=\"{x} {y} {width} {height}\"><image width=\"{}\" height=\"{}\" href=\"{}\"/></svg>",
        sheet_size.0,
        sheet_size.1,
        data(sheet)
    )
}

fn data(webp: &[u8]) -> String {
    format!("data:image/webp;base64,{}", BASE64_STANDARD.encode(webp))
}

/// `1:02:03.5`.
fn clock(us: u64) -> String {
    let tenths = us / 100_000;
    let (hours, minutes, seconds) = (tenths / 36_000, tenths / 600 % 60, tenths / 10 % 60);
    format!("{hours}:{minutes:02}:{seconds:02}.{}", tenths % 10)
}

fn seconds(us: u64) -> String {
    let text = format!("{}.{:03}", us / 1_000_000, us / 1000 % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A probability as people write small ones: `3 · 10⁻⁹`.
fn power(value: f64) -> String {
    if value >= 0.001 {
        return format!("{value:.3}");
    }
    if value <= 0.0 {
        return "less than 10⁻³⁰⁰".to_owned();
    }
    let written = format!("{value:.0e}");
    let (digit, exponent) = written.split_once("e-").unwrap_or((&written, "0"));
    let raised: String = exponent
        .chars()
        .filter_map(|one| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(one.to_digit(10)? as usize))
        .collect();
    if digit == "1" { format!("10⁻{raised}") } else { format!("{digit} · 10⁻{raised}") }
}

/// A count with thin spaces between thousands.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Text as HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            _ => safe.push(sign),
        }
    }
    safe
}

#[cfg(test)]
mod tests;
