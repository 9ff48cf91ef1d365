//! What marking does to pictures and to the size of files.
//!
//! Owns: signal-to-noise ratios and structural similarity of luma, between raw frames; at slots' edges, of the differences between
//! frames, which is what flickers. Refuses to know: attacks.

use std::fs;
use std::path::Path;

use super::desk::{Desk, FPS, encoded};
use super::leaks::Column;
use crate::failure::{During, Outcome, fail};

/// A column's marked frames beside the clip's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quality {
    /// PSNR-Y, in decibels.
    pub(super) psnr_db: f64,
    /// SSIM of luma.
    pub(super) ssim: f64,
    /// PSNR-Y of the differences from frame to frame: at slots' edges, and elsewhere.
    pub(super) edge_db: f64,
    pub(super) inside_db: f64,
    /// Bytes of the encoded clip over those of one without a mark.
    pub(super) rate: f64,
}

impl Quality {
    pub(super) fn new(desk: &Desk, clip: &Path, marked: &Path, column: &Column) -> Outcome<Self> {
        let plain = desk.path("plain.mp4");
        desk.encode_as(clip, &encoded(column), &plain)?;
        let size = |path: &Path| fs::metadata(path).during("measuring a file").map(|one| one.len());
        let rate = size(marked)? as f64 / size(&plain)? as f64;
        let said = desk.compare(clip, column, "[0:v][1:v]psnr")?;
        let psnr_db = after(&said, "PSNR y:")?;
        let said = desk.compare(clip, column, "[0:v][1:v]ssim")?;
        let ssim = after(&said, "SSIM Y:")?;
        let stats = desk.path("differences");
        let difference = "tblend=all_mode=difference128";
        let graph = format!("[0:v]{difference}[a];[1:v]{difference}[b];[a][b]psnr=f=differences");
        desk.compare(clip, column, &graph)?;
        let text = fs::read_to_string(stats).during("reading how differences differ")?;
        let (edge, inside) = edges(&text, column.slot_seconds * FPS);
        Ok(Self { psnr_db, ssim, edge_db: decibels(edge), inside_db: decibels(inside), rate })
    }
}

/// Mean squared errors at slots' edges and elsewhere, of lines as the psnr filter writes them.
fn edges(text: &str, slot_frames: u32) -> (f64, f64) {
    let (mut edge, mut inside) = ((0.0, 0_u32), (0.0, 0_u32));
    for line in text.lines() {
        let (Ok(number), Ok(error)) = (after::<u32>(line, "n:"), after::<f64>(line, "mse_y:"))
        else {
            continue;
        };
        // The first difference is that between the frames 0 and 1.
        let sum = if number.is_multiple_of(slot_frames) { &mut edge } else { &mut inside };
        sum.0 += error;
        sum.1 += 1;
    }
    (edge.0 / f64::from(edge.1.max(1)), inside.0 / f64::from(inside.1.max(1)))
}

/// The number behind some words.
fn after<N: std::str::FromStr>(said: &str, words: &str) -> Outcome<N> {
    let number = said.split_once(words).and_then(|(_, rest)| {
        rest.split_whitespace().next().and_then(|number| number.parse().ok())
    });
    number.ok_or_else(|| fail(format!("FFmpeg doesn't say {words}")))
}

fn decibels(squared_error: f64) -> f64 {
    10.0 * (255.0 * 255.0 / squared_error.max(1e-4)).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_what_ffmpeg_says() {
        let said =
            "[Parsed_ssim_0 @ 0x5] SSIM Y:0.998123 (27.3) U:1.0 (inf) V:1.0 (inf) All:0.99 (29)";
        let ssim: f64 = after(said, "SSIM Y:").unwrap();
        assert!((ssim - 0.998_123).abs() < 1e-9);
        assert!(after::<f64>(said, "PSNR y:").is_err());
    }

    #[test]
    fn edges_are_the_differences_across_them() {
        let line = |n: u32| {
            format!("n:{n} mse_avg:9 mse_y:{} mse_u:0\n", if n.is_multiple_of(4) { 2 } else { 1 })
        };
        let text: String = (1..12).map(line).collect();
        let (edge, inside) = edges(&text, 4);
        assert!((edge - 2.0).abs() < 1e-9 && (inside - 1.0).abs() < 1e-9);
    }
}
