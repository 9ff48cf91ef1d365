//! libFuzzer's way into a target: `VEILCAST_FUZZ_TARGET` names it, `VEILCAST_FUZZ_SEEDS` a folder for its seeds.
//!
//! `cargo xtask fuzz` builds this program with coverage and sets both. It owns nothing else.

#![no_main]
#![allow(clippy::panic, reason = "a fuzzer without its target or its seeds has failed")]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use veil_fuzz::{TARGETS, Target, find};

static CHOSEN: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("VEILCAST_FUZZ_TARGET").unwrap_or_default();
    find(&name).unwrap_or_else(|| {
        let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        panic!("there is no fuzz target `{name}`; there are: {}", known.join(", "))
    })
});

/// Writes the seeds where libFuzzer will read them.
fn write_seeds(dir: &Path) -> std::io::Result<()> {
    for (at, seed) in (CHOSEN.seeds)().iter().enumerate() {
        std::fs::write(dir.join(format!("seed-{at}")), seed)?;
    }
    Ok(())
}

fuzz_target!(
    init: {
        if let Some(dir) = std::env::var_os("VEILCAST_FUZZ_SEEDS") {
            write_seeds(Path::new(&dir)).unwrap_or_else(|error| panic!("writing seeds: {error}"));
        }
    },
    |bytes: &[u8]| (CHOSEN.run)(bytes)
);
