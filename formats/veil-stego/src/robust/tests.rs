//! Messages through frames that are made here, and the parts that they go through.

use std::collections::HashSet;

use proptest::prelude::*;

use super::blocks::Blocks;
use super::grid::Axis;
use super::ldpc::Ldpc;
use super::places::{Front, Rest};
use super::soft::{Gain, side, turns, unit};
use super::*;
use crate::plane::Depth;
use crate::stream::StructuralKey;

const FRAME_US: u64 = 40_000;
const SLOT_FRAMES: usize = 12;
const LANE: u16 = 77;

fn key(byte: u8) -> StructuralKey {
    StructuralKey::new([byte; 32])
}

fn picture(width: u32, height: u32) -> Picture {
    Picture::new(width, height, Depth::Eight, true).unwrap()
}

/// A moving picture of waves and noise.
fn frame(picture: Picture, number: u32) -> Vec<u8> {
    let (width, height) = (picture.width(), picture.height());
    let mut state = number.wrapping_mul(747_796_405).wrapping_add(1);
    let mut bytes = Vec::new();
    for y in 0..height {
        for x in 0..width {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y) = ((x + number) as f32 / width as f32, y as f32 / height as f32);
            let wave = (x * 31.0).sin() * 30.0 + (y * 23.0 + x * 11.0).cos() * 30.0;
            bytes.push((110.0 + wave + (state >> 27) as f32) as u8);
        }
    }
    bytes
}

fn frames(picture: Picture, count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|number| frame(picture, number)).collect()
}

fn head() -> [u8; 64] {
    std::array::from_fn(|at| (at * 3) as u8)
}

fn body(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at * 7 % 251) as u8).collect()
}

/// Puts a message into frames.
fn hide(picture: Picture, profile: Profile, body: &[u8], frames: &mut [Vec<u8>]) -> Spread {
    let shape = Shape::new(profile, picture);
    let slots = frames.len().div_ceil(SLOT_FRAMES).max(8) as u64;
    let spread = Spread::new(shape, body.len() as u64, slots).unwrap();
    let codewords = Codewords::new(&Packets::new(body.to_vec()), spread, &key(2));
    let head = HeadBits::new(&head());
    let hider = Hider::new((picture, shape), (&key(1), LANE, key(2)), head, codewords);
    let mut means = Means::new(picture);
    for (slot, frames) in frames.chunks_mut(SLOT_FRAMES).enumerate() {
        frames.iter().for_each(|frame| means.add(frame));
        let pattern = hider.pattern(slot as u64, &means.take().unwrap());
        frames.iter_mut().for_each(|frame| pattern.apply(frame));
    }
    spread
}

fn find(picture: Picture, frames: &[Vec<u8>], key: &StructuralKey) -> Lock {
    let mut finding = Finding::new(key, picture);
    for (frame, number) in frames.iter().zip(0..) {
        finding.frame(frame, number * FRAME_US);
    }
    finding.finish();
    assert_eq!(finding.is_sure(), finding.best().score() >= 11.0);
    finding.best()
}

fn slots(picture: Picture, frames: &[Vec<u8>], lock: Lock) -> Vec<Slot> {
    let mut slots = Vec::new();
    let mut tracker = Tracker::new(&key(1), picture, lock);
    for (frame, number) in frames.iter().zip(0..) {
        tracker.frame(frame, number * FRAME_US, |slot| slots.push(slot));
    }
    tracker.finish(|slot| slots.push(slot));
    slots
}

fn listener(lock: Lock, slots: &[Slot]) -> Listener {
    let mut listener = Listener::new(&key(1), lock);
    listener.tune(slots.iter());
    listener
}

fn heard_head(listener: &Listener, slots: &[Slot]) -> Option<[u8; 64]> {
    let mut sum = HeadSum::default();
    slots.iter().for_each(|slot| listener.hear_head(slot, &mut sum));
    sum.head()
}

