//! URL modes as an operator writes them down.
//!
//! Owns the table `[urls]` and its checks: which keys belong to which mode, and that what isn't said of a store is that of
//! the bucket's own. Refuses to hold a secret, and to read a file: secrets are named by their files, and whoever has those
//! hands their text in.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use veil_presign::cdn::{CloudFrontKey, SecureLink, TimedHmac, TokenError};
use veil_presign::{Endpoint, PlaceError, S3Place, StoreUrlError};

use super::{CookieScope, CredentialSource, Origin, Place, Signer, UnusableMode, UrlLife, UrlMode};

/// Longest window, in seconds.
const WINDOW_S_MAX: u32 = 86_400;

/// Shortest and longest life of a URL, in seconds. With a window, seven days are the end.
const LIFE_S: std::ops::RangeInclusive<u32> = 60..=518_400;

/// The name of a mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UrlModeName {
    /// The gateway serves objects.
    #[default]
    Local,
    /// The store serves them, and checks SigV4.
    Presigned,
    /// A domain serves them, and nobody checks.
    Public,
    /// CloudFront serves them, and checks a policy.
    #[serde(rename = "cloudfront")]
    CloudFront,
    /// nginx serves them, and checks a token in the path.
    SecureLink,
    /// Cloudflare serves them, and checks a token in the query.
    TimedHmac,
}

/// What URLs of objects are: the table `[urls]`, and those of single titles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UrlSettings {
    /// The mode: `local`, `presigned`, `public`, `cloudfront`, `secure-link` or `timed-hmac`. Default `local`.
    pub mode: UrlModeName,
    /// Where objects are fetched from, `https://host` or `http://host:port`, without a path. Every mode but `local`.
    /// Default for `presigned`: that of the bucket's URL.
    pub endpoint: Option<String>,
    /// The bucket's name. `presigned` alone. Default: that of the bucket's URL.
    pub bucket: Option<String>,
    /// What stands before each key. Default nothing; for `presigned`, what the bucket's URL has.
    pub prefix: Option<String>,
    /// The region that is signed for. `presigned` alone. Default: that of the bucket's URL and of AWS's settings.
    pub region: Option<String>,
    /// The file of the credential that signs, closed to other users. `presigned` alone. Default:
    /// `store.signing_credentials`, or else what reads the bucket.
    pub credentials: Option<PathBuf>,
    /// The id of CloudFront's key pair. `cloudfront` alone.
    pub key_pair_id: Option<String>,
    /// The file with the private key in PEM (`cloudfront`), or with the secret that the CDN has too (`secure-link`,
    /// `timed-hmac`), closed to other users.
    pub secret_file: Option<PathBuf>,
    /// Whether CloudFront's token travels in cookies instead of URLs. Default false.
    pub cookies: bool,
    /// The cookies' `Domain`. Default none: CloudFront stands before the gateway, on its host.
    pub cookie_domain: Option<String>,
    /// URLs are dated with the beginning of a window of so many seconds, 0 to 86,400, so that they repeat. Default 1800.
    pub window_s: u32,
    /// How long a URL holds at least, in seconds, 60 to 518,400. Default 14,400. Videos that play longer get longer ones.
    pub life_s: u32,
}

impl Default for UrlSettings {
    fn default() -> Self {
        let UrlLife { window_s, life_s } = UrlLife::default();
        Self {
            mode: UrlModeName::Local,
            endpoint: None,
            bucket: None,
            prefix: None,
            region: None,
            credentials: None,
            key_pair_id: None,
            secret_file: None,
            cookies: false,
            cookie_domain: None,
            window_s,
            life_s,
        }
    }
}

