//! `veilcast hide`: puts files into the frames of a video.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use veil_ffmpeg::raw::{Codec, Container};
use veil_studio::hide::{
    Detectability, Hidden, HideError, HideKeys, HideProgress, HideRequest, PayloadSource, Profile,
    Rate, STDIN_BYTES_MAX, StructuralSecret,
};
use veil_studio::pipeline::Encoder;
use zeroize::Zeroizing;

use crate::args::hide::{CodecArg, HideArgs, Mode, ProfileArg, SecretArgs};
use crate::commands::import::encoder;
use crate::error::CliError;
use crate::output::{self, Format, note};
use crate::progress;
use crate::sealed::ask::{Asker, read_secret};
use crate::sealed::refusal::unreadable;
use crate::sealed::target::{Access, Target};
use crate::turns;

/// The longest key file that is read.
const KEY_BYTES_MAX: u64 = 1 << 20;

/// More threads than this want more memory than they save time.
const THREADS_MAX: usize = 8;

pub(crate) async fn run(
    args: &HideArgs,
    data: Option<&Path>,
    format: Format,
) -> Result<(), CliError> {
    let Mode::Lossless = args.mode;
    let container = container(&args.output)?;
    let recipients = args.recipients.read()?;
    let keys = HideKeys::new(args.secret.read(Moment::Hiding)?, recipients)?;
    let payload = args.payload.iter().map(source).collect::<Result<_, _>>()?;
    let target = Target::file(&args.output, args.force, Access::Umask)?;
    let Some(out) = target.path().map(Path::to_owned) else {
        return Err(CliError::new(format!("{} is no file", target.name))
            .hint("a video is written to a file: name one with -o"));
    };
    let turns = turns::open(&args.turns.budget, args.turns.no_wait, data)?;
    let before = turns.before();
    let encoder = Encoder { turns: Some(turns), ..encoder().await? };
    let profile = args.profile.into();
    let request = HideRequest {
        carrier: args.carrier.clone(),
        payload,
        keys,
        out,
        container,
        codec: args.codec.map(Codec::from),
        profile,
        max_rate: args.max_rate,
        threads: args.threads.map_or(encoder.processors.min(THREADS_MAX), usize::from),
        verify: !args.no_verify,
    };
    let (sender, receiver) = watch::channel(HideProgress::default());
    let bar = tokio::spawn(progress::show_frames(receiver, before));
    let hidden = veil_studio::hide::hide(&encoder, request, &sender).await;
    drop(sender);
    let waited = bar.await.unwrap_or_default();
    let hidden = hidden?;
    if hidden.rate > Rate::WARN {
        note(&format!(
            "warning: {} bits a sample are easily detected; take a longer video to stay below {}",
            hidden.rate,
            Rate::WARN
        ));
    }
    let name = target.name.clone();
    target.publish_whole()?;
    let class = Detectability::of(hidden.rate, profile);
    format.answer(&answer(&name, &hidden, (class, waited), args), || text(&name, &hidden, class));
    Ok(())
}

fn container(out: &Path) -> Result<Container, CliError> {
    Container::of_path(out).ok_or_else(|| {
        CliError::new(format!("{} names no video", out.display()))
            .hint("the output ends in .mkv, .mp4 or .mov")
    })
}

fn source(path: &PathBuf) -> Result<PayloadSource, CliError> {
    if path != Path::new("-") {
        return Ok(PayloadSource::Path(path.clone()));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let read = io::stdin().lock().take(STDIN_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(&error, "standard input"))?;
    if bytes.len() as u64 > STDIN_BYTES_MAX {
        return Err(HideError::StdinTooLong(STDIN_BYTES_MAX).into());
    }
    Ok(PayloadSource::Bytes { name: "stdin".to_owned(), bytes })
}

fn answer(
    name: &str,
    hidden: &Hidden,
    (class, waited): (Detectability, Duration),
    args: &HideArgs,
) -> serde_json::Value {
    json!({
        "file": name,
        "mode": "lossless",
        "frames": hidden.frames,
        "message_bytes": hidden.message_bytes,
        "bits_per_sample": hidden.rate.bits_per_sample(),
        "detectability": class.word(),
        "verified": !args.no_verify,
        "waited_ms": u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
    })
}

fn text(name: &str, hidden: &Hidden, class: Detectability) -> String {
    format!(
        "hid {} in {} frames of {name}: {} bits a sample, detectability {}",
        output::bytes(i64::try_from(hidden.message_bytes).unwrap_or(i64::MAX)),
        hidden.frames,
        hidden.rate,
        class.word(),
    )
}

/// When a secret is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It is new.
    Hiding,
    /// It is there already.
    Revealing,
}

impl SecretArgs {
    /// The secret, if one is named.
    pub(crate) fn read(&self, moment: Moment) -> Result<Option<StructuralSecret>, CliError> {
        if let Some(path) = &self.key {
            let bytes = read_secret(path, KEY_BYTES_MAX + 1)?;
            let length = bytes.len() as u64;
            if !(veil_seal::hidden::MIN_KEY_BYTES as u64..=KEY_BYTES_MAX).contains(&length) {
                return Err(CliError::new(format!(
                    "{} is no key file: it has from 32 bytes to 1 MiB",
                    path.display()
                ))
                .hint("make one: head -c 32 /dev/urandom > FILE"));
            }
            return Ok(Some(StructuralSecret::KeyFile(bytes)));
        }
        if !self.passphrase && self.passphrase_file.is_none() {
            return Ok(None);
        }
        let asker = Asker::new(self.passphrase_file.as_deref());
        let passphrase = match moment {
            Moment::Hiding => asker.new_for("the hidden message"),
            Moment::Revealing => asker.existing("the hidden message"),
        };
        Ok(Some(StructuralSecret::Passphrase(passphrase?)))
    }
}

impl From<CodecArg> for Codec {
    fn from(codec: CodecArg) -> Self {
        match codec {
            CodecArg::X264 => Self::X264,
            CodecArg::Ffv1 => Self::Ffv1,
            CodecArg::Utvideo => Self::UtVideo,
        }
    }
}

impl From<ProfileArg> for Profile {
    fn from(profile: ProfileArg) -> Self {
        match profile {
            ProfileArg::Default => Self::Default,
            ProfileArg::Careful => Self::Careful,
        }
    }
}

impl From<HideError> for CliError {
    fn from(error: HideError) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}
