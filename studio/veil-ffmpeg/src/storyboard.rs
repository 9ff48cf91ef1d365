//! The storyboard: small pictures for the seek bar, several to a sheet.
//!
//! Owns: the interval, the tiles, and the cut between the WebP images that FFmpeg writes one after
//! another. Refuses to know: who stores them.
//!
//! Invariant: there are at most [`TILES_MAX`] tiles, whatever the length of the video.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::error::Error;

/// Tiles of a sheet, across and down.
const COLUMNS: u32 = 5;
const ROWS: u32 = 5;

/// Width of a tile in pixels.
const TILE_WIDTH: u32 = 160;

/// Tallest tile: of a portrait picture.
const TILE_HEIGHT_MAX: u32 = 320;

/// Shortest time between two tiles.
const INTERVAL_S: u64 = 2;

/// Most tiles: half an hour at the shortest interval, 36 sheets of some 100 KiB.
pub const TILES_MAX: u64 = 900;

/// Assumed where the length is unknown: with 30 s a day has 2880 tiles.
const INTERVAL_UNKNOWN_S: u64 = 30;

/// Largest sheet; 800 × 1600 pixels take some 300 KiB.
const SHEET_BYTES_MAX: u32 = 8 << 20;

/// How the small pictures are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storyboard {
    /// Time between two tiles in microseconds, a whole number of seconds.
    pub interval_us: u64,
    /// Width of a tile in pixels.
    pub tile_width: u32,
    /// Height of a tile in pixels.
    pub tile_height: u32,
    /// Tiles across a sheet.
    pub columns: u32,
    /// Tiles down a sheet.
    pub rows: u32,
}

impl Storyboard {
    /// The layout for a picture of this size and length.
    #[must_use]
    pub fn new(width: u32, height: u32, duration_us: Option<u64>) -> Self {
        let tile_height = (TILE_WIDTH * height).div_ceil(width.max(1)).next_multiple_of(2);
        let seconds = duration_us.map_or(INTERVAL_UNKNOWN_S, |duration_us| {
            duration_us.div_ceil(TILES_MAX * 1_000_000).max(INTERVAL_S)
        });
        Self {
            interval_us: seconds * 1_000_000,
            tile_width: TILE_WIDTH,
            tile_height: tile_height.clamp(2, TILE_HEIGHT_MAX),
            columns: COLUMNS,
            rows: ROWS,
        }
    }

    /// How many tiles a video of this length has; the rest of the last sheet is black.
    #[must_use]
    pub fn tile_count(&self, duration_us: u64) -> u64 {
        duration_us.div_ceil(self.interval_us).max(1)
    }

    /// The filters from the steady picture `input` to the sheets `[story]`. Tile `n` shows the frame
    /// at `n` intervals.
    ///
    /// A blank sheet comes first, and [`Sheets`] drops it: FFmpeg reports no progress before every
    /// output has begun, and the first sheet is full only after 25 intervals.
    pub(crate) fn filters(&self, input: &str) -> String {
        let Self { interval_us, tile_width, tile_height, columns, rows } = self;
        let seconds = interval_us / 1_000_000;
        let (width, height) = (tile_width * columns, tile_height * rows);
        format!(
            "{input}fps=1/{seconds}:start_time=0:round=up,scale=w={tile_width}:h={tile_height},\
             tile={columns}x{rows},setsar=1[sheets];\
             color=c=black:s={width}x{height}:r=1:d=1,format=yuv420p,setsar=1[blank];\
             [blank][sheets]concat=n=2[story]"
        )
    }
}

/// The sheets of a storyboard, cut out of what FFmpeg writes.
#[derive(Debug)]
pub struct Sheets<R> {
    stream: R,
    begun: bool,
}

impl<R: AsyncRead + Unpin> Sheets<R> {
    /// Reads sheets from the output of role [`Role::Storyboard`](crate::Role::Storyboard).
    #[must_use]
    pub fn new(stream: R) -> Self {
        Self { stream, begun: false }
    }

