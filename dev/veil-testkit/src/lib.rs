//! What tests of several crates share: samples, clips, child processes.
