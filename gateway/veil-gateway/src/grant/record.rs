//! The grant's record as it lies in the bucket (`docs/format/grant.md`), and what it means.
//!
//! Owns reading it: strict in what it knows, blind to members that it does not. Refuses to hand on
//! unknown members or the bearer's hash: what a viewer gets is written out member by member.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use crate::names::{GrantId, Id, ObjectName, PlaylistName, TitleId};

/// The version of the record that this reads.
const VERSION: u32 = 1;

/// Most objects that a grant names to be fetched first.
const PRELOAD_COUNT_MAX: usize = 8;

/// The record as it is stored.
#[derive(Deserialize)]
struct WireRecord {
    v: u32,
    id: String,
    title: String,
    epoch: u64,
    state: State,
    kind: Kind,
    recipient: Option<String>,
    bearer_sha256: String,
    created: String,
    expires: Option<String>,
    index: Option<String>,
    preload: Option<Vec<String>>,
    pattern: Option<String>,
    envelope: Option<String>,
}

#[derive(Deserialize, Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum State {
    Active,
    Revoked,
}

#[derive(Deserialize, Serialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Link,
    Recipient,
}

/// The record as a viewer gets it: without the bearer's hash and the pattern.
#[derive(Serialize)]
pub(crate) struct WireGrant {
    v: u32,
    id: String,
    title: String,
    epoch: u64,
    state: State,
    kind: Kind,
    recipient: String,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    index: String,
    preload: Vec<String>,
    envelope: String,
}

/// A record whose bearer was not compared yet: it tells nothing but the hash to compare with.
pub(crate) struct Record {
    /// SHA-256 of the bearer.
    pub(crate) bearer_sha256: [u8; 32],
    wire: WireRecord,
}

/// A grant that was not revoked.
pub(crate) struct Grant {
    pub(crate) id: GrantId,
    pub(crate) title: TitleId,
    /// When the right ends, if ever.
    pub(crate) end: Option<Timestamp>,
    pub(crate) index: PlaylistName,
    pub(crate) preload: Vec<ObjectName>,
    /// Which variant of each slot is this viewer's, where the title is marked.
    pub(crate) pattern: Option<Arc<Pattern>>,
    pub(crate) wire: WireGrant,
}

impl Grant {
    /// Memory that it takes, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        let WireGrant { id, title, recipient, created, expires, index, preload, envelope, .. } =
            &self.wire;
        let texts = [id, title, recipient, created, index, envelope];
        let texts = texts.into_iter().chain(expires).chain(preload).map(String::capacity);
        let names = self.preload.len() * (size_of::<ObjectName>() + size_of::<String>());
        let pattern = self.pattern.as_ref().map_or(0, |pattern| pattern.size_bytes());
        size_of::<Self>() + texts.sum::<usize>() + names + pattern
    }
}

impl Record {
    /// Reads a record. `None` when it is not one of this version.
    pub(crate) fn parse(document: &[u8]) -> Option<Self> {
        let wire: WireRecord = serde_json::from_slice(document).ok()?;
        let bearer_sha256 = parse_hash(&wire.bearer_sha256)?;
        (wire.v == VERSION).then_some(Self { bearer_sha256, wire })
    }

    /// What the record of key `id` says: `Some(None)` when it is revoked, `None` when it says
    /// something that no record says.
    pub(crate) fn into_grant(self, id: GrantId) -> Option<Option<Grant>> {
        let wire = self.wire;
        let title = TitleId::parse(&wire.title)?;
        if wire.id != id.as_str() || parse_time(&wire.created).is_none() {
            return None;
        }
        if wire.state == State::Revoked {
            return Some(None);
        }
        let end = match &wire.expires {
            Some(text) => Some(parse_time(text)?),
            None => None,
        };
        let names = wire.preload?;
        if names.len() > PRELOAD_COUNT_MAX {
            return None;
        }
        let preload = names.iter().map(|name| Id::parse(name)).collect::<Option<_>>()?;
        let pattern = match &wire.pattern {
            Some(text) => Some(Arc::new(Pattern::parse(text)?)),
            None => None,
        };
        let index = PlaylistName::parse(&wire.index?)?;
        let wire = WireGrant {
            v: wire.v,
            id: wire.id,
            title: wire.title,
            epoch: wire.epoch,
            state: wire.state,
            kind: wire.kind,
            recipient: wire.recipient?,
            created: wire.created,
            expires: wire.expires,
            index: index.as_str().to_owned(),
            preload: names,
            envelope: wire.envelope?,
        };
        Some(Some(Grant { id, title, end, index, preload, pattern, wire }))
    }
}

