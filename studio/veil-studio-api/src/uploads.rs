//! Files that are still arriving: tus 1.0 (core, creation, termination, expiration, checksum) on disk.
//!
//! Owns: what has arrived (`uploads/<id>.part`, whose length is the offset) and what is known of it (`uploads/<id>.json`), limits, and that one
//! request at a time writes to a file. Refuses to know: HTTP's words, and what a file is.
//!
//! Invariants: a name that a client sent is never one of a file; what is told as arrived is on disk; a file never grows past the length that
//! was announced, and no more is announced than fits.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;
use veil_studio::StudioError;
use veil_studio::data::DataDir;

use crate::problem::Problem;
use crate::random;

/// Most files that arrive at once.
const OPEN_MAX: usize = 100;
/// How long a client may send nothing.
const PIECE_LIMIT: Duration = Duration::from_secs(30);
/// How long the request before may take to let go.
const TAKEOVER_LIMIT: Duration = Duration::from_secs(5);
/// Room that is left on the disk.
const DISK_LEFT_BYTES: u64 = 512 << 20;
/// The algorithms of checksums, as tus names them.
pub(crate) const CHECKSUMS: &str = "sha1,sha256";

/// What is known of a file that arrives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    /// How long it will be.
    pub(crate) length: u64,
    /// What its sender calls it.
    pub(crate) name: String,
    /// `Upload-Metadata` as it came.
    pub(crate) metadata: String,
    /// When it is forgotten.
    pub(crate) expires: Timestamp,
    /// The medium that it became.
    pub(crate) medium: Option<String>,
}

/// All of them.
pub(crate) struct Uploads {
    data: DataDir,
    writers: Mutex<HashMap<String, CancellationToken>>,
}

/// The right to write to one of them. Dropping it lets the next one.
pub(crate) struct Writer<'u> {
    uploads: &'u Uploads,
    id: String,
    /// Somebody else wants to go on.
    taken_over: CancellationToken,
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.uploads.writers.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// What a body must be, as its sender says.
pub(crate) enum Checksum {
    Sha1(Vec<u8>),
    Sha256(Vec<u8>),
}

impl Uploads {
    pub(crate) fn new(data: DataDir) -> Self {
        Self { data, writers: Mutex::default() }
    }

    fn part(&self, id: &str) -> PathBuf {
        self.data.uploads().join(format!("{id}.part"))
    }

    fn note(&self, id: &str) -> PathBuf {
        self.data.uploads().join(format!("{id}.json"))
    }

    /// Where a file lies that has arrived.
    pub(crate) fn arrived(&self, id: &str) -> PathBuf {
        self.part(id)
    }

    /// Begins a file.
    pub(crate) fn begin(
        &self,
        (length, length_max): (u64, u64),
        (name, metadata): (String, String),
        expires: Timestamp,
    ) -> Result<String, Problem> {
        if length == 0 {
            return Err(Problem::bad_request().detail("an empty file is no media"));
        }
        if length > length_max {
            return Err(Problem::too_large().detail(format!("at most {length_max} bytes")));
        }
        let mut open = self.all()?;
        open.retain(|(_, known)| known.medium.is_none());
        if open.len() >= OPEN_MAX {
            return Err(Problem::rate_limited().after(Duration::from_secs(60)));
        }
        // What others announced has its place as well.
        let announced: u64 =
            open.iter().map(|(id, known)| known.length - self.offset(id).min(known.length)).sum();
        let needed = length.saturating_add(announced).saturating_add(DISK_LEFT_BYTES);
        if self.data.free_bytes()? < needed {
            return Err(Problem::no_space());
        }
        let id = random::id()?;
        let failed = |error: std::io::Error| Problem::io(&error, "an upload can't be begun".into());
        fs::File::create_new(self.part(&id)).map_err(failed)?;
        self.keep(&id, &Known { length, name, metadata, expires, medium: None })?;
        Ok(id)
    }

