//! Frames that pass through us: what comes out is what went in, and everything beside it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use veil_ffmpeg::carrier::Carrier;
use veil_ffmpeg::nut::Frames;
use veil_ffmpeg::raw::{Codec, Container, Decoding, Encoding, Recoding};
use veil_ffmpeg::{Error, Refusal};

use crate::support::{clip, launcher, tools};

/// Passes a video through and returns the file that came out.
async fn passed(
    folder: &Path,
    video: &Path,
    codec: Option<Codec>,
    out: &str,
) -> Result<PathBuf, Error> {
    let (launcher, tools) = (launcher(), tools().await);
    let carrier = Carrier::inspect(&launcher, &tools, video).await?;
    let out = folder.join(out);
    std::fs::write(&out, "").unwrap();
    let container = Container::of_path(&out).unwrap();
    let encoding = Encoding::new(&carrier, codec, container)?;
    let mut run = Recoding::start(&launcher, &tools, &carrier, encoding, &out).await?;
    let (from, mut to) = run.take_ends().unwrap();
    let bytes = carrier.frame_bytes();
    let pass = move || {
        let mut frames = Frames::new(from);
        let mut count = 0_u64;
        while let Some(piece) = frames.next(Vec::new()).unwrap() {
            to.write_all(&piece.header).unwrap();
            if let Some(frame) = piece.frame {
                assert_eq!(frame.len() as u64, bytes);
                to.write_all(&frame).unwrap();
                count += 1;
            }
        }
        count
    };
    let count = tokio::task::spawn_blocking(pass).await.unwrap();
    run.finish().await?;
    assert_eq!(count, carrier.packet_count);
    Ok(out)
}

