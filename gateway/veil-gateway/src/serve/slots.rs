//! How many connections there are, in all and of one address.
//!
//! Owns the places. In all: who finds none waits in the system's queue. Of one address: who finds none
//! is closed at once, or it would hold up everybody behind it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::rate::Subject;

/// The connections of each address.
pub(super) struct Slots {
    most: usize,
    taken: Mutex<HashMap<Subject, usize>>,
}

/// A connection's place, free again when dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    subject: Subject,
}

impl Slots {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// A place for one more connection of `subject`; `None` when it has all of its own.
    pub(super) fn take(self: &Arc<Self>, subject: Subject) -> Option<Slot> {
        let mut taken = self.taken();
        let count = taken.entry(subject).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Slot { slots: Arc::clone(self), subject })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Subject, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        if let Some(count) = taken.get_mut(&self.subject) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_places_and_gets_them_back() {
        let slots = Slots::new(2);
        let (alice, bob) = (Subject::V4(1), Subject::V4(2));
        let held: Vec<Option<Slot>> = (0..3).map(|_| slots.take(alice)).collect();
        let got: Vec<bool> = held.iter().map(Option::is_some).collect();
        assert_eq!(got, [true, true, false]);
        assert!(slots.take(bob).is_some());
        drop(held);
        assert!(slots.take(alice).is_some());
        assert!(slots.taken().is_empty());
    }
}
