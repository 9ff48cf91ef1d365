//! The command line of `veilcast-gateway`.
//!
//! Owns names and help of the flags, and that a flag comes before the same key of the configuration
//! file. Refuses to read files or the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use veil_gateway::{Config, LogForm};

/// Serve private videos to who has a link
///
/// The gateway hands out grants, signs playlists and serves sealed objects and the watch page. It has
/// no key: it cannot open what it serves. The bucket is its only state, so run as many as you like.
#[derive(Parser)]
#[command(name = "veilcast-gateway", version, after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The configuration: a TOML file
    ///
    /// Flags come before it. docs/operations/gateway.toml shows every key with its default.
    #[arg(long, value_name = "FILE", env = "VEILCAST_GATEWAY_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// Check the configuration, show what would run, and end
    ///
    /// Reads every file and asks the bucket. Exit code 0 when it would run, 1 when not.
    #[arg(long)]
    pub(crate) check_config: bool,

    /// The bucket: a local folder, or a store such as s3://videos?region=eu-west-1
    ///
    /// An S3 store's credential comes from AWS's usual variables and files.
    #[arg(long, value_name = "DIR|URL", required_unless_present = "config")]
    pub(crate) bucket: Option<PathBuf>,

    /// The credential that signs URLs
    ///
    /// A TOML file with access_key_id and secret_access_key, readable by its owner alone (mode 0600).
    /// Without it, VEILCAST_ACCESS_KEY_ID and VEILCAST_SECRET_ACCESS_KEY are read.
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,

    /// Where to listen; port 0 lets the system choose [default: 127.0.0.1:8787]
    ///
    /// Any address that other machines reach needs --public-url as well.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,

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

    /// The form of the access log on standard error [default: text]
    #[arg(long, value_name = "FORM")]
    pub(crate) log: Option<LogForm>,
}

impl Args {
    /// Lets the flags that were given stand in for what `config` says.
    pub(crate) fn override_in(&self, config: &mut Config) {
        let Self {
            config: _, check_config: _, bucket, credentials, listen, public_url, page, ..
        } = self;
        for (flag, key) in [
            (bucket, &mut config.bucket),
            (credentials, &mut config.credentials),
            (page, &mut config.page),
            (&self.admin_token, &mut config.admin.token),
        ] {
            if flag.is_some() {
                key.clone_from(flag);
            }
        }
        config.listen = listen.unwrap_or(config.listen);
        config.log = self.log.unwrap_or(config.log);
        config.metrics.listen = self.metrics_listen.or(config.metrics.listen);
        if !public_url.is_empty() {
            config.public_urls.clone_from(public_url);
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  On this machine alone:
    veilcast-gateway --bucket ./bucket --credentials ./credentials.toml

  Behind a proxy that has the certificate:
    veilcast-gateway --bucket /srv/veilcast/bucket --credentials /etc/veilcast/credentials.toml \\
      --listen 127.0.0.1:8787 --public-url https://videos.example.org

  Over an S3 store, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY set:
    veilcast-gateway --bucket 's3://videos?endpoint=https://s3.example.org&region=garage' \\
      --credentials ./credentials.toml

  With a configuration, looked at first:
    veilcast-gateway --config /etc/veilcast/gateway.toml --check-config
    veilcast-gateway --config /etc/veilcast/gateway.toml

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

    #[test]
    fn a_flag_comes_before_the_file_and_its_absence_does_not() {
        let text = "listen = \"127.0.0.1:1\"\nbucket = \"a\"\npublic_urls = [\"https://a\"]\nlog = \"json\"";
        let check = |flags: &[&str], expected: &str| {
            let mut config = Config::from_toml(text).unwrap();
            let words = ["veilcast-gateway", "--config", "f"].iter().chain(flags);
            Args::parse_from(words).override_in(&mut config);
            let shown = format!(
                "{} {:?} {:?} {:?} {:?}",
                config.listen, config.bucket, config.credentials, config.public_urls, config.log
            );
            assert_eq!(shown, expected);
        };
        check(&[], "127.0.0.1:1 Some(\"a\") None [\"https://a\"] Json");
        check(
            &[
                "--listen=[::1]:2",
                "--bucket=b",
                "--credentials=c",
                "--public-url=https://b",
                "--log=text",
            ],
            "[::1]:2 Some(\"b\") Some(\"c\") [\"https://b\"] Text",
        );
    }
}
