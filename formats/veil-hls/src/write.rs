//! Writes the playlists of a title.
//!
//! Specification: `docs/format/bucket.md` (Playlists) and RFC 8216bis §4. Text that a viewer reads
//! never comes here: `NAME` is a number, and there is no `LANGUAGE`.

use std::fmt::{self, Write as _};

/// Renditions of sound share this group.
const AUDIO_GROUP: &str = "audio";
/// Renditions of subtitles share this group.
const SUBTITLES_GROUP: &str = "subtitles";

/// A media segment in a playlist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentLine<'a> {
    /// Its URI, relative to the playlist.
    pub uri: &'a str,
    /// Its duration in microseconds.
    pub duration_us: u64,
}

/// Bytes of the resource that a URI names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByteRange {
    /// Their count.
    pub length_bytes: u64,
    /// Where they begin, from 0.
    pub offset_bytes: u64,
}

/// A media segment in a playlist whose URIs are all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileSegmentLine {
    /// Where it lies in the resource.
    pub range: ByteRange,
    /// Its duration in microseconds.
    pub duration_us: u64,
}

/// A video rendition in the multivariant playlist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VideoVariant<'a> {
    /// Peak segment bit rate, in bits a second.
    pub bandwidth_bps: u64,
    /// Average bit rate, in bits a second.
    pub average_bandwidth_bps: u64,
    /// RFC 6381 codecs of the picture.
    pub codecs: &'a str,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames in 1,000 seconds.
    pub frame_rate_milli: u32,
    /// URI of its media playlist.
    pub uri: &'a str,
}

/// A sound rendition in the multivariant playlist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AudioRendition<'a> {
    /// The rendition's number, written as its `NAME`.
    pub number: u16,
    /// Peak segment bit rate, in bits a second.
    pub bandwidth_bps: u64,
    /// Average bit rate, in bits a second.
    pub average_bandwidth_bps: u64,
    /// RFC 6381 codecs of the sound.
    pub codecs: &'a str,
    /// Count of channels.
    pub channels: u16,
    /// Whether it plays unless the viewer chooses another.
    pub default: bool,
    /// URI of its media playlist.
    pub uri: &'a str,
}

/// A subtitles rendition in the multivariant playlist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubtitlesRendition<'a> {
    /// The rendition's number, written as its `NAME`.
    pub number: u16,
    /// Whether it shows only what can't be understood without it.
    pub forced: bool,
    /// URI of its media playlist.
    pub uri: &'a str,
}

/// What a multivariant playlist lists.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Multivariant<'a> {
    /// Pictures, lowest first; empty for a title of sound alone.
    pub video: Vec<VideoVariant<'a>>,
    /// Sound; empty for a silent title.
    pub audio: Vec<AudioRendition<'a>>,
    /// Subtitles.
    pub subtitles: Vec<SubtitlesRendition<'a>>,
}