fn said(program: &str, file: &Path, before: &str, after: &str) -> String {
    let mut command = Command::new(program);
    command.args(["-v", "error"]).args(before.split_whitespace());
    let output = command.arg("-i").arg(file).args(after.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The hash of each picture.
fn pictures(file: &Path) -> Vec<String> {
    let text =
        said("ffmpeg", file, "-noautorotate", "-map 0:v:0 -fps_mode passthrough -f framemd5 -");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit(',').next().unwrap().trim().to_owned()).collect()
}

/// The hashes of the packets of sound and subtitles, and what is said of their streams.
fn others(file: &Path) -> Vec<String> {
    let of = |kind: &str| {
        let before = format!(
            "-select_streams {kind} -show_data_hash md5 -show_entries \
             packet=data_hash:stream_tags=language,title -of default=nw=1:nk=1"
        );
        said("ffprobe", file, &before, "").lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut others = [of("a"), of("s")].concat();
    others.retain(|line| line.starts_with("MD5:") || (line.len() == 3 && line != "und"));
    others
}

fn times(file: &Path) -> Vec<f64> {
    let text =
        said("ffprobe", file, "-select_streams v:0 -show_entries frame=pts_time -of csv=p=0", "");
    text.lines().filter_map(|line| line.split(',').next()?.parse().ok()).collect()
}

fn tags(file: &Path) -> String {
    let entries = "stream=pix_fmt,sample_aspect_ratio,color_range,color_space,color_transfer,color_primaries:\
        stream_side_data=rotation:chapter=start_time,end_time:chapter_tags=title:format_tags=title";
    let before = format!("-select_streams v:0 -show_entries {entries} -show_chapters -of flat");
    let text = said("ffprobe", file, &before, "");
    let mut kept: Vec<&str> =
        text.lines().filter(|line| !line.contains(".id=") && !line.contains("time_base")).collect();
    kept.retain(|line| !line.contains(".start=") && !line.contains(".end="));
    kept.join("\n").replace("yuvj", "yuv")
}

async fn check(name: &str, args: &str, codec: Option<Codec>, out: &str) {
    let folder = tempfile::tempdir().unwrap();
    let video = clip(folder.path(), name, args);
    check_file(folder.path(), &video, codec, out).await;
}

async fn check_file(folder: &Path, video: &Path, codec: Option<Codec>, out: &str) {
    let made = passed(folder, video, codec, out).await.unwrap();
    assert_eq!(pictures(&made), pictures(video));
    assert_eq!(others(&made), others(video));
    assert_eq!(tags(&made), tags(video));
    let (was, is) = (times(video), times(&made));
    assert_eq!(was.len(), is.len());
    assert_eq!(was.len(), pictures(video).len());
    // Matroska counts milliseconds, and has no time before zero: where sound begins earlier, all moves by as much.
    let shift = is[0] - was[0];
    assert!(shift.abs() < 0.05, "{shift}");
    let same = was.iter().zip(&is).all(|(was, is)| (was - is + shift).abs() < 0.0021);
    assert!(same, "{was:?}\n{is:?}");
}

const SOUND: &str = "-f lavfi -i sine=440:d=1 -c:a aac";
const COLOURS: &str =
    "-color_range tv -colorspace bt2020nc -color_trc arib-std-b67 -color_primaries bt2020";

#[tokio::test]
async fn every_codec_keeps_pictures_sound_times_and_colours() {
    for (codec, out) in [
        (None, "out.mkv"),
        (Some(Codec::X264), "out.mp4"),
        (Some(Codec::Ffv1), "out.mkv"),
        (Some(Codec::UtVideo), "out.mkv"),
    ] {
        let ut_video = codec == Some(Codec::UtVideo);
        let colours =
            if ut_video { COLOURS.replace("bt2020nc", "bt709") } else { COLOURS.to_owned() };
        let args = format!(
            "-f lavfi -i testsrc2=s=128x96:r=30000/1001:d=0.5 {SOUND} -vf setsar=4/3 -c:v libx264 \
             -pix_fmt yuv420p -preset ultrafast {colours} -metadata title=Film"
        );
        check("a.mp4", &args, codec, out).await;
    }
}

#[tokio::test]
async fn ten_bits_full_range_and_every_chroma_come_through() {
    for (format, more) in [
        ("yuv420p10le", COLOURS),
        ("yuv422p", ""),
        ("yuv422p10le", ""),
        ("yuv444p", "-color_range pc"),
        ("yuv444p10le", ""),
    ] {
        let args = format!(
            "-f lavfi -i testsrc2=s=96x64:d=0.2 -c:v libx264 -preset ultrafast -pix_fmt {format} {more}"
        );
        check("a.mkv", &args, None, "out.mkv").await;
        check("a.mkv", &args, Some(Codec::Ffv1), "out.mkv").await;
    }
    let full = "-f lavfi -i testsrc2=s=96x64:d=0.2 -c:v mjpeg -pix_fmt yuvj420p";
    check("a.mov", full, None, "out.mov").await;
}

#[tokio::test]
async fn odd_sizes_go_into_ffv1() {
    let args =
        "-f lavfi -i testsrc2=s=97x65:d=0.2,format=yuv444p,crop=97:65,format=yuv420p -c:v ffv1";
    check("a.mkv", args, None, "out.mkv").await;
    check("a.mkv", args, None, "out.mov").await;
}

#[tokio::test]
async fn frames_that_come_when_they_like_keep_their_times() {
    let args =
        "-f lavfi -i testsrc2=s=96x64:r=30:d=2 -vf select=mod(n\\,3) -fps_mode vfr -c:v libx264";
    check("a.mkv", args, None, "out.mkv").await;
    check("a.mp4", args, None, "out.mp4").await;
}

#[tokio::test]
async fn a_picture_that_is_to_be_turned_stays_so_where_the_container_can_say_it() {
    let folder = tempfile::tempdir().unwrap();
    let args = "-f lavfi -i testsrc2=s=96x64:d=0.2 -c:v libx264 -pix_fmt yuv420p";
    let upright = clip(folder.path(), "a.mp4", args);
    let args = format!("-i {} -c copy -metadata:s:v:0 rotate=90", upright.display());
    let turned = clip(folder.path(), "b.mp4", &args);
    assert!(tags(&turned).contains("rotation="), "{}", tags(&turned));
    for out in ["out.mp4", "out.mov"] {
        check_file(folder.path(), &turned, None, out).await;
    }
    let refused = passed(folder.path(), &turned, None, "out.mkv").await;
    assert!(
        matches!(refused, Err(Error::Refused(Refusal::Carrier(why))) if why.contains("Matroska"))
    );
}

#[tokio::test]
async fn subtitles_attachments_and_chapters_come_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("s.srt"), "1\n00:00:00,100 --> 00:00:00,400\nhello\n").unwrap();
    let chapters =
        ";FFMETADATA1\ntitle=Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n";
    std::fs::write(path("c.txt"), chapters).unwrap();
    let args = format!(
        "-f lavfi -i testsrc2=s=96x64:d=0.5 -i {} -i {} -map 0 -map 1 -map_metadata 2 -map_chapters 2 \
         -c:v libx264 -c:s subrip -metadata:s:s:0 language=fra -attach {} -metadata:s:t mimetype=text/plain",
        path("s.srt").display(),
        path("c.txt").display(),
        path("c.txt").display(),
    );
    let video = clip(folder.path(), "a.mkv", &args);
    check_file(folder.path(), &video, None, "out.mkv").await;
    let streams =
        said("ffprobe", &path("out.mkv"), "-show_entries stream=codec_type -of csv=p=0", "");
    assert_eq!(streams.split_whitespace().collect::<Vec<_>>(), ["video", "subtitle", "attachment"]);
}

