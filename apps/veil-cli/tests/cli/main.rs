//! The real `veilcast` binary, on real video, as a person and a script use it.
//!
//! One binary for all of them, so that it is linked once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_types, reason = "the binary is started through veil-testkit")]

mod audit;
mod bad_input;
mod desk;
mod desk_http;
mod faults;
mod garage;
mod gateway;
mod grants;
mod hiding;
mod hiding_faults;
mod hiding_lengths;
mod hiding_samples;
mod hiding_timing;
mod house;
mod import;
mod jobs;
mod keys;
mod library;
mod making;
mod marked;
mod members;
mod opening;
mod pieces;
mod remote;
mod resume;
mod robust;
mod robust_faults;
mod sealed_faults;
mod sealing;
mod secrecy;
mod served;
mod signing;
mod store_faults;
mod stores;
mod street;
mod stress;
mod studio;
mod token;
mod tracing;
mod turns;
mod up;
