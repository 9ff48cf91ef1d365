//! A presigned URL that came in: who signed it, for what, and until when.
//!
//! Owns the checks that a store makes on `X-Amz-…` parameters. Refuses to know keys: a lookup gives
//! the key for what the URL claims. Invariant: nothing is said of a URL's time before its signature
//! holds, and the comparison takes the same time wherever it fails.

use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;

use crate::scope::{ALGORITHM, EXPIRES_MAX_S, TERMINATOR, parse_amz_date, push_hex};
use crate::{SigningKey, escape, sign};

/// How far ahead of this machine's clock a signing date may lie, in seconds (as S3 has it).
pub const CLOCK_SKEW_S: i64 = 900;

/// What a request shows: its method, `Host`, raw path and raw query.
pub struct Presented<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The `Host` header.
    pub host: &'a str,
    /// The path as it came, percent-encoded.
    pub path: &'a str,
    /// The query as it came, without `?`.
    pub query: &'a str,
}

/// What a URL claims of the key that signed it; the lookup answers with that key.
#[derive(Debug)]
pub struct Claim<'a> {
    /// The access key id.
    pub access_key_id: &'a str,
    /// The signing date; derive the key for its day.
    pub signed_at: Timestamp,
    /// The region of the credential scope.
    pub region: &'a str,
    /// The service of the credential scope.
    pub service: &'a str,
    /// The session token, if the URL carries one.
    pub session_token: Option<&'a str>,
}

/// Why a URL does not open what it asks for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The named part is missing, double or not of its form.
    #[error("the presigned URL's {0} is missing, double or malformed")]
    Malformed(&'static str),
    /// The life is longer than seven days.
    #[error("the presigned URL claims a life of more than seven days")]
    ExpiresTooLong,
    /// The lookup knows no such key.
    #[error("the presigned URL was signed with an unknown key")]
    UnknownKey,
    /// The signature is not that of this request.
    #[error("the presigned URL's signature does not match")]
    WrongSignature,
    /// The URL was good until some seconds ago.
    #[error("the presigned URL expired {ago_s} seconds ago")]
    Expired {
        /// Seconds since it expired.
        ago_s: i64,
    },
    /// The signing date lies further ahead than clocks differ.
    #[error("the presigned URL becomes valid in {in_s} seconds")]
    NotYetValid {
        /// Seconds until its signing date.
        in_s: i64,
    },
}

/// Verifies a presigned URL at `now` and returns the moment at which it expires.
///
/// # Errors
/// One variant for each of: malformed, unknown key, wrong signature, expired, not yet valid, a life
/// beyond seven days.
pub fn verify(
    presented: &Presented<'_>,
    now: Timestamp,
    lookup: impl FnOnce(&Claim<'_>) -> Option<SigningKey>,
) -> Result<Timestamp, VerifyError> {
    let parameters = escape::parse_query(presented.query).ok_or(VerifyError::Malformed("query"))?;
    let signed = Signed::read(&parameters)?;
    let path = escape::decode(presented.path).ok_or(VerifyError::Malformed("path"))?;
    let key = lookup(&signed.claim()).ok_or(VerifyError::UnknownKey)?;
    let scope = signed.credential.get(signed.access_key_id.len() + 1..);
    if key.access_key_id != signed.access_key_id || scope != Some(key.scope.as_str()) {
        return Err(VerifyError::UnknownKey);
    }

    let mut canonical_path = String::with_capacity(presented.path.len());
    escape::path(&path, &mut canonical_path);
    let unsigned = parameters.iter().filter(|(name, _)| name != "X-Amz-Signature");
    let query = sign::sorted_query(unsigned.map(|(name, value)| (name.as_str(), value.as_str())));
    let canonical =
        sign::canonical_request(presented.method, &canonical_path, &query, presented.host);
    let mut expected = String::with_capacity(64);
    push_hex(&key.sign(signed.date, &canonical), &mut expected);
    if !bool::from(expected.as_bytes().ct_eq(signed.signature.as_bytes())) {
        return Err(VerifyError::WrongSignature);
    }
    check_time(signed.signed_at, signed.expires_s, now)
}

fn check_time(
    signed_at: Timestamp,
    expires_s: u32,
    now: Timestamp,
) -> Result<Timestamp, VerifyError> {
    let in_s = signed_at.as_second() - now.as_second();
    if in_s > CLOCK_SKEW_S {
        return Err(VerifyError::NotYetValid { in_s });
    }
    let end = signed_at
        .checked_add(SignedDuration::from_secs(i64::from(expires_s)))
        .map_err(|_| VerifyError::Malformed("X-Amz-Expires"))?;
    if now >= end {
        return Err(VerifyError::Expired { ago_s: now.as_second() - end.as_second() });
    }
    Ok(end)
}

/// The signature's own parameters, read but not believed.
struct Signed<'a> {
    credential: &'a str,
    access_key_id: &'a str,
    region: &'a str,
    service: &'a str,
    date: &'a str,
    signed_at: Timestamp,
    expires_s: u32,
    session_token: Option<&'a str>,
    signature: &'a str,
}

