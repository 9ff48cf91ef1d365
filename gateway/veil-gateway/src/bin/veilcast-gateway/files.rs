//! How many files this process may have open, and so how many connections.
//!
//! Owns raising the soft limit to what is needed: Debian starts processes with 1,024, which a few
//! hundred downloads reach.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors besides connections and the files that they read.
const OTHER_COUNT: u64 = 64;

/// Descriptors that a connection takes: its socket and the object that it reads.
const PER_CONNECTION: u64 = 2;

/// Fewer connections than this are worth a warning: a browser opens six, so it is where some 160 viewers
/// begin to wait for each other. Above it the limit is news for an operator alone.
const FEW_CONNECTIONS: usize = 1_000;

/// Raises the limit for `wanted` connections and returns how many it allows.
pub(crate) fn connections(wanted: usize) -> usize {
    let needed = wanted as u64 * PER_CONNECTION + OTHER_COUNT;
    let limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(u64::MAX);
    let soft = limit.current.unwrap_or(u64::MAX);
    let raised = needed.min(hard);
    let available = if soft < raised
        && setrlimit(Resource::Nofile, Rlimit { current: Some(raised), ..limit }).is_ok()
    {
        raised
    } else {
        soft
    };
    let allowed = available.saturating_sub(OTHER_COUNT) / PER_CONNECTION;
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX).max(1);
    if allowed < wanted.min(FEW_CONNECTIONS) {
        tracing::warn!(
            allowed,
            "the limit of open files allows few connections at a time; raise it (`ulimit -Hn`, or \
             LimitNOFILE= of the service)"
        );
    } else if allowed < wanted {
        tracing::info!(allowed, "the limit of open files decides how many connections are served");
    }
    allowed.min(wanted)
}
