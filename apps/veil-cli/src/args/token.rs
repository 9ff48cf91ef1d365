//! The command line of `token`.

use std::path::PathBuf;

use clap::Args;
use veil_presign::jwt::Scope;

pub(crate) const TOKEN_EXAMPLES: &str = "\
Examples:
  openssl rand -hex 32 > hls.key && chmod 600 hls.key     a key, once, for gateways and for this
  veilcast token --key hls.key --path vod/show --expires 12h
  curl -H \"Authorization: Bearer $(veilcast token --key hls.key --path vod/show)\" \\
      https://videos.example.org/hls/vod/show/index.m3u8";

/// `veilcast token`.
#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    /// The key: a file with a shared secret (HS256), or a private key of P-256 in PEM (ES256)
    ///
    /// Readable by its owner alone (mode 0600). The gateway has the same secret, or the public key.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// What the token opens: a folder of the bucket and all below it, or one object
    #[arg(long, value_name = "PATH", value_parser = scope)]
    pub(crate) path: Scope,
    /// How long it holds, such as 30m, 12h or 7d
    #[arg(long, value_name = "TIME", default_value = "12h")]
    pub(crate) expires: String,
    /// The gateway's name, where its configuration has plain.audience
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Option<String>,
    /// Whom it is for; nothing checks it
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,
}

fn scope(text: &str) -> Result<Scope, &'static str> {
    Scope::parse(text).ok_or("a path is written as vod/show, as it lies in the bucket")
}
