//! What the tests share: the tools, the samples, clips of their own, and a run read to its end.

use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::io::AsyncReadExt as _;
use tokio::sync::OnceCell;
use veil_ffmpeg::{
    Error, LadderRequest, Launcher, Packaging, Plan, Role, SourceInfo, Summary, Tools,
};
use veil_hls::cmaf::{Piece, SEGMENT_TARGET_US, Splitter, TrackInfo};

/// The launcher with this crate's own helper.
pub(crate) fn launcher() -> Launcher {
    Launcher { helper: env!("CARGO_BIN_EXE_veil-sandbox").into(), ..Launcher::default() }
}

/// The machine's FFmpeg.
pub(crate) async fn tools() -> Tools {
    static TOOLS: OnceCell<Tools> = OnceCell::const_new();
    let path = std::env::var_os("PATH").unwrap();
    let find = async || Tools::find(&launcher(), &path, None).await.unwrap();
    TOOLS.get_or_init(find).await.clone()
}

/// The folder of sample videos, where there is one.
pub(crate) fn samples() -> Option<PathBuf> {
    Some(veil_testkit::samples()?.join("media")).filter(|folder| folder.is_dir())
}

/// Makes a clip with FFmpeg; `args` are everything between the global flags and the output.
pub(crate) fn clip(folder: &Path, name: &str, args: &str) -> PathBuf {
    let path = folder.join(name);
    let status = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
        .args(args.split_whitespace())
        .arg({
            let mut url = std::ffi::OsString::from("file:");
            url.push(&path);
            url
        })
        .status()
        .unwrap();
    assert!(status.success(), "cannot make {name}");
    path
}

/// A short clip with picture and sound.
pub(crate) const PLAIN: &str = "-f lavfi -i testsrc2=s=320x240:r=25:d=3 -f lavfi -i sine=440:d=3 \
    -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -shortest";

/// A rendition as the splitter cut it.
#[derive(Debug)]
pub(crate) struct Rendition {
    pub(crate) info: TrackInfo,
    pub(crate) bytes: Vec<u8>,
    pub(crate) durations_us: Vec<u64>,
}

impl Rendition {
    pub(crate) fn duration_us(&self) -> u64 {
        self.durations_us.iter().sum()
    }
}

/// All that a run made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) video: Vec<Rendition>,
    pub(crate) audio: Vec<Rendition>,
    pub(crate) sheets: Vec<Vec<u8>>,
    pub(crate) summary: Summary,
}

enum Product {
    Rendition(Role, Option<Rendition>),
    Sheets(Vec<Vec<u8>>),
}

/// Packages `source` and reads every output to its end.
pub(crate) async fn package(source: &SourceInfo, ladder: &str) -> Result<Made, Error> {
    let (launcher, tools) = (launcher(), tools().await);
    let request: LadderRequest = ladder.parse()?;
    let plan = Plan::new(source, &request, &tools, 2)?;
    let mut packaging = Packaging::start(&launcher, &tools, source, &plan).await?;
    let tasks: Vec<_> = packaging
        .take_outputs()
        .into_iter()
        .map(|mut output| {
            tokio::spawn(async move {
                match output.role {
                    Role::Storyboard => {
                        let mut reader = veil_ffmpeg::storyboard::Sheets::new(&mut output);
                        let mut sheets = Vec::new();
                        while let Some(sheet) = reader.next().await.unwrap() {
                            sheets.push(sheet);
                        }
                        Product::Sheets(sheets)
                    }
                    role => Product::Rendition(role, split(&mut output).await),
                }
            })
        })
        .collect();
    let summary = packaging.finish().await?;
    let mut made = Made { video: vec![], audio: vec![], sheets: vec![], summary };
    for task in tasks {
        match task.await.unwrap() {
            Product::Sheets(sheets) => made.sheets = sheets,
            Product::Rendition(Role::Video(_), rendition) => made.video.extend(rendition),
            Product::Rendition(_, rendition) => made.audio.extend(rendition),
        }
    }
    Ok(made)
}

