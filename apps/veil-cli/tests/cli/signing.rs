//! `veilcast sign`: a known URL, playlists of every kind, refusals, and a player that plays what came out.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use veil_presign::{Credentials, Presented, SigningKey, parse_query, verify};
use veil_testkit::{ClipSpec, Finished, clip, run, samples};

use crate::desk::{Desk, LIMIT, check_failure};

const ID: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const R2: &str = "--endpoint https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com \
    --bucket videos --prefix v/7f3a9c2e-1b4d-4e8a-9f00-0123456789ab/720p --region auto \
    --date 20261120T101602Z";
const FOLDER: &str = "https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com/videos/v/\
    7f3a9c2e-1b4d-4e8a-9f00-0123456789ab/720p/";

fn command(desk: &Desk, line: &str) -> Command {
    let mut command = desk.command(line.split_whitespace());
    command.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.env_remove("AWS_SESSION_TOKEN");
    command
}

fn sign(desk: &Desk, line: &str) -> Finished {
    run(&mut command(desk, &format!("sign {line}")), LIMIT).unwrap()
}

fn signed(desk: &Desk, playlist: &[u8]) -> String {
    desk.write("a.m3u8", playlist);
    sign(desk, &format!("a.m3u8 {R2}")).success().unwrap().text()
}

/// A URL for R2 whose signature was worked out by others, before this code was written.
#[test]
fn a_segment_has_the_url_that_was_published_for_it() {
    let desk = Desk::new();
    let out = signed(&desk, b"#EXTM3U\n#EXTINF:6.000000,\nseg_00000.m4s\n#EXT-X-ENDLIST\n");
    let url = format!(
        "{FOLDER}seg_00000.m4s?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={ID}\
         %2F20261120%2Fauto%2Fs3%2Faws4_request&X-Amz-Date=20261120T101602Z&X-Amz-Expires=14400\
         &X-Amz-SignedHeaders=host&X-Amz-Signature=\
         b2ce40622926a15d5e2a2174e48d215ebcc9b3fb5cdd732c0dbf22a78eb687da"
    );
    assert_eq!(out, format!("#EXTM3U\n#EXTINF:6.000000,\n{url}\n#EXT-X-ENDLIST\n"));
    assert_eq!(desk.names(), ["a.m3u8"], "the command left something behind");
}

#[test]
fn standard_input_json_and_a_session_token_are_understood() {
    let desk = Desk::new();
    desk.write("a.m3u8", b"#EXTM3U\na\nb\na\n");
    let words = format!("\"$VEILCAST\" --json sign - {R2} --expires 604800 < a.m3u8");
    let mut script = desk.script(&words);
    script.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    script.env("AWS_SESSION_TOKEN", "to/ken=");
    let out = run(&mut script, LIMIT).unwrap().success().unwrap().text();
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["url_count"], 2);
    assert_eq!(answer["expires"], "2026-11-27T10:16:02Z");
    let lines: Vec<&str> = answer["playlist"].as_str().unwrap().lines().collect();
    assert_eq!((lines.len(), lines[1]), (4, lines[3]));
    assert!(
        lines[1].contains("&X-Amz-Expires=604800&X-Amz-Security-Token=to%2Fken%3D&X-Amz-Signed")
    );
}

/// Takes the presigned URLs back out; each must verify.
fn unsigned(text: &str) -> String {
    let mut parts = text.split(FOLDER);
    let mut source = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find(['"', '\n', '\r']).unwrap_or(part.len());
        let (url, rest) = part.split_at(end);
        let (url, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
        let (name, query) = url.split_once('?').unwrap();
        check_url(&format!("{}{name}", &FOLDER[FOLDER.find("/videos").unwrap()..]), query);
        let own: Vec<String> = parse_query(query)
            .unwrap()
            .into_iter()
            .filter(|(name, _)| !name.starts_with("X-Amz-"))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let own = if own.is_empty() { own.join("") } else { format!("?{}", own.join("&")) };
        source += &format!("{name}{own}{fragment}{rest}");
    }
    source
}

fn check_url(path: &str, query: &str) {
    let host = &FOLDER["https://".len()..FOLDER.find("/videos").unwrap()];
    let presented = Presented { method: "GET", host, path, query };
    let credentials = Credentials::new(ID, SECRET.to_owned()).unwrap();
    let now = "2026-11-20T10:16:02Z".parse().unwrap();
    verify(&presented, now, |claim| {
        SigningKey::derive(&credentials, claim.signed_at, claim.region).ok()
    })
    .unwrap();
}

