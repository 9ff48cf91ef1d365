//! The arguments of the two FFmpegs between which frames pass through us.
//!
//! Owns: what is decoded and how, what is encoded, and what else of the source comes along. Refuses to know: processes and pipes.
//! Invariant: a picture that comes out has the times, the shape and the colours that the source's has, and but for [`Codec::H264`] is to the last
//! bit the picture that went in.

use std::ffi::OsString;
use std::path::Path;

use crate::carrier::Carrier;
use crate::child::file_url;
use crate::error::Refusal;
use crate::probe::{PROBE_ARGS, guard_args};

/// What a file may be larger than its raw frames: everything else of the source comes on top.
const ROOM_BYTES: u64 = 64 << 20;

/// How a picture is encoded; all of them but one keep every bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Codec {
    /// H.264, High 4:4:4 Predictive, without loss.
    X264,
    /// FFV1, version 3, as archives keep it.
    Ffv1,
    /// Ut Video, the quickest; 8 bits alone.
    UtVideo,
    /// H.264 as everything plays it, 8 bits and 4:2:0, with little loss.
    H264,
}

/// The file around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Container {
    /// Matroska.
    Matroska,
    /// MP4.
    Mp4,
    /// `QuickTime`.
    Mov,
}

/// A codec in a container that takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    codec: Codec,
    container: Container,
}

impl Encoding {
    /// Checks that the codec takes the carrier's picture, and the container both. Without a codec it is H.264, or FFV1 for sizes that x264
    /// doesn't take.
    ///
    /// # Errors
    /// [`Refusal::Carrier`].
    pub fn new(
        carrier: &Carrier,
        codec: Option<Codec>,
        container: Container,
    ) -> Result<Self, Refusal> {
        let no = |why: &str| Err(Refusal::Carrier(why.to_owned()));
        let odd = carrier.has_half_chroma();
        let codec = codec.unwrap_or(if odd { Codec::Ffv1 } else { Codec::X264 });
        if codec != Codec::Ffv1 && odd {
            return no("its width or height is odd, and only FFV1 takes half a sample of colour");
        }
        if codec == Codec::H264 && (carrier.width % 2 + carrier.height % 2) > 0 {
            return no(
                "its width or height is odd, which H.264 that plays everywhere doesn't take",
            );
        }
        if codec == Codec::UtVideo && carrier.depth != 8 {
            return no("Ut Video takes 8 bits a sample, and it has 10");
        }
        // Its own header says one of these two, whatever else is said; players guess BT.601 for small pictures.
        let matrix = carrier.tags.matrix.unwrap_or(if carrier.height < 720 { 6 } else { 1 });
        let guessed = carrier.tags.matrix.is_none() && matrix == 1;
        if codec == Codec::UtVideo && (guessed || ![1, 5, 6].contains(&matrix)) {
            return no(
                "Ut Video can say that colours are BT.601 or BT.709, and its are not said to be",
            );
        }
        let h264 = matches!(codec, Codec::X264 | Codec::H264);
        if !h264 && container == Container::Mp4 {
            return no(
                "MP4 takes no FFV1 and no Ut Video: name an output that ends in .mkv or .mov",
            );
        }
        if !h264 && container == Container::Mov && !carrier.limited {
            return no(
                "its levels have the full range, and with this codec only Matroska says so: name an output that ends in .mkv",
            );
        }
        if carrier.is_turned() && container == Container::Matroska {
            return no("it is to be turned when it is shown, and FFmpeg 5.1 can't say so in \
                       Matroska: name an output that ends in .mp4 or .mov");
        }
        Ok(Self { codec, container })
    }

    /// The file around the picture.
    #[must_use]
    pub fn container(self) -> Container {
        self.container
    }
}

impl Container {
    /// The container that a file's name asks for by its end.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "mkv" => Some(Self::Matroska),
            "mp4" | "m4v" => Some(Self::Mp4),
            "mov" => Some(Self::Mov),
            _ => None,
        }
    }

    fn muxer(self) -> &'static str {
        match self {
            Self::Matroska => "matroska",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
        }
    }
}

