//! The command line: names, help and parsing in one place.

pub(crate) mod hide;
pub(crate) mod import;
pub(crate) mod jobs;
pub(crate) mod make;
pub(crate) mod sealed;
pub(crate) mod sign;
pub(crate) mod stress;
pub(crate) mod studio;
pub(crate) mod token;
pub(crate) mod trace;
pub(crate) mod turns;
pub(crate) mod watch;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};

use self::hide::{CapacityArgs, HIDE_EXAMPLES, HideArgs, REVEAL_EXAMPLES, RevealArgs};
use self::import::ImportArgs;
use self::jobs::{JOBS_EXAMPLES, JobsCommand, WorkerArgs};
use self::make::{MAKE_EXAMPLES, MakeArgs};
use self::sealed::{
    IDENTITY_EXAMPLES, INSPECT_EXAMPLES, IdentityCommand, InspectArgs, OPEN_EXAMPLES, OpenArgs,
    RECIPIENTS_EXAMPLES, REKEY_EXAMPLES, RecipientsCommand, RekeyArgs, SEAL_EXAMPLES, SealArgs,
};
use self::sign::{SIGN_EXAMPLES, SignArgs};
use self::stress::{STRESS_EXAMPLES, StressArgs};
use self::studio::{AUDIT_EXAMPLES, AuditArgs, STUDIO_EXAMPLES, StudioArgs};
use self::token::{TOKEN_EXAMPLES, TokenArgs};
use self::trace::{TRACE_EXAMPLES, TraceArgs};
use self::watch::{WATCH_EXAMPLES, WatchCommand};

/// Private video: sealed end to end, published to a bucket, watched by link.
#[derive(Parser, Debug)]
#[command(name = "veilcast", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The data folder: catalogue, identity and bucket [default: the platform's data folder]
    #[arg(long, global = true, value_name = "DIR", env = "VEILCAST_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Answer in JSON on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Keep no unsealed title key in memory after its use [default: for 5 minutes, 256 at most]
    #[arg(long, global = true, env = "VEILCAST_NO_KEY_CACHE", value_parser = FalseyValueParser::new())]
    pub(crate) no_key_cache: bool,
    /// How long a request to a store is tried again, such as 30s or 3m; 4m at most
    #[arg(long, global = true, value_name = "TIME", env = "VEILCAST_STORE_PATIENCE", default_value = "3m",
        value_parser = crate::stores::patience)]
    pub(crate) store_patience: std::time::Duration,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  veilcast up                                       start studio and gateway on this machine
  veilcast studio                                   the same in a browser
  veilcast make story.txt                           make a video from a text
  veilcast import screener.mov --title \"Screener\"   encode, seal and publish a video
  veilcast share Screener --expires 7d              print a link to watch it
  veilcast revoke 3f0c…                             take a link back
  veilcast list                                     titles, and who may watch them

  veilcast identity new                             make your key, once
  veilcast seal -r alice.txt -o film.veil film.mov  seal any file for somebody
  veilcast open -o film.mov film.veil               open it

A link is a secret: whoever has it can watch. Send it as you would send a password.";

const STORE_HELP: &str = "\
Stores:
  s3://videos/films?region=eu-west-1                                       AWS
  s3://videos?endpoint=https://ACCOUNT.r2.cloudflarestorage.com            R2
  s3://videos?endpoint=http://nas:3900&region=garage                       Garage, MinIO, Ceph
  file:///srv/videos                                                       a folder
  local                                                                    the data folder's own bucket

