//! `vectors/sealed-file.json`: files that open, and files that must not, with the reason.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use veil_seal::file::{
    BODY_CONTEXT, Change, Cost, FileKey, Header, MIN_HALF_BYTES, Passphrase, Patch, Unlocked,
    new_header,
};
use veil_seal::identity::Identity;
use veil_seal::secret::Secret;
use veil_seal::{SealError, chunks};

use crate::vectors::{check, hex, pattern, unhex};

/// Cheap, so that the browser's tests don't wait for it.
const COST: Cost = Cost { memory_kib: 64, passes: 2, lanes: 2 };
const PASSPHRASE: &str = "correct horse – 電池";
const HALF: usize = MIN_HALF_BYTES;

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

fn seed(number: u8) -> [u8; 32] {
    [number; 32]
}

fn identity(number: u8) -> Identity {
    Identity::from_seed(Secret::new(seed(number)))
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned().into()).unwrap()
}

/// A file for the identities of `numbers`, maybe with the passphrase, with `length` bytes inside.
fn file(numbers: &[u8], with_passphrase: bool, length: usize) -> Vec<u8> {
    let key = FileKey::random(&mut rng());
    let recipients: Vec<_> = numbers.iter().map(|number| identity(*number).recipient()).collect();
    let passphrase = passphrase(PASSPHRASE);
    let wanted = with_passphrase.then_some((&passphrase, COST));
    let header = new_header(&key, &recipients, wanted, &mut rng()).unwrap();
    let body = chunks::seal(&key.body_key(), BODY_CONTEXT, &[5; 24], &pattern(length)).unwrap();
    [header, body].concat()
}

fn unlocked(file: &[u8], number: u8) -> Unlocked {
    Header::parse(file).unwrap().unlock(&[identity(number)], None).unwrap()
}

fn apply(file: &mut [u8], patch: &Patch) {
    let at = usize::try_from(patch.offset).unwrap();
    file[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
}

/// The file with identity 2 as a recipient too; the old keyring stays where `wiped` is false.
fn with_second(mut file: Vec<u8>, wiped: bool) -> Vec<u8> {
    let mut unlocked = unlocked(&file, 1);
    unlocked.add(&identity(2).recipient(), &mut rng()).unwrap();
    let Change::InPlace { write, wipe } = unlocked.change(&mut rng()).unwrap() else {
        panic!("it fits")
    };
    apply(&mut file, &write);
    if wiped {
        apply(&mut file, &wipe);
    }
    file
}

/// Makes the checksum of the first half right again, as somebody who tampers would.
fn with_checksum(mut file: Vec<u8>) -> Vec<u8> {
    file[32..64].fill(0);
    let sum = Sha256::digest(&file[..HALF]);
    file[32..64].copy_from_slice(&sum);
    file
}

fn changed(mut file: Vec<u8>, at: usize) -> Vec<u8> {
    file[at] ^= 1;
    file
}

fn without_zeros(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    hex(&bytes[..end])
}

/// A case: the halves are written without the zeros at their ends.
fn case(name: &str, file: &[u8], numbers: &[u8], phrase: Option<&str>) -> Value {
    let (front, body) = file.split_at(file.len().min(2 * HALF));
    let identities: Vec<String> = numbers.iter().map(|number| hex(&seed(*number))).collect();
    let opened = open(file, numbers.iter().map(|number| seed(*number)), phrase);
    json!({
        "name": name,
        "half_bytes": HALF,
        "halves": front.chunks(HALF).map(without_zeros).collect::<Vec<_>>(),
        "body": hex(body),
        "identities": identities,
        "passphrase": phrase,
        "opened": opened.as_ref().ok(),
        "refused": opened.as_ref().err(),
    })
}

/// Opens a whole file; what is in it, or why not in the words that the browser uses too.
fn open(
    file: &[u8],
    seeds: impl Iterator<Item = [u8; 32]>,
    phrase: Option<&str>,
) -> Result<Value, &'static str> {
    let identities: Vec<_> = seeds.map(|seed| Identity::from_seed(Secret::new(seed))).collect();
    let phrase = phrase.map(passphrase);
    let opened = Header::parse(file).and_then(|header| {
        let unlocked = header.unlock(&identities, phrase.as_ref())?;
        let body = &file[usize::try_from(unlocked.body_offset()).unwrap()..];
        let plaintext = chunks::open(&unlocked.key().body_key(), BODY_CONTEXT, body)?;
        assert_eq!(plaintext, pattern(plaintext.len()));
        Ok(json!({
            "plaintext_length": plaintext.len(),
            "recipients": unlocked.recipients().map(|id| id.to_string()).collect::<Vec<_>>(),
            "sequence": header.summary().sequence,
        }))
    });
    opened.map_err(|error| match error {
        SealError::NotSealed => "not-sealed",
        SealError::UnknownVersion { .. } => "version",
        SealError::WrongIdentity => "identity",
        SealError::WrongPassphrase => "passphrase",
        SealError::TamperedKeyring | SealError::Malformed { .. } => "keyring",
        SealError::Truncated | SealError::Tampered { .. } | SealError::WrongKey => "body",
        other => panic!("{other}"),
    })
}

