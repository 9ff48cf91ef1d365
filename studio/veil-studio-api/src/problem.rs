//! Every error that leaves the interface (RFC 9457).
//!
//! Owns: which error of the studio is which status, and the words. What is told is told to the studio's own people: details name titles and
//! files, and never a secret.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use veil_studio::StudioError;
use veil_studio::jobs::JobError;
use veil_studio::make::{Fault, MakeError};

use crate::wire::ProblemBody;

/// When to come again to a queue that is full.
const FULL_WAIT: Duration = Duration::from_secs(60);

/// An error answer.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: Option<String>,
    retry_after_s: Option<u64>,
}

/// Rows of the table: name, status, type, title.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident, $status:ident, $kind:literal, $title:literal;)*) => {
        impl Problem { $(
            $(#[$doc])*
            pub(crate) const fn $name() -> Self {
                Self { status: StatusCode::$status, kind: $kind, title: $title, detail: None, retry_after_s: None }
            }
        )* }
    };
}

problems! {
    bad_request, BAD_REQUEST, "bad-request", "the request is malformed";
    session_missing, UNAUTHORIZED, "session-missing", "this needs a session; open the address that `veilcast studio` printed";
    login_wrong, UNAUTHORIZED, "login-wrong", "that is not the token or the password of this studio";
    csrf, FORBIDDEN, "csrf", "the request does not carry its session's X-Veilcast-Csrf";
    foreign, FORBIDDEN, "foreign-origin", "the request comes from another site";
    not_found, NOT_FOUND, "not-found", "there is nothing at this path";
    unknown, NOT_FOUND, "unknown", "there is no such thing";
    method_not_allowed, METHOD_NOT_ALLOWED, "method-not-allowed", "this path does not take that method";
    request_timeout, REQUEST_TIMEOUT, "request-timeout", "the request took too long";
    conflict, CONFLICT, "conflict", "that is not possible now";
    gone, GONE, "gone", "it is not there any more";
    edited, PRECONDITION_FAILED, "edited", "somebody else has changed it since";
    too_large, PAYLOAD_TOO_LARGE, "too-large", "that is too large";
    unsupported_media, UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "the body is not of the kind that this takes";
    range_unsatisfiable, RANGE_NOT_SATISFIABLE, "range-unsatisfiable", "no byte of the range is in it";
    host_unknown, MISDIRECTED_REQUEST, "host-unknown", "this studio does not answer for that host";
    unprocessable, UNPROCESSABLE_ENTITY, "unprocessable", "that can't be done with what was sent";
    locked, LOCKED, "locked", "somebody is writing to it";
    precondition_required, PRECONDITION_REQUIRED, "precondition-required", "this needs If-Match with the revision that the change was made on";
    rate_limited, TOO_MANY_REQUESTS, "rate-limited", "too many requests; wait as long as Retry-After says";
    internal, INTERNAL_SERVER_ERROR, "internal", "the studio made a mistake";
    page_missing, SERVICE_UNAVAILABLE, "page-missing", "this program was built without its page; build apps/web first";
    unavailable, SERVICE_UNAVAILABLE, "unavailable", "what this needs does not answer";
    no_space, INSUFFICIENT_STORAGE, "no-space", "the disk has no room for it";
}

/// What tus 1.0 answers where a checksum doesn't fit; HTTP's own register has no such status.
const CHECKSUM_MISMATCH: u16 = 460;

impl Problem {
    /// What arrived is not what its checksum says.
    pub(crate) fn checksum() -> Self {
        Self {
            status: StatusCode::from_u16(CHECKSUM_MISMATCH).unwrap_or(StatusCode::BAD_REQUEST),
            kind: "checksum-mismatch",
            title: "what arrived is not what its checksum says",
            ..Self::bad_request()
        }
    }

    /// Says what happened this time.
    pub(crate) fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The client may ask again after `wait`.
    pub(crate) fn after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self { retry_after_s: Some(seconds.max(1)), ..self }
    }

    /// Its body.
    pub(crate) fn body(&self) -> ProblemBody {
        ProblemBody {
            r#type: self.kind.to_owned(),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "application/problem+json"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = (self.status, headers, body).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StudioError> for Problem {
    fn from(error: StudioError) -> Self {
        let problem = match &error {
            StudioError::NoTitle(_)
            | StudioError::NoGrant(_)
            | StudioError::NoProduction(_)
            | StudioError::NoMedium(_) => Self::unknown(),
            StudioError::NameTaken(_) | StudioError::Busy(_) => Self::conflict(),
            StudioError::BadName(_)
            | StudioError::BadDocument(_)
            | StudioError::AlreadyExpired
            | StudioError::Store(_)
            | StudioError::Ffmpeg(veil_ffmpeg::Error::Refused(_)) => Self::unprocessable(),
            StudioError::Edited { .. } => Self::edited(),
            StudioError::Bucket { .. }
            | StudioError::Credential { .. }
            | StudioError::NoCredential(_) => Self::unavailable(),
            StudioError::File { source, .. } => return Self::io(source, error.to_string()),
            _ => Self::internal(),
        };
        problem.detail(told(&error.to_string(), error.hint()))
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::unprocessable().detail(fault.to_string())
    }
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        let problem = match error {
            JobError::Studio(error) => return error.into(),
            JobError::NoJob(_) => Self::unknown(),
            JobError::State { .. } => Self::conflict(),
            JobError::Spec(_) => Self::unprocessable(),
            JobError::TooMany { retry_after_s } => {
                Self::rate_limited().after(Duration::from_secs(retry_after_s))
            }
            JobError::Full(_) => Self::rate_limited().after(FULL_WAIT),
            _ => Self::internal(),
        };
        problem.detail(error.to_string())
    }
}

impl From<MakeError> for Problem {
    fn from(error: MakeError) -> Self {
        let problem = match &error {
            MakeError::Io { .. } | MakeError::Broken(_) => Self::internal(),
            _ => Self::unprocessable(),
        };
        problem.detail(told(&error.to_string(), error.hint()))
    }
}

impl Problem {
    /// A failure of the system with a file.
    pub(crate) fn io(error: &std::io::Error, detail: String) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded => Self::no_space().detail(detail),
            _ => Self::internal().detail(detail),
        }
    }
}

/// What happened, and what to do about it.
fn told(what: &str, hint: Option<String>) -> String {
    hint.map_or_else(|| what.to_owned(), |hint| format!("{what}; {hint}"))
}
