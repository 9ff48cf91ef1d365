//! Where a title's objects are stored: a folder, or a bucket of an S3 store, written as one text.
//!
//! ```text
//! s3://BUCKET[/PREFIX][?endpoint=URL][&region=NAME][&style=path|virtual][&profile=NAME]
//! file:///FOLDER
//! FOLDER
//! ```
//!
//! Without an endpoint the store is AWS's. The text never holds a credential: `profile` names one in AWS's shared files.
//! Refuses to know whether there is such a bucket or folder, and where credentials lie ([`crate::CredentialSource`]).
//! Invariant: what is parsed is written back as one text ([`core::fmt::Display`]), whatever the order of its parameters was.

use core::fmt;

use crate::place::{Endpoint, folder_path, is_bucket};
use crate::{escape, parse_query, scope};

/// Longest name of a profile, in bytes; it is a section's name in a file that people write.
const PROFILE_BYTES_MAX: usize = 128;

/// The end of the host of every R2 endpoint, whose region is `auto`.
const R2_HOST_END: &str = ".r2.cloudflarestorage.com";

/// The region of a store that was given none: AWS's first, which most stores of one's own take for theirs.
const REGION_OF_NO_NAME: &str = "us-east-1";

/// A place for objects.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StoreUrl {
    /// A folder, absolute or not.
    Folder(String),
    /// A bucket.
    S3(S3Place),
}

/// A bucket of an S3 store, and a folder in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct S3Place {
    bucket: String,
    /// Without slashes at its ends; empty for the whole bucket.
    prefix: String,
    endpoint: Option<Endpoint>,
    region: Option<String>,
    style: Option<Style>,
    profile: Option<String>,
}

/// Where the bucket's name stands in a URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// In the path, `https://host/bucket/key`: what stores of one's own expect.
    Path,
    /// In the host, `https://bucket.host/key`: what AWS expects.
    Virtual,
}

/// What requests to a place begin with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct S3Address {
    /// Scheme and host; the host begins with the bucket in [`Style::Virtual`].
    pub endpoint: Endpoint,
    /// The path of the prefix, not percent-encoded, with a slash at both ends.
    pub folder: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Where the bucket's name stands.
    pub style: Style,
}

/// Why a text names no store. Never holds a part of it, which might be a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreUrlError {
    /// Neither `s3://`, nor `file://`, nor a path.
    #[error("a store is s3://BUCKET/PREFIX, file:///FOLDER or a folder")]
    Scheme,
    /// A credential in the URL, which is kept, listed and logged.
    #[error(
        "a store's URL holds no credential; name one in AWS's shared files by ?profile=NAME, or set AWS_ACCESS_KEY_ID"
    )]
    Credential,
    /// The bucket's name.
    #[error("the bucket's name is empty, too long or has a character that none has")]
    Bucket,
    /// The prefix.
    #[error(
        "the prefix is too long, has an empty segment, `.` or `..`, or a character besides letters, digits, `-`, `_` and `.`"
    )]
    Prefix,
    /// The endpoint.
    #[error("the endpoint is not https://HOST or http://HOST:PORT")]
    Endpoint,
    /// The region.
    #[error(
        "the region is empty, too long or has a character besides letters, digits, `-`, `_` and `.`"
    )]
    Region,
    /// The style.
    #[error("the style is neither `path` nor `virtual`")]
    Style,
    /// The profile.
    #[error("the profile's name is empty, too long or has a character that none has")]
    Profile,
    /// A parameter that there is not, or the same twice.
    #[error("a store's parameters are endpoint, region, style and profile, each once at most")]
    Parameter,
    /// The folder of a `file://` URL.
    #[error("a file URL is file:///FOLDER, with an absolute path and no host")]
    Folder,
}

impl StoreUrl {
    /// Reads a store's text.
    ///
    /// # Errors
    /// [`StoreUrlError`] with what is wrong.
    pub fn parse(text: &str) -> Result<Self, StoreUrlError> {
        if text.is_empty() || text.contains('\0') {
            return Err(StoreUrlError::Scheme);
        }
        match text.split_once("://") {
            None => Ok(Self::Folder(text.to_owned())),
            Some(("s3", rest)) => S3Place::parse(rest).map(Self::S3),
            Some(("file", path)) => {
                let path = escape::decode(path).ok_or(StoreUrlError::Folder)?;
                let good = path.starts_with('/') && !path.contains('\0');
                good.then_some(Self::Folder(path)).ok_or(StoreUrlError::Folder)
            }
            Some(_) => Err(StoreUrlError::Scheme),
        }
    }
}

impl S3Place {
    /// A folder of a bucket of AWS's; `prefix` may be empty, and end in a slash.
    ///
    /// # Errors
    /// A bucket or prefix that is none.
    pub fn new(bucket: &str, prefix: &str) -> Result<Self, StoreUrlError> {
        let place = Self {
            bucket: String::new(),
            prefix: String::new(),
            endpoint: None,
            region: None,
            style: None,
            profile: None,
        };
        place.renamed(bucket, prefix)
    }

    /// A folder of another bucket of the same store.
    ///
    /// # Errors
    /// A bucket or prefix that is none.
    pub fn renamed(self, bucket: &str, prefix: &str) -> Result<Self, StoreUrlError> {
        if bucket.contains(['@', ':']) {
            return Err(StoreUrlError::Credential);
        }
        if !is_bucket(bucket) {
            return Err(StoreUrlError::Bucket);
        }
        if prefix.starts_with('/') {
            return Err(StoreUrlError::Prefix);
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
        if prefix.ends_with('/')
            || !prefix.bytes().all(plain)
            || folder_path(bucket, prefix).is_err()
        {
            return Err(StoreUrlError::Prefix);
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned(), ..self })
    }

