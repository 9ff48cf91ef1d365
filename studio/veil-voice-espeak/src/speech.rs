//! What came out: samples, and when each word begins.
//!
//! Owns: the order of calls, and the bound on what comes. Refuses to know: how a call is made (`library`).

use crate::Order;
use crate::library::{Event, Library};

/// The longest speech: ten minutes.
const SECONDS_MAX: usize = 600;

/// What espeak-ng made of a text.
pub(crate) struct Speech {
    /// Samples a second.
    pub(crate) rate_hz: u32,
    /// One channel.
    pub(crate) samples: Vec<i16>,
    /// In order.
    pub(crate) words: Vec<Word>,
}

/// A word's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    /// Milliseconds from the beginning.
    pub(crate) at_ms: u32,
    /// Characters before it.
    pub(crate) offset: u32,
    /// Its characters.
    pub(crate) length: u32,
}

/// What the callback fills while espeak-ng speaks.
#[derive(Default)]
pub(crate) struct Collected {
    samples: Vec<i16>,
    words: Vec<Word>,
    samples_max: usize,
    too_long: bool,
}

impl Collected {
    /// Takes what came; `false` asks espeak-ng to stop.
    pub(crate) fn take(&mut self, samples: &[i16], events: &[Event]) -> bool {
        if self.samples.len() + samples.len() > self.samples_max {
            self.too_long = true;
            return false;
        }
        self.samples.extend_from_slice(samples);
        for event in events.iter().filter(|event| event.is_word()) {
            // Positions begin at 1; what can't be is no word.
            let place = |value: i32| u32::try_from(value).ok();
            let word = (place(event.position() - 1), place(event.length()), place(event.at_ms()));
            if let (Some(offset), Some(length), Some(at_ms)) = word {
                self.words.push(Word { at_ms, offset, length });
            }
        }
        true
    }
}

/// Speaks.
///
/// # Errors
/// In words for a person: no library, no such voice, nothing to hear, too long.
pub(crate) fn speak(order: &Order) -> Result<Speech, String> {
    let library = Library::open()?;
    let rate_hz = library.begin()?;
    library.set(&order.voice, order.words_a_minute, order.pitch)?;
    let samples_max = SECONDS_MAX * rate_hz as usize;
    let collected = Collected { samples_max, ..Collected::default() };
    let collected = library.speak(&order.text, collected)?;
    if collected.too_long {
        return Err("the speech is longer than ten minutes".to_owned());
    }
    let Collected { samples, words, .. } = collected;
    Ok(Speech { rate_hz, samples, words })
}
