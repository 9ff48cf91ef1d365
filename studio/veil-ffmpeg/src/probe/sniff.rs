//! Tells by its first bytes what a file claims to be, so that a refusal names the true reason.
//!
//! Owns: a few signatures. Refuses to know: streams. FFmpeg decides what a file is; this only
//! chooses the words, and turns lists of other files away before FFmpeg sees them.

use crate::error::Refusal;

/// How much of a file is looked at.
pub(super) const HEAD_BYTES: u64 = 1024;

/// What a file claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// A container of media.
    Media,
    /// Anything.
    Unknown,
}

/// Looks at the first bytes of a file.
pub(super) fn sniff(head: &[u8]) -> Result<Claim, Refusal> {
    if head.is_empty() {
        return Err(Refusal::Empty);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let starts = |prefix: &[u8]| {
        text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let contains = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    if starts(b"#EXTM3U") {
        return Err(Refusal::Playlist("HLS or M3U playlist"));
    }
    if starts(b"ffconcat") {
        return Err(Refusal::Playlist("concatenation list"));
    }
    if starts(b"[playlist]") || starts(b"[reference]") {
        return Err(Refusal::Playlist("playlist"));
    }
    if starts(b"<") && (contains(b"<MPD") || contains(b"<SmoothStreamingMedia")) {
        return Err(Refusal::Playlist("streaming manifest"));
    }
    let media = matches!(head.get(4..8), Some(b"ftyp" | b"moov" | b"mdat" | b"wide" | b"free"))
        || head.starts_with(b"\x1a\x45\xdf\xa3")
        || (head.starts_with(b"RIFF") && matches!(head.get(8..12), Some(b"AVI " | b"WAVE")))
        || head.starts_with(b"OggS")
        || head.starts_with(b"FLV")
        || head.starts_with(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")
        || (head.first() == Some(&0x47) && head.get(188) == Some(&0x47));
    Ok(if media { Claim::Media } else { Claim::Unknown })
}

/// Says why ffprobe could not open a file, from what it wrote.
pub(super) fn explain(claim: Claim, stderr: &str) -> Refusal {
    let last = stderr.lines().last().unwrap_or_default();
    if stderr.contains("not on whitelist") {
        let name = stderr.split(']').next().unwrap_or_default().trim_start_matches('[');
        return Refusal::NotMedia(format!("FFmpeg takes it for `{name}`, which is not supported"));
    }
    match claim {
        Claim::Media if stderr.contains("moov atom not found") => {
            Refusal::Damaged("its index (`moov`) is missing or broken".to_owned())
        }
        Claim::Media => Refusal::Damaged(reason(last)),
        Claim::Unknown => Refusal::NotMedia("FFmpeg recognises no format in it".to_owned()),
    }
}

/// The size of a picture that FFmpeg would not even look at, as width and height.
pub(super) fn impossible_size(stderr: &str) -> Option<(u32, u32)> {
    let (_, claim) = stderr.split_once("Picture size ")?;
    let (width, height) = claim.split_once(" is invalid")?.0.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// FFmpeg's last words without the file's name before them.
fn reason(line: &str) -> String {
    line.rsplit_once(": ").map_or(line, |(_, reason)| reason).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_other_files_are_turned_away() {
        for list in [
            "#EXTM3U\n/etc/passwd",
            "\u{feff}#extm3u\n",
            "  ffconcat version 1.0\nfile /etc/passwd",
            "[playlist]\nFile1=http://x",
            "<?xml version=\"1.0\"?>\n<MPD xmlns=\"\">",
        ] {
            assert!(matches!(sniff(list.as_bytes()), Err(Refusal::Playlist(_))), "{list}");
        }
        assert_eq!(sniff(b""), Err(Refusal::Empty));
        assert_eq!(sniff(b"hello"), Ok(Claim::Unknown));
        assert_eq!(sniff(b"\0\0\0\x20ftypisom"), Ok(Claim::Media));
    }

    #[test]
    fn a_file_that_claims_to_be_media_is_damaged_and_any_other_is_not_media() {
        let stderr = "[matroska,webm] EBML header parsing failed\n/a: b.mkv: Invalid data found";
        let damaged = Refusal::Damaged("invalid data found".to_owned());
        assert_eq!(explain(Claim::Media, stderr), damaged);
        assert!(matches!(explain(Claim::Unknown, stderr), Refusal::NotMedia(_)));
        let no_index = explain(Claim::Media, "[mov,mp4] moov atom not found");
        assert!(no_index.to_string().contains("index"), "{no_index}");
        let listed = "[srt] Format not on whitelist 'mov'\nx: Invalid argument";
        assert!(explain(Claim::Unknown, listed).to_string().contains("`srt`"));
    }
}
