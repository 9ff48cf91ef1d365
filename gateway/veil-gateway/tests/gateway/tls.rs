//! TLS: what is spoken, who is too slow for it, and certificates that change.

#![allow(clippy::disallowed_types, reason = "the binary is started through veil-testkit")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustix::process::Signal;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, NamedGroup, SignatureScheme, StreamOwned,
};
use tempfile::TempDir;
use veil_gateway::{Certificate, Drained, ServeLimits, Tls};

use crate::client::{PATIENCE, connect};
use crate::process::{Process, check_refusal, credentials, write_private};
use crate::site::{GRANT, HUGE, Site, TITLE, bearer, object_bytes, write_bucket};

/// A certificate for this machine, with its key, in PEM.
pub(crate) struct Pair {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::until(2099)
    }

    fn until(year: i32) -> Self {
        let names = ["localhost", "127.0.0.1", "videos.example.org"].map(str::to_owned);
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let chain = params.self_signed(&key).unwrap().pem();
        Self { chain, key: key.serialize_pem() }
    }

    /// What a server of another kind is given.
    pub(crate) fn server_config(&self) -> rustls::ServerConfig {
        let chain = CertificateDer::from_pem_slice(self.chain.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        config.with_single_cert(vec![chain], key).unwrap()
    }

    pub(crate) fn tls(&self) -> Tls {
        let certificate = Certificate::from_pem(self.chain.as_bytes(), self.key.as_bytes());
        Tls::new(certificate.unwrap()).unwrap()
    }

    fn write(&self, folder: &Path) {
        write_private(&folder.join("key.pem"), &self.key, 0o600);
        fs::write(folder.join("chain.pem"), &self.chain).unwrap();
    }
}

/// Takes any certificate: the tests look at which one it was.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A client that offers these protocols.
pub(crate) fn client(protocols: &[&str]) -> Arc<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().dangerous();
    let mut config =
        builder.with_custom_certificate_verifier(Arc::new(Anybody)).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

type TlsStream = StreamOwned<ClientConnection, TcpStream>;

fn handshake(address: SocketAddr, protocols: &[&str]) -> TlsStream {
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(client(protocols), name).unwrap();
    let mut stream = connect(address);
    connection.complete_io(&mut stream).unwrap();
    StreamOwned::new(connection, stream)
}

/// The certificate that a new client is shown.
fn shown(address: SocketAddr) -> Vec<u8> {
    let stream = handshake(address, &[]);
    stream.conn.peer_certificates().unwrap()[0].to_vec()
}

/// Sends a probe and returns the answer's first line; the connection stays open.
fn ask(stream: &mut TlsStream) -> String {
    head(stream).lines().next().unwrap().to_owned()
}

/// Sends a probe and returns its answer.
fn head(stream: &mut TlsStream) -> String {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n\r\nok") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    String::from_utf8(answer).unwrap()
}

#[test]
fn the_protocol_is_the_one_that_both_sides_prefer_and_the_key_exchange_is_hybrid() {
    let site = Site::edited(ServeLimits::default(), Some(Pair::new().tls()), |gateway| gateway);
    for (offered, expected) in
        [(&["http/1.1", "h2"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)]
    {
        let stream = handshake(site.address, offered);
        let chosen = stream.conn.alpn_protocol().map(|name| std::str::from_utf8(name).unwrap());
        assert_eq!(chosen, expected);
        let group = stream.conn.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, NamedGroup::X25519MLKEM768);
    }
    for offered in [&["http/1.1"][..], &[]] {
        assert_eq!(ask(&mut handshake(site.address, offered)), "HTTP/1.1 200 OK");
    }
}

