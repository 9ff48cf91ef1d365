//! The command line of `watch`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(crate) const WATCH_EXAMPLES: &str = "\
Examples:
  veilcast watch hash                                       of the page that a gateway serves
  veilcast watch export site --gateway https://video.example.org
  veilcast watch hash --gateway https://video.example.org   of the page that this exports
  veilcast share Screener --page https://films.example.net  a link to the exported page

The gateway must know the page's host: [cors] origins = [\"https://films.example.net\"] in its configuration. Where
objects come from a store or a CDN, name its origin by --media, and allow the page's host there too.";

/// `veilcast watch`.
#[derive(Subcommand, Debug)]
pub(crate) enum WatchCommand {
    /// Write the watch page into a folder, for any web host
    ///
    /// Static files, the same bytes that the gateway serves, but that this page names its gateway and states its policy
    /// itself; `_headers` and `nginx.conf` have what the host should say besides. Run it again to bring the folder up to
    /// date: it replaces what it wrote before and nothing else.
    Export {
        /// The folder; made if it is not there
        dir: PathBuf,
        #[command(flatten)]
        site: SiteArgs,
    },
    /// Print the hash of the watch page, to compare with what the page shows below `About this page`
    ///
    /// It is SHA-256 of the page's `app.sha256`, the list of the hashes of all its files.
    Hash {
        /// The gateway's address, for the hash of an exported page [default: the page that a gateway serves]
        #[arg(long, value_name = "URL")]
        gateway: Option<String>,
        /// Where objects come from, when not from the gateway; may be repeated
        #[arg(long, value_name = "ORIGIN", requires = "gateway")]
        media: Vec<String>,
    },
}

/// Where an exported page gets its titles from.
#[derive(Args, Debug)]
pub(crate) struct SiteArgs {
    /// The gateway's address, as viewers reach it
    #[arg(long, value_name = "URL")]
    pub(crate) gateway: String,
    /// Where objects come from, when not from the gateway: a store's or CDN's origin; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) media: Vec<String>,
}