#[test]
fn every_kind_of_uri_is_signed_and_every_other_byte_stays() {
    let desk = Desk::new();
    let source = "\u{feff}#EXTM3U\r\n#EXT-X-VERSION:7\r\n## note, URI=\"x\"\r\n#EXT-X-FOO:URI=\"y\"\r\n\
        #EXT-X-KEY:METHOD=AES-128,URI=\"k.bin\",IV=0x1\r\n#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"9@0\"\r\n\
        #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://k\"\r\n#EXTINF:2,\"a, b\"\r\n#EXT-X-BYTERANGE:9@9\r\n\
        all.mp4\r\n#EXT-X-BYTERANGE:9\r\nall.mp4\r\n#EXT-X-GAP\r\n\r\nhttps://cdn.example.org/c.ts?d\r\n\
        data:text/plain,e\r\nf/g.ts?v=2#t=1\r\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"URI=\",URI=\"h.m3u8\"\r\nlast.ts";
    let out = signed(&desk, source.as_bytes());
    assert_eq!(unsigned(&out), source);
    assert_eq!(out.matches("X-Amz-Signature=").count(), 7);
    let urls: Vec<&str> = out.lines().filter(|line| line.contains("/all.mp4?")).collect();
    assert_eq!(urls[1], urls[2], "one object has one URL");
}

#[test]
fn every_sample_playlist_is_signed_or_refused_for_its_way_out() {
    let Some(folder) = samples().map(|folder| folder.join("hls")) else { return };
    let desk = Desk::new();
    let entries = ["m3u8-parser", "m3u8-rs"].map(|family| fs::read_dir(folder.join(family)));
    let paths: Vec<PathBuf> = entries
        .into_iter()
        .flat_map(|dir| dir.unwrap().map(|entry| entry.unwrap().path()))
        .collect();
    let mut refused = Vec::new();
    let playlists = paths.iter().filter(|path| path.extension().is_some_and(|e| e == "m3u8"));
    for path in playlists {
        let mut command = command(&desk, &format!("sign {R2}"));
        let finished = run(command.arg(path), LIMIT).unwrap();
        if finished.status.success() {
            // S3's canonical form of a name encodes what a URI need not.
            let plain = |text: &str| text.replace("%3D", "=");
            let source = fs::read_to_string(path).unwrap();
            let out = unsigned(&finished.text());
            assert_eq!(plain(&out), plain(&source), "{}", path.display());
        } else {
            assert!(finished.stdout.is_empty());
            refused.push(finished.stderr);
        }
    }
    let [refused] = &refused[..] else { panic!("{refused:?}") };
    assert!(refused.contains("llhls.m3u8: line 55 of the playlist: the URI leaves"), "{refused}");
}

#[test]
fn playlists_without_a_segment_and_with_ten_thousand_are_signed() {
    let desk = Desk::new();
    assert_eq!(signed(&desk, b"#EXTM3U\n#EXT-X-ENDLIST\n"), "#EXTM3U\n#EXT-X-ENDLIST\n");
    let long: String = (0..10_000).map(|at| format!("#EXTINF:2,\nseg{at}.m4s\n")).collect();
    let long = format!("#EXTM3U\n{long}");
    assert_eq!(unsigned(&signed(&desk, long.as_bytes())), long);
}

#[test]
fn what_cannot_be_signed_is_refused_and_nothing_comes_out() {
    let desk = Desk::new();
    let check = |playlist: &[u8], message: &str| {
        desk.write("a.m3u8", playlist);
        let finished = sign(&desk, &format!("a.m3u8 {R2}"));
        assert!(finished.stdout.is_empty());
        check_failure(&finished, message, message, "");
    };
    for way_out in ["../a", "a/../../b", "%2e%2e/a", "/a", "./a"] {
        let message = "a.m3u8: line 2 of the playlist: the URI leaves the playlist's folder";
        check(format!("#EXTM3U\n{way_out}\n").as_bytes(), message);
    }
    check(b"#EXTM3U\na%2fb\n", "line 2 of the playlist: the URI holds a character");
    check(b"<html>", "the playlist does not begin with #EXTM3U");
    check(b"#EXTM3U\n#EXT-X-MAP:URI=\"a\n", "line 2 of the playlist: a quoted value does not end");
    check(b"#EXTM3U\na?b=%zz\n", "the query of `a?b=%zz` can't be read");
    check(
        b"#EXTM3U\na?x-amz-date=1\n",
        "a query parameter has a name that belongs to the signature",
    );
    check(&vec![b'#'; (4 << 20) + 1], "the playlist is longer than 4194304 bytes");

    let fails = |line: &str, message: &str| {
        desk.write("a.m3u8", b"#EXTM3U\na\n");
        check_failure(&sign(&desk, line), line, message, "");
    };
    let with = |from: &str, to: &str| format!("a.m3u8 {}", R2.replace(from, to));
    fails(&with("--bucket videos", "--bucket a/b"), "the bucket's name");
    fails(&with("/720p", "/../720p"), "the prefix is too long or has an empty segment");
    fails(&with("--region auto", "--region a/b"), "the region is empty");
    fails(&format!("missing.m3u8 {R2}"), "missing.m3u8 can't be read");
}

