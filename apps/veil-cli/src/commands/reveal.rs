//! `veilcast reveal`: takes files out of the frames of a video.

use std::path::Path;

use serde_json::json;
use tokio::sync::watch;
use veil_seal::identity::Identity;
use veil_studio::hide::{HideProgress, RevealKeys};

use crate::args::hide::RevealArgs;
use crate::commands::hide::Moment;
use crate::commands::import::encoder_in;
use crate::commands::stop_signal;
use crate::error::CliError;
use crate::output::Format;
use crate::progress;
use crate::sealed::ask::Asker;
use crate::sealed::identities::{self, IdentityFile};
use crate::turns;

pub(crate) async fn run(
    args: &RevealArgs,
    data: Option<&Path>,
    format: Format,
) -> Result<(), CliError> {
    let secret = args.secret.read(Moment::Revealing)?;
    let identity = identity(args, secret.is_some())?;
    let keys = RevealKeys::new(secret, identity)?;
    let turns = turns::open(&args.turns.budget, args.turns.no_wait, data)?;
    let before = turns.before();
    let encoder = encoder_in(turns).await?;
    let (sender, receiver) = watch::channel(HideProgress::default());
    let bar = tokio::spawn(progress::show_frames(receiver, before));
    let revealed = tokio::select! {
        revealed = veil_studio::hide::reveal(&encoder, &args.video, keys, &args.output, &sender) => {
            Some(revealed)
        }
        _ = stop_signal() => None,
    };
    drop(sender);
    let waited = bar.await.unwrap_or_default();
    let revealed = revealed.ok_or_else(|| CliError::new("revealing was stopped"))??;
    let paths = revealed.paths.iter().map(|path| path.display().to_string());
    let paths: Vec<String> = paths.collect();
    let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
    format.answer(&json!({ "paths": paths, "waited_ms": waited_ms }), || paths.join("\n"));
    Ok(())
}

/// The identity that is named; else the default one, where it is needed, or asks nobody.
fn identity(args: &RevealArgs, has_secret: bool) -> Result<Option<Identity>, CliError> {
    if args.identity.is_some() || !has_secret {
        let (_, file) = identities::read_one(args.identity.as_deref())?;
        return file.unlock(&Asker::Terminal).map(Some);
    }
    let default = identities::read_all(&[])?.into_iter().next();
    Ok(match default {
        Some(IdentityFile::Plain(identity)) => Some(identity),
        _ => None,
    })
}
