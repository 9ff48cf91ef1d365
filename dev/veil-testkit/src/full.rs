//! Which tests run: the everyday ones, or all.
//!
//! A test that takes minutes asks first, and does nothing where nobody asked for all (`cargo xtask test --full`).

/// The variable that asks for all tests.
pub const FULL_VARIABLE: &str = "VEILCAST_FULL_TESTS";

/// Whether all tests are asked for, also those that take minutes.
#[must_use]
pub fn is_full_run() -> bool {
    std::env::var_os(FULL_VARIABLE).is_some_and(|value| !value.is_empty())
}