/// Why settings are no mode. Never holds a part of a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlSettingsError {
    /// The mode needs a key that isn't there.
    #[error("the mode needs {key}")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// There is a key that the mode has no use for.
    #[error("the mode has no use for {key}")]
    Unused {
        /// The key.
        key: &'static str,
    },
    /// A number is out of its range.
    #[error("{key} is out of its range")]
    Range {
        /// The key.
        key: &'static str,
    },
    /// The endpoint, bucket or prefix is none.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The bucket, prefix or region is none of a store.
    #[error(transparent)]
    Store(#[from] StoreUrlError),
    /// The cookies' domain is none.
    #[error("cookie_domain is not a domain")]
    Domain,
    /// The secret is none, or the key pair's id.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Region, endpoint or key make no URL.
    #[error(transparent)]
    Unusable(#[from] UnusableMode),
}

/// What settings name and don't hold.
#[derive(Default)]
pub struct Given<'a> {
    /// What signs in this mode: `local` and `presigned` alone.
    pub credentials: Option<CredentialSource>,
    /// The bucket's store, if it has one.
    pub bucket: Option<&'a S3Place>,
    /// The text of [`UrlSettings::secret_file`], if that is named.
    pub secret: Option<&'a str>,
}

impl UrlSettings {
    /// Makes a signer.
    ///
    /// # Errors
    /// Settings that are no mode, or a secret that is none.
    pub fn signer(&self, given: Given<'_>) -> Result<Signer, UrlSettingsError> {
        self.check()?;
        let life = UrlLife { window_s: self.window_s, life_s: self.life_s };
        let Given { credentials, bucket, secret } = given;
        let credentials = || credentials.ok_or(UrlSettingsError::Missing { key: "credentials" });
        let secret = || {
            let text = secret.ok_or(UrlSettingsError::Missing { key: "secret_file" })?;
            Ok::<_, UrlSettingsError>(text.trim().to_owned())
        };
        let mode = match self.mode {
            UrlModeName::Local => UrlMode::Local(credentials()?),
            UrlModeName::Presigned => UrlMode::Presigned(self.origin(bucket, credentials()?)?),
            UrlModeName::Public => UrlMode::Public(self.domain()?),
            UrlModeName::CloudFront => {
                let id = self.key_pair_id.as_deref().unwrap_or_default();
                let key = CloudFrontKey::from_pem(id, &secret()?)?;
                let cookies =
                    self.cookies.then(|| CookieScope { domain: self.cookie_domain.clone() });
                UrlMode::CloudFront { key, cookies, place: self.domain()? }
            }
            UrlModeName::SecureLink => {
                UrlMode::SecureLink { secret: SecureLink::new(secret()?)?, place: self.domain()? }
            }
            UrlModeName::TimedHmac => {
                UrlMode::TimedHmac { secret: TimedHmac::new(secret()?)?, place: self.domain()? }
            }
        };
        Ok(Signer::new(mode, life)?)
    }

    /// The file whose text [`signer`](Self::signer) needs.
    #[must_use]
    pub fn secret_file(&self) -> Option<&Path> {
        self.secret_file.as_deref()
    }

    /// Where `presigned` URLs lead: to the store of `bucket`, but for what is said here. Plain trees' lead there too.
    ///
    /// # Errors
    /// A store that is none, or that nobody names.
    pub fn origin(
        &self,
        bucket: Option<&S3Place>,
        source: CredentialSource,
    ) -> Result<Origin, UrlSettingsError> {
        Ok(Origin::new(&self.store(bucket)?, source))
    }

    fn store(&self, bucket: Option<&S3Place>) -> Result<S3Place, UrlSettingsError> {
        let name = self.bucket.as_deref().or(bucket.map(S3Place::bucket));
        let name = name.ok_or(UrlSettingsError::Missing { key: "bucket" })?;
        let prefix = self.prefix.as_deref().or(bucket.map(S3Place::prefix)).unwrap_or_default();
        let store = match bucket {
            Some(bucket) => bucket.clone().renamed(name, prefix)?,
            None => S3Place::new(name, prefix)?,
        };
        let store = match (&self.endpoint, bucket) {
            (None, Some(_)) => store,
            _ => store.at(self.endpoint()?),
        };
        Ok(match &self.region {
            None => store,
            Some(region) => store.in_region(region)?,
        })
    }

    fn endpoint(&self) -> Result<Endpoint, UrlSettingsError> {
        let endpoint = self.endpoint.as_deref();
        Ok(Endpoint::parse(endpoint.ok_or(UrlSettingsError::Missing { key: "endpoint" })?)?)
    }

    fn domain(&self) -> Result<Place, UrlSettingsError> {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        Ok(Place::domain(self.endpoint()?, prefix)?)
    }

