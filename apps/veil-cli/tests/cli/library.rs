//! The media library over HTTP: uploads that are cut and go on, hostile ones, and all of it from a picture to a shared link.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use veil_testkit::files_below;

use crate::desk_http::Desk;
use crate::house::{House, short_clip};

#[test]
fn an_upload_that_was_cut_goes_on_where_it_was_and_is_kept_once() {
    let house = House::new();
    let desk = Desk::open(&house);
    let clip = fs::read(short_clip()).unwrap();
    let path = desk.begin_upload("Käse & Brot.mp4", clip.len());
    cut_off(&desk, &path, &clip, clip.len() / 3);
    let arrived = until(|| Some(desk.offset(&path)).filter(|offset| *offset == clip.len() / 3));
    assert_eq!(desk.append(&path, arrived + 1, b"x", &[]).expect(409).json()["type"], "conflict");
    let half = clip.len() / 2;
    let answer = desk.append(&path, arrived, &clip[arrived..half], &[]).expect(204);
    assert_eq!(
        (answer.header("upload-offset"), answer.header("veilcast-media")),
        (half.to_string(), String::new())
    );
    let id = desk.append(&path, half, &clip[half..], &[]).expect(204).header("veilcast-media");
    let again = desk.ask("HEAD", &path, &[("tus-resumable", "1.0.0")], b"").expect(200);
    assert_eq!((again.header("veilcast-media"), desk.offset(&path)), (id.clone(), clip.len()));

    let medium = desk.get(&format!("/v1/media/{id}")).expect(200).json();
    assert_eq!((&medium["name"], &medium["kind"]), (&json!("Käse & Brot.mp4"), &json!("video")));
    assert_eq!((&medium["width"], &medium["bytes"]), (&json!(320), &json!(clip.len())));
    assert_eq!(desk.upload("the same.mp4", &clip), id);
    assert_eq!(desk.get("/v1/media?query=k%C3%84SE").expect(200).json()["total"], 1);
    assert_eq!(desk.get("/v1/media").expect(200).json()["total"], 1);
    looks_like_the_clip(&desk, &id, &clip);
    desk.send("PATCH", &format!("/v1/media/{id}"), &json!({ "name": "Cheese" })).expect(200);
    desk.ask("DELETE", &format!("/v1/media/{id}"), &[], b"").expect(204);
    desk.get(&format!("/v1/media/{id}/content")).expect(404);
    assert!(files_below(&house.data().join("media")).unwrap().is_empty());
}

fn looks_like_the_clip(desk: &Desk, id: &str, clip: &[u8]) {
    let thumbnail = desk.get(&format!("/v1/media/{id}/thumbnail")).expect(200);
    assert_eq!((&thumbnail.bytes[..4], &thumbnail.bytes[8..12]), (&b"RIFF"[..], &b"WEBP"[..]));
    let waveform = desk.get(&format!("/v1/media/{id}/waveform")).expect(200).json();
    let peaks = waveform["peaks"].as_array().unwrap();
    let seconds = peaks.len() as f64 / waveform["rate"].as_f64().unwrap();
    assert!(
        (1.8..2.3).contains(&seconds) && peaks.iter().any(|peak| *peak != json!(0)),
        "{seconds}"
    );
    let content = format!("/v1/media/{id}/content");
    let part = desk.ask("GET", &content, &[("range", "bytes=10-19")], b"").expect(206);
    assert_eq!(
        (part.bytes.as_slice(), part.header("content-type")),
        (&clip[10..20], "video/mp4".to_owned())
    );
    let range = format!("bytes={}-", clip.len());
    desk.ask("GET", &content, &[("range", &range)], b"").expect(416);
    let tag = desk.get(&content).expect(200).header("etag");
    desk.ask("GET", &content, &[("if-none-match", &tag)], b"").expect(304);
}

/// Sends the beginning of a body, and goes away.
fn cut_off(desk: &Desk, path: &str, bytes: &[u8], sent: usize) {
    let host = desk.origin.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ntus-resumable: 1.0.0\r\n\
         content-type: application/offset+octet-stream\r\nupload-offset: 0\r\ncontent-length: {}\r\n\r\n",
        desk.token,
        bytes.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&bytes[..sent]).unwrap();
}

