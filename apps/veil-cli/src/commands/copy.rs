//! `veilcast open LINK`: a viewer's copy of a title, as a file.
//!
//! Takes what a player would take of the best picture and the default sound, and encodes nothing again.

use std::io::Write as _;

use serde_json::json;
use tokio::task::JoinSet;
use veil_ffmpeg::Launcher;
use veil_ffmpeg::raw::End;
use veil_ffmpeg::remux::Remuxing;
use veil_seal::grant::GrantKind;
use veil_seal::identity::Identity;
use veil_studio::StudioError;

use crate::args::sealed::{OpenArgs, UnlockArgs};
use crate::commands::import::find_tools;
use crate::error::CliError;
use crate::output::Format;
use crate::sealed::ask::Asker;
use crate::sealed::identities;
use crate::sealed::target::{Access, Target};
use crate::watching::door::{Answer, Door};
use crate::watching::link::Link;
use crate::watching::title::{Opened, Piece};

/// A rendition on its way: its objects, and where the playlist says they lie.
struct Track {
    pieces: Vec<Piece>,
    listed: Vec<(String, String)>,
}

pub(crate) async fn run(args: &OpenArgs, format: Format) -> Result<(), CliError> {
    let link = Link::parse(Link::of_args(args).unwrap_or_default())?;
    if args.range.is_some() {
        return Err(CliError::new("--range is for sealed files, and this is a link"));
    }
    let output = args.output.output.as_deref();
    let target = output.map(|path| Target::file(path, args.output.force, Access::Owner));
    let target = target.ok_or_else(no_file)??;
    let path = target.path().ok_or_else(no_file)?.to_owned();
    let unlock = (args.unlock.identities.clone(), args.unlock.passphrase_file.clone());
    let unlock = UnlockArgs { identities: unlock.0, passphrase_file: unlock.1 };
    let opening = tokio::task::spawn_blocking(move || open(&link, &unlock));
    let (door, title, tracks) = opening.await.map_err(lost)??;
    let launcher = Launcher::default();
    let tools = find_tools(&launcher).await?;
    let all = || tracks.iter().flat_map(|track| &track.pieces);
    let bytes = all().map(Piece::sealed_bytes).sum();
    let remuxing = Remuxing::start(&launcher, &tools, tracks.len(), (&path, bytes)).await;
    let mut remuxing = remuxing.map_err(StudioError::from)?;
    let mut feeding = JoinSet::new();
    let door = std::sync::Arc::new(door);
    for (track, end) in tracks.into_iter().zip(remuxing.take_ends()) {
        let door = std::sync::Arc::clone(&door);
        feeding.spawn_blocking(move || feed(&door, &track, end));
    }
    let mut fed = Ok(());
    while let Some(one) = feeding.join_next().await {
        fed = fed.and(one.map_err(lost)?);
    }
    let finished = remuxing.finish().await;
    fed?;
    finished.map_err(StudioError::from)?;
    let name = target.name.clone();
    target.publish_whole()?;
    format.answer(&json!({ "file": name, "title": title }), || format!("wrote {name}"));
    Ok(())
}

/// From a link to where the tracks lie.
fn open(link: &Link, unlock: &UnlockArgs) -> Result<(Door, String, Vec<Track>), CliError> {
    let door = Door::new(link)?;
    let answer = door.grant()?;
    let identity = identity(link, &answer, unlock)?;
    let opened = Opened::new(&door, &answer, &identity)?;
    let track = |rendition| {
        let (pieces, listed) =
            (opened.pieces(rendition)?, door.playlist(opened.playlist(rendition))?);
        Ok(Track { pieces, listed })
    };
    let tracks = opened.best().into_iter().map(track).collect::<Result<_, CliError>>()?;
    Ok((door, opened.manifest.title, tracks))
}

/// The link's own identity, or the one at hand that the grant is for.
fn identity(link: &Link, answer: &Answer, unlock: &UnlockArgs) -> Result<Identity, CliError> {
    if answer.record.kind == GrantKind::Link {
        return Ok(link.secret.identity());
    }
    let asker = Asker::new(unlock.passphrase_file.as_deref());
    for file in identities::read_all(&unlock.identities)? {
        let identity = file.unlock(&asker)?;
        let key_id = identity.recipient().key_id().to_string();
        if answer.record.recipient.as_ref() == Some(&key_id) {
            return Ok(identity);
        }
    }
    Err(CliError::new("the link is for somebody whose identity isn't here")
        .hint("-i IDENTITY names the identity file"))
}

/// Hands a track's objects to FFmpeg, one after the other.
fn feed(door: &Door, track: &Track, mut end: End) -> Result<(), CliError> {
    // A rendition in one file has one address.
    let last = track.listed.len().saturating_sub(1);
    for (at, piece) in track.pieces.iter().enumerate() {
        let listed = track.listed.get(at.min(last));
        let listed = listed.ok_or_else(|| CliError::new("the gateway's playlist is empty"))?;
        let bytes = piece.fetch(door, listed)?;
        if let Err(error) = end.write_all(&bytes) {
            // FFmpeg says itself why it went.
            return match error.kind() {
                std::io::ErrorKind::BrokenPipe => Ok(()),
                _ => Err(CliError::new(format!("FFmpeg takes no more: {error}"))),
            };
        }
    }
    Ok(())
}

fn no_file() -> CliError {
    CliError::new("a title wants a file to be written to").hint("name it with -o OUT.mp4")
}

fn lost(gone: tokio::task::JoinError) -> CliError {
    CliError::new(format!("a part of the work was lost: {gone}"))
}
