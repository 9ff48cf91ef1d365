//! Marks through frames that are made here.

use super::*;
use crate::plane::{Depth, Picture};

const WIDTH: u32 = 512;
const HEIGHT: u32 = 320;
/// Frames of a slot.
const FRAMES: usize = 10;

fn key(byte: u8) -> TracingKey {
    TracingKey::new([byte; 32])
}

fn picture() -> Picture {
    Picture::new(WIDTH, HEIGHT, Depth::Eight, true).unwrap()
}

/// A moving picture of waves, blotches and noise; each scene has others.
fn frame(number: u32, scene: u32) -> Vec<u8> {
    let mut state = number.wrapping_mul(747_796_405).wrapping_add(scene + 1);
    let blotch = |x: u32, y: u32| {
        let mixed = (x / 9).wrapping_mul(2_654_435_761) ^ (y / 7).wrapping_mul(40_503) ^ scene;
        (mixed.wrapping_mul(2_246_822_519) >> 28) as f32
    };
    let level = |at: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (x, y) = (at % WIDTH + number, at / WIDTH);
        let (u, v) = (x as f32 / WIDTH as f32, y as f32 / HEIGHT as f32);
        let wave = (u * 31.0 + scene as f32).sin() * 30.0 + (v * 23.0 + u * 11.0).cos() * 30.0;
        (100.0 + wave + blotch(x, y) + (state >> 29) as f32) as u8
    };
    (0..WIDTH * HEIGHT).map(level).collect()
}

/// A title's frames as a viewer gets them.
fn copy(key: &TracingKey, labels: &[Label], strength: Strength) -> Vec<Vec<u8>> {
    let mut marker = Marker::new(key, picture(), strength);
    let (mut first, mut second) = (vec![0; (WIDTH * HEIGHT) as usize], Vec::new());
    second.clone_from(&first);
    let mut frames = Vec::new();
    for (slot, label) in labels.iter().enumerate() {
        for at in 0..FRAMES {
            let number = slot * FRAMES + at;
            let luma = frame(number as u32, (slot / 7) as u32);
            marker.mark(slot as u32, &luma, &mut first, &mut second);
            frames.push(if *label == Label::First { first.clone() } else { second.clone() });
        }
    }
    frames
}

/// The sight of a frame: means of four samples.
fn sight(frame: &[u8]) -> Vec<u8> {
    let level = |at: usize| {
        let (x, y) = (at % SIGHT_WIDTH * 2, at / SIGHT_WIDTH * 2);
        let sum = |y: usize| {
            let row = &frame[y * WIDTH as usize + x..];
            u32::from(row[0]) + u32::from(row[1])
        };
        ((sum(y) + sum(y + 1) + 2) / 4) as u8
    };
    (0..SIGHT_SAMPLES).map(level).collect()
}

fn windows(frames: &[Vec<u8>]) -> Vec<Window> {
    let mut looked = Sight::new(1_000_000);
    let mut windows: Vec<Window> =
        frames.iter().filter_map(|frame| looked.push(&sight(frame))).collect();
    windows.extend(looked.finish());
    windows
}

fn read(key: &TracingKey, slots: u32, geometry: Geometry, windows: &[Window]) -> Reading {
    let mut reader = Reader::new(key, slots, geometry);
    windows.iter().for_each(|window| reader.push(window));
    reader.finish()
}

/// Slots that are read rightly, wrongly, and wrongly with confidence.
fn compare(key: &TracingKey, labels: &[Label], reading: &Reading) -> (usize, usize, usize) {
    let (mut right, mut wrong, mut sure) = (0, 0, 0);
    for heard in reading.slots.iter().filter(|heard| heard.confidence > 0.2) {
        let is_one = (labels[heard.slot as usize] == Label::First) == key.odds(heard.slot).first;
        if (heard.one > 0.5) == is_one {
            right += 1;
        } else {
            wrong += 1;
            sure += usize::from(heard.confidence > 0.9);
        }
    }
    (right, wrong, sure)
}

#[test]
fn a_copy_is_read_without_knowing_when_it_begins() {
    let key = key(1);
    let labels = key.labels(&[7; 16], 24);
    let frames = copy(&key, &labels, Strength::Standard);
    let reading = read(&key, 24, Geometry::identity(), &windows(&frames[37..]));
    let (right, wrong, _) = compare(&key, &labels, &reading);
    assert_eq!(wrong, 0);
    assert!(right >= 18, "{right} right; presence {}", reading.presence);
    assert!(reading.presence > PRESENCE_THRESHOLD, "{}", reading.presence);
    let first = reading.slots.iter().find(|heard| heard.confidence > 0.9).unwrap();
    assert!((3..6).contains(&first.slot) && first.leak_us < 2_000_000, "{first:?}");
}

/// A frame cropped to a part of it and scaled to the sight, mirrored or not.
fn cropped(frame: &[u8], (x, y, scale): (f64, f64, f64), mirrored: bool) -> Vec<u8> {
    let level = |at: usize| {
        let u = (at % SIGHT_WIDTH) as f64 + 0.5;
        let u = if mirrored { SIGHT_WIDTH as f64 - u } else { u } / SIGHT_WIDTH as f64;
        let v = ((at / SIGHT_WIDTH) as f64 + 0.5) / SIGHT_HEIGHT as f64;
        let place = |part: f64, from: f64, side: u32| {
            ((from + scale * part) * f64::from(side) - 0.5).clamp(0.0, f64::from(side) - 2.0)
        };
        let (x, y) = (place(u, x, WIDTH), place(v, y, HEIGHT));
        let at = y as usize * WIDTH as usize + x as usize;
        let of = |at: usize| u32::from(frame[at]);
        ((of(at) + of(at + 1) + of(at + WIDTH as usize) + of(at + WIDTH as usize + 1) + 2) / 4)
            as u8
    };
    (0..SIGHT_SAMPLES).map(level).collect()
}

