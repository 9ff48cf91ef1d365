//! Fuzz targets of the formats, and of the gateway's own readers: functions that take any bytes and panic where a promise is broken.
//!
//! The promises are more than "doesn't panic": what opens is what was sealed, what parses writes
//! itself back. The same targets run for seconds in the tests (`tests/smoke.rs`) and for as long as
//! a person likes under libFuzzer (`src/bin/libfuzzer.rs`). Adding one is a line in [`TARGETS`].
//!
//! Seeds are our own vectors or written by the formats, so a change of a format changes them with it. This crate knows the
//! formats and the gateway alone, and nothing depends on it.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a target reports by panicking, and a seed that is no longer one shall be seen"
)]

pub mod cdn;
pub mod delivery;
pub mod envelope;
pub mod file;
pub mod grant;
pub mod hidden;
pub mod object;
pub mod text;
pub mod tokens;
pub mod vectors;

/// One target.
#[derive(Clone, Copy)]
pub struct Target {
    /// What a person calls it.
    pub name: &'static str,
    /// Panics where `bytes` break a promise.
    pub run: fn(bytes: &[u8]),
    /// Well-formed inputs to start from, at least one.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Edited inputs of the smoke run: about a second's worth. An envelope takes a millisecond, a text 20 µs.
    pub smoke_inputs: u32,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target("object", object::run, object::seeds, 20_000),
    target("envelope", envelope::run, envelope::seeds, 2_000),
    target("file-front", file::run_front, file::front_seeds, 1_000),
    target("file-keyring", file::run_keyring, file::front_seeds, 1_000),
    target("file-body", file::run_body, file::body_seeds, 1_000),
    target("grant-record", grant::run_record, grant::record_seeds, 40_000),
    target("grant-payload", grant::run_payload, grant::payload_seeds, 1_500),
    target("hidden-head", hidden::run_head, hidden::head_seeds, 20_000),
    target("hidden-shares", hidden::run_shares, hidden::shares_seeds, 40_000),
    target("hidden-frame", hidden::run_frame, hidden::frame_seeds, 1_500),
    target("identity", text::run_identity, text::identity_seeds, 40_000),
    target("recipient", text::run_recipient, text::recipient_seeds, 20_000),
    target("link", text::run_link, text::link_seeds, 40_000),
    target("id", text::run_id, text::id_seeds, 40_000),
    target("playlist", delivery::run_playlist, delivery::playlist_seeds, 20_000),
    target("presigned-query", delivery::run_query, delivery::query_seeds, 20_000),
    target("store-url", text::run_store_url, text::store_url_seeds, 40_000),
    target("shared-credentials", text::run_profile, text::profile_seeds, 40_000),
    target("token", tokens::run_token, tokens::token_seeds, 500),
    target("token-claims", tokens::run_claims, tokens::claims_seeds, 5_000),
    target("token-cookie", tokens::run_cookie, tokens::cookie_seeds, 500),
    target("token-key", tokens::run_key, tokens::key_seeds, 500),
    target("cdn-url", cdn::run, cdn::seeds, 300),
    target("batch", delivery::run_batch, delivery::batch_seeds, 20_000),
    target("range", delivery::run_range, delivery::range_seeds, 40_000),
    target("names", delivery::run_names, delivery::names_seeds, 400),
];

const fn target(
    name: &'static str,
    run: fn(&[u8]),
    seeds: fn() -> Vec<Vec<u8>>,
    smoke_inputs: u32,
) -> Target {
    Target { name, run, seeds, smoke_inputs }
}

/// Returns the target of this name.
#[must_use]
pub fn find(name: &str) -> Option<Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}
