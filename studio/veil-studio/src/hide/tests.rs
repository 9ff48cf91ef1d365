//! Messages through streams of frames that are made here, without FFmpeg.

use std::io::{Seek as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use veil_seal::file::Passphrase;
use veil_seal::hidden::{Finder, HEAD_BYTES};
use veil_stego::{Depth, Picture};

use super::payload::{self, Message};
use super::plan::{self, Profile, Rate};
use super::read::Search;
use super::unpack;
use super::write::{Outcome, Task, pass};
use super::{HideError, HideKeys, PayloadSource, RevealKeys, Spooled, StructuralSecret};

const WIDTH: u32 = 192;
const HEIGHT: u32 = 128;
const FRAME_BYTES: u64 = 192 * 128 * 3 / 2;
const KEY: [u8; 32] = [7; 32];

/// A number of seven bits a byte, as NUT has it.
fn number(number: u64) -> Vec<u8> {
    let groups = (0..10).map(|at| (number >> (7 * at) & 0x7f).to_le_bytes()[0]);
    let mut bytes: Vec<u8> = groups.collect();
    while bytes.len() > 1 && bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes.iter_mut().skip(1).for_each(|byte| *byte |= 0x80);
    bytes.reverse();
    bytes
}

/// A NUT stream of frames; those for which `flat` says so are of one grey.
fn stream(frames: u32, flat: impl Fn(u32) -> bool) -> Vec<u8> {
    // Version, streams, distance, one time base of 1/25; then 255 codes: size in the frame's header.
    let main: Vec<u8> = [3, 1, 100, 1, 1, 25, 32, 6, 0, 1, 0, 0, 0, 255].map(number).concat();
    let mut stream = b"nut/multimedia container\0".to_vec();
    stream.extend(0x4e4d_7a56_1f5f_04ad_u64.to_be_bytes());
    stream.extend(number(main.len() as u64));
    stream.extend(main);
    let mut state = 1_u32;
    for frame in 0..frames {
        stream.push(0);
        stream.extend(number(FRAME_BYTES));
        stream.extend((0..FRAME_BYTES).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if flat(frame) { 90 } else { 60 + (state >> 26).to_le_bytes()[0] }
        }));
    }
    stream
}

fn picture() -> Picture {
    Picture::new(WIDTH, HEIGHT, Depth::Eight, true).unwrap()
}

fn keys() -> HideKeys {
    let secret = StructuralSecret::KeyFile(KEY.to_vec().into());
    HideKeys::new(Some(secret), Vec::new()).unwrap()
}

fn source(name: &str, bytes: &[u8]) -> PayloadSource {
    let content = Spooled::new(bytes, name, 1 << 20, &mut UnwrapErr(SysRng)).unwrap();
    PayloadSource::Spooled { name: name.to_owned(), content }
}

fn packed(bytes: &[u8]) -> Message {
    let sources = [source("note", bytes)];
    payload::pack(&sources, &keys(), 1 << 20, &mut UnwrapErr(SysRng)).unwrap().unwrap()
}

struct Made {
    outcome: Outcome,
    stream: Vec<u8>,
}

fn hidden(
    message: &mut Message,
    from: &[u8],
    frames: (u64, u64),
    (head, threads): (Option<[u8; HEAD_BYTES]>, usize),
) -> Result<Made, HideError> {
    message.spool.rewind().unwrap();
    let sizes = (message.keyring_bytes, message.bytes);
    let (layout, code, schedule) = plan::layout(picture(), frames, sizes, Profile::Default)?;
    let keys = keys();
    let head = head.unwrap_or_else(|| keys.finder.seal_head(&layout, &mut UnwrapErr(SysRng)));
    let task = Task {
        picture: picture(),
        frame_bytes: FRAME_BYTES,
        finder: &keys.finder,
        head,
        code,
        schedule,
        message: &message.spool,
        threads,
        done: &AtomicU64::new(0),
    };
    let mut stream = Vec::new();
    let outcome = pass(task, from, &mut stream)?;
    Ok(Made { outcome, stream })
}

/// What is found, and how many frames were looked at for it.
fn found(stream: &[u8], finder: &Finder) -> (Option<Message>, u64) {
    let done = AtomicU64::new(0);
    let mut search =
        Search::new(std::io::Cursor::new(stream.to_vec()), (picture(), FRAME_BYTES), finder, &done);
    let message = search.message().unwrap();
    if message.is_none() {
        search.drain(u64::MAX);
    }
    drop(search);
    (message, done.load(Ordering::Relaxed))
}