    /// The next sheet as a WebP image; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Failed`] when the stream is not WebP images or ends inside of one.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if !self.begun {
            self.begun = true;
            next_image(&mut self.stream).await?; // the blank one
        }
        next_image(&mut self.stream).await
    }
}

/// Reads the next WebP image of a stream of them; `None` at its end.
async fn next_image(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Vec<u8>>, Error> {
    let failed =
        |why: &str| Error::Failed { step: "making the storyboard", stderr: why.to_owned() };
    let mut first = [0];
    if stream.read(&mut first).await.map_err(Error::Read)? == 0 {
        return Ok(None);
    }
    let mut header = [0; 12];
    let [head, rest @ ..] = &mut header;
    *head = first[0];
    stream.read_exact(rest).await.map_err(|_| failed("a sheet ends early"))?;
    let [b'R', b'I', b'F', b'F', a, b, c, d, b'W', b'E', b'B', b'P'] = header else {
        return Err(failed("a sheet is not a WebP image"));
    };
    // The size counts what follows it, `WEBP` included; an odd one is padded.
    let size = u32::from_le_bytes([a, b, c, d]);
    if !(4..=SHEET_BYTES_MAX).contains(&size) {
        return Err(failed("a sheet has an impossible size"));
    }
    let body = u64::from(size.next_multiple_of(2)) - 4;
    let mut sheet = header.to_vec();
    stream.take(body).read_to_end(&mut sheet).await.map_err(Error::Read)?;
    if sheet.len() as u64 != body + 12 {
        return Err(failed("a sheet ends early"));
    }
    Ok(Some(sheet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_grows_so_that_the_tiles_stay_few() {
        let interval = |seconds: u64| {
            Storyboard::new(1280, 720, Some(seconds * 1_000_000)).interval_us / 1_000_000
        };
        assert_eq!(interval(1), 2);
        assert_eq!(interval(1800), 2);
        assert_eq!(interval(1801), 3);
        assert_eq!(interval(24 * 3600), 96);
        let day = Storyboard::new(1280, 720, Some(24 * 3_600_000_000));
        assert!(day.tile_count(24 * 3_600_000_000) <= TILES_MAX);
        assert_eq!(Storyboard::new(1280, 720, None).interval_us, 30_000_000);
    }

    #[test]
    fn tiles_keep_the_aspect_within_reason() {
        let tile = |width, height| {
            let board = Storyboard::new(width, height, None);
            (board.tile_width, board.tile_height)
        };
        assert_eq!(tile(1280, 720), (160, 90));
        assert_eq!(tile(720, 1280), (160, 286));
        assert_eq!(tile(4096, 16), (160, 2));
        assert_eq!(tile(100, 400), (160, 320));
    }

    fn webp(body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len() + 4).unwrap().to_le_bytes();
        let padding: &[u8] = if body.len() % 2 == 1 { &[0] } else { &[] };
        [b"RIFF", &size[..], b"WEBP", body, padding].concat()
    }

    #[tokio::test]
    async fn sheets_are_cut_where_one_image_ends() {
        let stream = [webp(b"blank"), webp(b"one"), webp(b"fourfour")].concat();
        let mut sheets = Sheets::new(&stream[..]);
        assert_eq!(sheets.next().await.unwrap(), Some(webp(b"one")));
        assert_eq!(sheets.next().await.unwrap(), Some(webp(b"fourfour")));
        assert_eq!(sheets.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_is_no_webp_image_is_an_error() {
        let huge = [b"RIFF", &u32::MAX.to_le_bytes()[..], b"WEBP"].concat();
        let cut = webp(b"fourfour");
        for (stream, reason) in [
            (&b"GIF89a------"[..], "not a WebP"),
            (&huge, "impossible"),
            (&cut[..15], "ends early"),
        ] {
            let error = Sheets::new(stream).next().await.unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
