//! `hide`, `reveal` and `capacity`, on real video.

use std::fs;
use std::process::Command;

use veil_testkit::run;

use crate::desk::{Desk, LIMIT, content};

pub(crate) const CAMERA: &str = "-f lavfi -i nullsrc=s=320x180:r=25:d=2,geq=lum='128+60*random(1)':cb=128:cr=128 \
    -f lavfi -i sine=440:d=2 -c:v libx264 -preset ultrafast -crf 10 -pix_fmt yuv420p -c:a aac";

/// A desk with a video, a passphrase and a key file.
pub(crate) fn desk() -> Desk {
    let desk = Desk::of(&["alice", "bob"]);
    clip(&desk, "a.mp4", CAMERA);
    desk.write_secret("word", b"correct horse\n");
    desk.write_secret("other", b"battery staple\n");
    desk.write_secret("where.key", &content(32));
    desk.write("note.txt", b"the third reel");
    desk
}

pub(crate) fn clip(desk: &Desk, name: &str, args: &str) {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]).args(args.replace('\'', "").split_whitespace());
    run(command.arg(desk.path(name)), LIMIT).unwrap().success().unwrap();
}

pub(crate) const NOTHING: &str =
    "nothing is revealed: there is no message for this key, or it is damaged";

#[test]
fn files_and_folders_come_back_under_their_names() {
    let desk = desk();
    fs::create_dir_all(desk.path("reels/empty")).unwrap();
    desk.write("reels/1.bin", &content(400));
    desk.write("reels/none", b"");
    let hidden = desk
        .answer("hide --carrier a.mp4 --payload note.txt reels -o out.mkv --passphrase-file word");
    assert_eq!((hidden["frames"].as_u64(), hidden["verified"].as_bool()), (Some(50), Some(true)));
    assert_eq!(hidden["detectability"], "low");
    let shown = desk.ok("reveal out.mkv --passphrase-file word -o found");
    assert_eq!(String::from_utf8(shown).unwrap(), "found/note.txt\nfound/reels\n");
    desk.sh("diff -r reels found/reels && cmp note.txt found/note.txt");
    // Nothing is overwritten, not even by the same.
    let again = "reveal out.mkv --passphrase-file word -o found";
    desk.fails(again, "found/note.txt is there already", "another folder");
    desk.fails(
        "hide --carrier a.mp4 --payload note.txt -o out.mkv --key where.key",
        "is there already",
        "--force",
    );
    assert!(desk.names().iter().all(|name| !name.contains("veilcast-")), "{:?}", desk.names());
}

#[test]
fn a_key_file_or_a_recipient_opens_and_nobody_else() {
    let desk = desk();
    desk.sh("veilcast hide --carrier a.mp4 --payload - -o key.mp4 --key where.key --codec x264 < note.txt");
    desk.ok("reveal key.mp4 --key where.key -o 1");
    assert_eq!(desk.read("1/stdin"), b"the third reel");
    desk.ok("hide --carrier a.mp4 --payload note.txt -o to.mkv -r alice.pub --codec utvideo --threads 1");
    desk.ok("reveal to.mkv -i alice.key -o 2");
    assert_eq!(desk.read("2/note.txt"), b"the third reel");
    // With recipients the passphrase only says where.
    desk.ok("hide --carrier a.mp4 --payload note.txt -o both.mkv --passphrase-file word -r alice.pub -r bob.pub --no-verify --profile careful");
    desk.ok("reveal both.mkv --passphrase-file word -i bob.key -o 3");
    assert_eq!(desk.read("3/note.txt"), b"the third reel");
    for line in [
        "reveal a.mp4 --key where.key -o no",
        "reveal key.mp4 --passphrase-file word -o no",
        "reveal to.mkv -i bob.key -o no",
        "reveal both.mkv --passphrase-file word -o no",
        "reveal both.mkv --passphrase-file other -i bob.key -o no",
    ] {
        desk.fails(line, NOTHING, "check the key or passphrase");
    }
    desk.sh("ffmpeg -v error -nostdin -i key.mp4 -c:v libx264 -crf 20 -pix_fmt yuv420p again.mp4");
    desk.fails("reveal again.mp4 --key where.key -o no", NOTHING, "destroys");
    assert!(!desk.path("no").exists());
}

