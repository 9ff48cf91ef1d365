//! The data folder: what lies where on the studio's machine.
//!
//! ```text
//! <data>/catalogue.sqlite      titles and grants
//! <data>/catalogue.lock        held while the catalogue is opened
//! <data>/identity.txt          the studio's identity, 0600
//! <data>/bucket/               the bucket, when it is a local folder
//! <data>/gateway.toml          the gateway's signing credential, 0600
//! <data>/imports/<title id>    locked while an import runs
//! <data>/jobs.sqlite           jobs
//! <data>/jobs-queue.sqlite     who is woken for which; can be thrown away
//! <data>/media/<id>            the media library's files
//! <data>/uploads/<id>.*        files that are still arriving
//! <data>/jobs/<id>/            what a job works on, left, and logged
//! <data>/gateway.url           where the gateway was last reachable
//! <data>/gateway.store         the place that it last served titles from
//! <data>/studio.json           what is preset for the studio's interface
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::StudioError;

/// The longest secret file that is read.
const MAX_SECRET_FILE_BYTES: u64 = 64 * 1024;

/// An open data folder. Making one creates the folder, for its owner alone.
#[derive(Clone, Debug)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// Opens the folder, and creates what is missing in it.
    ///
    /// # Errors
    /// [`StudioError::File`] when it can't be created or is no folder.
    pub fn open(root: &Path) -> Result<Self, StudioError> {
        let create = |path: &Path| {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(StudioError::file("cannot create the folder", path))
        };
        create(root)?;
        let root = root.canonicalize().map_err(StudioError::file("cannot open", root))?;
        let data = Self { root };
        create(&data.bucket())?;
        create(&data.imports())?;
        create(&data.media())?;
        create(&data.uploads())?;
        Ok(data)
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The SQLite file.
    #[must_use]
    pub fn catalogue(&self) -> PathBuf {
        self.root.join("catalogue.sqlite")
    }

    /// The studio's identity file.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.root.join("identity.txt")
    }

    /// The folder that is the bucket.
    #[must_use]
    pub fn bucket(&self) -> PathBuf {
        self.root.join("bucket")
    }

    /// The gateway's credentials file.
    #[must_use]
    pub fn gateway_credentials(&self) -> PathBuf {
        self.root.join("gateway.toml")
    }

    /// The file with the token that opens the running gateway to its operator.
    #[must_use]
    pub fn gateway_admin_token(&self) -> PathBuf {
        self.root.join("gateway.admin")
    }

    /// Where running imports hold their locks.
    #[must_use]
    pub fn imports(&self) -> PathBuf {
        self.root.join("imports")
    }

    /// The library's files, each by its id.
    #[must_use]
    pub fn media(&self) -> PathBuf {
        self.root.join("media")
    }

    /// Files that are still arriving.
    #[must_use]
    pub fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    /// The SQLite file of jobs.
    #[must_use]
    pub fn job_table(&self) -> PathBuf {
        self.root.join("jobs.sqlite")
    }

    /// The SQLite file of the queue, which can be thrown away.
    #[must_use]
    pub fn job_queue(&self) -> PathBuf {
        self.root.join("jobs-queue.sqlite")
    }

    /// Where jobs work.
    #[must_use]
    pub fn jobs(&self) -> PathBuf {
        self.root.join("jobs")
    }

    /// What `make` keeps for the next time.
    #[must_use]
    pub fn make_cache(&self) -> PathBuf {
        self.root.join("cache/make")
    }

    /// Bytes that the folder's file system still has for us.
    ///
    /// # Errors
    /// [`StudioError::File`] when the system doesn't tell.
    pub fn free_bytes(&self) -> Result<u64, StudioError> {
        let stat = rustix::fs::statvfs(&self.root)
            .map_err(|error| StudioError::file("cannot measure", &self.root)(error.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// The gateway's last public URL.
    ///
    /// # Errors
    /// [`StudioError::File`] when the file is there and can't be read.
    pub fn gateway_url(&self) -> Result<Option<String>, StudioError> {
        self.line("gateway.url")
    }

    /// Where the running gateway answers on this machine.
    ///
    /// # Errors
    /// [`StudioError::File`] when the file is there and can't be read.
    pub fn gateway_address(&self) -> Result<Option<String>, StudioError> {
        self.line("gateway.address")
    }

    /// The place that the gateway last served titles from, as its text.
    ///
    /// # Errors
    /// [`StudioError::File`] when the file is there and can't be read.
    pub fn gateway_store(&self) -> Result<Option<String>, StudioError> {
        self.line("gateway.store")
    }

    /// What is preset for the studio's interface, as its file has it.
    ///
    /// # Errors
    /// [`StudioError::File`] when the file is there and can't be read.
    pub fn settings(&self) -> Result<Option<String>, StudioError> {
        self.line("studio.json")
    }

    /// Keeps what is preset for the studio's interface.
    ///
    /// # Errors
    /// [`StudioError::File`] when it can't be written.
    pub fn set_settings(&self, text: &str) -> Result<(), StudioError> {
        write_beside(&self.root.join("studio.json"), text.as_bytes())
    }

    fn line(&self, name: &str) -> Result<Option<String>, StudioError> {
        let path = self.root.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|url| !url.is_empty())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StudioError::file("cannot read", path)(error)),
        }
    }

    /// Remembers where the gateway is reachable, for links made later.
    ///
    /// # Errors
    /// [`StudioError::File`] when it can't be written.
    pub fn set_gateway_url(&self, url: &str) -> Result<(), StudioError> {
        write_beside(&self.root.join("gateway.url"), format!("{url}\n").as_bytes())
    }

    /// Remembers the place that the gateway serves titles from.
    ///
    /// # Errors
    /// [`StudioError::File`] when it can't be written.
    pub fn set_gateway_store(&self, store: &str) -> Result<(), StudioError> {
        write_beside(&self.root.join("gateway.store"), format!("{store}\n").as_bytes())
    }

    /// Remembers where the running gateway answers on this machine; `None` when it has stopped.
    ///
    /// # Errors
    /// [`StudioError::File`] when it can't be written.
    pub fn set_gateway_address(&self, url: Option<&str>) -> Result<(), StudioError> {
        let path = self.root.join("gateway.address");
        match url {
            Some(url) => write_beside(&path, format!("{url}\n").as_bytes()),
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(StudioError::file("cannot remove", path)(error))
                }
                _ => Ok(()),
            },
        }
    }
}