#[test]
fn a_mirrored_crop_is_found_and_read() {
    let key = key(2);
    let labels = key.labels(&[1; 16], 8);
    let frames = copy(&key, &labels, Strength::Strong);
    let mut looked = Sight::new(1_000_000);
    let part = (0.06, 0.03, 0.88);
    let mut windows: Vec<Window> =
        frames.iter().filter_map(|frame| looked.push(&cropped(frame, part, true))).collect();
    windows.extend(looked.finish());
    assert!(read(&key, 8, Geometry::identity(), &windows).presence < PRESENCE_THRESHOLD);
    let found = search(&key, &windows, 1.6);
    let geometry = found.geometry;
    assert!(geometry.mirrored && found.energy > 1.2, "{found:?}");
    assert!(
        (geometry.scale_x - 0.88).abs() < 0.01 && (geometry.scale_y - 0.88).abs() < 0.01,
        "{found:?}"
    );
    assert!((geometry.x - 0.06).abs() < 0.01 && (geometry.y - 0.03).abs() < 0.01, "{found:?}");
    let reading = read(&key, 8, geometry, &windows);
    let (right, wrong, _) = compare(&key, &labels, &reading);
    assert!(right >= 6 && wrong == 0, "{right} right, {wrong} wrong");
}

#[test]
fn other_keys_and_frames_without_a_mark_raise_no_alarm() {
    let marked = copy(&key(1), &key(1).labels(&[7; 16], 6), Strength::Strong);
    let windows_of_marked = windows(&marked);
    let plain: Vec<Vec<u8>> = (0..60).map(|number| frame(number, number / 30)).collect();
    for number in 2..8 {
        let key = key(number);
        let presence = |windows: &[Window]| read(&key, 6, Geometry::identity(), windows).presence;
        assert!(presence(&windows_of_marked) < PRESENCE_THRESHOLD);
        assert!(presence(&windows(&plain)) < PRESENCE_THRESHOLD);
    }
}

#[test]
fn a_mark_is_small_the_same_both_ways_and_the_same_at_ten_bits() {
    let key = key(3);
    // Sizes that no block divides.
    for (width, height) in [(333, 211), (64, 40), (1, 1), (7, 90), (9, 17)] {
        let luma: Vec<u8> = (0..width * height).map(|at| (60 + at * 7 % 90) as u8).collect();
        let eight = Picture::new(width, height, Depth::Eight, true).unwrap();
        let mut marker = Marker::new(&key, eight, Strength::Standard);
        let (mut first, mut second) = (luma.clone(), luma.clone());
        marker.mark(5, &luma, &mut first, &mut second);
        for ((level, one), other) in luma.iter().zip(&first).zip(&second) {
            let (one, other) = (i16::from(*one), i16::from(*other));
            assert!((one - other).abs() <= 6 && one + other == 2 * i16::from(*level));
        }
        let ten = Picture::new(width, height, Depth::Ten, true).unwrap();
        let luma: Vec<[u8; 2]> = luma.iter().map(|v| (u16::from(*v) * 4).to_le_bytes()).collect();
        let (mut one, mut other) = (luma.clone(), luma.clone());
        Marker::new(&key, ten, Strength::Standard).mark(5, &luma, &mut one, &mut other);
        for (fine, coarse) in one.iter().zip(&first) {
            let fine = f32::from(u16::from_le_bytes(*fine)) / 4.0;
            assert!((fine - f32::from(*coarse)).abs() <= 0.76, "{fine} {coarse}");
        }
    }
}

#[test]
fn frames_of_a_slot_are_marked_alike_whatever_came_before() {
    let (key, luma) = (key(4), frame(3, 1));
    let mut marker = Marker::new(&key, picture(), Strength::Standard);
    let mut mark = |slot: u32| {
        let (mut first, mut second) = (luma.clone(), luma.clone());
        marker.mark(slot, &luma, &mut first, &mut second);
        (first, second)
    };
    let before = mark(9);
    assert_ne!(mark(10), before);
    assert_eq!(mark(9), before);
    assert_eq!(mark(9 + SLOTS_MAX), before);
}

#[test]
fn levels_at_the_ends_stay_levels_and_what_is_missing_is_left() {
    let key = key(5);
    for level in [0_u8, 255] {
        let luma = vec![level; (WIDTH * HEIGHT) as usize];
        let mut marker = Marker::new(&key, picture(), Strength::Strong);
        let (mut first, mut second) = (luma.clone(), vec![7; 10]);
        marker.mark(0, &luma, &mut first, &mut second);
        assert!(first.iter().all(|sample| sample.abs_diff(level) <= 3));
        assert_eq!(second, [7; 10]);
    }
}

#[test]
fn a_leak_without_frames_or_with_black_ones_is_no_evidence() {
    let key = key(6);
    assert!(read(&key, 5, Geometry::identity(), &[]).slots.is_empty());
    assert!(search(&key, &[], 1.6).energy.abs() < 1e-9);
    let mut looked = Sight::new(1_000_000);
    let mut black: Vec<Window> =
        (0..40).filter_map(|_| looked.push(&[16; SIGHT_SAMPLES])).collect();
    black.extend(looked.push(&[]));
    let reading = read(&key, 5, Geometry::identity(), &black);
    assert!(reading.presence < PRESENCE_THRESHOLD);
    assert!(reading.slots.iter().all(|heard| heard.confidence < 0.2), "{:?}", reading.slots);
}
