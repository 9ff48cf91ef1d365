//! `veilcast stress`: its report, its verdict, and what it leaves.

use std::time::Instant;

use rustix::process::Signal;
use serde_json::Value;
use veil_testkit::{descendants, run, wait_gone};

use crate::desk::{Desk, LIMIT};

#[test]
fn a_stress_test_reports_each_combination_and_leaves_the_report_alone() {
    let desk = Desk::new();
    let line = "--json stress --resolutions 360p --users 1,2 -o report";
    let finished = run(&mut desk.command(line.split_whitespace()), LIMIT).unwrap();
    assert!(finished.status.success(), "{}", finished.stderr);
    // A line for each, with the time that is left.
    assert_eq!(finished.stderr.lines().count(), 2, "{}", finished.stderr);
    assert!(finished.stderr.contains("360p, 2 users: 2 carried"), "{}", finished.stderr);
    let report: Value = serde_json::from_slice(&finished.stdout).unwrap();
    assert_eq!(report["held"], true);
    let rows = report["rows"].as_array().unwrap();
    let users: Vec<_> =
        rows.iter().map(|row| (row["users"].as_u64(), row["carried"].as_u64())).collect();
    assert_eq!(users, [(Some(1), Some(1)), (Some(2), Some(2))]);
    for row in rows {
        let own = row["hide"]["own_bytes"].as_u64().unwrap();
        assert!((5_000_000..=row["own_bytes_max"].as_u64().unwrap()).contains(&own), "{row}");
        assert!(row["hide"]["run_bytes"].as_u64() > row["hide"]["own_bytes"].as_u64(), "{row}");
        assert!(row["hide"]["frames_per_s"].as_f64().unwrap() > 0.0, "{row}");
    }
    let mut names: Vec<_> = std::fs::read_dir(desk.path("report"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["chart.svg", "report.json", "report.md"]);
    let written: Value = serde_json::from_slice(&desk.read("report/report.json")).unwrap();
    assert_eq!(written, report);
    assert!(
        String::from_utf8(desk.read("report/report.md")).unwrap().contains("Every bound held.")
    );
}

#[test]
fn runs_that_fail_or_are_too_large_fail_the_stress_test() {
    let desk = Desk::new();
    let line = "stress --resolutions 360p --users 1 -o report --memory-budget 20M";
    let finished = desk.run(line);
    assert_eq!(finished.status.code(), Some(1));
    assert!(finished.stderr.contains("error: a bound broke"), "{}", finished.stderr);
    let report = String::from_utf8(desk.read("report/report.md")).unwrap();
    assert!(report.contains("- 360p, 1 users: hiding: this run needs"), "{report}");
}

#[test]
fn a_stress_test_that_is_stopped_leaves_nothing() {
    let desk = Desk::new();
    let mut running =
        desk.start("exec \"$VEILCAST\" stress --resolutions 480p --users 2 --minutes 1 -o report");
    let deadline = Instant::now() + LIMIT;
    let hides = |id: u32| {
        descendants(id)
            .into_iter()
            .filter(|process| process.parent == id && process.name == "veilcast")
            .count()
    };
    while hides(running.id()) < 2 {
        assert!(Instant::now() < deadline, "{}", running.stderr());
        assert!(running.try_wait().unwrap().is_none(), "{}", running.stderr());
    }
    let below = descendants(running.id());
    running.signal(Signal::INT).unwrap();
    assert_eq!(running.wait(LIMIT).unwrap().code(), Some(1));
    assert!(
        running.stderr().contains("error: the stress test was stopped"),
        "{}",
        running.stderr()
    );
    assert_eq!(wait_gone(&below, LIMIT), []);
    assert!(!desk.path("report").exists());
}
