//! Hidden messages: a head that opens is one that was sealed, shares of whatever length add up, and of any frame at all
//! what was written is read.
//!
//! A message's keyring and its sealed archive are files (`file`); unpacking, which needs a folder to unpack into, is the studio's
//! and has the like of this in its tests.

use std::sync::LazyLock;

use veil_seal::hidden::{Finder, HEAD_BYTES, Layout};
use veil_stego::lossless::{Code, Frame, Part, Reader, Schedule, Writer, luma_bytes};
use veil_stego::{Depth, Height, Picture, StructuralKey, Walk};

use crate::vectors::{cases, hex};

const VECTORS: &str = include_str!("../../vectors/hidden.json");

/// The vector with a key file, whose finder costs nothing to make.
struct Sealed {
    finder: Finder,
    head: Vec<u8>,
    layout: Layout,
}

static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let cases = cases(VECTORS);
    let case = cases.iter().find(|case| case["key_file"].is_string()).unwrap();
    let (finder, _) = Finder::of_key_file(&hex(case, "key_file")).unwrap();
    let head = hex(case, "head");
    let layout = finder.open_head(head.as_slice().try_into().unwrap()).unwrap();
    Sealed { finder, head, layout }
});

/// Opens `bytes` as a head.
pub fn run_head(bytes: &[u8]) {
    let sealed = &*SEALED;
    let Ok(head) = <&[u8; HEAD_BYTES]>::try_from(bytes) else { return };
    let opened = sealed.finder.open_head(head).ok();
    let expected = (bytes == sealed.head).then_some(sealed.layout);
    assert_eq!(opened, expected, "a forged head opens");
}

/// The head of the vector.
#[must_use]
pub fn head_seeds() -> Vec<Vec<u8>> {
    vec![SEALED.head.clone()]
}

/// Takes numbers off the front of an input, zeros behind its end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_at(N.min(self.0.len()));
        self.0 = rest;
        let mut bytes = [0; N];
        bytes[..taken.len()].copy_from_slice(taken);
        bytes
    }

    fn byte(&mut self) -> u8 {
        self.bytes::<1>()[0]
    }

    /// A picture of up to 256 by 256.
    fn picture(&mut self) -> Picture {
        let (width, height, kind) = (self.byte(), self.byte(), self.byte());
        let depth = if kind & 1 == 0 { Depth::Eight } else { Depth::Ten };
        Picture::new(u32::from(width) + 1, u32::from(height) + 1, depth, kind & 2 != 0).unwrap()
    }

    fn code(&mut self) -> Option<Code> {
        let height = if self.byte() & 1 == 0 { Height::Seven } else { Height::Ten };
        Code::new(height, self.byte()).ok()
    }
}

/// Plans what a head may ask for, and counts shares: picture, code, body, frames, first sample; then for each frame whether it is flat.
pub fn run_shares(bytes: &[u8]) {
    let mut input = Input(bytes);
    let picture = input.picture();
    let Some(code) = input.code() else { return };
    let body = u64::from_le_bytes(input.bytes());
    let frames = u64::from_le_bytes(input.bytes());
    let first = u32::from_le_bytes(input.bytes());
    let Ok(mut schedule) = Schedule::new(body, frames, picture, code, first) else { return };
    let most = u64::from(picture.sample_count().saturating_sub(first)) / code.sample_count(1);
    let mut carried = 0;
    for flat in input.0 {
        let share = schedule.share(flat & 1 == 1);
        assert_eq!(share.start, carried, "bytes are left out or carried twice");
        assert!(share.end - share.start <= most, "a frame carries more than it holds");
        assert!(flat & 1 == 0 || share.is_empty(), "a flat frame carries something");
        carried = share.end;
    }
    assert_eq!(schedule.left(), body - carried, "bytes are lost");
}

/// A message over ten frames, two of them flat, and one that asks for all there is.
#[must_use]
pub fn shares_seeds() -> Vec<Vec<u8>> {
    let seed = |body: u64, frames: u64| {
        let mut seed = vec![255, 255, 0, 0, 20];
        seed.extend(body.to_le_bytes());
        seed.extend(frames.to_le_bytes());
        seed.extend(10_240_u32.to_le_bytes());
        seed.extend([0, 1, 0, 0, 1, 0, 0, 0, 0, 0]);
        seed
    };
    vec![seed(1000, 10), seed(u64::MAX, u64::MAX), seed(0, 0)]
}

/// Reads a message out of a frame that has none, then writes one into it: picture, code, key, first sample, length; the rest, over
/// and over, is the frame.
pub fn run_frame(bytes: &[u8]) {
    let mut input = Input(bytes);
    let picture = input.picture();
    let Some(code) = input.code() else { return };
    let key = StructuralKey::new([input.byte(); 32]);
    let first = u32::from(u16::from_le_bytes(input.bytes()));
    let mut message = vec![0; usize::from(input.byte())];
    let levels = if input.0.is_empty() { &[0] } else { input.0 };
    let mut luma: Vec<u8> = levels.iter().copied().cycle().take(luma_bytes(picture)).collect();
    if picture.depth() == Depth::Ten {
        luma.iter_mut().skip(1).step_by(2).for_each(|high| *high &= 3);
    }
    let mut reader = Reader::default();
    let place = (first, code);
    if reader.read_plane(&key, (0, picture, &luma), place, &mut message).is_err() {
        return;
    }
    message.iter_mut().for_each(|byte| *byte = !*byte);
    let mut written = luma.clone();
    let mut frame = Frame { number: 0, picture, samples: &mut written, before: None };
    let part = Part { first, code, bytes: &message };
    if Writer::new(Walk::detect()).write_plane(&key, &mut frame, &[part]).is_err() {
        return;
    }
    let mut read = vec![0; message.len()];
    reader.read_plane(&key, (0, picture, &written), place, &mut read).unwrap();
    assert_eq!(read, message, "what was written is not read");
    assert!(
        levels_of(picture, &luma)
            .zip(levels_of(picture, &written))
            .all(|(was, is)| { was.abs_diff(is) <= 1 })
    );
}

fn levels_of(picture: Picture, luma: &[u8]) -> impl Iterator<Item = u16> {
    let (bytes, wide) = match picture.depth() {
        Depth::Eight => (1, false),
        Depth::Ten => (2, true),
    };
    luma.chunks_exact(bytes)
        .map(move |sample| u16::from(sample[0]) | if wide { u16::from(sample[1]) << 8 } else { 0 })
}

/// Frames of texture at both depths, one of them narrow, and one of a single level.
#[must_use]
pub fn frame_seeds() -> Vec<Vec<u8>> {
    let texture: Vec<u8> = (0..997_u32).map(|n| (n * n / 7 % 199 + 20).to_le_bytes()[0]).collect();
    let seed = |front: [u8; 9], levels: &[u8]| [&front, levels].concat();
    vec![
        seed([79, 59, 0, 0, 20, 7, 0, 0, 25], &texture),
        seed([79, 59, 3, 1, 5, 7, 100, 0, 60], &texture),
        seed([2, 255, 2, 0, 2, 9, 0, 0, 40], &texture),
        seed([63, 63, 0, 1, 80, 9, 0, 0, 5], &[128]),
    ]
}
