//! A profile of AWS's shared files, `~/.aws/credentials` and `~/.aws/config`.
//!
//! Owns what is read of the two: a credential, a web identity, a region and an address. What they may say beyond (a program
//! to start, single sign-on, a role to take over from another profile) is refused by name, since a credential that is
//! silently not there sends people looking for it in the wrong place. Specification: AWS SDKs and Tools Reference Guide,
//! "Shared config and credentials files". Refuses to know where the files lie. Invariant: no value is in an error.

use zeroize::Zeroizing;

use crate::{CredentialSource, Credentials, CredentialsError};

/// The section that is read when no profile was asked for.
pub(crate) const DEFAULT_PROFILE: &str = "default";

/// Settings that name a credential which only a program, a browser or another service can fetch.
const UNSUPPORTED: [&str; 6] = [
    "credential_process",
    "sso_session",
    "sso_start_url",
    "source_profile",
    "credential_source",
    "login_session",
];

/// What the shared files say about one profile.
#[derive(Default)]
pub struct Profile {
    /// Its credential, or how to get one.
    pub credential: Option<CredentialSource>,
    /// Its region.
    pub region: Option<String>,
    /// The address of its store, when it is not AWS's: `endpoint_url`.
    pub endpoint_url: Option<String>,
}

/// Why a profile can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileError {
    /// Neither file has the profile.
    #[error("AWS's shared files have no profile of that name")]
    Missing,
    /// The profile's credential comes from where we don't fetch one.
    #[error("the profile's credential comes by `{0}`, which is not supported")]
    Unsupported(&'static str),
    /// The credential is not one, or only half of one.
    #[error("the profile's credential: {0}")]
    Credentials(#[from] CredentialsError),
    /// A role without its token file, or the other way round.
    #[error("a web identity needs both `role_arn` and `web_identity_token_file`")]
    HalfWebIdentity,
}

impl Profile {
    /// Reads a profile from the text of both files; either may be empty. `None` asks for `default`, which may be missing.
    ///
    /// A credential in the credentials file stands before one in the config file.
    ///
    /// # Errors
    /// [`ProfileError`] when a profile was asked for that is not there, or it can't be used.
    pub fn read(
        credentials_file: &str,
        config_file: &str,
        name: Option<&str>,
    ) -> Result<Self, ProfileError> {
        let wanted = name.unwrap_or(DEFAULT_PROFILE);
        let own = section(credentials_file, |header| header == wanted);
        let config = section(config_file, |header| {
            (wanted == DEFAULT_PROFILE && header == wanted)
                || header.strip_prefix("profile").is_some_and(|rest| {
                    rest.starts_with(char::is_whitespace) && rest.trim() == wanted
                })
        });
        if own.is_none() && config.is_none() {
            return name.map_or(Ok(Self::default()), |_| Err(ProfileError::Missing));
        }
        let (own, config) = (own.unwrap_or_default(), config.unwrap_or_default());
        let credential = match credential(&own)? {
            Some(found) => Some(found),
            None => credential(&config)?,
        };
        let setting = |key| config.get(key).or_else(|| own.get(key)).map(str::to_owned);
        Ok(Self { credential, region: setting("region"), endpoint_url: setting("endpoint_url") })
    }
}

/// The settings of one section, in order. Values may be secrets, and are forgotten with it.
#[derive(Default)]
struct Section(Vec<(String, Zeroizing<String>)>);

impl Section {
    /// The last value of a key, as AWS's own tools take it; an empty one is none.
    fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(name, _)| name == key)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }
}

/// Collects the settings of every section whose header `is_wanted`; `None` when there is no such section.
///
/// Lines that begin with white space belong to the setting above them (nested settings), and are not ours to read.
fn section(file: &str, is_wanted: impl Fn(&str) -> bool) -> Option<Section> {
    let mut found: Option<Section> = None;
    let mut inside = false;
    for line in file.strip_prefix('\u{feff}').unwrap_or(file).lines() {
        if line.is_empty() || line.starts_with(['#', ';']) || line.starts_with(char::is_whitespace)
        {
            continue;
        }
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            inside = is_wanted(header.0.trim());
            if inside {
                found.get_or_insert_default();
            }
        } else if inside && let Some((key, value)) = line.split_once('=') {
            let value = Zeroizing::new(without_comment(value).trim().to_owned());
            let key = key.trim().to_ascii_lowercase();
            found.get_or_insert_default().0.push((key, value));
        }
    }
    found
}

/// A comment in a line begins with ` #` or ` ;`.
fn without_comment(value: &str) -> &str {
    let ends = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark));
    &value[..ends.min().unwrap_or(value.len())]
}

