//! The signers that the configuration asks for.
//!
//! Owns reading their secrets' files, and which credential signs in which mode.

use veil_gateway::{
    Config, CredentialSource, Gateway, Given, Signer, SigningCredential, TitleUrls, UrlModeName,
    UrlSettings,
};

use crate::store::{self, S3};
use crate::{Failure, credentials, private_file};

const FORM: &str = "write the secret that the CDN has, or CloudFront's private key in PEM";

/// The signers of a gateway.
pub(crate) struct Signers {
    usual: Signer,
    titles: Vec<(String, Signer)>,
}

/// Makes the signers of `[urls]` and of each `[[title]]`; `s3` is the bucket's store, if it has one.
pub(crate) fn signers(config: &Config, s3: Option<&S3>) -> Result<Signers, Failure> {
    let usual = signer(config, "[urls]", &config.urls, s3)?;
    let title = |title: &TitleUrls| {
        let name = format!("[[title]] {}", title.id);
        Ok((title.id.clone(), signer(config, &name, &title.urls, s3)?))
    };
    let titles = config.titles.iter().map(title).collect::<Result<_, Failure>>()?;
    Ok(Signers { usual, titles })
}

fn signer(
    config: &Config,
    name: &str,
    settings: &UrlSettings,
    s3: Option<&S3>,
) -> Result<Signer, Failure> {
    let secret = match settings.secret_file() {
        None => None,
        Some(path) => Some(private_file::read(path, "URLs' secret", "secret_file", FORM)?),
    };
    let given = Given {
        credentials: credential(config, settings, s3)?,
        bucket: s3.map(|s3| &s3.place),
        secret: secret.as_ref().map(|text| text.as_str()),
    };
    settings.signer(given).map_err(|error| {
        let hint = "docs/operations/gateway.toml shows which keys belong to which mode";
        Failure::new(format!("{name}: {error}"), hint)
    })
}

/// What signs: the gateway's own credential where it verifies itself, the store's where the store does.
fn credential(
    config: &Config,
    settings: &UrlSettings,
    s3: Option<&S3>,
) -> Result<Option<CredentialSource>, Failure> {
    match settings.mode {
        UrlModeName::Local => {
            credentials::find(config).map(|found| Some(SigningCredential::lasting(found)))
        }
        UrlModeName::Presigned => {
            store::signing(config, s3, settings.credentials.as_deref()).map(Some)
        }
        _ => Ok(None),
    }
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
