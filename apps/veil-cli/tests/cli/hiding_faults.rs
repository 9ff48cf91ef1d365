//! `hide` and `reveal` where something goes wrong: full disks, cut and hostile carriers. Whole output or none, and a reason.

use std::fs;
use std::process::Command;

use veil_testkit::{Finished, is_full_run, run};

use crate::desk::{Desk, LIMIT, check_failure};
use crate::hiding::{clip, desk};

/// Runs a command with a file system of so many KiB at `small`; what is in there then comes on standard output.
pub(crate) fn on_small_disk(desk: &Desk, (temporary, kib): (&str, u32), line: &str) -> Finished {
    let script = "mount -t tmpfs -o size=${KIB}k tmpfs small || exit 99; \"$@\"; code=$?; ls -A small; test ! -e small/found || ls -A small/found; exit $code";
    fs::create_dir_all(desk.path("small")).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command.arg(env!("CARGO_BIN_EXE_veilcast")).args(line.split_whitespace());
    command.env("TMPDIR", desk.path(temporary)).env("VEILCAST_BUDGET_DIR", desk.path("turns"));
    run(command.env("KIB", kib.to_string()).current_dir(desk.path(".")), LIMIT).unwrap()
}

#[test]
fn a_full_disk_leaves_no_output() {
    let desk = desk();
    for out in ["small/out.mkv", "small/out.mp4"] {
        // Without the self-check, so that it isn't what finds out.
        let line =
            format!("hide --carrier a.mp4 --payload note.txt -o {out} --key where.key --no-verify");
        let finished = on_small_disk(&desk, (".", 1024), &line);
        check_failure(&finished, &line, "No space left on device", "free some space");
        assert_eq!(finished.text(), "");
    }
}