/// 32 bytes in lower-case hex.
fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect();
    bytes.filter(|_| rest.is_empty())?.try_into().ok()
}

/// RFC 3339 in UTC with whole seconds, and no other spelling.
fn parse_time(text: &str) -> Option<Timestamp> {
    let sound = text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    text.parse().ok().filter(|_| sound)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn record() -> Value {
        json!({
            "v": 1, "id": ID, "title": ID, "epoch": 1, "state": "active", "kind": "link",
            "recipient": "k", "bearer_sha256": "ab".repeat(32), "created": "2026-11-20T12:00:00Z",
            "expires": "2026-11-27T12:00:00Z", "index": format!("{ID}.m3u8"), "preload": [ID],
            "envelope": "AAAA", "future": "member"
        })
    }

    fn read(record: &Value) -> Option<Option<Grant>> {
        let id = Id::parse(ID).unwrap();
        Record::parse(record.to_string().as_bytes())?.into_grant(id)
    }

    #[test]
    fn a_record_is_read_and_handed_on_without_hash_and_unknown_members() {
        let grant = read(&record()).unwrap().unwrap();
        assert_eq!(grant.end, Some("2026-11-27T12:00:00Z".parse().unwrap()));
        let mut expected = record();
        expected.as_object_mut().unwrap().remove("bearer_sha256");
        expected.as_object_mut().unwrap().remove("future");
        assert_eq!(serde_json::to_value(&grant.wire).unwrap(), expected);
    }

    #[test]
    fn a_pattern_is_read_and_not_handed_on() {
        let mut marked = record();
        marked["pattern"] = json!("gA");
        let grant = read(&marked).unwrap().unwrap();
        assert!(grant.pattern.is_some_and(|pattern| pattern.fits(1)));
        assert!(serde_json::to_value(&grant.wire).unwrap().get("pattern").is_none());
    }

    #[test]
    fn a_record_without_an_end_never_expires_and_a_revoked_one_needs_little() {
        let mut endless = record();
        endless.as_object_mut().unwrap().remove("expires");
        assert!(read(&endless).unwrap().unwrap().end.is_none());
        let mut revoked = record();
        revoked["state"] = json!("revoked");
        for member in ["recipient", "expires", "index", "preload", "envelope"] {
            revoked.as_object_mut().unwrap().remove(member);
        }
        assert!(read(&revoked).unwrap().is_none());
    }

    #[test]
    fn each_member_that_is_missing_or_odd_makes_it_no_record() {
        for member in record().as_object().unwrap().keys() {
            if member == "future" || member == "expires" {
                continue;
            }
            let mut broken = record();
            broken.as_object_mut().unwrap().remove(member);
            assert!(read(&broken).is_none(), "without {member}");
        }
        for (member, value) in [
            ("v", json!(2)),
            ("id", json!("ff23456789abcdef0123456789abcdef")),
            ("title", json!("../secret")),
            ("state", json!("paused")),
            ("kind", json!("other")),
            ("bearer_sha256", json!("AB".repeat(32))),
            ("bearer_sha256", json!("ab".repeat(31))),
            ("created", json!("yesterday")),
            ("expires", json!("2026-11-27T12:00:00+00:00")),
            ("expires", json!("2026-11-27T12:00:00.5Z")),
            ("index", json!(ID)),
            ("preload", json!(["a/b"])),
            ("pattern", json!("")),
            ("pattern", json!("g=")),
            ("pattern", json!(["gA"])),
            ("preload", json!([ID, ID, ID, ID, ID, ID, ID, ID, ID])),
        ] {
            let mut broken = record();
            broken[member] = value;
            assert!(read(&broken).is_none(), "{member}");
        }
        assert!(Record::parse(b"").is_none());
        assert!(Record::parse(&b"[".repeat(16 << 10)).is_none());
    }
}
