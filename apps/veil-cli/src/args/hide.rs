//! The command line of hidden messages: `hide`, `reveal`, `capacity`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use veil_studio::hide::Rate;

use super::sealed::RecipientArgs;
use super::turns::TurnArgs;

pub(crate) const HIDE_EXAMPLES: &str = "\
Examples:
  veilcast capacity holiday.mp4
  veilcast hide --carrier holiday.mp4 --payload notes.txt photos -o out.mkv --passphrase
  veilcast hide --carrier holiday.mp4 --payload notes.txt -o out.mkv -r alice.txt
  head -c 32 /dev/urandom > where.key; chmod 600 where.key
  veilcast hide --mode robust --carrier holiday.mp4 --payload notes.txt -o out.mp4 --passphrase
  tar -c folder | veilcast hide --carrier a.mov --payload - -o b.mov --key where.key
  veilcast reveal out.mkv --passphrase -o found

Modes: lossless hides much, and unseen; encoding the video again, as most sites do, destroys the message. Robust hides
some hundred bytes a second, and they survive that; the output is an ordinary video.

What it gives away: a lossless video is unusual by itself and many times as large as others. Who compares it with
its carrier sees that it was changed; never publish both, and prefer carriers of your own that nobody else has. Robust
mode changes more than lossless mode: who looks for it with the means of a laboratory may find that something is there.";

pub(crate) const REVEAL_EXAMPLES: &str = "\
Examples:
  veilcast reveal out.mkv --passphrase -o found
  veilcast reveal out.mkv --key where.key -o found
  veilcast reveal out.mkv -i laptop.txt -o found";

/// What survives what.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Survives copying, and no encoding
    Lossless,
    /// Survives encoding, scaling, and cuts; into an ordinary H.264 video
    Robust,
}

/// How a picture is encoded.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CodecArg {
    /// H.264 without loss: the smallest; into .mkv, .mp4 or .mov
    X264,
    /// FFV1, as archives keep it; into .mkv or .mov
    Ffv1,
    /// Ut Video: the quickest, 8 bits alone; into .mkv or .mov
    Utvideo,
}

/// What is spent to stay unseen, or to survive.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ProfileArg {
    /// Lossless: quick
    Default,
    /// Lossless: fewer changes, several times the work for each byte
    Careful,
    /// Robust: survives encoding at the same size
    SameSize,
    /// Robust: survives scaling down to 480p and encoding
    Scaled,
    /// Robust: survives more than that, and holds the least
    Hard,
}

impl ProfileArg {
    /// The mode that has it.
    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::Default | Self::Careful => Mode::Lossless,
            Self::SameSize | Self::Scaled | Self::Hard => Mode::Robust,
        }
    }
}

/// A secret that says where a message lies.
#[derive(Args, Debug)]
pub(crate) struct SecretArgs {
    /// Ask for the passphrase
    #[arg(long, group = "secret")]
    pub(crate) passphrase: bool,
    /// Read the passphrase from the first line of FILE
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// A key file: 32 bytes at least, as good as random
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(crate) key: Option<PathBuf>,
}

/// `veilcast hide`.
#[derive(Args, Debug)]
pub(crate) struct HideArgs {
    /// The video that carries; it is not changed
    #[arg(long, value_name = "VIDEO")]
    pub(crate) carrier: PathBuf,
    /// What to hide: files, and folders with all that is in them; `-` is standard input, 4 GiB at most
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(crate) payload: Vec<PathBuf>,
    /// The video to write: .mkv, .mp4 or .mov
    #[arg(short, long = "output", value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Overwrite OUT if it is there
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) secret: SecretArgs,
    /// Recipients: they alone can open it then. One recipient without passphrase or key: who knows their public
    /// key can tell that something is there
    #[command(flatten)]
    pub(crate) recipients: RecipientArgs,
    /// What the message survives
    #[arg(long, value_enum, default_value_t = Mode::Lossless)]
    pub(crate) mode: Mode,
    /// How the picture is encoded in lossless mode [default: x264, or ffv1 for an odd width or height]
    #[arg(long, value_enum)]
    pub(crate) codec: Option<CodecArg>,
    /// What is spent to stay unseen, or to survive [default: default, or scaled in robust mode]
    #[arg(long, value_enum)]
    pub(crate) profile: Option<ProfileArg>,
    /// In lossless mode, the most bits to hide in each luma sample, 0.4 at most; more is easier to detect
    #[arg(long, value_name = "BITS", default_value_t = Rate::DEFAULT)]
    pub(crate) max_rate: Rate,
    /// Don't read the message back before the video is in its place
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Threads that work on frames [default: one a processor, 8 at most]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) turns: TurnArgs,
}

/// `veilcast reveal`.
#[derive(Args, Debug)]
pub(crate) struct RevealArgs {
    /// The video
    pub(crate) video: PathBuf,
    #[command(flatten)]
    pub(crate) secret: SecretArgs,
    /// Your identity, for what was hidden for recipients [default: the one that `veilcast identity new` made]
    #[arg(short, long = "identity", value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    /// The folder to put the files into
    #[arg(short, long = "output", value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) turns: TurnArgs,
}

/// `veilcast capacity`.
#[derive(Args, Debug)]
pub(crate) struct CapacityArgs {
    /// The video
    pub(crate) video: PathBuf,
}
