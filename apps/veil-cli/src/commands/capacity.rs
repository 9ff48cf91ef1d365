//! `veilcast capacity`: tells how much a video carries, and how easily that is found.

use std::fmt::Write as _;

use serde_json::json;
use veil_studio::hide::Capacity;

use crate::args::hide::CapacityArgs;
use crate::commands::hide::profile_word;
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
    let robust = capacity.robust.iter().map(|(profile, payload_bytes)| {
        json!({
            "mode": "robust",
            "profile": profile_word(*profile),
            "payload_bytes": payload_bytes,
        })
    });
    json!({
        "frames": capacity.frames,
        "width": capacity.width,
        "height": capacity.height,
        "rooms": rooms.collect::<Vec<_>>(),
        "robust": robust.collect::<Vec<_>>(),
    })
}

fn text(capacity: &Capacity) -> String {
    let Capacity { frames, width, height, rooms, robust } = capacity;
    let mut text = format!(
        "{frames} frames of {width}×{height}\n\n\
         lossless mode: bits   payload      detectability (default, careful)"
    );
    for (room, remark) in rooms.iter().zip(["the default", "--max-rate 0.05", "--max-rate 0.4"]) {
        let bytes = output::bytes(i64::try_from(room.payload_bytes).unwrap_or(i64::MAX));
        let (default, careful) = (room.default.word(), room.careful.word());
        let _ = write!(
            text,
            "\n{:<19}   {bytes:<10}   {default}, {careful}   {remark}",
            room.rate.to_string()
        );
    }
    text.push_str("\n\nrobust mode: profile   payload      survives");
    let survives = ["encoding at the same size", "scaling to 480p, encoding", "more, at the least"];
    for ((profile, payload_bytes), survives) in robust.iter().zip(survives) {
        let bytes = output::bytes(i64::try_from(*payload_bytes).unwrap_or(i64::MAX));
        let _ = write!(text, "\n{:<20}   {bytes:<10}   {survives}", profile_word(*profile));
    }
    text.push_str("\n\nwith a passphrase; a key file or a recipient takes 1.1 kB of the payload");
    text
}