fn until<T>(mut find: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        match find() {
            Some(found) => return found,
            None => assert!(Instant::now() < end, "waited in vain"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn hostile_uploads_leave_nothing_behind() {
    let house = House::new();
    let desk = Desk::open(&house);
    let tus = ("tus-resumable", "1.0.0");
    let clip = fs::read(short_clip()).unwrap();
    for name in [
        "../../evil.mp4",
        "/etc/cron.d/evil",
        "..\\evil.mp4",
        "\0evil",
        "a\r\nb",
        &"x".repeat(1000),
    ] {
        let path = desk.begin_upload(name, 4);
        assert!(
            path.strip_prefix("/v1/uploads/").unwrap().bytes().all(|byte| byte.is_ascii_hexdigit())
        );
        desk.append(&path, 0, b"evil", &[]).expect(422);
        desk.append(&path, 0, b"evil", &[]).expect(404);
    }
    for path in [
        "/v1/uploads/..%2F..%2Fidentity.txt",
        "/v1/uploads/x",
        "/v1/media/..%2F..%2Fidentity.txt/content",
    ] {
        desk.ask("HEAD", path, &[tus], b"").expect(404);
    }
    let playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n";
    let path = desk.begin_upload("list.mp4", playlist.len());
    desk.append(&path, 0, playlist, &[]).expect(422);
    // A protocol that nobody speaks, bodies of another kind, more than was announced, another content than its sum.
    desk.ask("POST", "/v1/uploads", &[("upload-length", "1")], b"").expect(412);
    for length in ["0", "-1", "x", "99999999999999999999"] {
        desk.ask("POST", "/v1/uploads", &[tus, ("upload-length", length)], b"").expect(400);
    }
    desk.ask("POST", "/v1/uploads", &[tus, ("upload-length", "999999999999999")], b"").expect(413);
    let path = desk.begin_upload("a.mp4", clip.len());
    desk.ask("PATCH", &path, &[tus, ("upload-offset", "0"), ("content-type", "text/plain")], b"x")
        .expect(415);
    let wrong = format!("sha1 {}", BASE64_STANDARD.encode([0; 20]));
    desk.append(&path, 0, &clip[..100], &[("upload-checksum", &wrong)]).expect(460);
    desk.append(&path, 0, &clip[..100], &[("upload-checksum", "md5 AAAA")]).expect(400);
    assert_eq!(desk.offset(&path), 0);
    desk.append(&path, 0, &[&clip[..], b"more"].concat(), &[]).expect(413);
    desk.ask("DELETE", &path, &[tus], b"").expect(204);
    desk.ask("HEAD", &path, &[tus], b"").expect(404);
    for folder in ["uploads", "media"] {
        assert!(files_below(&house.data().join(folder)).unwrap().is_empty(), "{folder}");
    }
    assert!(!house.scratch("evil.mp4").exists());
    let told = desk.ask("OPTIONS", "/v1/uploads", &[], b"").expect(204);
    assert_eq!(told.header("tus-extension"), "creation,termination,expiration,checksum");
}

#[test]
fn from_a_picture_to_a_shared_link_by_http_alone() {
    let house = House::new();
    let desk = Desk::open(&house);
    let mut heard = desk.listen(None);
    let medium = desk.upload("clip.mp4", &fs::read(short_clip()).unwrap());
    let (first, _) = heard.next(|kind, data| kind == "media" && data["id"] == json!(medium));
    let background = json!({ "kind": "video", "file": format!("media:{medium}") });
    let document = json!({
        "format": "16:9", "height": 180, "fps": 24, "voice": { "provider": "none" },
        "scenes": [{ "text": "Hello there.", "duration": 1, "background": background }],
    });
    let made =
        desk.send("POST", "/v1/productions", &json!({ "name": "Film", "document": document }));
    let production = made.expect(201).json()["id"].as_str().unwrap().to_owned();
    let job = desk.send(
        "POST",
        "/v1/jobs",
        &json!({ "kind": "make", "production": production, "draft": true }),
    );
    let job = job.expect(201).json();
    assert_eq!((&job["production"], &job["name"]), (&json!(production), &json!("Film")));
    let id = job["id"].as_str().unwrap();
    let (_, told) = heard.next(|kind, data| kind == "job" && data["state"] == "done");
    assert_eq!(told["id"], job["id"]);
    let job = desk.get(&format!("/v1/jobs/{id}")).expect(200).json();
    let runs_ffmpeg = |line: &Value| line.as_str().unwrap().contains("/ffmpeg -");
    assert!(job["commands"].as_array().unwrap().iter().any(runs_ffmpeg), "{job}");
    let log = desk.get(&format!("/v1/jobs/{id}/log")).expect(200).json();
    assert!(!log["lines"].as_array().unwrap().is_empty());
    let video = job["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file["name"].as_str().unwrap().ends_with(".mp4"))
        .unwrap();
    let output =
        format!("/v1/jobs/{id}/outputs/{}", video["name"].as_str().unwrap().replace(' ', "%20"));
    let part = desk.ask("GET", &output, &[("range", "bytes=4-7")], b"").expect(206);
    assert_eq!(part.bytes, b"ftyp");
    desk.get(&format!("/v1/jobs/{id}/outputs/..%2F..%2Fidentity.txt")).expect(404);

    let import =
        desk.send("POST", "/v1/jobs", &json!({ "kind": "import", "job": id, "name": "Film" }));
    let import = desk.wait_for(import.expect(201).json()["id"].as_str().unwrap());
    assert_eq!(import["state"], "done", "{import}");
    let title = import["title"].as_str().unwrap();
    heard.next(|kind, data| kind == "title" && data["id"] == json!(title));
    let shared =
        desk.send("POST", &format!("/v1/titles/{title}/shares"), &json!({ "label": "Ann" }));
    assert!(shared.expect(201).json()["link"].as_str().unwrap().contains("/w/"));
    // Who was away gets what was missed; who was away for too long is told so.
    let mut again = desk.listen(Some(&first));
    again.next(|kind, data| kind == "job" && data["state"] == "done" && data["id"] == json!(id));
    desk.listen(Some("1")).next(|kind, _| kind == "reset");
    let figures = desk.get("/performance/metrics").expect(200).json();
    assert!(
        figures["rss_bytes"].as_u64().unwrap() > 1 << 20
            && figures["listeners"].as_u64().unwrap() >= 1
    );
    assert!(figures["cache"]["bytes"].as_u64().unwrap() > 0, "{figures}");
    assert_eq!(figures["children"], json!([]));
    desk.ask("POST", "/performance/gc", &[], b"").expect(200);
    let text = desk.get("/metrics").expect(200).text();
    assert!(text.contains("veilcast_studio_requests{route=\"POST /v1/jobs\"} 2"), "{text}");
}

#[test]
fn a_queue_is_drained_ordered_limited_and_names_no_file() {
    let house = House::new();
    let desk = Desk::open(&house);
    let medium = desk.upload("clip.mp4", &fs::read(short_clip()).unwrap());
    assert_eq!(
        desk.send("POST", "/v1/queue/drain", &json!({})).expect(200).json()["drained"],
        true
    );
    let submit = |job: Value| desk.send("POST", "/v1/jobs", &job);
    let reveal = || submit(json!({ "kind": "reveal", "media": medium, "passphrase": "open" }));
    let ids: Vec<String> =
        (0..5).map(|_| reveal().expect(201).json()["id"].as_str().unwrap().to_owned()).collect();
    let refused = reveal().expect(429);
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u32>().unwrap()));
    let job = |id: &str| format!("/v1/jobs/{id}");
    assert_eq!(
        desk.send("PATCH", &job(&ids[0]), &json!({ "priority": 7 })).expect(200).json()["priority"],
        7
    );
    let act =
        |id: &str, what: &str| desk.send("POST", &format!("/v1/jobs/{id}/{what}"), &json!({}));
    assert_eq!(act(&ids[1], "pause").expect(200).json()["state"], "paused");
    assert_eq!(act(&ids[1], "resume").expect(200).json()["state"], "waiting");
    assert_eq!(act(&ids[1], "cancel").expect(200).json()["state"], "cancelled");
    act(&ids[1], "cancel").expect(409);
    assert_eq!(act(&ids[1], "retry").expect(200).json()["state"], "waiting");
    let listed = desk.get("/v1/jobs?state=waiting&limit=2").expect(200).json();
    assert_eq!((&listed["total"], listed["items"].as_array().unwrap().len()), (&json!(5), 2));
    let rest = desk
        .get(&format!("/v1/jobs?state=waiting&after={}", listed["next"].as_str().unwrap()))
        .expect(200);
    assert_eq!(rest.json()["items"].as_array().unwrap().len(), 3);
    assert_eq!(desk.get("/v1/queue").expect(200).json()["pending"], 5);
    for wrong in ["/v1/jobs?state=happy", "/v1/jobs?after=x"] {
        desk.get(wrong).expect(400);
    }
    for gone in ["/v1/jobs/999", "/v1/jobs/x", "/v1/jobs/999/log", "/v1/jobs/999/outputs/a"] {
        desk.get(gone).expect(404);
    }
    // Paths of this machine are names of nothing.
    for path in ["/etc/passwd", "../identity.txt"] {
        let document =
            json!({ "scenes": [{ "text": "a", "background": { "kind": "image", "file": path } }] });
        let made = desk
            .send("POST", "/v1/productions", &json!({ "name": "x", "document": document }))
            .expect(201);
        submit(json!({ "kind": "make", "production": made.json()["id"] })).expect(422);
        submit(json!({ "kind": "import", "media": path, "name": "x" })).expect(404);
        submit(json!({ "kind": "hide", "media": medium, "payload": [path], "passphrase": "p" }))
            .expect(404);
    }
    submit(json!({ "kind": "import", "name": "x" })).expect(422);
    submit(json!({ "kind": "dance" })).expect(400);
    let text = fs::read(house.data().join("jobs.sqlite")).unwrap();
    assert!(!text.windows(6).any(|part| part == b"\"open\""), "a passphrase is in the table");
}