/// Reads a text that only its owner may read.
pub(crate) fn read_secret(path: &Path) -> Result<Option<Zeroizing<String>>, StudioError> {
    let Some(file) = open_secret(path)? else { return Ok(None) };
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_SECRET_FILE_BYTES)
        .read_to_string(&mut text)
        .map_err(StudioError::file("cannot read", path))?;
    Ok(Some(text))
}

/// Reads bytes that only their owner may read, of a file that is there; more than `most` are left out.
pub(crate) fn read_key(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, StudioError> {
    let missing = || StudioError::file("cannot read", path)(std::io::ErrorKind::NotFound.into());
    let file = open_secret(path)?.ok_or_else(missing)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(most).read_to_end(&mut bytes).map_err(StudioError::file("cannot read", path))?;
    Ok(bytes)
}

/// Opens a file that only its owner may read; `None` where there is none.
fn open_secret(path: &Path) -> Result<Option<File>, StudioError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StudioError::file("cannot read", path)(error)),
    };
    let mode = file.metadata().map_err(StudioError::file("cannot read", path))?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(StudioError::FileMode { path: path.into(), mode });
    }
    Ok(Some(file))
}

/// Creates a file that only its owner may read, unless it is there: `false` when somebody was first.
pub(crate) fn create_secret(path: &Path, text: &str) -> Result<bool, StudioError> {
    let beside = beside(path);
    write_new(&beside, text.as_bytes())?;
    let linked = fs::hard_link(&beside, path);
    let _ = fs::remove_file(&beside);
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(StudioError::file("cannot create", path)(error)),
    }
}

/// Writes a file that only its owner may read, in place of what was there.
pub(crate) fn replace_secret(path: &Path, text: &str) -> Result<(), StudioError> {
    write_beside(path, text.as_bytes())
}

/// Writes beside and renames into place, so that a reader sees the old file or the new one.
fn write_beside(path: &Path, bytes: &[u8]) -> Result<(), StudioError> {
    let beside = beside(path);
    write_new(&beside, bytes)?;
    fs::rename(&beside, path).map_err(StudioError::file("cannot write", path))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), StudioError> {
    let failed = |error| StudioError::file("cannot write", path)(error);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}
