//! Where the bytes of a command come from: a file, standard input or a URL.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Seek as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use veil_seal::SealError;
use veil_seal::file::{Header, PREFIX_BYTES};

use crate::error::CliError;
use crate::flow::Input;
use crate::sealed::foreign::not_sealed;
use crate::sealed::pipe;
use crate::sealed::refusal::{refused, unreadable};
use crate::sealed::remote::{self, Url};

/// Bytes to be read, from the first to the last.
pub(crate) struct Source {
    /// What to call it.
    pub(crate) name: String,
    input: Input,
}

impl Source {
    /// Opens a file, or standard input for `-` or none; that must be no terminal unless `-` names it.
    pub(crate) fn open(path: Option<&Path>, verb: &str) -> Result<Self, CliError> {
        let dash = path == Some(Path::new("-"));
        if let Some(path) = path.filter(|_| !dash) {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| unreadable(&error, &name))?;
            return Self::of_file(file, name);
        }
        let stdin = io::stdin();
        if stdin.is_terminal() && !dash {
            return Err(CliError::new(format!("there is nothing to {verb}"))
                .hint(format!("name a file, or pipe one in: … | veilcast {verb}")));
        }
        let name = "standard input".to_owned();
        let file = stdin.as_fd().try_clone_to_owned().map_err(|error| unreadable(&error, &name))?;
        Self::of_file(file.into(), name)
    }

    /// Opens a file or standard input as [`Self::open`] does, or an http(s) URL.
    pub(crate) fn open_anywhere(path: Option<&Path>, verb: &str) -> Result<Self, CliError> {
        let Some(url) = path.and_then(Url::of_path) else { return Self::open(path, verb) };
        let stream = remote::whole(&url)?;
        Ok(Self { name: url.shown(), input: Input::Stream(stream) })
    }

    /// The bytes of a file from its position on.
    pub(crate) fn of_file(mut file: File, name: String) -> Result<Self, CliError> {
        let unreadable = |error| unreadable(&error, &name);
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        let input = if metadata.is_file() {
            let offset = file.stream_position().map_err(unreadable)?;
            Input::File { file, offset, length: metadata.len().saturating_sub(offset) }
        } else {
            pipe::widen(&file);
            Input::Stream(Box::new(file))
        };
        Ok(Self { name, input })
    }

    /// Bytes that are left, where that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        match &self.input {
            Input::File { length, .. } => Some(*length),
            Input::Stream(_) => None,
        }
    }

    /// Reads everything before the body of a sealed file.
    pub(crate) fn front(&mut self) -> Result<Vec<u8>, CliError> {
        let mut front = self.read(PREFIX_BYTES)?;
        let bytes = front_bytes(&front, &self.name)?;
        front.extend(self.read(bytes - PREFIX_BYTES)?);
        Ok(front)
    }

    /// Reads `bytes` bytes, or fewer at the end.
    fn read(&mut self, bytes: usize) -> Result<Vec<u8>, CliError> {
        let mut read = vec![0; bytes];
        let mut filled = 0;
        while filled < bytes {
            let out = &mut read[filled..];
            let more = match &mut self.input {
                Input::Stream(stream) => stream.read(out),
                Input::File { file, offset, .. } => file.read_at(out, *offset + filled as u64),
            };
            match more {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&error, &self.name)),
            }
        }
        read.truncate(filled);
        if let Input::File { offset, length, .. } = &mut self.input {
            *offset += filled as u64;
            *length = length.saturating_sub(filled as u64);
        }
        Ok(read)
    }

    /// What is left, to be sealed or opened.
    pub(crate) fn into_input(self) -> Input {
        self.input
    }
}

/// How long the front of a sealed file is that begins with `start`.
pub(crate) fn front_bytes(start: &[u8], name: &str) -> Result<usize, CliError> {
    Header::bytes(start.get(..PREFIX_BYTES).unwrap_or(start)).map_err(|error| match error {
        SealError::NotSealed => not_sealed(start, name),
        error => refused(error, name),
    })
}