#[test]
fn who_does_not_finish_the_handshake_or_speaks_something_else_is_closed() {
    let limits = ServeLimits { head_timeout: Duration::from_millis(300), ..ServeLimits::default() };
    let site = Site::edited(limits, Some(Pair::new().tls()), |gateway| gateway);
    let started = Instant::now();
    let mut silent = connect(site.address);
    let mut torn = connect(site.address);
    torn.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).unwrap();
    let mut clear = connect(site.address);
    clear.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut idle = handshake(site.address, &["h2"]);
    for stream in [&mut silent, &mut torn, &mut clear] {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP"));
    }
    let _ = idle.read_to_end(&mut Vec::new());
    assert!(started.elapsed() < PATIENCE);
    assert_eq!(ask(&mut handshake(site.address, &[])), "HTTP/1.1 200 OK");
}

#[test]
fn a_reader_who_takes_nothing_is_cut_off_by_tls_as_well() {
    let short = Duration::from_millis(300);
    let limits = ServeLimits { stall_timeout: short, ..ServeLimits::default() };
    let mut site = Site::edited(limits, Some(Pair::new().tls()), |gateway| gateway);
    site.write(&format!("t/{TITLE}/{HUGE}"), &object_bytes(HUGE));
    let mut stream = handshake(site.address, &["http/1.1"]);
    let body = format!("{{\"names\": [\"{HUGE}\"]}}");
    let head = format!("Host: {}\r\nContent-Length: {}\r\n", site.address, body.len());
    let start = format!("POST /v1/grants/{GRANT}/sign HTTP/1.1\r\nAuthorization: {}\r\n", bearer());
    write!(stream, "{start}{head}\r\n{body}").unwrap();
    let mut answer = vec![0; 16 << 10];
    let read = stream.read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    let url = answer.split('"').find(|part| part.starts_with("/o/t/")).unwrap();
    write!(stream, "GET {url} HTTP/1.1\r\nHost: {}\r\n\r\n", site.address).unwrap();
    stream.read_exact(&mut [0; 12]).unwrap();
    site.stop();
    // The drain ends when the stalled connection does, well before its own limit.
    let started = Instant::now();
    assert_eq!(site.drained(), Drained::Clean);
    assert!(started.elapsed() < Duration::from_secs(15));
}

/// A gateway process with a certificate.
struct Secured {
    process: Process,
    files: TempDir,
}

impl Secured {
    fn start(pair: &Pair) -> Self {
        Self::with(pair, "")
    }

    /// The same with more of the table `[tls]`.
    fn with(pair: &Pair, more: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        pair.write(files.path());
        let config = files.path().join("veilcast.toml");
        let (chain, key) = (files.path().join("chain.pem"), files.path().join("key.pem"));
        let text =
            format!("[tls]\ncertificate = {chain:?}\nkey = {key:?}\ncheck_every_s = 1\n{more}");
        fs::write(&config, text).unwrap();
        Self { process: Process::start(&["--config", config.to_str().unwrap()]), files }
    }

    /// Asks again and again until another certificate than `old` is shown.
    fn wait_for_another(&self, old: &[u8]) -> Vec<u8> {
        let started = Instant::now();
        loop {
            let now = shown(self.process.address);
            if now != old {
                return now;
            }
            assert!(started.elapsed() < PATIENCE, "the certificate stays");
        }
    }
}

#[test]
fn a_renewed_certificate_is_shown_after_a_signal_or_a_change_and_no_connection_is_dropped() {
    let mut secured = Secured::start(&Pair::new());
    let address = secured.process.address;
    let mut open = handshake(address, &["http/1.1"]);
    ask(&mut open);
    let first = shown(address);

    Pair::new().write(secured.files.path());
    secured.process.child.signal(Signal::HUP).unwrap();
    let second = secured.wait_for_another(&first);
    ask(&mut open);

    Pair::new().write(secured.files.path());
    secured.wait_for_another(&second);
    assert_eq!(ask(&mut open), "HTTP/1.1 200 OK");
    let log = secured.process.end();
    assert!(log.contains("the certificate was read again"), "{log}");
}

