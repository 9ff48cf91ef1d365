//! Marks raw frames for a viewer, and reads raw frames of a leak: what `cargo xtask marks` puts between FFmpeg and FFmpeg.
//!
//! `marks write WIDTH HEIGHT FPS SLOT_US STRENGTH HOW VIEWERS` takes yuv420p frames and gives those that the viewers leak together.
//! `marks read SLOT_US SLOT_COUNT SEARCH VIEWERS` takes luma of the sight and says in JSON what it tells of them.
//! `marks alarms SLOT_US KEYS` takes luma of the sight and says how well wrong keys look.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a tool of the attack table fails by panicking and talks to whoever ran it, and knows its numbers"
)]

use std::io::{ErrorKind, Read as _, Write as _, stdin, stdout};

use serde_json::{Value, json};
use veil_stego::mark::{
    Found, Geometry, Label, Marker, PRESENCE_THRESHOLD, Reader, Reading, SIGHT_HEIGHT, SIGHT_WIDTH,
    SLOTS_MAX, Sight, Strength, TracingKey, Window, accuse, search,
};
use veil_stego::{Depth, Picture};

/// Viewers of the title; leakers are among them.
const VIEWERS: u128 = 1000;
/// The bound on false accusations.
const EPSILON: f64 = 1e-6;
/// From this on a slot counts as read, and from this on as read with confidence.
const READ: f64 = 0.2;
const SURE: f64 = 0.9;

fn key(number: u8) -> TracingKey {
    TracingKey::new([number; 32])
}

fn viewer(number: u128) -> [u8; 16] {
    number.to_le_bytes()
}

fn labels(key: &TracingKey, viewers: &str) -> Vec<Vec<Label>> {
    let numbers = viewers.split(',').map(|number| number.parse().unwrap());
    numbers.map(|number| key.labels(&viewer(number), SLOTS_MAX)).collect()
}

/// The next frame of standard input; false at its end.
fn next(frame: &mut [u8]) -> bool {
    match stdin().lock().read_exact(frame) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => false,
        Err(error) => panic!("{error}"),
    }
}

fn write(words: &[String]) {
    let number = |at: usize| words[at].parse::<u64>().unwrap();
    let (width, height) = (number(0) as usize, number(1) as usize);
    let (fps, slot_us) = (number(2), number(3));
    let strength = Strength::ALL.into_iter().find(|strength| strength.name() == words[4]).unwrap();
    let key = key(1);
    let copies = labels(&key, &words[6]);
    let picture = Picture::new(width as u32, height as u32, Depth::Eight, true).unwrap();
    let mut marker = Marker::new(&key, picture, strength);
    let samples = width * height;
    let mut frame = vec![0; samples + 2 * width.div_ceil(2) * height.div_ceil(2)];
    let mut variants = [vec![0; samples], vec![0; samples]];
    let mut out = stdout().lock();
    for at in 0_u64.. {
        if !next(&mut frame) {
            break;
        }
        let slot = at * 1_000_000 / fps / slot_us;
        let [first, second] = &mut variants;
        marker.mark(slot as u32, &frame[..samples], first, second);
        let of = |copy: usize| match copies[copy % copies.len()][slot as usize] {
            Label::First => &variants[0],
            Label::Second => &variants[1],
        };
        match words[5].as_str() {
            // Every slot, or every frame, is another's.
            "slots" => frame[..samples].copy_from_slice(of(slot as usize)),
            "frames" => frame[..samples].copy_from_slice(of(at as usize)),
            "mean" => {
                let pairs = of(0).iter().zip(of(1));
                for (sample, (one, other)) in frame.iter_mut().zip(pairs) {
                    *sample = u16::midpoint(u16::from(*one), u16::from(*other)) as u8;
                }
            }
            "alone" => frame[..samples].copy_from_slice(of(0)),
            other => panic!("there is no `{other}`"),
        }
        out.write_all(&frame).unwrap();
    }
}

fn windows(slot_us: u64) -> Vec<Window> {
    let mut sight = Sight::new(slot_us);
    let mut frame = vec![0; SIGHT_WIDTH * SIGHT_HEIGHT];
    let mut windows = Vec::new();
    while next(&mut frame) {
        windows.extend(sight.push(&frame));
    }
    windows.extend(sight.finish());
    windows
}

fn reading(key: &TracingKey, slots: u32, geometry: Geometry, windows: &[Window]) -> Reading {
    let mut reader = Reader::new(key, slots, geometry);
    windows.iter().for_each(|window| reader.push(window));
    reader.finish()
}

fn read(words: &[String]) -> Value {
    let (slot_us, slots) = (words[0].parse().unwrap(), words[1].parse().unwrap());
    let key = key(1);
    let windows = windows(slot_us);
    let aspect = 16.0 / 9.0;
    let mut found = Found { geometry: Geometry::identity(), energy: 0.0 };
    let mut heard = reading(&key, slots, found.geometry, &windows);
    let is_searched = words[2] == "always" || heard.presence < PRESENCE_THRESHOLD;
    if is_searched {
        found = search(&key, &windows, aspect);
        heard = reading(&key, slots, found.geometry, &windows);
    }
    let viewers: Vec<[u8; 16]> = (0..VIEWERS).map(viewer).collect();
    let accusation = accuse(&key, &heard, &viewers, EPSILON);
    let named: Vec<usize> =
        accusation.suspects.iter().filter(|one| one.is_named).map(|one| one.viewer).collect();
    let copies = labels(&key, &words[3]);
    let (mut right, mut wrong, mut sure) = (0, 0, 0);
    for slot in heard.slots.iter().filter(|slot| slot.confidence >= READ) {
        let at = slot.slot as usize;
        // What not all leakers have is nobody's to be wrong about.
        if copies.iter().any(|copy| copy[at] != copies[0][at]) {
            continue;
        }
        let label = copies[0][at];
        let is_right = (slot.one > 0.5) == key.symbol(slot.slot, label);
        right += u32::from(is_right);
        wrong += u32::from(!is_right);
        sure += u32::from(!is_right && slot.confidence >= SURE);
    }
    let geometry = found.geometry;
    json!({
        "presence": heard.presence, "found": heard.slots.len(), "right": right, "wrong": wrong,
        "wrong_and_sure": sure, "windows": heard.window_count, "named": named,
        "best": accusation.suspects[0].viewer, "p_value": accusation.suspects[0].p_value,
        "more_slots": accusation.more_slots, "is_searched": is_searched, "energy": found.energy,
        "geometry": [geometry.scale_x, geometry.scale_y, geometry.x, geometry.y, geometry.rotation_deg],
        "is_mirrored": geometry.mirrored,
    })
}

fn alarms(words: &[String]) -> Value {
    let (slot_us, keys) = (words[0].parse().unwrap(), words[1].parse::<u8>().unwrap());
    let windows = windows(slot_us);
    let presence = |number: u8| {
        let mut reader = Reader::new(&key(number), 1, Geometry::identity());
        windows.iter().for_each(|window| reader.push(window));
        reader.presence()
    };
    let highest = (2..2 + keys).map(presence).fold(f64::MIN, f64::max);
    json!({ "keys": keys, "highest": highest, "own": presence(1) })
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words[0].as_str() {
        "write" => write(&words[1..]),
        "read" => println!("{}", read(&words[1..])),
        "alarms" => println!("{}", alarms(&words[1..])),
        other => panic!("there is no `{other}`"),
    }
}
