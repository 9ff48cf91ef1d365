//! AWS's own signer, set to S3's rules: keys, regions, ports and tokens of every kind.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode,
};
use aws_sigv4::sign::v4;
use jiff::Timestamp;
use proptest::prelude::*;
use veil_presign::{Credentials, Request};

use crate::{sign, signature_of};

fn settings(expires_s: u32) -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.expires_in = Some(Duration::from_secs(expires_s.into()));
    settings
}

/// Percent-encodes a path as any HTTP client's user must, by this test's own means.
fn encoded(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    path.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

proptest! {
    #[test]
    fn aws_sigv4_gives_the_same_signature(
        key in "\\PC{1,60}",
        region in "[a-z]{1,8}(-[a-z0-9]{1,5}){0,3}",
        port in proptest::option::of(1024..65_535u16),
        token in proptest::option::of("[!-~]{1,200}"),
        expires_s in 1..=604_800u32,
        second in 1_700_000_000..2_000_000_000i64,
    ) {
        let host = port.map_or("s3.example.org".to_owned(), |p| format!("s3.example.org:{p}"));
        let now = Timestamp::from_second(second).unwrap();
        let path = format!("/videos/{key}");

        let theirs =
            aws_credential_types::Credentials::new("id", "secret", token.clone(), None, "test");
        let identity = theirs.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name("s3")
            .time(SystemTime::from(now))
            .settings(settings(expires_s))
            .build()
            .unwrap()
            .into();
        let url = format!("https://{host}{}", encoded(&path));
        let body = SignableBody::UnsignedPayload;
        let request = SignableRequest::new("GET", &url, std::iter::empty(), body).unwrap();
        let (_, signature) =
            aws_sigv4::http_request::sign(request, &parameters).unwrap().into_parts();

        let mut ours = Credentials::new("id", "secret".to_owned()).unwrap();
        if let Some(token) = token {
            ours = ours.with_session_token(token).unwrap();
        }
        let target = sign(&ours, &region, now, &Request::get(&host, &path, expires_s));
        prop_assert_eq!(signature_of(&target), signature);
    }
}