fn credential(section: &Section) -> Result<Option<CredentialSource>, ProfileError> {
    let (id, secret) = (section.get("aws_access_key_id"), section.get("aws_secret_access_key"));
    if id.is_some() || secret.is_some() {
        let token = section.get("aws_session_token");
        let credentials = take(id.unwrap_or_default(), secret.unwrap_or_default(), token)?;
        return Ok(Some(CredentialSource::Keys(credentials)));
    }
    if let Some(way) = UNSUPPORTED.iter().find(|way| section.get(way).is_some()) {
        return Err(ProfileError::Unsupported(way));
    }
    match (section.get("role_arn"), section.get("web_identity_token_file")) {
        (None, None) => Ok(None),
        (Some(role_arn), Some(token_file)) => Ok(Some(CredentialSource::WebIdentity {
            token_file: token_file.to_owned(),
            role_arn: role_arn.to_owned(),
            session_name: section.get("role_session_name").map(str::to_owned),
        })),
        _ => Err(ProfileError::HalfWebIdentity),
    }
}

/// A credential of its three parts, as variables and files hold them.
pub(crate) fn take(
    id: &str,
    secret: &str,
    token: Option<&str>,
) -> Result<Credentials, CredentialsError> {
    let credentials = Credentials::new(id, secret.to_owned())?;
    match token {
        Some(token) => credentials.with_session_token(token.to_owned()),
        None => Ok(credentials),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = "\
        [default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key=a/b+c=\n\n\
        # [commented]\n[ r2 ]\r\nAWS_ACCESS_KEY_ID=AKIAR2 # mine\r\naws_secret_access_key = r2#secret\r\naws_session_token=token\r\n\
        [half]\naws_access_key_id = AKIAHALF\n[blank]\naws_access_key_id = A\naws_secret_access_key = a b\n";

    const CONFIG: &str = "\
        [default]\nregion = eu-west-1\ns3 =\n  region = nested\n  endpoint_url = nested\n\
        [profile  r2]\nregion=auto ; R2's\nendpoint_url = https://account.example.org\n\
        [profile config-only]\naws_access_key_id = AKIACONFIG\naws_secret_access_key = secret\n\
        [profile program]\ncredential_process = /bin/secret\n[profile sso]\nsso_session = work\n\
        [profile chained]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = default\n\
        [profile web]\nrole_arn = arn:aws:iam::1:role/a\nweb_identity_token_file = /run/token\n\
        [profile half-web]\nrole_arn = arn:aws:iam::1:role/a\n[profile bare]\nregion = x\n[other]\nregion = y\n";

    fn read(name: &str) -> Result<Profile, ProfileError> {
        Profile::read(CREDENTIALS, CONFIG, Some(name))
    }

    fn check(name: &str, id: &str, secret: &str, token: Option<&str>, region: Option<&str>) {
        let profile = read(name).ok().unwrap();
        let Some(CredentialSource::Keys(keys)) = &profile.credential else { panic!("{name}") };
        let found = (keys.access_key_id(), keys.secret_access_key(), keys.session_token());
        assert_eq!(found, (id, secret, token), "{name}");
        assert_eq!(profile.region.as_deref(), region, "{name}");
    }

    #[test]
    fn a_profile_is_what_both_files_say_of_it() {
        check("default", "AKIADEFAULT", "a/b+c=", None, Some("eu-west-1"));
        check("r2", "AKIAR2", "r2#secret", Some("token"), Some("auto"));
        check("config-only", "AKIACONFIG", "secret", None, None);
        let endpoint = read("r2").ok().unwrap().endpoint_url;
        assert_eq!(endpoint.as_deref(), Some("https://account.example.org"));
        assert_eq!(read("default").ok().unwrap().endpoint_url, None, "nested settings are others'");
    }

    #[test]
    fn a_web_identity_is_read_and_what_we_do_not_fetch_is_refused_by_name() {
        let web = read("web").ok().unwrap().credential;
        let Some(CredentialSource::WebIdentity { token_file, role_arn, session_name }) = web else {
            panic!("no web identity")
        };
        assert_eq!(
            (&*token_file, &*role_arn, session_name),
            ("/run/token", "arn:aws:iam::1:role/a", None)
        );
        let check = |name: &str, expected| assert_eq!(read(name).err(), Some(expected), "{name}");
        check("program", ProfileError::Unsupported("credential_process"));
        check("sso", ProfileError::Unsupported("sso_session"));
        check("chained", ProfileError::Unsupported("source_profile"));
        check("half-web", ProfileError::HalfWebIdentity);
        check("half", ProfileError::Credentials(CredentialsError::Empty("secret access key")));
        check(
            "blank",
            ProfileError::Credentials(CredentialsError::BadCharacter("secret access key")),
        );
        check("other", ProfileError::Missing);
        check("nobody", ProfileError::Missing);
    }

    #[test]
    fn no_profile_asked_for_is_the_default_one_or_none() {
        assert!(Profile::read(CREDENTIALS, "", None).ok().unwrap().credential.is_some());
        assert!(
            Profile::read("", "[profile default]\nregion = a", None).ok().unwrap().region.is_some()
        );
        assert!(Profile::read("", "", None).ok().unwrap().credential.is_none());
        assert!(read("bare").ok().unwrap().credential.is_none());
        let marked = format!("\u{feff}{CREDENTIALS}");
        assert!(Profile::read(&marked, "", None).ok().unwrap().credential.is_some());
    }
}
