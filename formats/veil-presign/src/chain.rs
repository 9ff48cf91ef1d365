//! Where a credential comes from: the usual chain of AWS's tools, as a pure function.
//!
//! Owns the order: variables, shared files, web identity, container, machine. Whoever has an environment and files reads
//! them and passes them in; whoever has a network fetches what a [`CredentialSource`] other than keys names. Specification:
//! AWS SDKs and Tools Reference Guide, "Standardized credential providers". Invariant: what is named wins over what lies
//! about: a profile that was asked for is used, or its failure told, and nothing else is tried.

use jiff::Timestamp;

use crate::profile::{DEFAULT_PROFILE, Profile, ProfileError, take};
use crate::{Credentials, CredentialsError};

/// Where a store's credential comes from.
#[non_exhaustive]
pub enum CredentialSource {
    /// It is here.
    Keys(Credentials),
    /// From AWS's token service, for a token that the platform writes into a file (Kubernetes, CI).
    WebIdentity {
        /// The token's file.
        token_file: String,
        /// The role to take.
        role_arn: String,
        /// What AWS's logs call the session.
        session_name: Option<String>,
    },
    /// From the container's own agent, at a path of a fixed host (ECS).
    Container {
        /// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`.
        relative_uri: String,
    },
    /// From the container's own agent, at a URL, with a token in a file (EKS).
    ContainerWithToken {
        /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
        full_uri: String,
        /// `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
        token_file: String,
    },
    /// From the machine's metadata service (EC2), if there is one.
    Machine,
}

/// What a user has set: AWS's variables and the text of the shared files.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// The value of a variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// `~/.aws/credentials`, or empty.
    pub credentials_file: &'a str,
    /// `~/.aws/config`, or empty.
    pub config_file: &'a str,
}

/// What the chain found.
pub struct Chain {
    /// The credential; `None` when nothing names one and the machine may not be asked.
    pub source: Option<CredentialSource>,
    /// When the credential of the variables ends, if they say so (`AWS_CREDENTIAL_EXPIRATION`, RFC 3339).
    pub end: Option<Timestamp>,
    /// The user's region, for a store whose URL has none.
    pub region: Option<String>,
    /// The address of the user's store, for a URL that has none.
    pub endpoint_url: Option<String>,
}

/// Why the chain stops.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainError {
    /// The variables hold half a credential, or none that could be.
    #[error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: {0}")]
    Variables(CredentialsError),
    /// A profile can't be used.
    #[error("profile {name:?}: {error}")]
    Profile {
        /// The profile's name.
        name: String,
        /// What is wrong.
        error: ProfileError,
    },
}

impl Settings<'_> {
    /// Goes through the chain, for the profile that a store's URL names, if it names one.
    ///
    /// # Errors
    /// [`ChainError`] when what was named can't be used.
    pub fn find(&self, profile: Option<&str>) -> Result<Chain, ChainError> {
        let variable = |name| (self.variable)(name).filter(|value| !value.is_empty());
        let chosen = profile.map(str::to_owned).or_else(|| variable("AWS_PROFILE"));
        let keys = if profile.is_some() { None } else { variable_keys(&variable)? };
        let found = Profile::read(self.credentials_file, self.config_file, chosen.as_deref());
        let found = match found {
            Ok(found) => found,
            // What the variables hold is not made worse by a profile that nobody needs.
            Err(_) if keys.is_some() => Profile::default(),
            Err(error) => return Err(refused(chosen, error)),
        };
        let end = variable("AWS_CREDENTIAL_EXPIRATION").and_then(|text| text.parse().ok());
        let end = end.filter(|_| keys.is_some());
        let source = keys.map(CredentialSource::Keys).or(found.credential);
        let source = match profile {
            Some(_) if source.is_none() => {
                let error = CredentialsError::Empty("access key id").into();
                return Err(refused(chosen, error));
            }
            Some(_) => source,
            None => source.or_else(|| surroundings(&variable)),
        };
        let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(variable);
        let own = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].into_iter().find_map(variable);
        // A profile that was named for a store speaks of that store; variables speak of all.
        let (region, endpoint_url) = match profile {
            Some(_) => (found.region.or(region), found.endpoint_url.or(own)),
            None => (region.or(found.region), own.or(found.endpoint_url)),
        };
        Ok(Chain { source, end, region, endpoint_url })
    }
}

fn refused(name: Option<String>, error: ProfileError) -> ChainError {
    ChainError::Profile { name: name.unwrap_or_else(|| DEFAULT_PROFILE.to_owned()), error }
}

