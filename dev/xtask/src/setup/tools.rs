//! The programs that the repository needs: which, from what version on, and whether they are here.
//!
//! It installs nothing but Rust components, which rustup can add without root.

use std::fmt;
use std::path::Path;

use super::python;
use crate::console::note;
use crate::failure::{Outcome, fail};
use crate::repo::{Repo, cargo_program, output_of, run};

/// One needed program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tool {
    /// What people call it.
    pub(super) name: &'static str,
    program: &'static str,
    least: Option<Version>,
    /// Debian's package.
    pub(super) package: &'static str,
}

/// Major and minor number.
type Version = (u32, u32);

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.least {
            None => f.write_str(self.name),
            Some((major, minor)) => write!(f, "{} {major}.{minor} or later", self.name),
        }
    }
}

/// Oldest Node.js that Vite 8 runs on.
pub(super) const NODE_LEAST: Version = (20, 19);

/// Name of the tool whose Debian package may be too old.
pub(super) const NODE: &str = "Node.js";

const FFMPEG_LEAST: Option<Version> = Some((5, 1));

/// All of them. `npm` has no least version: `npm ci` reads our lock file from npm 7 on.
const TOOLS: [Tool; 11] = [
    tool("a C compiler", "cc", None, "gcc libc6-dev"),
    tool("make", "make", None, "make"),
    tool("Git", "git", None, "git"),
    tool("FFmpeg", "ffmpeg", FFMPEG_LEAST, "ffmpeg"),
    tool("FFprobe", "ffprobe", FFMPEG_LEAST, "ffmpeg"),
    tool("Chromium", CHROMIUM, None, "chromium"),
    tool(NODE, "node", Some(NODE_LEAST), "nodejs"),
    tool("npm", "npm", None, "npm"),
    tool("Python with venv", PYTHON, None, "python3-venv"),
    tool("espeak-ng", "espeak-ng", None, "espeak-ng"),
    tool(FONTS, FONTS, None, "fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji"),
];

/// What captions are written with, in any script; files and no program.
const FONTS: &str = "fonts of many scripts";

/// One file of each package of fonts.
const FONT_FILES: [&str; 3] = [
    "/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
];

/// Chromium is found under several names; see [`Repo::chromium`].
const CHROMIUM: &str = "chromium";

/// Debian's Python is often there without the means to make environments; see [`python`].
const PYTHON: &str = "python3";

const fn tool(
    name: &'static str,
    program: &'static str,
    least: Option<Version>,
    package: &'static str,
) -> Tool {
    Tool { name, program, least, package }
}

/// Returns all tools.
pub(super) fn every() -> impl Iterator<Item = Tool> {
    TOOLS.into_iter()
}

/// Returns the tools that are not here or too old.
pub(super) fn missing(repo: &Repo) -> Vec<Tool> {
    every().filter(|tool| !is_here(repo, tool)).collect()
}

fn is_here(repo: &Repo, tool: &Tool) -> bool {
    let found = match tool.program {
        CHROMIUM => repo.chromium(),
        FONTS => return FONT_FILES.iter().all(|file| Path::new(file).is_file()),
        PYTHON => repo.find(PYTHON).filter(|_| python::makes_environments()),
        program => repo.find(program),
    };
    match (found, tool.least) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(path), Some(least)) => is_recent(repo, &path, least),
    }
}

fn is_recent(repo: &Repo, program: &Path, least: Version) -> bool {
    let option = if program.ends_with("node") { "--version" } else { "-version" };
    let said = output_of(repo.command(program).arg(option));
    said.is_ok_and(|text| is_at_least(&text, least))
}

/// Compares the first version in what a program says; a build from FFmpeg's development branch (`version N-…`) has no
/// number and is newer than any.
fn is_at_least(text: &str, least: Version) -> bool {
    text.contains("version N-") || first_version(text).is_some_and(|found| found >= least)
}

/// Finds the first `number.number` of a text.
pub(super) fn first_version(text: &str) -> Option<Version> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    words.into_iter().find_map(|word| {
        let mut numbers = word.split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    })
}

/// Adds rustfmt and Clippy to the toolchain that runs us.
pub(super) fn rust_components(repo: &Repo) -> Outcome {
    let cargo = cargo_program();
    let cargo = Path::new(&cargo);
    let wanted = [("cargo-fmt", "rustfmt"), ("cargo-clippy", "clippy")];
    // A bare `cargo` comes from PATH, and its companions with it.
    let here = |program: &str| match cargo.parent() {
        Some(dir) if cargo.is_absolute() => dir.join(program).is_file(),
        _ => repo.find(program).is_some(),
    };
    for (_, component) in wanted.into_iter().filter(|(program, _)| !here(program)) {
        note(format_args!("missing: {component}; `rustup component add` installs it"));
        if repo.find("rustup").is_none() {
            return Err(fail(format!("the Rust toolchain has no {component}"))
                .hint("install Rust by https://rustup.rs, or the component by your distribution"));
        }
        run(repo.command("rustup").args(["component", "add", component]))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn versions_are_read_from_what_programs_say() {
        let said = [
            ("ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2025", (5, 1)),
            ("v20.20.2\n", (20, 20)),
            ("Candidate: 18.20.4+dfsg-1~deb12u2", (18, 20)),
        ];
        for (text, version) in said {
            assert_eq!(first_version(text), Some(version), "{text}");
        }
        assert_eq!(first_version("no version here."), None);
    }

    #[test]
    fn an_old_program_is_as_good_as_none() {
        assert!(!is_at_least("ffmpeg version 4.4.2-0ubuntu0", (5, 1)));
        assert!(!is_at_least("v20.18.3", NODE_LEAST));
        assert!(is_at_least("v22.12.0", NODE_LEAST));
        assert!(is_at_least("ffmpeg version N-118000-gabcdef Copyright", (5, 1)));
        assert!(!is_at_least("", (5, 1)));
    }

    #[test]
    fn a_tool_that_is_too_old_is_missing_by_its_name_and_version() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo { root: dir.path().into(), target: dir.path().into() };
        fs::create_dir_all(repo.tools_bin()).unwrap();
        let old = repo.tools_bin().join("ffmpeg");
        fs::write(&old, "#!/bin/sh\necho ffmpeg version 4.4.2\n").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
        let missing: Vec<_> = missing(&repo).iter().map(Tool::to_string).collect();
        assert!(missing.contains(&"FFmpeg 5.1 or later".to_owned()), "{missing:?}");
    }
}