impl Codec {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::X264 => &["libx264", "-qp", "0", "-preset", "ultrafast"],
            Self::Ffv1 => &["ffv1", "-level", "3", "-slices", "16", "-g", "1"],
            Self::UtVideo => &["utvideo"],
            Self::H264 => &["libx264", "-preset", "veryfast", "-crf", "18"],
        }
    }

    /// The pixel format that it takes of frames in this one. The `j` of FFmpeg's old names stands for the full range. Bare frames have lost it,
    /// and asking for it would convert them; the tag says it.
    fn pixel_format(self, of: &str) -> String {
        match self {
            Self::H264 => "yuv420p".to_owned(),
            _ => of.replace("yuvj", "yuv"),
        }
    }
}

/// The most bytes that the output may have: nothing lossless is larger than twice its raw frames.
pub(crate) fn bytes_max(carrier: &Carrier) -> u64 {
    let frames = carrier.frame_bytes.saturating_mul(carrier.packet_count);
    frames.saturating_mul(2).saturating_add(carrier.size_bytes).saturating_add(ROOM_BYTES)
}

fn start() -> Vec<OsString> {
    let quiet = ["-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", "level+error"];
    quiet.iter().map(OsString::from).collect()
}

/// `-i` and the carrier, with its own times.
fn source(carrier: &Carrier) -> Vec<OsString> {
    let mut args: Vec<OsString> = guard_args().iter().map(OsString::from).collect();
    args.extend(PROBE_ARGS.iter().map(OsString::from));
    args.extend(["-copyts", "-noautorotate", "-i"].map(OsString::from));
    args.push(file_url(&carrier.path));
    args
}

/// Bare frames, one for each that is decoded, at its own time in the source's own clock.
pub(crate) fn decoder_arguments(carrier: &Carrier, url: &str) -> Vec<OsString> {
    let mut args = start();
    args.extend(source(carrier));
    let output = [
        "-map",
        &format!("0:{}", carrier.index),
        "-c:v",
        "rawvideo",
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "-1",
        "-f",
        "nut",
        url,
    ];
    args.extend(output.map(OsString::from));
    args
}

/// The frames that come by `url`, and all else that the carrier has, as it is.
pub(crate) fn encoder_arguments(
    carrier: &Carrier,
    encoding: Encoding,
    url: &str,
    out: &Path,
) -> Vec<OsString> {
    let mut args = start();
    args.extend(guard_args().iter().map(OsString::from));
    args.extend(["-copyts", "-f", "nut", "-i", url].map(OsString::from));
    args.extend(source(carrier));
    // Streams bring their own metadata, the picture's through NUT; the file's and the chapters are the source's.
    let rest = [
        "-map",
        "0:v:0",
        "-map",
        "1:a?",
        "-map",
        "1:s?",
        "-map",
        "1:t?",
        "-map_metadata",
        "1",
        "-map_chapters",
        "1",
        "-c",
        "copy",
        "-c:v:0",
    ];
    args.extend(rest.map(OsString::from));
    args.extend(encoding.codec.arguments().iter().map(OsString::from));
    let pixel_format = encoding.codec.pixel_format(carrier.pixel_format);
    args.extend(["-pix_fmt", &pixel_format].map(OsString::from));
    for (name, value) in tags(carrier) {
        args.extend([OsString::from(name), value.to_string().into()]);
    }
    let shape = ["-fps_mode", "passthrough", "-enc_time_base", "-1", "-copytb", "1"];
    args.extend(shape.map(OsString::from));
    args.extend(["-f", encoding.container.muxer()].map(OsString::from));
    args.push(file_url(out));
    args
}

fn tags(carrier: &Carrier) -> impl Iterator<Item = (&'static str, u8)> {
    let tags = carrier.tags;
    let all = [
        ("-color_range:v:0", tags.range),
        ("-color_primaries:v:0", tags.primaries),
        ("-color_trc:v:0", tags.transfer),
        ("-colorspace:v:0", tags.matrix),
        ("-chroma_sample_location:v:0", tags.chroma_place),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?)))
}
