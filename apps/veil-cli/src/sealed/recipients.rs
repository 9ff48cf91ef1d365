//! Recipients as people give them: age1pq1… itself, or files with such lines.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use veil_seal::file::MAX_RECIPIENTS;
use veil_seal::identity::{MAX_TEXT_BYTES, Recipient};

use crate::args::sealed::RecipientArgs;
use crate::error::CliError;
use crate::sealed::foreign::not_a_recipient;
use crate::sealed::refusal::unreadable;

/// The longest file of recipients that is read: as many as a sealed file may have, with comments as long again.
const MAX_FILE_BYTES: usize = 2 * MAX_RECIPIENTS * MAX_TEXT_BYTES;

impl RecipientArgs {
    /// Reads what `-r` and `-R` name; nobody twice.
    pub(crate) fn read(&self) -> Result<Vec<Recipient>, CliError> {
        let mut all: Vec<Recipient> = Vec::new();
        let texts = self.recipients.iter().map(|text| read(text));
        let files = self.recipient_files.iter().map(|path| read_file(path));
        for recipient in texts.chain(files).collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
            if !all.contains(&recipient) {
                all.push(recipient);
            }
        }
        if all.len() > MAX_RECIPIENTS {
            return Err(CliError::new(format!(
                "a sealed file has at most {MAX_RECIPIENTS} recipients, and these are {}",
                all.len()
            )));
        }
        Ok(all)
    }
}

/// Reads a recipient itself, or the file of that name.
pub(crate) fn read(text: &str) -> Result<Vec<Recipient>, CliError> {
    if let Ok(recipient) = text.parse() {
        return Ok(vec![recipient]);
    }
    if Path::new(text).exists() {
        return read_file(Path::new(text));
    }
    let error = not_a_recipient(text);
    let looks_like_a_path =
        text.len() < 256 && error.message.starts_with("this is not a recipient");
    Err(if looks_like_a_path {
        CliError::new(format!("{text:?} is neither a recipient nor a file"))
            .hint("a recipient looks like age1pq1…")
    } else {
        error
    })
}

fn read_file(path: &Path) -> Result<Vec<Recipient>, CliError> {
    let name = path.display().to_string();
    let unreadable = |error| unreadable(&error, &name);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(CliError::new(format!("{name} is too long for a file of recipients")));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| CliError::new(format!("{name} is not a file of recipients")))?;
    let lines = (1..).zip(text.lines().map(str::trim));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let recipients: Vec<Recipient> = lines
        .map(|(number, line)| line.parse().map_err(|_| bad_line(line, &name, number)))
        .collect::<Result<_, _>>()?;
    if recipients.is_empty() {
        return Err(CliError::new(format!("{name} holds no recipient"))
            .hint("it holds one a line, as `veilcast identity recipient` prints it"));
    }
    Ok(recipients)
}

fn bad_line(line: &str, name: &str, number: u32) -> CliError {
    let error = not_a_recipient(line);
    CliError { message: format!("line {number} of {name}: {}", error.message), ..error }
}
