//! The opener of sealed objects: what opens is one of the objects that were sealed, byte for byte.

use std::sync::LazyLock;

use veil_seal::chunks::{self, CHUNK_BYTES};
use veil_seal::secret::Secret;

use crate::vectors::{cases, hex};

const VECTORS: &str = include_str!("../../vectors/sealed-object.json");

/// Key and context of all seeds, so that a mix of two of them has a chance to open.
struct Sealed {
    key: Secret<32>,
    context: Vec<u8>,
    plaintexts: Vec<Vec<u8>>,
    objects: Vec<Vec<u8>>,
}

static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let case = &cases(VECTORS)[0];
    let key = Secret::from_slice(&hex(case, "key"), "the key").unwrap();
    let context = hex(case, "context");
    let lengths = [0, 1, 1000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES];
    let plaintexts: Vec<Vec<u8>> = lengths.into_iter().map(|length| vec![0x5a; length]).collect();
    let salt = hex(case, "salt").try_into().unwrap();
    let seal = |plaintext: &Vec<u8>| chunks::seal(&key, &context, &salt, plaintext).unwrap();
    let objects = plaintexts.iter().map(seal).collect();
    Sealed { key, context, plaintexts, objects }
});

/// Opens `bytes`.
pub fn run(bytes: &[u8]) {
    let sealed = &*SEALED;
    let expected = sealed.objects.iter().position(|object| object == bytes);
    let opened = chunks::open(&sealed.key, &sealed.context, bytes).ok();
    assert!(opened.as_ref() == expected.map(|at| &sealed.plaintexts[at]), "a forged object opens");
}

/// Objects of lengths around the edges of chunks.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    SEALED.objects.clone()
}
