//! Leakers and innocents by the thousand, without pictures.
//!
//! What simulated slots show goes through the code that real slots go through; seeds are fixed.

use proptest::prelude::*;

use super::*;

const EPSILON: f64 = 1e-6;
const VIEWERS: u32 = 1000;

/// Numbers by chance (PCG, O'Neill 2014).
struct Chance(u64);

impl Chance {
    fn below_one(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let shifted = (((self.0 >> 18) ^ self.0) >> 27) as u32;
        f64::from(shifted.rotate_right((self.0 >> 59) as u32)) / f64::from(u32::MAX)
    }

    fn is(&mut self, often: f64) -> bool {
        self.below_one() < often
    }
}

/// What colluders make of a slot, of which `ones` of `all` have symbol 1: how much of symbol 1 is in it.
#[derive(Clone, Copy, Debug)]
enum Collusion {
    Interleave,
    Majority,
    Minority,
    AllOne,
    Coin,
    Average,
}

const COLLUSIONS: [Collusion; 6] = [
    Collusion::Interleave,
    Collusion::Majority,
    Collusion::Minority,
    Collusion::AllOne,
    Collusion::Coin,
    Collusion::Average,
];

impl Collusion {
    fn shown(self, symbols: &[bool], chance: &mut Chance) -> f64 {
        let share = symbols.iter().filter(|one| **one).count() as f64 / symbols.len() as f64;
        let coin = f64::from(u8::from(chance.is(0.5)));
        let is_shared = share > 0.0 && share < 1.0;
        match self {
            Self::Interleave => {
                let whose = (chance.below_one() * symbols.len() as f64) as usize;
                f64::from(u8::from(symbols[whose.min(symbols.len() - 1)]))
            }
            Self::Average => share,
            Self::AllOne if is_shared => 1.0,
            Self::Coin if is_shared => coin,
            Self::Majority | Self::Minority if (share - 0.5).abs() < 1e-9 => coin,
            Self::Majority if is_shared => share.round(),
            Self::Minority if is_shared => 1.0 - share.round(),
            _ => share,
        }
    }
}

/// A tenth of the slots shows nothing, and two in a hundred show the other symbol.
fn noisy(slot: u32, shown: f64, chance: &mut Chance) -> Heard {
    let shown = if chance.is(0.02) { 1.0 - shown } else { shown };
    let one = if chance.is(0.1) { 0.5 } else { 0.02 + 0.96 * shown };
    heard(slot, one)
}

fn heard(slot: u32, one: f64) -> Heard {
    Heard { slot, leak_us: 0, one, confidence: (2.0 * one - 1.0).abs() }
}

fn reading(slots: Vec<Heard>) -> Reading {
    Reading { presence: 20.0, slots, window_count: 0 }
}

fn viewers(from: u32, count: u32) -> Vec<[u8; 16]> {
    (from..from + count).map(|number| (u128::from(number) * 0x1_0001).to_le_bytes()).collect()
}

/// How often somebody is named of the first `colluders` of the viewers; nobody else ever is.
fn caught(colluders: usize, slots: u32, collusion: Collusion, trials: u8) -> f64 {
    let viewers = viewers(0, VIEWERS);
    let mut named = 0;
    for trial in 0..trials {
        let mut chance = Chance(u64::from(trial) * 7919 + u64::from(slots));
        let key = TracingKey::new([trial + 1; 32]);
        let copies: Vec<Vec<Label>> =
            viewers[..colluders].iter().map(|viewer| key.labels(viewer, slots)).collect();
        let slot = |slot: u32| {
            let symbols: Vec<bool> =
                copies.iter().map(|copy| key.symbol(slot, copy[slot as usize])).collect();
            let shown = collusion.shown(&symbols, &mut chance);
            noisy(slot, shown, &mut chance)
        };
        let accusation = accuse(&key, &reading((0..slots).map(slot).collect()), &viewers, EPSILON);
        let accused = accusation.suspects.iter().filter(|one| one.is_named);
        assert!(accused.clone().all(|one| one.viewer < colluders), "an innocent is named");
        let is_caught = accused.count() > 0;
        assert_eq!(is_caught, accusation.more_slots.is_none());
        named += u32::from(is_caught);
    }
    f64::from(named) / f64::from(trials)
}

#[test]
fn a_single_leaker_is_named_from_ninety_slots() {
    let caught = caught(1, 90, Collusion::Interleave, 40);
    assert!(caught >= 0.95, "{caught}");
}

#[test]
fn two_colluders_are_named_from_360_slots_whatever_they_do() {
    for collusion in COLLUSIONS {
        let caught = caught(2, 360, collusion, 12);
        assert!(caught >= 0.9, "{collusion:?}: {caught}");
    }
}

