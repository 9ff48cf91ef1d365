//! The document, for reports of every kind.

use super::*;
use crate::trace::report::{self, Evidence, GeometryFound, Presence, Slots, TitleFound};

fn report() -> Report {
    let viewer = |label: &str, p_value: f64| Viewer {
        grant: "0123456789abcdef0123456789abcdef".to_owned(),
        label: label.to_owned(),
        kind: "link".to_owned(),
        created: "2026-11-20T12:00:00Z".to_owned(),
        revoked: None,
        score: 91.25,
        p_value,
        named: p_value <= 1e-6,
    };
    Report {
        v: report::VERSION,
        examined: "2026-11-22T12:00:00Z".to_owned(),
        program: "veilcast 0.1.0".to_owned(),
        leak: report::Leak { name: "<script>.mp4".to_owned(), ..report::Leak::default() },
        title: Some(TitleFound {
            id: "00".to_owned(),
            name: "Dailies".to_owned(),
            likeness: Some(0.97),
        }),
        verdict: Verdict::Named,
        epsilon: 1e-6,
        presence: Some(Presence { z: 31.0, threshold: 6.0 }),
        geometry: Some(GeometryFound {
            scale_x: 0.9,
            scale_y: 0.9,
            x: 0.05,
            y: 0.05,
            rotation_deg: 0.0,
            mirrored: false,
        }),
        slots: Some(Slots { in_title: 600, read: 2, slot_us: 1_000_000 }),
        needed_s: None,
        viewers: vec![viewer("\"><img src=x>", 3e-12), viewer("Bob", 0.4)],
        evidence: vec![
            Evidence { slot: 10, leak_us: 0, symbol: 1, confidence: 1.0 },
            Evidence { slot: 11, leak_us: 1_000_000, symbol: 0, confidence: 0.25 },
        ],
        notes: vec!["it breaks off & ends".to_owned()],
    }
}

#[test]
fn what_others_wrote_is_text() {
    let page = render(&report(), &[]);
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(page.contains("&lt;script&gt;.mp4") && page.contains("&quot;&gt;&lt;img src=x&gt;"));
    assert!(page.contains("it breaks off &amp; ends"));
}

#[test]
fn the_page_lets_nothing_in_and_its_style_is_the_one_that_is_hashed() {
    let page = render(&report(), &[]);
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    assert!(
        page.contains(&format!("default-src 'none'; img-src data:; style-src 'sha256-{hash}'"))
    );
    assert!(page.contains(&format!("<style>{STYLE}</style>")));
    assert!(!page.contains(" style=") && !page.contains("http://") && !page.contains("https://"));
}

#[test]
fn the_result_says_who_and_how_sure() {
    let page = render(&report(), &[]);
    assert!(page.contains("<p>This is “Dailies”, the copy that was given to"), "{page}");
    assert!(
        page.contains("3 · 10⁻¹²")
            && page.contains("0.400")
            && page.contains("1\u{202f}000\u{202f}000")
    );
    assert_eq!(page.matches("<rect").count(), 2);
}

#[test]
fn without_a_title_there_is_only_what_was_examined() {
    let bare = Report {
        title: None,
        verdict: Verdict::UnknownTitle,
        presence: None,
        geometry: None,
        slots: None,
        viewers: vec![],
        evidence: vec![],
        ..report()
    };
    let page = render(&bare, &[]);
    assert!(page.contains("It is no title that was marked in this studio."));
    assert!(!page.contains("<svg") && !page.contains("How sure this is"));
    assert!(page.contains("What it doesn’t show"));
}

#[test]
fn moments_are_shown_side_by_side() {
    let tile =
        Tile { sheet: b"RIFFs".to_vec(), sheet_size: (800, 450), at: (160, 90), size: (160, 90) };
    let still = |title| Still {
        leak_us: 1_500_000,
        title_us: 61_500_000,
        leak: Some(b"RIFFl".to_vec()),
        title,
    };
    let page = render(&report(), &[still(Some(tile)), still(None)]);
    assert!(page.contains("viewBox=\"160 90 160 90\"") && page.contains("Title, 0:01:01.5"));
    assert!(page.contains("no picture"));
}

#[test]
fn small_numbers_read_as_people_write_them() {
    assert_eq!(power(0.5), "0.500");
    assert_eq!(power(1e-6), "10⁻⁶");
    assert_eq!(power(2.6e-11), "3 · 10⁻¹¹");
    assert_eq!(power(0.0), "less than 10⁻³⁰⁰");
    assert_eq!(seconds(2_000_000), "2");
    assert_eq!(seconds(1_001_000), "1.001");
}
