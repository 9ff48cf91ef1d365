//! Which carrier of a slot carries what, and on which lattice.
//!
//! Owns the keyed order of carriers, their dither and their mask. A slot has a front, which a finder's key and little more
//! find: pilots, and a part of the head. The rest follows the message's own key: more pilots, and the message's bits. Refuses
//! to know: bits. Invariant: no carrier has two places.

use super::{CYCLE, HEAD_SLOT_BITS, Shape};
use crate::stream::{Purpose, Stream, StructuralKey};

/// A carrier, and the lattices that it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its number.
    pub(super) carrier: u16,
    /// Where its lattice for a transmitted 0 begins, in 256ths of the step.
    pub(super) dither: u8,
    /// What is added (xor) to its bit; a pilot's bit.
    pub(super) mask: bool,
}

/// What is found without the message's key.
pub(super) struct Front {
    pub(super) pilots: Vec<Place>,
    pub(super) head: Vec<Place>,
    /// The other carriers, in an order that means nothing.
    others: Vec<u16>,
}

/// What is found with the message's key.
pub(super) struct Rest {
    pub(super) pilots: Vec<Place>,
    pub(super) data: Vec<Place>,
}

impl Place {
    /// Where the lattice for `bit` begins, in 256ths of the step.
    pub(super) fn dither_of(self, bit: bool) -> u8 {
        if bit == self.mask { self.dither } else { self.dither ^ 128 }
    }

    fn draw(stream: &mut Stream, carrier: u16) -> Self {
        let [low, _, _, high] = stream.word().to_le_bytes();
        Self { carrier, dither: high, mask: low & 1 == 1 }
    }
}

impl Front {
    /// The front of slots with this number in their cycle.
    pub(super) fn new(key: &StructuralKey, shape: Shape, lane: u16, class: u64) -> Self {
        let profile = u64::from(shape.profile.number());
        let number = (profile << 16) + u64::from(lane) * CYCLE + class;
        let mut stream = key.stream(Purpose::Front, number);
        let mut carriers: Vec<u16> = (0..shape.carriers() as u16).collect();
        let count = shape.front_pilots() + HEAD_SLOT_BITS;
        draw_first(&mut stream, &mut carriers, count);
        let others = carriers.split_off(count);
        let mut places = carriers.into_iter().map(|carrier| Place::draw(&mut stream, carrier));
        let pilots = places.by_ref().take(shape.front_pilots()).collect();
        Self { pilots, head: places.collect(), others }
    }
}

impl Rest {
    /// The rest of a slot with this front.
    pub(super) fn new(key: &StructuralKey, shape: Shape, front: &Front, slot: u64) -> Self {
        let mut stream = key.stream(Purpose::Rest, slot);
        let mut carriers = front.others.clone();
        let count = carriers.len();
        draw_first(&mut stream, &mut carriers, count);
        let mut places = carriers.into_iter().map(|carrier| Place::draw(&mut stream, carrier));
        let pilots = places.by_ref().take(shape.rest_pilots()).collect();
        Self { pilots, data: places.collect() }
    }
}

/// Brings `count` of the list to its front, each drawn from those behind (Fisher and Yates).
fn draw_first(stream: &mut Stream, list: &mut [u16], count: usize) {
    for at in 0..count {
        let left = list.len() - at;
        list.swap(at, at + stream.below(left as u32) as usize);
    }
}
