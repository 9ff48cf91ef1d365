//! Costs against the formula in double precision, and each way to compute against the portable one.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers of tests"
)]

use proptest::prelude::*;

use super::{Costs, GUARD, Lanes, pack, rho_of};
use crate::Walk;
use crate::plane::{Depth, Picture};
use crate::trellis::COST_MAX;

/// HILL as its paper writes it, with borders that continue.
fn hill(width: usize, height: usize, frame: &[u8]) -> Vec<f64> {
    let clamp = |at: i64, end: usize| usize::try_from(at.clamp(0, end as i64 - 1)).unwrap();
    let mean = |of: &[f64], half: i64| -> Vec<f64> {
        let around = |at: usize| {
            let (x, y) = ((at % width) as i64, (at / width) as i64);
            let places =
                (-half..=half).flat_map(move |dy| (-half..=half).map(move |dx| (x + dx, y + dy)));
            let sum: f64 =
                places.map(|(x, y)| of[clamp(y, height) * width + clamp(x, width)]).sum();
            sum / ((2 * half + 1) * (2 * half + 1)) as f64
        };
        (0..of.len()).map(around).collect()
    };
    const FILTER: [[f64; 3]; 3] = [[-1.0, 2.0, -1.0], [2.0, -4.0, 2.0], [-1.0, 2.0, -1.0]];
    let residual = |at: usize| {
        let (x, y) = ((at % width) as i64, (at / width) as i64);
        let places = (0..3).flat_map(|dy| (0..3).map(move |dx| (dx, dy)));
        let sum: f64 = places
            .map(|(dx, dy)| {
                let (x, y) = (clamp(x + dx as i64 - 1, width), clamp(y + dy as i64 - 1, height));
                FILTER[dy][dx] * f64::from(frame[y * width + x])
            })
            .sum();
        sum.abs()
    };
    let residuals: Vec<f64> = (0..frame.len()).map(residual).collect();
    let guard = f64::from(GUARD) / 9.0;
    let reciprocals: Vec<f64> =
        mean(&residuals, 1).iter().map(|mean| 1.0 / (mean + guard)).collect();
    mean(&reciprocals, 7)
}

fn frames() -> impl Strategy<Value = (usize, usize, Vec<u8>, Vec<u8>)> {
    (1_usize..60, 1_usize..40).prop_flat_map(|(width, height)| {
        let frame = || prop::collection::vec(1..=254_u8, width * height);
        (Just(width), Just(height), frame(), frame())
    })
}

fn picture(width: usize, height: usize) -> Picture {
    Picture::new(width as u32, height as u32, Depth::Eight, false).unwrap()
}

fn measured(lanes: &str, picture: Picture, frame: &[u8], before: Option<&[u8]>) -> Option<Costs> {
    let mut costs = Costs::new();
    costs.measure(Lanes::named(lanes)?, picture, frame, before);
    Some(costs)
}

/// What changing the sample at `place` costs.
fn at(costs: &Costs, place: u32) -> u16 {
    let (mut bits, mut taken) = (Vec::new(), Vec::new());
    costs.take(&[place], &mut bits, &mut taken);
    taken[0]
}

#[test]
fn a_cost_and_a_bit_are_packed_and_come_out_again() {
    for rho in [0.5_f32, 1.0, 3.25, 1e9, f32::INFINITY] {
        for level in [16, 17, 1023] {
            let packed = pack(rho, level);
            assert_eq!(packed & 1, level & 1);
            let ratio = rho_of(packed) / rho;
            assert!(rho_of(packed) == rho || (127.0 / 128.0..=1.0).contains(&ratio), "{rho}");
        }
    }
}

proptest! {
    #[test]
    fn every_way_gives_the_same_costs((width, height, frame, before) in frames()) {
        let picture = picture(width, height);
        for before in [None, Some(before.as_slice())] {
            let expected = measured("portable", picture, &frame, before).unwrap();
            for costs in Walk::NAMES.iter().filter_map(|lanes| measured(lanes, picture, &frame, before)) {
                prop_assert_eq!(&costs.map, &expected.map);
                prop_assert_eq!(&costs.prices, &expected.prices);
            }
        }
    }

    #[test]
    fn costs_are_those_of_the_formula((width, height, frame, _) in frames()) {
        let costs = measured("portable", picture(width, height), &frame, None).unwrap();
        let ours = costs.map.iter().map(|packed| rho_of(*packed));
        for (at, (ours, theirs)) in ours.zip(hill(width, height, &frame)).enumerate() {
            // A sum of 225 reciprocals of nine, in units of 2⁻¹⁴, each cut to an integer; then seven bits of its fraction.
            let theirs = theirs * 225.0 * 16_384.0;
            let near = (f64::from(ours) - theirs).abs() <= 226.0 + theirs / 127.0;
            prop_assert!(near || ours.is_infinite(), "{at}: {ours} and {theirs}");
        }
    }
}

/// A textured left half, a flat right half.
fn half_flat() -> (Picture, Vec<u8>) {
    let texture = |at: usize| 100 + ((at * 2_654_435_761) >> 16) as u8 % 23;
    let sample = |at: usize| if at % 64 < 32 { texture(at) } else { 128 };
    (picture(64, 64), (0..64 * 64).map(sample).collect())
}

#[test]
fn what_is_flat_is_dearest_and_texture_is_cheap() {
    let (picture, frame) = half_flat();
    let costs = measured("portable", picture, &frame, None).unwrap();
    assert_eq!(at(&costs, 32 * 64 + 60), COST_MAX);
    assert!(at(&costs, 32 * 64 + 10) <= 80);
}

#[test]
fn what_moves_is_three_times_cheaper_than_what_rests() {
    let (picture, frame) = half_flat();
    let moved: Vec<u8> = frame.iter().map(|sample| sample + 4).collect();
    let still = measured("portable", picture, &frame, Some(&frame)).unwrap();
    let moving = measured("portable", picture, &frame, Some(&moved)).unwrap();
    let place = 32 * 64 + 10;
    let ratio = rho_of(still.map[place]) / rho_of(moving.map[place]);
    assert!((ratio - 3.0).abs() < 0.05);
}

#[test]
fn the_ends_of_the_scale_are_left_alone() {
    let (_, mut frame) = half_flat();
    let place = 32 * 64 + 10;
    for (level, limited, wet) in [
        (0, false, true),
        (255, false, true),
        (16, false, false),
        (16, true, true),
        (235, true, true),
    ] {
        frame[place] = level;
        let picture = Picture::new(64, 64, Depth::Eight, limited).unwrap();
        let costs = measured("portable", picture, &frame, None).unwrap();
        assert_eq!(at(&costs, place as u32) == COST_MAX, wet, "{level}, limited {limited}");
    }
}

#[test]
fn ten_bits_are_measured_as_eight_are() {
    let (picture, frame) = half_flat();
    let ten = Picture::new(64, 64, Depth::Ten, false).unwrap();
    let wide: Vec<u16> = frame.iter().map(|sample| u16::from(*sample) * 4).collect();
    let mut costs = Costs::new();
    costs.measure(Lanes::named("portable").unwrap(), ten, &wide, None);
    let eight = measured("portable", picture, &frame, None).unwrap();
    for place in 0..64 * 64 {
        assert!(
            at(&costs, place).abs_diff(at(&eight, place)) <= 1 + at(&eight, place) / 100,
            "{place}"
        );
    }
}
