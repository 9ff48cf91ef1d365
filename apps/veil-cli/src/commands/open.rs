//! `veilcast open`: decrypts a sealed file, all of it or a range.

use std::io::{Read, Seek, SeekFrom, Write as _};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use veil_seal::file::BODY_CONTEXT;
use veil_seal::reader::Reader;

use crate::args::sealed::OpenArgs;
use crate::error::CliError;
use crate::flow::{self, FlowError, Input};
use crate::output::Format;
use crate::progress;
use crate::sealed::range::ByteRange;
use crate::sealed::refusal::{stopped, unreadable};
use crate::sealed::remote::{Remote, Url};
use crate::sealed::source::Source;
use crate::sealed::target::{Access, Target};
use crate::sealed::unlock::{Opened, unlock};

pub(crate) fn run(args: &OpenArgs, format: Format) -> Result<(), CliError> {
    let target = Target::open(&args.output, Access::Owner)?;
    target.leaves_room_for(format)?;
    let name = target.name.clone();
    let bytes = match args.range {
        None => whole(args, target)?,
        Some(range) => part(args, range, target)?,
    };
    if args.output.is_file() {
        format.answer(&json!({ "file": name, "content_bytes": bytes }), String::new);
    }
    Ok(())
}

fn whole(args: &OpenArgs, target: Target) -> Result<u64, CliError> {
    let mut source = Source::open_anywhere(args.input.as_deref(), "open")?;
    let front = source.front()?;
    let opened = unlock(&front, &args.unlock, args.passphrase, &source.name)?;
    let (from, to) = (source.name.clone(), target.name.clone());
    let (key, output) = (opened.unlocked.key().body_key(), target.output(b"")?);
    let total = source.length().and_then(veil_seal::chunks::plaintext_len);
    let moving = showing(target.is_terminal(), total, |moved| {
        flow::open(source.into_input(), output, &key, BODY_CONTEXT, moved)
    });
    let finished = moving.map_err(|error| {
        let error = stopped(error, &from, &to);
        if target.is_stream() { incomplete(error) } else { error }
    })?;
    target.publish(&finished)?;
    Ok(finished.plaintext_bytes())
}

/// Shows how far the work is, but not between the lines of what it writes.
fn showing<T>(onto_terminal: bool, total: Option<u64>, work: impl FnOnce(&AtomicU64) -> T) -> T {
    if onto_terminal { work(&AtomicU64::new(0)) } else { progress::moving("opening", total, work) }
}

/// What came out of a stream before the fault can't be taken back.
fn incomplete(error: CliError) -> CliError {
    let hint = error.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
    error.hint(format!("what came out is authentic but not whole: throw it away{hint}"))
}

fn part(args: &OpenArgs, range: ByteRange, target: Target) -> Result<u64, CliError> {
    if let Some(url) = args.input.as_deref().and_then(Url::of_path) {
        let mut remote = Remote::open(url)?;
        let (front, name) = (remote.front()?, remote.name());
        let opened = unlock(&front, &args.unlock, args.passphrase, &name)?;
        remote.plan(front.len() as u64, range)?;
        return copy(remote, front.len() as u64, &opened, range, target, &name);
    }
    let mut source = Source::open(args.input.as_deref(), "open")?;
    let front = source.front()?;
    let name = source.name.clone();
    let Input::File { file, offset, .. } = source.into_input() else {
        return Err(CliError::new(format!("{name} can't be read at any place"))
            .hint("--range takes a file or a URL"));
    };
    let opened = unlock(&front, &args.unlock, args.passphrase, &name)?;
    copy(file, offset, &opened, range, target, &name)
}

/// Opens a range of the file in `source` whose body begins at `body`.
fn copy(
    source: impl Read + Seek,
    body: u64,
    opened: &Opened,
    range: ByteRange,
    target: Target,
    name: &str,
) -> Result<u64, CliError> {
    let key = opened.unlocked.key().body_key();
    let reader = Reader::new(source, body, &key, BODY_CONTEXT);
    let reader = reader.map_err(|error| unreadable(&error, name))?;
    let range = range.within(reader.length())?;
    let bytes = range.end - range.start;
    let moving = showing(target.is_terminal(), Some(bytes), |moved| {
        copy_range(reader, &range, &target, moved)
    });
    moving.map_err(|error| stopped(error, name, &target.name))?;
    target.publish_whole()?;
    Ok(bytes)
}

fn copy_range<R: Read + Seek>(
    mut reader: Reader<R>,
    range: &Range<u64>,
    target: &Target,
    moved: &AtomicU64,
) -> Result<(), FlowError> {
    let mut out = target.writer().map_err(FlowError::Write)?;
    reader.seek(SeekFrom::Start(range.start)).map_err(FlowError::Read)?;
    let mut left = range.end - range.start;
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX);
        let bytes = reader.read_slice(wanted).map_err(FlowError::Read)?;
        if bytes.is_empty() {
            return Err(FlowError::Changed);
        }
        out.write_all(bytes).map_err(FlowError::Write)?;
        left -= bytes.len() as u64;
        moved.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
    Ok(())
}
