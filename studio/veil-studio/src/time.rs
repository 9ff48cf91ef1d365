//! Times as the formats write them: RFC 3339, UTC, whole seconds.

use jiff::Timestamp;

/// `now` as text, for example `2026-11-20T12:00:00Z`.
pub(crate) fn text(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Milliseconds since 1970 as text.
pub(crate) fn of_ms(ms: i64) -> String {
    text(Timestamp::from_millisecond(ms).unwrap_or_default())
}
