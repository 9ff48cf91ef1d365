//! What a plain tree may be: `[[plain]]` in the configuration.
//!
//! Owns the settings' form and what makes them sound. Refuses to read files: keys are given as text. Invariant: no tree
//! reaches sealed titles or grants, and none is open that doesn't say so.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use veil_hls::template::local_path;
use veil_presign::EXPIRES_MAX_S;
use veil_presign::jwt::{KeyError, VerifyKey};

use crate::names::TITLES;
use crate::signer::{Origin, Signer, UnusableMode, UrlLife, UrlMode};

/// Folders of a bucket that hold sealed titles and grants.
const SEALED: [&str; 2] = [TITLES, "g/"];

/// Longest window, in seconds: a day, for which two signing keys are kept.
const WINDOW_MAX_S: u32 = 86_400;

/// One plain tree, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainSettings {
    /// The folder of the bucket, with a slash at its end: `vod/`.
    pub prefix: String,
    /// How players get objects: `presigned` from the store, `local` through the gateway. Default: `presigned` where the
    /// bucket is an S3 store, else `local`.
    #[serde(default)]
    pub mode: Option<PlainMode>,
    /// Who may read: `token`, or `none` for everybody. Required: nothing is open by mistake.
    pub auth: PlainAuth,
    /// The file of the key that verifies tokens: a shared secret (`HS256`, mode 0600) or a public key in PEM (`ES256`).
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// The algorithm of tokens: `HS256` (default) or `ES256`.
    #[serde(default)]
    pub algorithm: PlainAlgorithm,
    /// This gateway's name in tokens' `aud`. Without one, tokens that have an `aud` are refused.
    #[serde(default)]
    pub audience: Option<String>,
    /// The cookie's `SameSite`: `strict`, `lax` (default), or `none` for players on pages of other sites.
    #[serde(default)]
    pub same_site: SameSite,
    /// Extensions of objects to serve besides those of media, in lower case.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// How long a presigned URL lives at least, in seconds (60 to 604,800; default 14,400): longer than a playback.
    #[serde(default = "url_life_s")]
    pub url_life_s: u32,
    /// Signing dates are rounded down to this, in seconds (0 to 86,400; default 1,800), so that URLs repeat. 0 for stores
    /// that refuse URLs signed some minutes ago.
    #[serde(default = "url_window_s")]
    pub url_window_s: u32,
}

fn url_life_s() -> u32 {
    14_400
}

fn url_window_s() -> u32 {
    1_800
}

/// How players get a plain tree's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlainMode {
    /// From the store, by presigned URLs.
    Presigned,
    /// Through the gateway, by the token that opens the playlist.
    Local,
}

/// Who may read a plain tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlainAuth {
    /// Whoever shows a token.
    Token,
    /// Everybody.
    None,
}

/// The algorithm of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlainAlgorithm {
    /// HMAC with SHA-256, by a shared secret.
    #[default]
    HS256,
    /// ECDSA on P-256 with SHA-256: the gateway can't make tokens.
    ES256,
}

/// To which requests browsers add the cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// Those of the gateway's own pages.
    Strict,
    /// Those of its site.
    #[default]
    Lax,
    /// All; a partition for each site around it.
    None,
}

/// Why a tree can't be served.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlainError {
    /// The prefix is no folder.
    #[error("plain.prefix is a folder of the bucket with a slash at its end, such as vod/")]
    Prefix,
    /// The prefix reaches what is sealed.
    #[error(
        "plain.prefix {0} reaches sealed titles (t/) or grants (g/), which have their own routes"
    )]
    Sealed(String),
    /// Two trees have one prefix.
    #[error("plain.prefix {0} is configured twice")]
    Twice(String),
    /// Tokens are asked for, and nothing verifies them.
    #[error("plain.auth is \"token\" for {0}, and plain.key names no file")]
    NoKey(String),
    /// The key's text.
    #[error("plain.key of {prefix}: {error}")]
    Key {
        /// The tree's prefix.
        prefix: String,
        /// What is wrong.
        error: KeyError,
    },
    /// Presigned URLs of a folder.
    #[error(
        "plain.mode is \"presigned\" for {0}, and the bucket has no store that takes presigned URLs"
    )]
    NoStore(String),
    /// The store's place makes no URL.
    #[error("plain.prefix {prefix}: {error}")]
    Unusable {
        /// The tree's prefix.
        prefix: String,
        /// What is wrong.
        error: UnusableMode,
    },
    /// An extension that is none.
    #[error("plain.extensions has {0:?}; an extension is lower-case letters and digits")]
    Extension(String),
    /// A value out of its range.
    #[error("plain.{key} is {value}; it goes from {least} to {most}")]
    Range {
        /// The key.
        key: &'static str,
        /// What it was set to.
        value: u32,
        /// The least that it may be.
        least: u32,
        /// The most that it may be.
        most: u32,
    },
}

/// One plain tree, ready to serve.
pub struct PlainTree {
    pub(super) prefix: String,
    /// Signs for the store; `None` in `local` mode.
    pub(super) signer: Option<Arc<Signer>>,
    pub(super) auth: Auth,
    pub(super) extensions: Vec<String>,
}

