//! How fast frames are worked on: costs, trellises and reading, each way that this processor has; and marks.
//!
//! Everything is called as the product calls it. A frame with one byte in it is costs and little else (the frame's order is drawn, and
//! one bit in many thousands of samples chosen); what a longer message takes beyond that is its trellis. Prints one JSON object for
//! `cargo xtask bench hide`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking and talks to whoever ran it, in numbers that a float holds"
)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use veil_stego::lossless::{Code, Frame, Part, Reader, Writer};
use veil_stego::mark::{Marker, SIGHT_HEIGHT, SIGHT_WIDTH, Sight, Strength, TracingKey};
use veil_stego::{Depth, Height, Picture, StructuralKey, Walk};

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;

/// Samples for each bit, as most messages have them.
const SAMPLES_PER_BIT: u8 = 20;

/// A message that takes half of the frame's samples.
const MESSAGE_BYTES: usize = 6_480;

/// Calls of each.
const CALLS: usize = 15;

struct Given {
    key: StructuralKey,
    picture: Picture,
    frame: Vec<u8>,
    before: Vec<u8>,
}

/// Slopes with noise, and a tenth of a frame further the same.
fn given() -> Given {
    let mut state = 1_u32;
    let mut level = |at: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let slope = (at % WIDTH / 16 + at / WIDTH / 12) % 180;
        (slope + 30 + (state >> 28)).to_le_bytes()[0]
    };
    let all: Vec<u8> = (0..WIDTH * (HEIGHT + 1)).map(&mut level).collect();
    let samples = (WIDTH * HEIGHT) as usize;
    Given {
        key: StructuralKey::new([7; 32]),
        picture: Picture::new(WIDTH, HEIGHT, Depth::Eight, true).unwrap(),
        frame: all[..samples].to_vec(),
        before: all[WIDTH as usize..].to_vec(),
    }
}

impl Given {
    /// Writes `bytes` into a copy of the frame; how long that took.
    fn write(&self, writer: &mut Writer, code: Code, bytes: &[u8]) -> Duration {
        let mut samples = self.frame.clone();
        let mut frame = Frame {
            number: 1,
            picture: self.picture,
            samples: &mut samples,
            before: Some(&self.before),
        };
        let start = Instant::now();
        writer.write(&self.key, &mut frame, &[Part { first: 0, code, bytes }]).unwrap();
        start.elapsed()
    }

    fn read(&self, reader: &mut Reader, code: Code) -> Duration {
        let mut bytes = vec![0; MESSAGE_BYTES];
        let start = Instant::now();
        reader
            .read(&self.key, (1, self.picture, self.frame.as_slice()), (0, code), &mut bytes)
            .unwrap();
        std::hint::black_box(bytes);
        start.elapsed()
    }

    /// Marks the frame, as those of a slot are marked one after the other; how long both variants took.
    fn mark(&self) -> f64 {
        let mut marker = Marker::new(&TracingKey::new([7; 32]), self.picture, Strength::Standard);
        let (mut first, mut second) = (self.frame.clone(), self.frame.clone());
        let mut once = || {
            let start = Instant::now();
            marker.mark(1, &self.frame, &mut first, &mut second);
            start.elapsed()
        };
        once();
        median((0..CALLS).map(|_| once()).collect())
    }

    /// Looks at a leak's frame.
    fn look(&self) -> f64 {
        let mut sight = Sight::new(1_000_000);
        let once = |_| {
            let start = Instant::now();
            std::hint::black_box(sight.push(&self.frame[..SIGHT_WIDTH * SIGHT_HEIGHT]));
            start.elapsed()
        };
        median((0..CALLS).map(once).collect())
    }

    fn way(&self, walk: Walk) -> Value {
        let mut writer = Writer::new(walk);
        let message: Vec<u8> = (0..MESSAGE_BYTES).map(|at| (at * 89).to_le_bytes()[0]).collect();
        let [seven, ten] =
            [Height::Seven, Height::Ten].map(|rows| Code::new(rows, SAMPLES_PER_BIT).unwrap());
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..CALLS {
            times[0].push(self.write(&mut writer, seven, &message[..1]));
            times[1].push(self.write(&mut writer, seven, &message));
            times[2].push(self.write(&mut writer, ten, &message));
        }
        let [costs, seven_all, ten_all] = times.map(median);
        let coded = seven.sample_count(MESSAGE_BYTES) as f64;
        json!({
            "costs_mpx_s": f64::from(self.picture.sample_count()) / costs / 1e6,
            "rows_7_mpx_s": coded / (seven_all - costs) / 1e6,
            "rows_10_mpx_s": coded / (ten_all - costs) / 1e6,
        })
    }
}

/// Seconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

fn main() {
    let given = given();
    let code = Code::new(Height::Seven, SAMPLES_PER_BIT).unwrap();
    let mut reader = Reader::default();
    let read = median((0..CALLS).map(|_| given.read(&mut reader, code)).collect());
    let ways = Walk::NAMES.into_iter().filter_map(Walk::named);
    let ways: serde_json::Map<String, Value> =
        ways.map(|walk| (walk.name().to_owned(), given.way(walk))).collect();
    let extract = code.sample_count(MESSAGE_BYTES) as f64 / read / 1e6;
    let marks = json!({ "mark_1080p_fps": 1.0 / given.mark(), "look_fps": 1.0 / given.look() });
    println!(
        "{}",
        json!({ "calls": CALLS, "ways": ways, "extract_mpx_s": extract, "marks": marks })
    );
}
