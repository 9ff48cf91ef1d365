//! Plain trees as the configuration has them, with their keys' files.
//!
//! Owns which file may be open to others: a public key may, a shared secret may not.

use std::path::Path;

use veil_gateway::{
    Config, Origin, PlainAlgorithm, PlainAuth, PlainMode, PlainSettings, PlainTree, PlainTrees,
    UrlModeName,
};
use zeroize::Zeroizing;

use crate::store::{self, S3};
use crate::{Failure, private_file};

const HINT: &str = "docs/operations/gateway.toml shows a plain tree with every key";

/// Reads every plain tree's key, and takes what signs for the store if one of them needs it.
pub(crate) fn trees(config: &Config, s3: Option<&S3>) -> Result<PlainTrees, Failure> {
    let is_signed = |settings: &PlainSettings| settings.mode != Some(PlainMode::Local);
    let signed = s3.filter(|_| config.plain.iter().any(is_signed));
    let origin = signed.map(|s3| origin(config, s3)).transpose()?;
    let trees = config.plain.iter().map(|settings| {
        let key = key(settings)?;
        let key = key.as_ref().map(|text| text.as_str());
        PlainTree::new(settings, key, origin.as_ref()).map_err(|error| Failure::new(error, HINT))
    });
    let trees = trees.collect::<Result<_, Failure>>()?;
    PlainTrees::new(trees).map_err(|error| Failure::new(error, HINT))
}

/// Where the trees' objects have their URLs: where titles' have theirs, if those are presigned too.
fn origin(config: &Config, s3: &S3) -> Result<Origin, Failure> {
    if config.urls.mode != UrlModeName::Presigned {
        return Ok(Origin::new(&s3.place, store::signing(config, Some(s3), None)?));
    }
    let source = store::signing(config, Some(s3), config.urls.credentials.as_deref())?;
    let origin = config.urls.origin(Some(&s3.place), source);
    origin.map_err(|error| Failure::new(format!("[urls]: {error}"), HINT))
}

fn key(settings: &PlainSettings) -> Result<Option<Zeroizing<String>>, Failure> {
    let (PlainAuth::Token, Some(path)) = (settings.auth, &settings.key) else { return Ok(None) };
    match settings.algorithm {
        PlainAlgorithm::HS256 => {
            let form = "make one with: openssl rand -hex 32";
            private_file::read(path, "key of tokens", "plain.key", form).map(Some)
        }
        PlainAlgorithm::ES256 => public_key(path).map(Some),
    }
}

fn public_key(path: &Path) -> Result<Zeroizing<String>, Failure> {
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        let hint = "name a file that this user may read by plain.key";
        Failure::new(format!("the key of tokens {} cannot be read: {error}", path.display()), hint)
    })
}