    /// Checks that each key that is set belongs to the mode, that each that it needs is set, and the ranges.
    ///
    /// # Errors
    /// The first key that is not so.
    pub fn check(&self) -> Result<(), UrlSettingsError> {
        use UrlModeName::{CloudFront, Local, Presigned, SecureLink, TimedHmac};
        let mode = self.mode;
        let has_secret = matches!(mode, CloudFront | SecureLink | TimedHmac);
        let is_front = mode == CloudFront;
        for (key, is_set, is_used, is_needed) in [
            ("endpoint", self.endpoint.is_some(), mode != Local, mode != Presigned),
            ("bucket", self.bucket.is_some(), mode == Presigned, false),
            ("prefix", self.prefix.is_some(), mode != Local, false),
            ("region", self.region.is_some(), mode == Presigned, false),
            ("credentials", self.credentials.is_some(), mode == Presigned, false),
            ("key_pair_id", self.key_pair_id.is_some(), is_front, true),
            ("secret_file", self.secret_file.is_some(), has_secret, true),
            ("cookies", self.cookies, is_front, false),
            ("cookie_domain", self.cookie_domain.is_some(), is_front && self.cookies, false),
        ] {
            if is_set && !is_used {
                return Err(UrlSettingsError::Unused { key });
            }
            if is_needed && is_used && !is_set {
                return Err(UrlSettingsError::Missing { key });
            }
        }
        if self.window_s > WINDOW_S_MAX {
            return Err(UrlSettingsError::Range { key: "window_s" });
        }
        if !LIFE_S.contains(&self.life_s) {
            return Err(UrlSettingsError::Range { key: "life_s" });
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
        let is_domain = |text: &String| !text.is_empty() && text.bytes().all(plain);
        if self.cookie_domain.as_ref().is_some_and(|domain| !is_domain(domain)) {
            return Err(UrlSettingsError::Domain);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use veil_presign::{Credentials, StoreUrl};

    use super::*;
    use crate::SigningCredential;

    fn signer(text: &str, secret: Option<&str>) -> Result<Signer, UrlSettingsError> {
        over(text, None, secret)
    }

    fn over(
        text: &str,
        bucket: Option<&S3Place>,
        secret: Option<&str>,
    ) -> Result<Signer, UrlSettingsError> {
        let settings: UrlSettings = toml::from_str(text).unwrap();
        let credentials = Credentials::new("A", "secret".to_owned()).unwrap();
        let credentials = Some(SigningCredential::lasting(credentials));
        settings.signer(Given { credentials, bucket, secret })
    }

    fn store(settings: &str, bucket: &str) -> Result<(String, String), UrlSettingsError> {
        let StoreUrl::S3(bucket) = StoreUrl::parse(bucket).unwrap() else { panic!("{bucket}") };
        over(&format!("mode = \"presigned\"\n{settings}"), Some(&bucket), None)?;
        let settings: UrlSettings = toml::from_str(settings).unwrap();
        let address = settings.store(Some(&bucket))?.address();
        Ok((format!("{}{}", address.endpoint, address.folder), address.region))
    }

    #[test]
    fn what_presigned_urls_say_nothing_of_is_the_buckets() {
        let check = |settings: &str, bucket: &str, url: &str, region: &str| {
            let expected = Ok((url.to_owned(), region.to_owned()));
            assert_eq!(store(settings, bucket), expected, "{settings}");
        };
        let aws = "s3://films/some/where?region=eu-central-1";
        let host = "s3.eu-central-1.amazonaws.com";
        check("", aws, &format!("https://films.{host}/some/where/"), "eu-central-1");
        check("bucket = \"b\"", aws, &format!("https://b.{host}/some/where/"), "eu-central-1");
        check("prefix = \"\"", aws, &format!("https://films.{host}/"), "eu-central-1");
        let r2 = "s3://films?endpoint=https://a.r2.cloudflarestorage.com";
        check("", r2, "https://a.r2.cloudflarestorage.com/films/", "auto");
        let own = "s3://films?endpoint=http://10.0.0.1:3900&region=garage";
        let outside = "endpoint = \"https://s3.example.org\"";
        check(outside, own, "https://s3.example.org/films/", "garage");
        check(&format!("{outside}\nregion = \"x\""), own, "https://s3.example.org/films/", "x");
        let bad = |settings: &str| store(settings, own).err();
        assert_eq!(bad("bucket = \"a/b\""), Some(StoreUrlError::Bucket.into()));
        assert_eq!(bad("prefix = \"../a\""), Some(StoreUrlError::Prefix.into()));
        assert_eq!(bad("region = \"a b\""), Some(StoreUrlError::Region.into()));
    }

    #[test]
    fn a_mode_that_signs_needs_a_credential() {
        let made = UrlSettings::default().signer(Given::default());
        assert_eq!(made.err(), Some(UrlSettingsError::Missing { key: "credentials" }));
    }

    fn refused(text: &str, expected: UrlSettingsError) {
        assert_eq!(signer(text, Some("secret")).err(), Some(expected), "{text}");
    }

    const CDN: &str = "endpoint = \"https://cdn.example\"\n";

    #[test]
    fn each_mode_is_made_of_its_keys() {
        for text in [
            String::new(),
            "mode = \"local\"\nwindow_s = 0".to_owned(),
            format!("{CDN}mode = \"presigned\"\nbucket = \"b\"\nprefix = \"p\"\nregion = \"eu\""),
            format!("{CDN}mode = \"public\"\nlife_s = 60"),
            format!("{CDN}mode = \"secure-link\"\nsecret_file = \"s\""),
            format!("{CDN}mode = \"timed-hmac\"\nsecret_file = \"s\""),
        ] {
            assert!(signer(&text, Some(" secret\n")).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_of_no_use_is_named() {
        let missing = |text: &str, key| refused(text, UrlSettingsError::Missing { key });
        missing("mode = \"public\"", "endpoint");
        missing(&format!("{CDN}mode = \"presigned\""), "bucket");
        missing("mode = \"presigned\"\nbucket = \"b\"", "endpoint");
        missing(&format!("{CDN}mode = \"cloudfront\"\nsecret_file = \"s\""), "key_pair_id");
        missing(&format!("{CDN}mode = \"secure-link\""), "secret_file");
        let unused = |text: &str, key| refused(text, UrlSettingsError::Unused { key });
        unused(CDN, "endpoint");
        unused("bucket = \"b\"", "bucket");
        unused("prefix = \"p\"", "prefix");
        unused(&format!("{CDN}mode = \"public\"\nregion = \"eu\""), "region");
        unused("credentials = \"f\"", "credentials");
        unused("key_pair_id = \"K\"", "key_pair_id");
        unused(&format!("{CDN}mode = \"public\"\nsecret_file = \"s\""), "secret_file");
        unused("cookies = true", "cookies");
        unused("cookie_domain = \"a\"", "cookie_domain");
        let text = format!("{CDN}mode = \"timed-hmac\"\nsecret_file = \"s\"");
        let error = signer(&text, None).err();
        assert_eq!(error, Some(UrlSettingsError::Missing { key: "secret_file" }));
    }

    #[test]
    fn values_that_are_none_are_refused() {
        refused("window_s = 86401", UrlSettingsError::Range { key: "window_s" });
        for life_s in [59, 518_401] {
            refused(&format!("life_s = {life_s}"), UrlSettingsError::Range { key: "life_s" });
        }
        let text = "mode = \"public\"\nendpoint = \"cdn.example\"";
        refused(text, UrlSettingsError::Place(PlaceError::Scheme));
        let text = format!("{CDN}mode = \"public\"\nprefix = \"../x\"");
        refused(&text, UrlSettingsError::Place(PlaceError::Prefix));
        let front = format!("{CDN}mode = \"cloudfront\"\nkey_pair_id = \"K\"\nsecret_file = \"s\"");
        refused(&front, UrlSettingsError::Token(TokenError::PrivateKey));
        let text = format!("{front}\ncookies = true\ncookie_domain = \"a; Path=/\"");
        refused(&text, UrlSettingsError::Domain);
        assert!(toml::from_str::<UrlSettings>("mode = \"other\"").is_err());
        assert!(toml::from_str::<UrlSettings>("secret = \"s\"").is_err());
    }
}
