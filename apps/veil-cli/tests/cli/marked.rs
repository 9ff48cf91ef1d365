//! Marked titles: from an import over shares to each viewer's copy.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use veil_seal::grant::{GrantBinding, GrantRecord, open_payload};
use veil_seal::object;
use veil_seal::variants::VariantList;
use veil_testkit::{ClipSpec, Spawned, clip, run};

use crate::grants::secret_of;
use crate::house::{House, LIMIT, short_clip};
use crate::up::up;

const SECONDS: u32 = 12;
const FPS: usize = 30;
const TAG: &str = "#EXT-X-VEILCAST-VARIANT:";

fn source() -> PathBuf {
    clip(ClipSpec { width: 320, height: 180, seconds: SECONDS, ..ClipSpec::default() })
}

/// A house with a marked title of two renditions, and its gateway.
fn marked() -> (House, Spawned) {
    let house = House::new();
    let clip = source();
    let line =
        ["import", "--mark", "--ladder", "144,180", "--title", "Cut", clip.to_str().unwrap()];
    let imported = house.ok(line);
    assert_eq!(imported["marked"], true);
    assert_eq!(imported["objects"], house.objects().len());
    let (up, _) = up(&house);
    (house, up)
}

fn record(house: &House, shared: &Value) -> GrantRecord {
    let path = house.bucket().join("g").join(shared["grant"].as_str().unwrap());
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The bits of a grant's pattern.
fn pattern(record: &GrantRecord) -> Vec<bool> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(record.pattern.as_ref().unwrap()).unwrap();
    let bit = |slot: usize| bytes[slot / 8] >> (7 - slot % 8) & 1 == 1;
    (0..SECONDS as usize).map(bit).collect()
}

/// The hash of each frame of a file's picture, every one of which must decode.
fn frames(file: &Path) -> Vec<String> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-xerror", "-i"]).arg(file);
    ffmpeg.args(["-map", "0:v", "-f", "framemd5", "-"]);
    let text = run(&mut ffmpeg, LIMIT).unwrap().success().unwrap().text();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit(',').next().unwrap().trim().to_owned()).collect()
}

fn streams(file: &Path) -> Vec<String> {
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "error", "-show_entries", "stream=codec_name,width", "-of", "csv=p=0"]);
    let text = run(ffprobe.arg(file), LIMIT).unwrap().success().unwrap().text();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn each_viewers_copy_plays_and_differs_from_others_where_their_codewords_do() {
    let (house, _up) = marked();
    let mut copies = Vec::new();
    for viewer in ["Ann", "Ben", "Cem"] {
        let shared = house.ok(["share", "Cut", "--label", viewer]);
        let out = house.scratch(&format!("{viewer}.mp4"));
        let opened =
            house.ok(["open", shared["link"].as_str().unwrap(), "-o", out.to_str().unwrap()]);
        assert_eq!(opened["title"], "Cut");
        assert_eq!(streams(&out), ["h264,320", "aac"]);
        let frames = frames(&out);
        assert_eq!(frames.len(), SECONDS as usize * FPS);
        copies.push((pattern(&record(&house, &shared)), frames));
    }
    let mut differing = 0;
    for (one, (bits, frames)) in copies.iter().enumerate() {
        for (its_bits, its_frames) in &copies[one + 1..] {
            let slots = frames.chunks(FPS).zip(its_frames.chunks(FPS)).enumerate();
            for (slot, (mine, theirs)) in slots {
                assert_eq!(mine == theirs, bits[slot] == its_bits[slot], "slot {slot}");
                differing += usize::from(bits[slot] != its_bits[slot]);
            }
        }
    }
    assert!(differing > 0, "three codewords of twelve slots are the same");
}

/// The names of both variants of each slot, for each marked rendition.
fn renditions(house: &House) -> Vec<Vec<[String; 2]>> {
    let playlists = house.objects().into_iter().filter(|path| path.extension().is_some());
    let texts = playlists.map(|path| fs::read_to_string(path).unwrap());
    let names = |text: &str| {
        let lines: Vec<&str> = text.lines().collect();
        let pair =
            |pair: &[&str]| Some([pair[1].to_owned(), pair[0].strip_prefix(TAG)?.to_owned()]);
        lines.windows(2).filter_map(pair).collect::<Vec<_>>()
    };
    texts.map(|text| names(&text)).filter(|names| !names.is_empty()).collect()
}

/// Opens a grant as its viewer does, and the list that it leads to.
fn list(house: &House, shared: &Value, folder: &Path) -> VariantList {
    let (record, identity) = (record(house, shared), secret_of(&shared["link"]).identity());
    let binding = GrantBinding {
        grant: record.id.parse().unwrap(),
        title: record.title.parse().unwrap(),
        epoch: record.epoch,
        recipient: identity.recipient().key_id(),
    };
    let payload = open_payload(&identity, &binding, &record.envelope_bytes().unwrap()).unwrap();
    let (key, title) = (payload.variants.unwrap(), binding.title);
    let name = key.object_name(title).to_string();
    assert!(record.preload.contains(&name), "{:?}", record.preload);
    key.open(title, &fs::read(folder.join(name)).unwrap()).unwrap()
}

