//! Finds FFmpeg and makes sure that it can do what packaging asks of it.
//!
//! Owns: the oldest version, the encoders and the filters that are needed. Refuses to know: the
//! environment (the search path is an argument) and any source.

mod known;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::child::{Bounds, Invocation, Launcher, collect};
use crate::error::Error;
use crate::sandbox::{Confinement, Jail};

/// The oldest FFmpeg that is tested: Debian 12's.
const OLDEST: (u32, u32) = (5, 1);

/// What every title needs.
const ENCODERS: [&str; 4] = ["libx264", "aac", "libwebp", "webvtt"];
const FILTERS: [&str; 14] = [
    "aformat",
    "aresample",
    "bwdif",
    "color",
    "concat",
    "format",
    "fps",
    "pan",
    "scale",
    "setparams",
    "setsar",
    "split",
    "thumbnail",
    "tile",
];

/// What HDR needs on top.
const HDR_FILTERS: [&str; 2] = ["zscale", "tonemap"];

/// Answers of the tools about themselves: at most some 60 KiB each.
const BOUNDS: Bounds =
    Bounds { step: "asking FFmpeg", time: Duration::from_secs(20), output_bytes: 1 << 20 };

/// FFmpeg, found and fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// The path of `ffmpeg`, canonical.
    pub ffmpeg: PathBuf,
    /// The path of `ffprobe`, canonical.
    pub ffprobe: PathBuf,
    /// The version as it prints it, for example `5.1.9-0+deb12u1`.
    pub version: String,
    /// It can convert HDR colours.
    pub tone_maps: bool,
}

impl Tools {
    /// Finds `ffmpeg` and `ffprobe` in `search_path` (the value of `PATH`), or in `folder` alone.
    ///
    /// # Errors
    /// [`Error::ToolMissing`], [`Error::ToolTooOld`], [`Error::ToolLacks`], [`Error::ToolBroken`].
    pub async fn find(
        launcher: &Launcher,
        search_path: &OsStr,
        folder: Option<&Path>,
    ) -> Result<Self, Error> {
        let (ffmpeg, ffprobe) = programs(search_path, folder)?;
        Self::ask(launcher, ffmpeg, ffprobe).await
    }

    /// As [`Tools::find`], without asking programs that were asked before: what they said is kept in the file `known`, whose folder is there.
    ///
    /// # Errors
    /// As [`Tools::find`].
    pub async fn find_known(
        launcher: &Launcher,
        search_path: &OsStr,
        folder: Option<&Path>,
        known: &Path,
    ) -> Result<Self, Error> {
        let (ffmpeg, ffprobe) = programs(search_path, folder)?;
        if let Some(tools) = known::read(known, &ffmpeg, &ffprobe) {
            return Ok(tools);
        }
        let tools = Self::ask(launcher, ffmpeg, ffprobe).await?;
        known::write(known, &tools);
        Ok(tools)
    }

    async fn ask(launcher: &Launcher, ffmpeg: PathBuf, ffprobe: PathBuf) -> Result<Self, Error> {
        // Asked together: one after another they keep every import waiting for a third of a second.
        let (version, ffprobe_version, encoders, filters) = tokio::join!(
            version(launcher, "ffmpeg", &ffmpeg),
            version(launcher, "ffprobe", &ffprobe),
            ask(launcher, "ffmpeg", &ffmpeg, "-encoders"),
            ask(launcher, "ffmpeg", &ffmpeg, "-filters"),
        );
        // The version first: what a tool that is too old says of the rest explains nothing.
        let version = version?;
        ffprobe_version?;
        let filters = filters?;
        let lacking = [lacking(&encoders?, &ENCODERS), lacking(&filters, &FILTERS)].concat();
        if !lacking.is_empty() {
            return Err(Error::ToolLacks { what: lacking.join(", ") });
        }
        let tone_maps = self::lacking(&filters, &HDR_FILTERS).is_empty();
        Ok(Self { ffmpeg, ffprobe, version, tone_maps })
    }
}