/// Writes a VOD media playlist.
///
/// `map` is the URI of the initialisation segment; WebVTT renditions have none.
#[must_use]
pub fn media_playlist(map: Option<&str>, segments: &[SegmentLine<'_>]) -> String {
    let mut text = media_head(segments.iter().map(|segment| segment.duration_us));
    if let Some(uri) = map {
        line(&mut text, format_args!("#EXT-X-MAP:URI=\"{uri}\""));
    }
    for SegmentLine { uri, duration_us } in segments {
        line(&mut text, format_args!("{}\n{uri}", Extinf(*duration_us)));
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// Writes a VOD media playlist over one resource at `uri`: `map` is where its initialisation segment lies.
///
/// Every range has its offset, so that no line depends on the one before it.
#[must_use]
pub fn file_playlist(uri: &str, map: ByteRange, segments: &[FileSegmentLine]) -> String {
    let mut text = media_head(segments.iter().map(|segment| segment.duration_us));
    line(&mut text, format_args!("#EXT-X-MAP:URI=\"{uri}\",BYTERANGE=\"{map}\""));
    for FileSegmentLine { range, duration_us } in segments {
        let extinf = Extinf(*duration_us);
        line(&mut text, format_args!("{extinf}\n#EXT-X-BYTERANGE:{range}\n{uri}"));
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// What stands before the segments.
pub(crate) fn media_head(durations_us: impl Iterator<Item = u64>) -> String {
    let target = ((durations_us.max().unwrap_or(0) + 500_000) / 1_000_000).max(1);
    format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    )
}

/// The tag with a segment's duration in microseconds.
pub(crate) struct Extinf(pub(crate) u64);

impl fmt::Display for Extinf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#EXTINF:{}.{:06},", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.length_bytes, self.offset_bytes)
    }
}

/// Writes a multivariant playlist.
#[must_use]
pub fn multivariant_playlist(list: &Multivariant<'_>) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for audio in &list.audio {
        line(&mut text, format_args!("{}", audio_line(audio, !list.video.is_empty())));
    }
    for subtitles in &list.subtitles {
        let forced = if subtitles.forced { ",FORCED=YES" } else { "" };
        line(
            &mut text,
            format_args!(
                "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"{SUBTITLES_GROUP}\",NAME=\"{}\",\
                 DEFAULT=NO,AUTOSELECT=NO{forced},URI=\"{}\"",
                subtitles.number, subtitles.uri
            ),
        );
    }
    for video in &list.video {
        line(&mut text, format_args!("{}\n{}", stream_line(list, Some(video)), video.uri));
    }
    if let (true, Some(audio)) = (list.video.is_empty(), default_audio(list)) {
        line(&mut text, format_args!("{}\n{}", stream_line(list, None), audio.uri));
    }
    text
}

/// `with_picture` is whether the sound has its own playlist beside the variants'; in a title of
/// sound alone the default rendition is the variant itself, and has no `URI`.
fn audio_line(audio: &AudioRendition<'_>, with_picture: bool) -> String {
    let default = if audio.default { "YES" } else { "NO" };
    let mut text = format!(
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{AUDIO_GROUP}\",NAME=\"{}\",DEFAULT={default},\
         AUTOSELECT=YES,CHANNELS=\"{}\"",
        audio.number, audio.channels
    );
    if with_picture || !audio.default {
        let _ = write!(text, ",URI=\"{}\"", audio.uri);
    }
    text
}

fn stream_line(list: &Multivariant<'_>, video: Option<&VideoVariant<'_>>) -> String {
    let peak = |value: fn(&AudioRendition<'_>) -> u64| list.audio.iter().map(value).max();
    let mut bandwidth_bps = peak(|audio| audio.bandwidth_bps).unwrap_or(0);
    let mut average_bps = peak(|audio| audio.average_bandwidth_bps).unwrap_or(0);
    let mut codecs: Vec<&str> = Vec::new();
    if let Some(video) = video {
        bandwidth_bps += video.bandwidth_bps;
        average_bps += video.average_bandwidth_bps;
        codecs.push(video.codecs);
    }
    for audio in &list.audio {
        if !codecs.contains(&audio.codecs) {
            codecs.push(audio.codecs);
        }
    }
    let mut text = format!(
        "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth_bps},AVERAGE-BANDWIDTH={average_bps},CODECS=\"{}\"",
        codecs.join(",")
    );
    if let Some(video) = video {
        let (whole, milli) = (video.frame_rate_milli / 1000, video.frame_rate_milli % 1000);
        let (width, height) = (video.width, video.height);
        let _ = write!(text, ",RESOLUTION={width}x{height},FRAME-RATE={whole}.{milli:03}");
    }
    if !list.audio.is_empty() {
        let _ = write!(text, ",AUDIO=\"{AUDIO_GROUP}\"");
    }
    if !list.subtitles.is_empty() {
        let _ = write!(text, ",SUBTITLES=\"{SUBTITLES_GROUP}\"");
    }
    text
}

fn default_audio<'l, 'a>(list: &'l Multivariant<'a>) -> Option<&'l AudioRendition<'a>> {
    list.audio.iter().find(|audio| audio.default).or(list.audio.first())
}

fn line(text: &mut String, content: fmt::Arguments<'_>) {
    let _ = writeln!(text, "{content}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audio(number: u16, default: bool) -> AudioRendition<'static> {
        AudioRendition {
            number,
            bandwidth_bps: 131_000,
            average_bandwidth_bps: 129_000,
            codecs: "mp4a.40.2",
            channels: 2,
            default,
            uri: if default { "a.m3u8" } else { "b.m3u8" },
        }
    }

    #[test]
    fn a_media_playlist_rounds_its_target_duration() {
        let segments = [
            SegmentLine { uri: "aa", duration_us: 2_000_000 },
            SegmentLine { uri: "bb", duration_us: 2_502_667 },
        ];
        assert_eq!(
            media_playlist(Some("ii"), &segments),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:3\n#EXT-X-MEDIA-SEQUENCE:0\n\
             #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"ii\"\n\
             #EXTINF:2.000000,\naa\n#EXTINF:2.502667,\nbb\n#EXT-X-ENDLIST\n"
        );
    }

    #[test]
    fn a_playlist_over_one_resource_names_it_everywhere() {
        let range = |length_bytes, offset_bytes| ByteRange { length_bytes, offset_bytes };
        let segments = [
            FileSegmentLine { range: range(401_679, 884), duration_us: 2_000_000 },
            FileSegmentLine { range: range(73, 402_563), duration_us: 40_000 },
        ];
        assert_eq!(
            file_playlist("ff", range(884, 0), &segments),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n\
             #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n\
             #EXT-X-MAP:URI=\"ff\",BYTERANGE=\"884@0\"\n\
             #EXTINF:2.000000,\n#EXT-X-BYTERANGE:401679@884\nff\n\
             #EXTINF:0.040000,\n#EXT-X-BYTERANGE:73@402563\nff\n#EXT-X-ENDLIST\n"
        );
    }

    #[test]
    fn a_variant_counts_the_highest_sound_in_its_bandwidth() {
        let list = Multivariant {
            video: vec![VideoVariant {
                bandwidth_bps: 2_411_000,
                average_bandwidth_bps: 1_802_000,
                codecs: "avc1.64001f",
                width: 1280,
                height: 720,
                frame_rate_milli: 23_976,
                uri: "v.m3u8",
            }],
            audio: vec![audio(256, true), audio(257, false)],
            subtitles: vec![SubtitlesRendition { number: 512, forced: true, uri: "s.m3u8" }],
        };
        assert_eq!(
            multivariant_playlist(&list),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n\
             #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"256\",DEFAULT=YES,AUTOSELECT=YES,\
             CHANNELS=\"2\",URI=\"a.m3u8\"\n\
             #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"257\",DEFAULT=NO,AUTOSELECT=YES,\
             CHANNELS=\"2\",URI=\"b.m3u8\"\n\
             #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subtitles\",NAME=\"512\",DEFAULT=NO,\
             AUTOSELECT=NO,FORCED=YES,URI=\"s.m3u8\"\n\
             #EXT-X-STREAM-INF:BANDWIDTH=2542000,AVERAGE-BANDWIDTH=1931000,\
             CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=23.976,\
             AUDIO=\"audio\",SUBTITLES=\"subtitles\"\nv.m3u8\n"
        );
    }

    #[test]
    fn sound_alone_is_a_variant_of_its_own() {
        let list = Multivariant { audio: vec![audio(256, true)], ..Multivariant::default() };
        let text = multivariant_playlist(&list);
        assert!(text.ends_with("CODECS=\"mp4a.40.2\",AUDIO=\"audio\"\na.m3u8\n"), "{text}");
        assert!(!text.contains("URI="), "{text}");
    }
}
