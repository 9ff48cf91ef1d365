//! Tickets: what runs of a machine tell each other.
//!
//! Owns: their names (`NUMBER-RANDOM`), their text, and who of those in a folder still lives. Refuses to know: waiting. Invariant: whoever
//! calls these functions holds the door.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::Resources;

/// The longest text of a ticket.
const TEXT_BYTES_MAX: u64 = 4096;

/// The text of a ticket.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Text {
    cost: Resources,
    /// Whether its run has begun.
    under_way: bool,
}

/// Draws the next ticket and locks it.
pub(super) fn draw(folder: &Path, cost: Resources) -> io::Result<NamedTempFile> {
    let last = numbered(folder)?.last().map_or(0, |(number, _)| *number);
    let prefix = format!("{:012}-", last + 1);
    let mode = mode(folder)?;
    let ticket = tempfile::Builder::new().prefix(&prefix).tempfile_in(folder)?;
    set_mode(ticket.as_file(), mode)?;
    ticket.as_file().try_lock()?;
    write(ticket.as_file(), Text { cost, under_way: false })?;
    Ok(ticket)
}

/// How many runs are before that of `own`; `None` when it may begin.
pub(super) fn before(
    folder: &Path,
    own: &Path,
    cost: Resources,
    budget: Resources,
) -> io::Result<Option<usize>> {
    let (mut taken, mut before, mut waiting) = (Resources::default(), 0, false);
    for (_, path) in numbered(folder)? {
        if path == own {
            break;
        }
        let Some(text) = read(&path, budget)? else { continue };
        before += 1;
        waiting |= !text.under_way;
        taken.memory_bytes = taken.memory_bytes.saturating_add(text.cost.memory_bytes);
        taken.cores = taken.cores.saturating_add(text.cost.cores);
    }
    let fits = taken.memory_bytes.saturating_add(cost.memory_bytes) <= budget.memory_bytes
        && taken.cores.saturating_add(cost.cores) <= budget.cores;
    Ok((waiting || !fits).then_some(before))
}

/// Notes that the run of a ticket has begun.
pub(super) fn begin(ticket: &File, cost: Resources) -> io::Result<()> {
    write(ticket, Text { cost, under_way: true })
}

fn write(mut ticket: &File, text: Text) -> io::Result<()> {
    let text = serde_json::to_vec(&text)?;
    ticket.seek(SeekFrom::Start(0))?;
    ticket.write_all(&text)?;
    ticket.set_len(text.len() as u64)
}

/// The text of a ticket whose run lives; others are removed. One that says nothing sensible takes all there is.
fn read(path: &Path, budget: Resources) -> io::Result<Option<Text>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.try_lock_shared() {
        Ok(()) => {
            // In somebody else's folder it may not be ours to remove; it counts for nothing all the same.
            let _ = fs::remove_file(path);
            return Ok(None);
        }
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut text = Vec::new();
    file.take(TEXT_BYTES_MAX).read_to_end(&mut text)?;
    let text = serde_json::from_slice(&text);
    Ok(Some(text.unwrap_or(Text { cost: budget, under_way: true })))
}

/// The tickets of a folder, in their order.
fn numbered(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut tickets = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.split_once('-').and_then(|(number, _)| number.parse().ok());
        tickets.extend(number.map(|number| (number, path)));
    }
    tickets.sort();
    Ok(tickets)
}

/// Who may read and write a folder may do so with the files in it.
pub(super) fn mode(folder: &Path) -> io::Result<u32> {
    Ok(fs::metadata(folder)?.permissions().mode() & 0o666)
}

/// Sets permissions that the umask has no say in.
pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}
