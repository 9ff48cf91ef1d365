//! Services by HTTP: bounded in time and bytes, tried again where that helps, and silent about keys.
//!
//! Owns: the client, the retries, the bounds. Refuses to know: what is asked, and the environment (addresses and keys are arguments).
//!
//! Invariants: a key is in no message and no log; no redirect is followed, so that a key goes to no other host.

#[cfg(test)]
mod tests;

use std::time::Duration;

use zeroize::Zeroizing;

use super::error::MakeError;

/// How long a service may take for an answer: a model may think, a voice may speak.
const TIMEOUT: Duration = Duration::from_secs(120);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a request is tried, and how long is waited before the second time; twice as long before the third.
const TRIES: u32 = 3;
const WAIT: Duration = Duration::from_millis(500);

/// The longest that a service may have us wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// How much of an error's text is told.
const TOLD_CHARS_MAX: usize = 300;

/// A service, where it is and how it knows us.
#[derive(Clone)]
pub struct Service {
    what: &'static str,
    base: String,
    key: Option<std::sync::Arc<Zeroizing<String>>>,
    client: reqwest::Client,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("what", &self.what).finish_non_exhaustive()
    }
}

impl Service {
    /// A service at `base`, such as `http://127.0.0.1:5000` or `https://host/v1`.
    ///
    /// # Errors
    /// [`MakeError::Service`] for what is no address of a web server, or has a password in it; for a key that is no line of ASCII.
    pub fn new(
        what: &'static str,
        base: &str,
        key: Option<Zeroizing<String>>,
    ) -> Result<Self, MakeError> {
        let failed = |why: &str| MakeError::Service { what, why: why.to_owned() };
        let url = reqwest::Url::parse(base).map_err(|_| failed("its address is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(failed("its address is no URL of a web server"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(failed("its address has a password or a query in it"));
        }
        let plain = |key: &Zeroizing<String>| {
            !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if key.as_ref().is_some_and(|key| !plain(key)) {
            return Err(failed("its key is no single line of letters and signs"));
        }
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| failed("no client for it can be made"))?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { what, base, key: key.map(std::sync::Arc::new), client })
    }

    /// What it is called.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Its address, as a part of keys in the cache.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Posts JSON to `path` and returns the body of the answer, of at most `bytes_max`.
    ///
    /// # Errors
    /// [`MakeError::Service`] where it doesn't answer in time, refuses, or answers too much.
    pub async fn post(
        &self,
        path: &str,
        body: &serde_json::Value,
        bytes_max: usize,
    ) -> Result<Vec<u8>, MakeError> {
        let mut wait = WAIT;
        for attempt in 1.. {
            match self.once(path, body, bytes_max).await {
                Ok(bytes) => return Ok(bytes),
                Err(refused) if attempt < TRIES && refused.again => {
                    tokio::time::sleep(refused.after.unwrap_or(wait).min(RETRY_AFTER_MAX)).await;
                    wait *= 2;
                }
                Err(refused) => {
                    return Err(MakeError::Service { what: self.what, why: refused.why });
                }
            }
        }
        Err(MakeError::Service { what: self.what, why: "it was not asked".to_owned() })
    }

    async fn once(
        &self,
        path: &str,
        body: &serde_json::Value,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Refused> {
        let mut request = self.client.post(format!("{}{path}", self.base)).json(body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.as_str());
        }
        let mut response = request.send().await.map_err(|error| Refused::of(&error))?;
        let status = response.status();
        let after = response.headers().get("retry-after");
        let after = after.and_then(|value| value.to_str().ok()?.parse().ok());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Refused::of(&error))? {
            if bytes.len() + chunk.len() > bytes_max {
                let why = format!("it answers more than {bytes_max} bytes");
                return Err(Refused { why, again: false, after: None });
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(bytes);
        }
        let text = String::from_utf8_lossy(&bytes);
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        // What a service repeats of its request is not told: it may be the key. Before the end is cut off, which may go through it.
        let text = match &self.key {
            Some(key) => text.replace(key.as_str(), "…"),
            None => text,
        };
        let text: String = text.chars().take(TOLD_CHARS_MAX).collect();
        let again = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
        let after = after.map(Duration::from_secs);
        Err(Refused { why: format!("it answers {status}: {text}"), again, after })
    }
}

struct Refused {
    why: String,
    again: bool,
    after: Option<Duration>,
}

impl Refused {
    /// What reqwest says would name the address; what kind of failure it was is enough.
    fn of(error: &reqwest::Error) -> Self {
        let why = match () {
            () if error.is_timeout() => "it does not answer in time",
            () if error.is_connect() => "it can't be reached",
            () => "its answer breaks off",
        };
        Self { why: why.to_owned(), again: true, after: None }
    }
}
