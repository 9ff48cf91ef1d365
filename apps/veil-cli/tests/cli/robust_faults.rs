//! `hide --mode robust` and what it hid where something goes wrong. Whole output or none, the very file or a reason.

use std::fs;

use crate::desk::{Desk, check_failure};
use crate::hiding::kill_midway;
use crate::hiding_faults::on_small_disk;
use crate::robust::desk;

const HIDE: &str =
    "hide --mode robust --profile same-size --payload note --passphrase-file word --no-verify";

/// A desk with a message in `out.mp4`.
fn hidden() -> Desk {
    let desk = desk();
    desk.ok(&format!("{HIDE} --carrier a.mp4 -o out.mp4"));
    desk
}

/// Reveals; what it says where that is the very file, or nothing.
fn reveal(desk: &Desk, video: &str) -> Result<(), String> {
    let revealed = desk.run(&format!("reveal {video} --passphrase-file word -o found"));
    assert!(!revealed.stderr.contains("panicked"), "{video}: {}", revealed.stderr);
    if revealed.status.success() {
        assert!(desk.read("found/note") == desk.read("note"), "{video}");
        fs::remove_dir_all(desk.path("found")).unwrap();
        return Ok(());
    }
    assert_eq!(revealed.status.code(), Some(1), "{video}: {}", revealed.stderr);
    assert!(revealed.stderr.starts_with("error: "), "{video}: {}", revealed.stderr);
    assert!(!desk.path("found").exists(), "{video}");
    Err(revealed.stderr)
}

#[test]
fn full_disks_leave_no_output() {
    let desk = desk();
    let line = format!("{HIDE} --carrier a.mp4 -o small/out.mp4");
    let finished = on_small_disk(&desk, (".", 256), &line);
    check_failure(&finished, &line, "No space left on device", "free some space");
    assert_eq!(finished.text(), "");
    desk.ok(&format!("{HIDE} --carrier a.mp4 -o out.mp4"));
    // What the frames say is kept until it is known what they mean.
    let line = "reveal out.mp4 --passphrase-file word -o found";
    let finished = on_small_disk(&desk, ("small", 8), line);
    check_failure(&finished, line, "cannot keep what the frames say", "free some space");
    assert!(!desk.path("found").exists());
    assert_eq!(reveal(&desk, "out.mp4"), Ok(()));
}

#[test]
fn a_killed_hide_leaves_no_output_and_no_process() {
    let desk = desk();
    kill_midway(&desk, &format!("{HIDE} --carrier a.mp4 -o out.mp4"));
    assert!(!desk.path("out.mp4").exists());
}

#[test]
fn a_carrier_that_was_cut_is_used_as_far_as_it_goes_or_refused() {
    let desk = desk();
    desk.sh("ffmpeg -v error -i a.mp4 -c copy a.mkv");
    for name in ["a.mp4", "a.mkv"] {
        let whole = desk.read(name);
        desk.write(&format!("cut-{name}"), &whole[..whole.len() * 9 / 10]);
    }
    let line = format!("{HIDE} --carrier cut-a.mp4 -o out.mp4");
    desk.fails(&line, "damaged or incomplete", "");
    assert!(desk.names().iter().all(|name| !name.contains("out.mp4")), "{:?}", desk.names());
    desk.ok(&format!("{HIDE} --carrier cut-a.mkv -o out.mp4"));
    assert_eq!(reveal(&desk, "out.mp4"), Ok(()));
}

#[test]
fn a_part_of_a_message_says_how_much_of_it_came_through() {
    let desk = hidden();
    desk.sh("ffmpeg -v error -i out.mp4 -t 3 -c:v libx264 -preset veryfast -crf 18 part.mp4");
    let said = reveal(&desk, "part.mp4").unwrap_err();
    let counts = said.split_once("the message is partly destroyed: ").unwrap().1;
    let numbers: Vec<u32> =
        counts.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let &[whole, all, needed] = numbers.as_slice() else { panic!("{said}") };
    assert!(whole < needed && needed <= all, "{said}");
    assert!(said.contains("a copy that is longer"), "{said}");
}

#[test]
fn damaged_videos_give_the_very_file_or_a_reason() {
    let desk = hidden();
    let whole = desk.read("out.mp4");
    desk.write("cut.mp4", &whole[..whole.len() * 3 / 4]);
    assert!(reveal(&desk, "cut.mp4").unwrap_err().contains("damaged or incomplete"));
    desk.sh("ffmpeg -v error -i out.mp4 -c copy out.mkv");
    let whole = desk.read("out.mkv");
    desk.write("cut.mkv", &whole[..whole.len() * 9 / 10]);
    let _ = reveal(&desk, "cut.mkv");
    let mut state = 12_345_u64;
    let mut draw = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for flips in [20, 2000] {
        let mut bytes = whole.clone();
        for _ in 0..flips {
            let at = draw(bytes.len());
            bytes[at] = draw(256).to_le_bytes()[0];
        }
        desk.write("damaged.mkv", &bytes);
        let _ = reveal(&desk, "damaged.mkv");
    }
}
