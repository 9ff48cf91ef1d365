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
