//! FFmpeg plays what comes out: a clip packaged in each usual way, passed through and by presigned URLs.

#![allow(clippy::disallowed_types, reason = "FFmpeg is started through veil-testkit")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use veil_testkit::{ClipSpec, clip, run};

use super::Stored;

const LIMIT: Duration = Duration::from_secs(120);

/// What a clip of 4 s at 30 frames/s has.
const FRAMES: &str = "120";

const SUBTITLES: &str = "WEBVTT\n\n00:00.500 --> 00:03.000\na line of text\n";

fn ffmpeg(folder: &Path, clip: &Path, options: &str, name: &str) {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.current_dir(folder).args(["-nostdin", "-v", "error", "-i"]).arg(clip);
    ffmpeg.args(options.split_whitespace()).args(["-f", "hls", "-hls_time", "1"]);
    ffmpeg.args(["-hls_playlist_type", "vod"]);
    run(ffmpeg.arg(name), LIMIT).unwrap().success().unwrap();
}

/// Packages the clip as transport streams with a key, as fragmented MP4 in one file, and as a multivariant playlist with
/// sound and subtitles of their own and an I-frame playlist.
fn package(folder: &Path) {
    let clip = clip(ClipSpec::default());
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("clip.key"), [9; 16]).unwrap();
    fs::write(folder.join("key.info"), "clip.key\nclip.key\n").unwrap();
    let encode = "-c:v libx264 -preset ultrafast -g 30 -c:a aac";
    let keyed = format!("{encode} -hls_key_info_file key.info -hls_segment_filename ts_%d.ts");
    ffmpeg(folder, &clip, &keyed, "ts.m3u8");
    let single = format!("{encode} -hls_segment_type fmp4 -hls_flags single_file");
    ffmpeg(folder, &clip, &single, "single.m3u8");
    let video = "-an -c:v libx264 -preset ultrafast -g 30 -hls_segment_type fmp4 \
                 -hls_fmp4_init_filename v_init.mp4 -hls_segment_filename v_%d.m4s";
    ffmpeg(folder, &clip, video, "v.m3u8");
    let sound = "-vn -c:a aac -hls_segment_type fmp4 -hls_fmp4_init_filename a_init.mp4 \
                 -hls_segment_filename a_%d.m4s";
    ffmpeg(folder, &clip, sound, "a.m3u8");
    fs::write(folder.join("s.vtt"), SUBTITLES).unwrap();
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:4.0,\ns.vtt\n#EXT-X-ENDLIST\n";
    fs::write(folder.join("s.m3u8"), list).unwrap();
    let frames = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:1\n#EXT-X-I-FRAMES-ONLY\n\
        #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI=\"v_init.mp4\"\n#EXTINF:1.0,\n\
        #EXT-X-BYTERANGE:2000@0\nv_0.m4s\n#EXT-X-ENDLIST\n";
    fs::write(folder.join("i.m3u8"), frames).unwrap();
    let index = "#EXTM3U\n#EXT-X-VERSION:7\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",DEFAULT=YES,URI=\"a.m3u8\"\n\
        #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"s\",LANGUAGE=\"en\",URI=\"s.m3u8\"\n\
        #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100000,URI=\"i.m3u8\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO=\"a\",SUBTITLES=\"s\"\nv.m3u8\n";
    fs::write(folder.join("index.m3u8"), index).unwrap();
}

/// The frames that FFmpeg decodes of the first picture, and how many streams there are.
fn decoded(url: &str) -> (String, usize) {
    let probe = |entries: &str, more: &[&str]| {
        let mut ffprobe = Command::new("ffprobe");
        ffprobe.args(["-v", "error", "-of", "csv=p=0", "-show_entries", entries]).args(more);
        run(ffprobe.arg(url), LIMIT).unwrap().success().unwrap().text()
    };
    let frames = probe("stream=nb_read_frames", &["-count_frames", "-select_streams", "v:0"]);
    let streams = probe("stream=codec_type", &[]);
    let streams = streams.lines().filter(|line| !line.trim().is_empty()).count();
    (frames.lines().next().unwrap_or_default().trim_end_matches(',').to_owned(), streams)
}

#[test]
fn ffmpeg_decodes_every_kind_of_tree_in_both_modes() {
    let stored = Stored::start();
    let below = stored.store.folder().join("site");
    package(&below.join("passed/clip"));
    veil_testkit::files_below(&below.join("passed/clip")).unwrap().iter().for_each(|path| {
        let to = below.join("signed/clip").join(path.file_name().unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(path, to).unwrap();
    });
    for mode in ["passed", "signed"] {
        for (name, streams) in [("ts.m3u8", 2), ("single.m3u8", 2), ("index.m3u8", 3)] {
            let url = format!("http://{}/hls/{mode}/clip/{name}", stored.site.address);
            let (frames, found) = decoded(&url);
            assert_eq!(frames, FRAMES, "{mode} {name}");
            assert!(found >= streams, "{mode} {name}: {found} streams");
        }
    }
    // Nothing of the signed trees but playlists came through the gateway.
    let key = stored.get("/hls/signed/clip/clip.key");
    assert_eq!(key.status, 302);
}
