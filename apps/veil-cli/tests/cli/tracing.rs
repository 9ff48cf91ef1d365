//! Traces, from a viewer's copy over what is done to it to the viewer's name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use veil_testkit::{Spawned, run, samples};

use crate::house::{House, LIMIT, short_clip};
use crate::up::up;

/// A film of 110 s of real pictures; `None` without samples.
fn film(house: &House) -> Option<PathBuf> {
    let media = samples()?.join("media");
    let path = house.scratch("film.mp4");
    let [one, two] = ["sintel_trailer-720p.mp4", "nasa_13013.mp4"].map(|name| media.join(name));
    let graph = "[0:v]trim=5:50,setpts=PTS-STARTPTS,scale=640:360,fps=24,setsar=1[a];\
                 [1:v]setpts=PTS-STARTPTS,scale=640:360,fps=24,setsar=1[b];[a][b]concat=n=2:v=1[all]";
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-i"]).arg(one);
    ffmpeg.args(["-stream_loop", "-1", "-t", "65", "-i"]).arg(two);
    ffmpeg.args(["-filter_complex", graph, "-map", "[all]", "-c:v", "libx264", "-crf", "18"]);
    ffmpeg.args(["-preset", "ultrafast"]).arg(&path);
    run(&mut ffmpeg, LIMIT).unwrap().success().unwrap();
    Some(path)
}

/// A marked title, and copies of those who were given it.
struct Premiere {
    house: House,
    _up: Spawned,
    grants: Vec<String>,
}

const VIEWERS: [&str; 3] = ["Ann", "Ben", "Cem"];

impl Premiere {
    fn new() -> Option<Self> {
        let house = House::new();
        let film = film(&house)?;
        let line = ["import", "--mark", "--ladder", "360", "--title", "Cut"];
        house.ok(line.map(Path::new).into_iter().chain([film.as_path()]));
        let (up, _) = up(&house);
        let grants = VIEWERS.map(|viewer| {
            let shared = house.ok(["share", "Cut", "--label", viewer]);
            let out = house.scratch(&format!("{viewer}.mp4"));
            house.ok(["open", shared["link"].as_str().unwrap(), "-o", out.to_str().unwrap()]);
            shared["grant"].as_str().unwrap().to_owned()
        });
        Some(Self { house, _up: up, grants: grants.to_vec() })
    }

    /// Does something to files; returns what came of it.
    fn leak(&self, name: &str, inputs: &[&str], args: &str) -> PathBuf {
        let out = self.house.scratch(name);
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y"]);
        for input in inputs {
            ffmpeg.arg("-i").arg(self.house.scratch(&format!("{input}.mp4")));
        }
        ffmpeg.args(args.split_whitespace()).args(["-an", "-preset", "veryfast"]).arg(&out);
        run(&mut ffmpeg, LIMIT).unwrap().success().unwrap();
        out
    }

    fn trace(&self, leak: &Path, more: &[&str]) -> Value {
        let line = [Path::new("trace"), leak].into_iter().chain(more.iter().map(Path::new));
        let report = self.house.ok(line);
        assert_eq!(report["v"], 1);
        report
    }
}

/// Labels of those who are named.
fn named(report: &Value) -> Vec<&str> {
    let viewers = report["viewers"].as_array().unwrap().iter();
    let named = viewers.filter(|viewer| viewer["named"] == true);
    named.map(|viewer| viewer["label"].as_str().unwrap()).collect()
}