impl<'a> Signed<'a> {
    fn read(parameters: &'a [(String, String)]) -> Result<Self, VerifyError> {
        let find = |wanted: &str| {
            parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        let need = |wanted: &'static str| find(wanted).ok_or(VerifyError::Malformed(wanted));
        if need("X-Amz-Algorithm")? != ALGORITHM {
            return Err(VerifyError::Malformed("X-Amz-Algorithm"));
        }
        if need("X-Amz-SignedHeaders")? != "host" {
            return Err(VerifyError::Malformed("X-Amz-SignedHeaders"));
        }
        let date = need("X-Amz-Date")?;
        let signed_at = parse_amz_date(date).ok_or(VerifyError::Malformed("X-Amz-Date"))?;
        let expires_s = parse_expires(need("X-Amz-Expires")?)?;
        let signature = need("X-Amz-Signature")?;
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if signature.len() != 64 || !signature.bytes().all(lower_hex) {
            return Err(VerifyError::Malformed("X-Amz-Signature"));
        }
        let credential = need("X-Amz-Credential")?;
        let parts: Vec<&str> = credential.split('/').collect();
        let &[access_key_id, day, region, service, TERMINATOR] = parts.as_slice() else {
            return Err(VerifyError::Malformed("X-Amz-Credential"));
        };
        if day != &date[..8] {
            return Err(VerifyError::Malformed("X-Amz-Credential"));
        }
        let session_token = find("X-Amz-Security-Token");
        Ok(Self {
            credential,
            access_key_id,
            region,
            service,
            date,
            signed_at,
            expires_s,
            session_token,
            signature,
        })
    }

    fn claim(&self) -> Claim<'a> {
        Claim {
            access_key_id: self.access_key_id,
            signed_at: self.signed_at,
            region: self.region,
            service: self.service,
            session_token: self.session_token,
        }
    }
}

