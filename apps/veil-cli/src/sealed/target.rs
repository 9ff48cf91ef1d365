//! Where the bytes of a command go: a file that is whole or not there, or a stream.
//!
//! A file is written under a hidden name beside its place, made durable and renamed. Whoever is stopped in between leaves the old file, or none:
//! signals and errors remove what was written; a SIGKILL or a power cut leaves `.NAME.veilcast-XXXXXX`, which nothing reads and anybody may delete.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tempfile::NamedTempFile;
use veil_seal::stream::Finished;

use crate::args::sealed::OutputArgs;
use crate::error::CliError;
use crate::flow::Output;
use crate::output::Format;
use crate::sealed::pipe;
use crate::sealed::refusal::unwritable;

/// What standard output is called.
const STDOUT: &str = "standard output";

/// How much of a file's name stands in the name of what is written beside it.
const MAX_HIDDEN_NAME_BYTES: usize = 200;

/// Who may read a file that a command makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// Its owner alone: what was secret.
    Owner,
    /// Whom the umask lets: what is sealed.
    Umask,
}

/// Where bytes go, until they are published.
pub(crate) struct Target {
    /// What to call it.
    pub(crate) name: String,
    kind: Kind,
}

enum Kind {
    /// Standard output, a pipe or a device: what is written is out.
    Stream(File),
    Beside(Beside),
}

impl Target {
    /// Opens what `-o` names, or standard output.
    pub(crate) fn open(args: &OutputArgs, access: Access) -> Result<Self, CliError> {
        match args.output.as_deref() {
            None => Self::stdout(false),
            Some(path) if path == Path::new("-") => Self::stdout(true),
            Some(path) => Self::file(path, args.force, access),
        }
    }

    fn stdout(even_terminal: bool) -> Result<Self, CliError> {
        let (stdout, name) = (io::stdout(), STDOUT.to_owned());
        if stdout.is_terminal() && !even_terminal {
            return Err(CliError::new("the output would go to the terminal")
                .hint("name a file with -o, or force it with `-o -`"));
        }
        let file = stdout.as_fd().try_clone_to_owned();
        let file = file.map_err(|error| unwritable(&error, &name))?.into();
        pipe::widen(&file);
        Ok(Self { name, kind: Kind::Stream(file) })
    }

    /// Begins a file in the place of `path`.
    pub(crate) fn file(path: &Path, force: bool, access: Access) -> Result<Self, CliError> {
        let name = path.display().to_string();
        let unwritable = |error: io::Error| unwritable(&error, &name);
        let place = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(CliError::new(format!("{name} is a folder")).hint("name a file in it"));
            }
            Ok(metadata) if !metadata.is_file() => {
                let file = File::options().write(true).open(path).map_err(unwritable)?;
                return Ok(Self { name, kind: Kind::Stream(file) });
            }
            Ok(_) if !force => return Err(exists(&name)),
            Ok(_) => path.canonicalize().map_err(unwritable)?,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(error)),
            Err(_) if path.is_symlink() => {
                return Err(CliError::new(format!("{name} is a link that leads nowhere"))
                    .hint("remove it, or name the file itself"));
            }
            Err(_) => path.to_owned(),
        };
        let beside = Beside::begin(place, force, access).map_err(unwritable)?;
        Ok(Self { name, kind: Kind::Beside(beside) })
    }

    /// Whether bytes go to standard output, a pipe or a device.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.kind, Kind::Stream(_))
    }

    /// Where the file lies until it is published; none for a stream.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Stream(_) => None,
            Kind::Beside(beside) => Some(beside.temporary.path()),
        }
    }

    /// Whether a person sees the bytes as they come.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(&self.kind, Kind::Stream(file) if file.is_terminal())
    }

    /// Refuses JSON where standard output carries the bytes.
    pub(crate) fn leaves_room_for(&self, format: Format) -> Result<(), CliError> {
        if format == Format::Json && self.name == STDOUT {
            return Err(CliError::new("standard output can't carry the content and JSON")
                .hint("name a file with -o, or leave --json away"));
        }
        Ok(())
    }

    /// The file to write to, for who doesn't seal or open into it.
    pub(crate) fn writer(&self) -> io::Result<File> {
        match &self.kind {
            Kind::Stream(file) => file.try_clone(),
            Kind::Beside(beside) => beside.file().try_clone(),
        }
    }

    /// Writes what comes before the bytes, and says where these go.
    pub(crate) fn output(&self, before: &[u8]) -> Result<Output, CliError> {
        let file = self.writer().and_then(|mut file| file.write_all(before).map(|()| file));
        let file = file.map_err(|error| unwritable(&error, &self.name))?;
        Ok(match self.kind {
            Kind::Stream(_) => Output::Stream(Box::new(file)),
            Kind::Beside(_) => Output::File { file, offset: before.len() as u64 },
        })
    }

    /// Puts the file into its place; what `finished` proves whole and nothing else.
    pub(crate) fn publish(self, _finished: &Finished) -> Result<(), CliError> {
        self.publish_whole()
    }

    /// Puts a file into its place whose writer knows that it is whole by other means.
    pub(crate) fn publish_whole(self) -> Result<(), CliError> {
        let name = self.name;
        match self.kind {
            Kind::Stream(_) => Ok(()),
            Kind::Beside(beside) => beside.publish().map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => exists(&name),
                _ => unwritable(&error, &name),
            }),
        }
    }
}

