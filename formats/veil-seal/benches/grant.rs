//! What a viewer pays to open a grant, beside one bare X-Wing decapsulation with the same key.
//!
//! They take turns, and each single call is a sample, so whatever slows the machine slows them all. Prints one JSON
//! object for `cargo xtask bench grant`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench fails by panicking and talks to whoever ran it"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::json;
use veil_seal::grant::{self, GrantBinding, GrantKind, GrantPayload, GrantRecord, GrantState};
use veil_seal::id::{GrantId, KeyId, TitleId};
use veil_seal::identity::Identity;
use veil_seal::link::LinkSecret;
use veil_seal::schedule::TitleKey;
use veil_seal::secret::Secret;
use x_wing::{Ciphertext, Decapsulate, DecapsulationKey};

/// Calls of each.
const SAMPLES: usize = 1500;

/// A record as the gateway hands it out, and what a viewer knows besides.
struct Given {
    seed: [u8; 32],
    identity: Identity,
    link: LinkSecret,
    binding: GrantBinding,
    record: Vec<u8>,
    encapsulation: Ciphertext,
}

fn given() -> Given {
    let mut rng = UnwrapErr(SysRng);
    let seed = *Secret::<32>::random(&mut rng).expose();
    let identity = Identity::from_seed(Secret::new(seed));
    let recipient = identity.recipient();
    let binding = GrantBinding {
        grant: GrantId::random(&mut rng),
        title: TitleId::random(&mut rng),
        epoch: 1,
        recipient: recipient.key_id(),
    };
    let expires = Some("2026-11-27T12:00:00Z".to_owned());
    let payload =
        GrantPayload { key: TitleKey::random(&mut rng), variants: None, expires: expires.clone() };
    let record = GrantRecord {
        v: grant::VERSION,
        id: binding.grant.to_string(),
        title: binding.title.to_string(),
        epoch: binding.epoch,
        state: GrantState::Active,
        kind: GrantKind::Recipient,
        bearer_sha256: "0".repeat(64),
        created: "2026-11-20T12:00:00Z".into(),
        expires,
        recipient: Some(binding.recipient.to_string()),
        index: Some(format!("{}.m3u8", "0".repeat(32))),
        preload: vec!["0".repeat(32), "1".repeat(32)],
        pattern: None,
        envelope: Some(grant::seal_payload(&recipient, &binding, &payload, &mut rng).unwrap()),
    };
    let envelope = record.envelope_bytes().unwrap();
    Given {
        seed,
        identity,
        link: LinkSecret::random(&mut rng),
        binding,
        record: serde_json::to_vec(&record).unwrap(),
        encapsulation: Ciphertext::try_from(&envelope[..x_wing::CIPHERTEXT_SIZE]).unwrap(),
    }
}

impl Given {
    /// From the record's bytes to the title key.
    fn open(&self) -> GrantPayload {
        let record: GrantRecord = serde_json::from_slice(&self.record).unwrap();
        let envelope = record.envelope_bytes().unwrap();
        grant::open_payload(&self.identity, &self.binding, &envelope).unwrap()
    }

    /// What the holder of a link pays before: from its secret to an identity and its key id.
    fn derive(&self) -> KeyId {
        self.link.identity().key_id()
    }

    /// The least that opening can cost with this KEM: from a seed to the shared secret.
    fn decapsulate(&self) -> x_wing::SharedKey {
        let key = DecapsulationKey::from(self.seed);
        key.decapsulate(&self.encapsulation)
    }
}

fn time<T>(call: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(call());
    start.elapsed()
}

fn figures(mut samples: Vec<Duration>) -> serde_json::Value {
    samples.sort_unstable();
    let micros = |duration: &Duration| duration.as_secs_f64() * 1e6;
    json!({ "median_us": micros(&samples[samples.len() / 2]), "least_us": micros(&samples[0]) })
}

fn main() {
    let given = given();
    let (mut open, mut derive, mut decapsulate) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        open.push(time(|| given.open()));
        derive.push(time(|| given.derive()));
        decapsulate.push(time(|| given.decapsulate()));
    }
    let figures = json!({
        "samples": SAMPLES,
        "open": figures(open),
        "derive": figures(derive),
        "decapsulate": figures(decapsulate),
    });
    println!("{figures}");
}