/// The paths of `ffmpeg` and `ffprobe`.
fn programs(search_path: &OsStr, folder: Option<&Path>) -> Result<(PathBuf, PathBuf), Error> {
    let folders: Vec<PathBuf> = match folder {
        Some(folder) => vec![folder.to_owned()],
        None => std::env::split_paths(search_path).collect(),
    };
    let find = |tool| find_in(&folders, tool).ok_or(Error::ToolMissing { tool });
    Ok((find("ffmpeg")?, find("ffprobe")?))
}

fn find_in(folders: &[PathBuf], tool: &str) -> Option<PathBuf> {
    let candidates = folders.iter().filter(|folder| folder.is_absolute());
    let mut found = candidates.filter_map(|folder| folder.join(tool).canonicalize().ok());
    found.find(|path| rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok())
}

async fn ask(
    launcher: &Launcher,
    tool: &'static str,
    path: &Path,
    question: &str,
) -> Result<String, Error> {
    let jail = Jail {
        read: Vec::new(),
        write: None,
        address_space_bytes: 4 << 30,
        cpu_seconds: Some(10),
        landlock_optional: false,
    };
    let invocation =
        Invocation::new(path, Confinement::Full(jail)).args(["-hide_banner", question]);
    let (answer, exit) = collect(launcher, invocation, BOUNDS).await?;
    if !exit.status.success() {
        return Err(Error::ToolBroken { tool, why: format!("{} {}", exit.status, exit.stderr) });
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

async fn version(launcher: &Launcher, tool: &'static str, path: &Path) -> Result<String, Error> {
    let answer = ask(launcher, tool, path, "-version").await?;
    let why = || "it does not print its version".to_owned();
    let version = printed_version(&answer, tool).ok_or(Error::ToolBroken { tool, why: why() })?;
    if is_too_old(version) {
        return Err(Error::ToolTooOld { tool, found: version.to_owned() });
    }
    Ok(version.to_owned())
}

/// The word after `ffmpeg version`.
fn printed_version<'a>(answer: &'a str, tool: &str) -> Option<&'a str> {
    answer.strip_prefix(tool)?.strip_prefix(" version ")?.split_whitespace().next()
}

/// Whether a version is below [`OLDEST`]. A build from source (`N-109000-g…`) has no number and is
/// given the benefit of the doubt: the encoders and filters are looked at anyway.
fn is_too_old(version: &str) -> bool {
    let digits = version.strip_prefix('n').unwrap_or(version);
    let mut parts = digits.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), minor) => (major, minor.unwrap_or(0)) < OLDEST,
        (None, _) => false,
    }
}

/// Which of `needed` a table of `-encoders` or `-filters` does not have in its second column.
fn lacking(table: &str, needed: &[&'static str]) -> Vec<&'static str> {
    let has = |name: &&&'static str| {
        !table.lines().any(|line| line.split_whitespace().nth(1) == Some(**name))
    };
    needed.iter().filter(has).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_distributions_print_them() {
        let answer = "ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026\nbuilt with gcc";
        assert_eq!(printed_version(answer, "ffmpeg"), Some("5.1.9-0+deb12u1"));
        assert_eq!(printed_version("hello", "ffmpeg"), None);
        for fine in ["5.1", "5.1.9-0+deb12u1", "n7.1", "10.0", "N-109000-gabc", "2026-01-01-git"] {
            assert!(!is_too_old(fine), "{fine}");
        }
        for old in ["4.4.2-0ubuntu0.22.04.1", "5.0.1", "n4.2", "0.8"] {
            assert!(is_too_old(old), "{old}");
        }
    }

    #[test]
    fn the_second_column_names_what_there_is() {
        let table = " V..... libx264   H.264\n A....D aac  AAC (libwebp)\n";
        assert_eq!(lacking(table, &["libx264", "aac", "libwebp"]), ["libwebp"]);
    }
}