fn variable_keys(
    variable: &impl Fn(&'static str) -> Option<String>,
) -> Result<Option<Credentials>, ChainError> {
    let (id, secret) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
    if id.is_none() && secret.is_none() {
        return Ok(None);
    }
    let (id, secret) =
        (id.unwrap_or_default(), zeroize::Zeroizing::new(secret.unwrap_or_default()));
    let token = variable("AWS_SESSION_TOKEN").map(zeroize::Zeroizing::new);
    let keys = take(&id, &secret, token.as_ref().map(|token| token.as_str()));
    keys.map(Some).map_err(ChainError::Variables)
}

/// What the platform around us offers, by its own variables; last the machine, unless it is told not to.
fn surroundings(variable: &impl Fn(&'static str) -> Option<String>) -> Option<CredentialSource> {
    if let (Some(token_file), Some(role_arn)) =
        (variable("AWS_WEB_IDENTITY_TOKEN_FILE"), variable("AWS_ROLE_ARN"))
    {
        let session_name = variable("AWS_ROLE_SESSION_NAME");
        return Some(CredentialSource::WebIdentity { token_file, role_arn, session_name });
    }
    if let Some(relative_uri) = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        return Some(CredentialSource::Container { relative_uri });
    }
    if let (Some(full_uri), Some(token_file)) = (
        variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    ) {
        return Some(CredentialSource::ContainerWithToken { full_uri, token_file });
    }
    let disabled = variable("AWS_EC2_METADATA_DISABLED");
    let disabled = disabled.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    (!disabled).then_some(CredentialSource::Machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &str = "[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=s\n\
                         [work]\naws_access_key_id=AKIAWORK\naws_secret_access_key=s\n[empty]\nregion=x\n";
    const KEYS: [(&str, &str); 2] =
        [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "s")];

    fn find(
        variables: &[(&str, &str)],
        files: &str,
        profile: Option<&str>,
    ) -> Result<Chain, ChainError> {
        let variable = |name: &str| {
            variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned())
        };
        let config = "[profile work]\nregion=work-region\nendpoint_url=https://work\n";
        Settings { variable: &variable, credentials_file: files, config_file: config }.find(profile)
    }

    fn check(variables: &[(&str, &str)], files: &str, profile: Option<&str>, expected: &str) {
        let found = match find(variables, files, profile).map(|chain| chain.source) {
            Ok(Some(CredentialSource::Keys(keys))) => keys.access_key_id().to_owned(),
            Ok(Some(CredentialSource::WebIdentity { role_arn, .. })) => format!("web {role_arn}"),
            Ok(Some(CredentialSource::Container { relative_uri })) => {
                format!("container {relative_uri}")
            }
            Ok(Some(CredentialSource::ContainerWithToken { full_uri, .. })) => {
                format!("token {full_uri}")
            }
            Ok(Some(CredentialSource::Machine)) => "machine".into(),
            Ok(None) => "none".into(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_named_wins_over_what_lies_about() {
        check(&KEYS, FILES, None, "AKIAENV");
        check(&KEYS, FILES, Some("work"), "AKIAWORK");
        check(&[("AWS_PROFILE", "work")], FILES, None, "AKIAWORK");
        check(&[], FILES, None, "AKIAFILE");
        check(&[("AWS_PROFILE", "")], FILES, None, "AKIAFILE");
        check(&[KEYS[0], KEYS[1], ("AWS_PROFILE", "gone")], FILES, None, "AKIAENV");
    }

    #[test]
    fn the_variables_say_when_their_own_credential_ends_and_nobody_elses() {
        let end = |keys: &[(&str, &str)], text: &str| {
            let variables = [keys, &[("AWS_CREDENTIAL_EXPIRATION", text)]].concat();
            find(&variables, FILES, None).ok().unwrap().end
        };
        let at = "2026-11-20T12:00:00+01:00";
        assert_eq!(end(&KEYS, at), "2026-11-20T11:00:00Z".parse().ok());
        assert_eq!(end(&[], at), None);
        assert_eq!(end(&KEYS, "soon"), None);
    }

    #[test]
    fn the_platform_comes_after_the_files_and_the_machine_last() {
        let web = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "arn")];
        check(&web, FILES, None, "AKIAFILE");
        check(&web, "", None, "web arn");
        check(&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c")], "", None, "container /c");
        let eks = [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://e"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/t"),
        ];
        check(&eks, "", None, "token http://e");
        check(&[], "", None, "machine");
        check(&[("AWS_EC2_METADATA_DISABLED", "TRUE")], "", None, "none");
    }

    #[test]
    fn what_was_named_and_cannot_be_used_is_told() {
        check(
            &[("AWS_PROFILE", "gone")],
            FILES,
            None,
            "profile \"gone\": AWS's shared files have no profile of that name",
        );
        check(
            &KEYS,
            FILES,
            Some("empty"),
            "profile \"empty\": the profile's credential: the access key id is empty",
        );
        check(
            &KEYS[..1],
            FILES,
            None,
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: the secret access key is empty",
        );
    }

    #[test]
    fn region_and_address_come_from_variables_unless_a_profile_was_named_for_the_store() {
        let variables =
            [("AWS_REGION", "env"), ("AWS_ENDPOINT_URL", "https://env"), ("AWS_PROFILE", "work")];
        let chain = find(&variables, FILES, None).ok().unwrap();
        assert_eq!(
            (chain.region.as_deref(), chain.endpoint_url.as_deref()),
            (Some("env"), Some("https://env"))
        );
        let chain = find(&variables, FILES, Some("work")).ok().unwrap();
        assert_eq!(
            (chain.region.as_deref(), chain.endpoint_url.as_deref()),
            (Some("work-region"), Some("https://work"))
        );
        let chain = find(&variables[2..], FILES, None).ok().unwrap();
        assert_eq!(chain.region.as_deref(), Some("work-region"));
    }
}