    /// The same bucket as it is reached at another address.
    #[must_use]
    pub fn at(self, endpoint: Endpoint) -> Self {
        Self { endpoint: Some(endpoint), ..self }
    }

    /// The same bucket, signed for another region.
    ///
    /// # Errors
    /// A region that is none.
    pub fn in_region(self, region: &str) -> Result<Self, StoreUrlError> {
        if !scope::is_region(region) {
            return Err(StoreUrlError::Region);
        }
        Ok(Self { region: Some(region.to_owned()), ..self })
    }

    /// Reads what stands after `s3://`.
    fn parse(text: &str) -> Result<Self, StoreUrlError> {
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let mut place = Self::new(bucket, prefix)?;
        if !query.is_empty() {
            for (name, value) in parse_query(query).ok_or(StoreUrlError::Parameter)? {
                place.set(&name, value)?;
            }
        }
        Ok(place)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), StoreUrlError> {
        match name {
            "endpoint" if value.contains('@') => return Err(StoreUrlError::Credential),
            "endpoint" => {
                let endpoint = Endpoint::parse(&value).map_err(|_| StoreUrlError::Endpoint)?;
                self.endpoint = Some(endpoint);
            }
            "region" if scope::is_region(&value) => self.region = Some(value),
            "region" => return Err(StoreUrlError::Region),
            "style" if value == "path" => self.style = Some(Style::Path),
            "style" if value == "virtual" => self.style = Some(Style::Virtual),
            "style" => return Err(StoreUrlError::Style),
            "profile" if is_profile(&value) => self.profile = Some(value),
            "profile" => return Err(StoreUrlError::Profile),
            _ if is_credential(name) => return Err(StoreUrlError::Credential),
            _ => return Err(StoreUrlError::Parameter),
        }
        Ok(())
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The folder in the bucket, without slashes at its ends; empty for the whole bucket.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The store's address; `None` for AWS.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// The profile in AWS's shared files that holds the credential.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The same place with an address, and a region, where it has none of its own: those of the user's settings.
    ///
    /// An address that is taken over makes the text mean the same for whoever has other settings.
    #[must_use]
    pub fn with_defaults(mut self, endpoint: Option<Endpoint>, region: Option<&str>) -> Self {
        self.endpoint = self.endpoint.or(endpoint);
        let is_r2 = self.endpoint.as_ref().is_some_and(|it| it.host().ends_with(R2_HOST_END));
        if !is_r2 && self.region.is_none() {
            self.region = region.filter(|name| scope::is_region(name)).map(str::to_owned);
        }
        self
    }

    /// Whether both are the same folder of the same bucket, by whatever region, style or credential.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        self.bucket == other.bucket
            && self.prefix == other.prefix
            && self.endpoint == other.endpoint
    }

    /// What requests to it begin with.
    ///
    /// The region is the place's own; R2's is `auto`, and that of any other store without one `us-east-1`.
    #[must_use]
    pub fn address(&self) -> S3Address {
        let region = self.region_or_usual();
        let aws = || {
            let china = if region.starts_with("cn-") { ".cn" } else { "" };
            Endpoint::https(format!("s3.{region}.amazonaws.com{china}"))
        };
        let endpoint = self.endpoint.clone().unwrap_or_else(aws);
        // A dot would make two labels of the name, which the certificate for `*.s3…` doesn't cover.
        let usual = match self.endpoint {
            None if !self.bucket.contains('.') => Style::Virtual,
            _ => Style::Path,
        };
        let style = self.style.unwrap_or(usual);
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        let (endpoint, folder) = match style {
            Style::Virtual => (endpoint.below(&self.bucket), format!("/{}{slash}", self.prefix)),
            Style::Path => (endpoint, format!("/{}/{}{slash}", self.bucket, self.prefix)),
        };
        S3Address { endpoint, folder, region, style }
    }

    fn region_or_usual(&self) -> String {
        let is_r2 = self.endpoint.as_ref().is_some_and(|it| it.host().ends_with(R2_HOST_END));
        let usual = if is_r2 { "auto" } else { REGION_OF_NO_NAME };
        self.region.clone().unwrap_or_else(|| usual.to_owned())
    }
}

/// Whether this is a parameter in which people put what belongs elsewhere.
fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["secret", "access_key", "accesskey", "token", "password"]
        .iter()
        .any(|part| name.contains(part))
}

fn is_profile(name: &str) -> bool {
    let plain = |c: char| !c.is_control() && !"[]#;".contains(c);
    !name.is_empty()
        && name.len() <= PROFILE_BYTES_MAX
        && name.trim() == name
        && name.chars().all(plain)
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) if path.starts_with('/') => {
                let mut url = String::from("file://");
                escape::path(path, &mut url);
                f.write_str(&url)
            }
            Self::Folder(path) => f.write_str(path),
            Self::S3(place) => place.fmt(f),
        }
    }
}

impl fmt::Display for S3Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if !self.prefix.is_empty() {
            write!(f, "/{}", self.prefix)?;
        }
        let style = self.style.map(|style| match style {
            Style::Path => "path".to_owned(),
            Style::Virtual => "virtual".to_owned(),
        });
        let profile = self.profile.as_ref().map(|name| {
            let mut text = String::new();
            escape::query(name, &mut text);
            text
        });
        let endpoint = self.endpoint.as_ref().map(Endpoint::to_string);
        let parameters = [
            ("endpoint", endpoint),
            ("region", self.region.clone()),
            ("style", style),
            ("profile", profile),
        ];
        let given = parameters.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        for (sign, (name, value)) in ["?", "&", "&", "&"].iter().zip(given) {
            write!(f, "{sign}{name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
