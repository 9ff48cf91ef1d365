//! Drives FFmpeg: the only crate that spawns processes.