pub(super) enum Auth {
    Token(Box<TokenAuth>),
    Open,
}

pub(super) struct TokenAuth {
    pub(super) key: VerifyKey,
    pub(super) audience: Option<String>,
    pub(super) same_site: SameSite,
}

impl PlainTree {
    /// Makes a tree of its settings, the text of its key's file, and the store for presigned URLs.
    ///
    /// # Errors
    /// Settings that don't go together, or that would open what is sealed.
    pub fn new(
        settings: &PlainSettings,
        key: Option<&str>,
        origin: Option<&Origin>,
    ) -> Result<Self, PlainError> {
        settings.check()?;
        let prefix = &settings.prefix;
        let usual = if origin.is_some() { PlainMode::Presigned } else { PlainMode::Local };
        let signer = match settings.mode.unwrap_or(usual) {
            PlainMode::Local => None,
            PlainMode::Presigned => {
                let origin = origin.ok_or_else(|| PlainError::NoStore(prefix.clone()))?;
                Some(Arc::new(settings.signer(origin)?))
            }
        };
        Ok(Self {
            prefix: prefix.clone(),
            signer,
            auth: settings.auth(key)?,
            extensions: settings.extensions.clone(),
        })
    }

    /// What `Cross-Origin-Resource-Policy` lets in: other sites' pages where they have a right to read.
    pub(super) fn resource_policy(&self) -> &'static str {
        match &self.auth {
            Auth::Open => "cross-origin",
            Auth::Token(auth) if auth.same_site == SameSite::None => "cross-origin",
            Auth::Token(_) => "same-site",
        }
    }
}

impl PlainSettings {
    fn signer(&self, origin: &Origin) -> Result<Signer, PlainError> {
        let life = UrlLife { window_s: self.url_window_s, life_s: self.url_life_s };
        Signer::new(UrlMode::Presigned(origin.clone()), life)
            .map_err(|error| PlainError::Unusable { prefix: self.prefix.clone(), error })
    }

    fn check(&self) -> Result<(), PlainError> {
        let folder = self.prefix.strip_suffix('/').ok_or(PlainError::Prefix)?;
        if local_path(folder) != Ok(None) || folder.contains(['?', '#']) {
            return Err(PlainError::Prefix);
        }
        let reaches = |sealed: &str| self.prefix.starts_with(sealed);
        if SEALED.iter().any(|sealed| reaches(sealed)) {
            return Err(PlainError::Sealed(self.prefix.clone()));
        }
        let is_extension = |text: &&String| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            !text.is_empty() && text.bytes().all(plain)
        };
        if let Some(bad) = self.extensions.iter().find(|text| !is_extension(text)) {
            return Err(PlainError::Extension(bad.clone()));
        }
        let in_range = |key, value, least, most| {
            let sound = (least..=most).contains(&value);
            if sound { Ok(()) } else { Err(PlainError::Range { key, value, least, most }) }
        };
        in_range("url_life_s", self.url_life_s, 60, EXPIRES_MAX_S)?;
        in_range("url_window_s", self.url_window_s, 0, WINDOW_MAX_S)
    }

    fn auth(&self, key: Option<&str>) -> Result<Auth, PlainError> {
        if self.auth == PlainAuth::None {
            return Ok(Auth::Open);
        }
        let text = key.ok_or_else(|| PlainError::NoKey(self.prefix.clone()))?;
        let key = match self.algorithm {
            PlainAlgorithm::HS256 => {
                VerifyKey::hs256(text.trim_end_matches(['\r', '\n']).as_bytes())
            }
            PlainAlgorithm::ES256 => VerifyKey::es256(text),
        };
        let key = key.map_err(|error| PlainError::Key { prefix: self.prefix.clone(), error })?;
        let (audience, same_site) = (self.audience.clone(), self.same_site);
        Ok(Auth::Token(Box::new(TokenAuth { key, audience, same_site })))
    }
}

/// The plain trees of a gateway.
#[derive(Clone, Default)]
pub struct PlainTrees {
    /// Longest prefix first: the nearest tree is a key's own.
    trees: Arc<[Arc<PlainTree>]>,
}

impl PlainTrees {
    /// Takes trees, each prefix once.
    ///
    /// # Errors
    /// A prefix that stands twice.
    pub fn new(trees: Vec<PlainTree>) -> Result<Self, PlainError> {
        let mut trees: Vec<Arc<PlainTree>> = trees.into_iter().map(Arc::new).collect();
        trees.sort_by(|a, b| (b.prefix.len(), &a.prefix).cmp(&(a.prefix.len(), &b.prefix)));
        match trees.windows(2).find(|pair| pair[0].prefix == pair[1].prefix) {
            Some(pair) => Err(PlainError::Twice(pair[0].prefix.clone())),
            None => Ok(Self { trees: trees.into() }),
        }
    }

    pub(super) fn find(&self, key: &str) -> Option<Arc<PlainTree>> {
        self.trees.iter().find(|tree| key.starts_with(&tree.prefix)).cloned()
    }
}

#[cfg(test)]
mod tests;
