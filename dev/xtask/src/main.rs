//! `cargo xtask`: set-up, tests, demo, benches, attacks, fuzzing and tidy of the repository, in one place for people and for CI.
//!
//! It owns no rule of the product and links none of its crates: it runs cargo, npm and the built programs as a person
//! would. Only this file decides the exit code: 0 done, 1 failed, 2 wrong usage.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to its terminal"
)]

use std::process::ExitCode;

use crate::args::{HELP, Request};
use crate::failure::Outcome;
use crate::repo::Repo;

mod args;
mod attacks;
mod bench;
mod checks;
mod console;
mod demo;
mod failure;
mod fuzz;
mod marks;
mod noise;
mod repo;
mod setup;
mod stop;
mod tidy;

fn main() -> ExitCode {
    let request = match args::parse(std::env::args_os().skip(1)) {
        Ok(request) => request,
        Err(usage) => {
            console::error(&usage);
            return ExitCode::from(2);
        }
    };
    match answer(request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console::error(&failure);
            ExitCode::FAILURE
        }
    }
}

fn answer(request: Request) -> Outcome {
    let repo = Repo::here();
    match request {
        Request::Help => {
            print!("{HELP}");
            Ok(())
        }
        Request::Setup => setup::run(&repo),
        Request::Test(options) => checks::run(&repo, options),
        Request::Demo(options) => demo::run(&repo, &options),
        Request::Bench(options) => bench::run(&repo, &options),
        Request::Attacks(options) => attacks::run(&repo, &options),
        Request::Marks(options) => marks::run(&repo, options),
        Request::Fuzz(options) => fuzz::run(&repo, &options),
        Request::Tidy => tidy::run(&repo),
    }
}
