//! Credentials that a platform gives: a role of the machine, of the container, or for a token of the platform.
//!
//! Owns the four ways in which AWS hands one out (AWS SDKs and Tools Reference Guide, "Standardized credential providers";
//! STS `AssumeRoleWithWebIdentity`). They are asked for here and not by the store's client, which keeps to itself when what
//! it got ends. Refuses to choose among them: that is the chain's. Invariant: nothing of an answer is in an error.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::AUTHORIZATION;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use veil_presign::{CredentialSource, Credentials};
use zeroize::{Zeroize as _, Zeroizing};

/// How long a platform may take: its services are near, and a machine that has none answers nothing at all.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where EC2 tells of the machine's role.
const MACHINE: &str = "http://169.254.169.254";

/// Where ECS tells of the task's role.
const CONTAINER: &str = "http://169.254.170.2";

/// What the token service's log calls a session that has no name of its own.
const SESSION_NAME: &str = "veilcast-gateway";

/// Why a platform gave no credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfetched {
    /// The HTTP client can't be set up.
    #[error("the HTTP client cannot be set up")]
    Client,
    /// Nobody answers.
    #[error("the platform's credential service does not answer")]
    Away,
    /// The answer is a refusal.
    #[error("the platform's credential service refuses")]
    Refused,
    /// The answer holds no credential.
    #[error("the platform's credential service answers with no credential")]
    Nonsense,
    /// The platform's token can't be read.
    #[error("the file of the platform's token cannot be read")]
    TokenFile,
    /// What it gave has ended already.
    #[error("the platform's credential has ended")]
    Ended,
}

/// A platform, and how it is asked.
pub struct Platform {
    client: Client,
    source: CredentialSource,
    machine: String,
    container: String,
    /// Where roles are taken.
    token_service: String,
}

/// A credential as ECS, EKS and EC2 write it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCredential {
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "SessionToken")]
    token: String,
    expiration: String,
}

/// The token service's answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireRole {
    assume_role_with_web_identity_result: WireRoleResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireRoleResult {
    credentials: WireCredential,
}

impl Platform {
    /// A platform of a chain's `source`, which isn't keys: those are there already. `region` says which token service is
    /// asked, unless `token_service` names one.
    ///
    /// # Errors
    /// A system without roots of trust.
    pub fn new(
        source: CredentialSource,
        region: &str,
        token_service: Option<String>,
    ) -> Result<Self, Unfetched> {
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            // Asked once in half an hour; a connection that is kept would be gone by then.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|_| Unfetched::Client)?;
        let china = if region.starts_with("cn-") { ".cn" } else { "" };
        let usual = || format!("https://sts.{region}.amazonaws.com{china}");
        let token_service = token_service.unwrap_or_else(usual);
        let (machine, container) = (MACHINE.to_owned(), CONTAINER.to_owned());
        Ok(Self { client, source, machine, container, token_service })
    }

    /// Asks for a credential, and when it ends.
    pub(super) async fn fetch(&self) -> Result<(Credentials, Timestamp), Unfetched> {
        match &self.source {
            CredentialSource::WebIdentity { token_file, role_arn, session_name } => {
                let name = session_name.as_deref().unwrap_or(SESSION_NAME);
                self.role(token_file, role_arn, name).await?.parsed()
            }
            CredentialSource::Container { relative_uri } => {
                let url = format!("{}{relative_uri}", self.container);
                json::<WireCredential>(self.client.get(url)).await?.parsed()
            }
            CredentialSource::ContainerWithToken { full_uri, token_file } => {
                let token = read(token_file).await?;
                let request = self.client.get(full_uri).header(AUTHORIZATION, token.trim());
                json::<WireCredential>(request).await?.parsed()
            }
            _ => self.machine().await?.parsed(),
        }
    }

    /// EC2's role, by version 2 of its metadata service.
    async fn machine(&self) -> Result<WireCredential, Unfetched> {
        let url = |path: &str| format!("{}/latest/{path}", self.machine);
        let token = self.client.put(url("api/token"));
        let token = text(token.header("X-aws-ec2-metadata-token-ttl-seconds", "60")).await?;
        let get = |path: &str| {
            self.client.get(url(path)).header("X-aws-ec2-metadata-token", token.as_str())
        };
        let roles = "meta-data/iam/security-credentials/";
        let role = text(get(roles)).await?;
        json(get(&format!("{roles}{}", role.trim()))).await
    }

    /// A role of the token service's, for a token of the platform.
    async fn role(
        &self,
        token_file: &str,
        role_arn: &str,
        session_name: &str,
    ) -> Result<WireCredential, Unfetched> {
        let token = read(token_file).await?;
        let mut form =
            Zeroizing::new(String::from("Action=AssumeRoleWithWebIdentity&Version=2011-06-15"));
        for (name, value) in [
            ("RoleArn", role_arn),
            ("RoleSessionName", session_name),
            ("WebIdentityToken", token.trim()),
        ] {
            form.push('&');
            form.push_str(name);
            form.push('=');
            encode(value, &mut form);
        }
        let request = self.client.post(&self.token_service);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = text(request.body(form.as_str().to_owned())).await?;
        let role: WireRole = quick_xml::de::from_str(&answer).map_err(|_| Unfetched::Nonsense)?;
        Ok(role.assume_role_with_web_identity_result.credentials)
    }
}

impl WireCredential {
    fn parsed(mut self) -> Result<(Credentials, Timestamp), Unfetched> {
        let end = self.expiration.parse();
        let secret = std::mem::take(&mut self.secret_access_key);
        let token = std::mem::take(&mut self.token);
        let credentials = Credentials::new(std::mem::take(&mut self.access_key_id), secret);
        let credentials = credentials.and_then(|keys| keys.with_session_token(token));
        match (credentials, end) {
            (Ok(credentials), Ok(end)) => Ok((credentials, end)),
            _ => Err(Unfetched::Nonsense),
        }
    }
}

impl Drop for WireCredential {
    fn drop(&mut self) {
        self.secret_access_key.zeroize();
        self.token.zeroize();
    }
}

async fn read(file: &str) -> Result<Zeroizing<String>, Unfetched> {
    let text = tokio::fs::read_to_string(file).await;
    text.map(Zeroizing::new).map_err(|_| Unfetched::TokenFile)
}

async fn text(request: RequestBuilder) -> Result<Zeroizing<String>, Unfetched> {
    let answer = request.send().await.map_err(|_| Unfetched::Away)?;
    if !answer.status().is_success() {
        return Err(Unfetched::Refused);
    }
    answer.text().await.map(Zeroizing::new).map_err(|_| Unfetched::Away)
}

async fn json<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Unfetched> {
    serde_json::from_str(&text(request).await?).map_err(|_| Unfetched::Nonsense)
}

/// Appends a value of a form (`application/x-www-form-urlencoded`), every byte that is not plain as `%XX`.
fn encode(value: &str, form: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            form.push('%');
            for digit in [byte >> 4, byte & 15] {
                form.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
