//! `cargo xtask fuzz`: a fuzz target under libFuzzer, with coverage, on the toolchain that builds everything else.
//!
//! Coverage is a pass of LLVM, which a stable compiler has; sanitizers it has not, and our code has no `unsafe` that they
//! could watch. Only what is built for the machine's own triple is instrumented, so build scripts are not.

use std::fs;
use std::path::PathBuf;

use crate::args::FuzzOptions;
use crate::console::{heading, note};
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of, run as run_command};

/// What cargo-fuzz gives a compiler too: edges, comparisons and a table of places.
const INSTRUMENT: [&str; 7] = [
    "--cfg=fuzzing",
    "-Ccodegen-units=1",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// The program, and the features that bring libFuzzer (a C++ compiler builds it).
const PROGRAM: &str = "veil-fuzz";
const FEATURES: &str = "libfuzzer,libfuzzer-sys/link_libfuzzer";

/// Builds the program and runs the target; what it finds breaks the run and stays in `target/fuzz/found`.
pub(crate) fn run(repo: &Repo, options: &FuzzOptions) -> Outcome {
    heading("building the fuzz targets");
    let program = build(repo)?;
    let dir = repo.target.join("fuzz");
    let (corpus, seeds) = (dir.join("corpus").join(&options.target), dir.join("seeds"));
    let (seeds, found) = (seeds.join(&options.target), dir.join("found"));
    for dir in [&corpus, &seeds, &found] {
        fs::create_dir_all(dir).during(format_args!("making {}", dir.display()))?;
    }
    heading(&format!("fuzz {}", options.target));
    note(format_args!("VEILCAST_FUZZ_TARGET={} {}", options.target, program.display()));
    let mut fuzzer = repo.command(program);
    fuzzer.env("VEILCAST_FUZZ_TARGET", &options.target).env("VEILCAST_FUZZ_SEEDS", &seeds);
    fuzzer.arg(format!("-max_total_time={}", options.seconds));
    fuzzer.arg(format!("-artifact_prefix={}/{}-", found.display(), options.target));
    run_command(fuzzer.args([&corpus, &seeds]))?;
    note(format_args!("nothing found; the corpus is in {}", corpus.display()));
    Ok(())
}

fn build(repo: &Repo) -> Outcome<PathBuf> {
    let host = host(&output_of(repo.command("rustc").arg("-vV"))?)?;
    let dir = repo.target.join("fuzz/build");
    let mut cargo = repo.cargo(["build", "--locked", "--package", PROGRAM, "--bin", PROGRAM]);
    cargo.args(["--features", FEATURES, "--target", &host, "--target-dir"]).arg(&dir);
    cargo.env("RUSTFLAGS", INSTRUMENT.join(" ")).env("CARGO_PROFILE_DEV_OPT_LEVEL", "2");
    run_command(&mut cargo)?;
    Ok(dir.join(host).join("debug").join(PROGRAM))
}

fn host(version: &str) -> Outcome<String> {
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| fail("`rustc -vV` does not say what it runs on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_read_from_what_rustc_says() {
        let said = "rustc 1.95.0\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";
        assert_eq!(host(said).unwrap(), "x86_64-unknown-linux-gnu");
        assert!(host("rustc 1.95.0").is_err());
    }
}
