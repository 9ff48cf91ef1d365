//! Many presigned URLs that differ in the end of their path only.
//!
//! Owns what is computed once for all of them: the HMAC midstates, the hash of the request's common
//! beginning, the string to sign's beginning, and all URL text but the name and 64 hex digits.
//! Invariant: the same bytes as [`crate::presign`] gives one by one (a property test holds it). A
//! 600-segment playlist costs 9 compressions a URL instead of some 25.

use jiff::Timestamp;

use crate::scope::string_to_sign_prefix;
use crate::sha::{Midstate, hmac_midstates};
use crate::sign::{self, PresignError, Request, UNSIGNED_PAYLOAD};
use crate::{SigningKey, escape};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A message whose beginning is hashed already: `head`, a hole, `tail`, padded for one hole size.
struct Form {
    start: Midstate,
    head: Vec<u8>,
    tail: Vec<u8>,
    message: Vec<u8>,
    hole_bytes: Option<usize>,
}

impl Form {
    fn new(mut start: Midstate, head: &[u8], tail: &[u8]) -> Self {
        let head = start.absorb(head).to_vec();
        Self { start, head, tail: tail.to_vec(), message: Vec::new(), hole_bytes: None }
    }

    /// The hash with `filling` in the hole. Names of one length, the usual case, reuse the padding.
    fn hash(&mut self, filling: &[u8]) -> [u8; 32] {
        let from = self.head.len();
        if self.hole_bytes == Some(filling.len()) {
            self.message[from..from + filling.len()].copy_from_slice(filling);
        } else {
            self.message.clear();
            self.message.extend_from_slice(&self.head);
            self.message.extend_from_slice(filling);
            self.message.extend_from_slice(&self.tail);
            self.start.pad(&mut self.message);
            self.hole_bytes = Some(filling.len());
        }
        self.start.finish(&self.message)
    }
}

/// Signs URLs of one host, method, date and life whose paths share a beginning.
pub struct Batch {
    path: String,
    query: String,
    request: Form,
    string_to_sign: Form,
    outer: Form,
    name: String,
}

impl Batch {
    /// Prepares to sign for `shared.path` followed by a name each.
    ///
    /// # Errors
    /// As [`crate::presign`].
    pub fn new(
        key: &SigningKey,
        shared: &Request<'_>,
        now: Timestamp,
    ) -> Result<Self, PresignError> {
        let date = sign::check(key, shared, now)?;
        let mut path = String::new();
        escape::path(shared.path, &mut path);
        let query = sign::canonical_query(key, shared, &date);
        let head = format!("{}\n{path}", shared.method);
        let tail = format!("\n{query}\nhost:{}\n\nhost\n{UNSIGNED_PAYLOAD}", shared.host);
        let (inner, outer) = hmac_midstates(key.bytes());
        let prefix = string_to_sign_prefix(&date, &key.scope);
        Ok(Self {
            path,
            query,
            request: Form::new(Midstate::new(), head.as_bytes(), tail.as_bytes()),
            string_to_sign: Form::new(inner, prefix.as_bytes(), &[]),
            outer: Form::new(outer, &[], &[]),
            name: String::new(),
        })
    }

    /// Appends the origin-form target of `name` (not percent-encoded) to `out`.
    pub fn push_target(&mut self, name: &str, out: &mut Vec<u8>) {
        self.name.clear();
        escape::path(name, &mut self.name);
        let signature = self.signature();
        out.extend_from_slice(self.path.as_bytes());
        out.extend_from_slice(self.name.as_bytes());
        out.push(b'?');
        out.extend_from_slice(self.query.as_bytes());
        out.extend_from_slice(b"&X-Amz-Signature=");
        out.extend_from_slice(&signature);
    }

    /// The hex signature of `self.name`.
    fn signature(&mut self) -> [u8; 64] {
        let request = hex(&self.request.hash(self.name.as_bytes()));
        let inner = self.string_to_sign.hash(&request);
        hex(&self.outer.hash(&inner))
    }
}

fn hex(digest: &[u8; 32]) -> [u8; 64] {
    let mut text = [0; 64];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(digest) {
        *pair = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Credentials, presign};

    proptest! {
        #[test]
        fn a_batch_gives_what_signing_one_by_one_gives(
            names in proptest::collection::vec(".{0,90}", 1..8),
            prefix in "/.{0,130}",
            region in "[a-z0-9-]{1,64}",
            token in proptest::option::of("[!-~]{1,80}"),
            expires_s in 1..=604_800u32,
        ) {
            let mut credentials = Credentials::new("id", "secret".to_owned()).unwrap();
            if let Some(token) = token {
                credentials = credentials.with_session_token(token).unwrap();
            }
            let now = "2026-11-20T10:16:02Z".parse().unwrap();
            let key = SigningKey::derive(&credentials, now, &region).unwrap();
            let shared = Request::get("example.org:8443", &prefix, expires_s);
            let mut batch = Batch::new(&key, &shared, now).unwrap();
            for name in &names {
                let path = format!("{prefix}{name}");
                let one = presign(&key, &Request { path: &path, ..shared }, now).unwrap();
                let mut out = Vec::new();
                batch.push_target(name, &mut out);
                prop_assert_eq!(String::from_utf8(out).unwrap(), one);
            }
        }
    }
}