fn cases() -> Vec<Value> {
    let one = file(&[1], false, 100);
    let three = file(&[1, 2, 3], false, 16_384);
    let phrase = Some(PASSPHRASE);
    let mut cases = vec![
        case("one recipient", &one, &[1], None),
        case("an empty file", &file(&[1], false, 0), &[1], None),
        case("three recipients, the last one opens", &three, &[9, 3], None),
        case("a passphrase alone", &file(&[], true, 3), &[], phrase),
        case("a passphrase beside a recipient", &file(&[1], true, 3), &[9], phrase),
        case("the second half in use", &with_second(one.clone(), true), &[2], None),
        case("both halves whole: the higher counts", &with_second(one.clone(), false), &[2], None),
    ];
    let torn = with_second(one.clone(), false);
    let torn = changed(torn, HALF + 2000);
    cases.push(case("a torn second half: the first counts", &torn, &[1], None));
    cases.push(case("a torn second half holds nobody", &torn, &[2], None));
    cases.push(case("another identity", &one, &[2], None));
    let wrong = Some("correct horse");
    cases.push(case("another passphrase", &file(&[], true, 3), &[], wrong));
    cases.push(case("no identity", &file(&[], true, 3), &[], None));
    cases.push(case("a broken checksum", &changed(one.clone(), 40), &[1], None));
    let raised = with_checksum(changed(one.clone(), 27));
    cases.push(case("another sequence, the checksum made right", &raised, &[1], None));
    let replaced = with_checksum(changed(three, 64 + 1168 + 5));
    cases.push(case("another's envelope changed", &replaced, &[1], None));
    let (mine, other) = (file(&[1], false, 10), file(&[1], false, 10));
    let moved = [&mine[..2 * HALF], &other[2 * HALF..]].concat();
    cases.push(case("a body under another keyring", &moved, &[1], None));
    cases.push(case("a changed body", &changed(one.clone(), 2 * HALF + 60), &[1], None));
    cases.push(case("a truncated body", &one[..one.len() - 1], &[1], None));
    cases.push(case("no sealed file", &changed(one.clone(), 3), &[1], None));
    cases.push(case("a version of the future", &changed(one.clone(), 15), &[1], None));
    cases.push(case("a keyring of no size", &changed(one, 18), &[1], None));
    cases
}

#[test]
fn the_sealed_file_vectors_hold() {
    let about = "Sealed files. Halves are written without the zeros at their ends; the plaintext's byte i is (7*i + 3*floor(i/256)) mod 256.";
    check("sealed-file", about, cases, |case| {
        let mut file = Vec::new();
        for half in case["halves"].as_array().unwrap() {
            let mut half = unhex(half);
            half.resize(usize::try_from(case["half_bytes"].as_u64().unwrap()).unwrap(), 0);
            file.extend_from_slice(&half);
        }
        file.extend_from_slice(&unhex(&case["body"]));
        let identities = case["identities"].as_array().unwrap().iter();
        let seeds = identities.map(|seed| unhex(seed).try_into().unwrap());
        let opened = open(&file, seeds, case["passphrase"].as_str());
        assert_eq!(
            opened.as_ref().ok().unwrap_or(&Value::Null),
            &case["opened"],
            "{}",
            case["name"]
        );
        let refused = opened.err().map_or(Value::Null, Value::from);
        assert_eq!(refused, case["refused"], "{}", case["name"]);
    });
}
