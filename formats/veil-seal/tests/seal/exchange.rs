//! Live exchange in both directions: what we seal two foreign libraries open, and the other way round.
//!
//! One run of an oracle answers all cases of a test. Every third case is damaged after it was sealed:
//! the oracle has to refuse it too, so an oracle that agrees with everything fails here.

use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::{Value, json};
use veil_seal::chunks::{self, CHUNK_BYTES};
use veil_seal::envelope::{self, Purpose};
use veil_seal::identity::{Identity, Recipient};
use veil_seal::secret::Secret;
use veil_testkit::oracle;

use crate::vectors::pattern;

/// Asks a script in `tests/oracles`.
pub(crate) fn ask(script: &str, request: &Value) -> Vec<Value> {
    let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracles");
    oracle(&scripts.join(script), request).as_array().unwrap().clone()
}

fn to_text(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn to_bytes(text: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap()
}

/// How we open what an oracle sealed.
type Open = Box<dyn Fn(&[u8]) -> Option<Vec<u8>>>;

/// Something sealed by us for an oracle.
struct Case {
    /// What the oracle is told besides `plaintext` and `sealed`.
    facts: Value,
    plaintext: Vec<u8>,
    sealed: Vec<u8>,
    open: Open,
}

/// Hands the cases to an oracle and holds its answers: it opens ours, and we open its.
fn check_exchange(script: &str, question: &str, mut cases: Vec<Case>) {
    let is_damaged = |at: usize| at % 3 == 2;
    for (at, case) in cases.iter_mut().enumerate().filter(|(at, _)| is_damaged(*at)) {
        let byte = at * 131 % case.sealed.len();
        case.sealed[byte] ^= 0x10;
        assert_eq!((case.open)(&case.sealed), None, "case {at} damaged at {byte}");
    }
    let asked: Vec<Value> = cases.iter().map(asked).collect();
    let answers = ask(script, &json!({ "ask": question, "cases": asked }));
    assert_eq!(answers.len(), cases.len());
    for (at, (case, answer)) in cases.iter().zip(&answers).enumerate() {
        let expected = if is_damaged(at) { Value::Null } else { to_text(&case.plaintext).into() };
        assert!(answer["opened"] == expected, "{script} opens case {at}: {}", case.facts);
        let opened = (case.open)(&to_bytes(&answer["sealed"]));
        assert!(opened.as_ref() == Some(&case.plaintext), "ours opens case {at}: {}", case.facts);
    }
}

fn asked(case: &Case) -> Value {
    let mut asked = case.facts.clone();
    asked["plaintext"] = to_text(&case.plaintext).into();
    asked["sealed"] = to_text(&case.sealed).into();
    asked
}

/// Lengths around the edges of the first chunks and of the batches in which players work.
fn lengths() -> impl Iterator<Item = usize> {
    let edges = [0, 1, 2, 16, 64, 256].into_iter().map(|chunk| chunk * CHUNK_BYTES);
    edges.flat_map(|edge: usize| edge.saturating_sub(1)..=edge + 1)
}

fn object(at: usize, length: usize) -> Case {
    let (plaintext, context) = (pattern(length), pattern(at * 3));
    let (key, salt) = ([u8::try_from(at).unwrap(); 32], pattern(at + 24)[at..].try_into().unwrap());
    let sealed = chunks::seal(&Secret::new(key), &context, &salt, &plaintext).unwrap();
    let facts = json!({ "key": to_text(&key), "context": to_text(&context) });
    let open = move |sealed: &[u8]| chunks::open(&Secret::new(key), &context, sealed).ok();
    Case { facts, plaintext, sealed, open: Box::new(open) }
}

#[test]
fn sealed_objects_go_both_ways_with_pyca() {
    let cases = lengths().enumerate().map(|(at, length)| object(at, length)).collect();
    check_exchange("pyca.py", "cobblestone", cases);
}

const PURPOSES: [(Purpose, &str); 2] =
    [(Purpose::Grant, "veilcast/grant/v1"), (Purpose::TitleKey, "veilcast/title-key/v1")];

fn letter(at: usize) -> Case {
    let mut rng = UnwrapErr(SysRng);
    let (purpose, info) = PURPOSES[at % PURPOSES.len()];
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    let (plaintext, aad) = (pattern(at * at), pattern(at));
    let recipient = Identity::from_seed(Secret::new(seed)).recipient();
    let sealed = envelope::wrap(&recipient, purpose, &aad, &plaintext, &mut rng).unwrap();
    let facts =
        json!({ "seed": to_text(&seed), "info": to_text(info.as_bytes()), "aad": to_text(&aad) });
    let open = move |sealed: &[u8]| {
        let identity = Identity::from_seed(Secret::new(seed));
        envelope::unwrap(&identity, purpose, &aad, sealed).ok().map(|opened| opened.to_vec())
    };
    Case { facts, plaintext, sealed, open: Box::new(open) }
}

#[test]
fn envelopes_go_both_ways_with_pyca() {
    check_exchange("pyca.py", "hpke", (0..60).map(letter).collect());
}

#[test]
fn envelopes_go_both_ways_with_noble() {
    check_exchange("noble.mjs", "hpke", (0..60).map(letter).collect());
}

#[test]
fn identities_and_recipients_go_both_ways_with_age() {
    let mut rng = UnwrapErr(SysRng);
    let ours: Vec<Identity> = (0..12).map(|_| Identity::random(&mut rng)).collect();
    let pair = |one: &Identity| json!({ "identity": *one.to_text(), "recipient": one.recipient().to_string() });
    let cases: Vec<Value> = ours.iter().map(pair).collect();
    let answers = ask("age.mjs", &json!({ "cases": cases }));
    assert_eq!(answers.len(), cases.len());
    for (asked, answer) in cases.iter().zip(&answers) {
        assert_eq!(answer["recipient"], asked["recipient"]);
        assert_eq!(answer["opens"], true);
        let identity = Identity::parse(answer["own"]["identity"].as_str().unwrap()).unwrap();
        let recipient = answer["own"]["recipient"].as_str().unwrap();
        assert_eq!(identity.recipient().to_string(), recipient);
        assert_eq!(recipient.parse::<Recipient>(), Ok(identity.recipient()));
    }
}