#[test]
fn a_command_line_that_is_wrong_is_a_usage_error() {
    let desk = Desk::new();
    desk.write("a.m3u8", b"#EXTM3U\na\n");
    let usage = |line: &str, message: &str| {
        let finished = sign(&desk, line);
        assert_eq!(finished.status.code(), Some(2), "{}", finished.stderr);
        assert!(finished.stderr.contains(message), "{}", finished.stderr);
    };
    for seconds in ["0", "604801"] {
        usage(&format!("a.m3u8 {R2} --expires {seconds}"), "604800");
    }
    usage(&format!("a.m3u8 {}", R2.replace("https://", "ftp://")), "https:// or http://");
    usage(&format!("a.m3u8 {}", R2.replace("20261120T", "2026-11-20T")), "20261120T101602Z");
    usage(&format!("a.m3u8 {}", R2.replace("--region auto", "")), "--region");
}

#[test]
fn a_missing_credential_is_named_and_a_bad_one_is_not_shown() {
    let desk = Desk::new();
    desk.write("a.m3u8", b"#EXTM3U\na\n");
    let line = format!("sign a.m3u8 {R2}");
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        for empty in [false, true] {
            let mut command = command(&desk, &line);
            if empty {
                command.env(name, "")
            } else {
                command.env_remove(name)
            };
            let finished = run(&mut command, LIMIT).unwrap();
            check_failure(&finished, name, &format!("{name} is not set"), "hold the credential");
        }
    }
    let finished =
        run(command(&desk, &line).env("AWS_SECRET_ACCESS_KEY", "se cret"), LIMIT).unwrap();
    check_failure(&finished, &line, "the secret access key holds a character", "");
    assert!(!finished.stderr.contains("se cret"));
}

/// A store with one folder that answers presigned requests alone.
fn store(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let own = host.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (folder, host) = (folder.clone(), own.clone());
            thread::spawn(move || serve(&stream.unwrap(), &folder, &host));
        }
    });
    host
}

fn serve(mut stream: &TcpStream, folder: &Path, host: &str) {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let request = lines.next().unwrap();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let target = request.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let credentials = Credentials::new(ID, SECRET.to_owned()).unwrap();
    let presented = Presented { method: "GET", host, path, query };
    let verified = verify(&presented, jiff::Timestamp::now(), |claim| {
        SigningKey::derive(&credentials, claim.signed_at, claim.region).ok()
    });
    let file = folder.join(path.rsplit('/').next().unwrap());
    let answer = match (verified, fs::read(file)) {
        (Ok(_), Ok(body)) if path.starts_with("/films/one/") => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", body.len());
            [head.as_bytes(), b"Connection: close\r\n\r\n", &body].concat()
        }
        _ => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    };
    // A player that has seen enough hangs up.
    let _ = stream.write_all(&answer);
}

#[test]
fn a_player_plays_the_signed_playlist_and_not_the_plain_one() {
    let desk = Desk::new();
    let clip = clip(ClipSpec { seconds: 4, ..ClipSpec::default() });
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "error", "-i"]).arg(&clip);
    ffmpeg.args(["-t", "4", "-c", "copy", "-f", "hls", "-hls_time", "1"]);
    ffmpeg.args(["-hls_segment_type", "fmp4", "-hls_playlist_type", "vod"]);
    run(ffmpeg.arg(desk.path("index.m3u8")), LIMIT).unwrap().success().unwrap();
    let host = store(desk.path(""));

    let line =
        format!("index.m3u8 --endpoint http://{host} --bucket films --prefix one/ --region local");
    let out = sign(&desk, &line).success().unwrap().stdout;
    desk.write("signed.m3u8", &out);
    let plain = String::from_utf8(desk.read("index.m3u8")).unwrap();
    let absolute: String = plain.replace("init.mp4", &format!("http://{host}/films/one/init.mp4"));
    desk.write("unsigned.m3u8", absolute.as_bytes());

    let probe = |name: &str| {
        let mut ffprobe = Command::new("ffprobe");
        ffprobe.args([
            "-v",
            "error",
            "-protocol_whitelist",
            "file,http,tcp,crypto",
            "-count_packets",
        ]);
        ffprobe.args(["-select_streams", "v:0", "-of", "csv=p=0"]);
        ffprobe.args(["-show_entries", "stream=nb_read_packets:format=duration"]);
        run(ffprobe.arg(desk.path(name)), LIMIT).unwrap()
    };
    let played = probe("signed.m3u8").success().unwrap().text();
    let direct = probe("index.m3u8").success().unwrap().text();
    assert_eq!(played, direct);
    assert!(!probe("unsigned.m3u8").status.success(), "the store serves whoever asks");
}
