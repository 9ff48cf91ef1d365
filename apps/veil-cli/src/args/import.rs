//! The command line of `veilcast import`.

use std::path::PathBuf;

use clap::Args;
use veil_studio::marking::MarkStrength;

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
    /// Where to publish it: s3://BUCKET/PREFIX, file:///FOLDER or `local`, the data folder's own bucket
    #[arg(long, value_name = "STORE", env = "VEILCAST_STORE", default_value = veil_studio::place::OWN)]
    pub(crate) to: String,
    /// Store each rendition as one object instead of one a segment: a gateway then signs one URL a
    /// rendition, however long the video is. The store must serve ranges, as S3 and the gateway do
    #[arg(long)]
    pub(crate) single_file: bool,
    /// Mark the picture, so that every viewer's copy tells whose it is (`veilcast trace` reads it): `standard`, which
    /// nobody sees, or `strong`, for short leaks and hard encoding. The picture is encoded and stored twice: about twice
    /// the time and twice the bytes of the picture
    #[arg(long, value_name = "STRENGTH", num_args = 0..=1, require_equals = true,
        default_missing_value = "standard", conflicts_with = "single_file")]
    pub(crate) mark: Option<MarkStrength>,
}
