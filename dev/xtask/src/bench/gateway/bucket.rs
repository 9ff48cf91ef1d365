//! A bucket of many titles, as `docs/format/bucket.md` lays one out: grants, multivariant and media playlists.
//!
//! Its content depends on nothing but the numbers below, so it is kept from run to run. Segments are not in it: nobody
//! fetches them here, and the gateway signs names without looking.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::console::note;
use crate::failure::{During, Outcome};
use crate::repo::Repo;

/// Titles in the bucket; each has one grant.
pub(super) const TITLE_COUNT: u32 = 10_000;

/// Segments of each title's media playlist: five minutes.
const SEGMENT_COUNT: u32 = 150;

/// Segments of the title that is asked for again and again: 20 minutes, the playlist that `sign` measures.
const HOT_SEGMENT_COUNT: u32 = 600;

/// The title that is asked for again and again.
const HOT: u32 = 0;

/// The bearer of every grant: 32 bytes of 1, in base64url.
pub(super) const BEARER: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
const BEARER_SHA256: &str = "72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793";

/// Written last, so that a bucket without it is written anew.
const COMPLETE: &str = "complete";

/// Returns the bucket's folder, and writes the bucket where it isn't there.
pub(super) fn written(repo: &Repo) -> Outcome<PathBuf> {
    let dir = repo.target.join("bench").join("gateway-bucket");
    let shape = format!("{TITLE_COUNT} {SEGMENT_COUNT} {HOT_SEGMENT_COUNT}\n");
    if fs::read_to_string(dir.join(COMPLETE)).is_ok_and(|found| found == shape) {
        return Ok(dir);
    }
    note(format_args!("writing a bucket of {TITLE_COUNT} titles"));
    let during = format!("writing {}", dir.display());
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(dir.join("g")).during(&during)?;
    for number in 0..TITLE_COUNT {
        write_title(&dir, number).during(&during)?;
    }
    fs::write(dir.join(COMPLETE), shape).during(&during)?;
    Ok(dir)
}

/// The path of the media playlist that is asked for again and again.
pub(super) fn hot_path() -> String {
    format!("/v1/grants/{}/{}", id(HOT), playlist('2', HOT))
}

/// A title's id, and its grant's.
fn id(number: u32) -> String {
    format!("{number:032x}")
}

/// The name of a title's multivariant (`1`) or media (`2`) playlist.
fn playlist(kind: char, number: u32) -> String {
    format!("{kind}{number:031x}.m3u8")
}

fn write_title(dir: &Path, number: u32) -> std::io::Result<()> {
    let (id, index, media) = (id(number), playlist('1', number), playlist('2', number));
    let mut names = Names(u64::from(number));
    let record = json!({
        "v": 1, "id": id, "title": id, "epoch": 1, "state": "active", "kind": "link", "recipient": "bench",
        "bearer_sha256": BEARER_SHA256, "created": "2026-11-20T12:00:00Z", "index": index,
        "preload": [names.next(), names.next()], "envelope": "ZW52ZWxvcGU".repeat(150)
    });
    fs::write(dir.join("g").join(&id), record.to_string())?;
    let title = dir.join("t").join(&id);
    fs::create_dir_all(&title)?;
    fs::write(
        title.join(index),
        format!(
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n\
             #EXT-X-STREAM-INF:BANDWIDTH=2500000,CODECS=\"avc1.64001f,mp4a.40.2\"\n{media}\n"
        ),
    )?;
    let count = if number == HOT { HOT_SEGMENT_COUNT } else { SEGMENT_COUNT };
    let mut text = String::from(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n",
    );
    let _ = writeln!(text, "#EXT-X-MAP:URI=\"{}\"", names.next());
    for _ in 0..count {
        let _ = write!(text, "#EXTINF:2.000000,\n{}\n", names.next());
    }
    text.push_str("#EXT-X-ENDLIST\n");
    fs::write(title.join(media), text)
}

/// Names that look drawn by lot, since how well a playlist compresses depends on it, and are the same in every run (`SplitMix64`).
struct Names(u64);

impl Names {
    fn next(&mut self) -> String {
        format!("{:016x}{:016x}", self.draw(), self.draw())
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_has_a_grant_and_playlists_whose_names_differ() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("g")).unwrap();
        for number in [HOT, 7] {
            write_title(dir.path(), number).unwrap();
        }
        let read = |path: String| fs::read_to_string(dir.path().join(path)).unwrap();
        assert!(read(format!("g/{}", id(7))).contains(&playlist('1', 7)));
        let media = |number| read(format!("t/{}/{}", id(number), playlist('2', number)));
        assert_eq!(media(7).matches("#EXTINF").count(), 150);
        let hot = media(HOT);
        let mut names: Vec<&str> = hot.lines().filter(|line| line.len() == 32).collect();
        assert_eq!(names.len(), 600);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 600);
        assert_eq!(hot_path(), format!("/v1/grants/{}/{}", id(HOT), playlist('2', HOT)));
    }
}
