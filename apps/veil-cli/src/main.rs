//! The veilcast command.
fn main() {}
