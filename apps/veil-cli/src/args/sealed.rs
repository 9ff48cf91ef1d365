//! The command line of sealed files: `identity`, `seal`, `open`, `inspect`, `recipients`, `rekey`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::sealed::range::ByteRange;

pub(crate) const IDENTITY_EXAMPLES: &str = "\
Examples:
  veilcast identity new                   make your identity, once
  veilcast identity recipient > me.txt    what you give to others
  veilcast identity new --passphrase -o laptop.txt
                                          another one, locked with a passphrase

Keys are age's post-quantum keys: `age-keygen -pq` makes them too.";

pub(crate) const SEAL_EXAMPLES: &str = "\
Examples:
  veilcast seal -r alice.txt -o rushes.mov.veil rushes.mov
  veilcast seal -R everybody.txt -o rushes.mov.veil rushes.mov
  veilcast seal --passphrase -o letter.veil letter.txt
  tar -c folder | veilcast seal -r age1pq1… > folder.tar.veil";

pub(crate) const OPEN_EXAMPLES: &str = "\
Examples:
  veilcast open -o rushes.mov rushes.mov.veil
  veilcast open -i laptop.txt folder.tar.veil | tar -x
  veilcast open --range 0-999 rushes.mov.veil | xxd
  veilcast open --range -1000000 -o end.bin https://example.org/rushes.mov.veil";

pub(crate) const INSPECT_EXAMPLES: &str = "\
Examples:
  veilcast inspect rushes.mov.veil
  veilcast inspect --json https://example.org/rushes.mov.veil
  veilcast inspect -i ~/.config/veilcast/identity.txt rushes.mov.veil";

pub(crate) const RECIPIENTS_EXAMPLES: &str = "\
Examples:
  veilcast recipients list rushes.mov.veil
  veilcast recipients add -r bob.txt rushes.mov.veil
  veilcast recipients remove rushes.mov.veil bob.txt
  veilcast recipients remove rushes.mov.veil 3f0c9a1e

Removing takes nothing back: whoever could open the file may have kept its content, its key or a copy.";

pub(crate) const REKEY_EXAMPLES: &str = "\
Examples:
  veilcast rekey rushes.mov.veil -r alice.txt -r bob.txt
  veilcast rekey rushes.mov.veil -r alice.txt --drop-others";

/// `veilcast identity`.
#[derive(Subcommand, Debug)]
pub(crate) enum IdentityCommand {
    /// Make an identity, and print its key id
    ///
    /// The file is for you alone (mode 0600). Nobody can make it again: what is sealed to it is lost with
    /// it, so keep a copy in a safe place. An identity that is there already is never overwritten.
    New {
        /// Where to write it; `-` is standard output [default: identity.txt in the platform's
        /// configuration folder for Veilcast]
        #[arg(short, long = "output", value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        passphrase: NewPassphraseArgs,
    },
    /// Tell about an identity: its file, its key id and its recipient, and nothing secret
    Show(OneIdentityArgs),
    /// Print an identity's recipient (age1pq1…), which others seal to
    Recipient(OneIdentityArgs),
}

