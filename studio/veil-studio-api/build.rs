//! Rebuilds the crate when the built studio page changes, or first appears.
//!
//! The page is embedded file by file, and cargo follows the files that were there; this makes it look
//! again when others come. It looks at the nearest folder that exists, because a path that does not
//! exist would mean a rebuild each time.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::io::Write as _;

    let candidates = ["../../apps/web/dist-studio", "../../apps/web", "../../apps"];
    let watched =
        candidates.into_iter().find(|path| Path::new(path).is_dir()).unwrap_or("build.rs");
    let mut out = std::io::stdout();
    writeln!(out, "cargo::rerun-if-changed={watched}")?;
    writeln!(out, "cargo::rerun-if-changed=build.rs")?;
    Ok(())
}
