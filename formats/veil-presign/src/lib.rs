//! Presigned URLs: AWS Signature Version 4 in the query, made and verified; the tokens of CDNs; and bearer tokens.
//!
//! Owns the rules of signing for S3: canonical request, credential scope, signing key, URL text; the forms of
//! `docs/format/urls.md` that CDNs check ([`cdn`]); the tokens of `docs/format/plain-hls.md` ([`jwt`]); and the texts in
//! which a store and its credential are named ([`StoreUrl`], [`Settings`]).
//! Refuses to know where a clock, a socket, a bucket or a configuration is: time is an argument,
//! bytes go in and bytes come out. Specification: the AWS S3 API Reference, "Authenticating
//! Requests: Using Query Parameters". Invariant: the URL text that leaves this crate is byte for
//! byte the text that was signed.
//!
//! ```
//! use veil_presign::{Credentials, Request, SigningKey, presign};
//!
//! let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned())?;
//! let now = "2013-05-24T00:00:00Z".parse()?;
//! let key = SigningKey::derive(&credentials, now, "us-east-1")?;
//! let request = Request::get("examplebucket.s3.amazonaws.com", "/test.txt", 86_400);
//! assert!(presign(&key, &request, now)?.starts_with("/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
pub mod cdn;
mod chain;
mod credentials;
mod escape;
mod form;
pub mod jwt;
mod keys;
mod lanes;
mod place;
mod profile;
mod scope;
mod sha;
mod sign;
mod store;
mod url;
mod verify;

#[cfg(test)]
mod aws_suite;

pub use batch::{Batch, Names, Signature};
pub use chain::{Chain, ChainError, CredentialSource, Settings};
pub use credentials::{Credentials, CredentialsError};
pub use escape::{QUERY_BYTES_MAX, parse_query};
pub use keys::{SigningKeys, staggered_window_start};
pub use lanes::Lanes;
pub use place::{Endpoint, PlaceError, folder_path};
pub use profile::{Profile, ProfileError};
pub use scope::{EXPIRES_MAX_S, SigningKey, parse_amz_date, window_start};
pub use sign::{PresignError, Request, presign};
pub use store::{S3Address, S3Place, StoreUrl, StoreUrlError, Style};
pub use url::{CompactUrls, UrlText};
pub use verify::{CLOCK_SKEW_S, Claim, Presented, VerifyError, verify};
