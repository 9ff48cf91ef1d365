//! What was written is read, whatever frame, code and bytes; and what changed is little.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers of tests"
)]

use proptest::prelude::*;

use super::*;
use crate::plane::Depth;

const KEY: [u8; 32] = [42; 32];

fn texture(width: u32, height: u32, depth: Depth) -> Vec<u16> {
    let top = if depth == Depth::Eight { 255 } else { 1023 };
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 20) as u16
    };
    (0..width * height).map(|at| ((at % width / 3) as u16 + next() % 60).min(top)).collect()
}

fn written(walk: Walk, picture: Picture, cover: &[u16], parts: &[Part<'_>]) -> Vec<u16> {
    let mut samples = cover.to_vec();
    let mut frame = Frame { number: 3, picture, samples: &mut samples, before: None };
    Writer::new(walk).write(&StructuralKey::new(KEY), &mut frame, parts).unwrap();
    samples
}

fn read(picture: Picture, samples: &[u16], first: u32, code: Code, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let key = StructuralKey::new(KEY);
    Reader::default().read(&key, (3, picture, samples), (first, code), &mut bytes).unwrap();
    bytes
}

fn codes() -> impl Strategy<Value = Code> {
    let height = prop::sample::select(vec![Height::Seven, Height::Ten]);
    (height, SAMPLES_PER_BIT).prop_map(|(height, samples)| Code::new(height, samples).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_was_written_is_read(
        code in codes(),
        (width, height) in (64_u32..300, 64_u32..200),
        ten in any::<bool>(),
        limited in any::<bool>(),
        fill in 0.0..1.0_f64,
    ) {
        let depth = if ten { Depth::Ten } else { Depth::Eight };
        let picture = Picture::new(width, height, depth, limited).unwrap();
        let cover = texture(width, height, depth);
        let most = f64::from(picture.sample_count()) / code.sample_count(1) as f64;
        let bytes: Vec<u8> = (0..(most * fill) as usize).map(|at| (at * 89 + at / 7) as u8).collect();
        let part = Part { first: 0, code, bytes: &bytes };
        let samples = written(Walk::detect(), picture, &cover, &[part]);
        prop_assert_eq!(&read(picture, &samples, 0, code, bytes.len()), &bytes);
        prop_assert!(cover.iter().zip(&samples).all(|(was, is)| was.abs_diff(*is) <= 1));
        let portable = written(Walk::named("portable").unwrap(), picture, &cover, &[part]);
        prop_assert_eq!(portable, samples);
    }
}

fn small() -> (Picture, Vec<u16>) {
    (Picture::new(256, 160, Depth::Eight, true).unwrap(), texture(256, 160, Depth::Eight))
}

#[test]
fn parts_of_different_codes_lie_one_after_the_other() {
    let (picture, cover) = small();
    let code = Code::new(Height::Ten, 5).unwrap();
    let head = Part { first: 0, code: Code::HEAD, bytes: &[1; 64] };
    let body = Part { first: 64 * 160, code, bytes: &[2; 300] };
    let samples = written(Walk::detect(), picture, &cover, &[head, body]);
    assert_eq!(read(picture, &samples, 0, Code::HEAD, 64), [1; 64]);
    assert_eq!(read(picture, &samples, 64 * 160, code, 300), [2; 300]);
}

#[test]
fn a_twentieth_of_a_bit_changes_less_than_one_sample_in_a_hundred_and_fifty() {
    let (picture, cover) = small();
    let bytes = [0x5a; 256];
    let samples = written(
        Walk::detect(),
        picture,
        &cover,
        &[Part { first: 0, code: Code::HEAD, bytes: &bytes }],
    );
    let changed = cover.iter().zip(&samples).filter(|(was, is)| was != is).count();
    // 2,048 bits; a straight exchange of lowest bits changes half of them.
    assert!((150..330).contains(&changed), "{changed} samples changed");
}

#[test]
fn another_key_or_frame_reads_something_else() {
    let (picture, cover) = small();
    let samples = written(
        Walk::detect(),
        picture,
        &cover,
        &[Part { first: 0, code: Code::HEAD, bytes: &[9; 64] }],
    );
    let mut bytes = [0; 64];
    for (key, number) in [([41; 32], 3), (KEY, 4)] {
        let key = StructuralKey::new(key);
        Reader::default()
            .read(&key, (number, picture, &samples), (0, Code::HEAD), &mut bytes)
            .unwrap();
        assert_ne!(bytes, [9; 64]);
    }
}

#[test]
fn levels_stay_within_the_encoders_scale() {
    let (picture, mut cover) = small();
    for (at, sample) in cover.iter_mut().enumerate() {
        *sample = if at % 2 == 0 { 16 } else { 235 };
    }
    let samples = written(
        Walk::detect(),
        picture,
        &cover,
        &[Part { first: 0, code: Code::HEAD, bytes: &[9; 100] }],
    );
    assert!(samples.iter().all(|level| (16..=235).contains(level)));
    assert_eq!(read(picture, &samples, 0, Code::HEAD, 100), [9; 100]);
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_changes() {
    let (picture, cover) = small();
    let mut samples = cover.clone();
    let mut frame = Frame { number: 3, picture, samples: &mut samples, before: None };
    let part = Part { first: 40_800, code: Code::HEAD, bytes: &[0; 2] };
    let refused = Writer::new(Walk::detect()).write(&StructuralKey::new(KEY), &mut frame, &[part]);
    assert_eq!(refused, Err(LosslessError::Full { bytes: 2, needed: 41_120, samples: 40_960 }));
    assert_eq!(samples, cover);
    assert_eq!(Code::new(Height::Seven, 1), Err(LosslessError::SamplesPerBit(1)));
    assert_eq!(Code::new(Height::Seven, 81), Err(LosslessError::SamplesPerBit(81)));
}

#[test]
fn planes_of_bytes_give_what_planes_of_samples_give() {
    let code = Code::new(Height::Seven, 6).unwrap();
    for depth in [Depth::Eight, Depth::Ten] {
        let picture = Picture::new(120, 90, depth, false).unwrap();
        let cover = texture(120, 90, depth);
        let bytes = |samples: &[u16]| -> Vec<u8> {
            let pairs = samples.iter().flat_map(|sample| sample.to_le_bytes());
            pairs
                .enumerate()
                .filter(|(at, _)| depth == Depth::Ten || at % 2 == 0)
                .map(|(_, b)| b)
                .collect()
        };
        let part = Part { first: 100, code, bytes: b"the same" };
        let mut plane = bytes(&cover);
        assert_eq!(plane.len(), luma_bytes(picture));
        assert!(!is_flat_plane(picture, &plane));
        let key = StructuralKey::new(KEY);
        let mut frame = Frame { number: 3, picture, samples: &mut plane, before: None };
        Writer::new(Walk::detect()).write_plane(&key, &mut frame, &[part]).unwrap();
        assert_eq!(plane, bytes(&written(Walk::detect(), picture, &cover, &[part])));
        let mut read = [0; 8];
        let raw = (3, picture, plane.as_slice());
        Reader::default().read_plane(&key, raw, (100, code), &mut read).unwrap();
        assert_eq!(&read, b"the same");
        assert!(is_flat_plane(picture, &vec![0; plane.len()]));
    }
}
