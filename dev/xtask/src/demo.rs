//! `cargo xtask demo`: from a video to a link that plays, with everything on this machine and nothing left behind.
//!
//! It uses the product as a person does: `veilcast import`, `up` and `share`, in a data folder of its own below
//! `target/demo` that is new each time. Every process that it starts ends before it does.

use std::path::{Path, PathBuf};
use std::time::Duration;

use veil_testkit::Spawned;

use crate::args::DemoOptions;
use crate::console::{heading, note};
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, run as run_command};
use crate::setup;
use crate::stop::{Ended, Stop};

mod clip;
mod music;
mod product;

pub(crate) use self::clip::demo_clip;
pub(crate) use self::product::Product;

/// Title of the clip that is made here.
const CLIP_TITLE: &str = "Veilcast demo";

/// Longest browser check, a slow machine included.
const CHECK_LIMIT: Duration = Duration::from_secs(300);

/// Sets up, builds, imports, serves, and prints the link; with `check`, watches it in a browser and ends.
pub(crate) fn run(repo: &Repo, options: &DemoOptions) -> Outcome {
    let video = options.video.as_deref().map(existing).transpose()?;
    setup::run(repo)?;
    heading("building the release programs");
    build_release(repo)?;
    let stop = Stop::listen()?;
    let (video, title) = match video {
        Some(video) => {
            let title = title_of(&video);
            (video, title)
        }
        None => (demo_clip(repo)?, CLIP_TITLE.to_owned()),
    };
    let product = Product::new(repo, "demo")?;
    match show(repo, &product, &video, &title, options.check, &stop)? {
        Some(()) => Ok(()),
        None => {
            note("stopped");
            Ok(())
        }
    }
}

/// Builds the programs that people run.
pub(crate) fn build_release(repo: &Repo) -> Outcome {
    let words =
        ["build", "--release", "--locked", "--bin", "veilcast", "--bin", "veilcast-gateway"];
    run_command(&mut repo.cargo(words))
}

/// Returns `None` when someone asked to stop.
fn show(
    repo: &Repo,
    product: &Product,
    video: &Path,
    title: &str,
    check: bool,
    stop: &Stop,
) -> Outcome<Option<()>> {
    heading(&format!("importing {}", video.display()));
    let mut import = product.import(video, title, &[])?;
    match stop.wait(&mut import)? {
        Ended::Asked => return product.end(import).map(|()| None),
        Ended::Child(status) if !status.success() => {
            return Err(fail(format!("the import ended with {status}")));
        }
        Ended::Child(_) => {}
    }
    heading("serving");
    let mut up = product.up()?;
    let link = product.share(title)?;
    println!("\n   Watch \"{title}\" here:\n\n   {link}\n");
    let outcome = if check { watch(repo, &link, stop) } else { serve(&mut up, stop) };
    let ended = product.end(up);
    outcome.and_then(|outcome| ended.map(|()| outcome))
}

fn serve(up: &mut Spawned, stop: &Stop) -> Outcome<Option<()>> {
    note("Ctrl-C stops everything.");
    match stop.wait(up)? {
        Ended::Asked => Ok(None),
        Ended::Child(status) => Err(fail(format!("`veilcast up` ended with {status}"))),
    }
}

fn watch(repo: &Repo, link: &str, stop: &Stop) -> Outcome<Option<()>> {
    heading("watching it in Chromium");
    let mut node = repo.command("node");
    node.arg("e2e/demo-check.mjs").arg(link);
    let mut check = Spawned::start_with_stderr(&mut node, std::process::Stdio::inherit())
        .during("starting the browser check")?;
    let status = match stop.wait_within(&mut check, CHECK_LIMIT)? {
        Ended::Asked => return Ok(None),
        Ended::Child(status) => status,
    };
    while let Ok(line) = check.next_line(Duration::from_secs(1)) {
        println!("   {line}");
    }
    if status.success() {
        Ok(Some(()))
    } else {
        Err(fail("the link does not play as it should").hint("the lines above say what was seen"))
    }
}

fn existing(video: &Path) -> Outcome<PathBuf> {
    let video = video.canonicalize().during(format_args!("opening {}", video.display()))?;
    if video.is_file() { Ok(video) } else { Err(fail(format!("{} is no file", video.display()))) }
}

fn title_of(video: &Path) -> String {
    let stem = video.file_stem().unwrap_or_default().to_string_lossy();
    stem.replace(['_', '-'], " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_made_of_the_file_name() {
        assert_eq!(title_of(Path::new("/a/sintel_trailer-720p.mp4")), "sintel trailer 720p");
    }

    #[test]
    fn a_video_that_is_not_there_is_named_before_anything_is_built() {
        let error = existing(Path::new("/no/such/video.mp4")).unwrap_err().to_string();
        assert!(error.starts_with("opening /no/such/video.mp4: "), "{error}");
        assert!(existing(Path::new("/")).unwrap_err().to_string().contains("is no file"));
    }
}