#[test]
fn what_cannot_be_hidden_is_refused_and_leaves_nothing() {
    let desk = desk();
    desk.write("big", &getrandom_bytes(8000));
    let hide = |rest: &str| format!("hide --carrier a.mp4 {rest} --passphrase-file word");
    let before = desk.names();
    desk.fails(&hide("--payload big -o out.mkv"), "the payload needs more than the", "--max-rate");
    desk.fails(&hide("--payload note.txt -o out.avi"), "out.avi names no video", ".mkv");
    desk.fails(&hide("--payload nope -o out.mkv"), "cannot read nope", "");
    desk.fails(&hide("--payload note.txt ./note.txt -o out.mkv"), "two parts of the payload", "");
    let line = "hide --carrier a.mp4 --payload note.txt -o out.mkv";
    desk.fails(line, "nobody could find or open the message", "--passphrase-file");
    let line = format!("{line} -r alice.pub -r bob.pub");
    desk.fails(&line, "several recipients have no secret in common", "--key");
    desk.write_secret("short.key", b"short");
    let line = "hide --carrier a.mp4 --payload note.txt -o out.mkv --key short.key";
    desk.fails(line, "is no key file", "head -c 32");
    clip(&desk, "grey.mp4", "-f lavfi -i color=gray:s=320x180:d=1 -c:v libx264 -pix_fmt yuv420p");
    let line = "hide --carrier grey.mp4 --payload note.txt -o out.mkv --passphrase-file word";
    desk.fails(line, "too many frames of the video are flat", "texture");
    let mut after = desk.names();
    after.retain(|name| !["grey.mp4", "short.key"].contains(&name.as_str()));
    assert_eq!(after, before);
}

/// Bytes that nothing makes shorter.
fn getrandom_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_killed_hide_leaves_no_output_and_no_process() {
    let desk = desk();
    clip(&desk, "long.mp4", &CAMERA.replace("d=2", "d=20"));
    let line = "hide --carrier long.mp4 --payload note.txt -o out.mkv --key where.key";
    kill_midway(&desk, line);
    assert!(!desk.path("out.mkv").exists());
}

/// Kills a command when both of its FFmpegs run; they end too.
pub(crate) fn kill_midway(desk: &Desk, line: &str) {
    let mut running = desk.start(&format!("exec \"$VEILCAST\" {line}"));
    let deadline = std::time::Instant::now() + LIMIT;
    while veil_testkit::descendants(running.id()).len() < 2 {
        assert!(running.try_wait().unwrap().is_none(), "it ended: {}", running.stderr());
        assert!(std::time::Instant::now() < deadline, "{}", running.stderr());
    }
    let children = veil_testkit::descendants(running.id());
    running.kill().unwrap();
    assert_eq!(veil_testkit::wait_gone(&children, LIMIT), []);
}

#[test]
fn capacity_tells_bytes_and_classes() {
    let desk = desk();
    let told = desk.answer("capacity a.mp4");
    assert_eq!(told["frames"], 50);
    let rooms = told["rooms"].as_array().unwrap();
    let bytes: Vec<u64> =
        rooms.iter().map(|room| room["payload_bytes"].as_u64().unwrap()).collect();
    // 320 x 180 samples in 50 frames at 0.01, 0.05 and 0.4 bits are 3.6, 18 and 144 kB.
    assert!((2_500..3_600).contains(&bytes[0]), "{bytes:?}");
    assert!((16_500..18_000).contains(&bytes[1]), "{bytes:?}");
    assert!((110_000..144_000).contains(&bytes[2]), "{bytes:?}");
    assert_eq!(rooms[2]["detectability"]["default"], "severe");
}