/// What slots say of a body; a slot's number is the best of all for its class.
fn heard_body(spread: Spread, bytes: usize, listener: &Listener, slots: &[Slot]) -> Gathered {
    let decoder = Decoder::new(spread);
    let mut words = decoder.words(0, 1000);
    for slot in slots {
        let numbers = (slot.in_cycle()..64).step_by(CYCLE as usize);
        let certainty = |number: &u64| listener.certainty(&key(2), slot, *number);
        let best = numbers.max_by(|a, b| certainty(a).total_cmp(&certainty(b))).unwrap();
        listener.hear(&key(2), slot, best, &mut words);
    }
    let mut gathered = Gathered::new(bytes as u64);
    words.packets(&key(2)).for_each(|(number, bytes)| gathered.add(number, bytes));
    gathered
}

#[test]
fn a_message_comes_out_of_frames_that_were_cut_with_other_contrast() {
    let picture = picture(640, 360);
    let body = body(700);
    for profile in Profile::ALL {
        let mut all = frames(picture, 250);
        let spread = hide(picture, profile, &body, &mut all);
        let mut kept: Vec<Vec<u8>> = all[7..100].iter().chain(&all[130..]).cloned().collect();
        let changed = |level: u8| ((f32::from(level) - 128.0) * 1.12 + 120.0).round() as u8;
        kept.iter_mut().flatten().for_each(|level| *level = changed(*level));
        let lock = find(picture, &kept, &key(1));
        assert_eq!((lock.shape().profile(), lock.lane), (profile, LANE), "{lock:?}");
        let slots = slots(picture, &kept, lock);
        let listener = listener(lock, &slots);
        assert_eq!(heard_head(&listener, &slots), Some(head()), "{profile:?}");
        let gathered = heard_body(spread, body.len(), &listener, &slots);
        assert_eq!(gathered.body().as_ref(), Some(&body), "{profile:?}");
    }
}

#[test]
fn nothing_is_sure_with_another_key_or_in_frames_without_a_message() {
    let picture = picture(640, 360);
    let mut all = frames(picture, 100);
    assert!(find(picture, &all, &key(1)).score() < 8.0);
    hide(picture, Profile::Fine, &body(300), &mut all);
    assert!(find(picture, &all, &key(3)).score() < 8.0);
    let lock = find(picture, &all, &key(1));
    assert!(lock.score() > 12.0, "{lock:?}");
    // What is found and isn't there says nothing of a head.
    let wrong = Lock { lane: LANE + 1, ..lock };
    let slots = slots(picture, &all, wrong);
    assert_ne!(heard_head(&listener(wrong, &slots), &slots), Some(head()));
}

#[test]
fn what_is_added_is_small_and_gone_from_no_grid() {
    for (profile, decibels) in
        [(Profile::Fine, 45.0), (Profile::Medium, 43.0), (Profile::Coarse, 43.0)]
    {
        let picture = picture(960, 540);
        let plain = frames(picture, 12);
        let mut made = plain.clone();
        let shape = Shape::new(profile, picture);
        let spread = Spread::new(shape, 40, 8).unwrap();
        let codewords = Codewords::new(&Packets::new(vec![1; 40]), spread, &key(2));
        let hider = Hider::new(
            (picture, shape),
            (&key(1), LANE, key(2)),
            HeadBits::new(&head()),
            codewords,
        );
        let mut means = Means::new(picture);
        plain.iter().for_each(|frame| means.add(frame));
        let pattern = hider.pattern(0, &means.take().unwrap());
        made.iter_mut().for_each(|frame| pattern.apply(frame));
        let squares = plain.iter().flatten().zip(made.iter().flatten());
        let squares: f64 =
            squares.map(|(one, other)| (f64::from(*one) - f64::from(*other)).powi(2)).sum();
        let mean = squares / (plain.len() * plain[0].len()) as f64;
        let found = 10.0 * (255.0 * 255.0 / mean).log10();
        assert!(found > decibels, "{profile:?}: {found} dB");
        // Every carrier is on its lattice, as far as rounding allows.
        made.iter().for_each(|frame| means.add(frame));
        let grid = means.take().unwrap().on(shape);
        let carriers: Vec<i16> = Blocks::new(shape).forward(&grid).into_iter().map(unit).collect();
        let turns = turns(&carriers, shape, Gain::NONE);
        let front = Front::new(&key(1), shape, LANE, 0);
        let sides: f32 = front.pilots.iter().map(|place| side(&turns, place)).sum();
        let mean = sides / front.pilots.len() as f32;
        assert!(mean > 0.9, "{profile:?}: {mean}");
    }
}