#[test]
fn a_full_disk_for_temporary_files_leaves_no_output() {
    let desk = desk();
    clip(
        &desk,
        "large.mp4",
        "-f lavfi -i testsrc2=s=1280x720:r=25:d=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    let mut bytes = vec![0; 1_500_000];
    getrandom::fill(&mut bytes).unwrap();
    desk.write("big", &bytes);
    let line = "hide --carrier large.mp4 --payload big -o out.mkv --key where.key --max-rate 0.4";
    let finished = on_small_disk(&desk, ("small", 1024), line);
    check_failure(&finished, line, "cannot keep the sealed payload", "free some space");
    assert!(!desk.path("out.mkv").exists());
    // What is revealed is kept there too until it has proved whole.
    // At this rate it warns.
    desk.run(&line.replace("--key", "--no-verify --key")).success().unwrap();
    let line = "reveal out.mkv --key where.key -o found";
    let finished = on_small_disk(&desk, ("small", 1024), line);
    check_failure(&finished, line, "cannot keep the sealed payload", "free some space");
    assert!(!desk.path("found").exists());
    // Nor does half of it lie where it was to go.
    let line = "reveal out.mkv --key where.key -o small/found";
    let finished = on_small_disk(&desk, (".", 1024), line);
    check_failure(&finished, line, "cannot unpack the payload: No space left", "free some space");
    assert_eq!(finished.text(), "found\n");
    desk.ok("reveal out.mkv --key where.key -o found");
    assert!(desk.read("found/big") == bytes);
}

#[test]
fn a_limit_on_files_leaves_no_output() {
    let desk = desk();
    let script = "ulimit -f 1000; veilcast hide --carrier a.mp4 --payload note.txt -o out.mkv --key where.key";
    let finished = run(&mut desk.script(script), LIMIT).unwrap();
    check_failure(&finished, script, "encoding failed", "ulimit");
    assert!(desk.names().iter().all(|name| !name.contains("out.mkv")), "{:?}", desk.names());
}

/// Hides in a carrier that is not as it should be. Either the message comes out again, or there is a reason and no file.
fn check(desk: &Desk, carrier: &str) -> Result<(), String> {
    let line = format!(
        "hide --carrier {carrier} --payload note.txt -o out.mkv --key where.key --max-rate 0.4"
    );
    let hidden = desk.run(&line);
    assert!(!hidden.stderr.contains("panicked"), "{carrier}: {}", hidden.stderr);
    if hidden.status.success() {
        desk.ok("reveal out.mkv --key where.key -o found");
        assert_eq!(desk.read("found/note.txt"), b"the third reel", "{carrier}");
        fs::remove_dir_all(desk.path("found")).unwrap();
        fs::remove_file(desk.path("out.mkv")).unwrap();
        return Ok(());
    }
    assert_eq!(hidden.status.code(), Some(1), "{carrier}: {}", hidden.stderr);
    assert!(hidden.stderr.starts_with("error: "), "{carrier}: {}", hidden.stderr);
    assert!(desk.names().iter().all(|name| !name.contains("out.mkv")), "{carrier}");
    let revealed = desk.run(&format!("reveal {carrier} --key where.key -o found"));
    assert_eq!(revealed.status.code(), Some(1), "{carrier}: {}", revealed.stderr);
    assert!(!revealed.stderr.contains("panicked"), "{carrier}: {}", revealed.stderr);
    assert!(!desk.path("found").exists(), "{carrier}");
    Err(hidden.stderr)
}

fn refused(desk: &Desk, carrier: &str, why: &str) {
    let said = check(desk, carrier).unwrap_err();
    assert!(said.contains(why), "{carrier}: {said}");
}

#[test]
fn a_carrier_that_was_cut_is_used_as_far_as_it_goes_or_refused() {
    let desk = desk();
    desk.sh("ffmpeg -v error -i a.mp4 -c copy a.mkv; ffmpeg -v error -i a.mp4 -c copy -movflags +faststart front.mp4");
    for name in ["a.mp4", "a.mkv", "front.mp4"] {
        let whole = desk.read(name);
        desk.write(&format!("cut-{name}"), &whole[..whole.len() / 2]);
    }
    refused(&desk, "cut-a.mp4", "damaged or incomplete");
    assert_eq!(check(&desk, "cut-a.mkv"), Ok(()));
    assert_eq!(check(&desk, "cut-front.mp4"), Ok(()));
    // A message that was cut is none.
    desk.ok("hide --carrier a.mp4 --payload note.txt -o whole.mkv --key where.key");
    let whole = desk.read("whole.mkv");
    desk.write("cut-whole.mkv", &whole[..whole.len() * 3 / 4]);
    desk.fails(
        "reveal cut-whole.mkv --key where.key -o found",
        "nothing is revealed",
        "check the key",
    );
    assert!(!desk.path("found").exists());
}

#[test]
fn carriers_that_lie_are_refused_or_harmless() {
    let desk = desk();
    desk.sh("ffmpeg -v error -f lavfi -i testsrc2=s=320x180 -frames:v 0 -c:v libx264 none.mkv; \
             ffmpeg -v error -f lavfi -i testsrc2=s=320x180 -frames:v 0 -c:v libx264 none.mp4");
    refused(&desk, "none.mkv", "damaged or incomplete");
    refused(&desk, "none.mp4", "neither picture nor sound");
    desk.write("none.y4m", b"YUV4MPEG2 W320 H180 F25:1 Ip A1:1 C420\n");
    refused(&desk, "none.y4m", "it has no frames");
    desk.write("giant.y4m", b"YUV4MPEG2 W60000 H60000 F25:1 Ip A1:1 C420\nFRAME\n");
    refused(&desk, "giant.y4m", "error: ");
    let mut tiny = b"YUV4MPEG2 W32 H32 F25:1 Ip A1:1 C420\n".to_vec();
    tiny.extend([b"FRAME\n".as_slice(), &[90; 32 * 32 * 3 / 2]].concat());
    desk.write("tiny.y4m", &tiny);
    refused(&desk, "tiny.y4m", "a picture of 32x32 is too small");
    // FFV1 takes its width from the container: one that is beyond all limits, and one that is within them and not true.
    desk.sh("ffmpeg -v error -f lavfi -i testsrc2=s=320x180 -frames:v 3 -c:v ffv1 -pix_fmt yuv420p true.mkv");
    let told = desk.read("true.mkv");
    let at = told.windows(4).position(|bytes| bytes == [0xb0, 0x82, 0x01, 0x40]).unwrap();
    for (width, why) in
        [(0xffff_u16, "the picture is 65535×180"), (0x1ffe, "frames of the video are flat")]
    {
        let mut lying = told.clone();
        lying[at + 2..at + 4].copy_from_slice(&width.to_be_bytes());
        desk.write("wide.mkv", &lying);
        refused(&desk, "wide.mkv", why);
    }
    // Two hundred thousand seconds, say all three headers; there are two.
    let mut lying = desk.read("a.mp4");
    for (name, behind) in [(b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)] {
        let places: Vec<usize> =
            (0..lying.len() - 4).filter(|at| &lying[*at..at + 4] == name).collect();
        assert!(!places.is_empty());
        for at in places {
            lying[at + 4 + behind..at + 8 + behind].copy_from_slice(&200_000_000_u32.to_be_bytes());
        }
    }
    desk.write("lying.mp4", &lying);
    assert_eq!(check(&desk, "lying.mp4"), Ok(()));
}

#[test]
fn damaged_containers_never_give_half_an_output() {
    let desk = desk();
    clip(&desk, "short.mp4", &crate::hiding::CAMERA.replace("d=2", "d=0.4"));
    desk.sh("ffmpeg -v error -i short.mp4 -c copy short.mkv; ffmpeg -v error -i short.mp4 -c copy short.ts");
    let rounds = if is_full_run() { 60 } else { 2 };
    let mut state = 12_345_u64;
    let mut draw = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut used = 0;
    for round in 0..rounds {
        for name in ["short.mp4", "short.mkv", "short.ts"] {
            let mut bytes = desk.read(name);
            // Heads and indices are where it hurts: half of the damage goes into the first or the last kilobyte.
            for _ in 0..=draw(24) {
                let edge = bytes.len().min(1000);
                let at = match draw(4) {
                    0 => draw(edge),
                    1 => bytes.len() - 1 - draw(edge),
                    _ => draw(bytes.len()),
                };
                bytes[at] = draw(256).to_le_bytes()[0];
            }
            let damaged = format!("{round}-{name}");
            desk.write(&damaged, &bytes);
            used += usize::from(check(&desk, &damaged).is_ok());
            fs::remove_file(desk.path(&damaged)).unwrap();
        }
    }
    assert!(used > 0, "all of the damage was refused: nothing was tried");
}
