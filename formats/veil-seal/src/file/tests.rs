//! A file's front as a whole: unlocking, changing, tearing, tampering.

use getrandom::SysRng;
use rand_core::UnwrapErr;

use super::*;
use crate::SealError;
use crate::chunks;
use crate::identity::{Identity, Recipient};

const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

fn identity(seed: u8) -> Identity {
    Identity::from_seed(Secret::new([seed; 32]))
}

fn recipients(seeds: impl IntoIterator<Item = u8>) -> Vec<Recipient> {
    seeds.into_iter().map(|seed| identity(seed).recipient()).collect()
}

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse".to_owned().into()).ok().unwrap()
}

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A header for the identities of `seeds`.
fn header(seeds: impl IntoIterator<Item = u8>) -> Vec<u8> {
    new_header(&FileKey(Secret::new([7; 32])), &recipients(seeds), None, &mut rng()).unwrap()
}

fn unlock(header: &[u8], seed: u8) -> Result<Unlocked, SealError> {
    Header::parse(header)?.unlock(&[identity(seed)], None)
}

fn error<T>(result: Result<T, SealError>) -> SealError {
    result.map(|_| ()).unwrap_err()
}

fn apply(header: &mut [u8], patch: &Patch) {
    let at = usize::try_from(patch.offset).unwrap();
    header[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
}

/// Applies a change that fits; what the file looked like between the two writes comes back.
fn change(header: &mut [u8], unlocked: Unlocked) -> Vec<u8> {
    let Change::InPlace { write, wipe } = unlocked.change(&mut rng()).unwrap() else {
        panic!("the change needs a new file")
    };
    apply(header, &write);
    let between = header.to_vec();
    apply(header, &wipe);
    between
}

#[test]
fn every_recipient_unlocks_and_nobody_else() {
    let header = header([1, 2, 3]);
    assert_eq!(header.len(), 2 * MIN_HALF_BYTES);
    for seed in [1, 2, 3] {
        let unlocked = unlock(&header, seed).unwrap();
        assert_eq!(unlocked.key().secret().expose(), &[7; 32]);
        assert_eq!(unlocked.body_offset(), header.len() as u64);
    }
    assert_eq!(error(unlock(&header, 4)), SealError::WrongIdentity);
    let summary = Header::parse(&header).unwrap().summary();
    assert_eq!((summary.recipients, summary.passphrase, summary.sequence), (3, None, 1));
}

#[test]
fn the_keyring_shows_its_recipients_only_to_who_can_open_it() {
    let header = header([1, 2]);
    let ids: Vec<_> = unlock(&header, 2).unwrap().recipients().collect();
    let expected: Vec<_> = recipients([1, 2]).iter().map(Recipient::key_id).collect();
    assert_eq!(ids, expected);
    let shown = |id: &[u8]| header.windows(id.len()).any(|window| window == id);
    assert!(!ids.iter().any(|id| shown(&id.0)));
}

#[test]
fn a_passphrase_opens_beside_recipients_or_alone() {
    let key = FileKey(Secret::new([7; 32]));
    for seeds in [vec![], vec![1]] {
        let made = Some((&passphrase(), CHEAP));
        let header = new_header(&key, &recipients(seeds), made, &mut rng()).unwrap();
        let header = Header::parse(&header).unwrap();
        assert_eq!(header.summary().passphrase, Some(CHEAP));
        assert!(header.unlock(&[], Some(&passphrase())).is_ok());
        let wrong = Passphrase::new("wrong horse".to_owned().into()).unwrap();
        assert_eq!(error(header.unlock(&[], Some(&wrong))), SealError::WrongPassphrase);
        assert_eq!(error(header.unlock(&[identity(9)], None)), SealError::WrongIdentity);
    }
}

#[test]
fn a_file_for_nobody_or_for_too_many_is_refused() {
    let key = FileKey(Secret::new([7; 32]));
    let nobody = new_header(&key, &[], None, &mut rng());
    assert_eq!(error(nobody), SealError::NoRecipient);
    let mut unlocked = unlock(&header([1]), 1).unwrap();
    assert!(unlocked.remove(identity(1).recipient().key_id()));
    assert_eq!(error(unlocked.change(&mut rng())), SealError::NoRecipient);
    let most = half::fitting_bytes(MAX_RECIPIENTS);
    assert!(most <= MAX_HALF_BYTES, "{most}");
}

#[test]
fn the_same_recipient_twice_is_there_once() {
    let unlocked = unlock(&header([1, 1, 2]), 2).unwrap();
    assert_eq!(unlocked.recipients().len(), 2);
}

#[test]
fn recipients_change_in_place_back_and_forth() {
    let mut file = header([1]);
    for round in 0..4 {
        let mut unlocked = unlock(&file, 1).unwrap();
        let two = identity(2).recipient();
        if round % 2 == 0 {
            assert!(unlocked.add(&two, &mut rng()).unwrap());
            assert!(!unlocked.add(&two, &mut rng()).unwrap());
        } else {
            assert!(unlocked.remove(two.key_id()));
            assert!(!unlocked.remove(two.key_id()));
        }
        change(&mut file, unlocked);
        assert!(unlock(&file, 1).is_ok());
        assert_eq!(unlock(&file, 2).is_ok(), round % 2 == 0, "round {round}");
        let summary = Header::parse(&file).unwrap().summary();
        assert_eq!(summary.sequence, round + 2);
    }
}

#[test]
fn nothing_of_a_removed_recipient_stays_in_the_file() {
    let mut file = header([1, 2]);
    let envelopes = Header::parse(&file).unwrap();
    drop(envelopes);
    let before = file.clone();
    let mut unlocked = unlock(&file, 1).unwrap();
    let in_use = unlocked.in_use();
    assert!(unlocked.remove(identity(2).recipient().key_id()));
    change(&mut file, unlocked);
    let old = usize::try_from(in_use.start).unwrap()..usize::try_from(in_use.end).unwrap();
    assert!(file[old][PREFIX_BYTES..].iter().all(|byte| *byte == 0));
    let second = &before[64 + half::ENVELOPE_BYTES..64 + 2 * half::ENVELOPE_BYTES];
    assert!(!file.windows(64).any(|window| window == &second[..64]));
}

#[test]
fn a_crash_at_any_byte_of_a_change_leaves_a_file_that_opens() {
    let before = header([1]);
    let mut unlocked = unlock(&before, 1).unwrap();
    unlocked.add(&identity(2).recipient(), &mut rng()).unwrap();
    let Change::InPlace { write, wipe } = unlocked.change(&mut rng()).unwrap() else { panic!() };
    for written in (0..=write.bytes.len()).step_by(17) {
        let mut torn = before.clone();
        let part = Patch { offset: write.offset, bytes: write.bytes[..written].to_vec() };
        apply(&mut torn, &part);
        assert!(unlock(&torn, 1).is_ok(), "{written} bytes of the new keyring");
    }
    let mut both = before.clone();
    apply(&mut both, &write);
    assert!(unlock(&both, 2).is_ok(), "the new keyring is the one that counts");
    for wiped in (0..=wipe.bytes.len()).step_by(17) {
        let mut torn = both.clone();
        apply(&mut torn, &Patch { offset: wipe.offset, bytes: wipe.bytes[..wiped].to_vec() });
        assert!(unlock(&torn, 2).is_ok(), "{wiped} bytes of the old one wiped");
    }
}

#[test]
fn more_recipients_than_fit_ask_for_a_new_file() {
    let mut unlocked = unlock(&header([1, 2, 3]), 1).unwrap();
    unlocked.add(&identity(4).recipient(), &mut rng()).unwrap();
    let Change::Anew(header) = unlocked.change(&mut rng()).unwrap() else { panic!() };
    assert_eq!(header.len(), 4 * MIN_HALF_BYTES);
    for seed in 1..=4 {
        assert_eq!(unlock(&header, seed).unwrap().key().secret().expose(), &[7; 32]);
    }
}

#[test]
fn a_passphrase_can_come_and_go() {
    let mut file = header([1, 2, 3]);
    let mut unlocked = unlock(&file, 1).unwrap();
    unlocked.set_passphrase(Some((&passphrase(), CHEAP)), &mut rng()).unwrap();
    change(&mut file, unlocked);
    let unlocked = Header::parse(&file).unwrap().unlock(&[], Some(&passphrase()));
    let mut unlocked = unlocked.unwrap();
    unlocked.set_passphrase(None, &mut rng()).unwrap();
    change(&mut file, unlocked);
    assert!(!unlock(&file, 1).unwrap().has_passphrase());
}

#[test]
fn a_changed_byte_in_the_half_in_use_is_refused() {
    let whole = header([1, 2]);
    for at in 0..MIN_HALF_BYTES {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        assert!(unlock(&changed, 1).is_err(), "byte {at}");
    }
}

#[test]
fn a_changed_byte_in_the_empty_half_changes_nothing() {
    let whole = header([1]);
    for at in (MIN_HALF_BYTES..2 * MIN_HALF_BYTES).step_by(13) {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        assert_eq!(unlock(&changed, 1).unwrap().key().secret().expose(), &[7; 32], "byte {at}");
    }
}

/// Makes the checksum right again, as somebody who tampers would.
fn with_checksum(mut file: Vec<u8>) -> Vec<u8> {
    use sha2::Digest as _;
    file[32..64].fill(0);
    let sum = sha2::Sha256::digest(&file[..MIN_HALF_BYTES]);
    file[32..64].copy_from_slice(&sum);
    file
}

#[test]
fn a_keyring_that_somebody_else_changed_is_told_from_a_torn_one() {
    let whole = header([1, 2]);
    assert!(unlock(&with_checksum(whole.clone()), 1).is_ok());
    let envelope = half::ENVELOPE_BYTES;
    let mut without_bob = whole[..64 + envelope].to_vec();
    without_bob.extend_from_slice(&whole[64 + 2 * envelope..MIN_HALF_BYTES]);
    without_bob.resize(2 * MIN_HALF_BYTES, 0);
    without_bob[29] = 1;
    let directory_end = 64 + envelope + 72 + 16;
    without_bob[directory_end..].fill(0);
    let mut raised = whole.clone();
    raised[27] = 9;
    let mut other_envelope = whole.clone();
    other_envelope[64 + envelope..64 + 2 * envelope]
        .copy_from_slice(&header([3])[64..64 + envelope]);
    for (what, changed) in
        [("removed", without_bob), ("sequence", raised), ("replaced", other_envelope)]
    {
        let refused = error(unlock(&with_checksum(changed), 1));
        assert_eq!(refused, SealError::TamperedKeyring, "{what}");
    }
}

#[test]
fn a_body_under_another_keyring_is_refused() {
    let (mine, other) = (FileKey(Secret::new([7; 32])), FileKey(Secret::new([8; 32])));
    let body = chunks::seal(&other.body_key(), BODY_CONTEXT, &[1; 24], b"text").unwrap();
    let opened = chunks::open(&mine.body_key(), BODY_CONTEXT, &body);
    assert_eq!(opened, Err(SealError::WrongKey));
}

#[test]
fn what_is_no_sealed_file_is_told() {
    let check = |bytes: &[u8], expected| assert_eq!(error(Header::parse(bytes)), expected);
    check(b"", SealError::NotSealed);
    check(b"age-encryption.org/v1\n", SealError::NotSealed);
    check(&[0; 9000], SealError::NotSealed);
    let whole = header([1]);
    check(&whole[..19], SealError::NotSealed);
    check(&whole[..8191], SealError::Truncated);
    let mut version = whole.clone();
    version[15] = b'2';
    check(&version, SealError::UnknownVersion { what: "the sealed file" });
    for size in [0_u32, 1, 4095, 4097, 2 << 20 | 4096, u32::MAX] {
        let mut changed = whole.clone();
        changed[16..20].copy_from_slice(&size.to_be_bytes());
        check(&changed, SealError::Malformed { what: "the size of the keyring" });
    }
    check(&half::empty(MIN_HALF_BYTES).repeat(2), SealError::TamperedKeyring);
}

#[test]
fn the_most_recipients_fit_and_the_last_one_unlocks() {
    let mut unlocked = unlock(&header([1]), 1).unwrap();
    for number in 1..u16::try_from(MAX_RECIPIENTS).unwrap() {
        let mut seed = [0xee; 32];
        seed[..2].copy_from_slice(&number.to_be_bytes());
        let other = Identity::from_seed(Secret::new(seed)).recipient();
        assert!(unlocked.add(&other, &mut rng()).unwrap());
    }
    let Change::Anew(header) = unlocked.change(&mut rng()).unwrap() else { panic!() };
    assert_eq!(unlock(&header, 1).unwrap().recipients().len(), MAX_RECIPIENTS);
}
