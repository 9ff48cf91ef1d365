//! The command line: names, help and parsing in one place.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};

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
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  veilcast up                                       start studio and gateway on this machine
  veilcast import screener.mov --title \"Screener\"   encode, seal and publish a video
  veilcast share Screener --expires 7d              print a link to watch it
  veilcast revoke 3f0c…                             take a link back
  veilcast list                                     titles, and who may watch them

A link is a secret: whoever has it can watch. Send it as you would send a password.";

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Start the studio and the gateway on this machine, until Ctrl-C
    ///
    /// The gateway is a process of its own (`veilcast-gateway`) that never sees a key. It listens
    /// on this machine alone unless --listen says otherwise.
    Up(UpArgs),
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
    /// Delete a title: its objects, and every grant for it
    Remove {
        /// The title's name or id
        title: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
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
}

/// `veilcast import`.
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// The video
    pub(crate) file: PathBuf,
    /// What to call it [default: the file's name]
    #[arg(long, value_name = "T")]
    pub(crate) title: Option<String>,
    /// Renditions by height of the short side: `auto`, or some of 480,720,1080,1440,2160
    #[arg(long, value_name = "HEIGHTS", default_value = "auto")]
    pub(crate) ladder: String,
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
    /// The gateway's address, when it isn't the one that `veilcast up` last used
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
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
