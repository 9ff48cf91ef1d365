//! Set-up, demo, tests and tidy of the repository.
fn main() {}