#[test]
fn a_broken_renewal_is_told_of_and_the_old_certificate_stays() {
    let mut secured = Secured::start(&Pair::new());
    let first = shown(secured.process.address);
    let folder = secured.files.path().to_owned();
    let other = Pair::new();
    let mut told = 0;
    let mut check = |break_it: &dyn Fn(), why: &str| {
        break_it();
        secured.process.child.signal(Signal::HUP).unwrap();
        let started = Instant::now();
        let count = |log: &str| log.matches("the certificate stays").count();
        while count(&secured.process.child.stderr()) <= told {
            assert!(started.elapsed() < PATIENCE, "nothing was said of {why}");
        }
        let log = secured.process.child.stderr();
        told = count(&log);
        assert!(log.contains(why), "{why} in {log}");
        assert_eq!(shown(secured.process.address), first);
    };
    check(&|| fs::write(folder.join("chain.pem"), &other.chain).unwrap(), "does not fit");
    check(&|| fs::write(folder.join("chain.pem"), "none").unwrap(), "no PEM certificate");
    check(&|| fs::remove_file(folder.join("chain.pem")).unwrap(), "cannot be read");
    check(&|| Pair::until(2001).write(&folder), "ended at 2001-01-01");
    let open = || drop(write_private(&folder.join("key.pem"), &other.key, 0o644));
    check(&open, "open to other users");
    other.write(&folder);
    secured.wait_for_another(&first);
}

#[test]
fn browsers_are_told_to_come_by_tls_alone_where_there_is_tls() {
    let told = |more: &str| {
        let secured = Secured::with(&Pair::new(), more);
        let answer = head(&mut handshake(secured.process.address, &[])).to_lowercase();
        let line = answer.lines().find_map(|line| line.strip_prefix("strict-transport-security: "));
        line.map(str::to_owned)
    };
    assert_eq!(told("").as_deref(), Some("max-age=31536000"));
    assert_eq!(told("strict_transport_s = 0\n").as_deref(), Some("max-age=0"));
    let clear = Process::start(&[]);
    assert_eq!(clear.send("GET /healthz", &[]).header("strict-transport-security"), None);
}

#[test]
fn a_hangup_without_a_certificate_ends_nothing() {
    let mut process = Process::start(&[]);
    process.child.signal(Signal::HUP).unwrap();
    assert_eq!(process.send("GET /healthz", &[]).status, 200);
    assert_eq!(process.send("GET /healthz", &[]).status, 200);
    process.end();
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_with_a_hint() {
    let folder = write_bucket();
    let (bucket, secret) = (folder.path().join("bucket"), credentials(folder.path()));
    let path = folder.path().join("veilcast.toml");
    let check = |chain: &str, key: &str, more: &[&str], error: &str, hint: &str| {
        fs::write(folder.path().join("chain.pem"), chain).unwrap();
        write_private(&folder.path().join("key.pem"), key, 0o600);
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        let text = format!(
            "bucket = {bucket:?}\ncredentials = {secret:?}\n[tls]\ncertificate = {chain:?}\nkey = {key:?}\n"
        );
        fs::write(&path, text).unwrap();
        check_refusal(&[&["--config", path.to_str().unwrap()], more].concat(), error, hint);
    };
    let (pair, other) = (Pair::new(), Pair::new());
    for more in [&[][..], &["--check-config"]] {
        check("", &pair.key, more, "no PEM certificate", "tls.certificate");
        check(&pair.chain, "", more, "no PEM private key", "in PEM");
        check(&pair.chain, &other.key, more, "does not fit the certificate", "its own private key");
        let torn = pair.chain.replace("MII", "MIX");
        check(&torn, &pair.key, more, "cannot be read", "in PEM");
    }
    let old = Pair::until(2001);
    let check_config = ["--check-config", "--public-url"];
    let more = [&check_config[..], &["https://videos.example.org"]].concat();
    check(&old.chain, &old.key, &more, "the certificate ended at 2001-01-01", "renew it");
    let more = [&check_config[..], &["https://other.example.org"]].concat();
    check(&pair.chain, &pair.key, &more, "not one for other.example.org", "names it");
}