#[test]
fn ten_bits_carry_as_eight_do() {
    let eight = picture(320, 192);
    let ten = Picture::new(320, 192, Depth::Ten, true).unwrap();
    let plain = frames(eight, 12);
    let wide = |frame: &Vec<u8>| -> Vec<u8> {
        frame.iter().flat_map(|level| (u16::from(*level) * 4).to_le_bytes()).collect()
    };
    let mut narrow = plain.clone();
    hide(eight, Profile::Coarse, &[1; 40], &mut narrow[..]);
    let mut fine: Vec<Vec<u8>> = plain.iter().map(wide).collect();
    hide(ten, Profile::Coarse, &[1; 40], &mut fine[..]);
    let (mut one, mut other) = (Means::new(eight), Means::new(ten));
    narrow.iter().for_each(|frame| one.add(frame));
    fine.iter().for_each(|frame| other.add(frame));
    let (one, other) = (one.take().unwrap(), other.take().unwrap());
    // Sums that are rounded differently may move a sample here and there.
    let apart = one.cells.iter().zip(&other.cells).map(|(a, b)| (a - b).abs());
    assert!(apart.sum::<f32>() / (one.cells.len() as f32) < 0.01);
    assert!(fine.iter().flatten().step_by(2).all(|low| low % 4 == 0), "levels of eight bits");
}

#[test]
fn slots_are_told_by_the_clock() {
    assert_eq!([0, 477_999, 478_000, 480_000, 958_000].map(slot_of), [0, 0, 1, 1, 2]);
    // Frames of 24 a second, as Matroska rounds them.
    let slot = |frame: u64| slot_of((frame * 1000 + 12) / 24 * 1000);
    assert_eq!((slot(11), slot(12), slot(288)), (0, 1, 25));
}

#[test]
fn no_carrier_has_two_places_and_other_slots_have_others() {
    let picture = picture(64, 36);
    for profile in Profile::ALL {
        let shape = Shape::new(profile, picture);
        let front = Front::new(&key(1), shape, 3, 5);
        let rest = Rest::new(&key(2), shape, &front, 21);
        let all = [&front.pilots, &front.head, &rest.pilots, &rest.data];
        let carriers: HashSet<u16> = all.into_iter().flatten().map(|place| place.carrier).collect();
        assert_eq!((carriers.len(), rest.data.len()), (shape.carriers(), shape.data_bits()));
        assert_ne!(front.pilots, Front::new(&key(1), shape, 4, 5).pilots);
        assert_ne!(rest.data, Rest::new(&key(2), shape, &front, 37).data);
    }
}

#[test]
fn cells_share_samples_by_how_much_they_cover() {
    for (samples, cells) in [(1920, 480), (1080, 288), (101, 48), (30, 48)] {
        let axis = Axis::new(samples, cells);
        let mut covered = vec![0.0; samples];
        for (first, weights) in axis.spans() {
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            for (sum, weight) in covered[*first..].iter_mut().zip(weights) {
                *sum += weight;
            }
        }
        let each = cells as f32 / samples as f32;
        assert!(covered.iter().all(|sum| (sum - each).abs() < 1e-4), "{samples} in {cells}");
    }
}

