//! The files of the repository as rules see them: every file that Git tracks or would track.

use std::fs;
use std::path::Path;

use crate::failure::{During, Outcome};
use crate::repo::{Repo, output_of};

/// Largest file that is read as text; a larger one is a finding anyway (see `sizes`).
pub(super) const FILE_LIMIT_BYTES: u64 = 1024 * 1024;

/// All files, sorted by path.
pub(super) struct Tree {
    pub(super) files: Vec<TreeFile>,
}

/// One file.
pub(super) struct TreeFile {
    /// Path from the root, with `/`.
    pub(super) path: String,
    /// Size on disk.
    pub(super) size_bytes: u64,
    /// Its text; empty when it is not UTF-8 or larger than [`FILE_LIMIT_BYTES`].
    pub(super) text: String,
}

impl Tree {
    /// Reads the working tree; a file that Git knows but that was deleted is left out.
    pub(super) fn read(repo: &Repo) -> Outcome<Self> {
        let mut git = repo.command("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
        let names = output_of(&mut git)?;
        let mut files = Vec::new();
        for name in names.split_terminator('\0') {
            let path = repo.root.join(name);
            if path.is_file() {
                files.push(read_file(name, &path).during(format_args!("reading {name}"))?);
            }
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(Self { files })
    }

    /// Returns the file at `path`.
    pub(super) fn get(&self, path: &str) -> Option<&TreeFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Returns all Rust sources.
    pub(super) fn rust(&self) -> impl Iterator<Item = &TreeFile> {
        self.files.iter().filter(|file| file.extension() == "rs")
    }

    /// Makes a tree in memory for the tests of rules.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| TreeFile {
            path: (*path).to_owned(),
            size_bytes: text.len() as u64,
            text: (*text).to_owned(),
        };
        Self { files: files.iter().map(file).collect() }
    }
}

impl TreeFile {
    /// Returns what follows the last dot of the name.
    pub(super) fn extension(&self) -> &str {
        Path::new(&self.path).extension().and_then(|end| end.to_str()).unwrap_or("")
    }

    /// Tells whether the file is a web source, markup aside.
    pub(super) fn is_script(&self) -> bool {
        matches!(self.extension(), "ts" | "mts" | "js" | "mjs" | "cjs")
    }

    /// Returns its lines, counted from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// Returns the first line that holds `part`, or 1.
    pub(super) fn line_of(&self, part: &str) -> usize {
        self.lines().find(|(_, line)| line.contains(part)).map_or(1, |(at, _)| at)
    }
}

fn read_file(name: &str, path: &Path) -> std::io::Result<TreeFile> {
    let size_bytes = fs::metadata(path)?.len();
    let bytes = if size_bytes <= FILE_LIMIT_BYTES { fs::read(path)? } else { Vec::new() };
    let text = String::from_utf8(bytes).unwrap_or_default();
    Ok(TreeFile { path: name.to_owned(), size_bytes, text })
}