/// An identity to look at.
#[derive(Args, Debug)]
pub(crate) struct OneIdentityArgs {
    /// The identity file [default: the one that `veilcast identity new` made]
    pub(crate) file: Option<PathBuf>,
    /// Read the passphrase of a locked identity from the first line of FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// A passphrase to be chosen.
#[derive(Args, Debug)]
pub(crate) struct NewPassphraseArgs {
    /// Ask for a passphrase, twice
    #[arg(long)]
    pub(crate) passphrase: bool,
    /// Read the passphrase from the first line of FILE
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// Who shall be able to open a file.
#[derive(Args, Debug)]
pub(crate) struct RecipientArgs {
    /// Somebody who shall be able to open it: age1pq1…, or a file with such lines; may be given
    /// several times
    #[arg(short, long = "recipient", value_name = "RECIPIENT")]
    pub(crate) recipients: Vec<String>,
    /// A file of recipients, one a line; `#` begins a comment
    #[arg(short = 'R', long = "recipients-file", value_name = "FILE")]
    pub(crate) recipient_files: Vec<PathBuf>,
}

/// What a sealed file is opened with.
#[derive(Args, Debug)]
pub(crate) struct UnlockArgs {
    /// An identity file, which may be locked with a passphrase; may be given several times [default:
    /// the one that `veilcast identity new` made]
    #[arg(short, long = "identity", value_name = "FILE")]
    pub(crate) identities: Vec<PathBuf>,
    /// Read passphrases, of the sealed file or of a locked identity, from the first line of FILE
    /// instead of the terminal
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// `veilcast seal`.
#[derive(Args, Debug)]
pub(crate) struct SealArgs {
    /// What to seal [default: standard input]
    #[arg(value_name = "IN")]
    pub(crate) input: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) recipients: RecipientArgs,
    #[command(flatten)]
    pub(crate) passphrase: NewPassphraseArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Where a command writes.
#[derive(Args, Debug)]
pub(crate) struct OutputArgs {
    /// Where to write; `-` is standard output, even a terminal [default: standard output, unless it
    /// is a terminal]
    #[arg(short, long = "output", value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Overwrite OUT if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// `veilcast open`.
#[derive(Args, Debug)]
pub(crate) struct OpenArgs {
    /// What to open: a file, an http(s) URL, or a link to a title, of which the best picture and the default sound become an
    /// MP4 file, not encoded again [default: standard input]
    #[arg(value_name = "IN")]
    pub(crate) input: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
    /// Open with the file's passphrase, and try no identity
    #[arg(long, conflicts_with = "identities")]
    pub(crate) passphrase: bool,
    /// Open these bytes alone, counted from 0 and both included: `A-B`, `A-` to the end, `-N` for
    /// the last N
    #[arg(long, value_name = "A-B", allow_hyphen_values = true)]
    pub(crate) range: Option<ByteRange>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `veilcast inspect`.
#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// The sealed file, or its http(s) URL
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
    /// Check the file with its passphrase
    #[arg(long, conflicts_with = "identities")]
    pub(crate) passphrase: bool,
}

/// `veilcast recipients`.
#[derive(Subcommand, Debug)]
pub(crate) enum RecipientsCommand {
    /// List who can open a sealed file, by key id
    List {
        /// The sealed file
        file: PathBuf,
        #[command(flatten)]
        unlock: UnlockArgs,
    },
    /// Let more people open a sealed file
    ///
    /// Changes the keyring in place and leaves the body alone. Where the keyring has no room left, the
    /// file is copied beside itself, once, and replaced.
    Add {
        /// The sealed file
        file: PathBuf,
        #[command(flatten)]
        recipients: RecipientArgs,
        /// Ask for a passphrase that opens the file from now on, twice; it replaces the one there is
        #[arg(long)]
        passphrase: bool,
        /// Read that passphrase from the first line of FILE
        #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
        new_passphrase_file: Option<PathBuf>,
        #[command(flatten)]
        unlock: UnlockArgs,
    },
    /// Keep people from opening this copy of a sealed file; it takes nothing back
    ///
    /// It takes nothing back: whoever could open the file may have kept its content, its key, or a copy
    /// of the file that they can still open. For content that changes from now on, `veilcast rekey`
    /// gives the file a key that they never had.
    Remove {
        /// The sealed file
        file: PathBuf,
        /// Whom to remove: a recipient (age1pq1…), a file with recipients, or a key id as `list`
        /// prints it (its first 8 digits are enough)
        #[arg(required_unless_present = "passphrase")]
        recipients: Vec<String>,
        /// Remove the passphrase
        #[arg(long)]
        passphrase: bool,
        /// Remove them even if you can't open the file yourself then
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        unlock: UnlockArgs,
    },
}

/// `veilcast rekey`.
#[derive(Args, Debug)]
pub(crate) struct RekeyArgs {
    /// The sealed file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) recipients: RecipientArgs,
    /// Drop everybody who is not named, the passphrase included
    #[arg(long)]
    pub(crate) drop_others: bool,
    /// Ask for the passphrase that opens the file from now on, twice
    #[arg(long)]
    pub(crate) passphrase: bool,
    /// Read that passphrase from the first line of FILE
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
}