    /// What is known of a file, and how much of it has arrived.
    pub(crate) fn find(&self, id: &str) -> Result<(Known, u64), Problem> {
        if !random::is_id(id) {
            return Err(Problem::unknown());
        }
        let text = match fs::read(self.note(id)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Problem::unknown()),
            text => text.map_err(|error| Problem::io(&error, "an upload can't be read".into()))?,
        };
        let known: Known = serde_json::from_slice(&text).map_err(|_| Problem::internal())?;
        let offset = if known.medium.is_some() { known.length } else { self.offset(id) };
        Ok((known, offset))
    }

    fn offset(&self, id: &str) -> u64 {
        fs::metadata(self.part(id)).map_or(0, |metadata| metadata.len())
    }

    /// Notes what is known of a file.
    pub(crate) fn keep(&self, id: &str, known: &Known) -> Result<(), Problem> {
        let text = serde_json::to_vec(known).map_err(|_| Problem::internal())?;
        let beside = self.note(id).with_extension("new");
        let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, self.note(id)));
        written.map_err(|error| Problem::io(&error, "an upload can't be kept".into()))
    }

    /// Forgets a file.
    pub(crate) fn remove(&self, id: &str) {
        // What is left of one without a note is swept.
        let _ = fs::remove_file(self.note(id));
        let _ = fs::remove_file(self.part(id));
    }

    /// The right to write to a file. Whoever has it is asked to let go: a client that comes again has lost its connection.
    pub(crate) async fn writer(&self, id: &str) -> Result<Writer<'_>, Problem> {
        let end = tokio::time::Instant::now() + TAKEOVER_LIMIT;
        loop {
            {
                let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
                match writers.get(id) {
                    Some(other) => other.cancel(),
                    None => {
                        let taken_over = CancellationToken::new();
                        writers.insert(id.to_owned(), taken_over.clone());
                        return Ok(Writer { uploads: self, id: id.to_owned(), taken_over });
                    }
                }
            }
            if tokio::time::Instant::now() >= end {
                return Err(Problem::locked());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn all(&self) -> Result<Vec<(String, Known)>, StudioError> {
        let folder = self.data.uploads();
        let entries = fs::read_dir(&folder).map_err(|source| StudioError::File {
            what: "cannot list",
            path: folder,
            source,
        })?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let ids = names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()));
        let known = ids.filter_map(|id| Some((id.clone(), self.find(&id).ok()?.0)));
        Ok(known.collect())
    }

    /// Bytes that have arrived of files that are not whole.
    pub(crate) fn bytes(&self) -> u64 {
        self.all().unwrap_or_default().iter().map(|(id, _)| self.offset(id)).sum()
    }

    /// Forgets files whose time is over; says how many.
    pub(crate) fn sweep(&self, now: Timestamp) -> u64 {
        let all = self.all().unwrap_or_default();
        let writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        let over =
            all.iter().filter(|(id, known)| known.expires <= now && !writers.contains_key(id));
        over.map(|(id, _)| self.remove(id)).count() as u64
    }
}

/// How long it is known of a file that has arrived what it became, in hours: for a client whose connection was cut before it was told.
pub(crate) const ARRIVED_HOURS: u32 = 1;

/// When a file is forgotten that nobody goes on with.
pub(crate) fn expiry(now: Timestamp, hours: u32) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(hours.into())).unwrap_or(Timestamp::MAX)
}

