//! The opener of envelopes: it opens for its identity, purpose and place alone, and only as it was made.

use std::sync::LazyLock;

use veil_seal::envelope::{self, Purpose};
use veil_seal::identity::Identity;

use crate::vectors::{cases, hex, text};

const VECTORS: &str = include_str!("../../vectors/envelope.json");

struct Letter {
    identity: Identity,
    aad: Vec<u8>,
    envelope: Vec<u8>,
    payload: Vec<u8>,
}

/// The first vector that opens.
static LETTER: LazyLock<Letter> = LazyLock::new(|| {
    let cases = cases(VECTORS);
    let case = cases.iter().find(|case| is_ours(case)).unwrap();
    Letter {
        identity: Identity::parse(text(case, "identity")).unwrap(),
        aad: hex(case, "aad"),
        envelope: hex(case, "envelope"),
        payload: hex(case, "payload"),
    }
});

fn is_ours(case: &serde_json::Value) -> bool {
    !case["payload"].is_null() && case["info"] == "veilcast/grant/v1"
}

/// Unwraps `bytes`.
pub fn run(bytes: &[u8]) {
    let letter = &*LETTER;
    let opened = envelope::unwrap(&letter.identity, Purpose::Grant, &letter.aad, bytes).ok();
    let expected = (bytes == letter.envelope).then_some(&letter.payload);
    assert!(opened.as_deref() == expected, "a forged envelope opens");
}

/// The envelopes of the vectors, those that must be refused among them.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    cases(VECTORS).iter().map(|case| hex(case, "envelope")).collect()
}
