//! Writes one object while its bytes are still being made.
//!
//! Owns the parts and how many of them are under way. Invariants: the object is visible when
//! [`Upload::finish`] has returned, and not before; memory holds a few parts, whatever its length.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{PutMultipartOptions, WriteMultipart};
use sha2::{Digest as _, Sha256};

use super::{Bucket, Fingerprint, PART_BYTES};
use crate::StudioError;

/// Parts under way at once: one is written while the next fills up.
const PARTS_UNDER_WAY: usize = 2;

/// An object that is being written. Dropped, it leaves no object; what a store keeps of its parts is the
/// store's to clear, so end an upload that fails with [`Upload::abort`].
///
/// S3 takes 10,000 parts, so that an object whose length wasn't known has at most 80 GB there; R2 wants all parts equal.
pub(crate) struct Upload {
    bucket: Bucket,
    writer: WriteMultipart,
    hasher: Sha256,
}

impl Upload {
    /// Takes the next bytes; waits while [`PARTS_UNDER_WAY`] parts are being written.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), StudioError> {
        let room = self.writer.wait_for_capacity(PARTS_UNDER_WAY).await;
        room.map_err(self.bucket.failed("cannot be written"))?;
        self.hasher.update(&bytes);
        self.writer.put(bytes);
        Ok(())
    }

    /// Writes what is left and makes the object visible, whole; returns the fingerprint of all of it.
    pub(crate) async fn finish(self) -> Result<Fingerprint, StudioError> {
        let finished = self.writer.finish().await;
        finished.map_err(self.bucket.failed("cannot be written"))?;
        Ok(Fingerprint::finish(self.hasher))
    }

    /// Takes back what has been written.
    pub(crate) async fn abort(self) -> Result<(), StudioError> {
        self.writer.abort().await.map_err(self.bucket.failed("cannot be written"))
    }
}

impl Bucket {
    /// Begins to write an object whose length is not known yet: at most 10,000 parts of [`PART`] bytes, 84 GB, in an
    /// S3 store. Its fingerprint isn't known either, so its metadata has none: whoever finishes it notes that elsewhere.
    pub(crate) async fn upload(&self, key: &Path) -> Result<Upload, StudioError> {
        let attributes = self.attributes(key, || None);
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let parts = self.store.put_multipart_opts(key, options).await;
        let parts = parts.map_err(self.failed("cannot be written"))?;
        let part_bytes = usize::try_from(PART_BYTES).unwrap_or(usize::MAX);
        let writer = WriteMultipart::new_with_chunk_size(parts, part_bytes);
        Ok(Upload { bucket: self.clone(), writer, hasher: Sha256::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(length: usize) -> Bytes {
        (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    /// Pieces of three lengths, more than two parts together.
    fn pieces() -> Vec<Bytes> {
        [1, 8 << 20, 5_000_000, 10_000_000].map(bytes).to_vec()
    }

    #[tokio::test]
    async fn an_object_is_visible_when_it_is_whole_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let bucket = Bucket::local(folder.path()).unwrap();
        let key = Path::from("t/x/y");
        let mut upload = bucket.upload(&key).await.unwrap();
        for piece in pieces() {
            upload.write(piece).await.unwrap();
            assert_eq!(bucket.get(&key).await.unwrap(), None);
        }
        let fingerprint = upload.finish().await.unwrap();
        assert_eq!(fingerprint, Fingerprint::of(&pieces().concat()));
        assert_eq!(bucket.get(&key).await.unwrap().unwrap(), pieces().concat());
    }

    #[tokio::test]
    async fn an_upload_that_is_taken_back_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let bucket = Bucket::local(folder.path()).unwrap();
        let mut upload = bucket.upload(&Path::from("y")).await.unwrap();
        for piece in pieces() {
            upload.write(piece).await.unwrap();
        }
        upload.abort().await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
