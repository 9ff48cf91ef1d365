//! TLS: the gateway's own certificate, which can be changed while it serves.
//!
//! Owns what is spoken (TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN, the hybrid key exchange
//! X25519MLKEM768 where the client has it) and the current certificate. Refuses to read files. Session
//! tickets are sealed under keys that live in this process alone and rotate. Invariant: what replaces a
//! certificate was parsed whole and matches its key; connections that are open keep theirs.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, client};
use tokio_rustls::TlsAcceptor;
use x509_cert::der::Decode as _;

/// What is spoken inside, by preference (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A certificate chain with its private key.
pub struct Certificate {
    key: Arc<CertifiedKey>,
    /// When the first certificate of the chain ends.
    pub ends: Timestamp,
}

/// Why a certificate is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The text holds no certificate.
    #[error("the certificate file holds no PEM certificate")]
    NoCertificate,
    /// A certificate can't be read.
    #[error("a certificate of the chain cannot be read")]
    Unreadable,
    /// The text holds no private key.
    #[error("the key file holds no PEM private key")]
    NoKey,
    /// The key is of a kind that isn't known, or belongs to another certificate.
    #[error("the private key does not fit the certificate: {0}")]
    Mismatch(rustls::Error),
    /// TLS can't be set up at all.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

impl Certificate {
    /// Reads a chain (the server's own certificate first) and its key, both PEM.
    ///
    /// # Errors
    /// A text that holds none, or a key that isn't the certificate's.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|_| CertificateError::Unreadable)?;
        let first = chain.first().ok_or(CertificateError::NoCertificate)?;
        let ends = end_of(first)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::NoKey)?;
        let key = CertifiedKey::from_der(chain, key, &provider());
        Ok(Self { key: Arc::new(key.map_err(CertificateError::Mismatch)?), ends })
    }

    /// Whether browsers take this certificate for `host`, a name or an address without a port.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        let (Some(first), Ok(name)) = (self.key.cert.first(), ServerName::try_from(host)) else {
            return false;
        };
        let parsed = ParsedCertificate::try_from(first);
        parsed.is_ok_and(|parsed| client::verify_server_name(&parsed, &name).is_ok())
    }
}

fn end_of(certificate: &CertificateDer<'_>) -> Result<Timestamp, CertificateError> {
    let parsed = x509_cert::Certificate::from_der(certificate);
    let parsed = parsed.map_err(|_| CertificateError::Unreadable)?;
    let ends = parsed.tbs_certificate().validity().not_after.to_unix_duration();
    let ends_s = i64::try_from(ends.as_secs()).map_err(|_| CertificateError::Unreadable)?;
    Timestamp::from_second(ends_s).map_err(|_| CertificateError::Unreadable)
}

fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

/// TLS on a listener. Clones share their certificate.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    current: Arc<Current>,
}

struct Current(RwLock<Arc<CertifiedKey>>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// TLS with a certificate.
    ///
    /// # Errors
    /// A system without randomness, for the tickets' keys.
    pub fn new(certificate: Certificate) -> Result<Self, CertificateError> {
        let current = Arc::new(Current(RwLock::new(certificate.key)));
        let builder = ServerConfig::builder_with_provider(Arc::new(provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.map_err(CertificateError::Setup)?.with_no_client_auth();
        let resolver = Arc::clone(&current) as Arc<dyn ResolvesServerCert>;
        let mut config = builder.with_cert_resolver(resolver);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(CertificateError::Setup)?;
        Ok(Self { config: Arc::new(config), current })
    }

    /// Shows this certificate to whoever connects from now on.
    pub fn replace(&self, certificate: Certificate) {
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = certificate.key;
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}
