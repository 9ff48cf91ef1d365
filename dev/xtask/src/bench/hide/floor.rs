//! FFmpeg alone: the decoder and the encoder that a run of ours had, with nothing of ours between them.
//!
//! The commands are the run's own, with a pipe of the same size from the one to the other, at the same priority.

use std::io::{self, PipeReader, PipeWriter, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use super::super::measure::Given;
use crate::failure::{During, Outcome, fail};
use crate::repo::Repo;

/// What the product asks of its pipes.
const PIPE_BYTES: usize = 1 << 20;

const HINT: &str =
    "if hiding gives FFmpeg other commands now, dev/xtask/src/bench/hide/floor.rs has to follow";

/// Commands to run beside each other.
pub(super) struct Floor<'a> {
    repo: &'a Repo,
    dir: PathBuf,
    decoder: Given,
    encoder: Option<Given>,
}

impl<'a> Floor<'a> {
    /// Decoder and encoder out of those of a run; the encoder writes into `dir`.
    pub(super) fn recoding(repo: &'a Repo, given: &[Given], dir: &Path) -> Outcome<Self> {
        let encoder = find(given, is_encoder, "encoder")?;
        let encoder = with_output(encoder, &dir.join("bare.mkv"));
        let floor = Self::decoding(repo, given, dir)?;
        Ok(Self { encoder: Some(encoder), ..floor })
    }

    /// The decoder alone.
    pub(super) fn decoding(repo: &'a Repo, given: &[Given], dir: &Path) -> Outcome<Self> {
        let decoder = find(given, is_decoder, "decoder")?;
        Ok(Self { repo, dir: dir.to_owned(), decoder: standard(decoder), encoder: None })
    }

    /// How long they take together.
    pub(super) fn seconds(&self) -> Outcome<f64> {
        let (from, to) = pipe().during("making a pipe")?;
        let start = Instant::now();
        let mut decoder = self.start(&self.decoder, Stdio::null(), to.into())?;
        match &self.encoder {
            None => drain(from).during("reading the frames")?,
            Some(encoder) => ended(&mut self.start(encoder, from.into(), Stdio::null())?)?,
        }
        ended(&mut decoder)?;
        Ok(start.elapsed().as_secs_f64())
    }

    fn start(&self, given: &Given, from: Stdio, to: Stdio) -> Outcome<Child> {
        let mut command: Command = self.repo.command("nice");
        command.args(["-n", &given.nicer.to_string(), "ffmpeg"]).args(&given.words);
        command.current_dir(&self.dir).stdin(from).stdout(to).spawn().during("starting FFmpeg")
    }
}

fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (from, to) = io::pipe()?;
    let _ = rustix::pipe::fcntl_setpipe_size(&to, PIPE_BYTES);
    Ok((from, to))
}

/// Reads and forgets.
fn drain(mut from: PipeReader) -> io::Result<()> {
    let reading = thread::spawn(move || {
        let mut buffer = vec![0; PIPE_BYTES];
        while from.read(&mut buffer)? > 0 {}
        Ok(())
    });
    reading.join().unwrap_or_else(|_| Err(io::Error::other("the reader panicked")))
}

fn ended(child: &mut Child) -> Outcome {
    let status = child.wait().during("waiting for FFmpeg")?;
    if status.success() { Ok(()) } else { Err(fail(format!("FFmpeg alone ended with {status}"))) }
}

fn find(given: &[Given], is: fn(&Given) -> bool, what: &str) -> Outcome<Given> {
    let found = given.iter().find(|given| is(given)).cloned();
    found
        .map(standard)
        .ok_or_else(|| fail(format!("the run gave FFmpeg no command of a {what}")).hint(HINT))
}

fn has(given: &Given, first: &str, second: &str) -> bool {
    given.words.windows(2).any(|pair| pair[0] == first && pair[1] == second)
}

fn is_decoder(given: &Given) -> bool {
    has(given, "-c:v", "rawvideo") && given.words.last().is_some_and(|word| is_pipe(word))
}

fn is_encoder(given: &Given) -> bool {
    given.words.windows(2).any(|pair| pair[0] == "-i" && is_pipe(&pair[1]))
}

fn is_pipe(word: &str) -> bool {
    word.strip_prefix("pipe:").is_some_and(|number| number.parse::<u32>().is_ok())
}

/// The inherited pipe, by the number that a shell gives it.
fn standard(given: Given) -> Given {
    let number = if is_encoder(&given) { "pipe:0" } else { "pipe:1" };
    let replace = |word: String| if is_pipe(&word) { number.to_owned() } else { word };
    Given { words: given.words.into_iter().map(replace).collect(), ..given }
}

fn with_output(mut given: Given, out: &Path) -> Given {
    if let Some(last) = given.words.last_mut() {
        *last = out.to_string_lossy().into_owned();
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &str) -> Given {
        Given { words: line.split(' ').map(str::to_owned).collect(), nicer: 5 }
    }

    #[test]
    fn the_two_commands_are_found_and_their_pipes_become_standard() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo { root: dir.path().into(), target: dir.path().into() };
        let run = [
            given("-show_entries stream file:/a.mp4"),
            given("-i file:/a.mp4 -c:v rawvideo -f nut pipe:9"),
            given("-f nut -i pipe:10 -i file:/a.mp4 -c:v:0 libx264 -f matroska file:/tmp/x"),
        ];
        let floor = Floor::recoding(&repo, &run, Path::new("/out")).unwrap();
        assert_eq!(floor.decoder, given("-i file:/a.mp4 -c:v rawvideo -f nut pipe:1"));
        let encoder =
            given("-f nut -i pipe:0 -i file:/a.mp4 -c:v:0 libx264 -f matroska /out/bare.mkv");
        assert_eq!(floor.encoder, Some(encoder));
    }

    #[test]
    fn a_run_without_them_is_an_error_and_not_a_figure() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo { root: dir.path().into(), target: dir.path().into() };
        let error = Floor::decoding(&repo, &[given("-i a -f mp4 pipe:3")], dir.path()).err();
        assert!(error.unwrap().to_string().contains("no command of a decoder"));
    }
}
