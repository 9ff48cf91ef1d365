//! Many presigned URLs that differ in the end of their path only.
//!
//! Owns what is computed once for all of them: the HMAC midstates, the hash of the request's common
//! beginning, the string to sign's beginning, and all URL text but the name and 64 hex digits; and the order in
//! which names are hashed, so that those of one length go side by side. Invariant: the same bytes as
//! [`crate::presign`] gives one by one (a property test holds it). A 600-segment playlist costs 9 compressions a URL
//! instead of some 25.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::form::Form;
use crate::lanes::Lanes;
use crate::scope::string_to_sign_prefix;
use crate::sha::{Hex, Midstate, hmac_midstates};
use crate::sign::{self, PresignError, Request, UNSIGNED_PAYLOAD};
use crate::url::UrlText;
use crate::{SigningKey, escape};

/// Names that are hashed before their signatures are: their hashes stay in the processor's nearest cache.
const NAMES_AT_A_TIME: usize = 256;

/// A signature, in lower-case hex.
pub type Signature = Hex;

/// Names, encoded as paths and told apart by length: what signing them takes of them. Prepared once, signed for many.
#[derive(Clone, Debug, Default)]
pub struct Names {
    text: String,
    /// Where each name ends in `text`.
    ends: Vec<usize>,
    /// The names' numbers by their length in bytes, shortest first.
    by_length: BTreeMap<usize, Vec<usize>>,
}

impl Names {
    /// Takes names that are not percent-encoded.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        for (at, name) in names.into_iter().enumerate() {
            let start = all.text.len();
            escape::path(name, &mut all.text);
            all.ends.push(all.text.len());
            all.by_length.entry(all.text.len() - start).or_default().push(at);
        }
        all
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Memory that they take, in bytes, to within what an allocator adds.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let numbers: usize = self.by_length.values().map(Vec::capacity).sum();
        size_of::<Self>()
            + self.text.capacity()
            + (self.ends.capacity() + numbers) * size_of::<usize>()
    }

    /// The name of this number, encoded; of a number that there isn't, nothing.
    #[must_use]
    #[inline]
    pub fn get(&self, at: usize) -> &str {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(at).copied().unwrap_or_default();
        self.text.get(start.unwrap_or_default()..end).unwrap_or_default()
    }
}

/// Signs URLs of one host, method, date and life whose paths share a beginning.
pub struct Batch {
    target: UrlText,
    host: String,
    /// What is left of the request's beginning after the whole blocks that `request` has absorbed.
    head: Vec<u8>,
    tail: String,
    request: Midstate,
    string_to_sign: Form,
    outer: Form,
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
        let mut request = Midstate::new();
        let head = request.absorb(head.as_bytes()).to_vec();
        Ok(Self {
            target: UrlText { before: path, between: format!("?{query}&X-Amz-Signature=") },
            host: shared.host.to_owned(),
            head,
            tail,
            request,
            string_to_sign: Form::new(&inner, prefix.as_bytes(), size_of::<Signature>(), &[]),
            outer: Form::new(&outer, &[], 32, &[]),
        })
    }

    /// The signature of each name.
    #[must_use]
    pub fn sign(&self, lanes: Lanes, names: &Names) -> Vec<Signature> {
        let mut signatures = vec![[0; 64]; names.len()];
        for (length, numbers) in &names.by_length {
            let request = Form::new(&self.request, &self.head, *length, self.tail.as_bytes());
            for some in numbers.chunks(NAMES_AT_A_TIME) {
                let texts: Vec<&str> = some.iter().map(|at| names.get(*at)).collect();
                for (at, signature) in some.iter().zip(self.sign_some(lanes, &request, &texts)) {
                    signatures[*at] = signature;
                }
            }
        }
        signatures
    }

    fn sign_some(&self, lanes: Lanes, request: &Form, names: &[&str]) -> Vec<Signature> {
        let requests = lanes.hex(&lanes.hash(request, names));
        let inner = lanes.hash(&self.string_to_sign, &requests);
        lanes.hex(&lanes.hash(&self.outer, &inner))
    }

    /// The text of origin-form targets: path, `?`, query with signature.
    #[must_use]
    pub fn targets(&self) -> UrlText {
        self.target.clone()
    }

    /// The text of absolute URLs; `scheme` is `https` or `http`.
    #[must_use]
    pub fn urls(&self, scheme: &str) -> UrlText {
        let before = format!("{scheme}://{}{}", self.host, self.target.before);
        UrlText { before, between: self.target.between.clone() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Credentials, presign};

    fn batch(now: Timestamp, shared: &Request<'_>) -> (SigningKey, Batch) {
        let credentials = Credentials::new("id", "secret".to_owned()).unwrap();
        let key = SigningKey::derive(&credentials, now, "auto").unwrap();
        let batch = Batch::new(&key, shared, now).unwrap();
        (key, batch)
    }

    fn target(text: &UrlText, name: &str, signature: &Signature) -> String {
        let mut out = Vec::new();
        text.push(name, signature, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_of_many_lengths_in_any_order_keep_their_places() {
        let now = "2026-11-20T10:16:02Z".parse().unwrap();
        let shared = Request::get("example.org", "/v/", 60);
        let (key, batch) = batch(now, &shared);
        let plain: Vec<String> =
            (0..700).map(|at| "x".repeat((at * 37) % 90) + &at.to_string()).collect();
        let names = Names::new(plain.iter().map(String::as_str));
        let signatures = batch.sign(Lanes::detect(), &names);
        assert_eq!(signatures.len(), plain.len());
        for (at, name) in plain.iter().enumerate() {
            let path = format!("/v/{name}");
            let one = presign(&key, &Request { path: &path, ..shared }, now).unwrap();
            assert_eq!(target(&batch.targets(), names.get(at), &signatures[at]), one);
        }
    }

    #[test]
    fn no_names_have_no_signatures_and_a_number_beyond_them_has_no_name() {
        let now = "2026-11-20T10:16:02Z".parse().unwrap();
        let (_, batch) = batch(now, &Request::get("example.org", "/v/", 60));
        assert!(batch.sign(Lanes::detect(), &Names::default()).is_empty());
        assert!(Names::default().is_empty());
        let names = Names::new(["a b"]);
        assert_eq!((names.len(), names.get(0), names.get(1)), (1, "a%20b", ""));
    }

    proptest! {
        #[test]
        fn a_batch_gives_what_signing_one_by_one_gives(
            plain in proptest::collection::vec(".{0,90}", 1..8),
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
            let batch = Batch::new(&key, &shared, now).unwrap();
            let names = Names::new(plain.iter().map(String::as_str));
            for lanes in Lanes::NAMES.into_iter().filter_map(Lanes::named) {
                for (at, signature) in batch.sign(lanes, &names).iter().enumerate() {
                    let path = format!("{prefix}{}", plain[at]);
                    let one = presign(&key, &Request { path: &path, ..shared }, now).unwrap();
                    prop_assert_eq!(target(&batch.targets(), names.get(at), signature), one);
                }
            }
        }
    }
}