async fn split(output: &mut veil_ffmpeg::Output) -> Option<Rendition> {
    let mut splitter = Splitter::new(SEGMENT_TARGET_US);
    let mut pieces = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = output.read(&mut buffer).await.unwrap();
        if count == 0 {
            break;
        }
        splitter.push(&buffer[..count], &mut pieces).unwrap();
    }
    pieces.push(splitter.finish().ok()?);
    let mut pieces = pieces.into_iter();
    let Some(Piece::Init { mut bytes, info }) = pieces.next() else { panic!("no init segment") };
    let mut durations_us = Vec::new();
    for piece in pieces {
        let Piece::Segment { bytes: segment, duration_us, .. } = piece else { panic!("two inits") };
        bytes.extend(segment);
        durations_us.push(duration_us);
    }
    Some(Rendition { info, bytes, durations_us })
}

/// What an independent reading of a rendition says.
#[derive(Debug)]
pub(crate) struct Read {
    /// Pictures, or sound packets.
    pub(crate) frames: u64,
    /// Times of the pictures that can be decoded alone. FFmpeg 5.1 reads all times of a track with
    /// negative composition offsets later by the largest of them; browsers do not.
    pub(crate) keyframes: Vec<f64>,
}

/// Decodes a rendition with FFmpeg, strictly, and lists its frames with ffprobe.
pub(crate) fn read_back(folder: &Path, rendition: &Rendition) -> Read {
    let path = folder.join("rendition.mp4");
    std::fs::write(&path, &rendition.bytes).unwrap();
    let decode = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-xerror", "-i"])
        .arg(&path)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&decode.stderr);
    assert!(decode.status.success() && stderr.is_empty(), "does not decode: {stderr}");
    let frames = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "frame=pts_time,key_frame", "-of", "csv=p=0"])
        .arg(&path)
        .output()
        .unwrap();
    let mut read = Read { frames: 0, keyframes: Vec::new() };
    for line in String::from_utf8_lossy(&frames.stdout).lines() {
        let mut fields = line.split(',');
        let key = fields.next() == Some("1");
        let Some(time) = fields.next().and_then(|time| time.parse::<f64>().ok()) else { continue };
        read.frames += 1;
        if key {
            read.keyframes.push(time);
        }
    }
    read
}

/// The earliest presentation time of the samples of a rendition, from its boxes alone, in timescale
/// units; before any edit list.
pub(crate) fn earliest(rendition: &Rendition) -> i64 {
    let word = |at: usize| u32::from_be_bytes(rendition.bytes[at..at + 4].try_into().unwrap());
    let places = |kind: &'static [u8]| {
        let found = rendition.bytes.windows(4).enumerate().filter(move |(_, four)| *four == kind);
        found.map(|(at, _)| at + 4)
    };
    let mut earliest = i64::MAX;
    for (tfhd, (tfdt, trun)) in places(b"tfhd").zip(places(b"tfdt").zip(places(b"trun"))) {
        let mut time = i64::from(word(tfdt + 4)) << 32 | i64::from(word(tfdt + 8));
        let description = usize::from(word(tfhd) & 2 != 0) * 4;
        let default_duration = word(tfhd + 8 + description);
        let flags = word(trun);
        let field = |bit: u32| usize::from(flags & bit != 0) * 4;
        let mut at = trun + 8 + field(1) + field(4);
        for _ in 0..word(trun + 4) {
            let duration = if flags & 0x100 != 0 { word(at) } else { default_duration };
            let offset_at = at + field(0x100) + field(0x200) + field(0x400);
            let offset = if flags & 0x800 != 0 { word(offset_at).cast_signed() } else { 0 };
            earliest = earliest.min(time + i64::from(offset));
            time += i64::from(duration);
            at = offset_at + field(0x800);
        }
    }
    earliest
}