fn parse_expires(text: &str) -> Result<u32, VerifyError> {
    let malformed = VerifyError::Malformed("X-Amz-Expires");
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed);
    }
    match text.parse::<u32>() {
        Ok(0) => Err(malformed),
        Ok(seconds) if seconds <= EXPIRES_MAX_S => Ok(seconds),
        _ => Err(VerifyError::ExpiresTooLong),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Credentials, Request, presign};

    const SIGNED_AT: &str = "2026-11-20T10:00:00Z";
    const HOST: &str = "127.0.0.1:8787";
    const PATH: &str = "/o/t/aa bb";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn credentials() -> Credentials {
        Credentials::new("AKIATEST", "secretsecret".to_owned()).unwrap()
    }

    fn lookup(claim: &Claim<'_>) -> Option<SigningKey> {
        (claim.access_key_id == "AKIATEST")
            .then(|| SigningKey::derive(&credentials(), claim.signed_at, "local").unwrap())
    }

    fn url() -> (String, String) {
        let key = SigningKey::derive(&credentials(), at(SIGNED_AT), "local").unwrap();
        let target = presign(&key, &Request::get(HOST, PATH, 60), at(SIGNED_AT)).unwrap();
        let (path, query) = target.split_once('?').unwrap();
        (path.to_owned(), query.to_owned())
    }

    fn check(presented: &Presented<'_>, now: &str, expected: Result<Timestamp, VerifyError>) {
        assert_eq!(verify(presented, at(now), lookup), expected);
    }

    fn check_query(edit: impl FnOnce(String) -> String, expected: VerifyError) {
        let (path, query) = url();
        let query = edit(query);
        let presented = Presented { method: "GET", host: HOST, path: &path, query: &query };
        check(&presented, "2026-11-20T10:00:30Z", Err(expected));
    }

    #[test]
    fn a_url_opens_from_its_signing_date_until_it_expires() {
        let (path, query) = url();
        let presented = Presented { method: "GET", host: HOST, path: &path, query: &query };
        let end = at("2026-11-20T10:01:00Z");
        check(&presented, SIGNED_AT, Ok(end));
        check(&presented, "2026-11-20T10:00:59.9Z", Ok(end));
        check(&presented, "2026-11-20T10:01:00Z", Err(VerifyError::Expired { ago_s: 0 }));
        check(&presented, "2026-11-20T10:05:00Z", Err(VerifyError::Expired { ago_s: 240 }));
        check(&presented, "2026-11-20T09:45:00Z", Ok(end));
        check(&presented, "2026-11-20T09:44:59Z", Err(VerifyError::NotYetValid { in_s: 901 }));
    }

    #[test]
    fn another_method_host_or_path_is_refused() {
        let (path, query) = url();
        let good = Presented { method: "GET", host: HOST, path: &path, query: &query };
        let now = "2026-11-20T10:00:30Z";
        for bad in [
            Presented { method: "HEAD", ..good },
            Presented { host: "localhost:8787", ..good },
            Presented { path: "/o/t/aa%20bc", ..good },
            Presented { path: "/o/t/aa%20bb/", ..good },
        ] {
            check(&bad, now, Err(VerifyError::WrongSignature));
        }
        check(&Presented { path: "/o/%", ..good }, now, Err(VerifyError::Malformed("path")));
    }

    #[test]
    fn an_escape_that_a_proxy_rewrote_still_means_the_same_path() {
        let (_, query) = url();
        let presented =
            Presented { method: "GET", host: HOST, path: "/%6f/t/aa%20bb", query: &query };
        check(&presented, "2026-11-20T10:00:30Z", Ok(at("2026-11-20T10:01:00Z")));
    }

    #[test]
    fn each_malformed_parameter_is_named() {
        let cut = |name: &'static str| {
            check_query(|q| q.replace(name, "Other"), VerifyError::Malformed(name));
        };
        for name in [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-Expires",
            "X-Amz-SignedHeaders",
            "X-Amz-Signature",
        ] {
            cut(name);
        }
        let edit = |from: &'static str, to: &'static str, name| {
            check_query(|q| q.replace(from, to), VerifyError::Malformed(name));
        };
        edit("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "X-Amz-Algorithm");
        edit("SignedHeaders=host", "SignedHeaders=host%3Brange", "X-Amz-SignedHeaders");
        edit("Expires=60", "Expires=0", "X-Amz-Expires");
        edit("Expires=60", "Expires=+60", "X-Amz-Expires");
        edit("T100000Z", "T250000Z", "X-Amz-Date");
        edit("%2F20261120%2F", "%2F20261121%2F", "X-Amz-Credential");
        edit("aws4_request", "aws4_other", "X-Amz-Credential");
        check_query(|q| format!("{q}&X-Amz-Date=1"), VerifyError::Malformed("query"));
        check_query(|q| format!("{q}&a=%zz"), VerifyError::Malformed("query"));
        check_query(|q| format!("{q}&a={}", "a".repeat(8192)), VerifyError::Malformed("query"));
        let many: String = (0..40).map(|i| format!("&p{i}=")).collect();
        check_query(|q| q + &many, VerifyError::Malformed("query"));
    }

    #[test]
    fn a_life_beyond_seven_days_an_unknown_key_and_an_added_parameter_are_told_apart() {
        check_query(|q| q.replace("Expires=60", "Expires=604801"), VerifyError::ExpiresTooLong);
        check_query(
            |q| q.replace("Expires=60", "Expires=99999999999"),
            VerifyError::ExpiresTooLong,
        );
        check_query(|q| q.replace("AKIATEST", "AKIAOTHER"), VerifyError::UnknownKey);
        check_query(|q| q.replace("%2Flocal%2F", "%2Fauto%2F"), VerifyError::UnknownKey);
        check_query(|q| q.replace("Expires=60", "Expires=61"), VerifyError::WrongSignature);
        check_query(|q| format!("{q}&versionId=1"), VerifyError::WrongSignature);
    }

    #[test]
    fn one_changed_hex_digit_anywhere_in_the_signature_is_refused() {
        let (path, query) = url();
        for index in query.len() - 64..query.len() {
            let mut bytes = query.clone().into_bytes();
            bytes[index] = if bytes[index] == b'0' { b'1' } else { b'0' };
            let query = String::from_utf8(bytes).unwrap();
            let presented = Presented { method: "GET", host: HOST, path: &path, query: &query };
            check(&presented, SIGNED_AT, Err(VerifyError::WrongSignature));
        }
    }

    #[test]
    fn an_error_says_what_happened_and_holds_no_signature() {
        let error = VerifyError::Expired { ago_s: 240 };
        assert_eq!(error.to_string(), "the presigned URL expired 240 seconds ago");
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(path in ".{0,50}", query in ".{0,200}") {
            let presented = Presented { method: "GET", host: HOST, path: &path, query: &query };
            prop_assert!(verify(&presented, at(SIGNED_AT), lookup).is_err());
        }

        #[test]
        fn no_damage_to_a_good_query_opens_it(index in 0..300usize, byte in 0x20..0x7fu8) {
            let (path, query) = url();
            let mut bytes = query.clone().into_bytes();
            let index = index % bytes.len();
            // `%2f` says what `%2F` says.
            prop_assume!(!bytes[index].eq_ignore_ascii_case(&byte));
            bytes[index] = byte;
            let damaged = String::from_utf8(bytes).unwrap();
            let presented = Presented { method: "GET", host: HOST, path: &path, query: &damaged };
            prop_assert!(verify(&presented, at(SIGNED_AT), lookup).is_err());
        }
    }
}