fn reveal_keys() -> RevealKeys {
    RevealKeys::new(Some(StructuralSecret::KeyFile(KEY.to_vec().into())), None).unwrap()
}

#[test]
fn what_was_hidden_is_found_and_unpacked() {
    let from = stream(30, |_| false);
    for length in [0, 1, 3000] {
        let content = vec![42; length];
        let mut message = packed(&content);
        let made = hidden(&mut message, &from, (30, 30), (None, 2)).unwrap();
        assert_eq!(made.outcome, Outcome { frames: 30, usable: 30, end: 30, left_bytes: 0 });
        assert_eq!(made.stream.len(), from.len());
        let opened = unpack::open(found(&made.stream, &keys().finder).0, &reveal_keys()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(opened.unpack(folder.path()).unwrap(), [folder.path().join("note")]);
        assert_eq!(std::fs::read(folder.path().join("note")).unwrap(), content);
        let again = opened.unpack(folder.path());
        assert!(matches!(again, Err(HideError::Exists(path)) if path.ends_with("note")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
    }
}

#[test]
fn the_frames_are_the_same_with_any_number_of_threads() {
    let from = stream(20, |frame| frame % 7 == 3);
    let mut message = packed(&[1; 800]);
    let head = Some([5; HEAD_BYTES]);
    let one = hidden(&mut message, &from, (20, 17), (head, 1)).unwrap();
    for threads in [2, 8] {
        let more = hidden(&mut message, &from, (20, 17), (head, threads)).unwrap();
        assert!(one.stream == more.stream, "{threads} threads");
    }
}

/// The luma planes of a stream's frames.
fn planes(stream: &[u8], frames: usize) -> impl Iterator<Item = &[u8]> {
    let bytes = usize::try_from(FRAME_BYTES).unwrap();
    let each = 1 + number(FRAME_BYTES).len() + bytes;
    let first = stream.len() - frames * each;
    let luma = (WIDTH * HEIGHT) as usize;
    stream[first..].chunks_exact(each).map(move |frame| &frame[each - bytes..][..luma])
}

/// How many samples two runs changed both.
fn changed_by_both(from: &[u8], one: &[u8], other: &[u8], frames: std::ops::Range<usize>) -> usize {
    let count = 120;
    let all = planes(from, count).zip(planes(one, count)).zip(planes(other, count));
    let both = |((was, one), other): ((&[u8], &[u8]), &[u8])| {
        let samples = was.iter().zip(one).zip(other);
        samples.filter(|((was, one), other)| was != one && was != other).count()
    };
    all.skip(frames.start).take(frames.len()).map(both).sum()
}

/// A detector that has two files adds up what it sees at each place. About 45 of 24,576 samples of a frame change, so chance alone
/// meets 10 times in 119 frames, and 40 times if the same quarter of the samples were used.
#[test]
fn what_changes_in_two_files_lies_at_different_places() {
    let from = stream(120, |_| false);
    let mut message = packed(&from[500..3300]);
    let frames = (120, 120);
    let [one, other] = [None, None].map(|head| hidden(&mut message, &from, frames, (head, 2)));
    let (one, other) = (one.unwrap().stream, other.unwrap().stream);
    let met = changed_by_both(&from, &one, &other, 1..120);
    assert!(met < 25, "the same film, payload and key: {met} samples changed twice");

    // Another film, by a sample of its chroma: its head lies elsewhere.
    let mut film = from.clone();
    let last_of_first = from.len() - 119 * (from.len() / 120) - 10;
    film[last_of_first] ^= 1;
    let film = hidden(&mut message, &film, frames, (None, 2)).unwrap().stream;
    let met = changed_by_both(&from, &one, &film, 0..1);
    assert!(met < 6, "the heads of two films: {met} samples changed twice");

    let salt = Some([5; HEAD_BYTES]);
    let [one, other] = [salt, salt].map(|head| hidden(&mut message, &from, frames, (head, 2)));
    let met = changed_by_both(&from, &one.unwrap().stream, &other.unwrap().stream, 1..120);
    assert!(met > 3000, "with one salt for both it shows: {met} samples changed twice");
}

#[test]
fn every_frame_is_read_where_there_is_nothing_for_a_key() {
    let plain = stream(12, |_| false);
    let mut message = packed(b"x");
    let made = hidden(&mut message, &plain, (12, 12), (None, 2)).unwrap();
    let other = Passphrase::new("another".to_owned().into()).unwrap();
    let other = Finder::of_passphrase(&other).unwrap();
    for (stream, finder) in [(&plain, &keys().finder), (&made.stream, &other)] {
        let (message, frames) = found(stream, finder);
        assert!(message.is_none());
        assert_eq!(frames, 12);
    }
}

#[test]
fn a_changed_or_cut_stream_gives_nothing_and_never_wrong_bytes() {
    let from = stream(12, |_| false);
    let mut message = packed(&[9; 600]);
    let made = hidden(&mut message, &from, (12, 12), (None, 2)).unwrap();
    let opens =
        |stream: &[u8]| unpack::open(found(stream, &keys().finder).0, &reveal_keys()).is_some();
    assert!(opens(&made.stream));
    let frame = from.len() / 12;
    assert!(!opens(&made.stream[..11 * frame]));
    for at in [1, 6, 11] {
        let mut changed = made.stream.clone();
        let luma = changed.len() - (12 - at) * frame + 100;
        changed[luma..luma + 20_000].iter_mut().for_each(|sample| *sample ^= 1);
        assert!(!opens(&changed), "frame {at}");
    }
}

#[test]
fn flat_frames_at_either_end_are_found_out_and_planned_around() {
    let from = stream(24, |frame| !(4..16).contains(&frame));
    let mut message = packed(&[3; 900]);
    let first = hidden(&mut message, &from, (24, 24), (None, 2)).unwrap().outcome;
    assert_eq!((first.frames, first.usable, first.end), (24, 12, 16));
    assert!(first.left_bytes > 0);
    let again = hidden(&mut message, &from, (16, 12), (None, 2)).unwrap();
    assert_eq!(again.outcome.left_bytes, 0);
    assert!(unpack::open(found(&again.stream, &keys().finder).0, &reveal_keys()).is_some());
    let flat = stream(5, |_| true);
    let nothing = hidden(&mut message, &flat, (5, 5), (None, 2)).unwrap();
    assert_eq!(nothing.outcome.left_bytes, message.bytes + HEAD_BYTES as u64);
    assert!(nothing.stream == flat);
}

#[test]
fn frames_of_another_size_are_refused() {
    let mut from = stream(3, |_| false);
    from.push(0);
    from.extend(number(10));
    from.write_all(&[0; 10]).unwrap();
    let made = hidden(&mut packed(b"x"), &from, (4, 4), (None, 2));
    assert!(matches!(made, Err(HideError::Uneven)));
    let cut = hidden(&mut packed(b"x"), &stream(3, |_| false)[..90_000], (3, 3), (None, 2));
    assert!(matches!(cut, Err(HideError::Io { .. })));
}

#[test]
fn a_payload_that_does_not_fit_is_refused_while_it_is_packed() {
    let content: Vec<u8> =
        (0..40_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    let sources = [source("x", &content)];
    let pack = |most| payload::pack(&sources, &keys(), most, &mut UnwrapErr(SysRng)).unwrap();
    // A keyring ends with its last byte that isn't zero: one in 256 is shorter than the longest.
    let longest = (0..8).map(|_| pack(1 << 20).unwrap().bytes).max().unwrap();
    assert!((0..8).any(|_| pack(longest - 1).is_none()));
    assert!(pack(longest).unwrap().bytes <= longest);
}

#[test]
fn whatever_fits_by_its_rate_can_be_planned() {
    for frames in [1, 2, 24, 1000] {
        for rate in [Rate::DEFAULT, Rate::WARN, Rate::MAX] {
            let most = plan::body_bytes_max(picture(), frames, rate);
            for bytes in [1.min(most), most / 3, most.saturating_sub(1), most]
                .into_iter()
                .filter(|bytes| *bytes > 0)
            {
                for profile in [Profile::Default, Profile::Careful] {
                    let planned = plan::layout(picture(), (frames, frames), (0, bytes), profile);
                    assert!(planned.is_ok(), "{bytes} bytes in {frames} frames at {rate}");
                }
            }
        }
    }
}

#[test]
fn rates_are_read_within_their_limits() {
    assert_eq!("0.05".parse(), Ok(Rate::WARN));
    assert_eq!(Rate::MAX.to_string().parse(), Ok(Rate::MAX));
    for wrong in ["0", "0.41", "-1", "x", "NaN"] {
        assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
    }
}
