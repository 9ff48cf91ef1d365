//! From when to when URLs hold, and for whom they are made.
//!
//! Owns the arithmetic of windows and ends. Refuses to read a clock.

use jiff::Timestamp;

use crate::hosts::Host;

/// From when to when URLs hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(super) signed_at: Timestamp,
    pub(super) expires_s: u32,
    /// How long they have to hold yet to be of use, in seconds.
    pub(super) needed_s: u32,
}

/// For whom and what URLs are made.
#[derive(Clone, Copy)]
pub(crate) struct Purpose<'a> {
    /// The host that was asked.
    pub(crate) host: &'a Host,
    /// The folder of the bucket, with a slash at its end and none before.
    pub(crate) folder: &'a str,
    /// How long the video plays, in seconds; 0 where it isn't known.
    pub(crate) duration_s: u32,
    /// When the right to watch ends.
    pub(crate) end: Option<Timestamp>,
}

impl Stamp {
    /// For what needs no date.
    pub(crate) const ALWAYS: Self =
        Self { signed_at: Timestamp::UNIX_EPOCH, expires_s: 0, needed_s: 0 };

    pub(super) fn end(self) -> Timestamp {
        let end_s = self.signed_at.as_second().saturating_add(i64::from(self.expires_s));
        Timestamp::from_second(end_s).unwrap_or(Timestamp::MAX)
    }

    /// For how many seconds from `now` the URLs may be handed on: until they hold just as long as they are needed. `None`
    /// where they never end.
    pub(crate) fn spare_s(self, now: Timestamp) -> Option<u32> {
        if self == Self::ALWAYS {
            return None;
        }
        let spare_s = self.end().as_second() - now.as_second() - i64::from(self.needed_s);
        Some(u32::try_from(spare_s.max(0)).unwrap_or(u32::MAX))
    }
}
