//! `veilcast hide`: puts files into the frames of a video.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::json;
use tokio::sync::watch;
use veil_ffmpeg::raw::{Codec, Container};
use veil_studio::hide::{
    Detectability, Hidden, HideError, HideKeys, HideProgress, HideRequest, PayloadSource, Profile,
    Rate, RobustHidden, RobustProfile, RobustRequest, STDIN_BYTES_MAX, Spooled, StructuralSecret,
};

use crate::args::hide::{CodecArg, HideArgs, Mode, ProfileArg, SecretArgs};
use crate::commands::import::encoder_in;
use crate::error::CliError;
use crate::output::{self, Format, note};
use crate::progress;
use crate::sealed::ask::{Asker, read_secret};
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
    let profile = profile(args)?;
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
    let encoder = encoder_in(turns).await?;
    let (sender, receiver) = watch::channel(HideProgress::default());
    let bar = tokio::spawn(progress::show_frames(receiver, before));
    let (carrier, verify) = (args.carrier.clone(), !args.no_verify);
    let hidden = match profile {
        Chosen::Lossless(profile) => {
            let codec = args.codec.map(Codec::from);
            let max_rate = args.max_rate;
            let threads = args.threads.map_or(encoder.processors.min(THREADS_MAX), usize::from);
            #[rustfmt::skip]
            let request = HideRequest {
                carrier, payload, keys, out, container, codec, profile, max_rate, threads, verify,
            };
            let hidden = veil_studio::hide::hide(&encoder, request, &sender).await;
            hidden.map(|hidden| Answer::Lossless(hidden, Detectability::of(hidden.rate, profile)))
        }
        Chosen::Robust(profile) => {
            let request = RobustRequest { carrier, payload, keys, out, container, profile, verify };
            let hidden = veil_studio::hide::hide_robust(&encoder, request, &sender).await;
            hidden.map(|hidden| Answer::Robust(hidden, profile))
        }
    };
    drop(sender);
    let waited = bar.await.unwrap_or_default();
    let hidden = hidden?;
    hidden.warn();
    let name = target.name.clone();
    target.publish_whole()?;
    format.answer(&hidden.json(&name, verify, waited), || hidden.text(&name));
    Ok(())
}

/// A mode's profile.
enum Chosen {
    Lossless(Profile),
    Robust(RobustProfile),
}

/// The profile that is asked for, where it is the mode's.
fn profile(args: &HideArgs) -> Result<Chosen, CliError> {
    let other = |what: &str, hint: &str| Err(CliError::new(what).hint(hint));
    if args.profile.is_some_and(|profile| profile.mode() != args.mode) {
        return other(
            "the profile is another mode's",
            "lossless mode has default and careful, robust mode same-size, scaled and hard",
        );
    }
    if args.mode == Mode::Robust && args.codec.is_some() {
        return other("robust mode has no choice of codec", "leave --codec out");
    }
    Ok(match (args.mode, args.profile) {
        (_, Some(ProfileArg::Careful)) => Chosen::Lossless(Profile::Careful),
        (_, Some(ProfileArg::SameSize)) => Chosen::Robust(RobustProfile::SameSize),
        (_, Some(ProfileArg::Hard)) => Chosen::Robust(RobustProfile::Hard),
        (Mode::Lossless, _) => Chosen::Lossless(Profile::Default),
        (Mode::Robust, _) => Chosen::Robust(RobustProfile::Scaled),
    })
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
    let (stdin, rng) = (io::stdin().lock(), &mut UnwrapErr(SysRng));
    let content = Spooled::new(stdin, "standard input", STDIN_BYTES_MAX, rng)?;
    Ok(PayloadSource::Spooled { name: "stdin".to_owned(), content })
}

/// What was hidden.
enum Answer {
    Lossless(Hidden, Detectability),
    Robust(RobustHidden, RobustProfile),
}

impl Answer {
    fn warn(&self) {
        if let Self::Lossless(hidden, _) = self
            && hidden.rate > Rate::WARN
        {
            note(&format!(
                "warning: {} bits a sample are easily detected; take a longer video to stay below {}",
                hidden.rate,
                Rate::WARN
            ));
        }
    }

    fn json(&self, name: &str, verified: bool, waited: Duration) -> serde_json::Value {
        let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        match self {
            Self::Lossless(hidden, class) => json!({
                "file": name,
                "mode": "lossless",
                "frames": hidden.frames,
                "message_bytes": hidden.message_bytes,
                "bits_per_sample": hidden.rate.bits_per_sample(),
                "detectability": class.word(),
                "verified": verified,
                "waited_ms": waited_ms,
            }),
            Self::Robust(hidden, profile) => json!({
                "file": name,
                "mode": "robust",
                "profile": profile_word(*profile),
                "frames": hidden.frames,
                "message_bytes": hidden.message_bytes,
                "capacity_bytes": hidden.capacity_bytes,
                "packets": { "all": hidden.packets.1, "needed": hidden.packets.0 },
                "verified": verified,
                "waited_ms": waited_ms,
            }),
        }
    }

    fn text(&self, name: &str) -> String {
        let bytes = |bytes: u64| output::bytes(i64::try_from(bytes).unwrap_or(i64::MAX));
        match self {
            Self::Lossless(hidden, class) => format!(
                "hid {} in {} frames of {name}: {} bits a sample, detectability {}",
                bytes(hidden.message_bytes),
                hidden.frames,
                hidden.rate,
                class.word(),
            ),
            Self::Robust(hidden, profile) => format!(
                "hid {} in {} frames of {name}: profile {}, {} of {} that it holds",
                bytes(hidden.message_bytes),
                hidden.frames,
                profile_word(*profile),
                bytes(hidden.message_bytes),
                bytes(hidden.capacity_bytes),
            ),
        }
    }
}

/// A profile's name on the command line.
pub(crate) fn profile_word(profile: RobustProfile) -> &'static str {
    match profile {
        RobustProfile::SameSize => "same-size",
        RobustProfile::Scaled => "scaled",
        RobustProfile::Hard => "hard",
    }
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

impl From<HideError> for CliError {
    fn from(error: HideError) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}