#[test]
fn a_code_corrects_what_its_rate_allows_and_invents_nothing() {
    let code = Ldpc::new(2080, 2800);
    let bits: Vec<bool> = (0..2080).map(|at| at % 7 < 3).collect();
    let word = code.encode(&bits);
    let mut state = 1_u32;
    let mut odds = |errors: u32| -> Vec<f32> {
        let odds = word.iter().map(|bit| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let wrong = (state >> 16) % 1000 < errors;
            if *bit == wrong { 2.2 } else { -2.2 }
        });
        odds.collect()
    };
    assert_eq!(code.decode(&odds(0)), Some(bits.clone()));
    // A binary channel with 10 errors in 100 carries 0.53 bits; the code's rate is 0.43.
    assert_eq!(code.decode(&odds(100)), Some(bits));
    assert_eq!(code.decode(&odds(250)), None);
}

#[test]
fn any_packets_make_the_message_if_they_are_enough() {
    let body = body(40 * PACKET_BYTES - 100);
    let packets = Packets::new(body.clone());
    assert_eq!((packets.count() as u64, packet_count(body.len() as u64)), (42, (40, 42)));
    let gathered = |numbers: &[usize]| {
        let mut gathered = Gathered::new(body.len() as u64);
        for number in numbers {
            let mut bits = packets.bits(&key(2), *number);
            let bytes = Packets::open(&key(2), *number as u32, &bits).unwrap();
            gathered.add(*number as u32, bytes);
            bits[77] = !bits[77];
            assert!(Packets::open(&key(2), *number as u32, &bits).is_none());
            assert!(Packets::open(&key(2), 50, &packets.bits(&key(2), *number)).is_none());
        }
        gathered.body()
    };
    let some: Vec<usize> = (0..42).filter(|number| ![3, 30].contains(number)).collect();
    assert_eq!(gathered(&some), Some(body.clone()));
    assert_eq!(gathered(&some[1..]), None);
}

#[test]
fn a_slot_is_the_same_after_it_was_kept() {
    let shape = Shape::new(Profile::Coarse, picture(64, 36));
    let picture = picture(64, 36);
    let lock = Lock { lane: 0, ..find(picture, &frames(picture, 12), &key(1)) };
    for slot in slots(picture, &frames(picture, 30), lock) {
        let mut bytes = Vec::new();
        slot.write(&mut bytes);
        assert_eq!(Slot::read(&bytes), Some(slot));
    }
    assert_eq!(Slot::read(&[0; 8]), None);
    assert!(Slot::bytes_of(shape) > 3000);
}

proptest! {
    #[test]
    fn blocks_come_back_from_their_frequencies(values in prop::collection::vec(-9.0_f32..9.0, 27)) {
        let shape = Shape::new(Profile::Coarse, picture(80, 48));
        let blocks = Blocks::new(shape);
        let carriers: Vec<f32> = values.iter().copied().cycle().take(shape.carriers()).collect();
        let again = blocks.forward(&blocks.inverse(&carriers));
        prop_assert!(carriers.iter().zip(&again).all(|(one, other)| (one - other).abs() < 1e-3));
    }

    #[test]
    fn every_bit_of_a_message_travels_as_often_as_any_other(bytes in 1_u64..200_000, slots in 1_u64..2000) {
        let shape = Shape::new(Profile::Medium, picture(1280, 720));
        if let Some(spread) = Spread::new(shape, bytes, slots) {
            let (_, packets) = packet_count(bytes);
            let bits = slots * shape.data_bits() as u64;
            prop_assert_eq!(spread.packets(), packets);
            let last = ((slots - 1), shape.data_bits() - 1);
            let (packet, turn) = spread.bit(last.0, last.1);
            prop_assert!((packet as u64) < packets && turn as u64 <= bits / packets);
            prop_assert_eq!(spread.bit(0, 0), (0, 0));
        }
    }
}
