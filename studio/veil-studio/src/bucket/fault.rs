//! What a store said when it failed, in a person's words, and what to do about it.

use std::error::Error;

use object_store::client::{HttpError, HttpErrorKind};

/// What happened, without the client's own wrapping.
pub(crate) fn told(error: &object_store::Error) -> String {
    let text = error.to_string();
    if let Some(code) = between(&text, "<Code>", "</Code>") {
        let message = between(&text, "<Message>", "</Message>").unwrap_or_default();
        return format!("{code}: {}", message.trim().trim_end_matches('.'));
    }
    if let Some(http) = cause::<HttpError>(error) {
        let what = match http.kind() {
            HttpErrorKind::Connect => "no connection",
            HttpErrorKind::Timeout => "no answer in time",
            _ => "the connection broke",
        };
        return format!("{what}: {}", innermost(http));
    }
    text
}

const CREDENTIAL: &str =
    "check the credential: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile";
const POLICY: &str = "the credential may not do this: its policy needs s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, \
     s3:DeleteObject and s3:AbortMultipartUpload on what is in it";

/// What a person can do, if there is anything.
pub(crate) fn hint(error: &object_store::Error) -> Option<String> {
    if let Some(error) = cause::<std::io::Error>(error)
        && cause::<HttpError>(error).is_none()
        && let Some(hint) = crate::error::io_hint(error)
    {
        return Some(hint);
    }
    let text = error.to_string();
    let code = between(&text, "<Code>", "</Code>").unwrap_or_default();
    let hint = match code {
        "NoSuchBucket" => "make the bucket first, or check its name and its endpoint",
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "NotSignedUp" | "InvalidToken" => {
            CREDENTIAL
        }
        "AccessDenied" => match between(&text, "<Message>", "</Message>").unwrap_or_default() {
            // Garage's words for a wrong secret, and for an id that it doesn't know.
            said if said.contains("Invalid signature") || said.contains("No such key") => {
                CREDENTIAL
            }
            _ => POLICY,
        },
        "ExpiredToken" => "the temporary credential is over: get a new one",
        "RequestTimeTooSkewed" | "RequestExpired" => "set this machine's clock",
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "IllegalLocationConstraintException" => "name the bucket's region: …?region=NAME",
        "QuotaExceeded" | "EntityTooLarge" => {
            "the store takes no more: raise its quota or free some space"
        }
        _ => return by_kind(error, &text).map(str::to_owned),
    };
    Some(hint.to_owned())
}

fn by_kind(error: &object_store::Error, text: &str) -> Option<&'static str> {
    use object_store::Error as Store;
    if text.contains("redirect") {
        return Some("name the bucket's region: …?region=NAME");
    }
    match error {
        Store::PermissionDenied { .. } => Some(POLICY),
        Store::Unauthenticated { .. } => Some(CREDENTIAL),
        Store::NotFound { .. } => Some("make the bucket first, or check its name and its endpoint"),
        _ => by_connection(error),
    }
}

fn by_connection(error: &object_store::Error) -> Option<&'static str> {
    let Some(http) = cause::<HttpError>(error) else {
        return Some(
            "the store may be overloaded: try again; what has arrived is kept and skipped",
        );
    };
    let why = innermost(http).to_lowercase();
    Some(if why.contains("certificate") {
        "the store's certificate is not trusted here: add its authority to the system's, or check the endpoint"
    } else if http.kind() == HttpErrorKind::Connect {
        "check the endpoint and the network; what has arrived is kept and skipped"
    } else {
        "try again; what has arrived is kept and skipped"
    })
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(to).map(|(found, _)| found)
}

/// The first cause of this type.
fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: object_store::Error, expected: &str, hinted: &str) {
        assert_eq!(told(&error), expected);
        assert!(hint(&error).unwrap().contains(hinted), "{:?}", hint(&error));
    }

    fn said(code: &str, message: &str) -> object_store::Error {
        let body =
            format!("status: <Error><Code>{code}</Code><Message>{message}</Message></Error>");
        object_store::Error::Generic { store: "S3", source: body.into() }
    }

    #[test]
    fn what_a_store_says_is_told_with_the_way_out() {
        check(said("NoSuchBucket", "No bucket."), "NoSuchBucket: No bucket", "make the bucket");
        check(
            said("RequestTimeTooSkewed", "too skewed"),
            "RequestTimeTooSkewed: too skewed",
            "clock",
        );
        check(said("SignatureDoesNotMatch", ""), "SignatureDoesNotMatch: ", "AWS_ACCESS_KEY_ID");
        check(said("PermanentRedirect", "x"), "PermanentRedirect: x", "region");
        check(said("ExpiredToken", "x"), "ExpiredToken: x", "get a new one");
        check(said("SlowDown", "x"), "SlowDown: x", "try again");
        check(said("QuotaExceeded", "x"), "QuotaExceeded: x", "quota");
        let garage = "Forbidden: Invalid signature";
        check(said("AccessDenied", garage), &format!("AccessDenied: {garage}"), "AWS_ACCESS_KEY");
        check(said("AccessDenied", "x"), "AccessDenied: x", "s3:PutObject");
        let denied = object_store::Error::PermissionDenied {
            path: "t/a".into(),
            source: "<Code>AccessDenied</Code><Message>no</Message>".into(),
        };
        check(denied, "AccessDenied: no", "s3:PutObject");
    }

    #[test]
    fn a_broken_connection_is_told_by_what_broke() {
        let http = |kind, why: &str| {
            let source = HttpError::new(kind, std::io::Error::other(why.to_owned()));
            object_store::Error::Generic { store: "S3", source: Box::new(source) }
        };
        check(
            http(HttpErrorKind::Connect, "refused"),
            "no connection: refused",
            "check the endpoint",
        );
        check(http(HttpErrorKind::Timeout, "late"), "no answer in time: late", "try again");
        let tls = http(HttpErrorKind::Connect, "invalid peer certificate: UnknownIssuer");
        check(tls, "no connection: invalid peer certificate: UnknownIssuer", "not trusted");
    }
}