impl OutputArgs {
    /// Whether a file is named, so that standard output is free for an answer.
    pub(crate) fn is_file(&self) -> bool {
        self.output.as_deref().is_some_and(|path| path != Path::new("-"))
    }
}

fn exists(name: &str) -> CliError {
    CliError::new(format!("{name} is there already")).hint("--force overwrites it")
}

/// A file that isn't in its place yet; dropping it removes it.
pub(crate) struct Beside {
    temporary: NamedTempFile,
    place: PathBuf,
    overwrites: bool,
    watch: Watch,
}

impl Beside {
    /// Begins a file that shall be at `place`, and has signals remove it.
    pub(crate) fn begin(place: PathBuf, overwrites: bool, access: Access) -> io::Result<Self> {
        let prefix = hidden_prefix(&place);
        let mode = match access {
            Access::Owner => 0o600,
            Access::Umask => 0o666,
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).permissions(Permissions::from_mode(mode));
        let (temporary, watch) = Watch::over(|| builder.tempfile_in(folder(&place)))?;
        Ok(Self { temporary, place, overwrites, watch })
    }

    /// The file, to be written.
    pub(crate) fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Makes the file durable, renames it into its place, and makes that durable.
    pub(crate) fn publish(self) -> io::Result<()> {
        let Self { temporary, place, overwrites, watch } = self;
        temporary.as_file().sync_all()?;
        watch.end(|| match overwrites {
            true => temporary.persist(&place).map(drop).map_err(|error| error.error),
            false => temporary.persist_noclobber(&place).map(drop).map_err(|error| error.error),
        })?;
        File::open(folder(&place))?.sync_all()
    }
}

/// `.NAME.veilcast-`, with a long name cut so that the whole stays below the 255 bytes of a name.
fn hidden_prefix(place: &Path) -> OsString {
    let name = place.file_name().unwrap_or_default().as_bytes();
    let name = &name[..name.len().min(MAX_HIDDEN_NAME_BYTES)];
    OsString::from_vec([b".", name, b".veilcast-"].concat())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A thread that removes a file and lets the process end when a signal asks it to.
struct Watch(Arc<Mutex<Option<PathBuf>>>);

impl Watch {
    /// Makes a file such that no signal comes between its making and the watch.
    fn over(make: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<(NamedTempFile, Self)> {
        let path = Arc::new(Mutex::new(None));
        let mut watched = path.lock().unwrap_or_else(PoisonError::into_inner);
        let ignored = ignored_signals();
        let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter();
        let mut signals = Signals::new(wanted.filter(|signal| ignored >> (signal - 1) & 1 == 0))?;
        let seen = Arc::clone(&path);
        thread::Builder::new().stack_size(64 * 1024).spawn(move || {
            for signal in signals.forever() {
                let mut path = seen.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(path) = path.take() {
                    let _ = fs::remove_file(path);
                }
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        })?;
        let file = make()?;
        *watched = Some(file.path().to_owned());
        drop(watched);
        Ok((file, Self(path)))
    }

    /// Does the last thing with the file; a signal comes before or after it.
    fn end(self, last: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut path = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *path = None;
        last()
    }
}

/// The signals that whoever started this process has it ignore, as `nohup` does: bit 0 is signal 1.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