#[test]
fn a_viewer_with_every_object_opens_one_variant_of_each_slot() {
    let (house, _up) = marked();
    let shared = house.ok(["share", "Cut"]);
    let title = house.titles()[0]["id"].as_str().unwrap().to_owned();
    let folder = house.bucket().join("t").join(title);
    let list = list(&house, &shared, &folder);
    let bits = pattern(&record(&house, &shared));
    assert_eq!(list.keys().len(), SECONDS as usize);
    let renditions = renditions(&house);
    assert_eq!(renditions.len(), 2);
    let mut all = HashSet::new();
    for slots in &renditions {
        assert_eq!(slots.len(), SECONDS as usize);
        for (key, names) in list.keys().iter().zip(slots) {
            let slot = key.slot() as usize;
            let [own, other] = [bits[slot], !bits[slot]].map(|bit| &names[usize::from(bit)]);
            let number = [1, 2].into_iter().find(|id| key.object_name(*id).to_string() == *own);
            let rendition = number.expect("the name is that of this viewer's variant");
            let [mine, theirs] = [own, other].map(|name| fs::read(folder.join(name)).unwrap());
            assert_eq!(mine.len(), theirs.len());
            let opened =
                object::open(&key.object_key(rendition), &key.role(rendition), &mine).unwrap();
            assert_eq!(opened.len() % 4096, 0);
            for key in list.keys() {
                let (object_key, role) = (key.object_key(rendition), key.role(rendition));
                assert!(object::open(&object_key, &role, &theirs).is_err());
            }
            assert!(all.insert(own.clone()) && all.insert(other.clone()));
        }
    }
}

#[test]
fn a_viewers_list_goes_with_the_grant_and_is_copied_with_the_title() {
    let (house, _up) = marked();
    let before = house.objects().len();
    let [one, two] = [(); 2].map(|()| house.ok(["share", "Cut"]));
    assert_eq!(house.objects().len(), before + 4, "two records, two lists");
    let shelf = house.scratch("shelf");
    house.ok(["publish", "Cut", "--to", &format!("file://{}", shelf.display())]);
    let there = || veil_testkit::files_below(&shelf).unwrap().len();
    assert_eq!(there(), before + 4);
    house.ok(["revoke", one["grant"].as_str().unwrap()]);
    assert_eq!((house.objects().len(), there()), (before + 3, before + 3));
    let tombstone = record(&house, &one);
    assert!(tombstone.pattern.is_none() && tombstone.preload.is_empty());
    assert!(record(&house, &two).pattern.is_some());
    house.ok(["remove", "Cut", "--yes"]);
    assert!(house.titles().is_empty());
    assert_eq!((house.objects().len(), there()), (2, 2), "two tombstones");
}

#[test]
fn list_says_that_a_title_is_marked() {
    let house = House::with_title("Plain");
    let clip = short_clip();
    house.ok(["import", "--mark=strong", "--title", "Marked", clip.to_str().unwrap()]);
    for title in house.titles() {
        assert_eq!(title["marked"], title["title"] == "Marked", "{title}");
    }
    let detail = |check: &Value| check["detail"].as_str().unwrap().to_owned();
    let checks = house.ok(["doctor"])["checks"].as_array().unwrap().clone();
    let catalogue = checks.iter().find(|check| check["name"] == "catalogue").map(detail);
    assert_eq!(catalogue.unwrap(), "2 titles (1 marked), 0 imports begun");
}

#[test]
fn what_cannot_be_marked_is_refused() {
    let house = House::new();
    let clip = short_clip();
    let clip = clip.to_str().unwrap();
    for flags in [["--mark", "--single-file"], ["--mark=loud", "--ladder=auto"]] {
        let finished = house.run(["import", flags[0], flags[1], clip]);
        assert_eq!(finished.status.code(), Some(2), "{}", finished.stderr);
    }
    let sound = house.scratch("sound.m4a");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i", clip, "-vn", "-c", "copy"]).arg(&sound);
    run(&mut ffmpeg, LIMIT).unwrap().success().unwrap();
    let error = house.fails(["import", "--mark", sound.to_str().unwrap()]);
    assert!(error.contains("there is no picture to mark"), "{error}");
    assert!(house.objects().is_empty() && house.titles().is_empty());
}

#[test]
fn a_title_without_marks_opens_to_a_file_as_well_and_other_links_do_not() {
    let house = House::with_title("Screener");
    let (_up, _) = up(&house);
    let shared = house.ok(["share", "Screener"]);
    let (link, out) = (shared["link"].as_str().unwrap(), house.scratch("copy.mp4"));
    let out = out.to_str().unwrap();
    let error = house.fails(["open", link]);
    assert!(error.contains("name it with -o OUT.mp4"), "{error}");
    house.ok(["open", link, "-o", out]);
    assert_eq!(frames(Path::new(out)).len(), 2 * FPS);
    let error = house.fails(["open", link, "-o", out]);
    assert!(error.contains("is there already"), "{error}");
    house.ok(["revoke", shared["grant"].as_str().unwrap()]);
    let error = house.fails(["open", link, "-o", out, "--force"]);
    assert!(error.contains("the gateway refuses"), "{error}");
    let (cut, _) = link.split_at(link.len() - 1);
    let error = house.fails(["open", cut, "-o", out, "--force"]);
    assert!(error.contains("the link is incomplete"), "{error}");
    assert_eq!(frames(Path::new(out)).len(), 2 * FPS, "what failed has left the file alone");
}