#[test]
fn a_leak_names_its_viewer_after_what_leakers_do() {
    let Some(premiere) = Premiere::new() else { return };
    let house = &premiere.house;
    let leak = premiere.leak("small.mp4", &["Ben"], "-vf scale=-2:240 -c:v libx264 -crf 28");
    let html = house.scratch("report.html");
    let report = premiere.trace(&leak, &["-o", html.to_str().unwrap()]);
    assert_eq!(
        (report["verdict"].as_str(), named(&report)),
        (Some("named"), vec!["Ben"]),
        "{report}"
    );
    assert!(report["title"]["likeness"].as_f64().unwrap() > 0.9, "{report}");
    assert_eq!(report["leak"]["sha256"].as_str().unwrap().len(), 64);
    let page = fs::read_to_string(&html).unwrap();
    assert!(page.contains("the copy that was given to “Ben”") && page.contains("data:image/webp"));
    house.fails(["trace", leak.to_str().unwrap(), "-o", html.to_str().unwrap()]);

    // A grant that is taken back stays a candidate, and its viewer is named all the same.
    house.ok(["revoke", &premiere.grants[0]]);
    let crop = "-vf crop=iw*0.88:ih*0.9:iw*0.07:ih*0.03,hflip -c:v libx264 -crf 26";
    let leak = premiere.leak("crop.mp4", &["Ann"], crop);
    let report = premiere.trace(&leak, &["--title", "Cut"]);
    assert_eq!(named(&report), ["Ann"], "{report}");
    assert_eq!(report["geometry"]["mirrored"], true);
    assert!(report["viewers"][0]["revoked"].is_string());

    // Too little of it is said to be that.
    let leak = premiere.leak("piece.mp4", &["Cem"], "-ss 20 -t 10 -c:v libx264 -crf 26");
    let report = premiere.trace(&leak, &[]);
    assert_eq!(
        (report["verdict"].as_str(), named(&report)),
        (Some("not_enough"), vec![]),
        "{report}"
    );
    assert!(report["needed_s"].as_u64().unwrap() > 0);

    // Two who splice their copies: the one that is the likeliest had a part in it, and who had none isn't named.
    let splice = "-filter_complex [0:v]trim=0:55[a];[1:v]trim=55,setpts=PTS-STARTPTS[b];[a][b]concat=n=2:v=1 -c:v libx264 -crf 24";
    let leak = premiere.leak("splice.mp4", &["Ann", "Ben"], splice);
    let report = premiere.trace(&leak, &["--title", "Cut", "--epsilon", "0.01"]);
    assert_ne!(report["viewers"][0]["label"], "Cem", "{report}");
    assert!(!named(&report).contains(&"Cem"), "{report}");

    let trail = house.ok(["audit"])["trail"].as_array().unwrap().clone();
    let traces: Vec<&Value> = trail.iter().filter(|entry| entry["action"] == "trace").collect();
    assert_eq!(traces.len(), 4);
    assert_eq!(traces[0]["subject"], report["title"]["id"]);
}

#[test]
fn a_strangers_film_and_an_unmarked_copy_name_nobody() {
    let Some(premiere) = Premiere::new() else { return };
    let stranger = premiere.trace(&short_clip(), &[]);
    assert_eq!(
        (stranger["verdict"].as_str(), &stranger["title"]),
        (Some("unknown_title"), &Value::Null)
    );
    // The film itself, which was never marked.
    let film = premiere.trace(&premiere.house.scratch("film.mp4"), &[]);
    assert_eq!(
        (film["verdict"].as_str(), film["title"]["name"].as_str()),
        (Some("no_mark"), Some("Cut"))
    );
    assert_eq!((named(&film).len(), film["viewers"].as_array().unwrap().len()), (0, 0));
}

#[test]
fn what_cannot_be_traced_is_refused() {
    let house = House::with_title("Plain");
    let clip = short_clip();
    let clip = clip.to_str().unwrap();
    let error = house.fails(["trace", clip, "--title", "Plain"]);
    assert!(error.contains("\"Plain\" is not marked") && error.contains("--mark"), "{error}");
    let error = house.fails(["trace", clip, "--title", "Other"]);
    assert!(error.contains("there is no title"), "{error}");
    let error = house.fails(["trace", clip, "--epsilon", "0.5"]);
    assert!(error.contains("is no bound") && error.contains("at most 0.01"), "{error}");
    let report = house.ok(["trace", clip]);
    assert_eq!(report["verdict"], "unknown_title");
    let none = house.scratch("none.mp4");
    fs::write(&none, b"no video").unwrap();
    house.fails(["trace", none.to_str().unwrap()]);
}
