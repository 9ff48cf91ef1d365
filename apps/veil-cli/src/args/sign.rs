//! The command line of `sign`.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use veil_presign::{EXPIRES_MAX_S, Endpoint, parse_amz_date};

pub(crate) const SIGN_EXAMPLES: &str = "\
Examples:
  veilcast sign index.m3u8 --endpoint https://s3.eu-west-1.amazonaws.com \\
      --bucket videos --prefix v/film/720p --region eu-west-1 > signed.m3u8
  curl -s https://origin/v/film/720p/index.m3u8 | veilcast sign - --region auto \\
      --endpoint https://ACCOUNT.r2.cloudflarestorage.com --bucket videos --prefix v/film/720p";

/// `veilcast sign`.
#[derive(Args, Debug)]
pub(crate) struct SignArgs {
    /// The playlist; `-` is standard input
    pub(crate) playlist: PathBuf,
    /// The store's address, https://HOST or http://HOST:PORT
    #[arg(long, value_name = "URL", value_parser = Endpoint::parse)]
    pub(crate) endpoint: Endpoint,
    /// The bucket
    #[arg(long)]
    pub(crate) bucket: String,
    /// The playlist's folder in the bucket
    #[arg(long, default_value = "")]
    pub(crate) prefix: String,
    /// The store's region; R2's is `auto`
    #[arg(long)]
    pub(crate) region: String,
    /// When the URLs begin to hold, such as 20261120T101602Z [default: now]
    #[arg(long, value_parser = date)]
    pub(crate) date: Option<Timestamp>,
    /// How long they hold, in seconds: 604800, which is seven days, at most
    #[arg(long, value_name = "SECONDS", default_value_t = 14_400,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(EXPIRES_MAX_S)))]
    pub(crate) expires: u32,
}

fn date(text: &str) -> Result<Timestamp, &'static str> {
    parse_amz_date(text).ok_or("a date is written as 20261120T101602Z, in UTC")
}
