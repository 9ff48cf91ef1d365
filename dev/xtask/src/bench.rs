//! `cargo xtask bench`: programs side by side in one run, alternating, with medians, ratios and the aim beside them.
//!
//! Times of one machine vary about twofold from hour to hour, so a figure means something only against another of the
//! same run. A missed aim is printed and is no failure: whether it matters is for a person. What each bench compares is
//! described in `bench/README.md`.

use std::fs;

use serde_json::Value;

use crate::args::BenchOptions;
use crate::console::{heading, note};
use crate::demo::build_release;
use crate::failure::{During, Outcome, fail};
use crate::repo::Repo;
use crate::setup;
use crate::stop::Stop;

mod awake;
mod first_frame;
mod gateway;
mod grant;
mod hide;
mod import;
mod make;
mod manifest;
mod mark;
mod measure;
mod page;
mod player;
mod seal;
mod sign;
mod source;
mod stego_security;
mod studio;
mod visits;

/// A bench: its name, and what it does; the value goes into a file as it is.
type Bench = (&'static str, fn(&Repo, &BenchOptions, &Stop) -> Outcome<Value>);

const BENCHES: [Bench; 15] = [
    ("import", import::run),
    ("first-frame", first_frame::run),
    ("gateway", gateway::run),
    ("grant", grant::run),
    ("hide", hide::run),
    ("make", make::run),
    ("manifest", manifest::run),
    ("mark", mark::run),
    ("page", page::run),
    ("player", player::run),
    ("seal", seal::run),
    ("sign", sign::run),
    ("stego-security", stego_security::run),
    ("studio", studio::run),
    ("studio-page", studio::run_page),
];

/// Runs the named benches, or all.
pub(crate) fn run(repo: &Repo, options: &BenchOptions) -> Outcome {
    let chosen = choose(&options.names)?;
    setup::run(repo)?;
    heading("building the release programs");
    build_release(repo)?;
    let stop = Stop::listen()?;
    for (name, bench) in chosen {
        heading(&format!("bench {name}"));
        let figures = bench(repo, options, &stop)?;
        save(repo, name, &figures)?;
    }
    Ok(())
}

fn choose(names: &[String]) -> Outcome<Vec<Bench>> {
    if names.is_empty() {
        return Ok(BENCHES.to_vec());
    }
    let find = |name: &String| {
        let found = BENCHES.iter().find(|(known, _)| known == name).copied();
        let known: Vec<&str> = BENCHES.iter().map(|(known, _)| *known).collect();
        found.ok_or_else(|| {
            fail(format!("there is no bench `{name}`"))
                .hint(format!("one of: {}", known.join(", ")))
        })
    };
    names.iter().map(find).collect()
}

/// Prints a figure beside its aim.
fn verdict(what: &str, met: bool) {
    note(format_args!("{what}: {}", if met { "met" } else { "MISSED" }));
}

fn save(repo: &Repo, name: &str, figures: &Value) -> Outcome {
    let dir = repo.target.join("bench");
    fs::create_dir_all(&dir).during(format_args!("making {}", dir.display()))?;
    let path = dir.join(format!("{name}.json"));
    fs::write(&path, format!("{figures:#}\n"))
        .during(format_args!("writing {}", path.display()))?;
    note(format_args!("figures in {}", path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_bench_is_named_with_those_that_there_are() {
        let error = choose(&["imprt".to_owned()]).err().unwrap().to_string();
        assert_eq!(
            error,
            "there is no bench `imprt`
hint: one of: import, first-frame, gateway, grant, hide, make, manifest, mark, page, player, seal, sign, stego-security, studio, studio-page"
        );
        assert_eq!(choose(&[]).unwrap().len(), BENCHES.len());
    }
}
