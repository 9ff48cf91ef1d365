//! The gateway from outside: real sockets, a real bucket, plain clients.
//!
//! Owns what `docs/format/gateway-api.md` promises, case by case. Every answer that the client below
//! reads is held against the headers that every answer must have.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy takes the helpers of an integration test for production code"
)]

mod batch;
mod caches;
mod client;
mod collector;
mod compression;
mod configuration;
mod cors;
mod errors;
mod flood;
mod flow;
mod hostile;
mod http2;
mod marked;
mod modes;
mod objects;
mod operator;
mod page;
mod plain;
mod process;
mod site;
mod slow;
mod store;
mod tls;
