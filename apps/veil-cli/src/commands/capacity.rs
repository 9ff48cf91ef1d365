//! `veilcast capacity`: tells how much a video carries, and how easily that is found.

use std::fmt::Write as _;

use serde_json::json;
use veil_studio::hide::Capacity;

use crate::args::hide::CapacityArgs;
use crate::commands::import::encoder;
use crate::error::CliError;
use crate::output::{self, Format};

pub(crate) async fn run(args: &CapacityArgs, format: Format) -> Result<(), CliError> {
    let capacity = veil_studio::hide::capacity(&encoder().await?, &args.video).await?;
    format.answer(&answer(&capacity), || text(&capacity));
    Ok(())
}

fn answer(capacity: &Capacity) -> serde_json::Value {
    let rooms = capacity.rooms.iter().map(|room| {
        json!({
            "mode": "lossless",
            "bits_per_sample": room.rate.bits_per_sample(),
            "payload_bytes": room.payload_bytes,
            "detectability": { "default": room.default.word(), "careful": room.careful.word() },
        })
    });
    json!({
        "frames": capacity.frames,
        "width": capacity.width,
        "height": capacity.height,
        "rooms": rooms.collect::<Vec<_>>(),
    })
}

fn text(capacity: &Capacity) -> String {
    let Capacity { frames, width, height, rooms } = capacity;
    let mut text = format!(
        "{frames} frames of {width}×{height}, lossless mode\n\n\
         bits a sample   payload      detectability (default, careful)"
    );
    for (room, remark) in rooms.iter().zip(["the default", "--max-rate 0.05", "--max-rate 0.4"]) {
        let bytes = output::bytes(i64::try_from(room.payload_bytes).unwrap_or(i64::MAX));
        let (default, careful) = (room.default.word(), room.careful.word());
        let _ = write!(
            text,
            "\n{:<13}   {bytes:<10}   {default}, {careful}   {remark}",
            room.rate.to_string()
        );
    }
    text
}
