//! The command line of `veilcast-gateway`.
//!
//! Owns names, defaults and help of the flags. Refuses to read files or the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Serve private videos to who has a link
///
/// The gateway hands out grants, signs playlists and serves sealed objects and the watch page. It has
/// no key: it cannot open what it serves. The bucket is its only state, so run as many as you like.
#[derive(Parser)]
#[command(name = "veilcast-gateway", version, after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The bucket: a local folder
    #[arg(long, value_name = "DIR")]
    pub(crate) bucket: PathBuf,

    /// The credential that signs URLs
    ///
    /// A TOML file with access_key_id and secret_access_key, readable by its owner alone (mode 0600).
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: PathBuf,

    /// Where to listen; port 0 lets the system choose
    ///
    /// Any address that other machines reach needs --public-url as well.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8787")]
    pub(crate) listen: SocketAddr,

    /// A URL under which viewers reach this gateway (repeatable)
    ///
    /// Requests for any other host are refused, which is what stops a foreign page that points its
    /// name at this machine. On a loopback address, localhost and 127.0.0.1 are answered as well.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Vec<String>,

    /// Serve the watch page from this folder instead of the built-in one
    ///
    /// It is read once, at the start. For developing the page, and for serving a build that you audited.
    #[arg(long, value_name = "DIR")]
    pub(crate) page: Option<PathBuf>,

    /// The operator's token, which opens /performance and, beyond loopback, /metrics
    ///
    /// A file with one line of 32 or more random characters (openssl rand -hex 32), readable by its
    /// owner alone (mode 0600). Without it those paths are not there.
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_token: Option<PathBuf>,

    /// Serve /metrics, /healthz and /readyz on an address of their own as well
    ///
    /// On a loopback address /metrics wants no token there; on any other it does.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) metrics_listen: Option<SocketAddr>,

    /// The form of the access log on standard error
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) log: LogForm,
}

/// How a log line is written.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LogForm {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

const EXAMPLES: &str = "\
Examples:
  On this machine alone:
    veilcast-gateway --bucket ./bucket --credentials ./gateway.toml

  Behind a proxy that has the certificate:
    veilcast-gateway --bucket /srv/veilcast/bucket --credentials /etc/veilcast/gateway.toml \\
      --listen 127.0.0.1:8787 --public-url https://videos.example.org

The credentials file:
  access_key_id = \"VEILCAST\"
  secret_access_key = \"<32 random characters or more>\"

When it answers, the gateway prints {\"event\":\"listening\",\"url\":\"http://127.0.0.1:8787\"} on standard
output. SIGTERM or SIGINT finishes running downloads (30 seconds at most) and exits.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
