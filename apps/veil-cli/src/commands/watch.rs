//! `veilcast watch`: the watch page on a host of one's own, and its hash.
//!
//! What the files are is `veil-page`'s to know; here they reach a folder. Invariants: a file that an earlier export did
//! not write is never replaced or removed; each file is written beside its place and renamed; and a page appears after
//! what it names, so that a folder that is being served stays whole.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::json;
use veil_page::{Exported, LIST, NotExportable, Page, Site};

use crate::args::watch::{SiteArgs, WatchCommand};
use crate::commands::share::checked_url;
use crate::error::CliError;
use crate::output::Format;

pub(crate) fn run(command: &WatchCommand, format: Format) -> Result<(), CliError> {
    match command {
        WatchCommand::Export { dir, site } => export(dir, site, format),
        WatchCommand::Hash { gateway, media } => hash(gateway.as_deref(), media, format),
    }
}

fn export(dir: &Path, args: &SiteArgs, format: Format) -> Result<(), CliError> {
    let exported = exported(&args.gateway, &args.media)?;
    let removed = write(dir, &exported)?;
    let count = exported.files().len();
    let answer = json!({
        "dir": dir, "files": count, "removed": removed, "hash": exported.hash(),
    });
    format.answer(&answer, || {
        format!(
            "{count} files are in {}\n\nhash {}\n\nViewers see it on the page, below `About this page`; tell it to them by \
             another way than the page's host.",
            dir.display(),
            exported.hash()
        )
    });
    Ok(())
}

fn hash(gateway: Option<&str>, media: &[String], format: Format) -> Result<(), CliError> {
    let hash = match gateway {
        Some(gateway) => exported(gateway, media)?.hash().to_owned(),
        None => embedded()?.hash(),
    };
    format.answer(&json!({ "hash": hash }), || hash.clone());
    Ok(())
}

fn embedded() -> Result<Page, CliError> {
    let page = Page::embedded();
    if page.is_empty() { Err(not_exportable(&NotExportable::NoPage)) } else { Ok(page) }
}

fn exported(gateway: &str, media: &[String]) -> Result<Exported, CliError> {
    let gateway = checked_url(gateway)?.to_ascii_lowercase();
    let media: Vec<String> =
        media.iter().map(|url| url.trim_end_matches('/').to_ascii_lowercase()).collect();
    let site = Site::new(&gateway, &media).map_err(|error| not_exportable(&error))?;
    embedded()?.exported(&site).map_err(|error| not_exportable(&error))
}

fn not_exportable(error: &NotExportable) -> CliError {
    let hint = match error {
        NotExportable::Origin(_) => "write scheme and host alone: https://media.example.org",
        _ => "build it with `npm run build` first, then this program",
    };
    CliError::new(error.to_string()).hint(hint)
}

/// Writes what differs and removes what an earlier export wrote and this one doesn't have; returns how many those were.
fn write(dir: &Path, exported: &Exported) -> Result<usize, CliError> {
    fs::create_dir_all(dir).map_err(|error| failed("make", dir, &error))?;
    let list = read(&dir.join(LIST))?.unwrap_or_default();
    let list = String::from_utf8_lossy(&list).into_owned();
    let files = exported.files();
    let mut changed = Vec::new();
    for (name, content) in &files {
        let path = dir.join(name);
        match read(&path)? {
            Some(there) if there == **content => {}
            Some(there) if !Exported::is_ours(name, &there, &list) => return Err(foreign(&path)),
            _ => changed.push((path, *content)),
        }
    }
    for (path, content) in changed {
        replace(&path, content).map_err(|error| failed("write", &path, &error))?;
    }
    let present: BTreeSet<&str> = files.iter().map(|(name, _)| *name).collect();
    remove_old(dir, &list, &present)
}

fn remove_old(dir: &Path, list: &str, present: &BTreeSet<&str>) -> Result<usize, CliError> {
    let names = list.lines().filter_map(|line| Some(line.split_once("  ")?.1));
    let mut removed = 0;
    for name in names.filter(|name| !present.contains(name) && is_below(name)) {
        let path = dir.join(name);
        if read(&path)?.is_some_and(|there| Exported::is_ours(name, &there, list)) {
            fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether a name out of a list stays in the folder.
fn is_below(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, CliError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, &error)),
    }
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let readable = fs::Permissions::from_mode(0o644);
    let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn failed(what: &str, path: &Path, error: &io::Error) -> CliError {
    CliError::new(format!("cannot {what} {}: {error}", path.display()))
}

fn foreign(path: &Path) -> CliError {
    CliError::new(format!("{} is there already and is no file of an exported page", path.display()))
        .hint("export into another folder, or take that file away")
}
