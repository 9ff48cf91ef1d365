//! Grants: the record as it lies in the bucket, and the payload that was inside an envelope.
//!
//! A server may write any record. A payload is authentic, but a studio of another version may have
//! made it: any bytes are wrapped here for the viewer, and then read.

use std::sync::LazyLock;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::{Value, json};
use veil_seal::envelope::{self, Purpose};
use veil_seal::grant::{self, GrantBinding, GrantRecord, GrantState};
use veil_seal::id::{GrantId, TitleId};
use veil_seal::identity::{Identity, Recipient};
use veil_seal::secret::Secret;

use crate::vectors::{cases, text};

const VECTORS: &str = include_str!("../../vectors/grant.json");

/// Reads a record: it writes itself back as it is, and its tombstone has nothing to open.
pub fn run_record(bytes: &[u8]) {
    let Ok(record) = serde_json::from_slice::<GrantRecord>(bytes) else { return };
    let again: GrantRecord = serde_json::from_slice(&serde_json::to_vec(&record).unwrap()).unwrap();
    assert_eq!(again, record);
    if let Ok(envelope) = record.envelope_bytes() {
        let text = BASE64_URL_SAFE_NO_PAD.encode(envelope);
        assert_eq!(Some(text), record.envelope, "two texts of one envelope");
    }
    let revoked = record.revoked();
    assert_eq!(revoked.state, GrantState::Revoked);
    assert!(revoked.envelope_bytes().is_err(), "a tombstone with an envelope");
}

/// A whole record, one without what may be absent, and a tombstone.
#[must_use]
pub fn record_seeds() -> Vec<Vec<u8>> {
    let case = &cases(VECTORS)[0];
    let mut record = json!({
        "v": 1, "id": text(case, "grant"), "title": text(case, "title"), "epoch": 1,
        "state": "active", "kind": "link", "recipient": text(case, "recipient"),
        "bearer_sha256": "00", "created": "2026-11-20T12:00:00Z", "expires": "2026-11-27T12:00:00Z",
        "index": "a.m3u8", "preload": ["a", "b"], "envelope": case["envelope"],
    });
    let whole = record.to_string();
    record.as_object_mut().unwrap().retain(|name, _| name != "expires" && name != "preload");
    let short = record.to_string();
    let read: GrantRecord = serde_json::from_value(record).unwrap();
    let tombstone = serde_json::to_string(&read.revoked()).unwrap();
    [whole, short, tombstone].map(String::into_bytes).into()
}

struct Viewer {
    identity: Identity,
    recipient: Recipient,
    binding: GrantBinding,
}

static VIEWER: LazyLock<Viewer> = LazyLock::new(|| {
    let identity = Identity::from_seed(Secret::new([0x61; 32]));
    let recipient = identity.recipient();
    let (grant, title) = (GrantId([0x44; 16]), TitleId([0x33; 16]));
    let binding = GrantBinding { grant, title, epoch: 1, recipient: recipient.key_id() };
    Viewer { identity, recipient, binding }
});

/// Reads a payload: what comes out is what stands in its JSON.
pub fn run_payload(bytes: &[u8]) {
    let Viewer { identity, recipient, binding } = &*VIEWER;
    let mut rng = UnwrapErr(SysRng);
    let aad = binding.aad();
    let Ok(sealed) = envelope::wrap(recipient, Purpose::Grant, &aad, bytes, &mut rng) else {
        return;
    };
    let Ok(payload) = grant::open_payload(identity, binding, &sealed) else { return };
    let json: Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(json["v"], grant::VERSION);
    assert_eq!(json["title"], binding.title.to_string());
    assert_eq!(json["key"], BASE64_URL_SAFE_NO_PAD.encode(payload.key.secret().expose()));
    assert_eq!(json["expires"].as_str(), payload.expires.as_deref());
}

/// A payload that ends and one that doesn't.
#[must_use]
pub fn payload_seeds() -> Vec<Vec<u8>> {
    let key = BASE64_URL_SAFE_NO_PAD.encode([0x5a; 32]);
    let title = VIEWER.binding.title.to_string();
    let endless = json!({ "v": 1, "title": title, "key": key });
    let mut ending = endless.clone();
    ending["expires"] = "2026-11-27T12:00:00Z".into();
    [ending, endless].map(|payload| payload.to_string().into_bytes()).into()
}
