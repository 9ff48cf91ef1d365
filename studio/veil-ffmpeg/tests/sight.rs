//! Small luma pictures of real files.

use std::io::Read as _;
use std::path::Path;

use veil_ffmpeg::sight::{self, PICTURE_BYTES, Part, View};
use veil_ffmpeg::{Error, Refusal, probe};

use crate::support::{clip, launcher, tools};

const GRAY: &str = "-c:v libx264 -qp 0 -preset ultrafast -pix_fmt yuv420p";

async fn pictures(path: &Path, view: View) -> Vec<Vec<u8>> {
    let (launcher, tools) = (launcher(), tools().await);
    let source = probe(&launcher, &tools, path).await.unwrap();
    let mut decoding = sight::start(&launcher, &tools, &source, view).await.unwrap();
    let mut end = decoding.take_frames().unwrap();
    let bytes = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        end.read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = bytes.await.unwrap().unwrap();
    decoding.finish().await.unwrap();
    assert_eq!(bytes.len() % PICTURE_BYTES, 0);
    bytes.chunks(PICTURE_BYTES).map(<[u8]>::to_vec).collect()
}

#[tokio::test]
async fn pictures_are_ten_a_second_whatever_the_rate() {
    let folder = tempfile::tempdir().unwrap();
    for rate in ["25", "15", "60000/1001"] {
        let args = format!("-f lavfi -i testsrc2=s=320x240:r={rate}:d=3 {GRAY}");
        let path = clip(folder.path(), "a.mp4", &args);
        let count = pictures(&path, View::default()).await.len();
        assert!((29..=31).contains(&count), "{count} pictures at {rate}");
    }
    // Two frames of an unsteady video stand for all of its time.
    let args = format!(
        "-f lavfi -i testsrc2=s=320x240:r=1:d=4 -vf select='not(eq(n,1))' -vsync vfr {GRAY}"
    );
    let path = clip(folder.path(), "b.mkv", &args);
    let count = pictures(&path, View::default()).await.len();
    assert!((30..=41).contains(&count), "{count}");
}

#[tokio::test]
async fn levels_are_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, more) in [("tv", "-color_range tv"), ("pc", "-color_range pc"), ("no", "")] {
        let args = format!(
            "-f lavfi -i color=c=black:s=320x240:r=10:d=1,geq=lum=40:cb=128:cr=128 {GRAY} {more}"
        );
        let path = clip(folder.path(), &format!("{name}.mkv"), &args);
        let seen = pictures(&path, View::default()).await;
        // Stretched to the full range it would be 28, narrowed to the limited one 50; the scaler rounds down.
        assert!(seen[0].iter().all(|one| (37..=40).contains(one)), "{name}: {:?}", &seen[0][..300]);
    }
}

#[tokio::test]
async fn a_part_and_a_piece_are_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    // The picture is white between bars of black, and its right half goes dark after two seconds.
    let args = format!(
        "-f lavfi -i color=c=white:s=320x200:r=10:d=4,drawbox=x=160:w=160:h=200:color=black:t=fill:enable='gte(t\\,2)',pad=320:400:0:100 {GRAY}"
    );
    let path = clip(folder.path(), "a.mp4", &args);
    let all = pictures(&path, View::default()).await;
    let is_black = |level: u8| level < 20;
    let is_white = |level: u8| level > 228;
    assert!(is_black(all[0][0]) && is_white(all[0][80 * 256 + 10]));
    let part = Some(Part { x: 0.0, y: 0.25, width: 1.0, height: 0.5 });
    let cut = pictures(&path, View { part, ..View::default() }).await;
    assert!(cut[0].iter().all(|one| is_white(*one)));
    let late = View { from_us: 2_500_000, length_us: Some(1_000_000), part };
    let piece = pictures(&path, late).await;
    assert!((9..=11).contains(&piece.len()), "{}", piece.len());
    assert!(is_white(piece[0][0]) && is_black(piece[0][255]));
}

#[tokio::test]
async fn sound_alone_has_no_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "a.flac", "-f lavfi -i sine=440:d=1 -c:a flac");
    let (launcher, tools) = (launcher(), tools().await);
    let source = probe(&launcher, &tools, &path).await.unwrap();
    let refused = sight::start(&launcher, &tools, &source, View::default()).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::NoPicture)), "{refused}");
}

#[tokio::test]
async fn a_still_fits_its_side() {
    let folder = tempfile::tempdir().unwrap();
    let args = format!("-f lavfi -i testsrc2=s=640x360:r=25:d=3 {GRAY}");
    let path = clip(folder.path(), "a.mp4", &args);
    let (launcher, tools) = (launcher(), tools().await);
    let source = probe(&launcher, &tools, &path).await.unwrap();
    let still = sight::still(&launcher, &tools, &source, 1_500_000, 320).await.unwrap().unwrap();
    assert!(still.starts_with(b"RIFF") && still.len() > 1000);
    let none = sight::still(&launcher, &tools, &source, 90_000_000, 320).await.unwrap();
    assert_eq!(none, None);
}