&profile=NAME names a profile of ~/.aws/credentials, &style=virtual puts the bucket into the host's name. Without a
profile the credential is AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or what the platform gives.
It needs s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload.";

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Start the studio and the gateway on this machine, until Ctrl-C
    ///
    /// The gateway is a process of its own (`veilcast-gateway`) that never sees a key. It listens
    /// on this machine alone unless --listen says otherwise. It serves the titles of one place, which
    /// --bucket names; a title that lies elsewhere wants a gateway there.
    #[command(after_help = STORE_HELP)]
    Up(UpArgs),
    /// Start the studio's page and its HTTP interface on this machine, until Ctrl-C
    ///
    /// Titles, shares, a media library, productions and their rendering in a browser, and the same for programs: `/openapi.json`
    /// tells how. It listens on this machine alone unless --listen says otherwise.
    #[command(after_help = STUDIO_EXAMPLES)]
    Studio(StudioArgs),
    /// Check the trail of what was shared, taken back and done to keys
    ///
    /// Every entry's hash covers the one before it, so that a trail that was edited doesn't hold; then the exit code is 1.
    #[command(after_help = AUDIT_EXAMPLES)]
    Audit(AuditArgs),
    /// Make a video from a story: spoken, with captions, pictures and music
    ///
    /// Splits the text into scenes, has each spoken, renders them side by side and joins them. OUT is in its place when
    /// it is whole; a run that is stopped leaves nothing.
    #[command(after_help = MAKE_EXAMPLES)]
    Make(Box<MakeArgs>),
    /// Look at jobs, and say what is to become of them
    ///
    /// Whatever takes long can be a job: it waits for its turn, can be followed, stopped and resumed, and goes on after a
    /// crash with nothing rendered twice.
    #[command(subcommand, after_help = JOBS_EXAMPLES)]
    Jobs(JobsCommand),
    /// Work on jobs without a user interface, until Ctrl-C
    ///
    /// Jobs that run then are stopped; the next worker goes on with them.
    Worker(Box<WorkerArgs>),
    /// Encode, seal and publish a video
    ///
    /// Takes whatever FFmpeg reads. The file is read once and never changed; no unencrypted segment
    /// touches a disk. An import that is stopped leaves nothing behind.
    Import(ImportArgs),
    /// List titles and the grants made for them
    List,
    /// Grant somebody the right to watch a title, and print the link
    ///
    /// The secret is in the part after `#`, which browsers send to no server. It is shown once:
    /// Veilcast does not keep it.
    Share(ShareArgs),
    /// Take a grant back
    ///
    /// Nobody can start watching with it any more. It can't take back what a viewer has seen or
    /// kept, and who is watching now can go on for some hours.
    Revoke {
        /// The grant's id, as `share` and `list` print it
        grant: String,
    },
    /// Copy a title to another place: an S3 bucket or a folder
    ///
    /// Its grants go with it, so a gateway of that place serves the same links. What is there already, with the same
    /// size and SHA-256, is skipped: after an interruption, run the same command again. Run on a place that has the
    /// title, it checks and mends that copy.
    #[command(after_help = STORE_HELP)]
    Publish(PlaceArgs),
    /// Move a title to another place
    ///
    /// Copies it with its grants, verifies every object, switches, and then deletes every other copy. Killed at any
    /// moment, the title is whole in the old place or in the new one; the same command goes on. Links keep
    /// working when the gateway of the new place has the same public address.
    #[command(after_help = STORE_HELP)]
    Move(PlaceArgs),
    /// Delete one copy of a title that has another
    Unpublish {
        /// The title's name or id
        title: String,
        /// The place of the copy, as `list` prints it
        #[arg(long, value_name = "STORE")]
        from: String,
    },
    /// Delete a title: its objects, and every grant for it
    Remove {
        /// The title's name or id
        title: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Make and show your identity, the key that opens what is sealed to you
    #[command(subcommand, after_help = IDENTITY_EXAMPLES)]
    Identity(IdentityCommand),
    /// Seal a file for recipients, or with a passphrase
    ///
    /// Takes any bytes of any length, from a file or a pipe, and needs a few megabytes of memory. OUT is
    /// written beside its place and renamed when it is whole; a command that is killed leaves the old
    /// OUT or none.
    #[command(after_help = SEAL_EXAMPLES)]
    Seal(SealArgs),
    /// Open a sealed file, all of it or a range
    ///
    /// Nothing comes out that was not authenticated. OUT is readable by you alone (mode 0600), written
    /// beside its place, and renamed when all of the file has proved authentic. Into a pipe, bytes come
    /// out as they are authenticated, and the exit code says whether that was all.
    #[command(after_help = OPEN_EXAMPLES)]
    Open(OpenArgs),
    /// Tell about a sealed file: recipients, sizes, overhead
    ///
    /// Without a key, it tells what anybody can see, and nobody vouches for that. With -i, the keyring
    /// and the length are checked, and the recipients' key ids shown.
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(InspectArgs),
    /// List, add or remove who can open a sealed file, without touching its body
    ///
    /// A change writes some kilobytes, whatever the file's size, and is safe at any moment: after a crash
    /// the old recipients or the new ones open the file. Removing takes nothing back: whoever could open
    /// the file may have kept its content, its key or a copy.
    #[command(subcommand, after_help = RECIPIENTS_EXAMPLES)]
    Recipients(RecipientsCommand),
    /// Encrypt a sealed file anew, under a key that nobody had before
    ///
    /// The file doesn't hold its recipients' public keys, so they are named again with -r; you stay a
    /// recipient yourself. Plaintext never touches the disk. Whoever could open the old file may have
    /// kept its content or a copy of it: this protects what is done with the file from now on.
    #[command(after_help = REKEY_EXAMPLES)]
    Rekey(RekeyArgs),
    /// Hide files in the frames of a video
    ///
    /// The picture is decoded, its luma changed by one step here and there, and encoded without loss; sound, subtitles,
    /// times, colours, chapters and metadata stay. The payload is compressed and sealed before. Memory doesn't grow
    /// with the video. OUT is in its place when it is whole and the message has been read back.
    #[command(after_help = HIDE_EXAMPLES)]
    Hide(Box<HideArgs>),
    /// Take hidden files out of a video
    ///
    /// Reads as far as the message goes. Nothing is overwritten, and no file appears before all of the message has
    /// proved authentic. A wrong key, a video without a message and a damaged message give the same answer.
    #[command(after_help = REVEAL_EXAMPLES)]
    Reveal(RevealArgs),
    /// Find out whose copy a leak was made of
    ///
    /// For titles that were imported with --mark. Finds the title, where its picture lies in the leak's and at what speed,
    /// reads the mark and ranks everybody who was ever given the title. That it names nobody is an answer, too.
    #[command(after_help = TRACE_EXAMPLES)]
    Trace(Box<TraceArgs>),
    /// Tell how much can be hidden in a video
    Capacity(CapacityArgs),
    /// Find out how many can hide and reveal on this machine at once, and what memory that takes
    ///
    /// Makes clips of its own, has several users at once hide 2 kB a frame in them and reveal it again, each as a process
    /// of its own, and writes a report as JSON, as Markdown and as a chart. Fails where a process takes more memory
    /// than promised, or where a payload doesn't come out again. Nothing else is left, also when it is stopped.
    #[command(after_help = STRESS_EXAMPLES)]
    Stress(Box<StressArgs>),
    /// Presign every URI of an HLS playlist, offline
    ///
    /// Reads a playlist and writes it to standard output with S3 URLs in the place of its relative URIs;
    /// every other byte stays. Takes the credential from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for a
    /// temporary one, AWS_SESSION_TOKEN. Whoever has the output can read what it names until it expires.
    #[command(after_help = SIGN_EXAMPLES)]
    Sign(SignArgs),
    /// Run a gateway alone, with its own flags and configuration
    ///
    /// Becomes `veilcast-gateway`, which lies beside this program and never sees a key. What follows is
    /// for it: `veilcast gateway --help` is its help.
    #[command(disable_help_flag = true)]
    Gateway {
        /// The gateway's arguments, such as --config FILE --check-config
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
        args: Vec<OsString>,
    },
    /// Make a token that opens a plain HLS tree of a gateway, offline
    ///
    /// A JSON Web Token for `/hls/…` (docs/format/plain-hls.md). Whoever has it can read what it names
    /// until it expires; it can't be taken back.
    #[command(after_help = TOKEN_EXAMPLES)]
    Token(TokenArgs),
    /// Put the watch page on a host of your own, and print its hash
    ///
    /// Whoever serves the page could change it, so a page that does not come from the gateway leaves a hostile
    /// gateway nothing to change.
    #[command(subcommand, after_help = WATCH_EXAMPLES)]
    Watch(WatchCommand),
    /// Check that this machine has what Veilcast needs
    Doctor,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// `veilcast up`.
#[derive(Args, Debug)]
pub(crate) struct UpArgs {
    /// Where the gateway listens; port 0 lets the system pick one
    #[arg(long, value_name = "ADDR:PORT", default_value = crate::commands::up::DEFAULT_LISTEN)]
    pub(crate) listen: std::net::SocketAddr,
    /// The address that viewers use, when a proxy stands before the gateway
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Where the titles lie that it serves: s3://BUCKET/PREFIX, file:///FOLDER or `local`, the data
    /// folder's own bucket. A store's objects pass through the gateway
    #[arg(long, value_name = "STORE", env = "VEILCAST_STORE", default_value = veil_studio::place::OWN)]
    pub(crate) bucket: String,
}

/// `veilcast publish` and `veilcast move`.
#[derive(Args, Debug)]
pub(crate) struct PlaceArgs {
    /// The title's name or id
    pub(crate) title: String,
    /// The place: s3://BUCKET/PREFIX, file:///FOLDER or `local`, the data folder's own bucket
    #[arg(long, value_name = "STORE")]
    pub(crate) to: String,
}

/// `veilcast share`.
#[derive(Args, Debug)]
pub(crate) struct ShareArgs {
    /// The title's name or id
    pub(crate) title: String,
    /// Make the grant for this recipient: `age1pq1…`, or a file that holds one. Only who has its
    /// identity can watch; the link alone opens nothing
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "link")]
    pub(crate) to: Option<String>,
    /// Make the grant for whoever has the link (this is the default)
    #[arg(long)]
    pub(crate) link: bool,
    /// How long it holds, such as 30m, 12h or 7d, or `never`
    #[arg(long, value_name = "TIME", default_value = "7d")]
    pub(crate) expires: String,
    /// What to write on it, for yourself
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) label: String,
    /// The gateway's address, when it isn't the one that `veilcast up` last used
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// The address of an exported watch page (`veilcast watch export`), where the link is to lead
    #[arg(long, value_name = "URL", env = "VEILCAST_PAGE", conflicts_with = "base_url")]
    pub(crate) page: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_no_key_cache(words: &[&str], expected: bool) {
        let cli = Cli::try_parse_from(words).unwrap();
        assert_eq!(cli.no_key_cache, expected, "{words:?}");
    }

    #[test]
    fn the_key_cache_is_turned_off_before_or_after_the_command() {
        check_no_key_cache(&["veilcast", "list"], false);
        check_no_key_cache(&["veilcast", "--no-key-cache", "list"], true);
        check_no_key_cache(&["veilcast", "up", "--no-key-cache"], true);
    }
}
