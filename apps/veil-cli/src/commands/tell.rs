//! Telling the gateway of `veilcast up` what it would learn within seconds: that a grant was revoked.
//!
//! Owns one request a grant, to this machine alone. Refuses to fail a command: the record in the bucket is what
//! revokes, and every gateway reads it anew.

use std::time::Duration;

use veil_studio::Studio;
use zeroize::Zeroizing;

use crate::output::note;

/// How long the gateway may take for one grant.
const LIMIT: Duration = Duration::from_secs(3);

/// Where the gateway answers, and how it is spoken to.
struct Gateway {
    address: String,
    host: String,
    token: Zeroizing<String>,
}

/// Has the running gateway forget what it knows of these grants; says whether it did.
pub(crate) async fn forget(studio: &Studio, grants: Vec<String>) -> bool {
    let Some(gateway) = running(studio) else { return false };
    let told = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(LIMIT))
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .into();
        grants.iter().map(|grant| gateway.forget(&agent, grant)).find(|told| *told != Told::Yes)
    });
    match told.await {
        Ok(None) => true,
        Ok(Some(Told::No(why))) => {
            note(&format!(
                "warning: the gateway was not told ({why}); it knows within 30 seconds all the same"
            ));
            false
        }
        _ => false,
    }
}

/// What became of a request.
#[derive(PartialEq)]
enum Told {
    Yes,
    /// Nobody answers: there is no gateway to tell.
    Nobody,
    No(String),
}

impl Gateway {
    fn forget(&self, agent: &ureq::Agent, grant: &str) -> Told {
        let request = agent
            .post(format!("{}/v1/grants/{grant}/forget", self.address))
            .header("Host", &self.host)
            .header("Authorization", format!("Bearer {}", self.token.trim()));
        match request.send_empty() {
            Ok(answer) if answer.status() == 204 => Told::Yes,
            Ok(answer) => Told::No(format!("it answered {}", answer.status())),
            Err(ureq::Error::ConnectionFailed | ureq::Error::Io(_)) => Told::Nobody,
            Err(error) => Told::No(error.to_string()),
        }
    }
}

/// The gateway that `up` started last, if it left word.
fn running(studio: &Studio) -> Option<Gateway> {
    let address = studio.data().gateway_address().ok()??;
    let url = studio.data().gateway_url().ok()??;
    let token = studio.gateway_admin_token().ok()??;
    let host = url.split_once("://")?.1.trim_end_matches('/').to_owned();
    Some(Gateway { address, host, token })
}
