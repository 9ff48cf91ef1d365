//! What goes wrong with a store, and with which requests.

use std::time::Duration;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// The answer comes this much later.
    Slow(Duration),
    /// This status with an S3 error as its body; the store is not asked.
    Answer(u16),
    /// The answer's body ends after so many bytes, and the connection with it.
    Cut(u64),
    /// The connection is closed without an answer; the store is not asked.
    HangUp,
}

/// A trouble, and the requests that it meets: all of them unless narrowed down.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) trouble: Trouble,
    method: Option<&'static str>,
    part: Option<String>,
    skip: usize,
    times: usize,
}

impl Fault {
    /// A trouble for every request.
    #[must_use]
    pub fn new(trouble: Trouble) -> Self {
        Self { trouble, method: None, part: None, skip: 0, times: usize::MAX }
    }

    /// Only requests by this method.
    #[must_use]
    pub fn on(self, method: &'static str) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Only requests whose path and query have this in them.
    #[must_use]
    pub fn at(self, part: &str) -> Self {
        Self { part: Some(part.to_owned()), ..self }
    }

    /// Only after this many that it would have met.
    #[must_use]
    pub fn after(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// Only this many times.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Tells whether this request is met, and counts it.
    pub(super) fn meets(&mut self, method: &str, target: &str) -> bool {
        let fits = self.method.is_none_or(|wanted| wanted == method)
            && self.part.as_ref().is_none_or(|part| target.contains(part.as_str()));
        if !fits || self.times == 0 {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_what_it_is_narrowed_down_to() {
        let mut fault = Fault::new(Trouble::HangUp).on("PUT").at("/t/").after(1).times(2);
        let met: Vec<bool> = [
            ("GET", "/videos/t/a"),
            ("PUT", "/videos/g/a"),
            ("PUT", "/videos/t/a"),
            ("PUT", "/videos/t/b"),
            ("PUT", "/videos/t/c"),
            ("PUT", "/videos/t/d"),
        ]
        .map(|(method, target)| fault.meets(method, target))
        .to_vec();
        assert_eq!(met, [false, false, false, true, true, false]);
    }
}