#[test]
fn three_colluders_who_take_turns_are_named_from_900_slots() {
    let caught = caught(3, 900, Collusion::Interleave, 6);
    assert!(caught >= 0.8, "{caught}");
}

/// What a hostile leak may show: everything certain, and everything that knows the biases.
fn hostile(key: &TracingKey, slots: u32) -> Vec<(&'static str, Reading)> {
    let all =
        |one: &dyn Fn(u32) -> f64| reading((0..slots).map(|slot| heard(slot, one(slot))).collect());
    let high = |slot: u32| key.odds(slot).bias() > 0.5;
    let certain = |is: bool| if is { 1.0 } else { 0.0 };
    vec![
        ("all ones", all(&|_| 1.0)),
        ("all zeros", all(&|_| 0.0)),
        ("the likelier symbols", all(&|slot| certain(high(slot)))),
        ("the less likely symbols", all(&|slot| certain(!high(slot)))),
        ("turns", all(&|slot| certain(slot % 2 == 0))),
        ("variant 1 of everything", all(&|slot| certain(key.odds(slot).first))),
        ("nothing", all(&|_| 0.5)),
        ("no numbers", all(&|_| f64::NAN)),
        ("one slot over and over", reading(vec![heard(3, 1.0); slots as usize])),
    ]
}

#[test]
fn of_a_hundred_thousand_innocents_hostile_leaks_name_none() {
    let key = TracingKey::new([77; 32]);
    let innocents = viewers(1_000_000, 100_000);
    for (name, reading) in hostile(&key, 72) {
        let accusation = accuse(&key, &reading, &innocents, EPSILON);
        assert_eq!(accusation.suspects.len(), innocents.len());
        let first = accusation.suspects[0];
        assert!(!first.is_named, "{name}: {first:?}");
        assert!(accusation.more_slots.is_some_and(|more| more > 0), "{name}");
    }
}

/// The bound is one: of innocents, no more than a share of 1/k have a p-value (of one viewer alone) of 1/k.
#[test]
fn p_values_of_innocents_are_no_smaller_than_chance_makes_them() {
    let key = TracingKey::new([78; 32]);
    let innocents = viewers(0, 20_000);
    for (name, reading) in hostile(&key, 64) {
        let accusation = accuse(&key, &reading, &innocents, EPSILON);
        for limit in [1e-1, 1e-2, 1e-3] {
            let alone = |one: &&Suspect| one.p_value / innocents.len() as f64 <= limit;
            let count =
                accusation.suspects.iter().filter(|one| one.p_value < 1.0).filter(alone).count();
            let expected = limit * innocents.len() as f64;
            assert!(
                (count as f64) < expected + 4.0 * expected.sqrt(),
                "{name}: {count} at {limit}"
            );
        }
    }
}

#[test]
fn suspects_are_ranked_and_what_is_missing_is_told() {
    let key = TracingKey::new([5; 32]);
    let viewers = viewers(0, 100);
    let copy = key.labels(&viewers[31], 90);
    let slot = |slot: u32| heard(slot, f64::from(u8::from(key.symbol(slot, copy[slot as usize]))));
    let short = accuse(&key, &reading((0..20).map(slot).collect()), &viewers, EPSILON);
    assert_eq!((short.suspects[0].viewer, short.suspects[0].is_named), (31, false));
    let more = short.more_slots.unwrap();
    assert!((4..60).contains(&more), "{more}");
    let long = accuse(&key, &reading((0..90).map(slot).collect()), &viewers, EPSILON);
    assert_eq!((long.suspects[0].viewer, long.suspects[0].is_named), (31, true));
    assert!(long.suspects.windows(2).all(|pair| pair[0].p_value <= pair[1].p_value));
    assert!(
        accuse(&key, &reading(Vec::new()), &viewers, EPSILON)
            .suspects
            .iter()
            .all(|one| !one.is_named)
    );
    assert!(accuse(&key, &reading(Vec::new()), &[], EPSILON).suspects.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_leak_shows_innocents_are_not_named(
        shown in proptest::collection::vec((0_u32..400, 0.0_f64..=1.0, any::<bool>()), 0..300),
        seed in any::<u8>(),
    ) {
        let key = TracingKey::new([seed; 32]);
        let slots = shown.into_iter().map(|(slot, one, is_sharp)| {
            heard(slot, if is_sharp { one.round() } else { one })
        });
        let mut slots: Vec<Heard> = slots.collect();
        slots.sort_by_key(|heard| heard.slot);
        let accusation = accuse(&key, &reading(slots), &viewers(0, 2000), EPSILON);
        prop_assert!(accusation.suspects.iter().all(|one| !one.is_named));
        prop_assert!(accusation.suspects.iter().all(|one| one.p_value > 0.0 && one.p_value <= 1.0));
    }
}