#[tokio::test]
async fn what_cannot_carry_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let check = async |name: &str, args: &str, codec, out: &str, reason: &str| {
        let video = clip(folder.path(), name, args);
        let refused = passed(folder.path(), &video, codec, out).await;
        let Err(Error::Refused(Refusal::Carrier(why))) = refused else { panic!("{refused:?}") };
        assert!(why.contains(reason), "{why}");
    };
    let picture = "-f lavfi -i testsrc2=s=96x64:d=0.2";
    let ten = format!("{picture} -c:v ffv1 -pix_fmt yuv420p10le");
    check("rgb.mkv", &format!("{picture} -c:v ffv1 -pix_fmt bgr0"), None, "o.mkv", "bgr0").await;
    check("s.mka", "-f lavfi -i sine=d=1 -c:a flac", None, "o.mkv", "no picture").await;
    check("10.mkv", &ten, Some(Codec::UtVideo), "o.mkv", "8 bits").await;
    let full = format!("{picture} -c:v mjpeg -pix_fmt yuvj420p");
    check("full.mov", &full, Some(Codec::Ffv1), "o.mov", "full range").await;
    let wide = format!("{picture} -c:v ffv1 -pix_fmt yuv420p {COLOURS}");
    check("wide.mkv", &wide, Some(Codec::UtVideo), "o.mkv", "BT.709").await;
    check("10.mkv", &ten, Some(Codec::Ffv1), "o.mp4", "MP4").await;
    let odd =
        "-f lavfi -i testsrc2=s=97x65:d=0.2,format=yuv444p,crop=97:65,format=yuv420p -c:v ffv1";
    check("odd.mkv", odd, Some(Codec::X264), "o.mkv", "odd").await;
}

#[tokio::test]
async fn what_an_output_cannot_hold_is_told_and_both_processes_end() {
    let folder = tempfile::tempdir().unwrap();
    let args =
        "-f lavfi -i testsrc2=s=96x64:d=0.2 -f lavfi -i sine=d=1 -c:v libx264 -c:a pcm_s24le";
    let video = clip(folder.path(), "a.mkv", args);
    let refused = {
        let (launcher, tools) = (launcher(), tools().await);
        let carrier = Carrier::inspect(&launcher, &tools, &video).await.unwrap();
        let out = folder.path().join("out.mp4");
        std::fs::write(&out, "").unwrap();
        let encoding = Encoding::new(&carrier, None, Container::Mp4).unwrap();
        let mut run = Recoding::start(&launcher, &tools, &carrier, encoding, &out).await.unwrap();
        let (mut from, mut to) = run.take_ends().unwrap();
        // The pipe breaks with the encoder.
        let copied = tokio::task::spawn_blocking(move || std::io::copy(&mut from, &mut to));
        let _ = copied.await.unwrap();
        run.finish().await.unwrap_err()
    };
    assert!(refused.to_string().starts_with("encoding failed"), "{refused}");
    assert!(refused.hint().unwrap().contains(".mkv"));
}

#[tokio::test]
async fn a_stream_taken_apart_is_the_stream_and_a_damaged_one_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let args = "-f lavfi -i testsrc2=s=32x32:d=0.2 -c:v rawvideo -pix_fmt yuv420p -f nut";
    let stream = std::fs::read(clip(folder.path(), "a.nut", args)).unwrap();
    let taken = |bytes: &[u8]| {
        let mut frames = Frames::new(bytes);
        let (mut whole, mut count) = (Vec::new(), 0);
        while let Some(piece) = frames.next(Vec::new())? {
            whole.extend(piece.header);
            count += usize::from(piece.frame.is_some());
            whole.extend(piece.frame.unwrap_or_default());
        }
        Ok::<_, std::io::Error>((whole, count))
    };
    assert_eq!(taken(&stream).unwrap(), (stream.clone(), 5));
    for end in (0..stream.len()).step_by(7) {
        if let Ok((whole, _)) = taken(&stream[..end]) {
            assert_eq!(whole, stream[..end]);
        }
    }
    for at in 0..600.min(stream.len()) {
        let mut changed = stream.clone();
        changed[at] ^= 0x55;
        let _ = taken(&changed);
    }
    assert!(taken(b"RIFF and so on, which is something else").is_err());
}

#[tokio::test]
async fn a_decoding_that_is_dropped_ends_its_stream() {
    let folder = tempfile::tempdir().unwrap();
    let args =
        "-f lavfi -i testsrc2=s=640x480:d=20 -c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    let video = clip(folder.path(), "a.mp4", args);
    let (launcher, tools) = (launcher(), tools().await);
    let carrier = Carrier::inspect(&launcher, &tools, &video).await.unwrap();
    let mut run = Decoding::start(&launcher, &tools, &carrier).await.unwrap();
    let mut from = run.take_frames().unwrap();
    let read = tokio::task::spawn_blocking(move || std::io::copy(&mut from, &mut std::io::sink()));
    drop(run);
    let bytes = read.await.unwrap().unwrap();
    assert!(bytes < carrier.packet_count * carrier.frame_bytes());
}