impl Writer<'_> {
    /// Writes a body behind what has arrived; returns how much has arrived then. What a cut connection brought stays, unless it can't be held
    /// to its checksum.
    pub(crate) async fn append(
        &self,
        (known, offset): (&Known, u64),
        body: Body,
        checksum: Option<Checksum>,
    ) -> Result<u64, Problem> {
        let failed =
            |error: std::io::Error| Problem::io(&error, "an upload can't be written".into());
        let path = self.uploads.part(&self.id);
        let mut file = tokio::fs::File::options().write(true).open(&path).await.map_err(failed)?;
        file.seek(std::io::SeekFrom::Start(offset)).await.map_err(failed)?;
        let mut hasher = checksum.as_ref().map(|_| (Sha1::new(), Sha256::new()));
        let mut at = offset;
        let mut body = body.into_data_stream();
        let ended = loop {
            let piece = tokio::select! {
                piece = tokio::time::timeout(PIECE_LIMIT, body.next()) => piece,
                () = self.taken_over.cancelled() => break Err(Problem::locked()),
            };
            let piece = match piece {
                Err(_) => break Err(Problem::request_timeout()),
                Ok(None) => break Ok(()),
                Ok(Some(Err(_))) => break Err(Problem::bad_request().detail("the body was cut")),
                Ok(Some(Ok(piece))) => piece,
            };
            if at + piece.len() as u64 > known.length {
                break Err(Problem::too_large().detail("more than was announced"));
            }
            if let Err(error) = file.write_all(&piece).await {
                break Err(failed(error));
            }
            at += piece.len() as u64;
            if let Some((sha1, sha256)) = &mut hasher {
                sha1.update(&piece);
                sha256.update(&piece);
            }
        };
        file.flush().await.map_err(failed)?;
        let sound = match (checksum, hasher) {
            (Some(Checksum::Sha1(expected)), Some((sha1, _))) => *sha1.finalize() == *expected,
            (Some(Checksum::Sha256(expected)), Some((_, sha256))) => {
                *sha256.finalize() == *expected
            }
            _ => true,
        };
        if !sound {
            file.set_len(offset).await.map_err(failed)?;
            return Err(ended.err().unwrap_or_else(Problem::checksum));
        }
        file.sync_data().await.map_err(failed)?;
        ended.map(|()| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Timestamp = Timestamp::MAX;

    fn uploads(folder: &std::path::Path) -> Uploads {
        Uploads::new(DataDir::open(folder).unwrap())
    }

    async fn append(
        uploads: &Uploads,
        id: &str,
        body: Body,
        checksum: Option<Checksum>,
    ) -> Result<u64, u16> {
        let writer = uploads.writer(id).await.unwrap();
        let (known, offset) = uploads.find(id).unwrap();
        writer
            .append((&known, offset), body, checksum)
            .await
            .map_err(|problem| problem.body().status)
    }

    /// A body that breaks off after these bytes.
    fn cut(bytes: &'static [u8]) -> Body {
        let pieces = [Ok(bytes), Err(std::io::Error::from(ErrorKind::ConnectionReset))];
        Body::from_stream(futures_util::stream::iter(pieces))
    }

    #[tokio::test]
    async fn what_a_cut_connection_brought_stays_unless_it_has_a_checksum() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = uploads(folder.path());
        let id = uploads.begin((10, 10), ("a".into(), String::new()), LATER).unwrap();
        assert_eq!(append(&uploads, &id, cut(b"abc"), None).await, Err(400));
        assert_eq!(uploads.find(&id).unwrap().1, 3);
        let sum = |bytes: &[u8]| Some(Checksum::Sha1(Sha1::digest(bytes).to_vec()));
        assert_eq!(append(&uploads, &id, cut(b"de"), sum(b"defg")).await, Err(400));
        assert_eq!(append(&uploads, &id, Body::from("defX"), sum(b"defg")).await, Err(460));
        assert_eq!(uploads.find(&id).unwrap().1, 3);
        assert_eq!(append(&uploads, &id, Body::from("defg"), sum(b"defg")).await, Ok(7));
        assert_eq!(append(&uploads, &id, Body::from("hijk"), None).await, Err(413));
        assert_eq!(append(&uploads, &id, Body::from("hij"), None).await, Ok(10));
        assert_eq!(fs::read(uploads.arrived(&id)).unwrap(), b"abcdefghij");
    }

    #[tokio::test]
    async fn who_comes_again_goes_on_and_the_one_before_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = uploads(folder.path());
        let id = uploads.begin((10, 10), ("a".into(), String::new()), LATER).unwrap();
        let silent = Body::from_stream(futures_util::stream::pending::<std::io::Result<Vec<u8>>>());
        let (first, second) = tokio::join!(
            append(&uploads, &id, silent, None),
            append(&uploads, &id, Body::from("ab"), None)
        );
        assert_eq!((first, second), (Err(423), Ok(2)));
    }

    #[test]
    fn limits_hold_and_what_is_old_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = uploads(folder.path());
        let begin = |length| {
            uploads.begin((length, 1 << 60), ("a".into(), String::new()), Timestamp::UNIX_EPOCH)
        };
        let status = |length| begin(length).map_err(|problem| problem.body().status);
        assert_eq!((status(0), status(1 << 61), status(1 << 59)), (Err(400), Err(413), Err(507)));
        let first = begin(1).unwrap();
        for _ in 1..OPEN_MAX {
            begin(1).unwrap();
        }
        assert_eq!(status(1), Err(429));
        let known = uploads.find(&first).unwrap().0;
        uploads.keep(&first, &Known { medium: Some("m".into()), ..known }).unwrap();
        begin(1).unwrap();
        assert_eq!(uploads.sweep(Timestamp::UNIX_EPOCH), OPEN_MAX as u64 + 1);
        assert_eq!(fs::read_dir(folder.path().join("uploads")).unwrap().count(), 0);
        for id in ["", "../x", "../../catalogue.sqlite", &"g".repeat(32)] {
            assert_eq!(uploads.find(id).err().unwrap().body().status, 404, "{id}");
        }
    }
}
