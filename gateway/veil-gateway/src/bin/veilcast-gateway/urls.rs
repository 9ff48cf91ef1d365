//! The signers that the configuration asks for.
//!
//! Owns reading their secrets' files.

use std::sync::Arc;

use veil_gateway::{Config, CredentialSource, Gateway, Signer, SigningCredential, UrlSettings};
use veil_presign::Credentials;

use crate::{Failure, private_file};

const FORM: &str = "write the secret that the CDN has, or CloudFront's private key in PEM";

/// The signers of a gateway.
pub(crate) struct Signers {
    usual: Signer,
    titles: Vec<(String, Signer)>,
}

/// Makes the signers of `[urls]` and of each `[[title]]`.
pub(crate) fn signers(config: &Config, credentials: Credentials) -> Result<Signers, Failure> {
    let credential = SigningCredential { credentials: Arc::new(credentials), end: None };
    let source: CredentialSource = Arc::new(move || credential.clone());
    let usual = signer("[urls]", &config.urls, &source)?;
    let title = |title: &veil_gateway::TitleUrls| {
        let name = format!("[[title]] {}", title.id);
        Ok((title.id.clone(), signer(&name, &title.urls, &source)?))
    };
    let titles = config.titles.iter().map(title).collect::<Result<_, Failure>>()?;
    Ok(Signers { usual, titles })
}

fn signer(
    name: &str,
    settings: &UrlSettings,
    source: &CredentialSource,
) -> Result<Signer, Failure> {
    let secret = match settings.secret_file() {
        None => None,
        Some(path) => Some(private_file::read(path, "URLs' secret", "secret_file", FORM)?),
    };
    let secret = secret.as_ref().map(|text| text.as_str());
    settings.signer(Arc::clone(source), secret).map_err(|error| {
        let hint = "docs/operations/gateway.toml shows which keys belong to which mode";
        Failure::new(format!("{name}: {error}"), hint)
    })
}

impl Signers {
    /// How many titles have their own.
    pub(crate) fn title_count(&self) -> usize {
        self.titles.len()
    }

    /// The signer of titles that have none of their own, and what gives those theirs.
    pub(crate) fn split(self) -> (Signer, impl FnOnce(Gateway) -> Result<Gateway, Failure>) {
        let Self { usual, titles } = self;
        let equip = |gateway: Gateway| {
            gateway.with_title_signers(titles).map_err(|id| {
                let hint = "a title's id is 32 lower-case hex digits";
                Failure::new(format!("[[title]] {id} is no title"), hint)
            })
        };
        (usual, equip)
    }
}
